//! How a loop is watched while it works.
//!
//! Shows: every step of the turn as a value, told to an [`Observer`]; without
//! one each step costs a branch. `Trace` is the observer behind `--trace`.

use std::os::fd::RawFd;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::Signal;

use crate::readiness::{Interest, Readiness};
use crate::watchers::WatcherId;

/// Is told what a loop does, as it does it.
///
/// Any closure that takes an [`Entry`] is an observer.
pub trait Observer {
    /// Takes note of one step. The loop waits meanwhile, so be quick.
    fn observe(&mut self, entry: &Entry);
}

impl<F: FnMut(&Entry)> Observer for F {
    fn observe(&mut self, entry: &Entry) {
        self(entry);
    }
}

/// A watched descriptor, as it is shown to people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name {
    /// Its number in this process.
    pub number: RawFd,
    /// The label of its watch.
    pub label: &'static str,
}

/// The system call that told the kernel of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `EPOLL_CTL_ADD`
    Add,
    /// `EPOLL_CTL_MOD`
    Modify,
    /// `EPOLL_CTL_DEL`
    Delete,
}

/// What a callback was called for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A watched descriptor.
    Descriptor(Name),
    /// A timer.
    Timer,
    /// A signal.
    Signal(Signal),
    /// The end of a child process.
    Child,
    /// A [`Waker`](crate::Waker).
    Waker,
    /// An idle, before-wait or after-wait watcher: the readiness tells which.
    Turn,
}

/// Why the loop chose the longest time that it waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitReason {
    /// Callbacks are due already: fed by hand, or left over from before.
    Pending,
    /// A regular file or the like is watched, which is always ready.
    AlwaysReady,
    /// An idle watcher wants to run.
    Idle,
    /// Until the next deadline.
    Timer(WatcherId),
    /// The limit given to [`EventLoop::turn`](crate::EventLoop::turn).
    Limit,
    /// For ever: only a descriptor or a signal can end the wait.
    Events,
    /// Nothing is left that could end the wait.
    Nothing,
}

/// One step of a loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Entry {
    /// A descriptor is watched from now on.
    Registered {
        /// Which.
        name: Name,
        /// What is asked for.
        interest: Interest,
        /// Whether it is a regular file or the like, that epoll refuses.
        always_ready: bool,
    },
    /// A watch asks for something else from the next wait on.
    ChangeNoted {
        /// Which.
        name: Name,
        /// What is asked for.
        interest: Interest,
    },
    /// The kernel was told of a change, by one system call.
    ChangeApplied {
        /// Which.
        name: Name,
        /// How.
        operation: Operation,
        /// What is asked for now.
        interest: Interest,
    },
    /// A change was undone before the kernel was told: no system call.
    ChangeSaved {
        /// Which.
        name: Name,
    },
    /// The kernel refused a change; the watch ends with an ERR event.
    ChangeRefused {
        /// Which.
        name: Name,
        /// Why.
        error: Errno,
    },
    /// The loop slept on purpose, to collect more events.
    Collected {
        /// For how long.
        slept: Duration,
    },
    /// `epoll_wait(2)` has returned.
    Waited {
        /// What it was given; `None` is for ever.
        timeout: Option<Duration>,
        /// Why.
        reason: WaitReason,
        /// How many descriptors are ready.
        events: usize,
        /// How long it took.
        took: Duration,
    },
    /// A callback has returned.
    Dispatched {
        /// What it was called for.
        source: Source,
        /// The name of the watcher.
        id: WatcherId,
        /// What it was told.
        readiness: Readiness,
        /// How long it took.
        took: Duration,
    },
    /// A timer was armed or moved by the program. What repeats, or is restarted
    /// by each event, is not told of each time.
    TimerSet {
        /// Which.
        id: WatcherId,
        /// Time until it is due.
        due_in: Duration,
    },
    /// A deadline has passed.
    TimerFired {
        /// Which.
        id: WatcherId,
        /// How long after the deadline the loop has noticed.
        late: Duration,
    },
    /// A watch has ended and the kernel knows; the loop's share in the
    /// descriptor is dropped next.
    Closed {
        /// Which.
        name: Name,
    },
}
