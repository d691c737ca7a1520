//! Bytes on their way to one peer.
//!
//! Shows: write first and watch for WRITABLE only after `WouldBlock`; a short
//! write is normal; one `writev(2)` for many small messages.
//! Leaves out: what to do with a peer that never reads. The queue tells when it
//! is over its high-water mark; whether that means to stop reading, to drop or
//! to close is for the program to decide.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice, Write};
use std::os::fd::AsFd;

use crate::{EventLoop, Interest, Watched};

/// Small messages are gathered into chunks of up to this many bytes. What a
/// queue holds in memory beyond its bytes is two chunks at most: the first may be
/// written but for its end, the last hardly begun.
const CHUNK_BYTES: usize = 2 * 1024;

/// Chunks handed to one `writev(2)`, which takes at most 1,024 (`IOV_MAX`).
const MAX_CHUNKS_A_WRITE: usize = 128;

/// Bytes that wait to be written to a descriptor, in order.
///
/// It holds memory only while it holds bytes, so that an idle connection costs
/// nothing here. It takes whatever it is given: [`SendQueue::is_above_mark`]
/// says when its owner should do something about it.
///
/// ```
/// use epoll_loop::SendQueue;
///
/// let mut queue = SendQueue::new(8);
/// queue.push(b"hello ");
/// queue.push(b"world");
/// assert!(queue.is_above_mark());
///
/// let mut peer = Vec::new();
/// assert_eq!(queue.write_to(&mut peer)?, 11);
/// assert_eq!(peer, b"hello world");
/// assert!(queue.is_empty());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct SendQueue {
    chunks: VecDeque<Vec<u8>>,
    /// Bytes of the first chunk that are written already.
    written: usize,
    len: usize,
    high_water: usize,
}

impl SendQueue {
    /// Creates an empty queue with a mark at `high_water` bytes.
    #[must_use]
    pub fn new(high_water: usize) -> SendQueue {
        SendQueue {
            chunks: VecDeque::new(),
            written: 0,
            len: 0,
            high_water,
        }
    }

    /// Appends `bytes`; they are written by the next [`SendQueue::flush`].
    pub fn push(&mut self, mut bytes: &[u8]) {
        self.len += bytes.len();
        while !bytes.is_empty() {
            if self
                .chunks
                .back()
                .is_none_or(|chunk| chunk.len() == CHUNK_BYTES)
            {
                self.chunks.push_back(Vec::new());
            }
            let is_first = self.chunks.len() == 1;
            let Some(chunk) = self.chunks.back_mut() else {
                unreachable!("pushed above")
            };
            // Chunks are filled to the brim, so that what the queue holds in
            // memory is never much more than what it holds for the peer.
            let (now, later) = bytes.split_at(bytes.len().min(CHUNK_BYTES - chunk.len()));
            let needed = chunk.len() + now.len();
            if needed > chunk.capacity() {
                // Doubling, as a Vec does, but not past a full chunk: of what
                // it reserves beyond that, nothing would ever be used. Where
                // others are full already they are all of one size, so that
                // one that is given back fits the next.
                let capacity = if is_first {
                    needed.max((chunk.capacity() * 2).min(CHUNK_BYTES))
                } else {
                    CHUNK_BYTES
                };
                chunk.reserve_exact(capacity - chunk.len());
            }
            chunk.extend_from_slice(now);
            bytes = later;
        }
    }

    /// Number of bytes not yet written.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether all bytes are written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether more bytes wait than the mark given to [`SendQueue::new`].
    #[must_use]
    pub fn is_above_mark(&self) -> bool {
        self.len > self.high_water
    }

    /// The bytes that are not yet written, in pieces, for who has to write them
    /// elsewhere.
    pub fn chunks(&self) -> impl Iterator<Item = &[u8]> {
        let later = self.chunks.iter().skip(1).map(Vec::as_slice);
        std::iter::once(self.front()).chain(later)
    }

    /// How often `byte` is among those that are not yet written.
    pub(crate) fn count(&self, byte: u8) -> u64 {
        let all = self.chunks().flatten();
        all.filter(|&&other| other == byte).count() as u64
    }

    /// Forgets all bytes and gives their memory back.
    pub fn clear(&mut self) {
        self.chunks = VecDeque::new();
        self.written = 0;
        self.len = 0;
    }

    /// Forgets what comes after the first byte that is `end`, so that a message
    /// of which a part may be written already is still written to its end.
    ///
    /// For a peer that gets only a last word instead of all that waited.
    pub fn truncate_after(&mut self, end: u8) {
        let mut kept = Vec::new();
        let mut chunks = std::mem::take(&mut self.chunks).into_iter();
        let first = chunks.next().map(|chunk| chunk[self.written..].to_vec());
        for mut chunk in first.into_iter().chain(chunks) {
            let found = chunk.iter().position(|&byte| byte == end);
            if let Some(at) = found {
                chunk.truncate(at + 1);
            }
            kept.append(&mut chunk);
            if found.is_some() {
                break;
            }
        }
        self.clear();
        self.push(&kept);
    }

    /// Writes until the queue is empty or `io` takes no more; returns the
    /// number of bytes written.
    ///
    /// # Errors
    ///
    /// What `writev(2)` reports, but for `EINTR`, which is retried, and
    /// `EAGAIN`, which ends the writing without an error. Bytes written before
    /// an error are gone from the queue.
    // ANCHOR: write-to
    pub fn write_to(&mut self, mut io: impl Write) -> io::Result<usize> {
        let before = self.len;
        while !self.is_empty() {
            match self.write_once(&mut io) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => self.advance(count),
                Err(err) if err.kind() == ErrorKind::Interrupted => {}
                // ANCHOR: write-would-block
                Err(err) if err.kind() == ErrorKind::WouldBlock => break,
                // ANCHOR_END: write-would-block
                Err(err) => return Err(err),
            }
        }
        Ok(before - self.len)
    }
    // ANCHOR_END: write-to

    /// Writes what waits, and `more` behind it where it stands, until all is
    /// written or `io` takes no more; returns the number of bytes written.
    ///
    /// What `io` does not take is kept. So nothing is copied for a peer that
    /// keeps up, and many peers can be sent the same bytes out of one buffer.
    ///
    /// # Errors
    ///
    /// As [`SendQueue::write_to`]; what was not written of `more` is not kept
    /// then.
    ///
    /// ```
    /// use std::io::IoSlice;
    /// use epoll_loop::SendQueue;
    ///
    /// let news = b"news for all\n";
    /// let mut queue = SendQueue::new(0);
    /// let mut peer = Vec::new();
    /// queue.write_with(&mut peer, &[IoSlice::new(news)])?;
    /// assert_eq!(peer, news);
    /// assert!(queue.is_empty());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    // ANCHOR: write-with
    pub fn write_with(&mut self, mut io: impl Write, more: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut written = 0;
        if self.is_empty() && !more.is_empty() {
            written = write_slices(&mut io, more)?;
        }
        // ANCHOR: keep-the-rest
        let mut skipped = written;
        for slice in more {
            let skip = skipped.min(slice.len());
            skipped -= skip;
            self.push(&slice[skip..]);
        }
        // ANCHOR_END: keep-the-rest
        Ok(written + self.write_to(io)?)
    }
    // ANCHOR_END: write-with

    /// Writes what the peer takes, and has the loop tell when it takes more.
    ///
    /// WRITABLE is added to the interest of `io` only while bytes are left: a
    /// socket is writable nearly always, and a watch that asks for it with
    /// nothing to write burns a whole core. Returns the number of bytes
    /// written.
    ///
    /// # Errors
    ///
    /// As [`SendQueue::write_to`]; the peer is to be closed then.
    pub fn flush<S, T>(
        &mut self,
        event_loop: &mut EventLoop<S>,
        io: &Watched<T>,
    ) -> io::Result<usize>
    where
        T: AsFd + 'static,
        for<'a> &'a T: Write,
    {
        self.flush_with(event_loop, io, &[])
    }

    /// As [`SendQueue::flush`], with `more` behind what waits: see
    /// [`SendQueue::write_with`].
    ///
    /// # Errors
    ///
    /// As [`SendQueue::write_with`]; the peer is to be closed then.
    pub fn flush_with<S, T>(
        &mut self,
        event_loop: &mut EventLoop<S>,
        io: &Watched<T>,
        more: &[IoSlice<'_>],
    ) -> io::Result<usize>
    where
        T: AsFd + 'static,
        for<'a> &'a T: Write,
    {
        // ANCHOR: flush-and-ask
        let count = self.write_with(&**io, more)?;
        let interest = io.interest(event_loop);
        // ANCHOR: ask-for-room
        let wanted = if self.is_empty() {
            interest.without(Interest::WRITABLE)
        } else {
            interest | Interest::WRITABLE
        };
        // ANCHOR_END: ask-for-room
        io.set_interest(event_loop, wanted);
        Ok(count)
        // ANCHOR_END: flush-and-ask
    }

    /// The bytes of the first chunk that are not written yet.
    fn front(&self) -> &[u8] {
        self.chunks
            .front()
            .map_or(&[], |chunk| &chunk[self.written..])
    }

    fn write_once(&self, io: &mut impl Write) -> io::Result<usize> {
        if self.chunks.len() == 1 {
            return io.write(self.front());
        }
        let mut slices = [IoSlice::new(&[]); MAX_CHUNKS_A_WRITE];
        let count = self.chunks.len().min(MAX_CHUNKS_A_WRITE);
        slices[0] = IoSlice::new(self.front());
        for (slice, chunk) in slices[1..count].iter_mut().zip(self.chunks.iter().skip(1)) {
            *slice = IoSlice::new(chunk);
        }
        io.write_vectored(&slices[..count])
    }

    /// Forgets the first `count` bytes, which are written.
    fn advance(&mut self, mut count: usize) {
        self.len -= count;
        while count > 0 {
            let left = self.front().len();
            if count < left {
                self.written += count;
                return;
            }
            count -= left;
            self.written = 0;
            self.chunks.pop_front();
        }
        if self.len == 0 {
            self.chunks = VecDeque::new();
        }
    }
}

/// Writes once, however often a signal comes between; 0 if `io` takes nothing
/// now.
fn write_slices(io: &mut impl Write, slices: &[IoSlice<'_>]) -> io::Result<usize> {
    loop {
        // write(2) asks less of the kernel than writev(2) of one slice.
        let result = match slices {
            [slice] => io.write(slice),
            _ => io.write_vectored(slices),
        };
        match result {
            Err(err) if err.kind() == ErrorKind::Interrupted => {}
            Err(err) if err.kind() == ErrorKind::WouldBlock => return Ok(0),
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes `step` bytes a call, and after `room` bytes nothing more.
    struct Narrow {
        taken: Vec<u8>,
        step: usize,
        room: usize,
    }

    impl Write for Narrow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let room = self.room - self.taken.len();
            if room == 0 {
                return Err(ErrorKind::WouldBlock.into());
            }
            let count = bytes.len().min(self.step).min(room);
            self.taken.extend_from_slice(&bytes[..count]);
            Ok(count)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn short_writes_lose_and_repeat_nothing() {
        let bytes: Vec<u8> = (0..100_000_u32).map(|n| (n % 251) as u8).collect();
        for step in [1, 7, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1] {
            let mut queue = SendQueue::new(0);
            for message in bytes.chunks(997) {
                queue.push(message);
            }
            let mut peer = Narrow {
                taken: Vec::new(),
                step,
                room: 60_000,
            };
            assert_eq!(queue.write_to(&mut peer).unwrap(), 60_000);
            assert_eq!(queue.len(), 40_000);
            peer.room = bytes.len();
            assert_eq!(queue.write_to(&mut peer).unwrap(), 40_000);
            assert!(peer.taken == bytes, "step {step}");
        }
    }

    #[test]
    fn what_a_peer_does_not_take_of_more_is_kept_in_its_order() {
        let bytes: Vec<u8> = (0..10_000_u32).map(|n| (n % 251) as u8).collect();
        for step in [1, 99, 100, 101, 10_000] {
            let mut queue = SendQueue::new(0);
            let mut peer = Narrow {
                taken: Vec::new(),
                step,
                room: 0,
            };
            let mut written = 0;
            for message in bytes.chunks(300) {
                let slices = [IoSlice::new(&message[..7]), IoSlice::new(&message[7..])];
                // Sometimes less, sometimes more than there is.
                peer.room += 450 * (peer.room / 450 % 2) + 150;
                written += queue.write_with(&mut peer, &slices).unwrap();
            }
            assert_eq!((written, written + queue.len()), (peer.taken.len(), 10_000));
            peer.room = usize::MAX;
            queue.write_with(&mut peer, &[]).unwrap();
            assert!(peer.taken == bytes, "step {step}");
        }
    }

    #[test]
    fn more_is_written_where_it_stands() {
        /// Notes where the bytes are that it is given.
        struct Places(Vec<*const u8>);

        impl Write for Places {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.push(bytes.as_ptr());
                Ok(bytes.len())
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }

        let news = vec![7; 100_000];
        let mut places = Places(Vec::new());
        let mut queue = SendQueue::new(0);
        queue
            .write_with(&mut places, &[IoSlice::new(&news)])
            .unwrap();
        assert_eq!(places.0, [news.as_ptr()]);
    }

    #[test]
    fn an_empty_queue_holds_no_memory() {
        let mut queue = SendQueue::new(0);
        queue.push(&vec![7; 1_000_000]);
        queue.write_to(io::sink()).unwrap();
        assert_eq!(queue.chunks.capacity(), 0);
    }

    #[test]
    fn long_messages_leave_no_gaps_between_the_chunks() {
        let mut queue = SendQueue::new(0);
        for _ in 0..1_000 {
            queue.push(&[b'x'; CHUNK_BYTES / 2 + 1]);
        }
        let reserved: usize = queue.chunks.iter().map(Vec::capacity).sum();
        assert!(
            reserved < queue.len() + CHUNK_BYTES,
            "{reserved} for {}",
            queue.len()
        );
    }

    #[test]
    fn however_a_queue_is_written_it_takes_hardly_more_memory_than_its_bytes() {
        for message in [1, 100, 510, 4_600, 20_000] {
            let mut queue = SendQueue::new(0);
            let mut peer = Narrow {
                taken: Vec::new(),
                step: usize::MAX,
                room: 0,
            };
            for step in 0..2_000 {
                // Grows for a while, and then shrinks; each write ends elsewhere in a chunk.
                if step < 1_000 {
                    queue.push(&vec![b'x'; message]);
                }
                peer.room += 333 * message / 500 + 1;
                queue.write_to(&mut peer).unwrap();
                let reserved: usize = queue.chunks.iter().map(Vec::capacity).sum();
                assert!(
                    reserved < queue.len() + 2 * CHUNK_BYTES && CHUNK_BYTES <= 2_048,
                    "{reserved} for {}",
                    queue.len()
                );
            }
        }
    }

    #[test]
    fn a_message_that_is_partly_written_keeps_its_end() {
        let message = [vec![b'x'; 3 * CHUNK_BYTES], b"end\n".to_vec()].concat();
        let mut queue = SendQueue::new(0);
        queue.push(&message);
        queue.push(b"next\n");
        let mut peer = Narrow {
            taken: Vec::new(),
            step: 7,
            room: 7,
        };
        queue.write_to(&mut peer).unwrap();
        queue.truncate_after(b'\n');
        assert_eq!(queue.len(), message.len() - 7);
        queue.push(b"bye\n");
        peer.room = usize::MAX;
        queue.write_to(&mut peer).unwrap();
        assert_eq!(peer.taken, [message, b"bye\n".to_vec()].concat());
    }

    #[test]
    fn small_messages_share_a_chunk() {
        let mut queue = SendQueue::new(0);
        for _ in 0..1_000 {
            queue.push(&[b'x'; 100]);
        }
        assert!(
            queue.chunks.len() <= 100_000 / CHUNK_BYTES + 1,
            "{} chunks",
            queue.chunks.len()
        );
    }

    #[test]
    fn a_long_queue_takes_hardly_more_memory_than_its_bytes() {
        for message in [37, 100, 350, 512] {
            let mut queue = SendQueue::new(0);
            while queue.len() < 1_000_000 {
                queue.push(&vec![b'x'; message]);
            }
            let reserved: usize = queue.chunks.iter().map(Vec::capacity).sum();
            let allowed = queue.len() * 21 / 20;
            assert!(reserved < allowed, "{message}: {reserved} bytes");
        }
    }

    #[test]
    fn a_peer_that_takes_nothing_is_an_error_and_not_an_endless_loop() {
        let mut queue = SendQueue::new(0);
        queue.push(b"hello");
        let mut nothing: &mut [u8] = &mut [];
        assert_eq!(
            queue.write_to(&mut nothing).unwrap_err().kind(),
            ErrorKind::WriteZero
        );
    }
}
