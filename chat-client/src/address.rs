//! A server's address as it is typed.

use nonblock_connect::{Target, TargetError};

/// The port of IRC without TLS.
pub(crate) const DEFAULT_PORT: u16 = 6667;

/// A host, by name or by number, and a port.
pub(crate) type Address = Target;

/// Reads `host`, `host:port`, `[v6]`, `[v6]:port` or a bare IPv6 address.
pub(crate) fn address(text: &str) -> Result<Address, TargetError> {
    Target::with_default_port(text, DEFAULT_PORT)
}

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
            let address = address(text).unwrap();
            assert_eq!((address.host.as_str(), address.port), (host, port));
            assert_eq!(address.to_string(), shown);
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_the_reason() {
        for (text, error) in [
            ("", TargetError::NoHost),
            (":6667", TargetError::NoHost),
            ("host:", TargetError::BadPort),
            ("host:0", TargetError::BadPort),
            ("host:65536", TargetError::BadPort),
            ("host:irc", TargetError::BadPort),
            ("[::1", TargetError::Brackets),
            ("[::1]6667", TargetError::Brackets),
        ] {
            assert_eq!(address(text), Err(error), "{text}");
        }
    }
}
