//! The library: names, the race of addresses, deadlines, what is left behind.

use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use chapter_tests::TIMEOUT;
use epoll_loop::{Entry, EventLoop};
use nonblock_connect::{
    AttemptId, ConnectError, Connected, Connector, Connects, RESOLVER_THREADS, SilentListener,
    Target,
};

/// Far longer than any attempt here takes.
const LONG: Duration = TIMEOUT;

/// Long enough for nothing here, and waited for to its end.
const SHORT: Duration = Duration::from_millis(50);

/// Collects what is told until all is.
struct Program {
    connector: Connector,
    told: HashMap<AttemptId, Result<Connected, ConnectError>>,
}

impl Connects for Program {
    fn connector(&mut self) -> &mut Connector {
        &mut self.connector
    }

    fn finished(
        &mut self,
        event_loop: &mut EventLoop<Program>,
        id: AttemptId,
        result: Result<Connected, ConnectError>,
    ) {
        assert!(
            self.told.insert(id, result).is_none(),
            "{id:?} is told twice"
        );
        if self.connector.in_flight() == 0 {
            event_loop.stop(Ok(()));
        }
    }
}

impl Program {
    fn new(connector: Connector) -> (EventLoop<Program>, Program) {
        let program = Program {
            connector,
            told: HashMap::new(),
        };
        (EventLoop::new().unwrap(), program)
    }

    fn start(
        &mut self,
        event_loop: &mut EventLoop<Program>,
        host: &str,
        port: u16,
        timeout: Duration,
    ) -> AttemptId {
        let host = host.to_owned();
        self.connector
            .start(event_loop, &Target { host, port }, timeout)
    }

    /// Runs until all are over, and gives the one that matters.
    fn result(
        &mut self,
        event_loop: &mut EventLoop<Program>,
        id: AttemptId,
    ) -> Result<Connected, ConnectError> {
        event_loop.after(LONG, |_, event_loop, _| {
            event_loop.stop(Err(io::ErrorKind::TimedOut.into()));
        });
        event_loop.run(self).unwrap();
        assert_eq!(self.connector.in_flight(), 0);
        self.told.remove(&id).expect("it is told")
    }
}

/// A connector for which every name has these addresses.
fn found(addresses: Vec<SocketAddr>) -> Connector {
    Connector::with_lookup(move |_| Ok(addresses.clone()))
}

/// A peer on this address of loopback, and on this port if it is not 0.
fn listen(ip: [u8; 4], port: u16) -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind(SocketAddr::from((ip, port))).unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Number of sockets in `SYN_SENT` to this address (`man 5 proc`, /proc/net/tcp).
fn on_their_way(to: SocketAddr) -> usize {
    let SocketAddr::V4(to) = to else {
        panic!("{to} is not in that table");
    };
    let ip = u32::from_ne_bytes(to.ip().octets());
    let end = format!(" {ip:08X}:{:04X} 02 ", to.port());
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    table.lines().filter(|line| line.contains(&end)).count()
}

#[test]
fn where_one_address_is_silent_the_next_one_wins_and_the_first_is_closed() {
    let silent = SilentListener::bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let port = silent.address().port();
    let (_open, open) = listen([127, 0, 0, 3], port);
    let (mut event_loop, mut program) = Program::new(found(vec![silent.address(), open]));
    let id = program.start(&mut event_loop, "two.test", port, LONG);
    let connected = program.result(&mut event_loop, id).unwrap();
    assert_eq!(connected.address, open);
    event_loop.reify();
    assert_eq!(on_their_way(silent.address()), 0);
}

#[test]
fn where_one_address_refuses_the_next_one_does_not_wait_for_its_turn() {
    let (open, address) = listen([127, 0, 0, 1], 0);
    let refusing: SocketAddr = ([127, 0, 0, 2], address.port()).into();
    let (mut event_loop, mut program) = Program::new(found(vec![refusing, address]));
    let fired = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&fired);
    event_loop.set_observer(Some(Box::new(move |entry: &Entry| {
        let is_due = matches!(entry, Entry::TimerFired { .. });
        counted.fetch_add(usize::from(is_due), Ordering::Relaxed);
    })));
    let id = program.start(&mut event_loop, "two.test", address.port(), LONG);
    let connected = program.result(&mut event_loop, id).unwrap();
    assert_eq!(connected.address, address);
    assert_eq!(fired.load(Ordering::Relaxed), 0, "a timer was waited for");
    drop(open);
}

#[test]
fn an_attempt_that_fails_tells_of_every_address_and_of_the_silent_ones_too() {
    let silent = SilentListener::bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let port = silent.address().port();
    let refusing: SocketAddr = ([127, 0, 0, 3], port).into();
    // A group of hosts, to which TCP does not even begin to connect.
    let impossible: SocketAddr = ([224, 0, 0, 1], port).into();
    let addresses = vec![refusing, impossible, silent.address()];
    let (mut event_loop, mut program) = Program::new(found(addresses));
    // Time for the first two, however busy the machine is.
    let timeout = Duration::from_secs(3);
    let id = program.start(&mut event_loop, "three.test", port, timeout);
    let err = program.result(&mut event_loop, id).unwrap_err();
    assert!(err.is_timeout() && !err.is_refusal());
    assert_eq!(
        err.to_string(),
        "127.0.0.3 connection refused, 224.0.0.1 network is unreachable, \
         127.0.0.2 connection timed out"
    );
}

#[test]
fn what_fails_at_once_is_told_by_the_loop_and_not_by_start() {
    let (mut event_loop, mut program) = Program::new(Connector::new());
    let ids: Vec<_> = (0..10_000)
        .map(|_| program.start(&mut event_loop, "224.0.0.1", 80, LONG))
        .collect();
    assert!(program.told.is_empty());
    let err = program.result(&mut event_loop, ids[9_999]).unwrap_err();
    assert_eq!(err.to_string(), "network is unreachable");
    assert_eq!(program.told.len(), 9_999);
}

#[test]
fn a_name_without_addresses_and_one_that_is_not_found_say_so() {
    let lookup = |name: &str| match name {
        "empty.test" => Ok(Vec::new()),
        _ => Err(io::Error::other("name or service not known")),
    };
    let (mut event_loop, mut program) = Program::new(Connector::with_lookup(lookup));
    let empty = program.start(&mut event_loop, "empty.test", 80, LONG);
    let unknown = program.start(&mut event_loop, "unknown.test", 80, LONG);
    let err = program.result(&mut event_loop, empty).unwrap_err();
    assert!(matches!(err, ConnectError::NoAddress));
    let err = program.told.remove(&unknown).unwrap().unwrap_err();
    assert_eq!(err.to_string(), "name or service not known");
}

/// Lookups that end when the test says so.
struct StuckLookup {
    /// Each name as its lookup begins.
    begun: Receiver<String>,
    /// An address for one of them.
    end_one: Sender<SocketAddr>,
}

fn stuck() -> (Connector, StuckLookup) {
    let (beginning, begun) = channel();
    let (end_one, ends) = channel::<SocketAddr>();
    let (beginning, ends) = (Mutex::new(beginning), Arc::new(Mutex::new(ends)));
    let connector = Connector::with_lookup(move |name| {
        beginning.lock().unwrap().send(name.to_owned()).unwrap();
        // The end of the test ends the thread.
        let address = ends.lock().unwrap().recv().map_err(io::Error::other)?;
        Ok(vec![address])
    });
    (connector, StuckLookup { begun, end_one })
}

#[test]
fn the_deadline_ends_a_target_whose_name_is_still_looked_up() {
    let (connector, lookup) = stuck();
    let (mut event_loop, mut program) = Program::new(connector);
    let id = program.start(&mut event_loop, "slow.test", 80, SHORT);
    let err = program.result(&mut event_loop, id).unwrap_err();
    assert!(matches!(err, ConnectError::LookupTimedOut(_)), "{err}");
    assert_eq!(lookup.begun.recv_timeout(LONG).unwrap(), "slow.test");

    // Asked for again it is not looked up again, and the late answer counts.
    let (_open, open) = listen([127, 0, 0, 1], 0);
    let id = program.start(&mut event_loop, "slow.test", open.port(), LONG);
    lookup.end_one.send(open).unwrap();
    let connected = program.result(&mut event_loop, id).unwrap();
    assert_eq!(connected.address, open);
    assert!(lookup.begun.try_recv().is_err());
}

#[test]
fn eight_names_are_looked_up_at_the_same_time_and_the_ninth_waits() {
    let (connector, lookup) = stuck();
    let (mut event_loop, mut program) = Program::new(connector);
    let (_open, open) = listen([127, 0, 0, 1], 0);
    let names: Vec<String> = (0..=RESOLVER_THREADS)
        .map(|n| format!("{n}.test"))
        .collect();
    let ids: Vec<_> = names
        .iter()
        .map(|name| program.start(&mut event_loop, name, open.port(), LONG))
        .collect();
    let mut begun: Vec<String> = (0..RESOLVER_THREADS)
        .map(|_| lookup.begun.recv_timeout(LONG).unwrap())
        .collect();
    begun.sort();
    assert_eq!(begun, names[..RESOLVER_THREADS]);
    assert!(lookup.begun.try_recv().is_err(), "a ninth thread");
    for _ in &names {
        lookup.end_one.send(open).unwrap();
    }
    let last = program.result(&mut event_loop, ids[RESOLVER_THREADS]);
    assert_eq!(last.unwrap().address, open);
    assert_eq!(
        lookup.begun.recv_timeout(LONG).unwrap(),
        names[RESOLVER_THREADS]
    );
}

#[test]
fn a_name_that_nobody_waits_for_any_more_is_not_looked_up() {
    let (connector, lookup) = stuck();
    let (mut event_loop, mut program) = Program::new(connector);
    for n in 0..RESOLVER_THREADS {
        program.start(&mut event_loop, &format!("{n}.test"), 80, SHORT);
        lookup.begun.recv_timeout(LONG).unwrap();
    }
    let given_up = program.start(&mut event_loop, "given-up.test", 80, SHORT);
    program.result(&mut event_loop, given_up).unwrap_err();
    // When a thread is free, what it takes next is the name asked for now.
    let (_open, open) = listen([127, 0, 0, 1], 0);
    let id = program.start(&mut event_loop, "wanted.test", open.port(), LONG);
    for _ in 0..=RESOLVER_THREADS {
        lookup.end_one.send(open).unwrap();
    }
    assert_eq!(lookup.begun.recv_timeout(LONG).unwrap(), "wanted.test");
    program.told.clear();
    let connected = program.result(&mut event_loop, id);
    assert_eq!(connected.unwrap().address, open);
}

#[test]
fn a_name_with_many_ports_is_looked_up_once() {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let connector = Connector::with_lookup(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        Ok(vec![SocketAddr::from(([224, 0, 0, 1], 0))])
    });
    let (mut event_loop, mut program) = Program::new(connector);
    let ids: Vec<_> = (1..=1_024)
        .map(|port| program.start(&mut event_loop, "many.test", port, LONG))
        .collect();
    program.result(&mut event_loop, ids[0]).unwrap_err();
    let late = program.start(&mut event_loop, "many.test", 1_025, LONG);
    program.result(&mut event_loop, late).unwrap_err();
    assert_eq!(count.load(Ordering::Relaxed), 1);
}

#[test]
fn a_cancelled_attempt_is_not_told_of_and_leaves_no_socket() {
    let silent = SilentListener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let (mut event_loop, mut program) = Program::new(Connector::new());
    let port = silent.address().port();
    let id = program.start(&mut event_loop, "127.0.0.1", port, LONG);
    assert_eq!(on_their_way(silent.address()), 1);
    assert!(program.connector.cancel(&mut event_loop, id));
    assert!(!program.connector.cancel(&mut event_loop, id));
    // Nothing is left to wait for, its timers included.
    event_loop.run(&mut program).unwrap();
    assert!(program.told.is_empty());
    assert_eq!(on_their_way(silent.address()), 0);
}

#[test]
fn a_lookup_that_never_ends_keeps_no_loop_running() {
    let (done, ended) = channel();
    // In a thread, since a loop that goes on would keep the test from saying so.
    thread::spawn(move || {
        let (connector, lookup) = stuck();
        let (mut event_loop, mut program) = Program::new(connector);
        program.start(&mut event_loop, "slow.test", 80, SHORT);
        lookup.begun.recv_timeout(LONG).unwrap();
        drop(std::mem::take(&mut program.connector));
        // The deadline that is left finds nobody; then nothing is left.
        event_loop.run(&mut program).unwrap();
        done.send(program.told.len()).unwrap();
    });
    assert_eq!(ended.recv_timeout(LONG), Ok(0));
}
