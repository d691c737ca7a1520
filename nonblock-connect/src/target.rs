//! What to connect to, as it is typed: `host:port`, or a host and a range of ports.
//!
//! Shows: an IPv6 address stands in brackets, since it is full of colons itself (RFC 3986, 3.2.2).
//! Leaves out: names of services (`host:smtp`).

use std::error::Error;
use std::fmt;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// A host, by name or by number, and a port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// A name, or an IP address; IPv6 without its brackets.
    pub host: String,
    /// 1 to 65535.
    pub port: u16,
}

/// A host and one port or several: `127.0.0.1:1-1024` is 1,024 targets.
///
/// ```
/// use nonblock_connect::TargetRange;
///
/// let range: TargetRange = "[::1]:79-81".parse()?;
/// let targets: Vec<String> = range.targets().map(|target| target.to_string()).collect();
/// assert_eq!(targets, ["[::1]:79", "[::1]:80", "[::1]:81"]);
/// # Ok::<(), nonblock_connect::TargetError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetRange {
    host: String,
    ports: RangeInclusive<u16>,
}

/// Why a text is no target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetError {
    /// Nothing stands before the port.
    NoHost,
    /// No port, and nothing to guess it from.
    NoPort,
    /// Not a number from 1 to 65535.
    BadPort,
    /// The same, nor two such numbers with the smaller first.
    BadRange,
    /// An IPv6 address without brackets, or a bracket too many.
    Brackets,
}

/// Parts `host`, `host:port`, `[v6]` and `[v6]:port` into the host and what stands for the port.
///
/// A text with two colons or more is an IPv6 address without a port, if it has no brackets.
///
/// # Errors
///
/// [`TargetError::NoHost`] and [`TargetError::Brackets`].
pub fn split_port(text: &str) -> Result<(&str, Option<&str>), TargetError> {
    let (host, port) = if let Some(bracketed) = text.strip_prefix('[') {
        let (host, rest) = bracketed.split_once(']').ok_or(TargetError::Brackets)?;
        match rest.strip_prefix(':') {
            Some(port) => (host, Some(port)),
            None if rest.is_empty() => (host, None),
            None => return Err(TargetError::Brackets),
        }
    } else {
        match text.split_once(':') {
            Some((_, rest)) if rest.contains(':') => (text, None),
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        }
    };
    if host.is_empty() {
        return Err(TargetError::NoHost);
    }
    Ok((host, port))
}

impl Target {
    /// Reads `host`, `host:port`, `[v6]`, `[v6]:port` or a bare IPv6 address, for a program that
    /// knows a port for those who leave it out.
    ///
    /// # Errors
    ///
    /// [`TargetError`], but never [`TargetError::NoPort`].
    pub fn with_default_port(text: &str, default: u16) -> Result<Target, TargetError> {
        let (host, typed) = split_port(text)?;
        Ok(Target {
            host: host.to_owned(),
            port: typed.map_or(Ok(default), port)?,
        })
    }

    /// The address of the host, if it is a number that needs no looking up.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl FromStr for TargetRange {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<TargetRange, TargetError> {
        let (host, ports) = split_port(text)?;
        let Some(ports) = ports else {
            // "::1:80" could be either, so neither.
            let is_v6 = !text.starts_with('[') && host.contains(':');
            return Err(if is_v6 {
                TargetError::Brackets
            } else {
                TargetError::NoPort
            });
        };
        let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
        let range = |text| port(text).map_err(|_| TargetError::BadRange);
        let (first, last) = (range(first)?, range(last)?);
        if first > last {
            return Err(TargetError::BadRange);
        }
        Ok(TargetRange {
            host: host.to_owned(),
            ports: first..=last,
        })
    }
}

fn port(text: &str) -> Result<u16, TargetError> {
    // `parse` would take "+80".
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(port) if port > 0 && is_number => Ok(port),
        _ => Err(TargetError::BadPort),
    }
}

impl TargetRange {
    /// Each target, by port, made when it is asked for.
    pub fn targets(self) -> impl Iterator<Item = Target> {
        let TargetRange { host, ports } = self;
        ports.map(move |port| Target {
            host: host.clone(),
            port,
        })
    }
}

impl fmt::Display for TargetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TargetError::NoHost => "no host, expected localhost:80 for instance",
            TargetError::NoPort => "no port, expected localhost:80 or localhost:1-1024",
            TargetError::BadPort => "a port is a number from 1 to 65535",
            TargetError::BadRange => "a port is a number from 1 to 65535, or two of them as 1-1024",
            TargetError::Brackets => "expected [::1]:80 for an IPv6 address",
        })
    }
}

impl Error for TargetError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets(text: &str) -> Result<Vec<String>, TargetError> {
        let range: TargetRange = text.parse()?;
        Ok(range.targets().map(|target| target.to_string()).collect())
    }

    #[test]
    fn a_target_is_shown_as_it_is_typed() {
        for text in [
            "127.0.0.1:80",
            "[::1]:80",
            "[fe80::1%eth0]:65535",
            "localhost:1",
            "a.b-c:7",
        ] {
            assert_eq!(targets(text), Ok(vec![text.to_owned()]));
        }
    }

    #[test]
    fn a_range_is_one_target_a_port_both_ends_included() {
        let all = targets("localhost:1-65535").unwrap();
        assert_eq!(all.len(), 65_535);
        assert_eq!(
            (all[0].as_str(), all[65_534].as_str()),
            ("localhost:1", "localhost:65535")
        );
        assert_eq!(targets("h:9-9"), Ok(vec!["h:9".to_owned()]));
    }

    #[test]
    fn what_is_no_target_is_refused_with_the_reason() {
        for (text, error) in [
            ("", TargetError::NoHost),
            (":80", TargetError::NoHost),
            ("[]:80", TargetError::NoHost),
            ("localhost", TargetError::NoPort),
            ("[::1]", TargetError::NoPort),
            ("localhost:", TargetError::BadRange),
            ("localhost:0", TargetError::BadRange),
            ("localhost:65536", TargetError::BadRange),
            ("localhost:+80", TargetError::BadRange),
            ("localhost:http", TargetError::BadRange),
            ("localhost:9-1", TargetError::BadRange),
            ("localhost:1-", TargetError::BadRange),
            ("localhost:1-2-3", TargetError::BadRange),
            ("::1:80", TargetError::Brackets),
            ("[::1", TargetError::Brackets),
            ("[::1]80", TargetError::Brackets),
        ] {
            assert_eq!(text.parse::<TargetRange>(), Err(error), "{text}");
        }
    }

    #[test]
    fn only_a_number_needs_no_looking_up() {
        let ip = |host: &str| {
            Target {
                host: host.to_owned(),
                port: 1,
            }
            .ip()
        };
        assert_eq!(ip("::1"), Some("::1".parse().unwrap()));
        assert_eq!(ip("localhost"), None);
        assert_eq!(
            ip("fe80::1%lo"),
            None,
            "the name of the interface is looked up"
        );
    }
}
