//! What the printed listings get wrong, seen with the same system calls.

use std::io::{self, pipe};
use std::net::TcpListener;
use std::os::fd::AsFd;
use std::time::Duration;

use chapter_tests::TIMEOUT;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::select::{FdSet, select};
use nix::sys::time::{TimeVal, TimeValLike};
use nonblock_connect::{SilentListener, begin, outcome};
use socket2::{Domain, Socket, Type};

/// Waits with poll(2) until the attempt is over.
fn wait_until_over(socket: &Socket) {
    let timeout = PollTimeout::try_from(TIMEOUT).unwrap();
    let mut asked = [PollFd::new(socket.as_fd(), PollFlags::POLLOUT)];
    assert_eq!(poll(&mut asked, timeout), Ok(1), "the attempt is not over");
}

/// Listing 9-5: `FD_ZERO(&readfds); FD_SET(sockfd, &writefds); select(...); if (!FD_ISSET(...))`.
#[test]
fn a_write_set_that_is_not_cleared_fails_a_connect_that_would_have_worked() {
    let peer = SilentListener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let socket = begin(peer.address()).unwrap();
    // What was on the stack: here the bit of another descriptor, which is writable.
    let (_reader, other) = pipe().unwrap();
    let mut writefds = FdSet::new();
    writefds.insert(other.as_fd());
    writefds.insert(socket.as_fd());
    let mut timeout = TimeVal::seconds(10);
    let ready = select(None, None, &mut writefds, None, &mut timeout).unwrap();
    // The listing: "no events on sockfd found", and it closes the socket.
    assert_eq!(ready, 1);
    assert!(!writefds.contains(socket.as_fd()));
    // But the attempt was on its way.
    peer.accept().unwrap();
    wait_until_over(&socket);
    assert!(outcome(&socket, peer.address()).is_ok());
}

/// Listing 11-1: `connect` fails with `EINPROGRESS` after `SO_SNDTIMEO`, and the function returns.
#[test]
fn a_connect_that_timed_out_goes_on_until_it_is_closed() {
    let peer = SilentListener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket
        .set_write_timeout(Some(Duration::from_millis(20)))
        .unwrap();
    let err = socket.connect(&peer.address().into()).unwrap_err();
    assert_eq!(chapter::errno_name(&err), "EINPROGRESS");
    peer.accept().unwrap();
    wait_until_over(&socket);
    assert_eq!(
        socket.peer_addr().unwrap().as_socket(),
        Some(peer.address()),
        "connected, long after the timeout"
    );
}

#[test]
fn a_socket_that_is_writable_may_have_failed_and_says_so_once() {
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let socket = begin(closed).unwrap();
    wait_until_over(&socket);
    let err = outcome(&socket, closed).unwrap_err();
    assert_eq!(err.kind(), io::ErrorKind::ConnectionRefused);
    assert!(socket.take_error().unwrap().is_none());
}
