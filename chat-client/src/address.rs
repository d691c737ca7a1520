//! A server's address as it is typed.

use std::error::Error;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// The port of IRC without TLS.
pub(crate) const DEFAULT_PORT: u16 = 6667;

/// A host, by name or by number, and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// An IPv6 address stands here without its brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// Why a text is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AddressError {
    NoHost,
    BadPort,
    Brackets,
}

impl FromStr for Address {
    type Err = AddressError;

    /// Reads `host`, `host:port`, `[v6]`, `[v6]:port` or a bare IPv6 address.
    fn from_str(text: &str) -> Result<Address, AddressError> {
        let (host, port) = if let Some(bracketed) = text.strip_prefix('[') {
            let (host, rest) = bracketed.split_once(']').ok_or(AddressError::Brackets)?;
            match rest.strip_prefix(':') {
                Some(port) => (host, Some(port)),
                None if rest.is_empty() => (host, None),
                None => return Err(AddressError::Brackets),
            }
        } else {
            match text.split_once(':') {
                // Two colons or more: an IPv6 address, and no port.
                Some((_, rest)) if rest.contains(':') => (text, None),
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            }
        };
        if host.is_empty() {
            return Err(AddressError::NoHost);
        }
        let port = match port {
            None => DEFAULT_PORT,
            Some(port) => match port.parse() {
                Ok(0) | Err(_) => return Err(AddressError::BadPort),
                Ok(port) => port,
            },
        };
        Ok(Address {
            host: host.to_owned(),
            port,
        })
    }
}

impl Address {
    /// The host, if it is a number that needs no looking up.
    pub(crate) fn ip(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            AddressError::NoHost => "no host, expected irc.example.org:6667 for instance",
            AddressError::BadPort => "a port is a number from 1 to 65535",
            AddressError::Brackets => "expected [2001:db8::1]:6667 for instance",
        })
    }
}

impl Error for AddressError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_or_a_number_with_or_without_a_port() {
        for (text, host, port, shown) in [
            ("localhost", "localhost", 6667, "localhost:6667"),
            ("127.0.0.1:7000", "127.0.0.1", 7000, "127.0.0.1:7000"),
            ("::1", "::1", 6667, "[::1]:6667"),
            ("[::1]", "::1", 6667, "[::1]:6667"),
            ("[fe80::1%eth0]:70", "fe80::1%eth0", 70, "[fe80::1%eth0]:70"),
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!((address.host.as_str(), address.port), (host, port));
            assert_eq!(address.to_string(), shown);
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_the_reason() {
        for (text, error) in [
            ("", AddressError::NoHost),
            (":6667", AddressError::NoHost),
            ("host:", AddressError::BadPort),
            ("host:0", AddressError::BadPort),
            ("host:65536", AddressError::BadPort),
            ("host:irc", AddressError::BadPort),
            ("[::1", AddressError::Brackets),
            ("[::1]6667", AddressError::Brackets),
        ] {
            assert_eq!(text.parse::<Address>(), Err(error), "{text}");
        }
    }
}
