//! The loop: what it is made of, and how watchers are added and ended.
//!
//! Shows: one table for watchers of every kind; callbacks that are plain
//! functions on the user's state, so that one may add or end watchers, itself
//! included, with no `Rc<RefCell>` around anything.

use std::cell::Cell;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, AsRawFd};
use std::process::Child;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use nix::sys::epoll::{EpollEvent, EpollFlags};

use crate::changes::{Changes, Holder};
use crate::deadline::Deadline;
use crate::epoll::Epoll;
use crate::observer::{Entry, Observer};
use crate::output::OutputWatch;
use crate::pending::PendingQueues;
use crate::readiness::{Interest, Readiness, bits};
use crate::signals::Signals;
use crate::time::{Origin, SHORTEST_PERIOD, TurnTime};
use crate::timers::Timers;
use crate::waker::{Alarm, Waker};
use crate::watch::{Dropped, Watch, Watched};
use crate::watchers::{Io, Kind, Priority, Standing, WatcherId, Watchers};

/// How many events one `epoll_wait(2)` takes at most. What is ready beyond
/// them comes first in the next turn, since the kernel's list rotates.
const MAX_EVENTS: usize = 1_024;

// ANCHOR: callback
/// A function that a watcher calls: usually a method of the state.
pub type Callback<S> = fn(&mut S, &mut EventLoop<S>, Event);

/// Why a callback is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// The watcher that calls: the key to whatever the state keeps for it.
    pub id: WatcherId,
    /// What has happened.
    pub readiness: Readiness,
}
// ANCHOR_END: callback

/// An event loop on `epoll(7)`, for a program whose state is `S`.
///
/// The [crate's front page](crate) has an example. A loop belongs to the thread
/// that made it.
pub struct EventLoop<S> {
    pub(crate) epoll: Epoll,
    pub(crate) watchers: Watchers<S>,
    pub(crate) changes: Changes,
    /// Whether the instance reports what is not watched any more.
    pub(crate) has_ghosts: bool,
    pub(crate) dropped: Rc<Dropped>,
    pub(crate) timers: Timers,
    /// A moment that has passed for certain; see [`EventLoop::wait`].
    pub(crate) passed: Deadline,
    /// Scratch space for the timers that are due.
    pub(crate) due: Vec<(Deadline, u32)>,
    pub(crate) pending: PendingQueues,
    /// Fed by hand: pending from the next turn on.
    pub(crate) fed: Vec<(WatcherId, Readiness)>,
    pub(crate) always_ready: Vec<WatcherId>,
    pub(crate) idle: Vec<WatcherId>,
    pub(crate) before_wait: Vec<WatcherId>,
    pub(crate) after_wait: Vec<WatcherId>,
    /// Scratch space for calling one of these lists.
    pub(crate) called: Vec<WatcherId>,
    pub(crate) signals: Option<Signals>,
    pub(crate) outputs: Vec<OutputWatch>,
    /// Watchers that keep [`EventLoop::run`] from returning.
    pub(crate) alive: usize,
    pub(crate) stopped: Option<io::Result<()>>,
    pub(crate) running: Rc<Cell<bool>>,
    pub(crate) collect_interval: Duration,
    pub(crate) last_wait: Option<Deadline>,
    pub(crate) events: Vec<EpollEvent>,
    pub(crate) observer: Option<Box<dyn Observer>>,
    pub(crate) origin: Origin,
    pub(crate) time: TurnTime,
}

impl<S> EventLoop<S> {
    /// Makes a loop that watches nothing yet.
    ///
    /// # Errors
    ///
    /// What `epoll_create1(2)` reports: `EMFILE`, `ENFILE`, `ENOMEM`.
    pub fn new() -> io::Result<EventLoop<S>> {
        Ok(EventLoop {
            epoll: Epoll::new()?,
            watchers: Watchers::new(),
            changes: Changes::default(),
            has_ghosts: false,
            dropped: Rc::default(),
            timers: Timers::default(),
            passed: Deadline::default(),
            due: Vec::new(),
            pending: PendingQueues::default(),
            fed: Vec::new(),
            always_ready: Vec::new(),
            idle: Vec::new(),
            before_wait: Vec::new(),
            after_wait: Vec::new(),
            called: Vec::new(),
            signals: None,
            outputs: Vec::new(),
            alive: 0,
            stopped: None,
            running: Rc::default(),
            collect_interval: Duration::ZERO,
            last_wait: None,
            events: vec![EpollEvent::empty(); MAX_EVENTS],
            observer: None,
            origin: Origin::here(),
            time: TurnTime::default(),
        })
    }

    // ---- descriptors ----

    /// Watches `io` and calls `callback` when it is ready.
    ///
    /// Level-triggered unless `watch` says otherwise: the callback runs again
    /// in every turn until the readiness is used up. Dropping the result ends
    /// the watch at once, and closes `io` between this batch of events and the
    /// next. A regular file or `/dev/null`, which epoll refuses, is always
    /// ready, as with `select(2)` and `poll(2)`. To read without blocking is up
    /// to the callback: make the descriptor non-blocking.
    ///
    /// A descriptor has one watch: two that ask for different things would each
    /// have to be asked what the other wants before anything is changed, and
    /// "which of them closes it?" has no good answer. (libev allows several.)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::AlreadyExists`] if the descriptor is watched already; else
    /// what `epoll_ctl(2)` reports, e.g. `ENOSPC` at the limit
    /// `fs.epoll.max_user_watches`.
    pub fn watch<T: AsFd + 'static>(
        &mut self,
        io: T,
        watch: impl Into<Watch>,
        callback: Callback<S>,
    ) -> io::Result<Watched<T>> {
        self.watch_as(io, watch.into(), callback, false)
    }

    /// As [`EventLoop::watch`]; one in the `background` is the loop's own.
    pub(crate) fn watch_as<T: AsFd + 'static>(
        &mut self,
        io: T,
        watch: Watch,
        callback: Callback<S>,
        background: bool,
    ) -> io::Result<Watched<T>> {
        // A guard dropped just now may have left this very number free.
        self.end_dropped();
        let number = io.as_fd().as_raw_fd();
        if let Holder::Watch(id) = self.changes.holder(number)
            && let Some(other) = self.watchers.io(id)
        {
            let message = format!(
                "descriptor {number} is watched already as {:?}",
                other.label
            );
            return Err(io::Error::new(ErrorKind::AlreadyExists, message));
        }
        let io = Rc::new(io);
        let share: Rc<dyn AsFd> = Rc::<T>::clone(&io);
        let kind = Kind::Io(Box::new(Io {
            descriptor: share,
            number,
            interest: watch.interest,
            mode: watch.mode,
            registered: None,
            noted: false,
            standing: Standing::Normal,
            timeout: watch.timeout,
            label: watch.label,
            background,
        }));
        let priority = Priority::new(watch.priority);
        let id = self.watchers.insert(kind, callback, priority);
        match self.register(id) {
            Ok(true) => self.always_ready.push(id),
            Ok(false) => {}
            Err(err) => {
                self.watchers.remove(id);
                return Err(err.into());
            }
        }
        self.alive += usize::from(!background);
        self.observe_registered(id);
        if let Some(timeout) = watch.timeout {
            self.arm(id, Deadline::clock().plus(timeout));
        }
        Ok(Watched::new(io, id, Rc::clone(&self.dropped)))
    }

    fn observe_registered(&mut self, id: WatcherId) {
        if let Some(observer) = &mut self.observer
            && let Some(io) = self.watchers.io(id)
            && !io.background
        {
            let (name, interest) = (io.name(), io.interest);
            let always_ready = io.standing == Standing::AlwaysReady;
            observer.observe(&Entry::Registered {
                name,
                interest,
                always_ready,
            });
        }
    }

    pub(crate) fn watches(&self, dropped: &Rc<Dropped>) -> bool {
        Rc::ptr_eq(&self.dropped, dropped)
    }

    pub(crate) fn interest(&self, id: WatcherId) -> Interest {
        match self.watchers.io(id) {
            Some(io) if io.standing != Standing::Disarmed => io.interest,
            _ => Interest::NONE,
        }
    }

    pub(crate) fn set_interest(&mut self, id: WatcherId, interest: Interest) {
        let Some(io) = self.watchers.io_mut(id) else {
            return;
        };
        match io.standing {
            // It hears nothing anyway.
            Standing::Ended => return,
            Standing::Disarmed if interest == Interest::NONE => return,
            Standing::Disarmed => io.standing = Standing::Normal,
            Standing::Normal | Standing::AlwaysReady if io.interest == interest => return,
            Standing::Normal | Standing::AlwaysReady => {}
        }
        io.interest = interest;
        self.changes.note(io, id);
        if self.observer.is_some() {
            self.observe_noted(id);
        }
    }

    pub(crate) fn set_timeout(&mut self, id: WatcherId, timeout: Option<Duration>) {
        let Some(io) = self.watchers.io_mut(id) else {
            return;
        };
        if io.standing == Standing::Ended {
            return;
        }
        let timeout = timeout.map(|timeout| timeout.max(SHORTEST_PERIOD));
        io.timeout = timeout;
        self.take_back(id, Readiness::TIMEOUT);
        match timeout {
            Some(timeout) => self.arm(id, Deadline::clock().plus(timeout)),
            None => self.timers.remove(id.slot()),
        }
    }

    /// Ends a watch now; its descriptor is then nobody's but the caller's.
    pub(crate) fn release(&mut self, id: WatcherId) -> io::Result<()> {
        match self.remove(id) {
            Some(Kind::Io(io)) => Ok(self.release_now(id, &io)?),
            _ => Ok(()),
        }
    }

    /// Makes a watcher pending by hand: its callback is called in the next
    /// turn, which does not wait. Returns false if the watcher has ended.
    ///
    /// This is how a callback that has used up its byte budget comes back to
    /// the rest after everybody else has had his turn; under edge triggering
    /// there is no other way.
    pub fn feed(&mut self, id: WatcherId, readiness: Readiness) -> bool {
        let alive = match self.watchers.get(id).map(|watcher| &watcher.kind) {
            Some(Kind::Io(io)) => io.standing != Standing::Ended,
            Some(_) => true,
            None => false,
        };
        if alive && !readiness.is_empty() {
            self.fed.push((id, readiness));
        }
        alive
    }

    /// Waits this long between two looks at the kernel, so that events collect
    /// and are handled together: fewer turns, at the price of delay. Timers are
    /// not delayed. Zero, the default: not at all.
    ///
    /// A signal that interrupts the sleep does not end it. (libev's `ev_sleep`
    /// returns early then, so that its callbacks run sooner than asked for.)
    pub fn set_collect_interval(&mut self, interval: Duration) {
        self.collect_interval = interval;
    }

    // ---- other watchers ----

    /// Calls `callback` when `child` has ended and `child.wait()` does not
    /// block. Once; the child itself stays with its owner, who has to wait for
    /// it, since a child nobody waits for stays a zombie.
    ///
    /// # Errors
    ///
    /// What `pidfd_open(2)` and `epoll_ctl(2)` report; `ESRCH` for a child that
    /// was waited for already.
    pub fn on_exit(&mut self, child: &Child, callback: Callback<S>) -> io::Result<WatcherId> {
        // ANCHOR: on-exit
        let pid = rustix::process::Pid::from_child(child);
        // ANCHOR: pidfd
        let descriptor = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty())?;
        // ANCHOR_END: pidfd
        let id = self.add(Kind::Child(descriptor), callback);
        let added = match self.watchers.get(id).map(|watcher| &watcher.kind) {
            Some(Kind::Child(descriptor)) => {
                self.epoll.add(descriptor, bits(EpollFlags::EPOLLIN), id)
            }
            _ => Ok(()),
        };
        if let Err(err) = added {
            self.watchers.remove(id);
            return Err(err.into());
        }
        self.alive += 1;
        // ANCHOR_END: on-exit
        Ok(id)
    }

    /// Makes a [`Waker`], by which other threads have `callback` called.
    ///
    /// It keeps [`EventLoop::run`] from returning for as long as it or a clone
    /// of it exists.
    ///
    /// # Errors
    ///
    /// What `eventfd(2)` and `epoll_ctl(2)` report.
    pub fn waker(&mut self, callback: Callback<S>) -> io::Result<Waker> {
        let alarm = Arc::new(Alarm::new()?);
        let id = self.add(Kind::Waker(Arc::clone(&alarm)), callback);
        let wanted = bits(EpollFlags::EPOLLIN | EpollFlags::EPOLLET);
        if let Err(err) = self.epoll.add(&alarm, wanted, id) {
            self.watchers.remove(id);
            return Err(err.into());
        }
        self.alive += 1;
        Ok(Waker::new(alarm))
    }

    /// Calls `callback` in every turn that has nothing else to do; the loop
    /// does not wait meanwhile.
    pub fn when_idle(&mut self, callback: Callback<S>) -> WatcherId {
        let id = self.add(Kind::Idle, callback);
        self.alive += 1;
        self.idle.push(id);
        id
    }

    /// Calls `callback` at the start of every turn, before changes are told to
    /// the kernel (libev's prepare watcher).
    pub fn before_wait(&mut self, callback: Callback<S>) -> WatcherId {
        let id = self.add(Kind::BeforeWait, callback);
        self.before_wait.push(id);
        id
    }

    /// Calls `callback` in every turn after the wait, before the callbacks of
    /// what is ready (libev's check watcher).
    pub fn after_wait(&mut self, callback: Callback<S>) -> WatcherId {
        let id = self.add(Kind::AfterWait, callback);
        self.after_wait.push(id);
        id
    }

    pub(crate) fn add(&mut self, kind: Kind, callback: Callback<S>) -> WatcherId {
        self.watchers.insert(kind, callback, Priority::NORMAL)
    }

    /// Sets which of the events of one turn are told first; see
    /// [`Watch::priority`]. Returns false if the watcher has ended.
    pub fn set_priority(&mut self, id: WatcherId, priority: i8) -> bool {
        let Some(watcher) = self.watchers.get_mut(id) else {
            return false;
        };
        watcher.priority = Priority::new(priority);
        true
    }

    // ---- the observer ----

    /// Has `observer` told of everything the loop does from here on; `None`
    /// ends that.
    pub fn set_observer(&mut self, observer: Option<Box<dyn Observer>>) {
        self.observer = observer;
    }

    pub(crate) fn observe(&mut self, entry: &Entry) {
        if let Some(observer) = &mut self.observer {
            observer.observe(entry);
        }
    }
}

impl<S> AsFd for EventLoop<S> {
    /// The epoll instance itself: readable when a watched descriptor is ready.
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.epoll.as_fd()
    }
}

impl<S> std::fmt::Debug for EventLoop<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventLoop")
            .field("epoll", &self.epoll)
            .field("alive", &self.alive)
            .finish_non_exhaustive()
    }
}
