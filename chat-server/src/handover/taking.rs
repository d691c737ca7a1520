//! The successor, before it is a server: it collects what it will inherit.
//!
//! Shows: the exchange on a loop of its own, where nothing else happens yet; what
//! cannot work (another version, too few descriptors) is found before the old
//! server is asked to stand still.

use std::error::Error;
use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use epoll_loop::{Event, EventLoop, Interest, Watch, Watched};
use fd_passing::handover::{Message, MessageError, Messages};
use fd_passing::{AllowList, PeerError, PrivateSocket, SendError};

use super::FORMAT_VERSION;
use super::record::ServerRecord;
use crate::room::RecordError;
use crate::settings::Settings;

/// The largest document that is taken, with what follows it. The default limits
/// let 256 MiB wait for clients, and the rest of what a server knows is less.
const MAX_DOCUMENT_BYTES: usize = 1 << 30;

/// Everything that an old server has: to be made a server of by
/// [`Server::inherit`](crate::Server::inherit).
#[derive(Debug)]
pub struct Inheritance {
    pub(super) record: ServerRecord,
    /// What waits for the clients begins at `unsent_from`.
    pub(super) document: Vec<u8>,
    pub(super) unsent_from: usize,
    /// Listeners, then connections.
    pub(super) descriptors: Vec<OwnedFd>,
    pub(super) socket: UnixStream,
    pub(super) messages: Messages,
}

/// Why nothing was taken over. The old server goes on.
#[derive(Debug)]
pub enum TakeoverError {
    /// It cannot be reached, or the loop fails.
    System(io::Error),
    /// Somebody else listens there.
    Peer(PeerError),
    /// The connection to it has failed.
    Message(MessageError),
    /// The same, while something was sent.
    Send(SendError),
    /// It does not hand itself over, and why.
    Refused(String),
    /// It writes another version of the document.
    Version(u32),
    /// This process may not have so many descriptors.
    Descriptors {
        /// How many are needed.
        needed: u64,
        /// How many are allowed.
        allowed: u64,
    },
    /// The document cannot be read.
    Document(serde_json::Error),
    /// The document contradicts itself.
    Record(RecordError),
    /// More waits for its clients, or more is known, than this program takes.
    TooLarge,
    /// Not as many bytes or descriptors came as were announced, or not when it
    /// was their turn.
    Garbled,
    /// It took longer than this.
    TimedOut(Duration),
}

impl fmt::Display for TakeoverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TakeoverError::System(err) => f.write_str(&chapter::why(err)),
            TakeoverError::Peer(err) => err.fmt(f),
            TakeoverError::Message(err) => err.fmt(f),
            TakeoverError::Send(err) => err.fmt(f),
            TakeoverError::Refused(why) => write!(f, "refused: {why}"),
            TakeoverError::Version(version) => write!(
                f,
                "its state has version {version}, and this program reads {FORMAT_VERSION}"
            ),
            TakeoverError::Descriptors { needed, allowed } => write!(
                f,
                "{needed} descriptors are needed, and {allowed} may be open (RLIMIT_NOFILE)"
            ),
            TakeoverError::Document(err) => write!(f, "its state cannot be read: {err}"),
            TakeoverError::Record(err) => write!(f, "its state contradicts itself: {err}"),
            TakeoverError::TooLarge => write!(
                f,
                "its state has more than {}",
                chapter::show_size(MAX_DOCUMENT_BYTES)
            ),
            TakeoverError::Garbled => f.write_str("its state has not come whole"),
            TakeoverError::TimedOut(timeout) => {
                write!(f, "timed out after {}", chapter::show_duration(*timeout))
            }
        }
    }
}

impl Error for TakeoverError {}

/// The state of the loop on which [`Inheritance::collect`] waits.
#[derive(Debug)]
pub struct Taking {
    socket: Watched<UnixStream>,
    messages: Messages,
    document: Vec<u8>,
    descriptors: Vec<OwnedFd>,
    allowed: u64,
    timeout: Duration,
    /// What came of it, at the end.
    outcome: Option<Result<(), TakeoverError>>,
}

impl Inheritance {
    /// Asks the server that listens at `path` for everything it has, and waits
    /// for it on `event_loop`, which has nothing else to do, for at most
    /// `timeout`. This process may have `allowed` descriptors. Nothing is touched
    /// of what comes.
    ///
    /// # Errors
    ///
    /// [`TakeoverError`]. The old server goes on.
    pub fn collect(
        event_loop: &mut EventLoop<Taking>,
        path: &Path,
        allowed: u64,
        timeout: Duration,
    ) -> Result<Inheritance, TakeoverError> {
        let socket = PrivateSocket::connect(path).map_err(TakeoverError::System)?;
        AllowList::same_user()
            .check(&socket)
            .map_err(TakeoverError::Peer)?;
        let watch = Watch::new(Interest::READABLE).label("old server");
        let socket = event_loop
            .watch(socket, watch, Taking::collect)
            .map_err(TakeoverError::System)?;
        event_loop.after(timeout, Taking::give_up);
        let mut taking = Taking {
            socket,
            messages: Messages::new(),
            document: Vec::new(),
            descriptors: Vec::new(),
            allowed,
            timeout,
            outcome: None,
        };
        event_loop.run(&mut taking).map_err(TakeoverError::System)?;
        taking.outcome.unwrap_or(Err(TakeoverError::Garbled))?;
        let mut values = serde_json::Deserializer::from_slice(&taking.document).into_iter();
        let record = values.next().ok_or(TakeoverError::Garbled)?;
        let record = record.map_err(TakeoverError::Document)?;
        let unsent_from = values.byte_offset() + 1;
        if taking.document.get(unsent_from - 1) != Some(&b'\n') {
            return Err(TakeoverError::Garbled);
        }
        Ok(Inheritance {
            record,
            document: taking.document,
            unsent_from,
            descriptors: taking.descriptors,
            socket: taking
                .socket
                .into_inner(event_loop)
                .map_err(TakeoverError::System)?,
            messages: taking.messages,
        })
    }
}

impl Taking {
    /// The old server has sent something, or takes more.
    fn collect(&mut self, event_loop: &mut EventLoop<Taking>, _: Event) {
        let outcome = match self.receive() {
            Ok(true) => Ok(()),
            Ok(false) => {
                let interest = if self.messages.is_waiting() {
                    Interest::READABLE | Interest::WRITABLE
                } else {
                    Interest::READABLE
                };
                return self.socket.set_interest(event_loop, interest);
            }
            Err(err) => {
                // So that it need not wait for its timeout.
                let _ = self.send(&Message::Refuse(err.to_string()));
                Err(err)
            }
        };
        self.outcome = Some(outcome);
        event_loop.stop(Ok(()));
    }

    /// Takes what has come; true when that is all.
    fn receive(&mut self) -> Result<bool, TakeoverError> {
        self.messages
            .flush(&self.socket)
            .map_err(TakeoverError::Send)?;
        loop {
            let received = self.messages.receive(&self.socket);
            let Some((message, descriptors)) = received.map_err(TakeoverError::Message)? else {
                return Ok(false);
            };
            match message {
                Message::Offer {
                    version,
                    descriptors,
                } => {
                    self.check(version, descriptors)?;
                    self.send(&Message::Accept)?;
                }
                Message::Refuse(why) => return Err(TakeoverError::Refused(why)),
                Message::State(piece) => {
                    if self.document.len() + piece.len() > MAX_DOCUMENT_BYTES {
                        return Err(TakeoverError::TooLarge);
                    }
                    self.document.extend(piece);
                    if !descriptors.is_empty() {
                        self.descriptors.extend(descriptors);
                        self.send(&Message::Got)?;
                    }
                }
                Message::End { bytes, descriptors } => {
                    let is_whole = bytes == self.document.len() as u64
                        && descriptors as usize == self.descriptors.len();
                    return if is_whole {
                        Ok(true)
                    } else {
                        Err(TakeoverError::Garbled)
                    };
                }
                Message::Accept | Message::Got | Message::Ready | Message::Commit => {
                    return Err(TakeoverError::Garbled);
                }
            }
        }
    }

    // ANCHOR: check
    fn check(&self, version: u32, descriptors: u32) -> Result<(), TakeoverError> {
        if version != FORMAT_VERSION {
            return Err(TakeoverError::Version(version));
        }
        let needed = u64::from(descriptors) + Settings::OTHER_DESCRIPTORS;
        if needed > self.allowed {
            return Err(TakeoverError::Descriptors {
                needed,
                allowed: self.allowed,
            });
        }
        Ok(())
    }
    // ANCHOR_END: check

    fn send(&mut self, message: &Message) -> Result<(), TakeoverError> {
        self.messages
            .send(&self.socket, message, &[])
            .map_err(TakeoverError::Send)
    }

    /// The old server has taken too long.
    fn give_up(&mut self, event_loop: &mut EventLoop<Taking>, _: Event) {
        self.outcome = Some(Err(TakeoverError::TimedOut(self.timeout)));
        event_loop.stop(Ok(()));
    }
}
