//! What the session has to tell.
//!
//! Shows: what has happened is one thing, how it is shown another. Line mode
//! prints each as a line; a screen sorts them into buffers.

use jiff::Timestamp;

/// A piece of news, and when it happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    /// By the server's clock; none if it has not said: then it is now.
    pub(crate) at: Option<Timestamp>,
    /// Whether it happened before the person was there: nobody is called by it.
    pub(crate) is_history: bool,
    pub(crate) news: News,
}

/// Something that a person should learn of.
///
/// All text in it is neutral: harmless for a terminal, see
/// [`neutral`](chat_protocol::neutral). Texts, topics and reasons have IRC's
/// formatting codes left in them; names have not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// Somebody has said something, perhaps the person himself.
    Said {
        place: Place,
        /// In a channel, said only to those members with this sign or a higher
        /// one before their nicks.
        only_for: Option<char>,
        nick: String,
        manner: Manner,
        text: String,
        /// Whether the person himself has said it. What he says to himself
        /// comes back as if somebody else had said it.
        is_own: bool,
    },
    Joined {
        channel: String,
        nick: String,
        is_own: bool,
    },
    Parted {
        channel: String,
        nick: String,
        reason: String,
        is_own: bool,
    },
    Kicked {
        channel: String,
        nick: String,
        by: String,
        reason: String,
        /// Whether it is the person himself who was thrown out.
        is_own: bool,
    },
    /// Somebody has left the server.
    Quit {
        nick: String,
        reason: String,
        /// Where the two have met.
        channels: Vec<String>,
    },
    Renamed {
        from: String,
        to: String,
        /// Where the two have met; for oneself all channels.
        channels: Vec<String>,
        is_own: bool,
    },
    /// What a channel is about; an empty topic is none.
    Topic {
        channel: String,
        topic: String,
        /// Who has set it just now; none if this is the answer to a question.
        by: Option<String>,
    },
    /// Some of the people in a channel.
    Names { channel: String, names: String },
    /// Modes of a channel or of the person himself have changed.
    Mode {
        target: String,
        change: String,
        by: String,
    },
    /// What the server says of itself: its welcome, the message of the day.
    Server(String),
    /// An answer of the server, in words.
    Answer(String),
    /// The server has not done something, in words.
    Refused(String),
    /// What the client itself answers to a command.
    Help(String),
    /// What the client itself has to say about what was typed or received.
    Hint(String),
}

/// Where something is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Channel(String),
    /// Between the person and this one.
    Private(String),
    /// From the server to the person.
    Server,
}

/// How something is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    Text,
    /// `/me`.
    Action,
    /// By a program, or by the server: not to be answered automatically.
    Notice,
}
