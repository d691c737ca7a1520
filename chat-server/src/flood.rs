//! How fast one client may talk.
//!
//! Shows: a token bucket kept as a single point in time (the generic cell rate
//! algorithm): the moment at which everything said so far will have been
//! earned. Nothing has to be counted up while a client is silent.

use std::time::{Duration, Instant};

/// A steady rate with a burst: what `--flood-rate` and `--flood-burst` set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FloodLimit {
    /// Time in which one more line is earned.
    interval: Duration,
    /// How far ahead of what is earned a client may be.
    tolerance: Duration,
}

impl FloodLimit {
    /// `rate` lines a second, and `burst` at once after a silence; at least one
    /// of each.
    #[must_use]
    pub fn new(rate: u32, burst: u32) -> FloodLimit {
        let interval = Duration::from_secs(1) / rate.max(1);
        FloodLimit {
            interval,
            tolerance: interval * burst.max(1),
        }
    }
}

/// What one client has left of its [`FloodLimit`].
#[derive(Clone, Copy, Debug)]
// ANCHOR: allowance
pub(crate) struct Allowance {
    limit: FloodLimit,
    /// When all lines so far are earned.
    earned_at: Instant,
}
// ANCHOR_END: allowance

impl Allowance {
    /// The full burst.
    pub(crate) fn new(limit: FloodLimit, now: Instant) -> Allowance {
        Allowance {
            limit,
            earned_at: now,
        }
    }

    /// As it was when so much was still to be earned.
    pub(crate) fn owing(limit: FloodLimit, now: Instant, owed: Duration) -> Allowance {
        // A burst that is smaller now is no reason to be silent for longer.
        let earned_at = now + owed.min(limit.tolerance);
        Allowance { limit, earned_at }
    }

    /// Time in which all lines so far will be earned.
    pub(crate) fn owed(&self, now: Instant) -> Duration {
        self.earned_at.saturating_duration_since(now)
    }

    /// Takes one line off.
    // ANCHOR: spend
    pub(crate) fn spend(&mut self, now: Instant) {
        self.earned_at = self.earned_at.max(now) + self.limit.interval;
    }
    // ANCHOR_END: spend

    /// Time until the next line is allowed; zero if one is allowed now.
    // ANCHOR: wait-for-one
    pub(crate) fn wait(&self, now: Instant) -> Duration {
        let after_one_more = self.earned_at.max(now) + self.limit.interval;
        after_one_more.saturating_duration_since(now + self.limit.tolerance)
    }
    // ANCHOR_END: wait-for-one
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many lines get through at `now`.
    fn lines(allowance: &mut Allowance, now: Instant) -> u32 {
        let mut lines = 0;
        while allowance.wait(now).is_zero() {
            allowance.spend(now);
            lines += 1;
        }
        lines
    }

    #[test]
    fn a_burst_and_then_the_rate() {
        let begin = Instant::now();
        let mut allowance = Allowance::new(FloodLimit::new(5, 20), begin);
        assert_eq!(lines(&mut allowance, begin), 20);
        assert_eq!(allowance.wait(begin), Duration::from_millis(200));
        assert_eq!(lines(&mut allowance, begin + Duration::from_millis(199)), 0);
        assert_eq!(lines(&mut allowance, begin + Duration::from_secs(1)), 5);
    }

    #[test]
    fn silence_earns_no_more_than_the_burst() {
        let begin = Instant::now();
        let mut allowance = Allowance::new(FloodLimit::new(5, 20), begin);
        lines(&mut allowance, begin);
        assert_eq!(lines(&mut allowance, begin + Duration::from_hours(1)), 20);
    }
}
