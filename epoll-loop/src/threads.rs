//! Whether another thread of the process leaves a signal unblocked.
//!
//! Shows: a signal sent to a process goes to any thread that does not block it,
//! and if there is one, `signalfd(2)` never sees the signal; what `/proc` tells of
//! each thread.

use std::fs;
use std::io;
use std::path::Path;
use std::thread;
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::unistd::gettid;

/// How often a thread that is just starting is looked at again, and after what
/// time: it needs some microseconds, unless the machine is busy.
const LOOKS: u32 = 200;
const BETWEEN_LOOKS: Duration = Duration::from_millis(1);

/// An error if a thread other than this one has `signal` unblocked.
///
/// Without `/proc` nothing is known, and nothing refused.
pub(crate) fn check_other_threads(signal: Signal) -> io::Result<()> {
    let own = gettid().to_string();
    let Ok(tasks) = fs::read_dir("/proc/self/task") else {
        return Ok(());
    };
    for task in tasks.flatten() {
        let thread = task.file_name();
        if thread != own.as_str() && leaves_unblocked(&task.path(), signal) {
            let message = format!(
                "thread {} does not block {signal}: block signals before starting threads",
                thread.display()
            );
            return Err(io::Error::other(message));
        }
    }
    Ok(())
}

// ANCHOR: unblocked
fn leaves_unblocked(task: &Path, signal: Signal) -> bool {
    for _ in 0..LOOKS {
        // A thread that has ended meanwhile is no danger.
        let Some(mask) = blocked_signals(task) else {
            return false;
        };
        if !contains(mask, signal as i32) {
            return true;
        }
        if !contains(mask, SIGCANCEL) {
            return false;
        }
        thread::sleep(BETWEEN_LOOKS);
    }
    false
}
// ANCHOR_END: unblocked

/// A signal of the C library's own (glibc and musl), which it never lets a
/// program block. A thread that blocks it is just starting or ending, with
/// everything blocked: the mask that it will have is not known yet.
const SIGCANCEL: i32 = 32;

/// The mask of a thread, signal 1 in bit 0 (`man 5 proc_pid_status`).
fn blocked_signals(task: &Path) -> Option<u64> {
    let status = fs::read_to_string(task.join("status")).ok()?;
    let mask = status.lines().find_map(|line| line.strip_prefix("SigBlk:"));
    u64::from_str_radix(mask?.trim(), 16).ok()
}

fn contains(mask: u64, signal: i32) -> bool {
    mask >> (signal - 1) & 1 == 1
}
