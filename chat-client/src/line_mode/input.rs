//! Standard input in the loop.
//!
//! Shows: one read each time it is ready, so that it never blocks, whatever it
//! is: terminal, pipe, file or `/dev/null`.

use std::io::{self, IsTerminal};
use std::os::fd::AsFd;

use epoll_loop::{Callback, EventLoop, Interest, Watch, Watched};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::read;

use crate::standard_stream::StandardStream;

use super::typed_lines::{Typed, TypedLines};

/// Bytes of one read: a line of a terminal is not longer.
const READ_BYTES: usize = 4096;

/// Standard input.
#[derive(Debug)]
pub(super) struct Input {
    /// None once it has ended.
    stream: Option<Watched<StandardStream>>,
    is_terminal: bool,
    lines: TypedLines,
}

/// What became of a read.
pub(super) enum InputRead {
    /// Nothing, or bytes; more may come.
    Open,
    /// A terminal's user has pressed Ctrl-D, or there will never be more.
    AtEnd,
    Failed(io::Error),
}

impl Input {
    /// Has `callback` called when standard input can be read.
    pub(super) fn watch<S>(
        event_loop: &mut EventLoop<S>,
        callback: Callback<S>,
    ) -> io::Result<Input> {
        let watch = Watch::new(Interest::READABLE).label("standard input");
        Ok(Input {
            stream: Some(event_loop.watch(StandardStream::input(), watch, callback)?),
            is_terminal: io::stdin().is_terminal(),
            lines: TypedLines::default(),
        })
    }

    pub(super) fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// Whether a read would give bytes or the end, outside of the loop.
    pub(super) fn is_ready(&self) -> bool {
        let Some(stream) = &self.stream else {
            return false;
        };
        let mut asked = [PollFd::new(stream.as_fd(), PollFlags::POLLIN)];
        poll(&mut asked, PollTimeout::ZERO).is_ok_and(|ready| ready > 0)
    }

    /// Reads once; to be called when it is ready. Returns the lines that have
    /// ended, and what else there is to know.
    pub(super) fn read(&mut self) -> (Vec<Typed>, InputRead) {
        let mut lines = Vec::new();
        let Some(stream) = &self.stream else {
            return (lines, InputRead::AtEnd);
        };
        // ANCHOR: input-read
        let mut buffer = [0; READ_BYTES];
        let outcome = match read(stream, &mut buffer) {
            // ANCHOR: input-end
            // The terminal is gone.
            Ok(0) | Err(Errno::EIO) => InputRead::AtEnd,
            // ANCHOR_END: input-end
            Ok(count) => {
                self.lines.take(&buffer[..count], |line| lines.push(line));
                InputRead::Open
            }
            Err(Errno::EAGAIN | Errno::EINTR) => InputRead::Open,
            Err(err) => InputRead::Failed(err.into()),
        };
        // ANCHOR_END: input-read
        (lines, outcome)
    }

    /// Reads no more. Returns the last line, if it had no newline.
    pub(super) fn close(&mut self) -> Vec<Typed> {
        self.stream = None;
        let mut lines = Vec::new();
        self.lines.finish(|line| lines.push(line));
        lines
    }

    /// Whether to read on, or to leave the rest where it is.
    pub(super) fn set_reading<S>(&self, event_loop: &mut EventLoop<S>, is_reading: bool) {
        if let Some(stream) = &self.stream {
            let interest = if is_reading {
                Interest::READABLE
            } else {
                Interest::NONE
            };
            stream.set_interest(event_loop, interest);
        }
    }
}
