//! Idle: many clients that register and then say nothing.
//!
//! Shows: what a client costs that does nothing, which is most of them; and whether the ten
//! thousandth gets in as fast as the first. A server that looks at all its clients for each new one
//! gets slower with every one.
//! Leaves out: what clients cost that talk (`fan_out.rs`).

use std::io;
use std::time::{Duration, Instant};

use epoll_loop::EventLoop;

use crate::crowd::{self, ClientNumber, Crowd, Driver, Role};
use crate::process::{ServerProcess, Spent, Stretch};
use crate::report::{Report, Unit, float, plural};
use crate::run::{self, Measurement, Options, Supervision};

/// Into how many parts the clients are cut, to compare the first with the last.
const PARTS: usize = 10;

/// Who is to come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) clients: usize,
    /// How long they stay when all have come.
    pub(crate) hold: Duration,
}

struct Idle {
    crowd: Crowd,
    supervision: Supervision,
    plan: Plan,
    process: Option<ServerProcess>,
    registering: Option<Stretch>,
    registered: Option<Spent>,
    /// When a part of the clients was complete, since the beginning.
    parts: Vec<Duration>,
    /// From when all were there and had read their greetings.
    holding: Option<Stretch>,
    memory_before: u64,
    memory_after: u64,
    held: Option<Spent>,
}

/// Measures, and reports.
pub(crate) fn measure(options: &Options, plan: &Plan) -> io::Result<Report> {
    let mut idle = Idle {
        crowd: Crowd::new(options.server, options.under_way()),
        supervision: Supervision::new(options),
        plan: *plan,
        process: options.process,
        registering: None,
        registered: None,
        parts: Vec::new(),
        holding: None,
        memory_before: run::memory(options.process)?,
        memory_after: 0,
        held: None,
    };
    run::run(&mut idle, options)?;
    Ok(idle.report())
}

impl Idle {
    /// How many clients have come when so many parts are complete.
    fn up_to_part(&self, part: usize) -> usize {
        self.plan.clients * part / PARTS
    }

    /// Clients a second in one part, counted from 0.
    fn rate(&self, part: usize) -> Option<f64> {
        let begin = match part.checked_sub(1) {
            Some(before) => *self.parts.get(before)?,
            None => Duration::ZERO,
        };
        let took = self.parts.get(part)?.checked_sub(begin)?;
        let clients = self.up_to_part(part + 1) - self.up_to_part(part);
        Some(float(clients as u64) / took.as_secs_f64())
    }

    fn try_begin_holding(&mut self, event_loop: &mut EventLoop<Idle>) -> io::Result<()> {
        self.memory_after = run::memory(self.process)?;
        self.holding = Some(Stretch::begin(self.process)?);
        if self.plan.hold.is_zero() {
            event_loop.stop(Ok(()));
        } else {
            event_loop.after(self.plan.hold, |idle, event_loop, _| {
                let spent = idle.holding.as_ref().map(Stretch::end).transpose();
                event_loop.stop(spent.map(|spent| idle.held = spent));
            });
        }
        Ok(())
    }

    fn report(&self) -> Report {
        let clients = plural(self.plan.clients, "client");
        let mut report = Report::new(format!("idle: {clients}"));
        let Some(spent) = &self.registered else {
            return report;
        };
        let seconds = spent.elapsed.as_secs_f64();
        let number = float(self.plan.clients as u64);
        report.count("clients", "clients registered", self.plan.clients as u64);
        report.add("seconds", "time", seconds, Unit::Seconds);
        report.add(
            "registrations_per_second",
            "connect + register, a second",
            number / seconds,
            Unit::Count,
        );
        if self.plan.clients >= PARTS
            && let (Some(first), Some(last)) = (self.rate(0), self.rate(PARTS - 1))
        {
            report.add(
                "registrations_per_second_first_tenth",
                "the first tenth of them",
                first,
                Unit::Count,
            );
            report.add(
                "registrations_per_second_last_tenth",
                "the last tenth of them",
                last,
                Unit::Count,
            );
        }
        if let Some((cpu, _)) = spent.server {
            report.add(
                "server_cpu_microseconds_per_registration",
                "server's CPU a registration",
                cpu.as_secs_f64() * 1e6 / number,
                Unit::Microseconds,
            );
            report.add(
                "server_bytes_per_client",
                "server's memory a client",
                (float(self.memory_after) - float(self.memory_before)) / number,
                Unit::Bytes,
            );
        }
        if let Some(held) = &self.held
            && let Some(share) = held.server_share()
        {
            report.add(
                "server_cores_while_idle",
                "server's share of a core, all idle",
                share,
                Unit::Core,
            );
        }
        report.add_retries(self.crowd.retries());
        report.add_spent(spent);
        report
    }
}

impl Driver for Idle {
    fn crowd(&mut self) -> &mut Crowd {
        &mut self.crowd
    }

    fn arrived(&mut self, event_loop: &mut EventLoop<Idle>, _: ClientNumber) {
        let Some(registering) = &self.registering else {
            return;
        };
        let arrived = self.crowd.arrived();
        while self.parts.len() < PARTS && arrived >= self.up_to_part(self.parts.len() + 1) {
            self.parts
                .push(Instant::now().saturating_duration_since(registering.began()));
        }
        if arrived == self.plan.clients {
            match registering.end() {
                Ok(spent) => self.registered = Some(spent),
                Err(err) => event_loop.stop(Err(err)),
            }
        }
    }

    /// All are registered; what is left of their greetings is still to be read.
    fn gathered(&mut self, _: &mut EventLoop<Idle>) {
        crowd::settle(self);
    }

    fn settled(&mut self, event_loop: &mut EventLoop<Idle>) {
        if let Err(err) = self.try_begin_holding(event_loop) {
            event_loop.stop(Err(err));
        }
    }
}

impl Measurement for Idle {
    fn begin(&mut self, event_loop: &mut EventLoop<Idle>) -> io::Result<()> {
        self.registering = Some(Stretch::begin(self.process)?);
        let role = Role {
            letter: 'i',
            ..Role::default()
        };
        crowd::call(self, event_loop, vec![role; self.plan.clients])
    }

    fn progress(&mut self) -> String {
        let (arrived, wanted) = (self.crowd.arrived(), self.plan.clients);
        if arrived < wanted {
            format!("{arrived} of {wanted} are registered")
        } else {
            format!("{} there, and idle", plural(wanted, "client"))
        }
    }

    fn supervision(&mut self) -> &mut Supervision {
        &mut self.supervision
    }
}
