//! The terminal as a descriptor: which one, and how large.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use epoll_loop::open_terminal;
use nix::sys::termios::tcgetsid;
use nix::unistd::getsid;
use ratatui::layout::Size;
use rustix::termios::tcgetwinsize;

/// What a terminal is taken for that does not know its size: a serial line.
const DEFAULT_SIZE: Size = Size::new(80, 24);

/// No picture is larger, since each of its cells takes memory and anybody may
/// set any size (`stty columns 65535`). What goes beyond stays empty.
const MAX_SIZE: Size = Size::new(1_000, 500);

/// Opens the terminal that is standard input and standard output, to be read
/// and written without waiting. None if they are not both the terminal of this
/// session, of which there is one, or if it cannot move its cursor.
pub(crate) fn open() -> Option<File> {
    // ANCHOR: open-tty
    let is_ours = |descriptor: BorrowedFd<'_>| tcgetsid(descriptor) == getsid(None);
    let is_one = is_ours(io::stdin().as_fd()) && is_ours(io::stdout().as_fd());
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    if !is_one || is_dumb {
        return None;
    }
    open_terminal(io::stdin(), File::options().read(true).write(true))
    // ANCHOR_END: open-tty
}

/// Columns and rows of the terminal, as far as they are used.
pub(crate) fn size(terminal: impl AsFd) -> Size {
    match tcgetwinsize(terminal) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => Size::new(
            size.ws_col.min(MAX_SIZE.width),
            size.ws_row.min(MAX_SIZE.height),
        ),
        _ => DEFAULT_SIZE,
    }
}
