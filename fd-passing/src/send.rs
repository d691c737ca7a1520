//! Sending descriptors.

use std::error::Error;
use std::fmt;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;
use std::os::unix::net::UnixStream;

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

/// The most descriptors that one message can carry; with one more the kernel
/// answers `EINVAL`. (`SCM_MAX_FD`, `man 7 unix`)
pub const MAX_DESCRIPTORS: usize = 253;

/// Room for them, with the header before them and the alignment that it needs.
pub(crate) const CONTROL_BYTES: usize = rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS));

/// Sends `payload` with `descriptors` attached to its first byte.
///
/// The sender keeps its own descriptors; it may close them at once, since the
/// message keeps the files open. Returns how many bytes of the payload were
/// taken. That can be fewer than there are if the socket is non-blocking; the
/// descriptors are on their way then, and the rest is sent without them.
///
/// # Errors
///
/// [`SendError::EmptyPayload`] and [`SendError::TooMany`] before anything is
/// sent; else what `sendmsg(2)` reports, among them `EAGAIN` if the socket is
/// non-blocking and full, `EPIPE` (never the signal) if the peer has gone, and
/// `ETOOMANYREFS` if this user has more descriptors on their way than
/// `RLIMIT_NOFILE` and lacks `CAP_SYS_RESOURCE`: then some have to be received
/// before more can be sent.
pub fn send(
    socket: &UnixStream,
    descriptors: &[BorrowedFd<'_>],
    payload: &[u8],
) -> Result<usize, SendError> {
    // ANCHOR: send
    if payload.is_empty() {
        // ANCHOR: one-byte
        return Err(SendError::EmptyPayload);
        // ANCHOR_END: one-byte
    }
    if descriptors.len() > MAX_DESCRIPTORS {
        return Err(SendError::TooMany(descriptors.len()));
    }
    let mut space = [MaybeUninit::uninit(); CONTROL_BYTES];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() {
        let has_room = control.push(SendAncillaryMessage::ScmRights(descriptors));
        debug_assert!(has_room, "there is room for the most that can be sent");
    }
    let parts = [IoSlice::new(payload)];
    loop {
        // ANCHOR: no-signal
        // A peer that has gone is an error for this caller, no signal for the
        // whole process.
        match sendmsg(socket, &parts, &mut control, SendFlags::NOSIGNAL) {
            // ANCHOR_END: no-signal
            Err(rustix::io::Errno::INTR) => {}
            Err(err) => return Err(SendError::System(err.into())),
            Ok(bytes) => return Ok(bytes),
        }
    }
    // ANCHOR_END: send
}

/// Why nothing was sent.
#[derive(Debug)]
pub enum SendError {
    /// There is no payload. A stream socket carries descriptors only with a
    /// byte; without one `sendmsg(2)` succeeds, and nothing ever arrives.
    EmptyPayload,
    /// There are more than [`MAX_DESCRIPTORS`]: so many.
    TooMany(usize),
    /// What `sendmsg(2)` has reported.
    System(io::Error),
}

impl SendError {
    /// Whether the socket is full, or too many descriptors are on their way:
    /// the same can be sent later.
    #[must_use]
    pub fn is_for_now(&self) -> bool {
        let too_many = rustix::io::Errno::TOOMANYREFS.raw_os_error();
        matches!(self, SendError::System(err)
            if err.kind() == io::ErrorKind::WouldBlock || err.raw_os_error() == Some(too_many))
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SendError::EmptyPayload => {
                f.write_str("descriptors need a byte of payload to travel with")
            }
            SendError::TooMany(count) => write!(
                f,
                "{count} descriptors in one message, which carries at most {MAX_DESCRIPTORS}"
            ),
            SendError::System(err) => f.write_str(&chapter::why(err)),
        }
    }
}

impl Error for SendError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            SendError::System(err) => Some(err),
            SendError::EmptyPayload | SendError::TooMany(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::Shutdown;
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn descriptors_without_a_payload_are_refused_because_they_would_vanish() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let refused = send(&ours, &[ours.as_fd()], b"").unwrap_err();
        assert!(matches!(refused, SendError::EmptyPayload), "{refused}");

        // What the kernel would do: it succeeds, and the peer gets nothing.
        let mut space = [MaybeUninit::uninit(); CONTROL_BYTES];
        let mut control = SendAncillaryBuffer::new(&mut space);
        let descriptors = [ours.as_fd()];
        assert!(control.push(SendAncillaryMessage::ScmRights(&descriptors)));
        sendmsg(&ours, &[], &mut control, SendFlags::empty()).unwrap();
        ours.shutdown(Shutdown::Write).unwrap();
        assert_eq!(theirs.read(&mut [0]).unwrap(), 0);
    }

    #[test]
    fn the_limit_of_a_message_is_the_kernels() {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let most = [ours.as_fd(); MAX_DESCRIPTORS];
        assert_eq!(send(&ours, &most, b"x").unwrap(), 1);

        let one_more = [ours.as_fd(); MAX_DESCRIPTORS + 1];
        let refused = send(&ours, &one_more, b"x").unwrap_err();
        assert_eq!(
            refused.to_string(),
            "254 descriptors in one message, which carries at most 253"
        );
        let mut space = [MaybeUninit::uninit(); CONTROL_BYTES + 64];
        let mut control = SendAncillaryBuffer::new(&mut space);
        assert!(control.push(SendAncillaryMessage::ScmRights(&one_more)));
        let payload = [IoSlice::new(b"x")];
        let refused = sendmsg(&ours, &payload, &mut control, SendFlags::empty());
        assert_eq!(refused, Err(rustix::io::Errno::INVAL));
    }

    #[test]
    fn a_full_socket_is_an_error_for_now_and_a_peer_that_has_gone_for_ever() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let full = loop {
            if let Err(err) = send(&ours, &[], &[0; 4096]) {
                break err;
            }
        };
        assert!(full.is_for_now(), "{full}");
        drop(theirs);
        let gone = send(&ours, &[], b"x").unwrap_err();
        assert!(!gone.is_for_now(), "{gone}");
    }
}
