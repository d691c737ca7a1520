//! The messages by which a server hands itself over to its successor.
//!
//! Shows: two phases. Everything is prepared while it can still be taken back,
//! and one message, [`Message::Commit`], decides. Before it the old server goes
//! on as if nothing had been, whatever becomes of the new one; after it the old
//! one does nothing any more. Descriptors come in batches that are acknowledged,
//! since the kernel lets a user have only so many on their way.
//! Leaves out: what the state is. It is bytes here, and its format has a version.
//!
//! | from | message | then |
//! |---|---|---|
//! | old | [`Offer`](Message::Offer) | new looks whether it knows the version and may have so many descriptors |
//! | new | [`Accept`](Message::Accept) | old stops reading and writing |
//! | old | [`State`](Message::State), as often as it takes | new answers each that has descriptors with [`Got`](Message::Got) |
//! | old | [`End`](Message::End) | new builds itself from the state, and touches nothing |
//! | new | [`Ready`](Message::Ready) | |
//! | old | [`Commit`](Message::Commit) | old ends; new begins |
//! | either | [`Refuse`](Message::Refuse) | old goes on, new ends |
//!
//! On the wire a message is its kind (1 byte), the number of its descriptors (1
//! byte), the length of its body (4 bytes, big endian), and the body.

use std::collections::VecDeque;
use std::error::Error;
use std::fmt;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use crate::{MAX_DESCRIPTORS, ReceiveError, SendError, receive, send};

/// The largest body of a message, in bytes.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// Kind, number of descriptors, length of the body.
const HEADER_BYTES: usize = 6;

/// One message of a hand-over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// The old server has state in format `version`, and about so many
    /// descriptors.
    Offer {
        /// Version of the format of the state.
        version: u32,
        /// How many descriptors there are now; a few more may have come when
        /// the state is sent.
        descriptors: u32,
    },
    /// The new server wants it.
    Accept,
    /// The hand-over is off, and why.
    Refuse(String),
    /// The next piece of the state; its descriptors follow those of the pieces
    /// before it.
    State(Vec<u8>),
    /// The descriptors of the last piece have arrived.
    Got,
    /// That was all of it: so much in all.
    End {
        /// Bytes of all pieces.
        bytes: u64,
        /// Descriptors of all pieces.
        descriptors: u32,
    },
    /// The new server could begin at once.
    Ready,
    /// It is to begin. The old one will never touch a descriptor again.
    Commit,
}

impl Message {
    /// The message as it goes over the wire, with the number of descriptors
    /// that are sent with it.
    ///
    /// # Panics
    ///
    /// If the body has more than [`MAX_BODY_BYTES`], or if there are more
    /// descriptors than [`MAX_DESCRIPTORS`].
    #[must_use]
    pub fn encode(&self, descriptors: usize) -> Vec<u8> {
        let number = |number: u32| number.to_be_bytes().to_vec();
        let (kind, body) = match self {
            Message::Offer {
                version,
                descriptors,
            } => (1, [number(*version), number(*descriptors)].concat()),
            Message::Accept => (2, Vec::new()),
            Message::Refuse(why) => (3, why.as_bytes().to_vec()),
            Message::State(piece) => (4, piece.clone()),
            Message::Got => (5, Vec::new()),
            Message::End { bytes, descriptors } => {
                let bytes = bytes.to_be_bytes().to_vec();
                (6, [bytes, number(*descriptors)].concat())
            }
            Message::Ready => (7, Vec::new()),
            Message::Commit => (8, Vec::new()),
        };
        assert!(body.len() <= MAX_BODY_BYTES, "the body is too long");
        assert!(descriptors <= MAX_DESCRIPTORS, "too many descriptors");
        let length = u32::try_from(body.len()).expect("checked above");
        let descriptors = u8::try_from(descriptors).expect("checked above");
        let mut bytes = vec![kind, descriptors];
        bytes.extend(length.to_be_bytes());
        bytes.extend(body);
        bytes
    }

    fn decode(kind: u8, body: &[u8]) -> Option<Message> {
        let number = |at: usize| {
            let bytes = body.get(at..at + 4)?.try_into().ok()?;
            Some(u32::from_be_bytes(bytes))
        };
        let (message, length) = match kind {
            1 => {
                let (version, descriptors) = (number(0)?, number(4)?);
                let offer = Message::Offer {
                    version,
                    descriptors,
                };
                (offer, 8)
            }
            2 => (Message::Accept, 0),
            3 => (
                Message::Refuse(String::from_utf8_lossy(body).into_owned()),
                body.len(),
            ),
            4 => (Message::State(body.to_vec()), body.len()),
            5 => (Message::Got, 0),
            6 => {
                let bytes = u64::from_be_bytes(body.get(..8)?.try_into().ok()?);
                let descriptors = number(8)?;
                (Message::End { bytes, descriptors }, 12)
            }
            7 => (Message::Ready, 0),
            8 => (Message::Commit, 0),
            _ => return None,
        };
        (body.len() == length).then_some(message)
    }
}

/// The end of a hand-over's socket on either side: messages in, messages out,
/// on a socket that does not block.
#[derive(Debug, Default)]
pub struct Messages {
    /// Bytes that have come and are no whole message yet.
    incoming: Vec<u8>,
    /// Descriptors that have come and belong to them.
    descriptors: VecDeque<OwnedFd>,
    has_ended: bool,
    /// Bytes that the socket has not taken yet.
    outgoing: Vec<u8>,
}

impl Messages {
    /// Nothing has come, nothing is to go.
    #[must_use]
    pub fn new() -> Messages {
        Messages::default()
    }

    /// Sends a message with its descriptors, as far as the socket takes it; the
    /// rest waits for [`Messages::flush`]. A message with descriptors is sent
    /// only when nothing waits: else it is an error that is over then.
    ///
    /// # Errors
    ///
    /// As [`send`]; nothing is sent then.
    ///
    /// # Panics
    ///
    /// As [`Message::encode`].
    pub fn send(
        &mut self,
        socket: &UnixStream,
        message: &Message,
        descriptors: &[BorrowedFd<'_>],
    ) -> Result<(), SendError> {
        let bytes = message.encode(descriptors.len());
        if !self.outgoing.is_empty() {
            if !descriptors.is_empty() {
                return Err(SendError::System(io::ErrorKind::WouldBlock.into()));
            }
            self.outgoing.extend(bytes);
            return Ok(());
        }
        let taken = match send(socket, descriptors, &bytes) {
            // Without descriptors it can wait here as well as with the caller.
            Err(err) if err.is_for_now() && descriptors.is_empty() => 0,
            taken => taken?,
        };
        self.outgoing.extend(&bytes[taken..]);
        Ok(())
    }

    /// Sends what waits, as far as the socket takes it; true if nothing is left.
    ///
    /// # Errors
    ///
    /// What `sendmsg(2)` reports, but for `EAGAIN`.
    pub fn flush(&mut self, socket: &UnixStream) -> Result<bool, SendError> {
        while !self.outgoing.is_empty() {
            match send(socket, &[], &self.outgoing) {
                Ok(taken) => drop(self.outgoing.drain(..taken)),
                Err(err) if err.is_for_now() => break,
                Err(err) => return Err(err),
            }
        }
        Ok(self.outgoing.is_empty())
    }

    /// Whether something waits to be sent.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// The next message and its descriptors; `None` if it has not come yet.
    ///
    /// # Errors
    ///
    /// [`MessageError`]; the stream is of no use after it.
    pub fn receive(
        &mut self,
        socket: &UnixStream,
    ) -> Result<Option<(Message, Vec<OwnedFd>)>, MessageError> {
        loop {
            if let Some(message) = self.take()? {
                return Ok(Some(message));
            }
            if self.has_ended {
                return Err(MessageError::Ended);
            }
            let mut buffer = [0; 16 * 1024];
            match receive(socket, &mut buffer) {
                Ok(received) => {
                    self.incoming.extend(&buffer[..received.bytes]);
                    self.descriptors.extend(received.descriptors);
                    self.has_ended = received.bytes == 0;
                }
                Err(err) if err.is_for_now() => return Ok(None),
                Err(err) => return Err(MessageError::Receive(err)),
            }
        }
    }

    /// Takes a whole message out of what has come.
    fn take(&mut self) -> Result<Option<(Message, Vec<OwnedFd>)>, MessageError> {
        let Some((header, rest)) = self.incoming.split_first_chunk::<HEADER_BYTES>() else {
            return Ok(None);
        };
        let [kind, descriptors, length @ ..] = *header;
        let length = u32::from_be_bytes(length) as usize;
        if length > MAX_BODY_BYTES {
            return Err(MessageError::Unknown);
        }
        let Some(body) = rest.get(..length) else {
            return Ok(None);
        };
        let message = Message::decode(kind, body).ok_or(MessageError::Unknown)?;
        // They come with the first byte of their message at the latest.
        if self.descriptors.len() < descriptors.into() {
            return Err(MessageError::Unknown);
        }
        let descriptors = self.descriptors.drain(..usize::from(descriptors));
        let descriptors = descriptors.collect();
        self.incoming.drain(..HEADER_BYTES + length);
        Ok(Some((message, descriptors)))
    }
}

/// Why no message can be had any more.
#[derive(Debug)]
pub enum MessageError {
    /// The other side has closed its end.
    Ended,
    /// The bytes are no message, or its descriptors are missing.
    Unknown,
    /// What receiving has reported.
    Receive(ReceiveError),
}

impl fmt::Display for MessageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MessageError::Ended => f.write_str("the other side has closed the connection"),
            MessageError::Unknown => {
                f.write_str("the other side has sent what is no message of a hand-over")
            }
            MessageError::Receive(err) => err.fmt(f),
        }
    }
}

impl Error for MessageError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            MessageError::Receive(err) => Some(err),
            MessageError::Ended | MessageError::Unknown => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::fd::AsFd;

    use super::*;

    fn all() -> Vec<Message> {
        vec![
            Message::Offer {
                version: 1,
                descriptors: 10_000,
            },
            Message::Accept,
            Message::Refuse("a hand-over is under way".to_owned()),
            Message::State(vec![7; MAX_BODY_BYTES]),
            Message::State(Vec::new()),
            Message::Got,
            Message::End {
                bytes: 1 << 40,
                descriptors: 3,
            },
            Message::Ready,
            Message::Commit,
        ]
    }

    fn pair() -> (UnixStream, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        theirs.set_nonblocking(true).unwrap();
        (ours, theirs)
    }

    #[test]
    fn every_message_arrives_as_it_was_sent_even_byte_by_byte() {
        let (mut ours, theirs) = pair();
        let mut messages = Messages::new();
        for message in all() {
            let bytes = message.encode(0);
            let step = bytes.len().div_ceil(50);
            for piece in bytes.chunks(step) {
                assert!(messages.receive(&theirs).unwrap().is_none(), "{message:?}");
                ours.write_all(piece).unwrap();
            }
            let (received, descriptors) = messages.receive(&theirs).unwrap().unwrap();
            assert_eq!(received, message);
            assert!(descriptors.is_empty());
        }
        drop(ours);
        assert!(matches!(
            messages.receive(&theirs),
            Err(MessageError::Ended)
        ));
    }

    #[test]
    fn descriptors_stay_with_their_messages() {
        let (ours, theirs) = pair();
        let (mut sender, mut receiver) = (Messages::new(), Messages::new());
        let piece = |byte: u8| Message::State(vec![byte; 100]);
        let many = [ours.as_fd(); MAX_DESCRIPTORS];
        sender.send(&ours, &piece(1), &many[..2]).unwrap();
        sender.send(&ours, &piece(2), &[]).unwrap();
        sender.send(&ours, &piece(3), &many).unwrap();
        for (byte, count) in [(1, 2), (2, 0), (3, MAX_DESCRIPTORS)] {
            let (message, descriptors) = receiver.receive(&theirs).unwrap().unwrap();
            assert_eq!(message, piece(byte));
            assert_eq!(descriptors.len(), count);
        }
    }

    #[test]
    fn what_a_full_socket_does_not_take_is_sent_later() {
        let (ours, theirs) = pair();
        let (mut sender, mut receiver) = (Messages::new(), Messages::new());
        let piece = Message::State(vec![1; MAX_BODY_BYTES]);
        let mut sent = 0;
        while !sender.is_waiting() {
            sender.send(&ours, &piece, &[]).unwrap();
            sent += 1;
        }
        let refused = sender.send(&ours, &piece, &[ours.as_fd()]).unwrap_err();
        assert!(refused.is_for_now(), "it would go before what waits");
        let mut arrived = 0;
        while arrived < sent {
            while let Some((message, _)) = receiver.receive(&theirs).unwrap() {
                assert_eq!(message, piece);
                arrived += 1;
            }
            sender.flush(&ours).unwrap();
        }
        assert!(!sender.is_waiting());
    }

    #[test]
    fn what_is_no_message_is_an_error_and_no_memory() {
        for bytes in [
            // No such kind.
            &[0, 0, 0, 0, 0, 0][..],
            &[99, 0, 0, 0, 0, 0],
            // A body that is too long.
            &[4, 0, 0xff, 0, 0, 0],
            // A body where there is none, and one that is too short.
            &[2, 0, 0, 0, 0, 1, 0],
            &[1, 0, 0, 0, 0, 1, 0],
            // Descriptors that have not come.
            &[5, 1, 0, 0, 0, 0],
        ] {
            let (mut ours, theirs) = pair();
            ours.write_all(bytes).unwrap();
            let refused = Messages::new().receive(&theirs);
            assert!(matches!(refused, Err(MessageError::Unknown)), "{bytes:?}");
        }
    }
}
