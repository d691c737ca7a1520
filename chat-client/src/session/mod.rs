//! One person's session with a server, without a socket and without a screen.
//!
//! Bytes of the server come in line by line, typed lines come in; out go lines
//! for the server (into a [`SendQueue`]) and [`News`] for the person. It
//! outlives connections: after a reconnect it registers and joins again, and
//! sends what had not been sent.
//!
//! Shows: the protocol as a thing of its own, driven by a test as well as by a
//! loop.
//! Leaves out: when to read and write, and when to give up; that is the loop
//! side's (`line_mode`).

mod channels;
mod command;
mod ctcp;
mod execute;
mod news;
mod numerics;
mod outbox;
mod receive;
#[cfg(test)]
mod tests;

use chat_protocol::NICK_BYTES;
use epoll_loop::SendQueue;

use channels::Channels;
pub(crate) use command::Command;
use ctcp::Allowance;
pub(crate) use execute::channel_name;
pub(crate) use news::{Manner, News, Place};
use outbox::Outbox;

/// How often an underscore is put behind a nick that is taken.
const MAX_UNDERSCORES: usize = 5;

/// The user name and the real name: nothing that tells who runs the program.
const USER: &str = "guest";
const REAL_NAME: &str = "chat-client";

/// A session, connected or not.
#[derive(Debug)]
pub(crate) struct Session {
    /// The nick that is asked for at each connection.
    wanted_nick: String,
    /// As the server has it.
    nick: Vec<u8>,
    /// What others see behind the nick, once the server has shown it.
    user_and_host: Option<Vec<u8>>,
    stage: Stage,
    channels: Channels,
    outbox: Outbox,
    allowance: Allowance,
    news: Vec<News>,
    /// What the server has said as its last words.
    last_words: Option<String>,
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
    ///
    /// `nick` is a valid nickname; the `channels` will be joined, and text goes
    /// to the last of them.
    pub(crate) fn new(nick: &str, channels: &[String]) -> Session {
        let mut session = Session {
            wanted_nick: nick.to_owned(),
            nick: nick.as_bytes().to_vec(),
            user_and_host: None,
            stage: Stage::Offline,
            channels: Channels::default(),
            outbox: Outbox::default(),
            allowance: Allowance::new(),
            news: Vec::new(),
            last_words: None,
        };
        for channel in channels {
            session.channels.ask(channel.as_bytes(), None);
        }
        session
    }

    /// A connection stands: asks to be registered.
    pub(crate) fn connect(&mut self) {
        self.stage = Stage::Registering { underscores: 0 };
        self.last_words = None;
        self.user_and_host = None;
        self.ask_for_nick();
        self.outbox
            .reply()
            .command(b"USER")
            .parameter(USER.as_bytes())
            .parameter(b"0")
            .parameter(b"*")
            .trailing(REAL_NAME.as_bytes())
            .finish();
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

    /// Takes a line that was typed, without its end.
    pub(crate) fn type_line(&mut self, text: String) {
        if !text.is_empty() {
            self.outbox.type_line(text);
        }
    }

    /// Whether no more should be typed for now: enough waits to be sent.
    pub(crate) fn is_full(&self) -> bool {
        self.outbox.is_full()
    }

    /// Puts into `queue` what may be sent now.
    pub(crate) fn fill(&mut self, queue: &mut SendQueue) {
        loop {
            let is_ready = self.stage == Stage::Registered;
            self.outbox.fill(queue, is_ready);
            if !is_ready {
                return;
            }
            let Some(text) = self.outbox.next_typed() else {
                return;
            };
            self.execute(&text);
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
    pub(crate) fn check(&mut self) {
        self.outbox.check();
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
    pub(crate) fn take_news(&mut self) -> Vec<News> {
        std::mem::take(&mut self.news)
    }

    fn hint(&mut self, text: impl Into<String>) {
        self.news.push(News::Hint(text.into()));
    }

    fn ask_for_nick(&mut self) {
        let underscores = match self.stage {
            Stage::Registering { underscores } => underscores,
            _ => 0,
        };
        let kept = self.wanted_nick.len().min(NICK_BYTES - underscores);
        let nick = format!("{}{}", &self.wanted_nick[..kept], "_".repeat(underscores));
        self.outbox
            .reply()
            .command(b"NICK")
            .parameter(nick.as_bytes())
            .finish();
        self.nick = nick.into_bytes();
    }

    /// Enters every channel that the person wants to be in, the current last.
    fn join_channels(&mut self) {
        for channel in self.channels.iter() {
            let line = self
                .outbox
                .reply()
                .command(b"JOIN")
                .parameter(&channel.name);
            let line = match &channel.key {
                Some(key) => line.parameter(key),
                None => line,
            };
            line.finish();
        }
    }
}
