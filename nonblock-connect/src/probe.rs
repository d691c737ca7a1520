//! Connecting to every target, so many at a time.
//!
//! Shows: a program that waits for 10,000 peers and is never held by one; a retry is a timer, a
//! limit is what is not begun yet.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::time::{Duration, Instant};

use epoll_loop::{Event, EventLoop, Output, WatcherId};
use nix::errno::Errno;
use nonblock_connect::{AttemptId, ConnectError, Connected, Connector, Connects, Target};

use crate::report::{Outcome, Report, Summary};

/// How long after the begin of an attempt the next one for the same target begins, at the earliest.
const RETRY_INTERVAL: Duration = Duration::from_millis(200);

/// Nothing is begun while so much of what was told waits for its reader.
const UNREAD_LIMIT_BYTES: usize = 64 * 1024;

/// How many attempts are begun before the answers of others are taken, so that these are told with
/// the time they took and not with that of all the beginning.
const BEGUN_A_TURN: usize = 16;

/// How often the reader is looked after while there is something to read.
const READER_INTERVAL: Duration = Duration::from_millis(20);

/// What is to be done.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Per target and attempt.
    pub(crate) timeout: Duration,
    pub(crate) in_flight: usize,
    /// Try again for so long; None is one attempt each.
    pub(crate) wait: Option<Duration>,
    pub(crate) json: bool,
}

/// All targets, as far as they have come.
pub(crate) struct Probe {
    settings: Settings,
    connector: Connector,
    /// Those of which no attempt was begun yet.
    untried: Box<dyn Iterator<Item = Target>>,
    running: HashMap<AttemptId, Trial>,
    /// Those that have failed, until their time has come.
    resting: HashMap<WatcherId, Trial>,
    /// Their time has come, and there was no room.
    due: VecDeque<Trial>,
    output: Output,
    began: Instant,
    summary: Summary,
    /// The reason of the last one that was not connected.
    last_failure: Option<(Target, String)>,
    /// Whether the time for all is over.
    over: bool,
    /// Whether a timer is set that begins some more in the next turn.
    begins_soon: bool,
    /// Whether a timer is set that looks after the reader.
    looks_after_reader: bool,
}

/// One target, and how often it was tried.
struct Trial {
    target: Target,
    attempts: u32,
    /// Begin of the first attempt, and of the last.
    first: Instant,
    last: Instant,
    failure: Option<(ConnectError, Duration)>,
}

/// What came of all targets.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) summary: Summary,
    /// A target that was not connected, and why.
    pub(crate) failure: Option<(Target, String)>,
}

/// Connects to every target once, or until it works.
///
/// # Errors
///
/// What the loop reports; `EPIPE` if nobody reads standard output.
pub(crate) fn run(
    targets: Box<dyn Iterator<Item = Target>>,
    settings: Settings,
    trace: chapter::Trace,
) -> io::Result<Done> {
    let mut event_loop = EventLoop::new()?;
    let _tracing = trace.start(&mut event_loop)?;
    let output = event_loop.standard_output()?;
    if let Some(wait) = settings.wait {
        event_loop.after(wait, Probe::give_up);
    }
    let mut probe = Probe {
        settings,
        connector: Connector::new(),
        untried: targets,
        running: HashMap::new(),
        resting: HashMap::new(),
        due: VecDeque::new(),
        output,
        began: Instant::now(),
        summary: Summary::default(),
        last_failure: None,
        over: false,
        begins_soon: false,
        looks_after_reader: false,
    };
    probe.begin_some(&mut event_loop);
    event_loop.run(&mut probe)?;
    probe.finish()
}

impl Connects for Probe {
    fn connector(&mut self) -> &mut Connector {
        &mut self.connector
    }

    fn finished(
        &mut self,
        event_loop: &mut EventLoop<Probe>,
        id: AttemptId,
        result: Result<Connected, ConnectError>,
    ) {
        let Some(mut trial) = self.running.remove(&id) else {
            return;
        };
        match result {
            // The connection is closed here: it was all that was asked for.
            Ok(connected) => {
                let outcome = Outcome::Connected(connected.address);
                self.tell(trial, outcome, connected.took);
            }
            Err(err) if self.settings.wait.is_some() => {
                // An attempt that was cut short tells less than the one before it.
                if !(self.time_left().is_zero() && err.is_timeout() && trial.failure.is_some()) {
                    trial.failure = Some((err, trial.last.elapsed()));
                }
                let rest = RETRY_INTERVAL.saturating_sub(trial.last.elapsed());
                let timer = event_loop.after(rest, Probe::try_again);
                self.resting.insert(timer, trial);
            }
            Err(err) => {
                let took = trial.last.elapsed();
                self.tell(trial, Outcome::Failed(err), took);
            }
        }
        self.look_after_reader(event_loop);
        self.begin_soon(event_loop);
    }
}

impl Probe {
    /// Begins as many attempts as there is room for; ends the loop if none is left.
    fn begin_some(&mut self, event_loop: &mut EventLoop<Probe>) {
        let mut begun = 0;
        while !self.over && self.running.len() < self.settings.in_flight {
            if begun == BEGUN_A_TURN {
                return self.begin_soon(event_loop);
            }
            begun += 1;
            if self.output.pending() > UNREAD_LIMIT_BYTES {
                return self.look_after_reader(event_loop);
            }
            // Everyone once before anyone twice.
            let new = self.untried.next().map(Trial::new);
            let Some(mut trial) = new.or_else(|| self.due.pop_front()) else {
                break;
            };
            trial.attempts += 1;
            trial.last = Instant::now();
            let timeout = self.time_left();
            let id = self.connector.start(event_loop, &trial.target, timeout);
            self.running.insert(id, trial);
        }
        let none_left = self.resting.is_empty() && self.due.is_empty();
        if self.running.is_empty() && (self.over || none_left) {
            event_loop.stop(Ok(()));
        }
    }

    /// Begins some more when the answers that are there have been taken.
    fn begin_soon(&mut self, event_loop: &mut EventLoop<Probe>) {
        if !self.begins_soon {
            self.begins_soon = true;
            event_loop.after(Duration::ZERO, |probe, event_loop, _| {
                probe.begins_soon = false;
                probe.begin_some(event_loop);
            });
        }
    }

    /// A target has rested for long enough.
    fn try_again(&mut self, event_loop: &mut EventLoop<Probe>, event: Event) {
        self.due.extend(self.resting.remove(&event.id));
        self.begin_some(event_loop);
    }

    /// Something was told: has a look, a little later, whether it is read.
    fn look_after_reader(&mut self, event_loop: &mut EventLoop<Probe>) {
        if !self.looks_after_reader {
            self.looks_after_reader = true;
            event_loop.after(READER_INTERVAL, Probe::check_reader);
        }
    }

    /// Ends the program if nobody reads what it tells, and goes on if there is room again.
    fn check_reader(&mut self, event_loop: &mut EventLoop<Probe>, _: Event) {
        self.looks_after_reader = false;
        if self.output.dropped() > 0 {
            return event_loop.stop(Err(Errno::EPIPE.into()));
        }
        if self.output.pending() > 0 {
            self.look_after_reader(event_loop);
        }
        self.begin_some(event_loop);
    }

    /// The time for all is over. What is on its way ends by itself now, since no attempt may last
    /// longer.
    fn give_up(&mut self, event_loop: &mut EventLoop<Probe>, _: Event) {
        self.over = true;
        self.begin_some(event_loop);
    }

    /// How long an attempt may last that begins now.
    fn time_left(&self) -> Duration {
        match self.settings.wait {
            None => self.settings.timeout,
            Some(wait) => {
                let left = wait.saturating_sub(self.began.elapsed());
                self.settings.timeout.min(left)
            }
        }
    }

    /// Tells of those that are left, and of all.
    fn finish(mut self) -> io::Result<Done> {
        let mut left: Vec<Trial> = self.due.drain(..).collect();
        left.extend(self.resting.drain().map(|(_, trial)| trial));
        left.sort_by_key(|trial| trial.first);
        for mut trial in left {
            if let Some((err, took)) = trial.failure.take() {
                self.make_room();
                self.tell(trial, Outcome::Failed(err), took);
            }
        }
        for target in std::mem::replace(&mut self.untried, Box::new(std::iter::empty())) {
            self.make_room();
            self.tell(Trial::new(target), Outcome::NotTried, Duration::ZERO);
        }
        self.summary.set_time(self.began.elapsed());
        if self.settings.json {
            self.print(&self.summary.json());
        } else if self.summary.targets > 1 {
            self.print(&self.summary.to_string());
        }
        self.output.drain(Duration::MAX);
        if self.output.dropped() > 0 {
            return Err(Errno::EPIPE.into());
        }
        Ok(Done {
            summary: self.summary,
            failure: self.last_failure,
        })
    }

    /// After the loop: waits for who reads the results, which would be dropped otherwise.
    fn make_room(&self) {
        if self.output.pending() > UNREAD_LIMIT_BYTES {
            self.output.drain(Duration::MAX);
        }
    }

    fn tell(&mut self, trial: Trial, outcome: Outcome, took: Duration) {
        self.summary.count(&outcome);
        let report = Report {
            target: trial.target,
            outcome,
            took,
            attempts: trial.attempts,
            waited: trial.first.elapsed(),
        };
        self.print(&if self.settings.json {
            report.json()
        } else {
            report.to_string()
        });
        if let Some(why) = report.why() {
            self.last_failure = Some((report.target, why));
        }
    }

    fn print(&self, line: &str) {
        self.output.write_line(format!("{line}\n").as_bytes());
    }
}

impl Trial {
    fn new(target: Target) -> Trial {
        let now = Instant::now();
        Trial {
            target,
            attempts: 0,
            first: now,
            last: now,
            failure: None,
        }
    }
}
