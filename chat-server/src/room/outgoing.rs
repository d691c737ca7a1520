//! What waits for one client, on its way to the socket.
//!
//! Shows: nothing is copied for a peer that takes all it is given; only what is
//! left goes into a queue of the peer's own.

use std::io::{self, IoSlice, Write};
use std::os::fd::AsFd;

use epoll_loop::{EventLoop, SendQueue, Watched};

use super::batch::{Batch, Share};

/// Pieces of a batch that are handed over where they stand. Who has more of
/// them, which is rare, gets them by way of the queue.
const MAX_SLICES: usize = 64;

/// The bytes that wait for one client: what its socket did not take before, and
/// what the batch has brought.
#[derive(Debug)]
pub struct Outgoing<'a> {
    queue: &'a mut SendQueue,
    share: &'a mut Share,
    batch: &'a mut Batch,
}

impl<'a> Outgoing<'a> {
    pub(super) fn new(
        queue: &'a mut SendQueue,
        share: &'a mut Share,
        batch: &'a mut Batch,
    ) -> Outgoing<'a> {
        Outgoing {
            queue,
            share,
            batch,
        }
    }

    /// Writes until nothing waits or `io` takes no more; returns the number of
    /// bytes written.
    ///
    /// # Errors
    ///
    /// As [`SendQueue::write_to`].
    pub fn write_to(&mut self, io: impl Write) -> io::Result<usize> {
        self.write(|queue, pieces| queue.write_with(io, pieces))
    }

    /// Writes what the peer takes, and has the loop tell when it takes more;
    /// returns the number of bytes written.
    ///
    /// # Errors
    ///
    /// As [`SendQueue::flush`].
    pub fn flush<S, T>(
        &mut self,
        event_loop: &mut EventLoop<S>,
        io: &Watched<T>,
    ) -> io::Result<usize>
    where
        T: AsFd + 'static,
        for<'b> &'b T: Write,
    {
        self.write(|queue, pieces| queue.flush_with(event_loop, io, pieces))
    }

    /// Hands the pieces to `write` where they stand, behind the queue.
    fn write(
        &mut self,
        write: impl FnOnce(&mut SendQueue, &[IoSlice<'_>]) -> io::Result<usize>,
    ) -> io::Result<usize> {
        if self.share.pieces() > MAX_SLICES {
            self.settle();
            return write(self.queue, &[]);
        }
        let mut pieces = self.batch.pieces(*self.share).map(IoSlice::new);
        let result = if self.share.pieces() <= 1 {
            // Nearly everybody; the array below takes 20 ns to be made.
            let only = pieces.next();
            drop(pieces);
            write(self.queue, only.as_slice())
        } else {
            let mut slices = [IoSlice::new(&[]); MAX_SLICES];
            for (slice, piece) in slices.iter_mut().zip(pieces) {
                *slice = piece;
            }
            write(self.queue, &slices[..self.share.pieces()])
        };
        self.batch.take_back(self.share);
        result
    }

    /// Appends `bytes`.
    pub fn push(&mut self, bytes: &[u8]) {
        self.settle();
        self.queue.push(bytes);
    }

    /// Copies what stands in the batch into the queue.
    pub(super) fn settle(&mut self) {
        for piece in self.batch.pieces(*self.share) {
            self.queue.push(piece);
        }
        self.batch.take_back(self.share);
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.queue.clear();
        self.batch.take_back(self.share);
    }

    /// Number of bytes not yet written.
    #[must_use]
    pub fn len(&self) -> usize {
        self.queue.len() + self.share.len()
    }

    /// Whether all bytes are written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
