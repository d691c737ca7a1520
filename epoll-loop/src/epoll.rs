//! The epoll instance itself: `epoll_ctl(2)` and `epoll_wait(2)`.
//!
//! Shows: which two errors of `epoll_ctl` only mean that the other operation is
//! the right one.

use std::os::fd::{AsFd, BorrowedFd};

use nix::errno::Errno;
use nix::poll::PollTimeout;
use nix::sys::epoll::{EpollCreateFlags, EpollEvent};

use crate::readiness::flags;
use crate::watchers::WatcherId;

/// `epoll_ctl(2)` with the name of a watcher, and the two errors that only mean
/// that the other operation is the right one (libev's `epoll_modify`).
#[derive(Debug)]
pub(crate) struct Epoll(nix::sys::epoll::Epoll);

impl Epoll {
    pub(crate) fn new() -> nix::Result<Epoll> {
        let cloexec = EpollCreateFlags::EPOLL_CLOEXEC;
        nix::sys::epoll::Epoll::new(cloexec).map(Epoll)
    }

    pub(crate) fn add(&self, io: impl AsFd, wanted: u32, id: WatcherId) -> nix::Result<()> {
        self.0.add(io, EpollEvent::new(flags(wanted), id.token()))
    }

    fn modify(&self, io: impl AsFd, wanted: u32, id: WatcherId) -> nix::Result<()> {
        self.0
            .modify(io, &mut EpollEvent::new(flags(wanted), id.token()))
    }

    pub(crate) fn delete(&self, io: impl AsFd) -> nix::Result<()> {
        self.0.delete(io)
    }

    // ANCHOR: either
    /// EEXIST: a descriptor with this number and this open file is there.
    pub(crate) fn add_or_modify(
        &self,
        io: impl AsFd,
        wanted: u32,
        id: WatcherId,
    ) -> nix::Result<()> {
        match self.add(&io, wanted, id) {
            Err(Errno::EEXIST) => self.modify(&io, wanted, id),
            result => result,
        }
    }

    /// ENOENT: it was closed and opened again behind the loop's back.
    pub(crate) fn modify_or_add(
        &self,
        io: impl AsFd,
        wanted: u32,
        id: WatcherId,
    ) -> nix::Result<()> {
        match self.modify(&io, wanted, id) {
            Err(Errno::ENOENT) => self.add(&io, wanted, id),
            result => result,
        }
    }
    // ANCHOR_END: either

    /// `timeout` in milliseconds, -1 for ever.
    #[inline]
    pub(crate) fn wait(
        &self,
        events: &mut [EpollEvent],
        timeout: PollTimeout,
    ) -> nix::Result<usize> {
        self.0.wait(events, timeout)
    }
}

impl AsFd for Epoll {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.0.as_fd()
    }
}
