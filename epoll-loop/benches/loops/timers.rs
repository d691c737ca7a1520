//! Timers: inserted, pushed out twice and cancelled, as a connection's idle timer is; and expired,
//! all of them.
//!
//! Shows: how the cost grows with the number of timers that are armed meanwhile.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use crate::contender::Timing;

/// Standing timers are due within this time, in any order.
const SPREAD: Duration = Duration::from_mins(1);

/// Those that are to expire are due within this time.
const EXPIRY_SPREAD: Duration = Duration::from_millis(10);

/// A loop with `standing` timers armed that are not due for long.
pub(crate) fn with_standing<T: Timing>(standing: usize) -> io::Result<T> {
    let mut timing = T::new()?;
    let mut random = Random(1);
    for _ in 0..standing {
        timing.after(Duration::from_hours(1) + random.below(SPREAD));
    }
    Ok(timing)
}

/// The life of as many timers: armed, pushed out twice, cancelled, one after the other.
pub(crate) fn arm_and_cancel<T: Timing>(timing: &mut T, timers: usize) {
    let minute = Duration::from_mins(1);
    for _ in 0..timers {
        let mut timer = timing.after(Duration::from_hours(1) + minute / 2);
        timing.push_out(&mut timer, Duration::from_hours(1) + minute);
        timing.push_out(&mut timer, Duration::from_hours(1) + 2 * minute);
        timing.cancel(timer);
    }
}

/// Arms as many timers, in a random order, and returns when all of them are due.
pub(crate) fn arm_due<T: Timing>(timing: &mut T, timers: usize) {
    let begin = Instant::now();
    let mut random = Random(timers as u64);
    for _ in 0..timers {
        timing.at(begin + random.below(EXPIRY_SPREAD));
    }
    let left = (begin + EXPIRY_SPREAD).saturating_duration_since(Instant::now());
    thread::sleep(left);
}

/// Numbers without order, the same in every run (Marsaglia's xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, end: Duration) -> Duration {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let nanoseconds = u64::try_from(end.as_nanos()).expect("a short time");
        Duration::from_nanos(self.0 % nanoseconds)
    }
}
