//! The way to the server: one session, and the connections that it outlives.
//!
//! Shows: what line mode and the screen share, once. A state that has a link
//! is told when the connection is gone and says what comes next; everything
//! else about sockets happens here.
//! Leaves out: what is said on it (`session`), and how it is begun
//! (`nonblock_connect`).

mod backoff;
mod connection;
mod leaving;

use std::net::TcpStream;
use std::time::{Duration, Instant};

use epoll_loop::{Event, EventLoop, WatcherId};
use nonblock_connect::{Connected, Connector, Connects};

use crate::address::Address;
use crate::failure::Failure;
use crate::session::Session;

use backoff::Backoff;
use connection::Connection;
pub(crate) use leaving::LAST_WORDS;
use leaving::Leaving;

/// How long looking the name up and trying its addresses may take together.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The state of a loop that keeps a session connected.
///
/// The functions of [`Link`] are its callbacks; it calls [`Link::settle`] in
/// every turn before the wait.
pub(crate) trait Linked: Connects {
    fn link(&mut self) -> &mut Link;

    /// The connection is gone or could not be made: [`Link::retry_later`], or
    /// the end. `uncertain` lines were written last and may not have arrived.
    fn unlinked(&mut self, event_loop: &mut EventLoop<Self>, failure: Failure, uncertain: usize);

    /// There is no use in another attempt.
    fn fail(&mut self, event_loop: &mut EventLoop<Self>, failure: Failure);

    /// The person has left the server, or never was there.
    fn left(&mut self, event_loop: &mut EventLoop<Self>);
}

/// The connection as a stream that sends a line when it is typed, and does not
/// wait for the answer to the one before (Nagle, `man 7 tcp`, `TCP_NODELAY`).
pub(crate) fn without_delay(connected: Connected) -> TcpStream {
    let stream = TcpStream::from(connected.socket);
    // Without it everything works, a little later.
    let _ = stream.set_nodelay(true);
    stream
}

/// What is said of lines that were written before the connection was lost.
pub(crate) fn uncertain_notice(lines: usize) -> Option<String> {
    match lines {
        0 => None,
        1 => Some("the last line may not have arrived: the server had not confirmed it".to_owned()),
        lines => Some(format!(
            "the last {lines} lines may not have arrived: the server had not confirmed them"
        )),
    }
}

/// A session with whatever connects it.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) session: Session,
    address: Address,
    pub(crate) connector: Connector,
    connection: Option<Connection>,
    /// Runs until the next attempt.
    retry: Option<WatcherId>,
    backoff: Backoff,
    /// Attempts since the server last let the person in.
    attempts: u32,
    has_been_registered: bool,
    leaving: Leaving,
    buffer: Box<[u8]>,
}

/// When the next attempt will be made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retry {
    pub(crate) delay: Duration,
    /// When the delay is over.
    pub(crate) at: Instant,
    /// Counted from 1 since the last connection that worked.
    pub(crate) attempt: u32,
}

impl Link {
    pub(crate) fn new(session: Session, address: Address) -> Link {
        Link {
            session,
            address,
            connector: Connector::new(),
            connection: None,
            retry: None,
            backoff: Backoff::new(),
            attempts: 0,
            has_been_registered: false,
            leaving: Leaving::No,
            buffer: vec![0; connection::READ_BYTES].into(),
        }
    }

    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.connection.is_some()
    }

    /// Whether an attempt is being made, or has led to a connection.
    pub(crate) fn is_on_its_way(&self) -> bool {
        self.is_connected() || self.connector.in_flight() > 0
    }

    /// Whether the next attempt is waited for.
    pub(crate) fn is_waiting(&self) -> bool {
        self.retry.is_some()
    }

    /// Whether a server has let the person in, now or before.
    pub(crate) fn has_been_registered(&self) -> bool {
        self.has_been_registered
    }

    /// Begins to connect.
    pub(crate) fn start<S: Linked>(state: &mut S, event_loop: &mut EventLoop<S>) {
        let link = state.link();
        link.connector
            .start(event_loop, &link.address, CONNECT_TIMEOUT);
    }

    /// Every turn, before the wait: sends what may be sent, as far as the socket
    /// takes it, and takes the next step of leaving, if it is time for it.
    pub(crate) fn settle<S: Linked>(state: &mut S, event_loop: &mut EventLoop<S>) {
        Self::send(state, event_loop);
        let link = state.link();
        if link.session.is_registered() {
            link.has_been_registered = true;
            link.attempts = 0;
        }
        Self::give_up_if_denied(state, event_loop);
        Self::go_on_leaving(state, event_loop);
    }

    /// Makes another attempt after a while.
    pub(crate) fn retry_later<S: Linked>(&mut self, event_loop: &mut EventLoop<S>) -> Retry {
        self.attempts += 1;
        let delay = self.backoff.next_delay();
        let at = Instant::now() + delay;
        self.retry = Some(event_loop.at(at, Self::try_again::<S>));
        Retry {
            delay,
            at,
            attempt: self.attempts,
        }
    }

    /// Makes an attempt now, unless there is a connection or one is being made.
    pub(crate) fn retry_now<S: Linked>(state: &mut S, event_loop: &mut EventLoop<S>) {
        let link = state.link();
        if let Some(timer) = link.retry.take() {
            event_loop.cancel(timer);
        }
        if !link.is_on_its_way() {
            Self::start(state, event_loop);
        }
    }

    fn try_again<S: Linked>(state: &mut S, event_loop: &mut EventLoop<S>, _: Event) {
        state.link().retry = None;
        Self::start(state, event_loop);
    }

    /// Ends it if the server does not want this person: it would say the same
    /// the next time.
    fn give_up_if_denied<S: Linked>(state: &mut S, event_loop: &mut EventLoop<S>) {
        let link = state.link();
        if let Some(denial) = link.session.denial() {
            let failure = Failure::Denied(link.address().clone(), denial.to_owned());
            state.fail(event_loop, failure);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_line_is_sent_when_it_is_typed() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let stream = without_delay(Connected {
            socket: TcpStream::connect(address).unwrap().into(),
            address,
            took: Duration::ZERO,
        });
        assert!(stream.nodelay().unwrap());
    }
}
