//! Standard input and output as they can be watched.
//!
//! Shows: a terminal is opened a second time, which gives an open file of one's
//! own whose `O_NONBLOCK` no shell shares; anything else is used as it is, and
//! only when it is ready. A pipe tells its writer that the reader has gone even
//! when there is nothing to write.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;

use epoll_loop::{Callback, EventLoop, Interest, Watch, Watched};
use nix::fcntl::OFlag;
use nix::unistd::ttyname;

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
    pub(crate) fn input() -> StandardStream {
        let own = own_terminal(io::stdin(), OpenOptions::new().read(true));
        own.map_or_else(
            || StandardStream::Input(io::stdin()),
            StandardStream::Terminal,
        )
    }

    pub(crate) fn output() -> StandardStream {
        let own = own_terminal(io::stdout(), OpenOptions::new().write(true));
        own.map_or_else(
            || StandardStream::Output(io::stdout()),
            StandardStream::Terminal,
        )
    }
}

/// The terminal behind `descriptor`, opened again; none if it is no terminal.
fn own_terminal(descriptor: impl AsFd, options: &mut OpenOptions) -> Option<File> {
    if !descriptor.as_fd().is_terminal() {
        return None;
    }
    let flags = OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let options = options.custom_flags(flags.bits());
    let named = ttyname(descriptor)
        .ok()
        .and_then(|path| options.open(path).ok());
    // The terminal of somebody else (after su) opens only as /dev/tty.
    named.or_else(|| options.open("/dev/tty").ok())
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
