//! The five small services, and what each of them has to say.
//!
//! Shows: five protocols that are each described on a page: echo (RFC 862),
//! discard (RFC 863), chargen (RFC 864), daytime (RFC 867), time (RFC 868).
//! Leaves out: how the bytes travel (`tcp.rs`, `udp.rs`).

use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

use chapter::{Utc, unix_seconds};

/// Seconds from 1900-01-01, where RFC 868 begins to count, to 1970-01-01.
pub(crate) const SECONDS_1900_TO_1970: u64 = 2_208_988_800;

/// Printable ASCII characters, which follow each other in a ring.
const RING: u8 = b'~' - b' ' + 1;

/// Characters in a line of the generator, without CR LF.
pub(crate) const LINE_CHARACTERS: usize = 72;

/// A line of the generator with CR LF.
const LINE_BYTES: usize = LINE_CHARACTERS + 2;

/// After so many bytes the generator begins again.
const PATTERN_BYTES: usize = RING as usize * LINE_BYTES;

/// All lines that the generator makes: each begins one character later.
static PATTERN: [u8; PATTERN_BYTES] = pattern();

/// The most characters that the generator puts in a datagram (RFC 864).
pub(crate) const MAX_GENERATED_BYTES: usize = 512;

/// A service, the same over TCP and UDP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Service {
    /// Sends back what it gets.
    Echo,
    /// Throws away what it gets.
    Discard,
    /// Sends lines of characters without end; over UDP some for each datagram.
    Chargen,
    /// Sends the date and the time of day in words.
    Daytime,
    /// Sends the seconds since 1900 as 4 bytes.
    Time,
}

impl Service {
    /// All services, by the numbers of their RFCs.
    pub const ALL: [Service; 5] = [
        Service::Echo,
        Service::Discard,
        Service::Chargen,
        Service::Daytime,
        Service::Time,
    ];

    /// The name in `/etc/services`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Service::Echo => "echo",
            Service::Discard => "discard",
            Service::Chargen => "chargen",
            Service::Daytime => "daytime",
            Service::Time => "time",
        }
    }

    /// The port in `/etc/services` and 7,000: one that needs no privilege.
    #[must_use]
    pub const fn default_port(self) -> u16 {
        match self {
            Service::Echo => 7007,
            Service::Discard => 7009,
            Service::Daytime => 7013,
            Service::Chargen => 7019,
            Service::Time => 7037,
        }
    }

    /// Whether its answer to a datagram might be longer than the datagram: what
    /// somebody looks for who wants to flood a third party, in whose name he
    /// sends the request.
    #[must_use]
    pub const fn is_amplifier(self) -> bool {
        matches!(self, Service::Chargen | Service::Daytime | Service::Time)
    }

    /// What is said at once to everybody who connects, and to whom a datagram
    /// comes from: the same for all at one moment.
    pub(crate) fn greeting(self, now: SystemTime) -> Vec<u8> {
        match self {
            Service::Daytime => daytime(now),
            Service::Time => time(now).to_vec(),
            Service::Echo | Service::Discard | Service::Chargen => Vec::new(),
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Service {
    type Err = UnknownService;

    fn from_str(name: &str) -> Result<Service, UnknownService> {
        let mut all = Service::ALL.into_iter();
        all.find(|service| service.name() == name)
            .ok_or(UnknownService)
    }
}

/// There is no service of that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownService;

impl fmt::Display for UnknownService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a service is echo, discard, chargen, daytime or time")
    }
}

impl std::error::Error for UnknownService {}

/// `Wed Oct 19 2011 16:40:51 UTC` and CR LF: RFC 867 leaves the form open.
pub(crate) fn daytime(now: SystemTime) -> Vec<u8> {
    format!("{}\r\n", Utc::from(now)).into_bytes()
}

/// Seconds since 1900, which begin again at 0 in February 2036.
pub(crate) fn time(now: SystemTime) -> [u8; 4] {
    let seconds = unix_seconds(now) + SECONDS_1900_TO_1970;
    let [.., a, b, c, d] = seconds.to_be_bytes();
    [a, b, c, d]
}

/// Where a connection stands in the endless text of the generator.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Generator {
    position: usize,
}

impl Generator {
    /// The next piece of the text: up to `limit` bytes, and at least one if the
    /// limit allows it.
    pub(crate) fn next(&mut self, limit: usize) -> &'static [u8] {
        let rest = &PATTERN[self.position..];
        let piece = &rest[..rest.len().min(limit)];
        self.position = (self.position + piece.len()) % PATTERN_BYTES;
        piece
    }
}

const fn pattern() -> [u8; PATTERN_BYTES] {
    let mut pattern = [0; PATTERN_BYTES];
    let mut at = 0;
    while at < PATTERN_BYTES {
        let (line, column) = (at / LINE_BYTES, at % LINE_BYTES);
        pattern[at] = match column {
            LINE_CHARACTERS => b'\r',
            column if column > LINE_CHARACTERS => b'\n',
            _ => character(line + column),
        };
        at += 1;
    }
    pattern
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a remainder of 95 fits a byte"
)]
const fn character(number: usize) -> u8 {
    b' ' + (number % RING as usize) as u8
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn the_lines_are_those_of_rfc_864() {
        // The first two lines of the example in the RFC, which begins with '!'.
        let text = Generator::default().next(usize::MAX);
        let mut lines = text.split(|&byte| byte == b'\n').skip(1);
        assert_eq!(
            lines.next().unwrap(),
            b"!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefgh\r"
        );
        assert_eq!(
            lines.next().unwrap(),
            b"\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghi\r"
        );
    }

    #[test]
    fn the_text_goes_on_where_it_was_left() {
        let mut generator = Generator::default();
        let mut text: Vec<u8> = Vec::new();
        while text.len() < 3 * PATTERN_BYTES {
            text.extend(generator.next(997));
        }
        for (at, &byte) in text.iter().enumerate() {
            assert_eq!(byte, PATTERN[at % PATTERN_BYTES], "byte {at}");
        }
        assert!(generator.next(0).is_empty());
    }

    #[test]
    fn known_moments_read_as_they_should() {
        let moment = UNIX_EPOCH + Duration::from_secs(1_319_042_451);
        assert_eq!(daytime(moment), b"Wed Oct 19 2011 16:40:51 UTC\r\n");
        // The examples of RFC 868.
        assert_eq!(time(UNIX_EPOCH), 2_208_988_800_u32.to_be_bytes());
        let since_1970 = 2_398_291_200 - SECONDS_1900_TO_1970;
        let in_1976 = UNIX_EPOCH + Duration::from_secs(since_1970);
        assert_eq!(time(in_1976), 2_398_291_200_u32.to_be_bytes());
    }

    #[test]
    fn the_seconds_since_1900_begin_again_in_2036() {
        let end = UNIX_EPOCH + Duration::from_secs((1 << 32) - SECONDS_1900_TO_1970);
        assert_eq!(time(end - Duration::from_secs(1)), [0xff; 4]);
        assert_eq!(time(end), [0; 4]);
    }

    #[test]
    fn every_service_is_found_by_its_name() {
        for service in Service::ALL {
            assert_eq!(service.name().parse(), Ok(service));
        }
        assert_eq!("finger".parse::<Service>(), Err(UnknownService));
    }
}
