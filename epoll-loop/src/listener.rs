//! Listening sockets, and the connections in their backlogs.
//!
//! Shows: what an accepted socket inherits from its listener on Linux
//! (`TCP_NODELAY`, keep-alive) and what it does not (`O_NONBLOCK`); `accept4(2)`
//! sets both flags in the call that makes the descriptor; which errors of
//! `accept` belong to the one peer, and which mean that nobody can be accepted.
//! Leaves out: what a server does about them.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};
use rustix::net::{acceptfrom_with, bind, ipproto, socket_with};

/// Connections that may wait to be accepted. The kernel cuts it to
/// `net.core.somaxconn`, which is 4,096 unless somebody has changed it.
const BACKLOG: i32 = 4096;

/// Listens on a TCP address, without blocking; port 0 takes a free one.
///
/// The address can be taken again at once when a server is restarted
/// (`SO_REUSEADDR`), an IPv6 one is for IPv6 alone (`IPV6_V6ONLY`), and what is
/// written to an accepted connection is sent at once (`TCP_NODELAY`).
///
/// # Errors
///
/// What `socket(2)`, `bind(2)` and `listen(2)` report, e.g. `EADDRINUSE`, or
/// `EACCES` for a port below 1024.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = socket_with(family, SocketType::STREAM, flags, Some(ipproto::TCP))?;
    // A server that is started again shall not wait for the old one's TIME_WAIT.
    sockopt::set_socket_reuseaddr(&socket, true)?;
    if address.is_ipv6() {
        // Else [::] takes the port of 0.0.0.0 too, and listening on both fails.
        sockopt::set_ipv6_v6only(&socket, true)?;
    }
    // A message is sent when it is written, and not held back until the last is
    // acknowledged (Nagle): together with delayed ACK that is 40 ms a message.
    sockopt::set_tcp_nodelay(&socket, true)?;
    bind(&socket, &address)?;
    rustix::net::listen(&socket, BACKLOG)?;
    Ok(socket.into())
}

/// What became of one attempt to [`accept`].
#[derive(Debug)]
pub enum Accepted {
    /// A connection, non-blocking and closed on exec, and who it is with.
    Peer(TcpStream, SocketAddr),
    /// The peer had gone again, or the call was interrupted: try the next.
    Gone,
    /// The backlog is empty.
    Nobody,
    /// No descriptors or no memory: the connection stays in the backlog, and
    /// the listener stays readable. To try again at once is to spin: take
    /// READABLE out of its interest for a while.
    Exhausted(io::Error),
}

/// Takes one connection out of the backlog of a non-blocking listener.
///
/// ```
/// use std::net::TcpStream;
/// use epoll_loop::{Accepted, accept, listen};
///
/// let listener = listen("127.0.0.1:0".parse()?)?;
/// let _peer = TcpStream::connect(listener.local_addr()?)?;
/// assert!(matches!(accept(&listener), Accepted::Peer(..)));
/// assert!(matches!(accept(&listener), Accepted::Nobody));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
// ANCHOR: accept-one
pub fn accept(listener: impl AsFd) -> Accepted {
    // ANCHOR: accept-flags
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    // ANCHOR_END: accept-flags
    match acceptfrom_with(listener, flags) {
        Ok((descriptor, Some(peer))) => match SocketAddr::try_from(peer) {
            Ok(peer) => Accepted::Peer(descriptor.into(), peer),
            Err(_) => Accepted::Gone,
        },
        // ANCHOR: accept-nobody
        Err(Errno::AGAIN) => Accepted::Nobody,
        // ANCHOR_END: accept-nobody
        // ANCHOR: accept-exhausted
        Err(err @ (Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM)) => {
            Accepted::Exhausted(err.into())
        }
        // ANCHOR_END: accept-exhausted
        // ANCHOR: accept-gone
        // No address: it was reset while it waited. ECONNABORTED, and the errors
        // of the network that Linux hands on from the new socket (`man 2 accept`):
        // this peer's, nobody else's.
        Ok((_, None)) | Err(_) => Accepted::Gone,
        // ANCHOR_END: accept-gone
    }
}
// ANCHOR_END: accept-one

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{ErrorKind, Read};

    #[test]
    fn an_accepted_socket_is_not_blocking_and_does_not_wait_for_more_to_send() {
        let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let _peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let Accepted::Peer(stream, _) = accept(&listener) else {
            panic!("connected above")
        };
        assert!(stream.nodelay().unwrap());
        let read = (&stream).read(&mut [0]).unwrap_err();
        assert_eq!(read.kind(), ErrorKind::WouldBlock);
        assert!(matches!(accept(&listener), Accepted::Nobody));
    }

    #[test]
    fn a_listener_for_every_ipv6_address_leaves_the_port_of_ipv4_alone() {
        let Ok(listener) = listen("[::]:0".parse().unwrap()) else {
            return eprintln!("skipped: needs IPv6");
        };
        assert!(sockopt::ipv6_v6only(&listener).unwrap());
    }
}
