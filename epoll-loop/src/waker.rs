//! Waking a loop from another thread.
//!
//! Shows: an atomic flag in front of an eventfd, so that a thousand wake-ups
//! before the loop looks cost one system call; an edge-triggered eventfd need
//! never be read.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use nix::sys::eventfd::{EfdFlags, EventFd};

// ANCHOR: alarm
/// What a [`Waker`] and its loop share.
#[derive(Debug)]
pub(crate) struct Alarm {
    event: EventFd,
    /// Whether the loop has been told and has not looked yet.
    raised: AtomicBool,
    /// Number of [`Waker`]s outside of the loop.
    wakers: AtomicUsize,
}
// ANCHOR_END: alarm

impl Alarm {
    pub(crate) fn new() -> io::Result<Alarm> {
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        Ok(Alarm {
            event: EventFd::from_flags(flags)?,
            raised: AtomicBool::new(false),
            wakers: AtomicUsize::new(0),
        })
    }

    /// Lowers the alarm; true if it was raised. To be called before looking for
    /// what it was raised for: what comes after raises it again.
    pub(crate) fn lower(&self) -> bool {
        self.raised.swap(false, Ordering::AcqRel)
    }

    pub(crate) fn has_wakers(&self) -> bool {
        self.wakers.load(Ordering::Acquire) > 0
    }

    /// An edge: each write is one, whatever the counter says.
    fn ring(&self) {
        // EAGAIN is the one error, after 2^64 - 2 writes: some centuries.
        let _ = self.event.write(1);
    }
}

impl AsFd for Alarm {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.event.as_fd()
    }
}

/// Has a callback of a loop called, from any thread.
///
/// Wake-ups before the loop gets to them count as one, as with a flag; so put
/// the work in a queue first, then wake, and have the callback empty the queue.
/// The loop keeps running while a waker exists; after it has ended, waking does
/// nothing.
///
/// ```
/// use std::sync::mpsc;
/// use epoll_loop::EventLoop;
///
/// let (sender, receiver) = mpsc::channel();
/// let mut event_loop = EventLoop::new()?;
/// let waker = event_loop.waker(|received: &mut Vec<u32>, event_loop, _| {
///     received.push(7);
///     event_loop.stop(Ok(()));
/// })?;
/// let thread = std::thread::spawn(move || {
///     sender.send(7).expect("the receiver lives");
///     waker.wake();
/// });
/// let mut received = Vec::new();
/// event_loop.run(&mut received)?;
/// assert_eq!(received, [receiver.recv()?]);
/// # thread.join().unwrap();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Waker {
    alarm: Arc<Alarm>,
}

impl Waker {
    pub(crate) fn new(alarm: Arc<Alarm>) -> Waker {
        alarm.wakers.fetch_add(1, Ordering::Relaxed);
        Waker { alarm }
    }

    // ANCHOR: wake
    /// Has the callback called soon. What was written before this call is seen
    /// by the callback.
    pub fn wake(&self) {
        if !self.alarm.raised.swap(true, Ordering::AcqRel) {
            self.alarm.ring();
        }
    }
    // ANCHOR_END: wake
}

impl Clone for Waker {
    fn clone(&self) -> Waker {
        Waker::new(Arc::clone(&self.alarm))
    }
}

impl Drop for Waker {
    fn drop(&mut self) {
        if self.alarm.wakers.fetch_sub(1, Ordering::AcqRel) == 1 {
            // The last one: the loop may have nothing left to wait for.
            self.alarm.ring();
        }
    }
}
