//! Fan-out: what is said once is delivered to everybody in the channel.
//!
//! Shows: a window instead of a rate. Each sender has so many messages outstanding, as many as the
//! server can bring to everybody while nobody waits for a clock; a message is outstanding until the
//! last member has it, so nobody's queue in the server can grow beyond the windows. Every delivery
//! is counted, and at the end none may be missing.
//! Leaves out: how long a delivery takes (`latency.rs`): a window waits for the server, and so
//! hides its pauses.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::rc::Rc;

use chat_protocol::Message;
use epoll_loop::{Event, EventLoop};

use crate::amount::Amount;
use crate::crowd::{self, ClientNumber, Crowd, Driver, Role};
use crate::known_lines::KnownLines;
use crate::process::{Spent, Stretch};
use crate::report::{Report, Unit, float, plural};
use crate::run::{self, Measurement, Options, Supervision};

/// What is to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) receivers: usize,
    pub(crate) senders: usize,
    /// Messages of one sender that may be outstanding.
    pub(crate) window: usize,
    /// Bytes of text in a message.
    pub(crate) message_bytes: usize,
    pub(crate) amount: Amount,
    pub(crate) channel: Rc<str>,
}

/// One who speaks.
#[derive(Debug)]
struct Sender {
    client: ClientNumber,
    sent: u64,
    /// Messages that everybody has.
    complete: u64,
    /// For each outstanding message, the oldest first, how many members have it.
    arrivals: VecDeque<usize>,
}

struct FanOut {
    crowd: Crowd,
    supervision: Supervision,
    options: Options,
    plan: Plan,
    line: Vec<u8>,
    senders: Vec<Sender>,
    sender_of_nick: HashMap<Vec<u8>, usize>,
    /// For each member and sender, how many messages the member has from the sender.
    received: Vec<u64>,
    known: KnownLines,
    deliveries: u64,
    bytes_before: u64,
    /// Memory of the server before anybody came.
    memory_before: u64,
    stretch: Option<Stretch>,
    spent: Option<Spent>,
    is_over: bool,
}

/// Measures, and reports.
pub(crate) fn measure(options: &Options, plan: &Plan) -> io::Result<Report> {
    let mut fan_out = FanOut::new(options, plan)?;
    run::run(&mut fan_out, options)?;
    Ok(fan_out.report())
}

impl FanOut {
    fn new(options: &Options, plan: &Plan) -> io::Result<FanOut> {
        let text = "x".repeat(plan.message_bytes);
        Ok(FanOut {
            crowd: Crowd::new(options.server, options.under_way()),
            supervision: Supervision::new(options),
            options: options.clone(),
            plan: plan.clone(),
            line: format!("PRIVMSG {} :{text}\r\n", plan.channel).into_bytes(),
            senders: Vec::new(),
            sender_of_nick: HashMap::new(),
            received: vec![0; (plan.receivers + plan.senders) * plan.senders],
            known: KnownLines::default(),
            deliveries: 0,
            bytes_before: 0,
            memory_before: run::memory(options.process)?,
            stretch: None,
            spent: None,
            is_over: false,
        })
    }

    fn members(&self) -> usize {
        self.plan.receivers + self.plan.senders
    }

    /// Who has a message delivered: everybody but its sender.
    fn audience(&self) -> usize {
        self.members() - 1
    }

    /// Has a sender say what its window allows.
    fn speak(&mut self, sender: usize) {
        let sender = &mut self.senders[sender];
        while sender.arrivals.len() < self.plan.window
            && self.plan.amount.allows(sender.sent, self.is_over)
        {
            self.crowd.say(sender.client, &self.line);
            sender.arrivals.push_back(0);
            sender.sent += 1;
        }
    }

    /// A member has a message.
    fn deliver(
        &mut self,
        event_loop: &mut EventLoop<FanOut>,
        member: ClientNumber,
        sender_index: usize,
    ) {
        if member == self.senders[sender_index].client {
            // A server that tells people what they have said themselves has delivered nothing yet.
            return;
        }
        let audience = self.audience();
        let count = &mut self.received[member * self.plan.senders + sender_index];
        let sender = &mut self.senders[sender_index];
        let place = usize::try_from(*count - sender.complete).unwrap_or(usize::MAX);
        *count += 1;
        self.deliveries += 1;
        let Some(arrived) = sender.arrivals.get_mut(place) else {
            let nick = self.crowd.nick(sender.client).to_owned();
            event_loop.stop(Err(crate::failure::Failure::NotSent(nick).into()));
            return;
        };
        // ANCHOR: window
        *arrived += 1;
        if *arrived == audience {
            // Nobody has a later message before an earlier one, so this is the oldest.
            sender.arrivals.pop_front();
            sender.complete += 1;
            self.speak(sender_index);
            self.end_if_all_is_delivered(event_loop);
        }
        // ANCHOR_END: window
    }

    fn end_if_all_is_delivered(&mut self, event_loop: &mut EventLoop<FanOut>) {
        if self.senders.iter().all(|sender| sender.arrivals.is_empty()) {
            let spent = self.stretch.as_ref().map(Stretch::end).transpose();
            event_loop.stop(spent.map(|spent| self.spent = spent));
        }
    }

    /// The time is over.
    fn fall_silent(&mut self, event_loop: &mut EventLoop<FanOut>, _: Event) {
        self.is_over = true;
        self.end_if_all_is_delivered(event_loop);
    }

    fn report(&self) -> Report {
        let plan = &self.plan;
        let mut report = Report::new(format!(
            "fan-out: {}, {}, {} outstanding, {} bytes",
            plural(plan.receivers, "receiver"),
            plural(plan.senders, "sender"),
            plan.window,
            plan.message_bytes
        ));
        let Some(spent) = &self.spent else {
            return report;
        };
        let seconds = spent.elapsed.as_secs_f64();
        let messages = self.senders.iter().map(|sender| sender.sent).sum();
        let bytes = self.crowd.bytes_read - self.bytes_before;
        report.count("messages", "messages sent", messages);
        report.count("deliveries", "deliveries", self.deliveries);
        report.add("seconds", "time", seconds, Unit::Seconds);
        report.add(
            "deliveries_per_second",
            "deliveries a second",
            float(self.deliveries) / seconds,
            Unit::Count,
        );
        report.add(
            "bytes_per_second",
            "bytes a second",
            float(bytes) / seconds,
            Unit::Bytes,
        );
        if let Some((cpu, usage)) = spent.server {
            report.add(
                "server_cpu_seconds_per_million_deliveries",
                "server's CPU a million deliveries",
                cpu.as_secs_f64() * 1e6 / float(self.deliveries),
                Unit::Seconds,
            );
            let grown = float(usage.resident_bytes) - float(self.memory_before);
            report.add(
                "server_bytes_per_client",
                "server's memory a client",
                grown / float(self.members() as u64),
                Unit::Bytes,
            );
        }
        report.add_retries(self.crowd.retries());
        report.add_spent(spent);
        report
    }
}

impl Driver for FanOut {
    fn crowd(&mut self) -> &mut Crowd {
        &mut self.crowd
    }

    /// All have joined; those who came first have still to read who came last.
    fn gathered(&mut self, _: &mut EventLoop<FanOut>) {
        crowd::settle(self);
    }

    fn settled(&mut self, event_loop: &mut EventLoop<FanOut>) {
        match Stretch::begin(self.options.process) {
            Ok(stretch) => self.stretch = Some(stretch),
            Err(err) => return event_loop.stop(Err(err)),
        }
        self.bytes_before = self.crowd.bytes_read;
        for sender in 0..self.senders.len() {
            self.speak(sender);
        }
        if let Amount::Time(time) = self.plan.amount {
            event_loop.after(time, FanOut::fall_silent);
        }
    }

    fn arrived(&mut self, _: &mut EventLoop<FanOut>, client: ClientNumber) {
        if client < self.plan.senders {
            let nick = self.crowd.nick(client).as_bytes().to_vec();
            self.sender_of_nick.insert(nick, client);
        }
    }

    fn known(
        &mut self,
        event_loop: &mut EventLoop<FanOut>,
        client: ClientNumber,
        bytes: &[u8],
    ) -> usize {
        let mut taken = 0;
        while let Some((length, sender)) = self.known.recognise(&bytes[taken..]) {
            taken += length;
            self.deliver(event_loop, client, sender);
        }
        taken
    }

    fn heard(
        &mut self,
        event_loop: &mut EventLoop<FanOut>,
        client: ClientNumber,
        line: &[u8],
        message: &Message<'_>,
    ) {
        let is_ours = message.is(b"PRIVMSG")
            && message
                .parameters
                .first()
                .is_some_and(|to| to.eq_ignore_ascii_case(self.plan.channel.as_bytes()));
        if is_ours
            && self.stretch.is_some()
            && let Some(source) = message.source
            && let Some(&sender) = self.sender_of_nick.get(source.nick())
        {
            self.known.learn(line, sender);
            self.deliver(event_loop, client, sender);
        }
    }
}

impl Measurement for FanOut {
    fn begin(&mut self, event_loop: &mut EventLoop<FanOut>) -> io::Result<()> {
        let role = |letter| Role {
            letter,
            channel: Some(Rc::clone(&self.plan.channel)),
            ..Role::default()
        };
        let senders = vec![role('s'); self.plan.senders];
        let receivers = vec![role('r'); self.plan.receivers];
        self.senders = (0..self.plan.senders)
            .map(|client| Sender {
                client,
                sent: 0,
                complete: 0,
                arrivals: VecDeque::new(),
            })
            .collect();
        crowd::call(self, event_loop, [senders, receivers].concat())
    }

    fn progress(&mut self) -> String {
        match &self.stretch {
            None => format!("{} of {} have joined", self.crowd.arrived(), self.members()),
            Some(stretch) => {
                let outstanding: usize = self.senders.iter().map(|s| s.arrivals.len()).sum();
                format!(
                    "{} deliveries in {:.0} s, {outstanding} messages outstanding",
                    self.deliveries,
                    stretch.began().elapsed().as_secs_f64()
                )
            }
        }
    }

    fn supervision(&mut self) -> &mut Supervision {
        &mut self.supervision
    }
}
