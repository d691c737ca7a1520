//! Why the program ends with exit code 1.

use std::error::Error;
use std::fmt;
use std::io;
use std::time::Duration;

use chapter::show_duration;
use nonblock_connect::ConnectError;

use crate::address::Address;
use crate::config::ConfigError;

/// What went wrong, as the one line on standard error says it.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The settings are not understood.
    Config(ConfigError),
    /// No connection could be made.
    Connect(Address, ConnectError),
    /// The connection or the server behind it is gone.
    Lost(Address, LostReason),
    /// The server does not want this person; its words.
    Denied(Address, String),
    /// The last lines are sent, and the server has not said that it has them.
    Unconfirmed(Address, Duration),
    /// The program itself cannot go on: with what, and why.
    System(&'static str, io::Error),
    /// Nobody reads standard output any more. Nothing is said about it, as of
    /// any other program in a pipe: whoever closed it knows.
    ReaderGone,
}

/// Why a connection is gone.
#[derive(Debug)]
pub(crate) enum LostReason {
    /// The server has closed it, with these words if it said any.
    Closed(Option<String>),
    Error(io::Error),
    /// The server has closed before it had taken so many bytes.
    Unsent(usize),
    /// The server has not answered for so long.
    Silent(Duration),
    /// It does not speak IRC, but says this.
    Foreign(String),
    /// The server sends and does not read: what it asks for piles up here.
    NotReading,
}

impl Failure {
    /// Whether nothing is to be said.
    pub(crate) fn is_quiet(&self) -> bool {
        matches!(self, Failure::ReaderGone)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Config(why) => write!(f, "{why}"),
            Failure::Connect(address, why) => write!(f, "{address}: {why}"),
            Failure::Lost(address, why) => write!(f, "{address}: {why}"),
            Failure::Denied(address, why) => write!(f, "{address}: {why}"),
            Failure::Unconfirmed(address, timeout) => write!(
                f,
                "{address}: timed out: no answer to the last lines within {}",
                show_duration(*timeout)
            ),
            Failure::System(what, why) => write!(f, "{what}: {}", chapter::why(why)),
            Failure::ReaderGone => f.write_str("standard output: nobody reads it"),
        }
    }
}

impl fmt::Display for LostReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LostReason::Closed(None) => f.write_str("closed by the server"),
            LostReason::Closed(Some(words)) => write!(f, "closed by the server: {words}"),
            LostReason::Error(err) => write!(f, "connection lost: {}", chapter::why(err)),
            LostReason::Unsent(bytes) => {
                write!(f, "closed by the server: {bytes} bytes were not sent")
            }
            LostReason::Silent(timeout) => {
                write!(f, "timed out: no answer within {}", show_duration(*timeout))
            }
            LostReason::Foreign(words) => write!(f, "does not speak IRC, it says: {words}"),
            LostReason::NotReading => f.write_str("connection given up: the server does not read"),
        }
    }
}

impl Error for Failure {}
