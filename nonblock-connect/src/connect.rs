//! Connecting to one address: how it begins, and how it is known to be over.
//!
//! Shows: `connect(2)` on a non-blocking socket answers `EINPROGRESS`; the socket becomes writable
//! when the attempt is over, whether it has worked or not; `SO_ERROR` tells which, once.
//! Leaves out: waiting. Between the two functions the descriptor belongs into an event loop.

use std::io;
use std::net::{IpAddr, SocketAddr};

use nix::errno::Errno;
use nix::sys::socket::{setsockopt, sockopt};
use socket2::{Domain, Protocol, Socket, Type};

/// Begins to connect to `to`: the socket becomes writable when the attempt is over.
///
/// Watch it only now and not before: a socket that was never connected is reported as `OUT|HUP`.
///
/// # Errors
///
/// What `socket(2)` reports (`EMFILE`), and what `connect(2)` knows at once (`ENETUNREACH`,
/// `EACCES`). A refusal is not among them, not even on loopback: it comes as a readiness.
pub fn begin(to: SocketAddr) -> io::Result<Socket> {
    let socket = new_socket(to)?;
    begin_on(&socket, to)?;
    Ok(socket)
}

/// A socket for [`begin_on`], for who has something to set before it is connected.
///
/// # Errors
///
/// What `socket(2)` reports.
// ANCHOR: begin
pub fn new_socket(to: SocketAddr) -> io::Result<Socket> {
    Socket::new(
        Domain::for_address(to),
        Type::STREAM.nonblocking().cloexec(),
        Some(Protocol::TCP),
    )
}

/// Begins to connect `socket` to `to`.
///
/// # Errors
///
/// As [`begin`]; `EADDRNOTAVAIL` if no port is left.
pub fn begin_on(socket: &Socket, to: SocketAddr) -> io::Result<()> {
    match socket.connect(&to.into()) {
        Ok(()) => Ok(()),
        // A signal does not end the attempt either; a second connect would be EALREADY.
        // ANCHOR: in-progress
        Err(err) => match err.raw_os_error().map(Errno::from_raw) {
            Some(Errno::EINPROGRESS | Errno::EINTR) => Ok(()),
            _ => Err(err),
        },
        // ANCHOR_END: in-progress
    }
}
// ANCHOR_END: begin

/// Has `socket` connect from the address `source` of this machine, for who needs more connections
/// to one address than there are ports: each source has some 28,000 of its own
/// (`net.ipv4.ip_local_port_range`), and on loopback all of 127.0.0.0/8 are sources.
///
/// # Errors
///
/// What `bind(2)` reports: `EADDRNOTAVAIL` if `source` is no address of this machine.
pub fn bind_source(socket: &Socket, source: IpAddr) -> io::Result<()> {
    // The port is chosen by connect, which knows both ends: one that is taken only for another
    // peer will do. Without this, bind has to find one that is taken for nobody.
    setsockopt(socket, sockopt::IpBindAddressNoPort, &true)?;
    socket.bind(&SocketAddr::new(source, 0).into())
}

// ANCHOR: outcome
/// Whether the attempt to connect `socket` to `to` has worked, once it is writable.
///
/// Ask only once: `SO_ERROR` is cleared by reading it, and says 0 the second time.
///
/// # Errors
///
/// Why the attempt has failed: `ECONNREFUSED`, `ETIMEDOUT`, `EHOSTUNREACH` and others of
/// `connect(2)`. `ECONNREFUSED` also if the socket is connected to itself.
pub fn outcome(socket: &Socket, to: SocketAddr) -> io::Result<()> {
    // ANCHOR: so-error
    // Without this a refused connection looks like a working one.
    if let Some(err) = socket.take_error()? {
        return Err(err);
    }
    // ANCHOR_END: so-error
    // ANCHOR: self-connect
    // Where nobody listens on a port that the kernel gives to clients, it may give that very port:
    // two SYNs cross, and both ends of the connection are this socket (RFC 9293, 3.5).
    if socket.local_addr()?.as_socket() == Some(to) {
        return Err(Errno::ECONNREFUSED.into());
    }
    // ANCHOR_END: self-connect
    Ok(())
}
// ANCHOR_END: outcome

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_connected_to_itself_is_a_refused_one() {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket
            .bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())
            .unwrap();
        let own = socket.local_addr().unwrap();
        socket.connect(&own).unwrap();
        assert_eq!(
            socket.peer_addr().unwrap().as_socket(),
            own.as_socket(),
            "the kernel does that"
        );
        let err = outcome(&socket, own.as_socket().unwrap()).unwrap_err();
        assert_eq!(err.kind(), io::ErrorKind::ConnectionRefused);
    }

    #[test]
    fn the_peer_sees_the_source_that_was_asked_for() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let source = IpAddr::from([127, 1, 2, 3]);
        let address = listener.local_addr().unwrap();
        let socket = new_socket(address).unwrap();
        bind_source(&socket, source).unwrap();
        begin_on(&socket, address).unwrap();
        let (_, peer) = listener.accept().unwrap();
        assert_eq!(peer.ip(), source);
        assert_eq!(socket.local_addr().unwrap().as_socket(), Some(peer));
    }

    #[test]
    fn what_is_known_at_once_is_an_error_at_once() {
        // A group of hosts, which TCP cannot be connected to.
        let err = begin(SocketAddr::from(([224, 0, 0, 1], 80))).unwrap_err();
        assert_eq!(err.kind(), io::ErrorKind::NetworkUnreachable);
    }
}
