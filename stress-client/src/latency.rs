//! Latency: how long a message is on its way, on a schedule that waits for nobody.
//!
//! Shows: coordinated omission and how to avoid it. Who sends the next message only when the last
//! has come sends nothing while the server pauses, and so counts a pause of a second as one slow
//! message. Here each message has its time in the schedule, and its latency counts from there: a
//! pause makes all late that were due in it. A timer of the kernel (timerfd) keeps the schedule,
//! since a loop waits in whole milliseconds.
//! Leaves out: the network. Over loopback this is the time of the server, and of two schedulers.

use std::collections::HashMap;
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use chat_protocol::Message;
use epoll_loop::{Event, EventLoop, Interest, Watch, Watched};
use hdrhistogram::Histogram;
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};

use crate::crowd::{self, ClientNumber, Crowd, Driver, Role};
use crate::process::{ServerProcess, Spent, Stretch};
use crate::report::{Report, Unit, float, plural};
use crate::run::{self, Measurement, Options, Supervision};

/// What is later than this in the schedule was sent late.
const LATE: Duration = Duration::from_millis(1);

/// The part of the messages that may be sent late before the schedule is no longer kept.
const MOST_LATE: f64 = 0.01;

/// The longest latency that is told apart from longer ones.
const LONGEST: Duration = Duration::from_mins(10);

/// Digits of a latency that are kept.
const DIGITS: u8 = 3;

/// Digits of the number that a text begins with.
const NUMBER_BYTES: usize = 12;

/// What is to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) receivers: usize,
    pub(crate) senders: usize,
    /// Messages a second, of all senders together.
    pub(crate) rate: f64,
    /// Bytes of text in a message.
    pub(crate) message_bytes: usize,
    pub(crate) duration: Duration,
    pub(crate) channel: Rc<str>,
}

struct Latency {
    crowd: Crowd,
    supervision: Supervision,
    process: Option<ServerProcess>,
    plan: Plan,
    timer: Option<Watched<TimerFd>>,
    schedule: Schedule,
    sender_of_nick: HashMap<Vec<u8>, usize>,
    latencies: Latencies,
    deliveries: u64,
    stretch: Option<Stretch>,
    spent: Option<Spent>,
}

/// When which message is due.
#[derive(Clone, Copy, Debug)]
struct Schedule {
    began: Instant,
    interval: Duration,
    messages: u64,
    sent: u64,
    late: u64,
}

impl Schedule {
    fn new(rate: f64, duration: Duration) -> Schedule {
        let interval = Duration::from_secs_f64(1.0 / rate);
        let messages = duration.as_nanos().div_ceil(interval.as_nanos().max(1));
        Schedule {
            began: Instant::now(),
            interval,
            messages: u64::try_from(messages).unwrap_or(u64::MAX).max(1),
            sent: 0,
            late: 0,
        }
    }

    fn due(&self, number: u64) -> Instant {
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
        self.late += u64::from(now.saturating_duration_since(self.due(number)) > LATE);
        Some(number)
    }

    /// Time until the next one is due; none if that was the last.
    fn wait(&self, now: Instant) -> Option<Duration> {
        (self.sent < self.messages).then(|| self.due(self.sent).saturating_duration_since(now))
    }

    fn is_kept(&self) -> bool {
        float(self.late) <= MOST_LATE * float(self.sent)
    }
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

/// Measures, and reports.
pub(crate) fn measure(options: &Options, plan: &Plan) -> io::Result<Report> {
    let mut latency = Latency {
        crowd: Crowd::new(options.server, options.under_way),
        supervision: Supervision::new(options),
        process: options.process,
        plan: plan.clone(),
        timer: None,
        schedule: Schedule::new(plan.rate, plan.duration),
        sender_of_nick: HashMap::new(),
        latencies: Latencies::new(),
        deliveries: 0,
        stretch: None,
        spent: None,
    };
    run::run(&mut latency, options)?;
    Ok(latency.report())
}

impl Latency {
    fn members(&self) -> usize {
        self.plan.receivers + self.plan.senders
    }

    /// Deliveries that there are to be.
    fn expected(&self) -> u64 {
        self.schedule.messages * (self.members() as u64 - 1)
    }

    fn try_start(&mut self, event_loop: &mut EventLoop<Latency>) -> io::Result<()> {
        self.stretch = Some(Stretch::begin(self.process)?);
        let timer = TimerFd::new(
            ClockId::CLOCK_MONOTONIC,
            TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC,
        )?;
        // Before everything else: what is due is not to wait for what has arrived.
        let watch = Watch::new(Interest::READABLE).priority(1).label("schedule");
        self.timer = Some(event_loop.watch(timer, watch, Latency::send_what_is_due)?);
        self.schedule = Schedule::new(self.plan.rate, self.plan.duration);
        self.send_and_wait()
    }

    /// The schedule has come to the next message.
    fn send_what_is_due(&mut self, event_loop: &mut EventLoop<Latency>, _: Event) {
        if let Err(err) = self.send_and_wait() {
            event_loop.stop(Err(err));
        }
    }

    fn send_and_wait(&mut self) -> io::Result<()> {
        let Some(timer) = &self.timer else {
            return Ok(());
        };
        // A clock of its own and not the turn's, which is as old as the batch.
        let now = Instant::now();
        while let Some(number) = self.schedule.take(now) {
            let sender = number % self.plan.senders as u64;
            let line = line(&self.plan, number);
            self.crowd
                .say(usize::try_from(sender).unwrap_or(0), line.as_bytes());
        }
        match self.schedule.wait(now) {
            // To set it also takes back that it has expired. Zero would turn it off.
            Some(wait) => {
                let wait = TimeSpec::from_duration(wait.max(Duration::from_nanos(1)));
                timer.set(Expiration::OneShot(wait), TimerSetTimeFlags::empty())?;
            }
            None => self.timer = None,
        }
        Ok(())
    }

    fn report(&self) -> Report {
        let plan = &self.plan;
        let mut report = Report::new(format!(
            "latency: {}, {}, {} messages a second, {} bytes",
            plural(plan.receivers, "receiver"),
            plural(plan.senders, "sender"),
            plan.rate,
            plan.message_bytes
        ));
        let Some(spent) = &self.spent else {
            return report;
        };
        report.count("messages", "messages sent", self.schedule.sent);
        report.count("deliveries", "deliveries", self.deliveries);
        self.latencies.add_to(&mut report);
        report.count(
            "sent_late",
            "messages sent late by over 1 ms",
            self.schedule.late,
        );
        if !self.schedule.is_kept() {
            report.is_generator_the_limit = true;
            report.notes.push(format!(
                "the generator is the limit: it sent {} of {} messages over 1 ms late, and their \
                 latencies have that in them",
                self.schedule.late, self.schedule.sent
            ));
        }
        report.add_retries(self.crowd.retries());
        report.add_spent(spent);
        report
    }
}

/// The message of this number.
fn line(plan: &Plan, number: u64) -> String {
    let filling = plan.message_bytes.saturating_sub(NUMBER_BYTES);
    let channel = &plan.channel;
    format!(
        "PRIVMSG {channel} :{number:0NUMBER_BYTES$}{}\r\n",
        "x".repeat(filling)
    )
}

/// The number of a message, from its text.
fn number(text: &[u8]) -> Option<u64> {
    let digits = text.get(..NUMBER_BYTES)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

impl Driver for Latency {
    fn crowd(&mut self) -> &mut Crowd {
        &mut self.crowd
    }

    fn arrived(&mut self, _: &mut EventLoop<Latency>, client: ClientNumber) {
        if client < self.plan.senders {
            let nick = self.crowd.nick(client).as_bytes().to_vec();
            self.sender_of_nick.insert(nick, client);
        }
    }

    fn gathered(&mut self, _: &mut EventLoop<Latency>) {
        crowd::settle(self);
    }

    fn settled(&mut self, event_loop: &mut EventLoop<Latency>) {
        if let Err(err) = self.try_start(event_loop) {
            event_loop.stop(Err(err));
        }
    }

    fn heard(
        &mut self,
        event_loop: &mut EventLoop<Latency>,
        _: ClientNumber,
        _: &[u8],
        message: &Message<'_>,
    ) {
        let is_ours = message.is(b"PRIVMSG")
            && message
                .source
                .is_some_and(|source| self.sender_of_nick.contains_key(source.nick()));
        if let (true, Some(number)) = (
            is_ours,
            message.parameters.get(1).and_then(|text| number(text)),
        ) {
            self.latencies.record(self.schedule.due(number).elapsed());
            self.deliveries += 1;
            if self.deliveries == self.expected() {
                let spent = self.stretch.as_ref().map(Stretch::end).transpose();
                event_loop.stop(spent.map(|spent| self.spent = spent));
            }
        }
    }
}

impl Measurement for Latency {
    fn begin(&mut self, event_loop: &mut EventLoop<Latency>) -> io::Result<()> {
        let role = |letter| Role {
            letter,
            channel: Some(Rc::clone(&self.plan.channel)),
            receive_buffer: None,
        };
        let senders = vec![role('s'); self.plan.senders];
        let receivers = vec![role('r'); self.plan.receivers];
        crowd::call(self, event_loop, senders.into_iter().chain(receivers))
    }

    fn progress(&mut self) -> String {
        if self.stretch.is_none() {
            format!("{} of {} have joined", self.crowd.arrived(), self.members())
        } else {
            format!(
                "{} of {} messages sent, {} of {} deliveries, the slowest took {:.1} ms",
                self.schedule.sent,
                self.schedule.messages,
                self.deliveries,
                self.expected(),
                self.latencies.milliseconds(100.0)
            )
        }
    }

    fn supervision(&mut self) -> &mut Supervision {
        &mut self.supervision
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

    #[test]
    fn a_message_says_its_number() {
        let plan = Plan {
            receivers: 1,
            senders: 1,
            rate: 1.0,
            message_bytes: 100,
            duration: Duration::ZERO,
            channel: "#c".into(),
        };
        let line = line(&plan, 1_234);
        let (_, text) = line.split_once(':').unwrap();
        assert_eq!(text.trim_end().len(), 100);
        assert_eq!(number(text.as_bytes()), Some(1_234));
        assert_eq!(number(b"hello"), None);
    }
}
