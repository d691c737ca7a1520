//! Latency: how long a message is on its way, on a schedule that waits for nobody.
//!
//! Shows: latencies that count from the time in the schedule (`schedule.rs`), so that a pause of the
//! server is seen in everything that was due in it. Members that read nothing may be among the
//! others (`slow.rs`).
//! Leaves out: the network. Over loopback this is the time of the server, and of two schedulers.

use std::collections::HashMap;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use chat_protocol::{Message, neutral};
use epoll_loop::{Event, EventLoop};

use crate::crowd::{self, ClientNumber, Crowd, Driver, Role};
use crate::failure::Failure;
use crate::process::{ServerProcess, Spent, Stretch};
use crate::report::{Report, plural};
use crate::run::{self, Measurement, Options, Supervision};
use crate::schedule::{Latencies, Schedule};
use crate::slow::Stalled;

/// Digits of the number that a text begins with.
const NUMBER_BYTES: usize = 12;

/// What is to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) receivers: usize,
    pub(crate) senders: usize,
    /// Members that read nothing.
    pub(crate) stalled: usize,
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
    schedule: Schedule,
    sender_of_nick: HashMap<Vec<u8>, usize>,
    stalled: Stalled,
    latencies: Latencies,
    deliveries: u64,
    /// For each member that reads, and each sender, the number of the message that comes next.
    next: Vec<u64>,
    stretch: Option<Stretch>,
    spent: Option<Spent>,
}

/// Measures, and reports.
pub(crate) fn measure(options: &Options, plan: &Plan) -> io::Result<Report> {
    let mut latency = Latency {
        crowd: Crowd::new(options.server, options.under_way()),
        supervision: Supervision::new(options),
        process: options.process,
        plan: plan.clone(),
        schedule: Schedule::new(plan.rate, plan.duration),
        sender_of_nick: HashMap::new(),
        stalled: Stalled::default(),
        latencies: Latencies::new(),
        deliveries: 0,
        next: (0..plan.senders as u64)
            .cycle()
            .take((plan.receivers + plan.senders) * plan.senders)
            .collect(),
        stretch: None,
        spent: None,
    };
    run::run(&mut latency, options)?;
    Ok(latency.report())
}

impl Latency {
    fn members(&self) -> usize {
        self.plan.receivers + self.plan.senders + self.plan.stalled
    }

    fn is_stalled(&self, client: ClientNumber) -> bool {
        client >= self.plan.senders + self.plan.receivers
    }

    /// Deliveries that there are to be: to all that read.
    fn expected(&self) -> u64 {
        let reading = self.plan.receivers + self.plan.senders;
        self.schedule.messages * (reading as u64 - 1)
    }

    /// Takes note that a member has a message, which is the sender's next one that it was to have.
    fn is_next(
        &mut self,
        member: ClientNumber,
        sender: ClientNumber,
        number: u64,
    ) -> Result<(), Failure> {
        let senders = self.plan.senders as u64;
        let next = &mut self.next[member * self.plan.senders + sender];
        let expected = std::mem::replace(next, number.saturating_add(senders));
        if number == expected {
            return Ok(());
        }
        let [member, sender] = [member, sender].map(|client| self.crowd.nick(client).to_owned());
        Err(Failure::OutOfTurn {
            member,
            sender,
            number,
            expected,
        })
    }

    fn try_start(&mut self, event_loop: &mut EventLoop<Latency>) -> io::Result<()> {
        self.stretch = Some(Stretch::begin(self.process)?);
        for client in self.stalled.clients() {
            self.crowd.stop_reading(event_loop, client);
        }
        self.schedule.start(event_loop, Latency::send_what_is_due)
    }

    /// The schedule has come to the next message.
    fn send_what_is_due(&mut self, event_loop: &mut EventLoop<Latency>, _: Event) {
        let sent = self.schedule.send_due(|number| {
            let sender = usize::try_from(number).unwrap_or(0) % self.plan.senders;
            self.crowd.say(sender, line(&self.plan, number).as_bytes());
        });
        if let Err(err) = sent {
            event_loop.stop(Err(err));
        }
    }

    /// Everybody who reads has everything.
    fn try_end(&mut self, event_loop: &mut EventLoop<Latency>) -> io::Result<()> {
        self.spent = self.stretch.as_ref().map(Stretch::end).transpose()?;
        for client in self.stalled.clients() {
            self.crowd.read_again(event_loop, client);
        }
        // Not those who are gone: to write to them would reset the connection before all is read.
        for client in self.stalled.not_told() {
            self.crowd.ask(client);
        }
        self.end_if_all_is_known(event_loop);
        Ok(())
    }

    fn end_if_all_is_known(&mut self, event_loop: &mut EventLoop<Latency>) {
        if self.spent.is_some() && self.stalled.are_all_known(&self.crowd) {
            event_loop.stop(Ok(()));
        }
    }

    fn report(&self) -> Report {
        let plan = &self.plan;
        let mut report = Report::new(format!(
            "{}: {}, {}, {} messages a second, {} bytes",
            if plan.stalled == 0 { "latency" } else { "slow" },
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
        self.schedule.add_to(&mut report, spent.own_share());
        self.stalled.add_to(&mut report);
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
        } else if self.is_stalled(client) {
            self.stalled.add(client, self.crowd.nick(client));
        }
    }

    fn gathered(&mut self, _: &mut EventLoop<Latency>) {
        crowd::settle(self);
    }

    fn settled(&mut self, event_loop: &mut EventLoop<Latency>) {
        if self.stretch.is_some() {
            self.end_if_all_is_known(event_loop);
        } else if let Err(err) = self.try_start(event_loop) {
            event_loop.stop(Err(err));
        }
    }

    fn heard(
        &mut self,
        event_loop: &mut EventLoop<Latency>,
        client: ClientNumber,
        _: &[u8],
        message: &Message<'_>,
    ) {
        if self.is_stalled(client) {
            return;
        }
        let text = message.parameters.first().copied().unwrap_or_default();
        if message.is(b"QUIT")
            && let (Some(source), Some(stretch)) = (message.source, &self.stretch)
        {
            let after = stretch.began().elapsed();
            let gone = self.stalled.quit(source.nick(), after, &neutral(text));
            if let Some(client) = gone {
                // Now, since a server waits only for a while until its last word is taken.
                self.crowd.read_again(event_loop, client);
            }
        }
        if message.is(b"PRIVMSG")
            && let Some(source) = message.source
            && let Some(&sender) = self.sender_of_nick.get(source.nick())
            && sender != client
            && let Some(number) = message.parameters.get(1).and_then(|text| number(text))
        {
            if let Err(err) = self.is_next(client, sender, number) {
                return event_loop.stop(Err(err.into()));
            }
            // ANCHOR: from-the-due-time
            self.latencies.record(self.schedule.due(number).elapsed());
            self.deliveries += 1;
            // ANCHOR_END: from-the-due-time
            if self.deliveries == self.expected()
                && let Err(err) = self.try_end(event_loop)
            {
                event_loop.stop(Err(err));
            }
        }
    }

    fn lost(
        &mut self,
        event_loop: &mut EventLoop<Latency>,
        client: ClientNumber,
        failure: Option<io::Error>,
    ) {
        if self.stretch.is_some() && self.stalled.lost(client, self.crowd.last_word(client)) {
            self.end_if_all_is_known(event_loop);
        } else {
            let lost = self.crowd.how_lost(client, failure);
            event_loop.stop(Err(lost.into()));
        }
    }
}

impl Measurement for Latency {
    fn begin(&mut self, event_loop: &mut EventLoop<Latency>) -> io::Result<()> {
        let role = |letter| Role {
            letter,
            channel: Some(Rc::clone(&self.plan.channel)),
            ..Role::default()
        };
        let senders = vec![role('s'); self.plan.senders];
        let receivers = vec![role('r'); self.plan.receivers];
        let stalled = vec![Stalled::role(role('k')); self.plan.stalled];
        crowd::call(self, event_loop, [senders, receivers, stalled].concat())
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
    fn a_message_says_its_number() {
        let plan = Plan {
            receivers: 1,
            senders: 1,
            stalled: 0,
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
