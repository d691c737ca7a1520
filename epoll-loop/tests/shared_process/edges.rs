//! Edge-triggered and one-shot watches (claims 12 and 13).

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use epoll_loop::{
    Event, EventLoop, Interest, ReadEnd, Readiness, Watch, Watched, WatcherId, read_within,
};

use crate::record::Record;
use crate::sockets::pair;

/// Takes note of each event, and reads nothing.
struct Silent {
    watch: Watched<UnixStream>,
    far: UnixStream,
    told: Vec<Readiness>,
    event_loop: EventLoop<Told>,
}

type Told = Vec<Readiness>;

impl Silent {
    fn watch(watch: Watch) -> Silent {
        let mut event_loop = EventLoop::new().unwrap();
        let (near, far) = pair();
        let note = |told: &mut Told, _: &mut _, event: Event| told.push(event.readiness);
        let watch = event_loop.watch(near, watch, note).unwrap();
        Silent {
            watch,
            far,
            told: Vec::new(),
            event_loop,
        }
    }

    /// The peer sends one byte.
    fn receive(&mut self) {
        self.far.write_all(b"x").unwrap();
    }

    fn read(&mut self) {
        (&*self.watch).read_exact(&mut [0; 1]).unwrap();
    }

    fn turn(&mut self) -> Vec<Readiness> {
        self.event_loop
            .turn(&mut self.told, Some(Duration::ZERO))
            .unwrap();
        std::mem::take(&mut self.told)
    }
}

/// Claim 12.
#[test]
fn an_edge_tells_of_news_and_not_of_state() {
    let mut socket = Silent::watch(Watch::new(Interest::READABLE).edge());
    socket.receive();
    assert_eq!(socket.turn(), [Readiness::IN]);
    assert!(socket.turn().is_empty(), "nothing new");
    socket.receive();
    assert_eq!(
        socket.turn(),
        [Readiness::IN],
        "news, though nothing was read"
    );
    socket.receive();
    socket.receive();
    assert_eq!(socket.turn(), [Readiness::IN]);
    assert!(socket.turn().is_empty(), "two that came together are one");
    socket.read();
    assert!(
        socket.turn().is_empty(),
        "the tail is not told of: read until WouldBlock"
    );
}

#[test]
fn a_level_tells_of_state_until_it_is_used_up() {
    let mut socket = Silent::watch(Watch::new(Interest::READABLE));
    socket.receive();
    socket.receive();
    for _ in 0..2 {
        assert_eq!(socket.turn(), [Readiness::IN]);
    }
    socket.read();
    assert_eq!(socket.turn(), [Readiness::IN]);
    socket.read();
    assert!(socket.turn().is_empty());
}

#[test]
fn the_tail_that_no_edge_tells_of_comes_with_feed_or_another_interest() {
    let mut socket = Silent::watch(Watch::new(Interest::READABLE).edge());
    socket.receive();
    assert_eq!(socket.turn(), [Readiness::IN]);
    socket.event_loop.feed(socket.watch.id(), Readiness::IN);
    assert_eq!(socket.turn(), [Readiness::IN]);

    let both = Interest::READABLE | Interest::WRITABLE;
    socket.watch.set_interest(&mut socket.event_loop, both);
    assert_eq!(
        socket.turn(),
        [Readiness::IN | Readiness::OUT],
        "a MOD arms the edge again"
    );
    socket
        .watch
        .set_interest(&mut socket.event_loop, Interest::READABLE);
    socket.watch.set_interest(&mut socket.event_loop, both);
    assert!(
        socket.turn().is_empty(),
        "changed and changed back is no MOD, so no edge"
    );
}

#[test]
fn news_of_one_kind_tells_all_that_is_true() {
    let both = Interest::READABLE | Interest::WRITABLE;
    let mut socket = Silent::watch(Watch::new(both).edge());
    assert_eq!(socket.turn(), [Readiness::OUT]);
    socket.receive();
    assert_eq!(socket.turn(), [Readiness::IN | Readiness::OUT]);
}

/// Accepts on an edge-triggered listener, one by one or until `WouldBlock`.
struct Door {
    listener: Watched<TcpListener>,
    drains: bool,
    accepted: Vec<TcpStream>,
    events: usize,
}

impl Door {
    fn accept(&mut self, _: &mut EventLoop<Door>, _: Event) {
        self.events += 1;
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => self.accepted.push(stream),
                Err(err) if err.kind() == ErrorKind::WouldBlock => break,
                Err(err) => panic!("{err}"),
            }
            if !self.drains {
                break;
            }
        }
    }
}

/// How many of ten clients, who all come before the first turn, are accepted in
/// twenty turns, and in how many events; and the same after an eleventh.
fn accept_a_burst(watch: Watch, drains: bool) -> [(usize, usize); 2] {
    let mut event_loop = EventLoop::new().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let mut door = Door {
        listener: event_loop.watch(listener, watch, Door::accept).unwrap(),
        drains,
        accepted: Vec::new(),
        events: 0,
    };
    let mut clients = Vec::new();
    [10, 1].map(|burst| {
        clients.extend((0..burst).map(|_| TcpStream::connect(address).unwrap()));
        for _ in 0..20 {
            event_loop.turn(&mut door, Some(Duration::ZERO)).unwrap();
        }
        (door.accepted.len(), door.events)
    })
}

/// Claim 13: all eleven are connected, as far as they know.
#[test]
fn a_burst_on_an_edge_triggered_listener_is_served_only_by_who_accepts_until_would_block() {
    let edge = Watch::new(Interest::READABLE).edge();
    assert_eq!(
        accept_a_burst(edge, false),
        [(1, 1), (2, 2)],
        "nine are never served"
    );
    assert_eq!(accept_a_burst(edge, true), [(10, 1), (11, 2)]);
    let level = Watch::new(Interest::READABLE);
    assert_eq!(accept_a_burst(level, false), [(10, 10), (11, 11)]);
}

/// Reads with a byte budget from an edge-triggered watch.
struct Reader {
    watch: Watched<UnixStream>,
    received: usize,
    rounds: usize,
}

impl Reader {
    fn read(&mut self, event_loop: &mut EventLoop<Reader>, event: Event) {
        self.rounds += 1;
        let (mut received, mut buffer) = (0, [0; 1_000]);
        let end = read_within(
            &*self.watch,
            event.readiness,
            &mut buffer,
            10_000,
            |bytes| {
                received += bytes.len();
            },
        );
        assert!(received <= 10_000 + buffer.len());
        self.received += received;
        match end.unwrap() {
            ReadEnd::Drained => {}
            ReadEnd::BudgetSpent => assert!(event_loop.feed(event.id, event.readiness)),
            ReadEnd::EndOfStream => event_loop.stop(Ok(())),
        }
    }
}

#[test]
fn a_byte_budget_under_edge_triggering_loses_nothing_with_feed() {
    let mut event_loop = EventLoop::new().unwrap();
    let (near, mut far) = pair();
    let watch = Watch::new(Interest::READABLE).edge();
    let mut reader = Reader {
        watch: event_loop.watch(near, watch, Reader::read).unwrap(),
        received: 0,
        rounds: 0,
    };
    let mut sent = 0;
    while let Ok(count) = far.write(&[7; 1_000]) {
        sent += count;
    }
    far.shutdown(Shutdown::Write).unwrap();
    event_loop.run(&mut reader).unwrap();
    assert_eq!(reader.received, sent);
    assert!(
        reader.rounds >= sent / 11_000,
        "{} rounds for {sent} bytes",
        reader.rounds
    );
}

#[test]
fn a_one_shot_watch_is_disarmed_by_its_event_and_armed_by_set_interest() {
    let mut socket = Silent::watch(Watch::new(Interest::READABLE).one_shot());
    socket.receive();
    assert_eq!(socket.turn(), [Readiness::IN]);
    assert_eq!(socket.watch.interest(&socket.event_loop), Interest::NONE);
    socket.receive();
    socket.far.shutdown(Shutdown::Both).unwrap();
    assert!(
        socket.turn().is_empty(),
        "disarmed, it hears nothing, not even HUP"
    );

    // What it had asked for before.
    socket
        .watch
        .set_interest(&mut socket.event_loop, Interest::READABLE);
    assert_eq!(
        socket.watch.interest(&socket.event_loop),
        Interest::READABLE
    );
    let all = Readiness::IN | Readiness::RDHUP | Readiness::HUP;
    assert_eq!(socket.turn(), [all]);
    assert!(socket.turn().is_empty());
}

#[test]
fn a_one_shot_watch_that_is_armed_in_its_callback_goes_on() {
    struct Armed {
        watch: Watched<UnixStream>,
        calls: u32,
    }
    let mut event_loop = EventLoop::new().unwrap();
    let (near, mut far) = pair();
    far.write_all(b"hello").unwrap();
    let watch = Watch::new(Interest::READABLE).one_shot();
    let again = |armed: &mut Armed, event_loop: &mut EventLoop<Armed>, _: Event| {
        armed.calls += 1;
        armed.watch.set_interest(event_loop, Interest::READABLE);
    };
    let watch = event_loop.watch(near, watch, again).unwrap();
    let mut armed = Armed { watch, calls: 0 };
    for _ in 0..3 {
        event_loop.turn(&mut armed, Some(Duration::ZERO)).unwrap();
    }
    assert_eq!(armed.calls, 3);
}

#[test]
fn a_disarmed_watch_that_is_asked_to_be_silent_costs_no_system_call() {
    let mut socket = Silent::watch(Watch::new(Interest::READABLE).one_shot());
    socket.receive();
    assert_eq!(socket.turn(), [Readiness::IN]);
    let record = Record::of(&mut socket.event_loop);
    socket
        .watch
        .set_interest(&mut socket.event_loop, Interest::NONE);
    assert!(record.take().is_empty(), "it is silent already");
    assert!(socket.turn().is_empty());
    socket
        .watch
        .set_interest(&mut socket.event_loop, Interest::READABLE);
    assert_eq!(socket.turn(), [Readiness::IN]);
}

#[test]
fn a_disarmed_watch_can_be_fed_dropped_and_taken_back() {
    let mut event_loop = EventLoop::<Vec<WatcherId>>::new().unwrap();
    let note = |told: &mut Vec<WatcherId>, _: &mut _, event: Event| told.push(event.id);
    let mut told = Vec::new();
    let mut far_ends = Vec::new();
    let mut watches = (0..3).map(|_| {
        let (near, mut far) = pair();
        far.write_all(b"hello").unwrap();
        far_ends.push(far);
        let watch = Watch::new(Interest::READABLE).one_shot();
        event_loop.watch(near, watch, note).unwrap()
    });
    let [fed, dropped, taken] = [(); 3].map(|()| watches.next().unwrap());
    drop(watches);
    event_loop.turn(&mut told, Some(Duration::ZERO)).unwrap();
    assert_eq!(told.len(), 3);
    told.clear();

    assert!(event_loop.feed(fed.id(), Readiness::IN));
    drop(dropped);
    taken.into_inner(&mut event_loop).unwrap();
    for _ in 0..2 {
        event_loop.turn(&mut told, Some(Duration::ZERO)).unwrap();
    }
    assert_eq!(told, [fed.id()]);
    assert_eq!(crate::sockets::in_kernels_set(&event_loop).len(), 1);
}
