//! Everything that is watched, put into a new epoll instance.
//!
//! Shows: an instance belongs to all processes that have inherited it, so the
//! child of a fork needs its own; a registration whose descriptor was closed
//! while a duplicate is open cannot be taken back by anybody, so the whole
//! instance has to go (libev's `loop_fork`).

use std::io;

use nix::sys::epoll::EpollFlags;

use crate::epoll::Epoll;
use crate::event_loop::EventLoop;
use crate::readiness::{Readiness, bits};
use crate::watchers::{Kind, Standing};

impl<S> EventLoop<S> {
    /// To be called in the child of a `fork(2)` that goes on using the loop.
    ///
    /// The two processes share one epoll instance: without this call the child
    /// takes events away from the parent, changes what the parent watches, and
    /// gets the signals of the parent. Nothing detects a fork; a child that
    /// leaves the loop alone, or calls `exec`, has nothing to do, since all
    /// descriptors of the loop are close-on-exec.
    ///
    /// All watches are added to an instance of the child's own. Events that
    /// were pending are left to the parent; what is still ready is reported
    /// again. So are the lines that wait in an [`Output`](crate::Output).
    /// Watchers of child processes end, since those are not the child's.
    ///
    /// # Errors
    ///
    /// What `epoll_create1(2)`, `epoll_ctl(2)` and `signalfd(2)` report.
    pub fn after_fork(&mut self) -> io::Result<()> {
        // ANCHOR: after-fork
        self.epoll = Epoll::new()?;
        self.forget_changes();
        self.forget_outputs();
        for id in self.watchers.ids() {
            let Some(watcher) = self.watchers.get_mut(id) else {
                continue;
            };
            match &watcher.kind {
                // ANCHOR: not-ours
                // The children of the parent are no children of ours.
                Kind::Child(_) => {
                    self.watchers.remove(id);
                    self.alive -= 1;
                }
                // ANCHOR_END: not-ours
                Kind::Io(io) if io.standing == Standing::Ended => {}
                Kind::Io(_) | Kind::Signal(_) | Kind::Waker(_) => {
                    watcher.pending = Readiness::default();
                }
                _ => {}
            }
        }
        self.register_all_again()
        // ANCHOR_END: after-fork
    }

    // ANCHOR: leave-ghosts
    /// Leaves an instance in which a descriptor is registered that is not
    /// watched any more: it was closed behind the loop's back, and a duplicate
    /// of it is open somewhere. Its events would come for ever.
    pub(crate) fn leave_ghosts_behind(&mut self) -> io::Result<()> {
        self.epoll = Epoll::new()?;
        self.register_all_again()
    }
    // ANCHOR_END: leave-ghosts

    /// What has ended is only dropped: the kernel's set is the parent's too.
    fn forget_changes(&mut self) {
        loop {
            self.end_dropped();
            let Some(mut removal) = self.changes.removals.pop() else {
                break;
            };
            removal.registered = false;
            self.apply_removal(removal);
        }
    }

    /// Adds to a new instance what is watched. A descriptor that it refuses
    /// ends its own watch, as always, and nothing else.
    fn register_all_again(&mut self) -> io::Result<()> {
        let readable = EpollFlags::EPOLLIN;
        for id in self.watchers.ids() {
            let Some(watcher) = self.watchers.get_mut(id) else {
                continue;
            };
            match &mut watcher.kind {
                Kind::Io(io) => {
                    io.registered = None;
                    if !io.noted {
                        io.noted = true;
                        self.changes.noted.push(id);
                    }
                }
                Kind::Waker(alarm) => {
                    let wanted = bits(readable | EpollFlags::EPOLLET);
                    self.epoll.add(alarm, wanted, id)?;
                }
                Kind::Child(descriptor) => self.epoll.add(descriptor, bits(readable), id)?,
                _ => {}
            }
        }
        self.apply_noted();
        self.renew_signal_descriptor()
    }
}
