//! A running server, and people in it.
//!
//! Everything goes through the real program and real sockets; the room alone is tested in
//! `tests/room`.

use std::fs;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use chapter_tests::{Peer, Program, Signal, TIMEOUT, limits};
use socket2::{Domain, Socket, Type};

/// The program under test.
pub(crate) const SERVER: &str = env!("CARGO_BIN_EXE_chat-server");

/// Starts the server on a port of its own, with further arguments.
pub(crate) fn serve(arguments: &[&str]) -> Program {
    // Raises it too: tests of one program run at the same time, and some have many connections.
    let _ = limits::descriptor_limit();
    Program::start(SERVER, [&["--listen", "127.0.0.1:0"], arguments].concat())
}

/// Connects and registers somebody; the greeting is read.
pub(crate) fn person(address: SocketAddr, nick: &str) -> Peer {
    register(Peer::connect(address), nick)
}

/// Registers somebody over a connection that exists; the greeting is read.
pub(crate) fn register(mut peer: Peer, nick: &str) -> Peer {
    peer.send(format!("NICK {nick}\r\nUSER {nick} 0 * :{nick}\r\n"));
    peer.expect_line([" 422 ", nick]);
    peer
}

/// A client whose kernel takes little that it has not read.
pub(crate) fn small_receiver(address: SocketAddr, nick: &str) -> Peer {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(&address.into()).unwrap();
    register(Peer::over(socket.into()), nick)
}

/// A client of whose answers even the server's kernel keeps little: the smaller the segments, the
/// less it is ready to keep.
pub(crate) fn tiny_receiver(address: SocketAddr, nick: &str) -> Peer {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(2_048).unwrap();
    socket.set_tcp_mss(536).unwrap();
    socket.connect(&address.into()).unwrap();
    register(Peer::over(socket.into()), nick)
}

/// Has somebody join channels, and waits until it is in there.
pub(crate) fn join(peer: &mut Peer, channels: &str) {
    peer.send_line(format!("JOIN {channels}"));
    for channel in channels.split(',') {
        peer.expect_line([" 366 ", channel]);
    }
}

/// Returns when the server has handled what reached it before this call, from whomever; of one who
/// sends much, as much as it reads in one turn.
///
/// Events are handled in the order in which they came, so an answer to a PING that was sent last
/// comes last.
pub(crate) fn settle(peer: &mut Peer) {
    peer.send_line("PING :settled");
    peer.expect_line(["PONG", ":settled"]);
}

/// Asks again and again until `is_so`, which should go to the server and back each time.
///
/// # Panics
///
/// If that comes to nothing.
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + TIMEOUT;
    while !is_so() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
    }
}

/// Two people who were in #room before anything happened.
pub(crate) struct OldClients {
    pub(crate) alice: Peer,
    pub(crate) bob: Peer,
    said: u32,
}

impl OldClients {
    pub(crate) fn new(address: SocketAddr) -> OldClients {
        let [mut alice, mut bob] = ["alice", "bob"].map(|nick| person(address, nick));
        join(&mut alice, "#room");
        join(&mut bob, "#room");
        alice.expect_line("bob!~bob@127.0.0.1 JOIN #room");
        OldClients {
            alice,
            bob,
            said: 0,
        }
    }

    /// alice says something and bob hears just that, within a second.
    ///
    /// # Panics
    ///
    /// If it takes longer, or if bob has heard anything else since the last time.
    pub(crate) fn exchange(&mut self) {
        self.said += 1;
        let word = format!("PRIVMSG #room :word {}", self.said);
        self.bob.set_timeout(Duration::from_secs(1));
        self.alice.send_line(&word);
        assert_eq!(
            self.bob.read_line(),
            format!(":alice!~alice@127.0.0.1 {word}")
        );
        self.bob.set_timeout(TIMEOUT);
    }
}

/// Has `peer`, who reads nothing, ask for so much that the server waits for room to write; returns
/// how many answers it has asked for.
pub(crate) fn block_the_writer(server: &Program, peer: &mut Peer, other: &mut Peer) -> usize {
    // Less than the server reads in one turn, so that it has read all in the end.
    const STEP: usize = 32;
    let questions = format!("PING :{}\r\n", "x".repeat(400)).repeat(STEP);
    let mut asked = 0;
    wait_until("the server waits for room to write", || {
        peer.send(&questions);
        asked += STEP;
        settle(other);
        waits_for_room(server)
    });
    asked
}

/// Whether there is somebody to whom the server cannot write at the moment.
pub(crate) fn waits_for_room(server: &Program) -> bool {
    watched(server)
        .into_iter()
        .any(Registration::wants_to_write)
}

/// Resets the connection when the server's kernel has all that was sent: a reset takes back what the
/// sender's own kernel still holds.
pub(crate) fn reset_when_delivered(peer: Peer) {
    let port = peer.stream().local_addr().unwrap().port();
    let local = format!(":{port:04X}");
    wait_until("all that was sent is delivered", || {
        thread::yield_now();
        let table = fs::read_to_string("/proc/net/tcp").unwrap();
        table.lines().any(|line| {
            // `sl local_address rem_address st tx_queue:rx_queue ...` (proc_net_tcp.txt of the kernel)
            let mut words = line.split_whitespace().skip(1);
            words
                .next()
                .is_some_and(|address| address.ends_with(&local))
                && words
                    .nth(2)
                    .is_some_and(|queues| queues.starts_with("00000000:"))
        })
    });
    peer.reset();
}

/// What the server's epoll instance watches: descriptors and the events asked for (`proc(5)`,
/// fdinfo).
pub(crate) fn watched(server: &Program) -> Vec<Registration> {
    let process = format!("/proc/{}", server.pid());
    let mut registrations = Vec::new();
    for entry in fs::read_dir(format!("{process}/fd")).unwrap() {
        let number = entry.unwrap().file_name();
        let number = number.to_string_lossy();
        // One that was closed meanwhile is not the epoll instance.
        let target = fs::read_link(format!("{process}/fd/{number}")).unwrap_or_default();
        if target.as_os_str() != "anon_inode:[eventpoll]" {
            continue;
        }
        let info = fs::read_to_string(format!("{process}/fdinfo/{number}")).unwrap();
        registrations.extend(info.lines().filter_map(Registration::parse));
    }
    registrations
}

/// One descriptor in an epoll instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Registration {
    pub(crate) descriptor: i32,
    pub(crate) events: u32,
}

impl Registration {
    /// `tfd:        7 events:     2001 data:        100000003  pos:0 ino:1234 sdev:8`
    fn parse(line: &str) -> Option<Registration> {
        let mut words = line.strip_prefix("tfd:")?.split_whitespace();
        let descriptor = words.next()?.parse().ok()?;
        let events = words.nth(1)?;
        Some(Registration {
            descriptor,
            events: u32::from_str_radix(events, 16).ok()?,
        })
    }

    /// Whether it is asked for `EPOLLIN`.
    pub(crate) fn wants_to_read(self) -> bool {
        self.events & 0x1 != 0
    }

    /// Whether it is asked for `EPOLLOUT`.
    pub(crate) fn wants_to_write(self) -> bool {
        self.events & 0x4 != 0
    }
}

/// Stops the server's process until it gets `SIGCONT`, and waits until it has stopped: what is sent
/// to it meanwhile is there all at once when it goes on.
pub(crate) fn stop(server: &Program) {
    server.signal(Signal::SIGSTOP);
    let stat = format!("/proc/{}/stat", server.pid());
    wait_until("the server has stopped", || {
        thread::yield_now();
        // The state is the letter after the name, which is in brackets.
        fs::read_to_string(&stat).unwrap().contains(") T ")
    });
}
