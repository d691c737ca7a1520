//! The clock of a loop, and timers on it.
//!
//! Shows: deadlines by the monotonic clock, which nobody sets; the time read
//! once a turn; a timer that repeats without drifting.
//! Leaves out: the heap that keeps the deadlines in order (`timers.rs`).

use std::cell::Cell;
use std::time::{Duration, Instant};

use crate::deadline::{Deadline, Period};
use crate::event_loop::{Callback, EventLoop};
use crate::observer::Entry;
use crate::readiness::Readiness;
use crate::watchers::{Kind, WatcherId};

/// What repeats does so at most once a millisecond, which is as fine as
/// `epoll_wait(2)` waits. Something due again at once would never let go of the
/// turn in which it is due.
pub(crate) const SHORTEST_PERIOD: Duration = Duration::from_millis(1);

impl<S> EventLoop<S> {
    // ANCHOR: clocks
    /// The time of this turn: read from the clock by its first use after the
    /// wait, and the same until the next wait.
    pub fn now(&self) -> Instant {
        self.origin.instant + self.time.get().since(self.origin.reading)
    }

    /// Calls `callback` once, `delay` from this moment or up to a millisecond
    /// later, and never earlier. The clock is read here.
    ///
    /// Not at once if the loop is at work: what has happened before the deadline
    /// is told first, and so is an event that comes within that millisecond.
    #[inline]
    pub fn after(&mut self, delay: Duration, callback: Callback<S>) -> WatcherId {
        // ANCHOR: after
        self.add_timer(Deadline::clock().plus(delay), None, callback)
        // ANCHOR_END: after
    }
    // ANCHOR_END: clocks

    /// Calls `callback` once, at `deadline` or up to a millisecond later.
    ///
    /// A deadline reckoned from [`EventLoop::now`] is as old as the batch. Timers
    /// with the same deadline are called in no order that means anything.
    pub fn at(&mut self, deadline: Instant, callback: Callback<S>) -> WatcherId {
        self.add_timer(self.origin.deadline(deadline), None, callback)
    }

    /// Calls `callback` each time `period` has passed, at least a millisecond.
    ///
    /// The deadlines are multiples of the period from this moment, so that
    /// they do not drift. Those that a long callback has made the loop miss are
    /// left out, not made up for.
    pub fn every(&mut self, period: Duration, callback: Callback<S>) -> WatcherId {
        let period = period.max(SHORTEST_PERIOD);
        let first = Deadline::clock().plus(period);
        self.add_timer(first, Some(Period::new(period)), callback)
    }

    // ANCHOR: push-out
    /// Moves the next deadline of a timer to `delay` after [`EventLoop::now`],
    /// which is at most one batch old. Returns false if the timer has ended.
    ///
    /// A timer that is due in this batch, and not called yet, is not called in
    /// it any more.
    ///
    /// For timers that are pushed out again and again and seldom fire: a later
    /// deadline is noted in constant time, without touching the heap.
    #[inline]
    pub fn push_out(&mut self, timer: WatcherId, delay: Duration) -> bool {
        let Some(watcher) = self.watchers.get_mut(timer) else {
            return false;
        };
        if !matches!(watcher.kind, Kind::Timer { .. }) {
            return false;
        }
        // It may be due in this batch already, and not be called yet.
        watcher.pending = watcher.pending.without(Readiness::TIMER);
        self.arm(timer, self.time.get().plus(delay));
        true
    }
    // ANCHOR_END: push-out

    /// Time from [`EventLoop::now`] until a timer is due; zero if it is due
    /// already, `None` if it has ended.
    #[must_use]
    pub fn remaining(&self, timer: WatcherId) -> Option<Duration> {
        let watcher = self.watchers.get(timer)?;
        if !matches!(watcher.kind, Kind::Timer { .. }) {
            return None;
        }
        let now = self.time.get();
        // One that is not armed has fired, and is called in this batch.
        let deadline = self.timers.deadline(timer.slot());
        Some(deadline.map_or(Duration::ZERO, |deadline| deadline.since(now)))
    }

    #[inline]
    fn add_timer(
        &mut self,
        deadline: Deadline,
        period: Option<Period>,
        callback: Callback<S>,
    ) -> WatcherId {
        let id = self.add(Kind::Timer { period }, callback);
        self.alive += 1;
        self.timers.move_up(id.slot(), deadline);
        self.observe_armed(id, deadline);
        id
    }

    #[inline]
    pub(crate) fn arm(&mut self, id: WatcherId, deadline: Deadline) {
        self.timers.set(id.slot(), deadline);
        self.observe_armed(id, deadline);
    }

    #[inline]
    fn observe_armed(&mut self, id: WatcherId, deadline: Deadline) {
        if self.observer.is_some() {
            self.tell_armed(id, deadline);
        }
    }

    #[cold]
    #[inline(never)]
    fn tell_armed(&mut self, id: WatcherId, deadline: Deadline) {
        let due_in = deadline.since(Deadline::clock());
        self.observe(&Entry::TimerSet { id, due_in });
    }
}

/// The time of a turn, once somebody has asked for it.
#[derive(Debug, Default)]
pub(crate) struct TurnTime(Cell<Option<Deadline>>);

impl TurnTime {
    // ANCHOR: turn-time
    /// The same until the next wait; the clock is read if this is the first use.
    #[inline]
    pub(crate) fn get(&self) -> Deadline {
        self.0.get().unwrap_or_else(|| {
            let time = Deadline::clock();
            self.0.set(Some(time));
            time
        })
    }
    // ANCHOR_END: turn-time

    /// After the wait: it is later than it was.
    #[inline]
    pub(crate) fn forget(&self) {
        self.0.set(None);
    }
}

/// One moment by both clocks, that of programs and that of the loop; they are
/// the same clock, and differ in how they count.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    instant: Instant,
    /// Taken after `instant`, so that a deadline is never early.
    reading: Deadline,
}

impl Origin {
    pub(crate) fn here() -> Origin {
        let instant = Instant::now();
        let reading = Deadline::clock();
        Origin { instant, reading }
    }

    /// `instant` as the loop reckons; one before the loop was made counts as
    /// the moment in which it was.
    fn deadline(&self, instant: Instant) -> Deadline {
        let since = instant.saturating_duration_since(self.instant);
        self.reading.plus(since)
    }
}
