//! Standard output and error, without ever waiting for who reads them.
//!
//! Shows: why `O_NONBLOCK` is never set on descriptors 0 to 2 (the flag belongs
//! to the open file, which the shell shares, and stays set when the program has
//! gone); how to write to a pipe in small pieces only when it has room; a
//! terminal opened a second time for an open file of one's own.
//! Leaves out: standard input, which is read like any descriptor, but only when
//! it is readable and one read an event.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::event_loop::EventLoop;
use crate::terminal::open_terminal;
use crate::watch::{Watch, Watched};
use crate::{Interest, SendQueue};

/// Lines that wait beyond this many bytes are dropped, and counted.
pub const OUTPUT_LIMIT_BYTES: usize = 1024 * 1024;

/// `PIPE_BUF`: a pipe that is writable takes this much without blocking.
const PIPE_BUF_BYTES: usize = 4096;

/// How much is written in one turn, so that a long log keeps nobody waiting.
const BYTES_A_TURN: usize = 64 * 1024;

/// Lines on their way to standard output or standard error.
///
/// They are appended here and written by the loop when the other end takes
/// them; so a reader that has stopped costs lines, counted, and never time.
/// Clones share one queue. It may be used from any thread; what another thread
/// appends goes out in the loop's next turn.
///
/// At the end of the program, [`Output::drain`] writes what is left.
#[derive(Clone, Debug)]
pub struct Output(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    stream: Stream,
    /// Whether a line says where others were dropped: not where the lines are
    /// a program's results.
    tells_dropped: bool,
    queue: Mutex<Queue>,
}

#[derive(Debug)]
struct Queue {
    bytes: SendQueue,
    dropped: u64,
    /// How many of the dropped have been told of in the output itself.
    told: u64,
}

#[derive(Debug)]
enum Stream {
    /// An open file of the terminal that nobody shares, non-blocking.
    Terminal(File),
    /// Shared with whoever started this program.
    Output(io::Stdout),
    Error(io::Stderr),
}

/// One of the outputs that a loop writes.
pub(crate) struct OutputWatch {
    label: &'static str,
    guard: Watched<Arc<Shared>>,
    output: Output,
}

impl Output {
    /// Appends `line`, which should end with a newline, whole or not at all:
    /// beyond [`OUTPUT_LIMIT_BYTES`] it is dropped and counted.
    pub fn write_line(&self, line: &[u8]) {
        let mut queue = self.queue();
        if queue.bytes.len() + line.len() <= OUTPUT_LIMIT_BYTES {
            self.tell_dropped(&mut queue);
            queue.bytes.push(line);
        } else {
            queue.dropped += 1;
        }
    }

    /// Says how many lines are missing in this place, if any are.
    fn tell_dropped(&self, queue: &mut Queue) {
        let untold = queue.dropped - queue.told;
        if untold > 0 && self.0.tells_dropped {
            queue.told = queue.dropped;
            let lines = if untold == 1 {
                "line was"
            } else {
                "lines were"
            };
            let note = format!("... {untold} {lines} dropped here\n");
            queue.bytes.push(note.as_bytes());
        }
    }

    /// In the child of a fork: what waits is the parent's to write.
    pub(crate) fn forget(&self) {
        self.queue().bytes.clear();
    }

    /// Number of lines dropped so far, since nobody read them in time or the
    /// other end is closed.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.queue().dropped
    }

    /// Number of bytes that wait to be written.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.queue().bytes.len()
    }

    /// Writes what is left, for at most `limit`. For the end of the program: it
    /// blocks. [`Output::pending`] tells afterwards what could not be written.
    pub fn drain(&self, limit: Duration) {
        // None is so far away that it never comes.
        let end = Instant::now().checked_add(limit);
        loop {
            let remaining = end.map_or(Duration::MAX, |end| {
                end.saturating_duration_since(Instant::now())
            });
            if self.pending() == 0 || remaining.is_zero() {
                return;
            }
            let milliseconds = remaining.as_nanos().div_ceil(1_000_000);
            let timeout = PollTimeout::try_from(milliseconds).unwrap_or(PollTimeout::MAX);
            let stream = self.0.stream.as_fd();
            match poll(&mut [PollFd::new(stream, PollFlags::POLLOUT)], timeout) {
                Ok(0) | Err(_) => {}
                Ok(_) => self.write_some(),
            }
        }
    }

    /// Writes what the stream takes now, as far as that is known beforehand.
    fn write_some(&self) {
        let mut queue = self.queue();
        let stream = &self.0.stream;
        let mut left = BYTES_A_TURN;
        // ANCHOR: write-some
        while !queue.bytes.is_empty() && left > 0 && stream.takes_bytes() {
            // ANCHOR: at-most
            let most = if stream.is_shared() {
                PIPE_BUF_BYTES
            } else {
                left
            };
            // ANCHOR_END: at-most
            match queue.bytes.write_to(AtMost { stream, left: most }) {
                // A terminal that is full, for all it said.
                Ok(0) => break,
                Ok(count) => left -= count.min(left),
                Err(_) => {
                    // EPIPE, EIO: nobody will ever read this.
                    queue.dropped += queue.bytes.count(b'\n');
                    queue.told = queue.dropped;
                    queue.bytes.clear();
                }
            }
        }
        // ANCHOR_END: write-some
        if queue.bytes.is_empty() {
            self.tell_dropped(&mut queue);
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // The queue is whole between any two calls on it.
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for Output {
    /// Appends `line` as [`Output::write_line`] does; a dropped one counts as
    /// written, since whoever writes a log has no use for the error.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.write_line(line);
        Ok(line.len())
    }

    /// Does nothing: the loop writes.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stream {
    /// The terminal behind `standard` opened again, if it is one; else itself.
    fn open(standard: Stream) -> Stream {
        let own = open_terminal(standard.as_fd(), File::options().write(true));
        own.map_or(standard, Stream::Terminal)
    }
}

impl Stream {
    /// Whether somebody else may change what this process knows of it.
    fn is_shared(&self) -> bool {
        !matches!(self, Stream::Terminal(_))
    }

    /// Whether a small write would not block; a descriptor in an error does not.
    fn takes_bytes(&self) -> bool {
        let mut asked = [PollFd::new(self.as_fd(), PollFlags::POLLOUT)];
        poll(&mut asked, PollTimeout::ZERO).is_ok_and(|ready| ready > 0)
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Stream::Terminal(file) => file.as_fd(),
            Stream::Output(stdout) => stdout.as_fd(),
            Stream::Error(stderr) => stderr.as_fd(),
        }
    }
}

impl AsFd for Shared {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

/// Writes straight to the descriptor, and takes no more than it may.
struct AtMost<'a> {
    stream: &'a Stream,
    left: usize,
}

impl Write for AtMost<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        let bytes = &bytes[..bytes.len().min(self.left)];
        let count = nix::unistd::write(self.stream, bytes)?;
        self.left -= count;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<S> EventLoop<S> {
    /// Standard output, written by this loop. It does not keep the loop
    /// running, and is not shown to its observer.
    ///
    /// # Errors
    ///
    /// As [`EventLoop::watch`], e.g. if a program watches descriptor 1 itself.
    pub fn standard_output(&mut self) -> io::Result<Output> {
        self.output(Stream::Output(io::stdout()), "standard output")
    }

    /// Standard error, as [`EventLoop::standard_output`].
    ///
    /// Where lines were dropped, a line says how many.
    ///
    /// # Errors
    ///
    /// As [`EventLoop::watch`].
    pub fn standard_error(&mut self) -> io::Result<Output> {
        self.output(Stream::Error(io::stderr()), "standard error")
    }

    fn output(&mut self, standard: Stream, label: &'static str) -> io::Result<Output> {
        if let Some(open) = self.outputs.iter().find(|open| open.label == label) {
            return Ok(open.output.clone());
        }
        let queue = Queue {
            bytes: SendQueue::new(OUTPUT_LIMIT_BYTES),
            dropped: 0,
            told: 0,
        };
        let tells_dropped = matches!(standard, Stream::Error(_));
        let stream = Stream::open(standard);
        let shared = Arc::new(Shared {
            stream,
            tells_dropped,
            queue: Mutex::new(queue),
        });
        let watch = Watch::new(Interest::NONE).label(label);
        let guard = self.watch_as(Arc::clone(&shared), watch, |_, _, _| {}, true)?;
        let output = Output(shared);
        self.outputs.push(OutputWatch {
            label,
            guard,
            output: output.clone(),
        });
        Ok(output)
    }

    /// In the child of a fork: see [`Output::forget`].
    pub(crate) fn forget_outputs(&mut self) {
        for open in &self.outputs {
            open.output.forget();
        }
    }

    /// Writes what waits, and asks to be told of room for the rest.
    ///
    /// Before the wait and not in the callback of an event: otherwise the trace
    /// of a turn would need a turn to be written, and that one a line of trace.
    pub(crate) fn write_outputs(&mut self) {
        for index in 0..self.outputs.len() {
            let open = &self.outputs[index];
            open.output.write_some();
            let waits = open.output.pending() > 0;
            let interest = if waits {
                Interest::WRITABLE
            } else {
                Interest::NONE
            };
            let id = open.guard.id();
            self.set_interest(id, interest);
        }
        self.apply_noted();
    }
}
