//! Watching a descriptor, and the guard that ends the watch.
//!
//! Shows: the watch owns what it watches. The descriptor is closed only after
//! the kernel has been told, so its number cannot be given to somebody else
//! while events for it are still on their way.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::io;
use std::ops::Deref;
use std::os::fd::AsFd;
use std::rc::Rc;
use std::time::Duration;

use nix::sys::epoll::EpollFlags;

use crate::EventLoop;
use crate::readiness::{Interest, bits};
use crate::time::SHORTEST_PERIOD;
use crate::watchers::WatcherId;

/// How a descriptor is to be watched; an [`Interest`] alone will often do.
///
/// ```
/// use std::time::Duration;
/// use epoll_loop::{Interest, Watch};
///
/// let watch = Watch::new(Interest::READABLE)
///     .label("peer")
///     .timeout(Duration::from_secs(60));
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Watch {
    pub(crate) interest: Interest,
    pub(crate) mode: u32,
    pub(crate) priority: i8,
    pub(crate) timeout: Option<Duration>,
    pub(crate) label: &'static str,
}

impl Watch {
    /// Level-triggered: the callback runs in every turn until the readiness is
    /// used up.
    pub fn new(interest: Interest) -> Watch {
        Watch {
            interest,
            mode: 0,
            priority: 0,
            timeout: None,
            label: "descriptor",
        }
    }

    /// Edge-triggered: an event says that something has happened since the last
    /// one, not what is true now.
    ///
    /// Read or write until `WouldBlock`, or [`feed`](EventLoop::feed) the watch
    /// to come back to the rest: no further event announces it.
    pub fn edge(mut self) -> Watch {
        self.mode |= bits(EpollFlags::EPOLLET);
        self
    }

    /// Disarmed by its event, until [`Watched::set_interest`] arms it again.
    ///
    /// A disarmed watch hears nothing, not even that the peer was reset.
    pub fn one_shot(mut self) -> Watch {
        self.mode |= bits(EpollFlags::EPOLLONESHOT);
        self
    }

    /// Which of the events of one turn are told first: 2 before 1 before 0,
    /// down to -2. What lies outside of that range is cut to it.
    pub fn priority(mut self, priority: i8) -> Watch {
        self.priority = priority;
        self
    }

    /// Calls the callback with [`TIMEOUT`](crate::Readiness::TIMEOUT) when this
    /// long, at least a millisecond, has passed since the last event, and again
    /// each time it passes.
    pub fn timeout(mut self, timeout: Duration) -> Watch {
        self.timeout = Some(timeout.max(SHORTEST_PERIOD));
        self
    }

    /// The name under which an observer sees the watch.
    pub fn label(mut self, label: &'static str) -> Watch {
        self.label = label;
        self
    }
}

impl From<Interest> for Watch {
    fn from(interest: Interest) -> Watch {
        Watch::new(interest)
    }
}

// ANCHOR: dropped
/// The names of watches whose guards were dropped since the loop last looked.
///
/// A guard cannot reach its loop when it is dropped, so it leaves a note here.
/// Nobody holds the borrow while user code runs.
#[derive(Debug, Default)]
pub(crate) struct Dropped {
    ids: RefCell<Vec<WatcherId>>,
    /// Whether there are any: asked before each callback, and quicker to answer.
    any: Cell<bool>,
}

impl Dropped {
    fn note(&self, id: WatcherId) {
        self.ids.borrow_mut().push(id);
        self.any.set(true);
    }
    // ANCHOR_END: dropped

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        !self.any.get()
    }

    pub(crate) fn pop(&self) -> Option<WatcherId> {
        let id = self.ids.borrow_mut().pop();
        self.any.set(id.is_some());
        id
    }
}

/// A watched I/O object: gives access to the object, and ends the watch when
/// it is dropped.
///
/// From that moment the callback is not called any more, not even for an event
/// that the kernel has reported already. The object is closed between two
/// batches of events, after the kernel has forgotten it; so its number is not
/// reused within a batch, and a duplicate of the descriptor elsewhere (`dup`,
/// `fork`, `SCM_RIGHTS`) leaves no ghost registration.
///
/// The object must name the same descriptor for as long as it is watched, as
/// all the standard ones do.
pub struct Watched<T> {
    /// None only on the way out of [`Watched::into_inner`].
    io: Option<Rc<T>>,
    id: WatcherId,
    dropped: Rc<Dropped>,
}

impl<T> Watched<T> {
    pub(crate) fn new(io: Rc<T>, id: WatcherId, dropped: Rc<Dropped>) -> Watched<T> {
        Watched {
            io: Some(io),
            id,
            dropped,
        }
    }

    /// The name that the events of this watch carry.
    #[must_use]
    pub fn id(&self) -> WatcherId {
        self.id
    }

    /// What the watch asks for.
    ///
    /// # Panics
    ///
    /// If `event_loop` is not the loop that watches.
    #[must_use]
    pub fn interest<S>(&self, event_loop: &EventLoop<S>) -> Interest {
        self.check(event_loop);
        event_loop.interest(self.id)
    }

    /// Asks for something else from the next wait on.
    ///
    /// The change is noted, and told to the kernel before the loop waits: what
    /// is changed and changed back in one turn costs no system call. A one-shot
    /// watch is armed again, even for what it had asked for before. An event
    /// that the kernel has reported already is told all the same.
    ///
    /// # Panics
    ///
    /// If `event_loop` is not the loop that watches.
    pub fn set_interest<S>(&self, event_loop: &mut EventLoop<S>, interest: Interest) {
        self.check(event_loop);
        event_loop.set_interest(self.id, interest);
    }

    /// Sets the time without events after which the callback is called, as
    /// [`Watch::timeout`] does; it starts now. `None`: never.
    ///
    /// # Panics
    ///
    /// If `event_loop` is not the loop that watches.
    pub fn set_timeout<S>(&self, event_loop: &mut EventLoop<S>, timeout: Option<Duration>) {
        self.check(event_loop);
        event_loop.set_timeout(self.id, timeout);
    }

    /// Ends the watch at once and gives the object back.
    ///
    /// # Errors
    ///
    /// What `EPOLL_CTL_DEL` reports (`man 2 epoll_ctl`). `EBADF` is none: the
    /// descriptor was closed behind its owner's back, and the kernel has forgotten
    /// it. The object that comes back still has the number, which may be somebody
    /// else's by now: whoever has closed it knows what to do with it
    /// (`mem::forget`, for one).
    ///
    /// # Panics
    ///
    /// If `event_loop` is not the loop that watches.
    pub fn into_inner<S>(mut self, event_loop: &mut EventLoop<S>) -> io::Result<T> {
        self.check(event_loop);
        // ANCHOR: into-inner
        let released = event_loop.release(self.id);
        let io = self
            .io
            .take()
            .expect("taken only here, and `self` is consumed");
        let io = Rc::into_inner(io).expect("the loop has given up its share");
        released.map(|()| io)
        // ANCHOR_END: into-inner
    }

    fn check<S>(&self, event_loop: &EventLoop<S>) {
        assert!(event_loop.watches(&self.dropped), "watched by another loop");
    }
}

impl<T> Deref for Watched<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.io
            .as_ref()
            .expect("taken only when the guard is consumed")
    }
}

impl<T: AsFd> AsFd for Watched<T> {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        (**self).as_fd()
    }
}

// ANCHOR: drop
impl<T> Drop for Watched<T> {
    fn drop(&mut self) {
        if self.io.is_some() {
            self.dropped.note(self.id);
        }
    }
}
// ANCHOR_END: drop

impl<T: fmt::Debug> fmt::Debug for Watched<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched")
            .field("io", &self.io)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
