//! Wake-ups from another thread: many before the loop looks, and one at a time there and back.
//!
//! Shows: a flag in front of the eventfd saves the system call of all but the first of a burst.

use std::io;
use std::sync::mpsc;
use std::thread;

use crate::contender::Waking;

/// Wakes as often before the loop looks.
pub(crate) fn burst<L: Waking>(looped: &mut L, waker: &L::Waker, wake_ups: u32) -> io::Result<()> {
    for _ in 0..wake_ups {
        L::wake(waker)?;
    }
    looped.wait()
}

/// Two loops, each in a thread of its own, that wake each other.
pub(crate) struct PingPong<L: Waking> {
    looped: L,
    other: L::Waker,
}

impl<L: Waking + 'static> PingPong<L> {
    /// Starts the other thread; it ends with the process.
    pub(crate) fn start() -> io::Result<PingPong<L>> {
        let (looped, waker) = L::new()?;
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || -> io::Result<()> {
            let (mut looped, own) = L::new()?;
            // Nobody waits for it any more: the thread has no work.
            if sender.send(own).is_ok() {
                loop {
                    looped.wait()?;
                    L::wake(&waker)?;
                }
            }
            Ok(())
        });
        let other = receiver.recv().map_err(io::Error::other)?;
        Ok(PingPong { looped, other })
    }

    pub(crate) fn round_trips(&mut self, count: u32) -> io::Result<()> {
        for _ in 0..count {
            L::wake(&self.other)?;
            self.looped.wait()?;
        }
        Ok(())
    }
}
