//! Churn: clients that come, join a channel, and go again at once.
//!
//! Shows: what a connection costs from its beginning to its end. The next client of a place comes
//! when the server has closed the connection of the one before: it is told QUIT and closes, so the
//! waiting after a close (`TIME_WAIT`) is on the server's side and its ports are not used up.
//! Leaves out: what others in the channel are told. Each place has a channel of its own, which
//! comes and goes with its client.

use std::io;
use std::rc::Rc;

use epoll_loop::EventLoop;

use crate::amount::Amount;
use crate::crowd::{self, ClientNumber, Crowd, Driver, Role};
use crate::process::{ServerProcess, Spent, Stretch};
use crate::report::{Report, Unit, float};
use crate::run::{self, Measurement, Options, Supervision};

/// Who is to come and go.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Clients at the same time.
    pub(crate) places: usize,
    pub(crate) amount: Amount,
    /// How the names of the channels begin.
    pub(crate) channel: Rc<str>,
}

struct Churn {
    crowd: Crowd,
    supervision: Supervision,
    plan: Plan,
    process: Option<ServerProcess>,
    begun: u64,
    done: u64,
    is_over: bool,
    stretch: Option<Stretch>,
    spent: Option<Spent>,
}

/// Measures, and reports.
pub(crate) fn measure(options: &Options, plan: &Plan) -> io::Result<Report> {
    let mut churn = Churn {
        crowd: Crowd::new(options.server, plan.places),
        supervision: Supervision::new(options),
        plan: plan.clone(),
        process: options.process,
        begun: 0,
        done: 0,
        is_over: false,
        stretch: None,
        spent: None,
    };
    run::run(&mut churn, options)?;
    Ok(churn.report())
}

impl Churn {
    /// Has the next client come, if there is to be one.
    fn call_next(&mut self, event_loop: &mut EventLoop<Churn>, role: Role) -> io::Result<()> {
        if self.plan.amount.allows(self.begun, self.is_over) {
            self.begun += 1;
            crowd::call(self, event_loop, [role])?;
        }
        Ok(())
    }

    fn report(&self) -> Report {
        let mut report = Report::new(format!("churn: {} clients at a time", self.plan.places));
        let Some(spent) = &self.spent else {
            return report;
        };
        let seconds = spent.elapsed.as_secs_f64();
        report.count("cycles", "connect, register, join, quit", self.done);
        report.add("seconds", "time", seconds, Unit::Seconds);
        report.add(
            "cycles_per_second",
            "cycles a second",
            float(self.done) / seconds,
            Unit::Count,
        );
        if let Some((cpu, _)) = spent.server {
            report.add(
                "server_cpu_microseconds_per_cycle",
                "server's CPU a cycle",
                cpu.as_secs_f64() * 1e6 / float(self.done),
                Unit::Microseconds,
            );
        }
        report.add_retries(self.crowd.retries());
        report.add_spent(spent);
        report
    }
}

impl Driver for Churn {
    fn crowd(&mut self) -> &mut Crowd {
        &mut self.crowd
    }

    fn arrived(&mut self, _: &mut EventLoop<Churn>, client: ClientNumber) {
        self.crowd.say(client, b"QUIT\r\n");
    }

    fn gathered(&mut self, _: &mut EventLoop<Churn>) {}

    /// The server has closed a connection: that of one who has quit, it should be.
    fn lost(
        &mut self,
        event_loop: &mut EventLoop<Churn>,
        client: ClientNumber,
        failure: Option<io::Error>,
    ) {
        // A server that has not read everything resets the connection instead.
        let is_ended = match &failure {
            None => true,
            Some(err) => err.kind() == io::ErrorKind::ConnectionReset,
        };
        if !self.crowd.has_arrived(client) || !is_ended {
            let lost = self.crowd.how_lost(client, failure);
            return event_loop.stop(Err(lost.into()));
        }
        self.done += 1;
        let role = self.crowd.forget(client);
        if let Err(err) = self.call_next(event_loop, role) {
            event_loop.stop(Err(err));
        }
        if self.done == self.begun {
            let spent = self.stretch.as_ref().map(Stretch::end).transpose();
            event_loop.stop(spent.map(|spent| self.spent = spent));
        }
    }
}

impl Measurement for Churn {
    fn begin(&mut self, event_loop: &mut EventLoop<Churn>) -> io::Result<()> {
        self.stretch = Some(Stretch::begin(self.process)?);
        if let Amount::Time(time) = self.plan.amount {
            event_loop.after(time, |churn, _, _| churn.is_over = true);
        }
        for place in 0..self.plan.places {
            let role = Role {
                letter: 'c',
                channel: Some(format!("{}{place}", self.plan.channel).into()),
                ..Role::default()
            };
            self.call_next(event_loop, role)?;
        }
        Ok(())
    }

    fn progress(&mut self) -> String {
        format!("{} have come and gone", self.done)
    }

    fn supervision(&mut self) -> &mut Supervision {
        &mut self.supervision
    }
}
