//! What is set for connections, and what is said when one is lost.
//!
//! Leaves out: the sockets themselves (`epoll_loop::listen`), and how people
//! are let in (`accepting.rs`).

use std::io::{self, ErrorKind};
use std::net::TcpListener;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};

/// A peer without a program that answers PING is asked by TCP itself.
const KEEPALIVE_TIME: Duration = Duration::from_secs(90);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(20);
const KEEPALIVE_PROBES: u32 = 3;

/// Has the kernel find out whether the peers of this listener are still there.
pub(crate) fn keep_alive(listener: &TcpListener) -> io::Result<()> {
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE_TIME)
        .with_interval(KEEPALIVE_INTERVAL)
        .with_retries(KEEPALIVE_PROBES);
    SockRef::from(listener).set_tcp_keepalive(&keepalive)
}

/// What is said of a connection that was lost for a reason that has no words of
/// its own.
pub(crate) const LOST: &str = "Connection lost";

/// The words for a connection that was lost, as other people see them.
const REASONS: [(ErrorKind, &str); 5] = [
    (ErrorKind::ConnectionReset, "Connection reset by peer"),
    (ErrorKind::BrokenPipe, "Broken pipe"),
    (ErrorKind::TimedOut, "Connection timed out"),
    (ErrorKind::HostUnreachable, "No route to host"),
    (ErrorKind::NetworkUnreachable, "No route to host"),
];

/// Why a connection was lost, as other people see it.
pub(crate) fn reason_of(err: &io::Error) -> &'static str {
    let known = REASONS.iter().find(|(kind, _)| *kind == err.kind());
    known.map_or(LOST, |(_, reason)| reason)
}

/// The same words, as another server has written them down.
pub(crate) fn reason_named(words: &str) -> &'static str {
    let known = REASONS.iter().find(|(_, reason)| *reason == words);
    known.map_or(LOST, |(_, reason)| reason)
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use epoll_loop::{Accepted, accept, listen};

    use super::*;

    #[test]
    fn an_accepted_socket_is_kept_alive_as_its_listener_says() {
        let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
        keep_alive(&listener).unwrap();
        let _peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let Accepted::Peer(stream, _) = accept(&listener) else {
            panic!("connected above")
        };
        assert!(SockRef::from(&stream).keepalive().unwrap());
    }
}
