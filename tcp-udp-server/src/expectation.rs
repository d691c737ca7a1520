//! What each service is asked, and whether the answer is right.
//!
//! Shows: how much the RFCs leave open. A daytime is any text, so only what
//! every sensible one has is asked for; chargen may send any characters, but
//! not more than 512 in a datagram.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chapter::{Utc, unix_seconds};

use crate::server::Transport;
use crate::service::{Generator, LINE_CHARACTERS, MAX_GENERATED_BYTES};
use crate::service::{Service, time};

/// Bytes that an echo is asked to send back.
const ECHO_BYTES: usize = 1_000;

/// Bytes of a request to a service that does not look at it. It is longer than
/// any answer of daytime and time, since ours does not answer with more than
/// it was sent.
const PADDING_BYTES: usize = 100;

/// Lines of chargen that are looked at before the connection is closed.
const GENERATED_LINES: usize = 20;

/// A clock that is further off is none.
const MAX_CLOCK_ERROR: Duration = Duration::from_hours(24);

/// What a service has said, which is right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// All that was sent came back, so many bytes.
    Echo(usize),
    /// Nothing, as it should.
    Nothing,
    /// So many bytes of characters; over UDP also the size of the request.
    Characters(usize, Option<usize>),
    /// This text.
    Daytime(String),
    /// This moment, and how many seconds our clock is behind it.
    Time(Utc, i64),
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Said::Echo(bytes) => write!(f, "{bytes} bytes came back"),
            Said::Nothing => write!(f, "nothing came back"),
            Said::Characters(bytes, None) => write!(f, "{bytes} bytes of characters"),
            Said::Characters(bytes, Some(request)) => {
                write!(f, "{bytes} bytes of characters for {request}")?;
                if bytes > request {
                    write!(f, ": can be misused as an amplifier")?;
                }
                Ok(())
            }
            Said::Daytime(text) => write!(f, "{text}"),
            Said::Time(moment, 0) => write!(f, "{moment}, as our clock"),
            Said::Time(moment, ahead) => write!(f, "{moment}, ahead of our clock by {ahead} s"),
        }
    }
}

/// What is wrong with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Differs {
    /// Something else came back than was sent.
    NotAnEcho,
    /// Something came back, and nothing should.
    NotSilent,
    /// Bytes that are no characters.
    NotCharacters,
    /// More than 512 characters in a datagram, so many, against RFC 864.
    TooManyCharacters(usize),
    /// It is no text, or one without a time of day.
    NotADaytime,
    /// It is not 4 bytes, or a time more than a day from ours.
    NotATime,
    /// It ended too early.
    TooShort,
    /// It does not end.
    TooLong,
}

impl fmt::Display for Differs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self {
            Differs::TooManyCharacters(bytes) => {
                return write!(f, "{bytes} bytes of characters, and RFC 864 allows 512");
            }
            Differs::NotAnEcho => "something else came back than was sent",
            Differs::NotSilent => "something came back, and nothing should",
            Differs::NotCharacters => "bytes that are no characters",
            Differs::NotADaytime => "no text with a time of day",
            Differs::NotATime => "not 4 bytes with a time within a day of ours",
            Differs::TooShort => "ended too early",
            Differs::TooLong => "does not end",
        };
        f.write_str(what)
    }
}

/// Whether what has come over a stream is enough to judge by.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Enough(Said),
    More,
}

/// What is sent to a service.
pub(crate) fn request(service: Service, transport: Transport) -> Vec<u8> {
    match (service, transport) {
        (Service::Echo, _) => Generator::default().next(ECHO_BYTES).to_vec(),
        (Service::Discard, _) | (_, Transport::Udp) => vec![b'.'; PADDING_BYTES],
        // They speak first, or without being asked.
        (Service::Chargen | Service::Daytime | Service::Time, Transport::Tcp) => Vec::new(),
    }
}

/// Judges what a stream has brought so far, and to its end if it `has_ended`.
pub(crate) fn after_stream(
    service: Service,
    received: &[u8],
    has_ended: bool,
) -> Result<Seen, Differs> {
    let said = match service {
        Service::Echo => {
            let sent = request(service, Transport::Tcp);
            if !sent.starts_with(received) {
                return Err(Differs::NotAnEcho);
            }
            (received.len() == sent.len()).then_some(Said::Echo(sent.len()))
        }
        Service::Discard => {
            if !received.is_empty() {
                return Err(Differs::NotSilent);
            }
            Some(Said::Nothing)
        }
        Service::Chargen => {
            let enough = GENERATED_LINES * (LINE_CHARACTERS + 2);
            if received.len() >= enough {
                return characters(received)
                    .map(|()| Seen::Enough(Said::Characters(received.len(), None)));
            }
            None
        }
        Service::Daytime if has_ended => Some(daytime_of(received)?),
        Service::Time if has_ended => Some(time_of(received, SystemTime::now())?),
        Service::Daytime | Service::Time => None,
    };
    match (has_ended, said) {
        (true, Some(said)) => Ok(Seen::Enough(said)),
        (true, None) => Err(Differs::TooShort),
        (false, _) => Ok(Seen::More),
    }
}

/// Judges a datagram that came for [`request`].
pub(crate) fn after_datagram(service: Service, bytes: &[u8]) -> Result<Said, Differs> {
    let sent = request(service, Transport::Udp);
    match service {
        Service::Echo if bytes == sent => Ok(Said::Echo(sent.len())),
        Service::Echo => Err(Differs::NotAnEcho),
        Service::Discard => Err(Differs::NotSilent),
        Service::Chargen => {
            if bytes.len() > MAX_GENERATED_BYTES {
                return Err(Differs::TooManyCharacters(bytes.len()));
            }
            characters(bytes)?;
            Ok(Said::Characters(bytes.len(), Some(sent.len())))
        }
        Service::Daytime => daytime_of(bytes),
        Service::Time => time_of(bytes, SystemTime::now()),
    }
}

/// Printable characters and CR LF. The data may be anything, says RFC 864; that
/// is what everybody sends, and a test of a line that is garbled finds it so.
fn characters(bytes: &[u8]) -> Result<(), Differs> {
    let is_character = |byte: &u8| (b' '..=b'~').contains(byte) || b"\r\n".contains(byte);
    if bytes.iter().all(is_character) {
        Ok(())
    } else {
        Err(Differs::NotCharacters)
    }
}

fn daytime_of(bytes: &[u8]) -> Result<Said, Differs> {
    let text = std::str::from_utf8(bytes).map_err(|_| Differs::NotADaytime)?;
    let line = text.trim_end_matches(['\r', '\n']);
    let has_time = line.split(' ').any(|word| {
        let mut parts = word.splitn(2, ':');
        let mut is_number = || {
            parts.next().is_some_and(|part| {
                part.get(..2)
                    .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
            })
        };
        is_number() && is_number()
    });
    if !has_time || line.chars().any(char::is_control) {
        return Err(Differs::NotADaytime);
    }
    Ok(Said::Daytime(line.to_owned()))
}

fn time_of(bytes: &[u8], now: SystemTime) -> Result<Said, Differs> {
    let theirs = <[u8; 4]>::try_from(bytes).map_err(|_| Differs::NotATime)?;
    // The difference is right also when one of the two has begun again at 0.
    let difference = u32::from_be_bytes(theirs).wrapping_sub(u32::from_be_bytes(time(now)));
    let ahead = i64::from(difference.cast_signed());
    if ahead.unsigned_abs() > MAX_CLOCK_ERROR.as_secs() {
        return Err(Differs::NotATime);
    }
    let moment = unix_seconds(now).saturating_add_signed(ahead);
    let moment = Utc::from(UNIX_EPOCH + Duration::from_secs(moment));
    Ok(Said::Time(moment, ahead))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::SECONDS_1900_TO_1970;

    #[test]
    fn an_echo_is_all_that_was_sent_and_then_the_end() {
        let sent = request(Service::Echo, Transport::Tcp);
        let judge = |bytes: &[u8], has_ended| after_stream(Service::Echo, bytes, has_ended);
        assert_eq!(judge(&sent[..10], false), Ok(Seen::More));
        assert_eq!(judge(&sent, false), Ok(Seen::More));
        assert_eq!(judge(&sent, true), Ok(Seen::Enough(Said::Echo(1_000))));
        assert_eq!(judge(&sent[..999], true), Err(Differs::TooShort));
        assert_eq!(judge(b"?", false), Err(Differs::NotAnEcho));
        assert_eq!(
            judge(&[&sent[..], b"?"].concat(), false),
            Err(Differs::NotAnEcho)
        );
    }

    #[test]
    fn a_buffer_that_is_sent_back_whole_is_no_echo() {
        let mut buffer = request(Service::Echo, Transport::Udp);
        buffer.resize(1_023, 0);
        assert_eq!(
            after_datagram(Service::Echo, &buffer),
            Err(Differs::NotAnEcho)
        );
    }

    #[test]
    fn discard_says_nothing() {
        let judge = |bytes: &[u8], has_ended| after_stream(Service::Discard, bytes, has_ended);
        assert_eq!(judge(b"", false), Ok(Seen::More));
        assert_eq!(judge(b"", true), Ok(Seen::Enough(Said::Nothing)));
        assert_eq!(judge(b"x", false), Err(Differs::NotSilent));
    }

    #[test]
    fn characters_are_anything_that_prints_and_512_at_most_in_a_datagram() {
        let text = Generator::default().next(3_000);
        let judge = |bytes| after_datagram(Service::Chargen, bytes);
        assert_eq!(judge(&text[..512]), Ok(Said::Characters(512, Some(100))));
        assert_eq!(judge(b""), Ok(Said::Characters(0, Some(100))));
        assert_eq!(judge(&text[..513]), Err(Differs::TooManyCharacters(513)));
        assert_eq!(judge(b"a\0b"), Err(Differs::NotCharacters));
        let judge = |bytes, has_ended| after_stream(Service::Chargen, bytes, has_ended);
        assert_eq!(judge(&text[..100], false), Ok(Seen::More));
        assert_eq!(judge(&text[..100], true), Err(Differs::TooShort));
        assert_eq!(
            judge(text, false),
            Ok(Seen::Enough(Said::Characters(3_000, None)))
        );
    }

    #[test]
    fn a_daytime_has_a_time_of_day() {
        for right in [
            "Sat Nov 21 2026 08:24:31 UTC\r\n",
            "Sat Nov 21 08:24:31 2026\r\n",
            "02 FEB 82 07:59:19 PST\r\n",
            "Tuesday, February 22, 1982 17:37:43-PST\r\n",
        ] {
            assert!(daytime_of(right.as_bytes()).is_ok(), "{right}");
        }
        for wrong in ["", "\r\n", "noon\r\n", "1:x\r\n", "a\x0708:24:31\r\n"] {
            assert!(daytime_of(wrong.as_bytes()).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_time_is_compared_with_our_clock_across_2036() {
        let end = UNIX_EPOCH + Duration::from_secs((1 << 32) - SECONDS_1900_TO_1970);
        let ahead = |bytes: &[u8]| match time_of(bytes, end) {
            Ok(Said::Time(_, ahead)) => Some(ahead),
            _ => None,
        };
        assert_eq!(ahead(&[0; 4]), Some(0));
        assert_eq!(ahead(&[0xff; 4]), Some(-1));
        assert_eq!(ahead(&[0, 0, 0, 7]), Some(7));
        assert_eq!(ahead(&[0, 2, 0, 0]), None, "more than a day");
        assert_eq!(ahead(&[0; 5]), None);
    }
}
