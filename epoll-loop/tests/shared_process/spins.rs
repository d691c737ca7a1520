//! Nothing that lasts keeps the loop awake: not a half-closed peer, not an
//! error that nobody asked for, not a buffer with room (claims 7 and 18).

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::Duration;

use chapter_tests::Peer;
use epoll_loop::{
    Entry, Event, EventLoop, Interest, ReadEnd, Readiness, SendQueue, Watch, Watched, read_within,
};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

use crate::record::Record;

/// A TCP connection: the accepted end, and the peer's.
fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let far = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (near, _) = listener.accept().unwrap();
    near.set_nonblocking(true).unwrap();
    far.set_nonblocking(true).unwrap();
    (near, far)
}

/// One connection that is served as a server would.
struct Connection {
    stream: Option<Watched<TcpStream>>,
    queue: SendQueue,
    received: usize,
    told: Vec<Readiness>,
}

impl Connection {
    fn watch(watch: impl Into<Watch>) -> (EventLoop<Connection>, Connection, TcpStream) {
        let mut event_loop = EventLoop::new().unwrap();
        let (near, far) = tcp_pair();
        let stream = event_loop.watch(near, watch, Connection::serve).unwrap();
        let connection = Connection {
            stream: Some(stream),
            queue: SendQueue::new(0),
            received: 0,
            told: Vec::new(),
        };
        (event_loop, connection, far)
    }

    fn stream(&self) -> &Watched<TcpStream> {
        self.stream.as_ref().unwrap()
    }

    fn serve(&mut self, event_loop: &mut EventLoop<Connection>, event: Event) {
        self.told.push(event.readiness);
        let Some(stream) = &self.stream else { return };
        if event.readiness.intersects(Readiness::OUT) {
            self.queue.flush(event_loop, stream).unwrap();
        }
        if !stream.interest(event_loop).contains(Interest::READABLE) {
            return;
        }
        let mut buffer = [0; 4_096];
        let received = &mut self.received;
        let end = read_within(&**stream, event.readiness, &mut buffer, 65_536, |bytes| {
            *received += bytes.len();
        });
        match end {
            // It may still read what we say, so the watch goes on without IN.
            Ok(ReadEnd::EndOfStream) => {
                let interest = stream.interest(event_loop).without(Interest::READABLE);
                stream.set_interest(event_loop, interest);
            }
            Ok(ReadEnd::Drained | ReadEnd::BudgetSpent) => {}
            Err(_) => self.stream = None,
        }
    }

    /// Whether the loop comes to rest: a few turns without an event in a row,
    /// after those that bring what was on its way. In a loop that spins, every
    /// wait brings one.
    fn comes_to_rest(&mut self, event_loop: &mut EventLoop<Connection>) -> bool {
        let record = Record::of(event_loop);
        let mut silent = 0;
        for _ in 0..2_000 {
            event_loop
                .turn(self, Some(Duration::from_millis(2)))
                .unwrap();
            let woken = record.count(|entry| matches!(entry, Entry::Waited { events: 1.., .. }));
            silent = if woken == 0 { silent + 1 } else { 0 };
            if silent == 5 {
                return true;
            }
        }
        false
    }

    /// Fills both buffers, so that nothing more can be written.
    fn fill(&mut self, event_loop: &mut EventLoop<Connection>) {
        while self.queue.is_empty() {
            self.queue.push(&vec![7; 65_536]);
            let stream = self.stream.as_ref().unwrap();
            self.queue.flush(event_loop, stream).unwrap();
        }
    }
}

/// Takes turns until something was told, so that nothing has to be slept for:
/// a segment on its way over loopback arrives by itself.
fn turn_until_told(event_loop: &mut EventLoop<Connection>, connection: &mut Connection) {
    let count = connection.told.len();
    while connection.told.len() == count {
        event_loop.turn(connection, None).unwrap();
    }
}

#[test]
fn a_half_closed_peer_does_not_spin_and_still_gets_its_answer() {
    let (mut event_loop, mut connection, mut far) = Connection::watch(Interest::READABLE);
    far.write_all(b"last words").unwrap();
    far.shutdown(Shutdown::Write).unwrap();
    while connection.stream().interest(&event_loop) != Interest::NONE {
        turn_until_told(&mut event_loop, &mut connection);
    }
    assert_eq!(connection.received, 10);
    assert!(connection.comes_to_rest(&mut event_loop));

    connection.queue.push(b"the answer");
    let stream = connection.stream.take().unwrap();
    connection.queue.flush(&mut event_loop, &stream).unwrap();
    drop(stream);
    event_loop.reify();
    assert_eq!(Peer::over(far).read_to_end(), b"the answer");
}

#[test]
fn a_half_closed_peer_whose_reading_is_paused_does_not_spin() {
    let (mut event_loop, mut connection, mut far) = Connection::watch(Interest::READABLE);
    far.write_all(b"hello").unwrap();
    turn_until_told(&mut event_loop, &mut connection);
    connection
        .stream()
        .set_interest(&mut event_loop, Interest::NONE);
    // Loopback delivers both before shutdown returns.
    far.write_all(b"last words").unwrap();
    far.shutdown(Shutdown::Write).unwrap();
    assert!(connection.comes_to_rest(&mut event_loop));

    // Nor one that we still have something to write to, which it does not take:
    // RDHUP, asked for together with OUT, would be reported for ever.
    connection.fill(&mut event_loop);
    assert_eq!(
        connection.stream().interest(&event_loop),
        Interest::WRITABLE
    );
    assert!(connection.comes_to_rest(&mut event_loop));

    connection
        .stream()
        .set_interest(&mut event_loop, Interest::READABLE);
    while connection.received < 15 {
        turn_until_told(&mut event_loop, &mut connection);
    }
}

/// Resets the connection, so that ERR and HUP are true of the other end for ever.
fn reset(far: TcpStream) {
    Peer::over(far).reset();
}

#[test]
fn err_and_hup_with_no_interest_do_not_spin() {
    let (mut event_loop, mut connection, far) = Connection::watch(Interest::READABLE);
    connection
        .stream()
        .set_interest(&mut event_loop, Interest::NONE);
    event_loop.reify();
    reset(far);
    assert!(connection.comes_to_rest(&mut event_loop));
    assert!(connection.told.is_empty());

    // As soon as something is asked for, the reset is told.
    connection
        .stream()
        .set_interest(&mut event_loop, Interest::READABLE);
    turn_until_told(&mut event_loop, &mut connection);
    assert!(connection.told[0].intersects(Readiness::ERR | Readiness::HUP));
}

/// What the loop takes care of: with epoll alone, no interest is no protection.
#[test]
fn with_epoll_alone_err_and_hup_are_reported_for_ever_although_nothing_was_asked() {
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).unwrap();
    let (near, far) = tcp_pair();
    epoll
        .add(&near, EpollEvent::new(EpollFlags::empty(), 0))
        .unwrap();
    reset(far);
    let mut events = [EpollEvent::empty(); 1];
    for _ in 0..3 {
        assert_eq!(epoll.wait(&mut events, EpollTimeout::NONE), Ok(1));
        assert!(
            events[0]
                .events()
                .contains(EpollFlags::EPOLLERR | EpollFlags::EPOLLHUP)
        );
    }
}

#[test]
fn a_connection_that_is_closed_by_both_does_not_spin_before_it_is_dropped() {
    let (mut event_loop, mut connection, far) = Connection::watch(Interest::READABLE);
    far.shutdown(Shutdown::Both).unwrap();
    while connection.stream().interest(&event_loop) != Interest::NONE {
        turn_until_told(&mut event_loop, &mut connection);
    }
    connection.stream().shutdown(Shutdown::Both).unwrap();
    assert!(connection.comes_to_rest(&mut event_loop));
}

#[test]
fn a_send_queue_asks_for_writable_only_while_bytes_are_left() {
    let (mut event_loop, mut connection, mut far) = Connection::watch(Interest::READABLE);
    connection.queue.push(b"hello");
    let stream = connection.stream.take().unwrap();
    connection.queue.flush(&mut event_loop, &stream).unwrap();
    connection.stream = Some(stream);
    assert_eq!(
        connection.stream().interest(&event_loop),
        Interest::READABLE
    );
    assert!(
        connection.comes_to_rest(&mut event_loop),
        "a socket with room is always writable"
    );

    connection.fill(&mut event_loop);
    let both = Interest::READABLE | Interest::WRITABLE;
    assert_eq!(connection.stream().interest(&event_loop), both);
    assert!(
        connection.comes_to_rest(&mut event_loop),
        "and a full one is not"
    );
    let left = connection.queue.len();
    let mut buffer = vec![0; 1 << 20];
    while !connection.queue.is_empty() {
        match far.read(&mut buffer) {
            Ok(_) => {}
            Err(err) if err.kind() == ErrorKind::WouldBlock => {}
            Err(err) => panic!("{err}"),
        }
        event_loop
            .turn(&mut connection, Some(Duration::ZERO))
            .unwrap();
    }
    assert!(left > 0);
    assert_eq!(
        connection.stream().interest(&event_loop),
        Interest::READABLE
    );
    assert!(connection.comes_to_rest(&mut event_loop));
}

/// Claim 18, the first of the three spins: what [`SendQueue`] is there for.
#[test]
fn a_watch_that_asks_for_writable_with_nothing_to_write_is_called_in_every_turn() {
    let mut event_loop = EventLoop::<u32>::new().unwrap();
    let (near, _far) = tcp_pair();
    let count = |calls: &mut u32, _: &mut _, _| *calls += 1;
    let _watch = event_loop.watch(near, Interest::WRITABLE, count).unwrap();
    let mut calls = 0;
    for _ in 0..100 {
        event_loop.turn(&mut calls, None).unwrap();
    }
    assert_eq!(calls, 100);
}
