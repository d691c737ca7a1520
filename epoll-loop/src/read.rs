//! Reading from one peer without forgetting the others.
//!
//! Shows: a byte budget, without which one fast sender starves everybody; a
//! short read says that the socket is empty, which saves the read that would
//! only answer `EAGAIN`; the end of the stream comes after the last bytes.

use std::io::{self, ErrorKind, Read};

use crate::Readiness;

/// Why [`read_within`] has stopped reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadEnd {
    /// Everything that had arrived is read; a later event tells of more.
    Drained,
    /// The budget is used up, and more may be there. Level-triggered, the next
    /// turn tells so; edge-triggered, [`feed`](crate::EventLoop::feed) the
    /// watch, since no event will.
    BudgetSpent,
    /// The peer has sent its last byte. Level-triggered, take READABLE out of
    /// the interest or drop the watch now: the end stays readable for ever.
    EndOfStream,
}

/// Reads from a non-blocking `io` what is there, at most `budget` bytes,
/// and hands it to `take` piece by piece.
///
/// `readiness` is that of the event; with RDHUP, HUP or ERR in it reading goes
/// on to the end of the stream even if a read comes short, so that last words
/// and the end arrive in one turn. `buffer` may be shared by all connections.
/// For stream sockets and pipes: a read of a datagram or of a terminal's line
/// comes short although more is there.
///
/// # Errors
///
/// What `read(2)` reports, e.g. `ECONNRESET`, but for `EINTR`, which is retried,
/// and `EAGAIN`, which is [`ReadEnd::Drained`]. What was read before has been
/// handed to `take`.
///
/// # Panics
///
/// If `buffer` is empty.
///
/// ```
/// use std::io::Write;
/// use std::os::unix::net::UnixStream;
/// use epoll_loop::{ReadEnd, Readiness, read_within};
///
/// let (mut one, other) = UnixStream::pair()?;
/// other.set_nonblocking(true)?;
/// one.write_all(b"last words")?;
/// drop(one);
///
/// let mut received = Vec::new();
/// let mut buffer = [0; 4096];
/// let readiness = Readiness::IN | Readiness::RDHUP;
/// let end = read_within(&other, readiness, &mut buffer, 65_536, |bytes| received.extend(bytes))?;
/// assert_eq!((received.as_slice(), end), (&b"last words"[..], ReadEnd::EndOfStream));
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn read_within(
    mut io: impl Read,
    readiness: Readiness,
    buffer: &mut [u8],
    budget: usize,
    mut take: impl FnMut(&[u8]),
) -> io::Result<ReadEnd> {
    assert!(
        !buffer.is_empty(),
        "a read into nothing looks like the end of the stream"
    );
    // ANCHOR: read-loop
    // ANCHOR: is-ending
    let is_ending = readiness.intersects(Readiness::RDHUP | Readiness::HUP | Readiness::ERR);
    // ANCHOR_END: is-ending
    let mut total = 0;
    while total < budget {
        let room = buffer.len().min(budget - total);
        match io.read(&mut buffer[..room]) {
            Ok(0) => return Ok(ReadEnd::EndOfStream),
            Ok(count) => {
                take(&buffer[..count]);
                total += count;
                // ANCHOR: short-read
                if count < room && !is_ending {
                    return Ok(ReadEnd::Drained);
                }
                // ANCHOR_END: short-read
            }
            Err(err) if err.kind() == ErrorKind::Interrupted => {}
            Err(err) if err.kind() == ErrorKind::WouldBlock => return Ok(ReadEnd::Drained),
            Err(err) => return Err(err),
        }
    }
    Ok(ReadEnd::BudgetSpent)
    // ANCHOR_END: read-loop
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives its pieces one a read, and counts the reads.
    struct Pieces<'a> {
        pieces: &'a [io::Result<usize>],
        reads: usize,
    }

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let piece = &self.pieces[self.reads];
            self.reads += 1;
            match piece {
                Ok(count) => Ok(*count.min(&buffer.len())),
                Err(err) => Err(err.kind().into()),
            }
        }
    }

    fn read(
        pieces: &[io::Result<usize>],
        readiness: Readiness,
    ) -> (io::Result<ReadEnd>, usize, usize) {
        let mut io = Pieces { pieces, reads: 0 };
        let mut total = 0;
        let end = read_within(&mut io, readiness, &mut [0; 100], 250, |bytes| {
            total += bytes.len();
        });
        (end, total, io.reads)
    }

    #[test]
    fn a_short_read_saves_the_one_that_would_answer_eagain() {
        let (end, total, reads) = read(&[Ok(100), Ok(7)], Readiness::IN);
        assert_eq!((end.unwrap(), total, reads), (ReadEnd::Drained, 107, 2));
    }

    #[test]
    fn last_words_and_the_end_are_read_in_one_go() {
        let pieces = [Ok(7), Err(ErrorKind::Interrupted.into()), Ok(0)];
        let (end, total, _) = read(&pieces, Readiness::IN | Readiness::RDHUP);
        assert_eq!((end.unwrap(), total), (ReadEnd::EndOfStream, 7));
    }

    #[test]
    fn a_fast_sender_is_left_at_the_end_of_the_budget() {
        let (end, total, _) = read(&[Ok(100), Ok(100), Ok(100), Ok(100)], Readiness::IN);
        assert_eq!((end.unwrap(), total), (ReadEnd::BudgetSpent, 250));
    }

    #[test]
    fn what_came_before_a_reset_is_handed_over() {
        let pieces = [Ok(7), Err(ErrorKind::ConnectionReset.into())];
        let (end, total, _) = read(&pieces, Readiness::IN | Readiness::ERR);
        assert_eq!(
            (end.unwrap_err().kind(), total),
            (ErrorKind::ConnectionReset, 7)
        );
    }
}
