//! What the session has to tell.
//!
//! Shows: what has happened is one thing, how it is shown another. Line mode
//! prints each as a line; a screen would sort them into windows.

/// Something that a person should learn of.
///
/// All text in it is neutral: harmless for a terminal, see
/// [`neutral`](chat_protocol::neutral).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// Somebody has said something.
    Said {
        place: Place,
        nick: String,
        manner: Manner,
        text: String,
    },
    Joined {
        channel: String,
        nick: String,
    },
    Parted {
        channel: String,
        nick: String,
        reason: String,
    },
    Kicked {
        channel: String,
        nick: String,
        by: String,
        reason: String,
    },
    /// Somebody has left the server.
    Quit {
        nick: String,
        reason: String,
    },
    Renamed {
        from: String,
        to: String,
    },
    /// What a channel is about; an empty topic is none.
    Topic {
        channel: String,
        topic: String,
        /// Who has set it just now; none if this is the answer to a question.
        by: Option<String>,
    },
    /// Some of the people in a channel.
    Names {
        channel: String,
        names: String,
    },
    /// Modes of a channel or of the person himself have changed.
    Mode {
        target: String,
        change: String,
        by: String,
    },
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
    /// Between two people.
    Private,
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
