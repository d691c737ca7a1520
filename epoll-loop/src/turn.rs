//! One turn of the loop, step by step.
//!
//! Shows: before-wait watchers, the change list, the wait, timers that are due,
//! after-wait watchers, and the callbacks of what is ready, most urgent first
//! (the order of libev's `ev_run`).
//! Leaves out: how long the wait may be (`waiting.rs`), and how what has
//! happened is noted (`noting.rs`).

use std::cell::Cell;
use std::io::{self, ErrorKind};
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::deadline::Deadline;
use crate::event_loop::{Callback, Event, EventLoop};
use crate::observer::{Entry, Source};
use crate::readiness::Readiness;
use crate::watchers::{Kind, WatcherId};

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
