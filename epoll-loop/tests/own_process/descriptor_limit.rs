//! Out of descriptors: the listener stays readable, and is paused instead of
//! asked again and again (claim 18).

use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use epoll_loop::{Entry, Event, EventLoop, Interest, Watched};
use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::record::Record;

crate::harness::tests![
    a_listener_that_is_paused_when_descriptors_run_out_does_not_spin_and_loses_nobody,
    a_listener_that_is_not_paused_spins,
];

struct Door {
    listener: Watched<TcpListener>,
    inside: Vec<TcpStream>,
    refusals: usize,
    pauses: bool,
}

impl Door {
    fn accept(&mut self, event_loop: &mut EventLoop<Door>, _: Event) {
        match self.listener.accept() {
            Ok((stream, _)) => self.inside.push(stream),
            Err(err) if err.raw_os_error() == Some(Errno::EMFILE as i32) => {
                self.refusals += 1;
                if self.pauses {
                    self.listener.set_interest(event_loop, Interest::NONE);
                    event_loop.after(Duration::from_millis(20), Door::open_again);
                }
            }
            Err(err) => panic!("{err}"),
        }
    }

    fn open_again(&mut self, event_loop: &mut EventLoop<Door>, _: Event) {
        self.listener.set_interest(event_loop, Interest::READABLE);
    }
}

/// A door with a client before it, and no descriptor left.
fn door(pauses: bool) -> (EventLoop<Door>, Door, TcpStream) {
    let mut event_loop = EventLoop::new().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let listener = event_loop
        .watch(listener, Interest::READABLE, Door::accept)
        .unwrap();
    let door = Door {
        listener,
        inside: Vec::new(),
        refusals: 0,
        pauses,
    };
    limit_descriptors(client_number(&client) + 1);
    (event_loop, door, client)
}

fn client_number(client: &TcpStream) -> u64 {
    use std::os::fd::AsRawFd;
    client.as_raw_fd().try_into().unwrap()
}

/// From here on a new descriptor has to have a lower number.
fn limit_descriptors(limit: u64) {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, limit, hard).unwrap();
}

fn a_listener_that_is_paused_when_descriptors_run_out_does_not_spin_and_loses_nobody() {
    let (mut event_loop, mut door, client) = door(true);
    let record = Record::of(&mut event_loop);
    while door.refusals < 3 {
        event_loop.turn(&mut door, None).unwrap();
    }
    let waits = record.count(|entry| matches!(entry, Entry::Waited { .. }));
    assert_eq!(waits, 5, "two for each pause, and the first refusal");
    limit_descriptors(client_number(&client) + 10);
    while door.inside.is_empty() {
        event_loop.turn(&mut door, None).unwrap();
    }
    let peer = door.inside[0].peer_addr().unwrap();
    assert_eq!(peer, client.local_addr().unwrap());
}

fn a_listener_that_is_not_paused_spins() {
    let (mut event_loop, mut door, _client) = door(false);
    for _ in 0..100 {
        event_loop.turn(&mut door, None).unwrap();
    }
    assert_eq!(door.refusals, 100);
}
