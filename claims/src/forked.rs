//! A child process made by `fork(2)`, for experiments about what a fork shares.

use std::fs::File;
use std::io::{self, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process;

use nix::fcntl::OFlag;
use nix::sys::prctl;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{Pid, pipe2};

use crate::sys;

/// A child that runs a function and says one text. It is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Forked {
    pid: Pid,
    said: File,
    ended: bool,
}

impl Forked {
    /// Forks. The child has all descriptors and variables of the parent, runs `body`, hands its
    /// text over and exits: with 0, or 1 if it failed, 101 if it panicked.
    ///
    /// # Errors
    ///
    /// What `fork(2)` and `pipe(2)` report; if this process has more than one thread.
    pub(crate) fn start(body: impl FnOnce() -> io::Result<String>) -> io::Result<Self> {
        let (read, write) = pipe2(OFlag::O_CLOEXEC)?;
        if let Some(pid) = sys::fork_with_one_thread()? {
            let said = File::from(read);
            return Ok(Self {
                pid,
                said,
                ended: false,
            });
        }
        drop(read);
        let code = catch_unwind(AssertUnwindSafe(|| {
            prctl::set_pdeathsig(Signal::SIGKILL)?;
            let text = body()?;
            File::from(write).write_all(text.as_bytes())
        }));
        // Not back to the caller: the rest of the program is the parent's.
        process::exit(match code {
            Ok(Ok(())) => 0,
            Ok(Err(_)) => 1,
            Err(_) => 101,
        })
    }

    pub(crate) fn pid(&self) -> Pid {
        self.pid
    }

    /// Waits for its end: what it said, and how it ended.
    pub(crate) fn end(mut self) -> io::Result<(String, WaitStatus)> {
        let mut text = String::new();
        self.said.read_to_string(&mut text)?;
        let status = waitpid(self.pid, None)?;
        self.ended = true;
        Ok((text, status))
    }
}

impl Drop for Forked {
    fn drop(&mut self) {
        if !self.ended {
            // It may have ended by itself, and then both are errors that mean nothing.
            let _ = kill(self.pid, Signal::SIGKILL);
            let _ = waitpid(self.pid, None);
        }
    }
}
