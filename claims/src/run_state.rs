//! What a process or a thread does at the moment, as `ps` says it: R, S, Z.

use std::fs;
use std::io;

use nix::unistd::Pid;

/// The state of a process of this user; `None` if there is no such process.
pub(crate) fn of_process(process: Pid) -> Option<char> {
    state(&format!("/proc/{process}/stat")).ok()
}

/// The state of a thread of this process.
///
/// # Errors
///
/// If there is no such thread any more.
pub(crate) fn of_thread(thread: Pid) -> io::Result<char> {
    state(&format!("/proc/self/task/{thread}/stat"))
}

/// The field behind the name, which may itself contain anything.
fn state(path: &str) -> io::Result<char> {
    let stat = fs::read_to_string(path)?;
    let rest = stat.rsplit(')').next().unwrap_or_default();
    let state = rest.trim_start().chars().next();
    state.ok_or_else(|| io::Error::other(format!("{path}: no state")))
}
