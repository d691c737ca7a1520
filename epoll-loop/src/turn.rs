//! One turn of the loop, step by step.
//!
//! Shows: before-wait watchers, the change list, the wait, timers that are due,
//! after-wait watchers, and the callbacks of what is ready, most urgent first
//! (the order of libev's `ev_run`).
//! Leaves out: how long the wait may be (`waiting.rs`).

use std::cell::Cell;
use std::io::{self, ErrorKind};
use std::rc::Rc;
use std::time::{Duration, Instant};

use nix::sys::epoll::EpollFlags;

use crate::event_loop::{Event, EventLoop};
use crate::observer::{Entry, Source};
use crate::readiness::{Interest, Readiness, bits};
use crate::timers::Deadline;
use crate::watchers::{Kind, Standing, WatcherId};

const ONE_SHOT: u32 = bits(EpollFlags::EPOLLONESHOT);

/// Marks the loop as running for as long as it lives; a panic drops it too.
struct Running(Rc<Cell<bool>>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

impl<S> EventLoop<S> {
    /// Takes turns until [`EventLoop::stop`] is called or nothing is left to
    /// wait for.
    ///
    /// Watched descriptors, timers, children, idle watchers and wakers keep the
    /// loop running; signals, before-wait and after-wait watchers do not. When
    /// nothing is left, what was dropped is closed before this returns.
    ///
    /// # Errors
    ///
    /// What [`EventLoop::stop`] was given; what `epoll_wait(2)` reports, but for
    /// `EINTR`; an error if it is called inside of a callback.
    pub fn run(&mut self, state: &mut S) -> io::Result<()> {
        // ANCHOR: run
        let _running = self.enter()?;
        loop {
            if let Some(result) = self.stopped.take() {
                return result;
            }
            if !self.has_work() {
                self.apply_changes();
                return Ok(());
            }
            self.take_turn(state, None)?;
        }
        // ANCHOR_END: run
    }

    /// Takes one turn, and waits for at most `limit` in it: `None` is as long
    /// as it takes, zero is not at all (libev's `EVRUN_ONCE`, `EVRUN_NOWAIT`).
    ///
    /// Without a limit it does not wait if nothing is left that
    /// [`EventLoop::run`] would wait for; with one it does, for a signal maybe.
    ///
    /// # Errors
    ///
    /// As [`EventLoop::run`].
    pub fn turn(&mut self, state: &mut S, limit: Option<Duration>) -> io::Result<()> {
        let _running = self.enter()?;
        if self.stopped.is_none() {
            let limit = limit.map(|limit| self.clock().plus(limit));
            self.take_turn(state, limit)?;
        }
        self.stopped.take().unwrap_or(Ok(()))
    }

    /// Has [`EventLoop::run`] return `result` when the callback that calls this
    /// has returned. Outside of `run`: the next one returns at once.
    ///
    /// Callbacks that are due and not called yet are called by the next run.
    pub fn stop(&mut self, result: io::Result<()>) {
        self.stopped = Some(result);
    }

    fn enter(&self) -> io::Result<Running> {
        if self.running.replace(true) {
            return Err(io::Error::new(
                ErrorKind::Deadlock,
                "the loop is running already",
            ));
        }
        Ok(Running(Rc::clone(&self.running)))
    }

    /// Whether anything may still happen.
    fn has_work(&mut self) -> bool {
        self.end_dropped();
        self.alive > 0 || !self.pending.is_empty() || !self.fed.is_empty()
    }

    // ANCHOR: until-the-wait
    fn take_turn(&mut self, state: &mut S, limit: Option<Deadline>) -> io::Result<()> {
        self.call_each(
            state,
            // ANCHOR: before-wait
            |event_loop| &event_loop.before_wait,
            Readiness::BEFORE_WAIT,
            // ANCHOR_END: before-wait
        );
        if self.stopped.is_some() {
            return Ok(());
        }
        // ANCHOR: reify
        self.apply_changes();
        // ANCHOR_END: reify
        if std::mem::take(&mut self.has_ghosts) {
            self.leave_ghosts_behind()?;
        }
        // Last, since all that goes before is traced.
        self.write_outputs();
        self.apply_noted();
        let ready = self.wait(limit)?;
        // ANCHOR_END: until-the-wait
        // ANCHOR: after-the-wait
        self.now.set(None);
        // ANCHOR: note
        self.note_events(ready);
        self.note_fed();
        self.note_due_timers();
        self.note_idle();
        // ANCHOR_END: note
        self.call_each(
            state,
            |event_loop| &event_loop.after_wait,
            Readiness::AFTER_WAIT,
        );
        self.call_pending(state);
        // ANCHOR_END: after-the-wait
        Ok(())
    }

    // ---- what has happened ----

    /// Notes what the kernel has reported; nobody is called yet.
    fn note_events(&mut self, count: usize) {
        for index in 0..count {
            let event = self.events[index];
            let id = WatcherId::from_token(event.data());
            // ANCHOR: ghost
            let Some(watcher) = self.watchers.get_mut(id) else {
                self.has_ghosts = true;
                continue;
            };
            // ANCHOR_END: ghost
            match &mut watcher.kind {
                Kind::Io(io) if io.standing == Standing::Ended => self.has_ghosts = true,
                Kind::Io(io) => {
                    if io.mode & ONE_SHOT != 0 {
                        io.standing = Standing::Disarmed;
                        io.registered = Some(ONE_SHOT);
                    }
                    self.make_pending(id, Readiness::from_kernel(event.events()));
                    self.restart_timeout(id);
                }
                // ANCHOR: woken
                Kind::Waker(alarm) => {
                    if alarm.lower() {
                        self.make_pending(id, Readiness::WOKEN);
                    // ANCHOR: has-wakers
                    } else if !alarm.has_wakers() {
                        self.end(id);
                        // ANCHOR_END: has-wakers
                    }
                }
                // ANCHOR_END: woken
                Kind::Child(_) => self.make_pending(id, Readiness::CHILD),
                Kind::SignalDescriptor => self.read_signals(),
                _ => {}
            }
        }
    }

    fn note_fed(&mut self) {
        let mut fed = std::mem::take(&mut self.fed);
        for (id, readiness) in fed.drain(..) {
            self.make_pending(id, readiness);
            self.restart_timeout(id);
        }
        self.fed = fed;
        for index in 0..self.always_ready.len() {
            let id = self.always_ready[index];
            let readiness = self.always_readiness(id);
            if readiness.is_empty() {
                continue;
            }
            self.make_pending(id, readiness);
            self.restart_timeout(id);
            if let Some(io) = self.watchers.io_mut(id)
                && io.mode & ONE_SHOT != 0
            {
                io.interest = Interest::NONE;
            }
        }
    }

    // ANCHOR: restart
    /// An event of a watch starts its timeout anew.
    fn restart_timeout(&mut self, id: WatcherId) {
        if let Some(io) = self.watchers.io(id)
            && let Some(timeout) = io.timeout
        {
            self.timers
                .set(id.slot(), self.deadline(self.now()).plus(timeout));
        }
    }
    // ANCHOR_END: restart

    pub(crate) fn always_readiness(&self, id: WatcherId) -> Readiness {
        let interest = self
            .watchers
            .io(id)
            .map_or(Interest::NONE, |io| io.interest);
        Readiness::always(interest)
    }

    fn note_due_timers(&mut self) {
        if self.timers.next().is_none() {
            return;
        }
        let now = self.deadline(self.now());
        // ANCHOR: due
        while let Some((deadline, slot)) = self.timers.pop_due(now) {
            let id = self.watchers.id_of(slot);
            self.observe(&Entry::TimerFired {
                id,
                late: now.since(deadline),
            });
            match self.watchers.get(id).map(|watcher| &watcher.kind) {
                Some(&Kind::Timer {
                    period: Some(period),
                }) => {
                    // ANCHOR: multiple
                    self.timers.set(slot, deadline.next_multiple(period, now));
                    // ANCHOR_END: multiple
                    self.make_pending(id, Readiness::TIMER);
                }
                Some(Kind::Timer { period: None }) => self.make_pending(id, Readiness::TIMER),
                Some(Kind::Io(io)) => {
                    if let Some(timeout) = io.timeout {
                        self.timers.set(slot, now.plus(timeout));
                        self.make_pending(id, Readiness::TIMEOUT);
                    }
                }
                _ => {}
            }
            // ANCHOR_END: due
        }
    }

    fn note_idle(&mut self) {
        if self.pending.is_empty() {
            for index in 0..self.idle.len() {
                self.make_pending(self.idle[index], Readiness::IDLE);
            }
        }
    }

    /// Has the callback of a watcher called later in this turn, once for all
    /// that has happened until then.
    #[inline]
    pub(crate) fn make_pending(&mut self, id: WatcherId, readiness: Readiness) {
        let Some(watcher) = self.watchers.get_mut(id) else {
            return;
        };
        if readiness.is_empty() {
            return;
        }
        if watcher.pending.is_empty() {
            self.pending.push(watcher.priority, id);
        }
        watcher.pending |= readiness;
    }

    /// Has the callback of a watcher not called in this turn for `readiness`,
    /// which is not true any more.
    pub(crate) fn take_back(&mut self, id: WatcherId, readiness: Readiness) {
        if let Some(watcher) = self.watchers.get_mut(id) {
            watcher.pending = watcher.pending.without(readiness);
        }
    }

    // ---- the callbacks ----

    // ANCHOR: call-pending
    /// Calls what is pending. Whatever a callback ends is not called any more.
    fn call_pending(&mut self, state: &mut S) {
        while self.stopped.is_none()
            && let Some(id) = self.pending.pop()
        {
            // ANCHOR: dropped-meanwhile
            if !self.dropped.is_empty() {
                self.end_dropped();
            }
            let Some(watcher) = self.watchers.get_mut(id) else {
                continue;
            };
            // ANCHOR_END: dropped-meanwhile
            let readiness = std::mem::take(&mut watcher.pending);
            if !readiness.is_empty() {
                self.call(state, id, readiness);
            }
        }
    }
    // ANCHOR_END: call-pending

    /// Calls the watchers of one list, in the order in which they were added.
    fn call_each(
        &mut self,
        state: &mut S,
        list: fn(&Self) -> &Vec<WatcherId>,
        readiness: Readiness,
    ) {
        // A copy, since callbacks may add to the list and take from it.
        let mut ids = std::mem::take(&mut self.called);
        ids.clear();
        ids.extend_from_slice(list(self));
        for &id in &ids {
            if self.stopped.is_none() {
                self.call(state, id, readiness);
            }
        }
        self.called = ids;
    }

    #[inline]
    fn call(&mut self, state: &mut S, id: WatcherId, readiness: Readiness) {
        let Some(watcher) = self.watchers.get(id) else {
            return;
        };
        let callback = watcher.callback;
        let is_last = match &watcher.kind {
            // Not if they were only fed.
            Kind::Timer { period: None } => readiness.intersects(Readiness::TIMER),
            Kind::Child(_) => readiness.intersects(Readiness::CHILD),
            Kind::Waker(alarm) => !alarm.has_wakers(),
            _ => false,
        };
        let observed = self
            .observer
            .is_some()
            .then(|| (self.source(id), Instant::now()));
        if is_last {
            self.end(id);
        }
        callback(state, self, Event { id, readiness });
        if let Some((Some(source), begin)) = observed {
            let took = begin.elapsed();
            self.observe(&Entry::Dispatched {
                source,
                id,
                readiness,
                took,
            });
        }
    }

    /// What a watcher stands for; none if it is not to be shown.
    fn source(&self, id: WatcherId) -> Option<Source> {
        match &self.watchers.get(id)?.kind {
            Kind::Io(io) => (!io.background).then(|| Source::Descriptor(io.name())),
            Kind::Timer { .. } => Some(Source::Timer),
            &Kind::Signal(signal) => Some(Source::Signal(signal)),
            Kind::Child(_) => Some(Source::Child),
            Kind::Waker(_) => Some(Source::Waker),
            Kind::Idle | Kind::BeforeWait | Kind::AfterWait => Some(Source::Turn),
            Kind::SignalDescriptor | Kind::Vacant => None,
        }
    }
}
