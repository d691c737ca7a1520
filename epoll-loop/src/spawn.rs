//! Starting a child process from a program with an event loop.
//!
//! Shows: a signal mask is inherited through `fork(2)` and `execve(2)`; a child
//! that starts with SIGTERM blocked cannot be told to go.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};

use crate::signals::blocked_by_this_crate;

/// Starts `command` with the signals unblocked that this crate has blocked, in
/// this thread or another.
///
/// The one way to start a child where [`EventLoop::on_signal`] or
/// [`EventLoop::block_signals`] are used: `Command::spawn` alone hands the
/// blocked mask on. To learn of its end, see [`EventLoop::on_exit`].
///
/// [`EventLoop::on_signal`]: crate::EventLoop::on_signal
/// [`EventLoop::block_signals`]: crate::EventLoop::block_signals
/// [`EventLoop::on_exit`]: crate::EventLoop::on_exit
///
/// # Errors
///
/// As `Command::spawn`.
#[allow(unsafe_code, reason = "pre_exec runs code between fork and exec")]
pub fn spawn(command: &mut Command) -> io::Result<Child> {
    // ANCHOR: spawn
    let blocked = blocked_by_this_crate();
    // SAFETY: between fork and exec only async-signal-safe functions may be
    // called (`man 7 signal-safety`). The closure calls pthread_sigmask, which
    // is one, on a set that was made before the fork; it allocates nothing.
    unsafe {
        command.pre_exec(move || Ok(blocked.thread_unblock()?));
    }
    command.spawn()
    // ANCHOR_END: spawn
}
