//! Receiving descriptors.

use std::error::Error;
use std::fmt;
use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use rustix::io::Errno;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, recvmsg};

use crate::MAX_DESCRIPTORS;
use crate::send::CONTROL_BYTES;

/// What has come in one call.
#[derive(Debug)]
pub struct Received {
    /// How many bytes of the buffer hold payload; 0 is the end of the stream.
    pub bytes: usize,
    /// The descriptors, in the order in which they were sent. Each is closed on
    /// exec, whatever its sender's was: that flag belongs to a descriptor, not
    /// to the file.
    pub descriptors: Vec<OwnedFd>,
}

/// Receives payload into `buffer`, and the descriptors that come with it.
///
/// A socket is a stream: a call may return a part of what was sent at once, or
/// several messages together. The kernel ends a call behind a message with
/// descriptors, so they never come later than the first byte of their own
/// message, and never together with those of another.
///
/// # Errors
///
/// [`ReceiveError::Truncated`] if not all descriptors could be delivered, which
/// with the room that is given here means that this process has reached its
/// limit of descriptors (`RLIMIT_NOFILE`); else what `recvmsg(2)` reports,
/// among them `EAGAIN` if the socket is non-blocking and empty.
pub fn receive(socket: &UnixStream, buffer: &mut [u8]) -> Result<Received, ReceiveError> {
    receive_with_control(
        socket,
        buffer,
        &mut [MaybeUninit::uninit(); CONTROL_BYTES],
        MAX_DESCRIPTORS,
    )
}

/// As [`receive`], from a peer that should send at most `most` descriptors.
///
/// # Errors
///
/// As [`receive`]; [`ReceiveError::Truncated`] also if more were sent than
/// `most`. They are closed, and so are those that there was room for.
pub fn receive_at_most(
    socket: &UnixStream,
    buffer: &mut [u8],
    most: usize,
) -> Result<Received, ReceiveError> {
    let most = most.min(MAX_DESCRIPTORS);
    let mut space = vec![MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(most))];
    receive_with_control(socket, buffer, &mut space, most)
}

fn receive_with_control(
    socket: &UnixStream,
    buffer: &mut [u8],
    space: &mut [MaybeUninit<u8>],
    most: usize,
) -> Result<Received, ReceiveError> {
    // ANCHOR: receive
    let mut control = RecvAncillaryBuffer::new(space);
    let message = loop {
        let parts = &mut [IoSliceMut::new(buffer)];
        // ANCHOR: close-on-exec
        // Without CMSG_CLOEXEC a child that another thread starts just now would
        // inherit them.
        match recvmsg(socket, parts, &mut control, RecvFlags::CMSG_CLOEXEC) {
            // ANCHOR_END: close-on-exec
            Err(Errno::INTR) => {}
            result => break result.map_err(|err| ReceiveError::System(err.into()))?,
        }
    };
    // ANCHOR: take-all
    let descriptors: Vec<OwnedFd> = control
        .drain()
        .flat_map(|message| match message {
            RecvAncillaryMessage::ScmRights(rights) => rights.collect(),
            _ => Vec::new(),
        })
        .collect();
    // ANCHOR_END: take-all
    // ANCHOR: too-many
    // The space is rounded up, so a few more than `most` may fit.
    if message.flags.contains(ReturnFlags::CTRUNC) || descriptors.len() > most {
        return Err(ReceiveError::Truncated {
            closed: descriptors.len(),
        });
    }
    // ANCHOR_END: too-many
    // ANCHOR_END: receive
    Ok(Received {
        bytes: message.bytes,
        descriptors,
    })
}

/// Why nothing was received.
#[derive(Debug)]
pub enum ReceiveError {
    /// Some descriptors of a message were not delivered (`MSG_CTRUNC`). Nobody
    /// can tell which bytes belong to what is missing, so the payload is
    /// dropped with it, and the descriptors that did arrive, `closed` of them,
    /// are closed. The stream cannot be used any more.
    Truncated {
        /// How many had been delivered.
        closed: usize,
    },
    /// What `recvmsg(2)` has reported.
    System(io::Error),
}

impl ReceiveError {
    /// Whether nothing is there to be received yet.
    #[must_use]
    pub fn is_for_now(&self) -> bool {
        matches!(self, ReceiveError::System(err) if err.kind() == io::ErrorKind::WouldBlock)
    }
}

impl fmt::Display for ReceiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReceiveError::Truncated { closed } => write!(
                f,
                "more descriptors were sent than there is room for; the {closed} delivered are \
                 closed again"
            ),
            ReceiveError::System(err) => f.write_str(&chapter::why(err)),
        }
    }
}

impl Error for ReceiveError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            ReceiveError::System(err) => Some(err),
            ReceiveError::Truncated { .. } => None,
        }
    }
}
