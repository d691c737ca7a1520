//! Somebody at the other end who does not speak IRC.
//!
//! Shows: a wrong port is likelier than a silent server, and what listens there
//! often says what it is: it is quoted, instead of being waited for.

use chat_protocol::{Message, neutral};

use super::{Session, Stage};

/// What a server may say before it lets somebody in, without naming itself as
/// the source.
const FIRST_COMMANDS: [&[u8]; 8] = [
    b"AUTHENTICATE",
    b"CAP",
    b"ERROR",
    b"FAIL",
    b"NOTE",
    b"NOTICE",
    b"PING",
    b"WARN",
];

/// So much of it is quoted, in characters.
const QUOTED: usize = 80;

impl Session {
    /// What the other side has said first on this connection, if that was no
    /// IRC.
    pub(crate) fn foreign_words(&self) -> Option<&str> {
        self.foreign_words.as_deref()
    }

    /// Whether a line is the first of this connection, and no IRC.
    pub(super) fn is_foreign(&mut self, line: &[u8], message: Option<&Message<'_>>) -> bool {
        let is_first = matches!(self.stage, Stage::Registering { .. }) && !self.has_heard_irc;
        if !is_first {
            return false;
        }
        self.has_heard_irc = message.is_some_and(|message| {
            message.source.is_some()
                || message.numeric().is_some()
                || FIRST_COMMANDS.iter().any(|&command| message.is(command))
        });
        if !self.has_heard_irc && self.foreign_words.is_none() {
            self.foreign_words = Some(neutral(line).chars().take(QUOTED).collect());
        }
        !self.has_heard_irc
    }
}
