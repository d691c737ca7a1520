//! Points in time as the loop reckons: small, and quick to compare.
//!
//! Shows: the monotonic clock, which no other process can set; a timer that
//! repeats without drifting.
//! Leaves out: the deadlines in order (`timers.rs`).

use std::num::NonZeroU64;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

const NANOSECONDS_A_SECOND: u64 = 1_000_000_000;

/// A point in time as nanoseconds of the monotonic clock: 8 bytes, where an
/// `Instant` has 16, and one comparison.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
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
    pub(crate) fn next_multiple(self, period: Period, now: Deadline) -> Deadline {
        let passed = now.0.saturating_sub(self.0) / period.0;
        let further = period.0.get().saturating_mul(passed + 1);
        Deadline(self.0.saturating_add(further))
    }
    // ANCHOR_END: multiples

    /// How long it is from `now` to this; zero if it has passed.
    pub(crate) fn since(self, now: Deadline) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(now.0))
    }
}

/// The time between two deadlines of a timer that repeats: 8 bytes, where a
/// `Duration` has 16, in a table of maybe a million timers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Period(NonZeroU64);

impl Period {
    /// At least a nanosecond.
    pub(crate) fn new(duration: Duration) -> Period {
        Period(NonZeroU64::new(nanoseconds(duration)).unwrap_or(NonZeroU64::MIN))
    }
}

/// As many nanoseconds as 64 bits hold: 584 years.
#[inline]
fn nanoseconds(duration: Duration) -> u64 {
    let whole = duration.as_secs().saturating_mul(NANOSECONDS_A_SECOND);
    whole.saturating_add(u64::from(duration.subsec_nanos()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deadlines_of_a_repeating_timer_do_not_drift_and_missed_ones_are_left_out() {
        let period = Period::new(Duration::from_nanos(100));
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
            Deadline(100).next_multiple(Period::new(Duration::MAX), Deadline(103)),
            Deadline(u64::MAX)
        );
    }
}
