//! One connection: its socket, and how far its end has come.

use std::io::{self, Read};
use std::net::{Shutdown, TcpStream};
use std::time::Instant;

use epoll_loop::{EventLoop, Interest, Watched, WatcherId};

use crate::inbox::Inbox;
use crate::room::{ClientId, Kind};

/// How far a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
// ANCHOR: stage
pub(crate) enum Stage {
    /// Lines are read and answered.
    Open {
        /// Whether a PING has not been answered yet.
        asked: bool,
    },
    /// The socket has failed, and is watched no more. What was said before is
    /// heard to its end; what is said to the client goes nowhere.
    Lost {
        /// The words for it, as other people see them.
        reason: &'static str,
    },
    /// The room has said its last word: what is queued is still to be written.
    Draining,
    /// All is written and our half is shut down. Reading goes on until the peer
    /// closes: to close with bytes unread would send a reset, and a reset may
    /// take our last words away from the peer.
    Lingering,
}
// ANCHOR_END: stage

/// A client's connection, as the loop side sees it.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) client: ClientId,
    pub(crate) kind: Kind,
    pub(crate) stream: Watched<TcpStream>,
    pub(crate) inbox: Inbox,
    pub(crate) stage: Stage,
    /// The peer has sent its last byte.
    pub(crate) has_ended: bool,
    /// Its silence is not counted yet.
    pub(crate) is_registering: bool,
    pub(crate) last_heard: Instant,
    /// The timer after which the connection is looked at: to register, to be
    /// asked, to answer, to drain.
    pub(crate) check_up: WatcherId,
    /// The timer after which the client may talk again.
    pub(crate) resume: Option<WatcherId>,
}

impl Connection {
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Open { .. })
    }

    pub(crate) fn is_lost(&self) -> bool {
        matches!(self.stage, Stage::Lost { .. })
    }

    /// Notes a sign of life, which answers a PING too.
    pub(crate) fn note_heard(&mut self, now: Instant) {
        self.last_heard = now;
        if self.is_open() {
            self.stage = Stage::Open { asked: false };
        }
    }

    /// Whether the socket is read from: not while the client has said more than
    /// it may, nor after its end, which would be reported for ever.
    // ANCHOR: is-reading
    pub(crate) fn is_reading(&self) -> bool {
        match self.stage {
            Stage::Open { .. } => !self.has_ended && self.resume.is_none(),
            Stage::Lost { .. } | Stage::Draining => false,
            Stage::Lingering => true,
        }
    }
    // ANCHOR_END: is-reading

    /// Asks for READABLE, or not, as [`Connection::is_reading`] says; for nothing
    /// at all when the connection is lost, which would be reported for ever.
    // ANCHOR: ask-to-read
    pub(crate) fn ask_to_read<S>(&self, event_loop: &mut EventLoop<S>) {
        let interest = self.stream.interest(event_loop);
        let wanted = if self.is_lost() {
            Interest::NONE
        } else if self.is_reading() {
            interest | Interest::READABLE
        } else {
            interest.without(Interest::READABLE)
        };
        self.stream.set_interest(event_loop, wanted);
    }
    // ANCHOR_END: ask-to-read

    /// Tells the peer that nothing more will come.
    // ANCHOR: linger
    pub(crate) fn linger<S>(&mut self, event_loop: &mut EventLoop<S>) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)?;
        self.stage = Stage::Lingering;
        self.ask_to_read(event_loop);
        Ok(())
    }
    // ANCHOR_END: linger

    /// Reads what nobody wants to know any more; true at the end of it.
    pub(crate) fn discard(&self, buffer: &mut [u8]) -> bool {
        match (&*self.stream).read(buffer) {
            Ok(0) => true,
            Ok(_) => false,
            Err(err) => !matches!(
                err.kind(),
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
            ),
        }
    }
}
