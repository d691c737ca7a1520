//! Hostile: a list of nasty things, and witnesses whose exchanges must go on.
//!
//! Shows: what a server owes to everybody else while somebody attacks it. Witnesses ask and are
//! answered (PING and PONG) on a schedule, before, during and between the attacks; the longest that
//! one of them had to wait tells more of a server than how it treats the attacker.
//! Leaves out: judgement. A server may well take a flood, or put the peer out; both are told.

mod attacker;
mod attacks;

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use chat_protocol::{Message, neutral};
use epoll_loop::{Event, EventLoop, Interest, Watch, WatcherMap};

use crate::crowd::{self, ClientNumber, Crowd, Driver, Role};
use crate::failure::Failure;
use crate::process::{ServerProcess, Spent, Stretch};
use crate::report::{Report, Unit, float};
use crate::run::{self, Measurement, Options, Supervision};
use crate::schedule::{Latencies, Schedule};
use crate::sources::Sources;

use attacker::{Attacker, Fate};
use attacks::{ATTACKS, Attack};

/// Those who are not to notice anything.
const WITNESSES: usize = 40;

/// Questions a second, of all witnesses together. Each asks one a second, which is slow enough for
/// a server that limits how fast people talk.
const QUESTIONS_A_SECOND: f64 = 40.0;

/// How often an attacker that drips sends a byte.
const DRIP: Duration = Duration::from_millis(20);

/// Connections that a reset, or an end, may have replaced in one attack.
const MAX_REPLACED: u64 = 20_000;

/// What is to be done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// How long each attack lasts.
    pub(crate) each: Duration,
}

struct Hostile {
    crowd: Crowd,
    supervision: Supervision,
    process: Option<ServerProcess>,
    plan: Plan,
    schedule: Schedule,
    /// When each question of this attack was answered is in here.
    delays: Latencies,
    answered: u64,
    sources: Sources,
    attackers: WatcherMap<Attacker>,
    /// Attackers so far.
    begun: u64,
    /// The attack that is under way.
    current: usize,
    count: Count,
    done: Vec<(Latencies, Count)>,
    memory_before: u64,
    memory_after: u64,
    stretch: Option<Stretch>,
    spent: Option<Spent>,
}

/// What happened in one attack.
#[derive(Debug, Default)]
struct Count {
    connections: u64,
    /// Those that did not come about.
    refused: u64,
    /// Those that the server has ended.
    ended: u64,
    bytes_taken: u64,
    /// What the server said to those it has ended, and how often.
    errors: BTreeMap<String, u64>,
}

/// Measures, and reports.
pub(crate) fn measure(options: &Options, plan: &Plan) -> io::Result<Report> {
    let mut hostile = Hostile {
        crowd: Crowd::new(options.server, options.under_way()),
        supervision: Supervision::new(options),
        process: options.process,
        plan: *plan,
        schedule: Schedule::new(QUESTIONS_A_SECOND, plan.each),
        delays: Latencies::new(),
        answered: 0,
        sources: Sources::new(options.server),
        attackers: WatcherMap::new(),
        begun: 0,
        current: 0,
        count: Count::default(),
        done: Vec::new(),
        memory_before: 0,
        memory_after: 0,
        stretch: None,
        spent: None,
    };
    run::run(&mut hostile, options)?;
    Ok(hostile.report())
}

impl Hostile {
    fn attack(&self) -> &'static Attack {
        &ATTACKS[self.current]
    }

    /// Everybody has read everything: the next attack may begin.
    fn try_begin_attack(&mut self, event_loop: &mut EventLoop<Hostile>) -> io::Result<()> {
        if self.stretch.is_none() {
            self.memory_before = run::memory(self.process)?;
            self.stretch = Some(Stretch::begin(self.process)?);
        }
        self.count = Count::default();
        self.delays = Latencies::new();
        self.answered = 0;
        for _ in 0..self.attack().connections {
            self.begin_attacker(event_loop);
        }
        self.schedule = Schedule::new(QUESTIONS_A_SECOND, self.plan.each);
        self.schedule.start(event_loop, Hostile::ask_what_is_due)
    }

    fn begin_attacker(&mut self, event_loop: &mut EventLoop<Hostile>) {
        let attack = self.attack();
        let replaced = self
            .count
            .connections
            .saturating_sub(attack.connections as u64);
        if replaced >= MAX_REPLACED {
            return;
        }
        self.begun += 1;
        self.count.connections += 1;
        let watch = Watch::new(Interest::WRITABLE)
            .priority(-1)
            .label("attacker");
        let begun = self.sources.connect(|_| Ok(()));
        match begun.and_then(|socket| event_loop.watch(socket, watch, Hostile::step)) {
            Ok(stream) => {
                let id = stream.id();
                let attacker = Attacker::new(stream, attack, self.begun);
                self.attackers.insert(id, attacker);
            }
            Err(_) => self.count.refused += 1,
        }
    }

    /// An attacker's socket is ready.
    fn step(&mut self, event_loop: &mut EventLoop<Hostile>, event: Event) {
        let Some(attacker) = self.attackers.get_mut(event.id) else {
            return;
        };
        let fate = attacker.step(event_loop, event);
        if matches!(fate, Fate::GoesOn) {
            return;
        }
        if let Some(attacker) = self.attackers.remove(event.id) {
            self.count.bytes_taken += attacker.bytes_taken;
            match fate {
                Fate::GoesOn | Fate::Replace => {}
                Fate::Refused => self.count.refused += 1,
                Fate::Ended => {
                    self.count.ended += 1;
                    if let Some(error) = attacker.error() {
                        *self.count.errors.entry(neutral(error)).or_default() += 1;
                    }
                }
            }
        }
        // Who is put out comes again, as an attacker would.
        if self.schedule.is_under_way() {
            self.begin_attacker(event_loop);
        }
    }

    fn drip(&mut self, _: &mut EventLoop<Hostile>, _: Event) {
        for attacker in self.attackers.values_mut() {
            attacker.drip();
        }
    }

    /// The schedule has come to the next question.
    fn ask_what_is_due(&mut self, event_loop: &mut EventLoop<Hostile>, _: Event) {
        let asked = self.schedule.send_due(|number| {
            let witness = usize::try_from(number).unwrap_or(0) % WITNESSES;
            let line = format!("PING :{}-{number}\r\n", self.current);
            self.crowd.say(witness, line.as_bytes());
        });
        if let Err(err) = asked {
            event_loop.stop(Err(err));
        }
    }

    /// A witness has its answer.
    fn take_answer(&mut self, event_loop: &mut EventLoop<Hostile>, token: &[u8]) {
        let token = std::str::from_utf8(token).ok();
        let Some((attack, number)) = token.and_then(|token| token.split_once('-')) else {
            return;
        };
        let (Ok(attack), Ok(number)) = (attack.parse::<usize>(), number.parse()) else {
            return;
        };
        if attack != self.current {
            return;
        }
        self.delays.record(self.schedule.due(number).elapsed());
        self.answered += 1;
        if self.answered == self.schedule.messages {
            self.end_attack(event_loop);
        }
    }

    fn end_attack(&mut self, event_loop: &mut EventLoop<Hostile>) {
        for attacker in self.attackers.values() {
            self.count.bytes_taken += attacker.bytes_taken;
        }
        self.attackers.clear();
        let delays = std::mem::replace(&mut self.delays, Latencies::new());
        self.done.push((delays, std::mem::take(&mut self.count)));
        self.current += 1;
        if self.current < ATTACKS.len() {
            crowd::settle(self);
        } else if let Err(err) = self.try_end(event_loop) {
            event_loop.stop(Err(err));
        }
    }

    fn try_end(&mut self, event_loop: &mut EventLoop<Hostile>) -> io::Result<()> {
        self.memory_after = run::memory(self.process)?;
        self.spent = self.stretch.as_ref().map(Stretch::end).transpose()?;
        event_loop.stop(Ok(()));
        Ok(())
    }

    fn report(&self) -> Report {
        let mut report = Report::new(format!(
            "hostile: {} attacks of {} each; how long a witness waited at most",
            ATTACKS.len() - 1,
            chapter::show_duration(self.plan.each)
        ));
        for (attack, (delays, count)) in ATTACKS.iter().zip(&self.done) {
            let worst = delays.milliseconds(100.0);
            report.add(attack.key, attack.name, worst, Unit::Milliseconds);
            if attack.connections > 0 {
                let what = attack.what;
                report
                    .notes
                    .push(format!("{}: {what}: {count}", attack.name));
            }
        }
        if self.process.is_some() {
            let grown = float(self.memory_after) - float(self.memory_before);
            report.add(
                "server_memory_grown_bytes",
                "server's memory has grown by",
                grown,
                Unit::Bytes,
            );
        }
        if let Some(spent) = &self.spent {
            report.add_spent(spent);
        }
        report
    }
}

impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kibibytes = self.bytes_taken.div_ceil(1024);
        write!(f, "{} connections, {kibibytes} KiB taken", self.connections)?;
        if self.refused > 0 {
            write!(f, ", {} could not be begun", self.refused)?;
        }
        write!(f, ", {} ended by the server", self.ended)?;
        // The commonest; the others differ in an address or a name.
        let commonest = self.errors.iter().max_by_key(|(_, times)| **times);
        commonest.map_or(Ok(()), |(error, _)| write!(f, " ({error})"))
    }
}

impl Driver for Hostile {
    fn crowd(&mut self) -> &mut Crowd {
        &mut self.crowd
    }

    fn gathered(&mut self, _: &mut EventLoop<Hostile>) {
        crowd::settle(self);
    }

    fn settled(&mut self, event_loop: &mut EventLoop<Hostile>) {
        if let Err(err) = self.try_begin_attack(event_loop) {
            event_loop.stop(Err(err));
        }
    }

    fn heard(
        &mut self,
        event_loop: &mut EventLoop<Hostile>,
        _: ClientNumber,
        _: &[u8],
        message: &Message<'_>,
    ) {
        if message.is(b"PONG")
            && let Some(token) = message.parameters.last()
        {
            self.take_answer(event_loop, token);
        }
    }

    /// A witness has lost its connection: that is what must not happen.
    fn lost(
        &mut self,
        event_loop: &mut EventLoop<Hostile>,
        client: ClientNumber,
        failure: Option<io::Error>,
    ) {
        let Some(attack) = ATTACKS.get(self.current) else {
            // Everything is known; a server may end as soon as the last answer is out.
            return;
        };
        let mut lost = self.crowd.how_lost(client, failure);
        if self.stretch.is_some() {
            lost = Failure::During(attack.name, Box::new(lost));
        }
        event_loop.stop(Err(lost.into()));
    }
}

impl Measurement for Hostile {
    fn begin(&mut self, event_loop: &mut EventLoop<Hostile>) -> io::Result<()> {
        event_loop.every(DRIP, Hostile::drip);
        let role = Role {
            letter: 'w',
            ..Role::default()
        };
        crowd::call(self, event_loop, vec![role; WITNESSES])
    }

    fn progress(&mut self) -> String {
        let Some(attack) = ATTACKS.get(self.current) else {
            return "the last attack is over".to_owned();
        };
        format!(
            "{}: {}; {} of {} questions of the witnesses are answered",
            attack.name, attack.what, self.answered, self.schedule.messages
        )
    }

    fn supervision(&mut self) -> &mut Supervision {
        &mut self.supervision
    }
}
