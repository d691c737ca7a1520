//! Signals as events: `signalfd(2)` in the loop.
//!
//! Shows: a signal must be blocked to be read from a descriptor; the mask
//! belongs to a thread and is inherited by threads and children; several
//! signals of one kind merge into one.

use std::io;
use std::marker::PhantomData;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use nix::errno::Errno;
use nix::sys::epoll::EpollFlags;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use crate::event_loop::{Callback, EventLoop};
use crate::readiness::{Readiness, bits};
use crate::threads::check_other_threads;
use crate::watchers::{Kind, WatcherId};

/// How many signals are read in one turn; what is left is read in the next, so
/// that a storm of signals keeps nobody else waiting.
const MAX_SIGNALS_A_TURN: usize = 64;

/// Signals that this crate has blocked and by which thread, each as often as it
/// was: so the last guard unblocks, in whatever order they are dropped, and
/// [`spawn`](crate::spawn) knows what a child should not inherit.
static BLOCKED: Mutex<Vec<(ThreadId, Signal)>> = Mutex::new(Vec::new());

fn blocked() -> MutexGuard<'static, Vec<(ThreadId, Signal)>> {
    // The list is whole after every single change, also if a thread panicked.
    BLOCKED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The signals that a child process should not inherit as blocked.
pub(crate) fn blocked_by_this_crate() -> SigSet {
    set(&blocked())
}

/// Signals that are blocked in this thread; unblocked again by drop, but for
/// those that were blocked before, or that another one of these still blocks.
#[derive(Debug)]
#[must_use = "the signals are unblocked again when this is dropped"]
pub struct BlockedSignals {
    /// Without those that somebody else had blocked before.
    own: Vec<(ThreadId, Signal)>,
    /// A mask belongs to a thread, so this may not be sent to another.
    not_send: PhantomData<*const ()>,
}

impl BlockedSignals {
    fn new(signals: &[Signal]) -> io::Result<BlockedSignals> {
        let before = SigSet::thread_get_mask()?;
        let thread = thread::current().id();
        let mut blocked = blocked();
        let own: Vec<(ThreadId, Signal)> = signals
            .iter()
            .map(|&signal| (thread, signal))
            .filter(|own| !before.contains(own.1) || blocked.contains(own))
            .collect();
        set(&own).thread_block()?;
        blocked.extend(&own);
        Ok(BlockedSignals {
            own,
            not_send: PhantomData,
        })
    }
}

impl Drop for BlockedSignals {
    fn drop(&mut self) {
        let mut blocked = blocked();
        for own in &self.own {
            if let Some(index) = blocked.iter().position(|other| other == own) {
                blocked.swap_remove(index);
            }
        }
        self.own.retain(|own| !blocked.contains(own));
        drop(blocked);
        // EINVAL is its only error, for a bad `how`, which nix does not pass.
        let _ = set(&self.own).thread_unblock();
    }
}

fn set(signals: &[(ThreadId, Signal)]) -> SigSet {
    signals.iter().map(|&(_, signal)| signal).collect()
}

/// The signals of one loop.
pub(crate) struct Signals {
    descriptor: SignalFd,
    id: WatcherId,
    watched: Vec<Watched>,
}

/// One signal and those who watch for it.
struct Watched {
    signal: Signal,
    watchers: Vec<WatcherId>,
    blocked: BlockedSignals,
}

impl BlockedSignals {
    /// Whether dropping this would unblock its signals, since nobody else of
    /// this thread blocks them.
    fn is_last(&self) -> bool {
        let blocked = blocked();
        self.own
            .iter()
            .all(|own| blocked.iter().filter(|other| *other == own).count() == 1)
            && !self.own.is_empty()
    }
}

/// Takes the signals that have arrived and nobody was told of, before they are
/// unblocked: the process would die of them. Those that another loop of this
/// thread still blocks are left to it.
fn swallow(descriptor: &SignalFd, ended: &[Watched]) {
    let last = ended.iter().filter(|watched| watched.blocked.is_last());
    let mask: SigSet = last.map(|watched| watched.signal).collect();
    // The mask of an open descriptor is never refused.
    if descriptor.set_mask(&mask).is_ok() {
        while let Ok(Some(_)) = descriptor.read_signal() {}
    }
}

impl Signals {
    fn mask(&self) -> SigSet {
        self.watched.iter().map(|watched| watched.signal).collect()
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        swallow(&self.descriptor, &self.watched);
    }
}

impl EventLoop<()> {
    /// Blocks signals in this thread, and in the threads that it starts from
    /// here on, so that [`EventLoop::on_signal`] of a later loop can take them.
    ///
    /// To be called at the start of `main`, before any thread is started: a
    /// thread that leaves a signal unblocked dies of it, and the process with
    /// it. The result restores the mask when it is dropped.
    ///
    /// # Errors
    ///
    /// What `pthread_sigmask(3)` reports.
    pub fn block_signals(signals: &[Signal]) -> io::Result<BlockedSignals> {
        BlockedSignals::new(signals)
    }
}

impl<S> EventLoop<S> {
    /// Calls `callback` when `signal` has arrived, once for any number of them
    /// that arrive before it is called.
    ///
    /// The signal is blocked in this thread while it is watched. A signal may
    /// have several watchers. For programs: a library leaves signals alone.
    ///
    /// # Errors
    ///
    /// `EINVAL` for SIGKILL and SIGSTOP, which nobody can take. An error that
    /// names the thread, if another thread of this process leaves the signal
    /// unblocked and would die of it; see [`EventLoop::block_signals`]. What
    /// `signalfd(2)` and `epoll_ctl(2)` report.
    pub fn on_signal(&mut self, signal: Signal, callback: Callback<S>) -> io::Result<WatcherId> {
        if matches!(signal, Signal::SIGKILL | Signal::SIGSTOP) {
            return Err(Errno::EINVAL.into());
        }
        // ANCHOR: on-signal
        // ANCHOR: check
        check_other_threads(signal)?;
        // ANCHOR_END: check
        if self.signals.is_none() {
            self.open_signal_descriptor()?;
        }
        let id = self.add(Kind::Signal(signal), callback);
        let Some(signals) = &mut self.signals else {
            unreachable!("opened above")
        };
        if let Some(watched) = signals.watched.iter_mut().find(|w| w.signal == signal) {
            watched.watchers.push(id);
            return Ok(id);
        }
        // ANCHOR: blocked
        let watched = BlockedSignals::new(&[signal]).map(|blocked| Watched {
            signal,
            watchers: vec![id],
            blocked,
        });
        // ANCHOR_END: blocked
        let result = watched.and_then(|watched| {
            signals.watched.push(watched);
            Ok(signals.descriptor.set_mask(&signals.mask())?)
        });
        // ANCHOR_END: on-signal
        if let Err(err) = result {
            self.end(id);
            return Err(err);
        }
        Ok(id)
    }

    fn open_signal_descriptor(&mut self) -> io::Result<()> {
        let descriptor = signal_descriptor(&SigSet::empty())?;
        let id = self.add(Kind::SignalDescriptor, |_, _, _| {});
        if let Err(err) = self.epoll.add(&descriptor, bits(EpollFlags::EPOLLIN), id) {
            self.watchers.remove(id);
            return Err(err.into());
        }
        self.signals = Some(Signals {
            descriptor,
            id,
            watched: Vec::new(),
        });
        Ok(())
    }

    /// For the child of a fork: epoll reports the signals of the process that
    /// has added the descriptor, so it is opened and added anew.
    pub(crate) fn renew_signal_descriptor(&mut self) -> io::Result<()> {
        if let Some(signals) = &mut self.signals {
            signals.descriptor = signal_descriptor(&signals.mask())?;
            self.epoll
                .add(&signals.descriptor, bits(EpollFlags::EPOLLIN), signals.id)?;
        }
        Ok(())
    }

    // ANCHOR: read
    /// Makes those pending who watch for the signals that have arrived.
    pub(crate) fn read_signals(&mut self) {
        // ANCHOR: limit
        for _ in 0..MAX_SIGNALS_A_TURN {
            // ANCHOR_END: limit
            let Some(signals) = &self.signals else { return };
            let Ok(Some(info)) = signals.descriptor.read_signal() else {
                return;
            };
            let watchers = signals
                .watched
                .iter()
                .find(|watched| watched.signal as u32 == info.ssi_signo)
                .map(|watched| watched.watchers.clone());
            for id in watchers.into_iter().flatten() {
                self.make_pending(id, Readiness::SIGNAL);
            }
        }
    }
    // ANCHOR_END: read

    /// Takes a watcher off its signal; without any left the signal does again
    /// what it did before.
    pub(crate) fn end_signal(&mut self, id: WatcherId, signal: Signal) {
        let Some(signals) = &mut self.signals else {
            return;
        };
        if let Some(watched) = signals.watched.iter_mut().find(|w| w.signal == signal) {
            watched.watchers.retain(|&other| other != id);
        }
        let ended: Vec<Watched> = signals
            .watched
            .extract_if(.., |watched| watched.watchers.is_empty())
            .collect();
        if !ended.is_empty() {
            swallow(&signals.descriptor, &ended);
            let _ = signals.descriptor.set_mask(&signals.mask());
        }
    }
}

fn signal_descriptor(mask: &SigSet) -> nix::Result<SignalFd> {
    SignalFd::with_flags(mask, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
}
