//! Standard input and output as they can be watched.
//!
//! Shows: a terminal is opened a second time, which gives an open file of one's
//! own whose `O_NONBLOCK` no shell shares; anything else is used as it is, and
//! only when it is ready. A pipe tells its writer that the reader has gone even
//! when there is nothing to write.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use epoll_loop::{Callback, EventLoop, Interest, Watch, Watched, open_terminal};

/// Standard input or output.
#[derive(Debug)]
pub(crate) enum StandardStream {
    /// An open file of the terminal that nobody shares, non-blocking.
    Terminal(File),
    /// Shared with whoever started this program.
    Input(io::Stdin),
    Output(io::Stdout),
}

impl StandardStream {
    // ANCHOR: standard-input
    pub(crate) fn input() -> StandardStream {
        let own = open_terminal(io::stdin(), File::options().read(true));
        own.map_or_else(
            || StandardStream::Input(io::stdin()),
            StandardStream::Terminal,
        )
    }
    // ANCHOR_END: standard-input

    pub(crate) fn output() -> StandardStream {
        let own = open_terminal(io::stdout(), File::options().write(true));
        own.map_or_else(
            || StandardStream::Output(io::stdout()),
            StandardStream::Terminal,
        )
    }
}

impl AsFd for StandardStream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            StandardStream::Terminal(file) => file.as_fd(),
            StandardStream::Input(stdin) => stdin.as_fd(),
            StandardStream::Output(stdout) => stdout.as_fd(),
        }
    }
}

/// Calls `callback` when nobody will read standard output any more: the reader
/// of the pipe has ended, or the terminal is gone.
///
/// A descriptor has one watch, and that of standard output belongs to who
/// writes to it; so a duplicate is watched. Urgent data, which a pipe never
/// has, is asked for: ERR and HUP are reported with whatever one asks.
///
/// # Errors
///
/// What `fcntl(2)` and `epoll_ctl(2)` report.
pub(crate) fn watch_for_gone_reader<S>(
    event_loop: &mut EventLoop<S>,
    callback: Callback<S>,
) -> io::Result<Watched<OwnedFd>> {
    let duplicate = io::stdout().as_fd().try_clone_to_owned()?;
    let watch = Watch::new(Interest::URGENT).label("reader of standard output");
    event_loop.watch(duplicate, watch, callback)
}
