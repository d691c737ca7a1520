//! A schedule that waits for nobody, and what is late by it.
//!
//! Shows: coordinated omission and how to avoid it. Who sends the next message only when the last
//! has come sends nothing while the server pauses, and so counts a pause of a second as one slow
//! message. Here each message has its time in the schedule, and its latency counts from there: a
//! pause makes all late that were due in it. A timer of the kernel (timerfd) keeps the schedule,
//! since a loop waits in whole milliseconds.
//! Leaves out: what is sent.

use std::io;
use std::time::{Duration, Instant};

use epoll_loop::{Callback, EventLoop, Interest, Watch, Watched};
use hdrhistogram::Histogram;
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};

use crate::report::{BUSY, Report, Unit, float};

/// What is later than this in the schedule was sent late.
const LATE: Duration = Duration::from_millis(1);

/// The part of the messages that may be sent late before the schedule is no longer kept.
const MOST_LATE: f64 = 0.01;

/// The longest latency that is told apart from longer ones.
const LONGEST: Duration = Duration::from_mins(10);

/// Digits of a latency that are kept.
const DIGITS: u8 = 3;

/// When which message is due, and the timer that tells of it.
#[derive(Debug)]
pub(crate) struct Schedule {
    /// Readable when the next message is due; none before the first and after the last.
    timer: Option<Watched<TimerFd>>,
    began: Instant,
    interval: Duration,
    pub(crate) messages: u64,
    pub(crate) sent: u64,
    late: u64,
}

impl Schedule {
    /// So many messages a second for so long; at least one.
    pub(crate) fn new(rate: f64, duration: Duration) -> Schedule {
        let interval = Duration::from_secs_f64(1.0 / rate);
        let messages = duration.as_nanos().div_ceil(interval.as_nanos().max(1));
        Schedule {
            timer: None,
            began: Instant::now(),
            interval,
            messages: u64::try_from(messages).unwrap_or(u64::MAX).max(1),
            sent: 0,
            late: 0,
        }
    }

    /// Begins now; `tick` is called when a message is due, and has to call
    /// [`Schedule::send_due`].
    pub(crate) fn start<D>(
        &mut self,
        event_loop: &mut EventLoop<D>,
        tick: Callback<D>,
    ) -> io::Result<()> {
        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?;
        // Before everything else: what is due is not to wait for what has arrived.
        let watch = Watch::new(Interest::READABLE).priority(1).label("schedule");
        let timer = event_loop.watch(timer, watch, tick)?;
        self.began = Instant::now();
        set(&timer, Duration::ZERO)?;
        self.timer = Some(timer);
        Ok(())
    }

    /// Whether messages are still to come.
    pub(crate) fn is_under_way(&self) -> bool {
        self.timer.is_some()
    }

    // ANCHOR: send-due
    /// Calls `send` with the number of each message that is due, and has the timer expire when the
    /// next one is.
    pub(crate) fn send_due(&mut self, mut send: impl FnMut(u64)) -> io::Result<()> {
        // ANCHOR: own-clock
        // A clock of its own and not the turn's, which is as old as the batch.
        let now = Instant::now();
        // ANCHOR_END: own-clock
        while let Some(number) = self.take(now) {
            send(number);
        }
        if let Some(wait) = self.wait(now)
            && let Some(timer) = &self.timer
        {
            set(timer, wait)
        } else {
            self.timer = None;
            Ok(())
        }
    }
    // ANCHOR_END: send-due

    // ANCHOR: due
    /// When a message is due.
    pub(crate) fn due(&self, number: u64) -> Instant {
        let nanoseconds = self.interval.as_nanos() * u128::from(number);
        let nanoseconds = u64::try_from(nanoseconds).unwrap_or(u64::MAX);
        self.began + Duration::from_nanos(nanoseconds)
    }

    /// The next message that is due at `now`.
    fn take(&mut self, now: Instant) -> Option<u64> {
        let number = self.sent;
        if number == self.messages || self.due(number) > now {
            return None;
        }
        self.sent += 1;
        // ANCHOR: sent-late
        self.late += u64::from(now.saturating_duration_since(self.due(number)) > LATE);
        // ANCHOR_END: sent-late
        Some(number)
    }
    // ANCHOR_END: due

    /// Time until the next one is due; none if that was the last.
    fn wait(&self, now: Instant) -> Option<Duration> {
        (self.sent < self.messages).then(|| self.due(self.sent).saturating_duration_since(now))
    }

    fn is_kept(&self) -> bool {
        float(self.late) <= MOST_LATE * float(self.sent)
    }

    /// Adds how many were sent late, and says so if they were too many. `own_share` is how much of a
    /// core this program has used, 0 to 1.
    pub(crate) fn add_to(&self, report: &mut Report, own_share: f64) {
        report.count("sent_late", "messages sent late by over 1 ms", self.late);
        if self.is_kept() {
            return;
        }
        let why = if own_share < BUSY {
            format!(
                ", although it used only {:.0} % of a core, so others were running there",
                own_share * 100.0
            )
        } else {
            String::new()
        };
        report.is_generator_the_limit = true;
        report.notes.push(format!(
            "the generator is the limit: it sent {} of {} messages over 1 ms late{why}; their \
             latencies have that in them",
            self.late, self.sent
        ));
    }
}

/// Has it expire after `wait`; that it has expired before is taken back.
fn set(timer: &TimerFd, wait: Duration) -> io::Result<()> {
    // Zero would turn it off.
    let wait = TimeSpec::from_duration(wait.max(Duration::from_nanos(1)));
    Ok(timer.set(Expiration::OneShot(wait), TimerSetTimeFlags::empty())?)
}

/// How long messages took.
#[derive(Debug)]
pub(crate) struct Latencies(Histogram<u64>);

impl Latencies {
    pub(crate) fn new() -> Latencies {
        let longest = u64::try_from(LONGEST.as_nanos()).unwrap_or(u64::MAX);
        let histogram = Histogram::new_with_bounds(1, longest, DIGITS);
        Latencies(histogram.expect("the bounds and digits are within what it takes"))
    }

    pub(crate) fn record(&mut self, latency: Duration) {
        let nanoseconds = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX);
        self.0.saturating_record(nanoseconds);
    }

    /// What so many of a hundred did not exceed, in milliseconds.
    pub(crate) fn milliseconds(&self, percentile: f64) -> f64 {
        float(self.0.value_at_percentile(percentile)) / 1e6
    }

    pub(crate) fn add_to(&self, report: &mut Report) {
        for (key, name, percentile) in [
            ("latency_p50_milliseconds", "half of them within", 50.0),
            ("latency_p90_milliseconds", "90 % within", 90.0),
            ("latency_p99_milliseconds", "99 % within", 99.0),
            ("latency_p99_9_milliseconds", "99.9 % within", 99.9),
            ("latency_max_milliseconds", "the slowest", 100.0),
        ] {
            report.add(key, name, self.milliseconds(percentile), Unit::Milliseconds);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_gives_each_message_its_time_and_no_more_messages_than_fit() {
        let mut schedule = Schedule::new(100.0, Duration::from_millis(50));
        let at = |milliseconds| schedule.began + Duration::from_millis(milliseconds);
        let times = [0, 9, 10, 35, 1_000].map(at);
        let taken =
            times.map(|now| std::iter::from_fn(|| schedule.take(now)).collect::<Vec<u64>>());
        assert_eq!(taken, [vec![0], vec![], vec![1], vec![2, 3], vec![4]]);
        assert_eq!(schedule.wait(times[0]), None);
        assert_eq!(schedule.late, 3, "the second last two, and the last");
        assert!(!schedule.is_kept());
    }

    #[test]
    fn the_percentiles_are_those_of_what_was_recorded() {
        let mut latencies = Latencies::new();
        for milliseconds in 1..=1_000 {
            latencies.record(Duration::from_millis(milliseconds));
        }
        for (percentile, expected) in [
            (50.0, 500.0),
            (99.0, 990.0),
            (99.9, 999.0),
            (100.0, 1_000.0),
        ] {
            let found = latencies.milliseconds(percentile);
            assert!(
                (found - expected).abs() <= expected / 500.0,
                "{percentile}: {found}"
            );
        }
    }
}
