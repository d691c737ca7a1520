//! Connecting, without waiting for it.
//!
//! Shows: `connect(2)` on a non-blocking socket answers `EINPROGRESS`; the
//! socket becomes writable when the attempt is over, whether it has worked or
//! not; `SO_ERROR` tells which, once. Every address of a name is tried in turn.
//! Leaves out: trying two at a time (RFC 8305), which saves seconds where one
//! of two networks is broken.

use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use epoll_loop::{Event, EventLoop, Interest, Watch, Watched, WatcherId};
use nix::errno::Errno;
use socket2::{Domain, Protocol, Socket, Type};

use crate::address::Address;
use crate::failure::ConnectError;
use crate::resolve::Lookup;

/// How long a lookup, and the attempt with each address, may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The state of a loop that connects somewhere.
///
/// The functions of [`Attempt`] are its callbacks.
pub(crate) trait Connects: Sized + 'static {
    fn attempt(&mut self) -> &mut Attempt;

    /// The connection stands.
    fn connected(&mut self, event_loop: &mut EventLoop<Self>, stream: TcpStream);

    /// Nothing has worked.
    fn not_connected(&mut self, event_loop: &mut EventLoop<Self>, why: ConnectError);
}

/// The attempt to connect to an address, or to one after the other.
#[derive(Debug)]
pub(crate) struct Attempt {
    address: Address,
    /// Stays when it was given up, since it cannot be ended.
    lookup: Option<Lookup>,
    /// Runs while an answer of the lookup is waited for.
    deadline: Option<WatcherId>,
    untried: VecDeque<SocketAddr>,
    failed: Vec<(SocketAddr, io::Error)>,
    current: Option<Connecting>,
}

/// A socket whose connection is being made.
#[derive(Debug)]
struct Connecting {
    socket: Watched<Socket>,
    to: SocketAddr,
}

impl Attempt {
    pub(crate) fn new(address: Address) -> Attempt {
        Attempt {
            address,
            lookup: None,
            deadline: None,
            untried: VecDeque::new(),
            failed: Vec::new(),
            current: None,
        }
    }

    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    /// Whether it has begun and not ended.
    pub(crate) fn is_running(&self) -> bool {
        self.deadline.is_some() || self.current.is_some()
    }

    /// Begins; `state` is told how it went, possibly before this returns.
    pub(crate) fn start<S: Connects>(state: &mut S, event_loop: &mut EventLoop<S>) {
        let attempt = state.attempt();
        attempt.failed.clear();
        attempt.untried.clear();
        if let Some(ip) = attempt.address.ip() {
            let address = SocketAddr::new(ip, attempt.address.port);
            attempt.untried.push_back(address);
            return Self::try_next(state, event_loop);
        }
        match attempt.look_up(event_loop) {
            Ok(()) => attempt.deadline = Some(event_loop.after(TIMEOUT, Self::give_lookup_up::<S>)),
            Err(err) => state.not_connected(event_loop, ConnectError::Lookup(err)),
        }
    }

    /// Starts a lookup, unless one that was given up is still running.
    fn look_up<S: Connects>(&mut self, event_loop: &mut EventLoop<S>) -> io::Result<()> {
        if self.lookup.is_none() {
            let waker = event_loop.waker(Self::take_addresses::<S>)?;
            self.lookup = Some(Lookup::start(&self.address, waker)?);
        }
        Ok(())
    }

    /// The resolver has an answer.
    fn take_addresses<S: Connects>(state: &mut S, event_loop: &mut EventLoop<S>, _: Event) {
        let attempt = state.attempt();
        let Some(answer) = attempt.lookup.as_ref().and_then(Lookup::answer) else {
            return;
        };
        attempt.lookup = None;
        let Some(deadline) = attempt.deadline.take() else {
            // Too late; the next attempt asks again.
            return;
        };
        event_loop.cancel(deadline);
        match answer {
            Err(err) => state.not_connected(event_loop, ConnectError::Lookup(err)),
            Ok(addresses) if addresses.is_empty() => {
                state.not_connected(event_loop, ConnectError::NoAddress);
            }
            Ok(addresses) => {
                attempt.untried = addresses.into();
                Self::try_next(state, event_loop);
            }
        }
    }

    /// The resolver has taken too long.
    fn give_lookup_up<S: Connects>(state: &mut S, event_loop: &mut EventLoop<S>, _: Event) {
        state.attempt().deadline = None;
        state.not_connected(event_loop, ConnectError::LookupTimedOut(TIMEOUT));
    }

    /// Begins to connect to the next address, if there is one.
    fn try_next<S: Connects>(state: &mut S, event_loop: &mut EventLoop<S>) {
        let attempt = state.attempt();
        while let Some(to) = attempt.untried.pop_front() {
            match begin(event_loop, to) {
                Ok(socket) => {
                    attempt.current = Some(Connecting { socket, to });
                    return;
                }
                Err(err) => attempt.failed.push((to, err)),
            }
        }
        let failed = std::mem::take(&mut attempt.failed);
        state.not_connected(event_loop, ConnectError::Addresses(failed));
    }

    /// The socket is writable, or the time is over.
    fn finish<S: Connects>(state: &mut S, event_loop: &mut EventLoop<S>, event: Event) {
        let attempt = state.attempt();
        let Some(Connecting { socket, to }) = attempt.current.take() else {
            return;
        };
        let connected = if event.readiness.is_timeout() {
            // Dropping the socket ends the attempt; it would go on otherwise.
            Err(Errno::ETIMEDOUT.into())
        } else {
            outcome(&socket, to).and_then(|()| socket.into_inner(event_loop))
        };
        match connected {
            Ok(socket) => state.connected(event_loop, socket.into()),
            Err(err) => {
                attempt.failed.push((to, err));
                Self::try_next(state, event_loop);
            }
        }
    }
}

/// Begins to connect: the socket becomes writable when that is over.
fn begin<S: Connects>(
    event_loop: &mut EventLoop<S>,
    to: SocketAddr,
) -> io::Result<Watched<Socket>> {
    let socket = Socket::new(
        Domain::for_address(to),
        Type::STREAM.nonblocking().cloexec(),
        Some(Protocol::TCP),
    )?;
    // A line goes out when it is typed, and does not wait for the answer to the
    // one before (Nagle).
    socket.set_tcp_nodelay(true)?;
    match socket.connect(&to.into()) {
        Ok(()) => {}
        Err(err) if err.raw_os_error() == Some(Errno::EINPROGRESS as i32) => {}
        Err(err) => return Err(err),
    }
    let watch = Watch::new(Interest::WRITABLE)
        .timeout(TIMEOUT)
        .label("connecting");
    event_loop.watch(socket, watch, Attempt::finish::<S>)
}

/// Whether the attempt to connect `to` this address has worked.
fn outcome(socket: &Socket, to: SocketAddr) -> io::Result<()> {
    // Without this a refused connection looks like a working one.
    if let Some(err) = socket.take_error()? {
        return Err(err);
    }
    // Where nobody listens on a port that the kernel gives to clients, it may
    // give that very port: then both ends of the connection are this socket.
    if socket.local_addr()?.as_socket() == Some(to) {
        return Err(Errno::ECONNREFUSED.into());
    }
    Ok(())
}
