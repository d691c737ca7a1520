//! The table of watchers, and names for them that are never reused.
//!
//! Shows: a slot and a generation in place of a descriptor number, so that an
//! event for a watcher that has ended finds nobody (libev's `egen`).

use std::fmt;
use std::os::fd::{AsFd, OwnedFd, RawFd};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::deadline::Period;
use crate::event_loop::Callback;
use crate::readiness::{Interest, Readiness};
use crate::waker::Alarm;

// ANCHOR: token
/// Names one watcher of one loop, for as long as the loop lives.
///
/// A watcher that has ended is never confused with a later one: the slot in
/// the table is used again, its generation is not.
///
/// It is the 64 bits that epoll gives back with each event: the slot below, the
/// generation above. In one number, so that an [`Event`](crate::Event) is handed
/// to a callback in two registers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WatcherId(u64);

impl WatcherId {
    fn new(slot: u32, generation: u32) -> WatcherId {
        WatcherId(u64::from(generation) << 32 | u64::from(slot))
    }
    // ANCHOR_END: token

    /// The place in the loop's table: small, and unique among living watchers.
    ///
    /// Good as an index of a table of one's own, if the id is kept beside it.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "the low half is the slot")]
    pub fn slot(self) -> u32 {
        self.0 as u32
    }

    fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// The id as the 64 bits that epoll gives back with each event.
    pub(crate) fn token(self) -> u64 {
        self.0
    }

    pub(crate) fn from_token(token: u64) -> WatcherId {
        WatcherId(token)
    }
}

impl fmt::Debug for WatcherId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatcherId")
            .field("slot", &self.slot())
            .field("generation", &self.generation())
            .finish()
    }
}

/// One registration: what is waited for, and the function that is called.
pub(crate) struct Watcher<S> {
    generation: u32,
    /// What has happened and has not been told yet; nothing if not pending.
    pub(crate) pending: Readiness,
    pub(crate) callback: Callback<S>,
    pub(crate) priority: Priority,
    pub(crate) kind: Kind,
}

impl<S> Watcher<S> {
    /// Whether the watcher ends with this call of its callback.
    #[inline]
    pub(crate) fn is_last_call(&self, readiness: Readiness) -> bool {
        // Asked apart and first, since it is nearly always so: 2 instructions
        // instead of a jump through a table.
        if !readiness.intersects(Readiness::LAST) {
            return false;
        }
        match &self.kind {
            // Not if they were only fed.
            Kind::Timer { period: None } => readiness.intersects(Readiness::TIMER),
            Kind::Child(_) => readiness.intersects(Readiness::CHILD),
            Kind::Waker(alarm) => !alarm.has_wakers(),
            _ => false,
        }
    }

    /// Ends the name of the watcher. Returns whether its slot may have another.
    #[inline]
    fn end_name(&mut self) -> bool {
        // ANCHOR: end-name
        // ANCHOR: pending-goes
        self.pending = Readiness::default();
        // ANCHOR_END: pending-goes
        // ANCHOR: generation
        self.generation = self.generation.wrapping_add(1);
        // ANCHOR_END: generation
        // A generation that came round again would bring old names to life, so
        // a slot that has had all of them is left empty for good.
        self.generation != 0
        // ANCHOR_END: end-name
    }
}

/// What a watcher waits for.
pub(crate) enum Kind {
    /// An empty slot.
    Vacant,
    /// Apart from the table, which is small then for the sake of a million timers.
    Io(Box<Io>),
    Timer {
        period: Option<Period>,
    },
    Signal(Signal),
    /// The descriptor of a process (`pidfd_open(2)`).
    Child(OwnedFd),
    Waker(Arc<Alarm>),
    Idle,
    BeforeWait,
    AfterWait,
    /// The descriptor from which the loop reads its signals.
    SignalDescriptor,
}

/// A watched descriptor.
pub(crate) struct Io {
    /// Keeps the descriptor open until the kernel has been told.
    pub(crate) descriptor: Rc<dyn AsFd>,
    pub(crate) number: RawFd,
    /// What is to be asked of the kernel from the next wait on.
    pub(crate) interest: Interest,
    /// `EPOLLET` and `EPOLLONESHOT`, or neither.
    pub(crate) mode: u32,
    /// What the kernel has been asked; none if it does not know the descriptor.
    pub(crate) registered: Option<u32>,
    /// Whether the watch is on the change list.
    pub(crate) noted: bool,
    pub(crate) standing: Standing,
    /// Restarted by each event.
    pub(crate) timeout: Option<Duration>,
    pub(crate) label: &'static str,
    /// Of the loop's own: not shown to the observer, since what writes the trace
    /// must not cause more of it, and does not keep the loop running.
    pub(crate) background: bool,
}

/// How a watched descriptor stands with the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Normal,
    /// A one-shot watch that has had its event, and hears nothing meanwhile.
    Disarmed,
    /// A regular file or the like, which epoll refuses: ready at any time.
    AlwaysReady,
    /// The kernel refused the descriptor: only the ERR event is still to come.
    Ended,
}

/// From 0 for the least urgent to 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Priority(u8);

impl Priority {
    pub(crate) const LEVELS: usize = 5;

    pub(crate) const NORMAL: Priority = Priority(2);

    /// From the range that the interface speaks of, -2 to 2; others are cut.
    pub(crate) fn new(priority: i8) -> Priority {
        Priority((priority.clamp(-2, 2) + 2).cast_unsigned())
    }

    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// All watchers of a loop, by slot.
pub(crate) struct Watchers<S> {
    slots: Vec<Watcher<S>>,
    free: Vec<u32>,
    /// Ids of this generation are given out; more than 0 only in a test.
    first_generation: u32,
}

impl<S> Watchers<S> {
    pub(crate) fn new() -> Watchers<S> {
        Watchers {
            slots: Vec::new(),
            free: Vec::new(),
            first_generation: 0,
        }
    }

    /// # Panics
    ///
    /// At 2^32 watchers, which no machine has the descriptors or memory for.
    #[inline]
    pub(crate) fn insert(
        &mut self,
        kind: Kind,
        callback: Callback<S>,
        priority: Priority,
    ) -> WatcherId {
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => self.append(),
        };
        let watcher = &mut self.slots[slot as usize];
        watcher.callback = callback;
        watcher.priority = priority;
        // Without this an empty slot would be dropped, which finds out in 17
        // instructions that there is nothing to drop.
        std::mem::forget(std::mem::replace(&mut watcher.kind, kind));
        WatcherId::new(slot, watcher.generation)
    }

    /// Makes another slot, which is empty.
    #[cold]
    fn append(&mut self) -> u32 {
        let slot = u32::try_from(self.slots.len()).expect("fewer than 2^32 watchers");
        self.slots.push(Watcher {
            generation: self.first_generation,
            pending: Readiness::default(),
            callback: |_, _, _| {},
            priority: Priority::NORMAL,
            kind: Kind::Vacant,
        });
        slot
    }

    /// The watcher of that name, unless it has ended.
    #[inline]
    pub(crate) fn get_mut(&mut self, id: WatcherId) -> Option<&mut Watcher<S>> {
        self.slots
            .get_mut(id.slot() as usize)
            .filter(|watcher| watcher.generation == id.generation())
    }

    #[inline]
    pub(crate) fn get(&self, id: WatcherId) -> Option<&Watcher<S>> {
        self.slots
            .get(id.slot() as usize)
            .filter(|watcher| watcher.generation == id.generation())
    }

    /// The descriptor that a watcher watches, unless it has ended.
    #[inline]
    pub(crate) fn io_mut(&mut self, id: WatcherId) -> Option<&mut Io> {
        match &mut self.get_mut(id)?.kind {
            Kind::Io(io) => Some(io),
            _ => None,
        }
    }

    pub(crate) fn io(&self, id: WatcherId) -> Option<&Io> {
        match &self.get(id)?.kind {
            Kind::Io(io) => Some(io),
            _ => None,
        }
    }

    /// The living watcher in `slot`, and its name.
    #[inline]
    pub(crate) fn in_slot(&mut self, slot: u32) -> (WatcherId, &mut Watcher<S>) {
        let watcher = &mut self.slots[slot as usize];
        (WatcherId::new(slot, watcher.generation), watcher)
    }

    /// The name of the living watcher in `slot`.
    pub(crate) fn id_of(&self, slot: u32) -> WatcherId {
        WatcherId::new(slot, self.slots[slot as usize].generation)
    }

    /// Takes a watcher out of the table: its name means nothing from here on.
    pub(crate) fn remove(&mut self, id: WatcherId) -> Option<Kind> {
        let watcher = self.get_mut(id)?;
        let kind = std::mem::replace(&mut watcher.kind, Kind::Vacant);
        if watcher.end_name() {
            self.free.push(id.slot());
        }
        Some(kind)
    }

    /// As [`Watchers::remove`], if it is a timer, which has nothing to be
    /// dropped. Returns whether it was.
    #[inline]
    pub(crate) fn remove_timer(&mut self, id: WatcherId) -> bool {
        let Some(watcher) = self.get_mut(id) else {
            return false;
        };
        if !matches!(watcher.kind, Kind::Timer { .. }) {
            return false;
        }
        std::mem::forget(std::mem::replace(&mut watcher.kind, Kind::Vacant));
        if watcher.end_name() {
            self.free.push(id.slot());
        }
        true
    }

    /// The names of all living watchers.
    pub(crate) fn ids(&self) -> Vec<WatcherId> {
        (0..)
            .zip(&self.slots)
            .filter(|(_, watcher)| !matches!(watcher.kind, Kind::Vacant))
            .map(|(slot, watcher)| WatcherId::new(slot, watcher.generation))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(first_generation: u32) -> Watchers<()> {
        Watchers {
            slots: Vec::new(),
            free: Vec::new(),
            first_generation,
        }
    }

    #[test]
    fn a_slot_is_used_again_under_another_name() {
        let mut watchers = table(0);
        let first = watchers.insert(Kind::Idle, |(), _, _| {}, Priority::NORMAL);
        watchers.remove(first);
        let second = watchers.insert(Kind::Idle, |(), _, _| {}, Priority::NORMAL);
        assert_eq!(first.slot(), second.slot());
        assert!(watchers.get(first).is_none());
        assert!(watchers.get(second).is_some());
        assert!(
            watchers.remove(first).is_none(),
            "a dead name must end nobody"
        );
    }

    #[test]
    fn a_slot_whose_generation_would_wrap_is_retired() {
        let mut watchers = table(u32::MAX);
        let last = watchers.insert(Kind::Idle, |(), _, _| {}, Priority::NORMAL);
        watchers.remove(last);
        let next = watchers.insert(Kind::Idle, |(), _, _| {}, Priority::NORMAL);
        assert_ne!(last.slot(), next.slot());
    }

    #[test]
    fn a_name_survives_its_way_through_the_kernel() {
        let id = WatcherId::new(0xdead_beef, 0x0102_0304);
        assert_eq!(WatcherId::from_token(id.token()), id);
        assert_eq!((id.slot(), id.generation()), (0xdead_beef, 0x0102_0304));
    }

    #[test]
    fn a_priority_out_of_range_is_the_nearest_one() {
        assert_eq!(Priority::new(-100), Priority::new(-2));
        assert_eq!(Priority::new(100).index(), Priority::LEVELS - 1);
    }
}
