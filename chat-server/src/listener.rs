//! Listening sockets.
//!
//! Shows: what an accepted socket inherits from its listener on Linux
//! (`TCP_NODELAY`, keep-alive) and what it does not (`O_NONBLOCK`); `accept4(2)`
//! sets both flags in the call that makes the descriptor; which errors of
//! `accept` belong to the one peer, and which mean that nobody can be accepted.
//! Leaves out: what a server does about them (`accepting.rs`).

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{SocketFlags, acceptfrom_with};
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};

/// Connections that may wait to be accepted. The kernel cuts it to
/// `net.core.somaxconn`, which is 4,096 unless somebody has changed it.
const BACKLOG: i32 = 4096;

/// A peer without a program that answers PING is asked by TCP itself.
const KEEPALIVE_TIME: Duration = Duration::from_secs(90);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(20);
const KEEPALIVE_PROBES: u32 = 3;

/// Listens on `address`, without blocking.
///
/// # Errors
///
/// What `socket(2)`, `bind(2)` and `listen(2)` report, e.g. `EADDRINUSE`.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    // A server that is started again shall not wait for the old one's TIME_WAIT.
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        // Else [::] takes the port of 0.0.0.0 too, and listening on both fails.
        socket.set_only_v6(true)?;
    }
    // A line is sent when it is said, and not held back until the last is
    // acknowledged (Nagle): together with delayed ACK that is 40 ms a line.
    socket.set_tcp_nodelay(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Has the kernel find out whether the peers of this listener are still there.
pub(crate) fn keep_alive(listener: &TcpListener) -> io::Result<()> {
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE_TIME)
        .with_interval(KEEPALIVE_INTERVAL)
        .with_retries(KEEPALIVE_PROBES);
    SockRef::from(listener).set_tcp_keepalive(&keepalive)
}

/// What became of one attempt to accept.
pub(crate) enum Accepted {
    Peer(TcpStream, SocketAddr),
    /// The peer had gone again, or the call was interrupted: try the next.
    Gone,
    /// The backlog is empty.
    Nobody,
    /// No descriptors or no memory: the connection stays in the backlog, and
    /// the listener stays readable. To try again at once is to spin.
    Exhausted(io::Error),
}

/// Takes one connection out of the backlog.
pub(crate) fn accept(listener: impl AsFd) -> Accepted {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    match acceptfrom_with(listener, flags) {
        Ok((descriptor, Some(peer))) => match SocketAddr::try_from(peer) {
            Ok(peer) => Accepted::Peer(descriptor.into(), peer),
            Err(_) => Accepted::Gone,
        },
        Err(Errno::AGAIN) => Accepted::Nobody,
        Err(err @ (Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM)) => {
            Accepted::Exhausted(err.into())
        }
        // No address: it was reset while it waited. ECONNABORTED, and the errors
        // of the network that Linux hands on from the new socket (`man 2 accept`):
        // this peer's, nobody else's.
        Ok((_, None)) | Err(_) => Accepted::Gone,
    }
}

/// The words for a connection that was lost, as other people see them.
pub(crate) fn reason_of(err: &io::Error) -> &'static str {
    match err.kind() {
        ErrorKind::ConnectionReset => "Connection reset by peer",
        ErrorKind::BrokenPipe => "Broken pipe",
        ErrorKind::TimedOut => "Connection timed out",
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => "No route to host",
        _ => "Connection lost",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_accepted_socket_is_not_blocking_and_does_not_wait_for_more_to_send() {
        let listener = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        keep_alive(&listener).unwrap();
        let _peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let Accepted::Peer(stream, _) = accept(&listener) else {
            panic!("connected above")
        };
        assert!(stream.nodelay().unwrap());
        assert!(SockRef::from(&stream).keepalive().unwrap());
        let read = io::Read::read(&mut &stream, &mut [0]).unwrap_err();
        assert_eq!(read.kind(), ErrorKind::WouldBlock);
        assert!(matches!(accept(&listener), Accepted::Nobody));
    }
}
