//! A terminal opened a second time.
//!
//! Shows: `O_NONBLOCK` belongs to the open file, which descriptors 0 to 2 share
//! with the shell and with each other; a file that is opened anew by its name
//! is another open file of the same terminal, and has flags of its own.

use std::fs::{File, OpenOptions};
use std::io::IsTerminal;
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;

use nix::fcntl::OFlag;
use nix::unistd::ttyname;

/// Opens the terminal behind `descriptor` again, as `options` say and
/// non-blocking: reading or writing it waits for nobody, and whoever shares
/// `descriptor` notices nothing. It does not become the controlling terminal.
///
/// Returns none if `descriptor` is no terminal, or its terminal cannot be
/// opened. `options` keep the flags that this sets (`man 2 open`).
///
/// ```
/// use std::fs::File;
/// use std::io;
///
/// match epoll_loop::open_terminal(io::stdin(), File::options().read(true)) {
///     Some(_own) => println!("keys can be waited for in a loop"),
///     None => println!("no terminal"),
/// }
/// ```
pub fn open_terminal(descriptor: impl AsFd, options: &mut OpenOptions) -> Option<File> {
    if !descriptor.as_fd().is_terminal() {
        return None;
    }
    // ANCHOR: own-open-file
    let flags = OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let options = options.custom_flags(flags.bits());
    let named = ttyname(descriptor).ok();
    let named = named.and_then(|path| options.open(path).ok());
    // The terminal of somebody else (after su) opens only as /dev/tty.
    named.or_else(|| options.open("/dev/tty").ok())
    // ANCHOR_END: own-open-file
}
