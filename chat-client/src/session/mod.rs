//! One person's session with a server, without a socket and without a screen.
//!
//! Bytes of the server come in line by line, typed lines come in; out go lines
//! for the server (into a [`SendQueue`]) and [`Report`]s for the person. It
//! outlives connections: after a reconnect it registers and joins again, and
//! sends what had not been sent.
//!
//! Shows: the protocol as a thing of its own, driven by a test as well as by a
//! loop.
//! Leaves out: when to read and write, and when to give up; that is the loop
//! side's (`line_mode`).

mod batches;
mod capabilities;
mod channels;
mod command;
mod ctcp;
mod execute;
mod foreign;
mod ignoring;
mod isupport;
mod login;
mod members;
mod news;
mod numerics;
mod outbox;
mod questions;
mod receive;
mod registration;
mod settings;
#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use chat_protocol::neutral;
use epoll_loop::SendQueue;

use batches::Batches;
use capabilities::Capabilities;
pub(crate) use channels::Channel;
use channels::Channels;
pub(crate) use command::{Command, commands};
use ctcp::Allowance;
pub(crate) use execute::{channel_name, is_channel_name};
use isupport::Isupport;
use login::Login;
pub(crate) use members::Member;
pub(crate) use news::{Manner, News, Place, Report};
use outbox::Outbox;
use questions::Questions;
pub(crate) use settings::{Account, Password, REAL_NAME, Settings, Surface, Target, USER};

/// The most lines of history that are asked for at a join.
pub(crate) const MAX_HISTORY_LINES: usize = 100;

/// A session, connected or not.
#[derive(Debug)]
pub(crate) struct Session {
    /// Its nick is the one that is asked for at each connection.
    settings: Settings,
    /// As the server has it.
    nick: Vec<u8>,
    /// What others see behind the nick, once the server has shown it.
    user_and_host: Option<Vec<u8>>,
    stage: Stage,
    capabilities: Capabilities,
    login: Login,
    batches: Batches,
    questions: Questions,
    isupport: Isupport,
    /// The server's own name.
    server: Option<String>,
    channels: Channels,
    outbox: Outbox,
    allowance: Allowance,
    reports: Vec<Report>,
    /// What the server has said as its last words.
    last_words: Option<String>,
    /// Whether the server has said anything on this connection.
    has_heard_irc: bool,
    /// What has come in its place.
    foreign_words: Option<String>,
    /// Masks of people whose words are not shown.
    ignored: Vec<String>,
    /// What the person has said to himself, and what has come of it once.
    said_to_oneself: Option<Vec<u8>>,
}

/// How far the session is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    Offline,
    /// The nick has so many underscores by now.
    Registering {
        underscores: usize,
    },
    Registered,
    /// The server does not want this person, whatever else is tried.
    Denied(String),
    /// The person has asked to go; QUIT is on its way.
    Quitting,
}

impl Session {
    /// A session that is not connected.
    pub(crate) fn new(settings: Settings) -> Session {
        let mut channels = Channels::default();
        let isupport = Isupport::default();
        for channel in &settings.channels {
            channels.ask(channel.as_bytes(), None, &isupport);
        }
        Session {
            nick: settings.nick.as_bytes().to_vec(),
            settings,
            user_and_host: None,
            stage: Stage::Offline,
            capabilities: Capabilities::default(),
            login: Login::default(),
            batches: Batches::default(),
            questions: Questions::default(),
            isupport,
            server: None,
            channels,
            outbox: Outbox::default(),
            allowance: Allowance::new(),
            reports: Vec::new(),
            last_words: None,
            has_heard_irc: false,
            foreign_words: None,
            ignored: Vec::new(),
            said_to_oneself: None,
        }
    }

    /// The connection is gone. Returns how many lines were written and may not
    /// have arrived; those that were not written are kept.
    pub(crate) fn disconnect(&mut self) -> usize {
        if !matches!(self.stage, Stage::Denied(_)) {
            self.stage = Stage::Offline;
        }
        self.channels.disconnect();
        self.outbox.disconnect()
    }

    /// Takes a line that was typed in `target`, without its end: text, or a
    /// command of [`commands`]. It waits here until it may be sent.
    pub(crate) fn type_line(&mut self, target: Target, text: String) {
        if !text.is_empty() {
            self.outbox.type_line(target, text);
        }
    }

    /// Whether no more should be typed for now: enough waits to be sent.
    pub(crate) fn is_full(&self) -> bool {
        self.outbox.is_full()
    }

    /// Puts into `queue` what may be sent now.
    pub(crate) fn fill(&mut self, queue: &mut SendQueue, now: Instant) {
        loop {
            let is_ready = self.stage == Stage::Registered;
            // With echo-message the server tells what has been said.
            let is_echoed = self.capabilities.has("echo-message");
            for said in self.outbox.fill(queue, is_ready, now) {
                if !is_echoed {
                    self.tell(said);
                }
            }
            if !is_ready {
                return;
            }
            let Some((target, text)) = self.outbox.next_typed() else {
                return;
            };
            self.execute(&target, &text);
        }
    }

    /// The connection has taken `count` bytes of the queue.
    pub(crate) fn wrote(&mut self, count: usize) {
        self.outbox.wrote(count);
    }

    /// Nothing more will be typed: `PING :end` is to be sent behind the last
    /// line.
    pub(crate) fn finish(&mut self) {
        self.outbox.finish();
    }

    /// Whether `PING :end` is on its way.
    pub(crate) fn is_asked(&self) -> bool {
        self.outbox.is_asked()
    }

    /// Whether it has been answered: the server has read every line.
    pub(crate) fn is_confirmed(&self) -> bool {
        self.outbox.is_confirmed()
    }

    /// Sends a PING, unless one waits to be answered.
    pub(crate) fn check(&mut self, now: Instant) {
        self.outbox.check(now);
    }

    /// The number of the PING that waits to be answered.
    pub(crate) fn awaited_check(&self) -> Option<u64> {
        self.outbox.awaited_check()
    }

    /// Says good-bye; nothing is sent after it.
    pub(crate) fn quit(&mut self, reason: &str) {
        let line = self.outbox.reply().command(b"QUIT");
        let line = if reason.is_empty() {
            line
        } else {
            line.trailing(reason.as_bytes())
        };
        line.finish();
        self.stage = Stage::Quitting;
    }

    /// How many typed lines were not sent, or not to the end.
    pub(crate) fn unsent(&self) -> usize {
        self.outbox.unsent()
    }

    /// Whether the server has let the person in, and the person has not left.
    pub(crate) fn is_registered(&self) -> bool {
        self.stage == Stage::Registered
    }

    /// Whether the person has left by `/quit` or [`Session::quit`].
    pub(crate) fn is_quitting(&self) -> bool {
        self.stage == Stage::Quitting
    }

    /// Why the server will not have this person, if that is so.
    pub(crate) fn denial(&self) -> Option<&str> {
        match &self.stage {
            Stage::Denied(why) => Some(why),
            _ => None,
        }
    }

    /// What the server has said in its ERROR.
    pub(crate) fn last_words(&self) -> Option<&str> {
        self.last_words.as_deref()
    }

    /// Everything that has happened since this was last called.
    pub(crate) fn take_news(&mut self) -> Vec<Report> {
        std::mem::take(&mut self.reports)
    }

    /// The nick of the person, as the server has it or as it is asked for.
    pub(crate) fn nick(&self) -> String {
        neutral(&self.nick)
    }

    /// The network's name, or else the server's; none before it has said.
    pub(crate) fn network(&self) -> Option<&str> {
        self.isupport.network.as_deref().or(self.server.as_deref())
    }

    /// How long the server took for its last answer on this connection.
    pub(crate) fn lag(&self) -> Option<Duration> {
        self.outbox.lag()
    }

    /// The name in lower case, as this server has it: two names are the same if
    /// these are.
    pub(crate) fn fold(&self, name: &str) -> String {
        let folded = self.isupport.case_mapping.fold(name.as_bytes());
        // Only ASCII changes, so UTF-8 stays UTF-8.
        String::from_utf8_lossy(&folded).into_owned()
    }

    /// Whether channels have names like this one here.
    pub(crate) fn is_channel(&self, name: &str) -> bool {
        self.isupport.is_channel(name.as_bytes())
    }

    /// A channel that the person is in or wants to be in.
    pub(crate) fn channel(&self, name: &str) -> Option<&Channel> {
        self.channels.find(&self.raw_name(name), &self.isupport)
    }

    /// Whether somebody with this nick is in a channel.
    pub(crate) fn is_member(&self, channel: &str, nick: &str) -> bool {
        self.channel(channel)
            .is_some_and(|channel| channel.member(nick.as_bytes(), &self.isupport).is_some())
    }

    /// All of those, in the order in which they were asked for.
    #[cfg(test)]
    pub(crate) fn channels(&self) -> impl Iterator<Item = &Channel> + use<'_> {
        self.channels.iter()
    }

    /// How many bytes of text fit into one line to this channel or person;
    /// more become several lines. 0 for a name that nothing can be sent to.
    pub(crate) fn room_for_text(&self, target: &str) -> usize {
        self.text_bytes(&self.raw_name(target), 0).unwrap_or(0)
    }

    /// What the server calls the channel that is shown as `name`: the bytes of
    /// a name need not be UTF-8.
    fn raw_name(&self, name: &str) -> Vec<u8> {
        let shown = self.channels.iter().find(|channel| channel.name() == name);
        shown.map_or_else(
            || name.as_bytes().to_vec(),
            |channel| channel.raw_name.clone(),
        )
    }

    /// Whether this is the person's own nick.
    fn is_me(&self, nick: &[u8]) -> bool {
        self.isupport.case_mapping.eq(nick, &self.nick)
    }

    fn hint(&mut self, text: impl Into<String>) {
        self.tell(News::Hint(text.into()));
    }
}
