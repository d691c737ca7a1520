//! What has happened until a turn calls: noted, and nobody called yet.
//!
//! Shows: events of the kernel, what was fed by hand, timers that are due and
//! idle watchers become pending, each watcher once for all that has happened to
//! it; an event for a watcher that has ended finds nobody.
//! Leaves out: the order in which they are called (`pending.rs`).

use nix::sys::epoll::EpollFlags;

use crate::EventLoop;
use crate::deadline::Deadline;
use crate::observer::Entry;
use crate::readiness::{Interest, Readiness, bits};
use crate::watchers::{Kind, Standing, WatcherId};

const ONE_SHOT: u32 = bits(EpollFlags::EPOLLONESHOT);

impl<S> EventLoop<S> {
    /// Notes what the kernel has reported; nobody is called yet.
    pub(crate) fn note_events(&mut self, count: usize) {
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
    pub(crate) fn note_fed(&mut self) {
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
    pub(crate) fn note_due_timers(&mut self) {
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

    pub(crate) fn note_idle(&mut self) {
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
}
