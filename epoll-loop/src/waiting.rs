//! The wait of a turn: how long it may take, and why.
//!
//! Shows: a timeout that is rounded up, never down; `EINTR` answered with the
//! time that is left; a pause in front of the wait, in which events collect.
//! Leaves out: what is done with the events (`turn.rs`).

use std::io;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::PollTimeout;

use crate::EventLoop;
use crate::deadline::Deadline;
use crate::observer::{Entry, WaitReason};

impl<S> EventLoop<S> {
    /// Waits for events; an interrupted wait is taken up again, with the time
    /// that is left.
    ///
    /// If there are timers, [`EventLoop::passed`] is then a moment that has
    /// passed for certain, by which they are due or not: that of the clock before
    /// the wait, or later by the timeout if nothing else has ended the wait. To
    /// read the clock again after an event would nearly always find nothing due,
    /// and the next turn reads it anyway.
    pub(crate) fn wait(&mut self, limit: Option<Deadline>) -> io::Result<usize> {
        loop {
            let (mut until, mut reason) = self.next_deadline(limit);
            if until != Until::Now && !self.collect_interval.is_zero() {
                self.collect(until);
                (until, reason) = self.next_deadline(limit);
            }
            // ANCHOR: clock
            // Once a turn; again only for what repeats or restarts by itself.
            if self.timers.any() || limit.is_some() {
                self.passed = Deadline::clock();
            }
            let timeout = Self::poll_timeout(until, self.passed);
            // ANCHOR_END: clock
            // ANCHOR: wait
            let begin = self.observer.is_some().then(Instant::now);
            match self.epoll.wait(&mut self.events, timeout) {
                Ok(events) => {
                    // ANCHOR: passed
                    if events == 0
                        && let Some(waited) = finite(timeout)
                    {
                        self.passed = self.passed.plus(waited);
                    }
                    // ANCHOR_END: passed
                    if let Some(begin) = begin {
                        let (timeout, took) = (finite(timeout), begin.elapsed());
                        self.observe(&Entry::Waited {
                            timeout,
                            reason,
                            events,
                            took,
                        });
                    }
                    if !self.collect_interval.is_zero() {
                        self.last_wait = Some(Deadline::clock());
                    }
                    return Ok(events);
                }
                // ANCHOR: eintr
                Err(Errno::EINTR) => {}
                // ANCHOR_END: eintr
                Err(err) => return Err(err.into()),
            }
            // ANCHOR_END: wait
        }
    }

    /// How long the loop may wait at most, and why.
    #[inline]
    fn next_deadline(&mut self, limit: Option<Deadline>) -> (Until, WaitReason) {
        // ANCHOR: due-now
        // What has been left pending by `stop`, or fed by hand, is due now.
        if !self.pending.is_empty() || !self.fed.is_empty() {
            return (Until::Now, WaitReason::Pending);
        }
        // A before-wait watcher may have ended the last one.
        if self.alive == 0 && limit.is_none() {
            return (Until::Now, WaitReason::Nothing);
        }
        if !self.idle.is_empty() {
            return (Until::Now, WaitReason::Idle);
        }
        if self
            .always_ready
            .iter()
            .any(|&id| !self.always_readiness(id).is_empty())
        {
            return (Until::Now, WaitReason::AlwaysReady);
        }
        // ANCHOR_END: due-now
        // ANCHOR: until
        match (self.timers.next(), limit) {
            (Some((deadline, slot)), None) => (
                Until::At(deadline),
                WaitReason::Timer(self.watchers.id_of(slot)),
            ),
            (Some((deadline, slot)), Some(limit)) if deadline < limit => (
                Until::At(deadline),
                WaitReason::Timer(self.watchers.id_of(slot)),
            ),
            (_, Some(limit)) => (Until::At(limit), WaitReason::Limit),
            (None, None) => (Until::Ever, WaitReason::Events),
        }
        // ANCHOR_END: until
    }

    /// The timeout of `epoll_wait(2)`: rounded up to whole milliseconds, since
    /// rounded down it would return just before the deadline, again and again.
    // ANCHOR: rounding
    fn poll_timeout(until: Until, now: Deadline) -> PollTimeout {
        match until {
            Until::Now => PollTimeout::ZERO,
            Until::Ever => PollTimeout::NONE,
            Until::At(deadline) => {
                let milliseconds = deadline.since(now).as_nanos().div_ceil(1_000_000);
                PollTimeout::try_from(milliseconds).unwrap_or(PollTimeout::MAX)
            }
        }
    }
    // ANCHOR_END: rounding

    /// Sleeps until the collect interval since the last wait is over, but never
    /// past `until`.
    fn collect(&mut self, until: Until) {
        let Some(last_wait) = self.last_wait else {
            return;
        };
        // ANCHOR: collect
        let mut end = last_wait.plus(self.collect_interval);
        if let Until::At(deadline) = until {
            end = end.min(deadline);
        }
        let begin = Deadline::clock();
        if end <= begin {
            return;
        }
        // Interrupted by a signal it sleeps on for what is left.
        std::thread::sleep(end.since(begin));
        let slept = Deadline::clock().since(begin);
        self.observe(&Entry::Collected { slept });
        // ANCHOR_END: collect
    }
}

/// The time that a timeout stands for; none is for ever.
fn finite(timeout: PollTimeout) -> Option<Duration> {
    // nix's own conversion panics at -1.
    if timeout.is_none() {
        None
    } else {
        timeout.duration()
    }
}

/// How long a wait may last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Until {
    Now,
    At(Deadline),
    Ever,
}
