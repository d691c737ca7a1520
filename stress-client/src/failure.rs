//! Why a measurement has come to nothing.

use std::error::Error;
use std::fmt;
use std::io;

use nonblock_connect::Target;

/// What ends a measurement before its time.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The name of the server is not known.
    LookUp(Target, io::Error),
    /// A connection could not be made.
    Connect(io::Error),
    /// The server has closed the connection of this client, and what it said (ERROR).
    Closed(String, Option<String>),
    /// The connection of this client has failed, and why.
    Lost(String, String),
    /// The server does not let this client in: numeric and text.
    Refused(String, u16, String),
    /// Nothing has come for so long, and what is missing.
    Stalled(std::time::Duration, String),
    /// Members have more messages of this sender than it has sent.
    NotSent(String),
    /// A member has not the message of a sender that was to come next: one is missing, or has come
    /// twice.
    OutOfTurn {
        member: String,
        sender: String,
        number: u64,
        expected: u64,
    },
    /// A server could not be started: its name, and why.
    NotStarted(&'static str, String),
    /// A server could not be measured: its name, and why.
    Server(&'static str, String),
    /// It came to this while a server was attacked: the name of the attack.
    During(&'static str, Box<Failure>),
    /// A person has ended it (Ctrl-C).
    Interrupted,
    /// There is no such process, or it is not ours to look at.
    Process(u32, String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::LookUp(target, err) => write!(f, "{}: {}", target.host, chapter::why(err)),
            Failure::Connect(err) => write!(f, "connect: {}", chapter::why(err)),
            Failure::Closed(nick, Some(said)) => {
                write!(f, "the server has closed the connection of {nick}: {said}")
            }
            Failure::Closed(nick, None) => {
                write!(f, "the server has closed the connection of {nick}")
            }
            Failure::Lost(nick, why) => write!(f, "the connection of {nick} is lost: {why}"),
            Failure::Refused(nick, code, why) => {
                write!(f, "the server does not let {nick} in: {code} {why}")
            }
            Failure::Stalled(time, missing) => write!(
                f,
                "nothing has come from the server for {}: {missing}",
                chapter::show_duration(*time)
            ),
            Failure::NotSent(nick) => {
                write!(f, "more messages of {nick} have come than it has sent")
            }
            Failure::OutOfTurn {
                member,
                sender,
                number,
                expected,
            } => write!(
                f,
                "{member} has message {number} of {sender} where {expected} was to come: one is \
                 missing, or has come twice"
            ),
            Failure::NotStarted(name, why) => write!(f, "{name} does not start: {why}"),
            Failure::Server(name, why) => write!(f, "{name}: {why}"),
            Failure::During(attack, why) => write!(f, "{attack}: {why}"),
            Failure::Interrupted => f.write_str("interrupted"),
            Failure::Process(pid, why) => write!(f, "--pid {pid}: {why}"),
        }
    }
}

impl Error for Failure {}

impl Failure {
    /// Whether an error says that a person has ended the measurement.
    pub(crate) fn is_interrupted(err: &io::Error) -> bool {
        let failure = err.get_ref().and_then(|inner| inner.downcast_ref());
        matches!(failure, Some(Failure::Interrupted))
    }
}

impl From<Failure> for io::Error {
    fn from(failure: Failure) -> io::Error {
        io::Error::other(failure)
    }
}
