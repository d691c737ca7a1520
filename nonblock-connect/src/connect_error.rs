//! Why there is no connection.

use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use chapter::show_duration;

/// Why a target was not connected to.
#[derive(Debug)]
pub enum ConnectError {
    /// The name was not found, or could not be looked up.
    Lookup(io::Error),
    /// The name was not found in the time there was.
    LookupTimedOut(Duration),
    /// The name is there, and has no address.
    NoAddress,
    /// Each address that was tried, and what came of it. One that had not answered when the time
    /// was over stands here with `ETIMEDOUT`.
    Addresses(Vec<(SocketAddr, io::Error)>),
}

impl ConnectError {
    /// Whether a host has said no: every address that was tried.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        self.tried()
            .is_some_and(|mut all| all.all(|err| err.kind() == ErrorKind::ConnectionRefused))
    }

    /// Whether somebody has not answered in time: a name server, or one of the addresses.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        let silent = |err: &io::Error| err.kind() == ErrorKind::TimedOut;
        matches!(self, ConnectError::LookupTimedOut(_))
            || self.tried().is_some_and(|mut all| all.any(silent))
    }

    /// What came of each address, if any was tried.
    fn tried(&self) -> Option<impl Iterator<Item = &io::Error>> {
        match self {
            ConnectError::Addresses(tried) if !tried.is_empty() => {
                Some(tried.iter().map(|(_, err)| err))
            }
            _ => None,
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

impl Error for ConnectError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            ConnectError::Lookup(err) => Some(err),
            ConnectError::Addresses(tried) => tried.last().map(|(_, err)| err as _),
            ConnectError::LookupTimedOut(_) | ConnectError::NoAddress => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(errors: &[i32]) -> ConnectError {
        let tried = errors.iter().zip(1_u8..).map(|(&errno, n)| {
            let address = SocketAddr::from(([10, 0, 0, n], 80));
            (address, io::Error::from_raw_os_error(errno))
        });
        ConnectError::Addresses(tried.collect())
    }

    #[test]
    fn one_address_is_not_named_and_several_are() {
        assert_eq!(addresses(&[111]).to_string(), "connection refused");
        assert_eq!(
            addresses(&[110, 111]).to_string(),
            "10.0.0.1 connection timed out, 10.0.0.2 connection refused"
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

    #[test]
    fn a_refusal_is_one_of_all_and_a_timeout_of_any() {
        let tell = |err: ConnectError| (err.is_refusal(), err.is_timeout());
        assert_eq!(tell(addresses(&[111, 111])), (true, false));
        assert_eq!(tell(addresses(&[111, 110])), (false, true));
        assert_eq!(tell(addresses(&[113])), (false, false));
        assert_eq!(tell(addresses(&[])), (false, false));
        assert_eq!(
            tell(ConnectError::LookupTimedOut(Duration::ZERO)),
            (false, true)
        );
        assert_eq!(tell(ConnectError::NoAddress), (false, false));
    }
}
