//! What the room asks memory for: nothing for a message that is delivered, once it has been as busy
//! before, and for a connection as much as for any other.

use std::hint::black_box;
use std::io;
use std::net::SocketAddr;
use std::time::{Instant, SystemTime};

use chapter_tests::allocations::{self, Counting};
use chat_server::room::{ClientId, Kind, Now, Rules, State};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A room with members of each kind, of which the first two talk.
struct Crowd {
    state: State,
    now: Now,
    members: Vec<ClientId>,
    dirty: Vec<ClientId>,
}

impl Crowd {
    fn new(members: usize) -> Crowd {
        let now = Now {
            instant: Instant::now(),
            wall: SystemTime::now(),
        };
        let mut crowd = Crowd {
            state: State::new(Rules::default(), now),
            now,
            members: Vec::new(),
            dirty: Vec::new(),
        };
        for number in 0..members {
            let address = SocketAddr::from(([127, 0, 0, 1], 50_000));
            let client = crowd.state.connect(address, Kind::Irc, now).unwrap();
            crowd.members.push(client);
            // Every form of a line is made, and whoever talks hears less than the others.
            if number % 2 == 1 {
                crowd.say(number, "CAP REQ :server-time echo-message message-tags");
            }
            crowd.say(number, &format!("NICK member{number}"));
            crowd.say(number, "USER user 0 * :Member");
            crowd.say(number, "CAP END");
            crowd.say(number, "JOIN #room,#other");
            crowd.flush();
        }
        crowd
    }

    fn say(&mut self, member: usize, line: &str) {
        self.state
            .receive(self.members[member], line.as_bytes(), self.now);
    }

    fn batch(&mut self) {
        for number in 0..40 {
            let channel = ["#room", "#other"][number / 2 % 2];
            let line: &[u8] = match channel {
                "#room" => b"@+mood=good;x PRIVMSG #room :is anybody there",
                _ => b"NOTICE #other,member0,member1 :nobody",
            };
            self.state.receive(self.members[number % 2], line, self.now);
            self.state.receive(self.members[2], b"PING :x", self.now);
        }
        self.flush();
    }

    fn flush(&mut self) {
        self.state.take_dirty(&mut self.dirty);
        for client in self.dirty.drain(..) {
            let written = self
                .state
                .flush(client, |outgoing| outgoing.write_to(io::sink()));
            written.unwrap().unwrap();
        }
    }
}

#[test]
fn the_counter_sees_an_allocation() {
    let counts = allocations::measure(|| drop(black_box(vec![0_u8; 1000])));
    assert_eq!(counts.allocations, 1);
}

#[test]
fn a_message_that_is_delivered_allocates_nothing() {
    for members in [3, 100] {
        let mut crowd = Crowd::new(members);
        crowd.batch();
        let before = crowd.state.counters().lines_queued;
        let counts = allocations::measure(|| crowd.batch());
        let delivered = crowd.state.counters().lines_queued - before;
        assert!(delivered > 40 * (u64::try_from(members).unwrap() - 1));
        assert_eq!(counts.allocations, 0, "{delivered} deliveries");
    }
}

#[test]
fn a_client_that_reads_well_holds_no_memory_for_what_it_has_read() {
    let mut crowd = Crowd::new(100);
    crowd.batch();
    let counts = allocations::measure(|| {
        for _ in 0..10 {
            crowd.batch();
        }
    });
    assert_eq!(counts.live_bytes, 0);
}

#[test]
fn what_a_connection_costs_does_not_grow_with_the_number_of_clients() {
    let costs = [10, 1_000].map(|members| {
        let mut crowd = Crowd::new(members);
        let mut come_and_go = || {
            let address = SocketAddr::from(([127, 0, 0, 1], 50_000));
            let guest = crowd.state.connect(address, Kind::Irc, crowd.now).unwrap();
            for line in ["NICK guest", "USER guest 0 * :Guest", "JOIN #own", "QUIT"] {
                crowd.state.receive(guest, line.as_bytes(), crowd.now);
            }
            crowd.flush();
            crowd.state.forget(guest);
        };
        come_and_go();
        allocations::measure(come_and_go)
    });
    assert!(costs[0].allocations > 0);
    assert_eq!(costs[0], costs[1]);
}
