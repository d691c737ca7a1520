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

use crate::deadline::Deadline;
use crate::event_loop::{Callback, Event, EventLoop};
use crate::observer::{Entry, Source};
use crate::readiness::{Interest, Readiness, bits};
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
            if self.stopped.is_some()
                && let Some(result) = self.stopped.take()
            {
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
            let limit = limit.map(|limit| Deadline::clock().plus(limit));
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
        let ready = self.wait(limit)?;
        // ANCHOR_END: until-the-wait
        // ANCHOR: after-the-wait
        self.time.forget();
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
        // Out of the loop meanwhile, so that it may be changed.
        let events = std::mem::take(&mut self.events);
        for event in &events[..count] {
            let id = WatcherId::from_token(event.data());
            // ANCHOR: ghost
            let Some(watcher) = self.watchers.get_mut(id) else {
                self.has_ghosts = true;
                continue;
            };
            // ANCHOR_END: ghost
            let Kind::Io(io) = &mut watcher.kind else {
                self.note_event_of_loop(id);
                continue;
            };
            if io.standing == Standing::Ended {
                self.has_ghosts = true;
                continue;
            }
            if io.mode & ONE_SHOT != 0 {
                io.standing = Standing::Disarmed;
                io.registered = Some(ONE_SHOT);
            }
            // ANCHOR: restart
            // An event of a watch starts its timeout anew.
            if let Some(timeout) = io.timeout {
                self.timers.set(id.slot(), self.time.get().plus(timeout));
            }
            // ANCHOR_END: restart
            let readiness = Readiness::from_kernel(event.events());
            self.pending.note(watcher, id, readiness);
        }
        self.events = events;
    }

    /// The event is of a descriptor that the loop has made for a watcher.
    fn note_event_of_loop(&mut self, id: WatcherId) {
        match self.watchers.get(id).map(|watcher| &watcher.kind) {
            // ANCHOR: woken
            Some(Kind::Waker(alarm)) => {
                if alarm.lower() {
                    self.make_pending(id, Readiness::WOKEN);
                // ANCHOR: has-wakers
                } else if !alarm.has_wakers() {
                    self.end(id);
                    // ANCHOR_END: has-wakers
                }
            }
            // ANCHOR_END: woken
            Some(Kind::Child(_)) => self.make_pending(id, Readiness::CHILD),
            Some(Kind::SignalDescriptor) => self.read_signals(),
            _ => {}
        }
    }

    #[inline]
    fn note_fed(&mut self) {
        if !self.fed.is_empty() || !self.always_ready.is_empty() {
            self.note_each_fed();
        }
    }

    fn note_each_fed(&mut self) {
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

    /// What is fed or always ready starts the timeout anew as an event does.
    fn restart_timeout(&mut self, id: WatcherId) {
        if let Some(io) = self.watchers.io(id)
            && io.standing != Standing::Ended
            && let Some(timeout) = io.timeout
        {
            self.timers.set(id.slot(), self.time.get().plus(timeout));
        }
    }

    pub(crate) fn always_readiness(&self, id: WatcherId) -> Readiness {
        let interest = self
            .watchers
            .io(id)
            .map_or(Interest::NONE, |io| io.interest);
        Readiness::always(interest)
    }

    // ANCHOR: due
    /// Notes the timers whose deadlines have passed, the earliest first.
    #[inline]
    fn note_due_timers(&mut self) {
        if self.timers.may_be_due(self.passed) {
            self.note_each_due_timer();
        }
    }

    fn note_each_due_timer(&mut self) {
        let mut due = std::mem::take(&mut self.due);
        self.timers.take_due(self.passed, &mut due);
        for &(deadline, slot) in &due {
            self.note_due_timer(slot, deadline);
        }
        // Behind all of them: an observer that panics must lose none.
        if self.observer.is_some() {
            self.observe_due(&due);
        }
        due.clear();
        self.due = due;
    }
    // ANCHOR_END: due

    #[inline]
    fn note_due_timer(&mut self, slot: u32, deadline: Deadline) {
        // ANCHOR: due-one
        let (id, watcher) = self.watchers.in_slot(slot);
        let mut what = Readiness::TIMER;
        if let Kind::Timer { period } = watcher.kind {
            if let Some(period) = period {
                // ANCHOR: multiple
                let next = deadline.next_multiple(period, self.time.get());
                self.timers.set(slot, next);
                // ANCHOR_END: multiple
            }
        } else if let Kind::Io(io) = &watcher.kind
            && let Some(timeout) = io.timeout
        {
            self.timers.set(slot, self.time.get().plus(timeout));
            what = Readiness::TIMEOUT;
        }
        self.pending.note(watcher, id, what);
        // ANCHOR_END: due-one
    }

    #[cold]
    fn observe_due(&mut self, due: &[(Deadline, u32)]) {
        for &(deadline, slot) in due {
            let id = self.watchers.id_of(slot);
            let late = self.time.get().since(deadline);
            self.observe(&Entry::TimerFired { id, late });
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
        if !readiness.is_empty()
            && let Some(watcher) = self.watchers.get_mut(id)
        {
            self.pending.note(watcher, id, readiness);
        }
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
            self.end_dropped();
            let Some(watcher) = self.watchers.get_mut(id) else {
                continue;
            };
            // ANCHOR_END: dropped-meanwhile
            let readiness = std::mem::take(&mut watcher.pending);
            if !readiness.is_empty() {
                let is_last = watcher.is_last_call(readiness);
                let callback = watcher.callback;
                self.call(state, callback, Event { id, readiness }, is_last);
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
        if list(self).is_empty() {
            return;
        }
        // A copy, since callbacks may add to the list and take from it.
        let mut ids = std::mem::take(&mut self.called);
        ids.clear();
        ids.extend_from_slice(list(self));
        for &id in &ids {
            if self.stopped.is_none()
                && let Some(watcher) = self.watchers.get(id)
            {
                self.call(state, watcher.callback, Event { id, readiness }, false);
            }
        }
        self.called = ids;
    }

    /// Calls a callback; a watcher for which it is the last one has ended then.
    #[inline]
    fn call(&mut self, state: &mut S, callback: Callback<S>, event: Event, is_last: bool) {
        let source = match &self.observer {
            Some(_) => self.source(event.id),
            None => None,
        };
        if is_last {
            self.end(event.id);
        }
        match source {
            None => callback(state, self, event),
            Some(source) => self.call_observed(state, callback, event, source),
        }
    }

    #[cold]
    #[inline(never)]
    fn call_observed(
        &mut self,
        state: &mut S,
        callback: Callback<S>,
        event: Event,
        source: Source,
    ) {
        let begin = Instant::now();
        callback(state, self, event);
        self.observe(&Entry::Dispatched {
            source,
            id: event.id,
            readiness: event.readiness,
            took: begin.elapsed(),
        });
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
