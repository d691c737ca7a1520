//! The change list: what the kernel is to be told before the next wait.
//!
//! Shows: interest is state, and only the difference costs a system call
//! (libev's `fdchanges` and `fd_reify`); a descriptor leaves the kernel's set
//! before it is closed; which error of `epoll_ctl(2)` means what.

use std::os::fd::{AsFd, RawFd};
use std::rc::Rc;

use nix::errno::Errno;

use crate::EventLoop;
use crate::observer::{Entry, Name, Operation};
use crate::readiness::{Interest, Readiness};
use crate::watchers::{Io, Standing, WatcherId};

/// Who has a descriptor number, as far as the loop knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    Nobody,
    Watch(WatcherId),
    /// A watch has ended, and the kernel has not been told yet.
    Leaving,
}

// ANCHOR: list
/// The end of a watch, to be told to the kernel.
pub(crate) struct Removal {
    io: Rc<dyn AsFd>,
    name: Name,
    /// Whether the kernel still has it in its set.
    pub(crate) registered: bool,
    background: bool,
}

/// What is to be told to the kernel before the next wait.
#[derive(Default)]
pub(crate) struct Changes {
    pub(crate) noted: Vec<WatcherId>,
    pub(crate) removals: Vec<Removal>,
    /// By descriptor number, as libev's `anfds`.
    holders: Vec<Holder>,
}
// ANCHOR_END: list

impl Changes {
    pub(crate) fn holder(&self, number: RawFd) -> Holder {
        self.holders
            .get(index(number))
            .copied()
            .unwrap_or(Holder::Nobody)
    }

    // ANCHOR: note
    /// Puts a watch on the change list, once.
    #[inline]
    pub(crate) fn note(&mut self, io: &mut Io, id: WatcherId) {
        // What the kernel refuses it need not be told of.
        // ANCHOR: once
        if !io.noted && io.standing != Standing::AlwaysReady {
            io.noted = true;
            self.noted.push(id);
        }
        // ANCHOR_END: once
    }
    // ANCHOR_END: note

    fn set_holder(&mut self, number: RawFd, holder: Holder) {
        let index = index(number);
        if index >= self.holders.len() {
            self.holders.resize(index + 1, Holder::Nobody);
        }
        self.holders[index] = holder;
    }
}

fn index(number: RawFd) -> usize {
    usize::try_from(number).expect("an open descriptor is not negative")
}

impl Io {
    pub(crate) fn name(&self) -> Name {
        Name {
            number: self.number,
            label: self.label,
        }
    }

    // ANCHOR: wanted
    /// What the kernel should be asked; none: it should not have the descriptor.
    fn wanted(&self) -> Option<u32> {
        match self.standing {
            // As the kernel has left it: in the set, but silent.
            Standing::Disarmed => self.registered,
            Standing::AlwaysReady | Standing::Ended => None,
            // ANCHOR: nothing-asked
            Standing::Normal if self.interest == Interest::NONE => None,
            // ANCHOR_END: nothing-asked
            Standing::Normal => Some(self.interest.bits() | self.mode),
        }
    }
    // ANCHOR_END: wanted
}

impl<S> EventLoop<S> {
    /// Tells the kernel at once of a new watch, so that the caller gets the
    /// error. Returns whether the descriptor is one that epoll refuses because
    /// it is always ready.
    pub(crate) fn register(&mut self, id: WatcherId) -> nix::Result<bool> {
        let Some(io) = self.watchers.io_mut(id) else {
            return Ok(false);
        };
        // ANCHOR: register
        let number = io.number;
        let leaving = self.changes.holder(number) == Holder::Leaving;
        let mut always_ready = false;
        if let Some(wanted) = io.wanted() {
            // ANCHOR: new-name
            let result = if leaving {
                // The same descriptor is still in the kernel's set, for a watch
                // that has ended in this batch: MOD puts the new name on it.
                self.epoll.modify_or_add(&io.descriptor, wanted, id)
            } else {
                self.epoll.add_or_modify(&io.descriptor, wanted, id)
            };
            // ANCHOR_END: new-name
            match result {
                Ok(()) => io.registered = Some(wanted),
                // ANCHOR: always-ready
                Err(Errno::EPERM) => always_ready = true,
                // ANCHOR_END: always-ready
                Err(err) => return Err(err),
            }
            // ANCHOR_END: register
            if always_ready {
                io.standing = Standing::AlwaysReady;
            }
        }
        if leaving && io.registered.is_some() {
            // The old watch must not take the new registration away.
            for removal in &mut self.changes.removals {
                if removal.name.number == number {
                    removal.registered = false;
                }
            }
        }
        self.changes.set_holder(number, Holder::Watch(id));
        Ok(always_ready)
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn observe_noted(&mut self, id: WatcherId) {
        if let Some(io) = self.watchers.io(id)
            && let Some(observer) = &mut self.observer
            && !io.background
        {
            observer.observe(&Entry::ChangeNoted {
                name: io.name(),
                interest: io.interest,
            });
        }
    }

    /// Takes note that a watch has ended; the descriptor stays open until
    /// [`EventLoop::reify`].
    pub(crate) fn note_removal(&mut self, id: WatcherId, io: Io) {
        let name = io.name();
        if self.changes.holder(name.number) == Holder::Watch(id) {
            self.changes.set_holder(name.number, Holder::Leaving);
        }
        self.changes.removals.push(Removal {
            registered: io.registered.is_some(),
            background: io.background,
            name,
            io: io.descriptor,
        });
    }

    /// Tells the kernel of all changes that are noted, and closes what is
    /// watched no more.
    ///
    /// The loop does this by itself before each wait. Call it to have a
    /// descriptor closed at once whose watch you have dropped outside of
    /// [`EventLoop::run`]. In a callback it does nothing: no number is to be
    /// used again while events of its last owner may be on their way.
    pub fn reify(&mut self) {
        if !self.running.get() {
            self.apply_changes();
        }
    }

    // ANCHOR: between-batches
    /// The change list, between two batches.
    #[inline]
    pub(crate) fn apply_changes(&mut self) {
        self.end_dropped();
        if !self.changes.removals.is_empty() {
            self.apply_each_removal();
        }
        self.apply_noted();
    }

    #[inline(never)]
    fn apply_each_removal(&mut self) {
        while let Some(removal) = self.changes.removals.pop() {
            self.apply_removal(removal);
            // To drop a user's object may drop further guards.
            self.end_dropped();
        }
    }
    // ANCHOR_END: between-batches

    /// Tells the kernel what is asked for now where that has changed.
    #[inline]
    pub(crate) fn apply_noted(&mut self) {
        if !self.changes.noted.is_empty() {
            self.apply_each_noted();
        }
    }

    #[inline(never)]
    fn apply_each_noted(&mut self) {
        let mut index = 0;
        while let Some(&id) = self.changes.noted.get(index) {
            self.apply_change(id);
            index += 1;
        }
        self.changes.noted.clear();
    }

    pub(crate) fn apply_removal(&mut self, removal: Removal) {
        let Removal {
            io,
            name,
            registered,
            background,
        } = removal;
        // ANCHOR: told-first
        if registered {
            // ENOENT, EBADF: the descriptor was closed behind the loop's back,
            // and with it the registration. Nothing is left to be done.
            let _ = self.epoll.delete(&io);
            // ANCHOR_END: told-first
            if let Some(observer) = &mut self.observer
                && !background
            {
                let operation = Operation::Delete;
                let interest = Interest::NONE;
                observer.observe(&Entry::ChangeApplied {
                    name,
                    operation,
                    interest,
                });
            }
        }
        if self.changes.holder(name.number) == Holder::Leaving {
            self.changes.set_holder(name.number, Holder::Nobody);
        }
        if let Some(observer) = &mut self.observer
            && !background
        {
            observer.observe(&Entry::Closed { name });
        }
        drop(io);
    }

    fn apply_change(&mut self, id: WatcherId) {
        let Some(io) = self.watchers.io_mut(id) else {
            return;
        };
        io.noted = false;
        // ANCHOR: compare
        let wanted = io.wanted();
        if io.registered == wanted && self.observer.is_none() {
            // Changed back: what the list is for, and most of what is on it.
            return;
        }
        let name = io.name();
        let (operation, result) = match (io.registered, wanted) {
            (None, None) => (None, Ok(())),
            // ANCHOR: same
            (Some(old), Some(new)) if old == new => (None, Ok(())),
            // ANCHOR_END: same
            (None, Some(new)) => (
                Some(Operation::Add),
                self.epoll.add_or_modify(&io.descriptor, new, id),
            ),
            (Some(_), Some(new)) => (
                Some(Operation::Modify),
                self.epoll.modify_or_add(&io.descriptor, new, id),
            ),
            // ANCHOR: delete-ok
            (Some(_), None) => match self.epoll.delete(&io.descriptor) {
                Ok(()) | Err(Errno::ENOENT) => (Some(Operation::Delete), Ok(())),
                Err(err) => (None, Err(err)),
            },
            // ANCHOR_END: delete-ok
        };
        // ANCHOR_END: compare
        let interest = io.interest;
        let entry = match result {
            Ok(()) => {
                io.registered = wanted;
                match operation {
                    Some(operation) => Entry::ChangeApplied {
                        name,
                        operation,
                        interest,
                    },
                    None => Entry::ChangeSaved { name },
                }
            }
            // ANCHOR: refused
            Err(Errno::EPERM) => {
                io.registered = None;
                io.standing = Standing::AlwaysReady;
                self.always_ready.push(id);
                Entry::Registered {
                    name,
                    interest,
                    always_ready: true,
                }
            }
            // EBADF: the descriptor was closed behind the loop's back. Or the
            // kernel has no memory or no watches left. Whoever watches is told.
            Err(error) => {
                io.registered = None;
                // ANCHOR: told
                io.standing = Standing::Ended;
                self.alive -= usize::from(!io.background);
                self.timers.remove(id.slot());
                // Whoever gets the number next may watch it.
                self.changes.set_holder(name.number, Holder::Nobody);
                self.make_pending(id, Readiness::ERR | Readiness::ENDED);
                // ANCHOR_END: told
                Entry::ChangeRefused { name, error }
            }
        };
        // ANCHOR_END: refused
        let background = self.watchers.io(id).is_some_and(|io| io.background);
        if let Some(observer) = &mut self.observer
            && !background
        {
            observer.observe(&entry);
        }
    }

    /// Ends a watch now and not before the next wait. The number is free at
    /// once, and what is known of it is forgotten.
    pub(crate) fn release_now(&mut self, id: WatcherId, io: &Io) -> nix::Result<()> {
        let name = io.name();
        if self.changes.holder(name.number) == Holder::Watch(id) {
            // An earlier watch of the same descriptor may not have left yet.
            let is_same = |removal: &Removal| removal.name.number == name.number;
            let holder = if self.changes.removals.iter().any(is_same) {
                Holder::Leaving
            } else {
                Holder::Nobody
            };
            self.changes.set_holder(name.number, holder);
        }
        let mut result = Ok(());
        if io.registered.is_some() {
            result = self.epoll.delete(&io.descriptor);
            self.observe(&Entry::ChangeApplied {
                name,
                operation: Operation::Delete,
                interest: Interest::NONE,
            });
        }
        self.observe(&Entry::Closed { name });
        match result {
            // As in `apply_removal`. The object goes to its owner in any case: to
            // drop it here could close a descriptor that somebody else got since.
            Err(Errno::ENOENT | Errno::EBADF) => Ok(()),
            result => result,
        }
    }
}
