//! Deadlines in order: a 4-ary heap that is not touched to push one out.
//!
//! Shows: a heap whose members know their place, so that a timer in its middle
//! can be cancelled; lazy re-keying, so that a connection that is busy all day
//! costs its idle timer one store an event; four children a node, which halves
//! the depth and keeps them in one cache line (libev's `EV_USE_4HEAP`).
//! Leaves out: the wheel (constant time, coarse deadlines).

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

const NANOSECONDS_A_SECOND: u64 = 1_000_000_000;

const CHILDREN: usize = 4;

/// Not in the heap, which never has as many entries as this.
const NOWHERE: u32 = u32::MAX;

/// A point in time as nanoseconds of the monotonic clock: 8 bytes, where an
/// `Instant` has 16, and one comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Deadline(u64);

impl Deadline {
    /// The time of the monotonic clock, which no other process can set.
    ///
    /// Not by `Instant`, which reads the same clock: to take one `Instant` from
    /// another, for a number, costs 70 instructions more.
    pub(crate) fn clock() -> Deadline {
        let time = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("every Linux has this clock");
        // Counted from when the machine was started: neither is negative.
        let (seconds, rest) = (
            time.tv_sec().cast_unsigned(),
            time.tv_nsec().cast_unsigned(),
        );
        Deadline(seconds * NANOSECONDS_A_SECOND + rest)
    }

    /// The deadline `duration` later; never wraps.
    #[inline]
    pub(crate) fn plus(self, duration: Duration) -> Deadline {
        Deadline(self.0.saturating_add(nanoseconds(duration)))
    }

    // ANCHOR: multiples
    /// The first deadline after `now` that is a whole number of periods later.
    pub(crate) fn next_multiple(self, period: Duration, now: Deadline) -> Deadline {
        let period = nanoseconds(period).max(1);
        let passed = now.0.saturating_sub(self.0) / period;
        Deadline(self.0.saturating_add(period.saturating_mul(passed + 1)))
    }
    // ANCHOR_END: multiples

    /// How long it is from `now` to this; zero if it has passed.
    pub(crate) fn since(self, now: Deadline) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(now.0))
    }
}

/// As many nanoseconds as 64 bits hold: 584 years.
#[inline]
fn nanoseconds(duration: Duration) -> u64 {
    let whole = duration.as_secs().saturating_mul(NANOSECONDS_A_SECOND);
    whole.saturating_add(u64::from(duration.subsec_nanos()))
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    /// At most the deadline of `slot`: pushing a deadline out leaves it behind.
    key: Deadline,
    slot: u32,
}

/// The armed timers of a loop, by the slot of their watcher.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    heap: Vec<Entry>,
    /// By slot.
    deadlines: Vec<Deadline>,
    /// By slot: the index in the heap, or [`NOWHERE`]. Apart from the deadlines,
    /// since a timer that expires moves one entry a level, and writes here for
    /// each: 4 bytes a timer stay in the cache where 16 do not.
    positions: Vec<u32>,
}

impl Timers {
    // ANCHOR: push-out
    /// Arms the timer of `slot`, or moves its deadline to any other time.
    ///
    /// A later deadline is only noted, in constant time: the heap learns of it
    /// when the old one comes up.
    #[inline]
    pub(crate) fn set(&mut self, slot: u32, deadline: Deadline) {
        if let Some(&position) = self.positions.get(slot as usize)
            && let Some(entry) = self.heap.get(position as usize)
            && entry.key <= deadline
        {
            // ANCHOR: later
            self.deadlines[slot as usize] = deadline;
            // ANCHOR_END: later
        } else {
            self.move_up(slot, deadline);
        }
    }
    // ANCHOR_END: push-out

    /// Arms the timer of `slot`, or moves its deadline to an earlier time.
    #[inline]
    fn move_up(&mut self, slot: u32, deadline: Deadline) {
        let index = slot as usize;
        if index >= self.positions.len() {
            self.make_place(index);
        }
        self.deadlines[index] = deadline;
        let entry = Entry {
            key: deadline,
            slot,
        };
        let mut position = self.positions[index] as usize;
        if position == NOWHERE as usize {
            position = self.heap.len();
            self.heap.push(entry);
        }
        self.sift_up(position, entry);
    }

    #[cold]
    fn make_place(&mut self, index: usize) {
        self.deadlines.resize(index + 1, Deadline(0));
        self.positions.resize(index + 1, NOWHERE);
    }

    /// The deadline of the timer of `slot`, if it is armed.
    pub(crate) fn deadline(&self, slot: u32) -> Option<Deadline> {
        let position = *self.positions.get(slot as usize)?;
        (position != NOWHERE).then(|| self.deadlines[slot as usize])
    }

    /// Disarms the timer of `slot`, if it is armed.
    #[inline]
    pub(crate) fn remove(&mut self, slot: u32) {
        if let Some(&position) = self.positions.get(slot as usize)
            && position != NOWHERE
        {
            self.remove_at(position as usize);
        }
    }

    // ANCHOR: next
    /// The earliest deadline and the slot that it belongs to.
    #[inline]
    pub(crate) fn next(&mut self) -> Option<(Deadline, u32)> {
        loop {
            let top = *self.heap.first()?;
            let deadline = self.deadlines[top.slot as usize];
            if deadline == top.key {
                return Some((deadline, top.slot));
            }
            // ANCHOR: tell-heap
            // It was pushed out: now is the time to tell the heap.
            let entry = Entry {
                key: deadline,
                slot: top.slot,
            };
            self.sink(entry);
            // ANCHOR_END: tell-heap
        }
    }
    // ANCHOR_END: next

    /// Moves the first entry down to where its new key belongs.
    #[cold]
    fn sink(&mut self, entry: Entry) {
        self.sift_down(0, entry);
    }

    /// Takes out one timer whose deadline is not after `now`.
    #[inline]
    pub(crate) fn pop_due(&mut self, now: Deadline) -> Option<(Deadline, u32)> {
        let (deadline, slot) = self.next()?;
        if deadline > now {
            return None;
        }
        self.remove_at(0);
        Some((deadline, slot))
    }

    #[inline]
    fn remove_at(&mut self, position: usize) {
        let removed = self.heap[position];
        self.positions[removed.slot as usize] = NOWHERE;
        let Some(last) = self.heap.pop() else {
            return;
        };
        // The last entry takes the place, if that is not its own; it may belong
        // further up or further down.
        if position < self.heap.len() {
            if last.key < removed.key {
                self.sift_up(position, last);
            } else {
                self.sift_down(position, last);
            }
        }
    }

    /// Puts `entry` at `position`, or further up; those above move down.
    #[inline]
    fn sift_up(&mut self, mut position: usize, entry: Entry) {
        while position > 0 {
            let parent = (position - 1) / CHILDREN;
            if self.heap[parent].key <= entry.key {
                break;
            }
            self.put(position, self.heap[parent]);
            position = parent;
        }
        self.put(position, entry);
    }

    /// Puts `entry` at `position`, or further down; those below move up.
    fn sift_down(&mut self, mut position: usize, entry: Entry) {
        while let Some((child, nearest)) = self.nearest_child(position)
            && nearest.key < entry.key
        {
            self.put(position, nearest);
            position = child;
        }
        self.put(position, entry);
    }

    /// The child with the earliest key, and where it is.
    #[inline]
    fn nearest_child(&self, position: usize) -> Option<(usize, Entry)> {
        let first = position * CHILDREN + 1;
        let children = self.heap.get(first..)?;
        let Some(four) = children.first_chunk::<CHILDREN>() else {
            // The last node may have fewer.
            let (index, nearest) = children
                .iter()
                .enumerate()
                .min_by_key(|(_, child)| child.key)?;
            return Some((first + index, *nearest));
        };
        // Two pairs and a final, without a branch: half the instructions of the
        // search above.
        let left = usize::from(four[1].key < four[0].key);
        let right = 2 + usize::from(four[3].key < four[2].key);
        let nearest = if four[right].key < four[left].key {
            right
        } else {
            left
        };
        Some((first + nearest, four[nearest]))
    }

    #[inline]
    fn put(&mut self, position: usize, entry: Entry) {
        self.heap[position] = entry;
        // Slots are u32, so there are never more entries than that.
        #[expect(clippy::cast_possible_truncation, reason = "fewer entries than slots")]
        let position = position as u32;
        self.positions[entry.slot as usize] = position;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// What a sorted list would answer.
    #[derive(Default)]
    struct Model {
        sorted: BTreeSet<(Deadline, u32)>,
        deadlines: std::collections::HashMap<u32, Deadline>,
    }

    impl Model {
        fn set(&mut self, slot: u32, deadline: Deadline) {
            self.remove(slot);
            self.deadlines.insert(slot, deadline);
            self.sorted.insert((deadline, slot));
        }

        fn remove(&mut self, slot: u32) {
            if let Some(deadline) = self.deadlines.remove(&slot) {
                self.sorted.remove(&(deadline, slot));
            }
        }
    }

    fn check_heap(timers: &Timers) {
        for (position, entry) in timers.heap.iter().enumerate() {
            assert_eq!(timers.positions[entry.slot as usize] as usize, position);
            if position > 0 {
                assert!(timers.heap[(position - 1) / CHILDREN].key <= entry.key);
            }
        }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Set(u32, u64),
        Remove(u32),
        Expire(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            6 => (0..300_u32, 0..1_000_u64).prop_map(|(slot, at)| Step::Set(slot, at)),
            2 => (0..300_u32).prop_map(Step::Remove),
            1 => (0..1_000_u64).prop_map(Step::Expire),
        ]
    }

    /// Expires both up to `now`; the order of equal deadlines is free.
    fn expire_both(timers: &mut Timers, model: &mut Model, now: Deadline) {
        let mut last = Deadline(0);
        while let Some((deadline, slot)) = timers.pop_due(now) {
            assert!(deadline >= last && deadline <= now);
            last = deadline;
            assert_eq!(model.deadlines.get(&slot), Some(&deadline));
            model.remove(slot);
        }
        assert!(
            model
                .sorted
                .first()
                .is_none_or(|(deadline, _)| *deadline > now)
        );
    }

    proptest! {
        #[test]
        fn any_order_of_calls_gives_what_a_sorted_list_gives(
            steps in prop::collection::vec(step(), 1..400),
        ) {
            let (mut timers, mut model) = (Timers::default(), Model::default());
            for step in steps {
                match step {
                    Step::Set(slot, at) => {
                        timers.set(slot, Deadline(at));
                        model.set(slot, Deadline(at));
                    }
                    Step::Remove(slot) => {
                        timers.remove(slot);
                        model.remove(slot);
                    }
                    Step::Expire(now) => expire_both(&mut timers, &mut model, Deadline(now)),
                }
                check_heap(&timers);
                prop_assert_eq!(timers.heap.len(), model.sorted.len());
                prop_assert_eq!(
                    timers.next().map(|(deadline, _)| deadline),
                    model.sorted.first().map(|(deadline, _)| *deadline)
                );
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4))]
        #[test]
        fn a_hundred_thousand_timers_expire_as_a_sorted_list_says(
            seeds in prop::collection::vec(any::<u64>(), 100_000),
            cancelled in prop::collection::vec(0..100_000_u32, 10_000),
            moved in prop::collection::vec((0..100_000_u32, 0..10_000_000_u64), 10_000),
        ) {
            let (mut timers, mut model) = (Timers::default(), Model::default());
            for (slot, seed) in (0..).zip(&seeds) {
                timers.set(slot, Deadline(seed % 10_000_000));
                model.set(slot, Deadline(seed % 10_000_000));
            }
            for slot in cancelled {
                timers.remove(slot);
                model.remove(slot);
            }
            for (slot, at) in moved {
                timers.set(slot, Deadline(at));
                model.set(slot, Deadline(at));
            }
            for now in (0..=10_000_000).step_by(1_000_000) {
                expire_both(&mut timers, &mut model, Deadline(now));
            }
            prop_assert!(timers.heap.is_empty());
        }
    }

    #[test]
    fn the_deadlines_of_a_repeating_timer_do_not_drift_and_missed_ones_are_left_out() {
        let period = Duration::from_nanos(100);
        assert_eq!(
            Deadline(100).next_multiple(period, Deadline(103)),
            Deadline(200)
        );
        assert_eq!(
            Deadline(100).next_multiple(period, Deadline(200)),
            Deadline(300)
        );
        assert_eq!(
            Deadline(100).next_multiple(period, Deadline(777)),
            Deadline(800)
        );
        assert_eq!(
            Deadline(100).next_multiple(Duration::MAX, Deadline(103)),
            Deadline(u64::MAX)
        );
    }

    #[test]
    fn pushing_a_deadline_out_does_not_touch_the_heap() {
        let mut timers = Timers::default();
        for slot in 0..100 {
            timers.set(slot, Deadline(u64::from(slot)));
        }
        let before: Vec<_> = timers
            .heap
            .iter()
            .map(|entry| (entry.key, entry.slot))
            .collect();
        timers.set(50, Deadline(1_000));
        let after: Vec<_> = timers
            .heap
            .iter()
            .map(|entry| (entry.key, entry.slot))
            .collect();
        assert_eq!(before, after);
        assert_eq!(timers.deadlines[50], Deadline(1_000));
    }
}
