//! Why the program ends with exit code 1.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use chapter::show_duration;

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

/// Why no connection could be made.
#[derive(Debug)]
pub(crate) enum ConnectError {
    /// The name was not found.
    Lookup(io::Error),
    LookupTimedOut(Duration),
    /// The name has no address.
    NoAddress,
    /// Each address that was tried, and what came of it.
    Addresses(Vec<(SocketAddr, io::Error)>),
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

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConnectError::Lookup(err) => {
                let why = err.to_string();
                // What the standard library puts before getaddrinfo's own words.
                let why = why.rsplit(": ").next().unwrap_or_default();
                f.write_str(&chapter::why(&io::Error::other(why)))
            }
            ConnectError::LookupTimedOut(timeout) => write!(
                f,
                "timed out: the name was not found within {}",
                show_duration(*timeout)
            ),
            ConnectError::NoAddress => f.write_str("the name has no address"),
            ConnectError::Addresses(tried) => match tried.as_slice() {
                [(_, why)] => f.write_str(&chapter::why(why)),
                several => {
                    let each = several
                        .iter()
                        .map(|(address, why)| format!("{} {}", address.ip(), chapter::why(why)));
                    f.write_str(&each.collect::<Vec<_>>().join(", "))
                }
            },
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
            LostReason::NotReading => f.write_str("connection given up: the server does not read"),
        }
    }
}

impl Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused() -> io::Error {
        io::Error::from_raw_os_error(111)
    }

    #[test]
    fn one_address_is_not_named_twice_and_several_each() {
        let address: Address = "localhost".parse().unwrap();
        let one = vec![("127.0.0.1:6667".parse().unwrap(), refused())];
        let failure = Failure::Connect(address.clone(), ConnectError::Addresses(one));
        assert_eq!(failure.to_string(), "localhost:6667: connection refused");
        let two = vec![
            (
                "[::1]:6667".parse().unwrap(),
                io::ErrorKind::TimedOut.into(),
            ),
            ("127.0.0.1:6667".parse().unwrap(), refused()),
        ];
        let failure = Failure::Connect(address, ConnectError::Addresses(two));
        assert_eq!(
            failure.to_string(),
            "localhost:6667: ::1 timed out, 127.0.0.1 connection refused"
        );
    }

    #[test]
    fn a_name_that_is_not_found_is_told_in_the_resolvers_words() {
        let err =
            io::Error::other("failed to lookup address information: Name or service not known");
        assert_eq!(
            ConnectError::Lookup(err).to_string(),
            "name or service not known"
        );
    }
}
