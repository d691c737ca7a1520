//! What the room side costs, without sockets: messages, nicks and joins in a big channel.
//!
//! Run it: `cargo bench -p chat-server`
//!
//! Lines go into [`State::receive`], and what they make is taken out of the queues again as the
//! loop side does it, but written to nobody. So this is the server less the kernel: what a
//! delivery costs before its `write(2)`. Printed is processor time, which other programs on the
//! machine do not change by much; it judges nothing.

use std::io;
use std::net::SocketAddr;
use std::time::{Instant, SystemTime};

use chapter::Estimate;
use chapter_tests::{Pid, benchmark, process};
use chat_server::room::{ClientId, Kind, Now, Rules, State};

/// Bytes of the text of a message.
const TEXT_BYTES: usize = 100;

fn main() {
    let is_short = !benchmark::is_asked_to_measure();
    let (rounds, deliveries) = if is_short {
        (1, 10_000)
    } else {
        (15, 1_000_000)
    };
    if !is_short {
        println!("{}", chapter::Machine::here());
    }
    println!("{TEXT_BYTES} bytes a message, {rounds} rounds");
    println!(
        "{:42} {:>22} {:>14}",
        "members, messages a batch", "CPU s/million", "messages/s"
    );
    for (members, batch) in [(100, 1), (100, 256), (1_000, 1), (1_000, 64)] {
        let mut crowd = Crowd::new(members);
        let messages = (deliveries / members).next_multiple_of(batch);
        let figures: Vec<f64> = (0..rounds)
            .map(|_| crowd.talk(messages, batch) / number(messages * members) * 1e6)
            .collect();
        let each = Estimate::of(&figures);
        let rate = 1e6 / each.median / number(members);
        let what = format!("{members:5}, {batch:3}");
        println!("{what:42} {each:>22.4} {rate:14.0}");
    }
    println!("{:42} {:>22}", "in a channel of 1,000", "CPU us each");
    let mut crowd = Crowd::new(1_000);
    let times = deliveries / 10_000;
    for (what, work) in [
        ("a new nick", Crowd::rename as fn(&mut Crowd, usize)),
        ("PART and JOIN, with the list of names", Crowd::rejoin),
        (
            "connect, register, join, quit",
            |crowd: &mut Crowd, times| {
                crowd.come_and_go("#room", times);
            },
        ),
    ] {
        let figures: Vec<f64> = (0..rounds)
            .map(|_| seconds(|| work(&mut crowd, times)) / number(times) * 1e6)
            .collect();
        println!("{what:42} {:>22.1}", Estimate::of(&figures));
    }
    println!(
        "{:42} {:>22}",
        "connect, register, join, quit", "CPU us each"
    );
    let (mut few, mut many) = (Crowd::of_strangers(100), Crowd::of_strangers(10_000));
    let measure =
        |crowd: &mut Crowd| seconds(|| crowd.come_and_go("#own", times)) / number(times) * 1e6;
    let [few, many] = chapter::interleave(
        rounds,
        &mut [&mut || measure(&mut few), &mut || measure(&mut many)],
    );
    for (what, figures) in [("among 100 clients", few), ("among 10,000 clients", many)] {
        println!("{what:42} {:>22.1}", Estimate::of(&figures));
    }
}

/// Clients of whom the first one talks.
struct Crowd {
    state: State,
    now: Now,
    clients: Vec<ClientId>,
    dirty: Vec<ClientId>,
}

impl Crowd {
    /// A channel of so many members, and one more who talks.
    fn new(members: usize) -> Crowd {
        let mut crowd = Crowd::of_strangers(members + 1);
        for client in crowd.clients.clone() {
            crowd.state.receive(client, b"JOIN #room", crowd.now);
            crowd.flush();
        }
        crowd
    }

    /// People who share no channel.
    fn of_strangers(count: usize) -> Crowd {
        let now = Now {
            instant: Instant::now(),
            wall: SystemTime::now(),
        };
        let mut rules = Rules::default();
        rules.limits.max_clients = count + 1;
        let mut crowd = Crowd {
            state: State::new(rules, now),
            now,
            clients: Vec::new(),
            dirty: Vec::new(),
        };
        for number in 0..count {
            let client = connect(&mut crowd.state, &format!("member{number}"), now);
            crowd.clients.push(client);
            crowd.flush();
        }
        crowd
    }

    /// Processor time in which `messages` are said and taken, so many a batch.
    fn talk(&mut self, messages: usize, batch: usize) -> f64 {
        let line = format!("PRIVMSG #room :{}", "x".repeat(TEXT_BYTES));
        seconds(|| {
            for _ in 0..messages / batch {
                for _ in 0..batch {
                    self.state
                        .receive(self.clients[0], line.as_bytes(), self.now);
                }
                self.flush();
            }
        })
    }

    fn rename(&mut self, times: usize) {
        for number in 0..times {
            let line = format!("NICK speaker{number}");
            self.state
                .receive(self.clients[0], line.as_bytes(), self.now);
            self.flush();
        }
    }

    fn rejoin(&mut self, times: usize) {
        for _ in 0..times {
            self.state.receive(self.clients[0], b"PART #room", self.now);
            self.state.receive(self.clients[0], b"JOIN #room", self.now);
            self.flush();
        }
    }

    fn come_and_go(&mut self, channel: &str, times: usize) {
        for _ in 0..times {
            let guest = connect(&mut self.state, "guest", self.now);
            let join = format!("JOIN {channel}");
            self.state.receive(guest, join.as_bytes(), self.now);
            self.state.receive(guest, b"QUIT", self.now);
            self.flush();
            self.state.forget(guest);
        }
    }

    /// The end of a batch.
    fn flush(&mut self) {
        self.state.take_dirty(&mut self.dirty);
        for client in self.dirty.drain(..) {
            let written = self.state.flush(client, |queue| queue.write_to(io::sink()));
            written
                .expect("the client is there")
                .expect("a sink takes everything");
        }
    }
}

fn connect(state: &mut State, nick: &str, now: Now) -> ClientId {
    let address = SocketAddr::from(([127, 0, 0, 1], 50_000));
    let id = state
        .connect(address, Kind::Irc, now)
        .expect("there is room");
    for line in [format!("NICK {nick}"), format!("USER {nick} 0 * :{nick}")] {
        state.receive(id, line.as_bytes(), now);
    }
    id
}

fn seconds(work: impl FnOnce()) -> f64 {
    let before = process::cpu_time(Pid::this());
    work();
    let took = process::cpu_time(Pid::this()).saturating_sub(before);
    took.as_secs_f64()
}

fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).expect("not that many"))
}
