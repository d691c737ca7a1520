//! Who the person wants to be, and what shows the news.

use std::fmt;

/// What a session is begun with.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// A valid nickname, asked for at each connection.
    pub(crate) nick: String,
    /// What others see before the `@`.
    pub(crate) user: String,
    /// What `/whois` shows.
    pub(crate) real_name: String,
    /// What the server asks of everybody, sent as PASS.
    pub(crate) server_password: Option<Password>,
    pub(crate) account: Option<Account>,
    /// Joined at once; text of [`Target::Current`] goes to the last of them.
    pub(crate) channels: Vec<String>,
    pub(crate) surface: Surface,
    /// How much of what was said before is asked for at a join, in lines; 0 for
    /// nothing. A server may give less, and only a [`Surface::Screen`] asks.
    pub(crate) history_lines: usize,
}

/// An account on the network, logged in to by SASL PLAIN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) password: Password,
}

/// A password, which no debug output shows: a trace or a test's message is no
/// place for it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Password(pub(crate) String);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(not shown)")
    }
}

/// What shows the news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Surface {
    /// One stream of lines. Text goes to the current channel, and the session
    /// says when that is another one.
    Lines,
    /// A screen with a buffer for each channel and person, that shows who is
    /// there, which of them are away, and what was said before.
    Screen,
}

/// Where a line was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// In one stream of lines: for the channel joined last.
    Current,
    /// In the buffer of this channel or person.
    Named(String),
    /// In the buffer of the server, where text has no receiver.
    Server,
}

/// The user name and the real name: nothing that tells who runs the program.
pub(crate) const USER: &str = "guest";
pub(crate) const REAL_NAME: &str = "chat-client";

impl Settings {
    /// A person by the name of `nick`, who wants to be in `channels`.
    pub(crate) fn new(nick: &str, channels: &[String], surface: Surface) -> Settings {
        Settings {
            nick: nick.to_owned(),
            user: USER.to_owned(),
            real_name: REAL_NAME.to_owned(),
            server_password: None,
            account: None,
            channels: channels.to_vec(),
            surface,
            history_lines: match surface {
                Surface::Lines => 0,
                Surface::Screen => super::MAX_HISTORY_LINES,
            },
        }
    }
}
