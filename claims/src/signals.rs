//! Signals that go on coming until somebody has had enough, for what a signal interrupts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use nix::sys::signal::{SigSet, Signal, kill};
use nix::unistd::getpid;

use crate::sys::{self, Handler};

/// Sends `SIGUSR1` to the thread that started it, about a hundred times a second, until it is
/// dropped.
///
/// One signal alone may come before the call that it is meant for.
#[derive(Debug)]
pub(crate) struct Signals {
    enough: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Signals {
    /// Installs a handler that does nothing, with `SA_RESTART` or without, and begins.
    ///
    /// The process must have no other thread that leaves the signal unblocked.
    pub(crate) fn start(restart: bool) -> nix::Result<Self> {
        sys::handle(Signal::SIGUSR1, Handler::Nothing, restart)?;
        let enough = Arc::new(AtomicBool::new(false));
        let is_enough = Arc::clone(&enough);
        let thread = thread::spawn(move || {
            let mut own = SigSet::empty();
            own.add(Signal::SIGUSR1);
            // It is sent to the process, and the thread that does not block it gets it.
            if own.thread_block().is_err() {
                return;
            }
            while !is_enough.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(10));
                let _ = kill(getpid(), Signal::SIGUSR1);
            }
        });
        let thread = Some(thread);
        Ok(Self { enough, thread })
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.enough.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
