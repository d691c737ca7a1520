//! Messages inside of messages: `\x01ACTION waves\x01`.
//!
//! Shows: questions of strangers are answered at a limited rate, or one person
//! could have others flood themselves off the server.
//! Leaves out: everything of CTCP but ACTION, VERSION and PING, files foremost.
//!
//! Source: <https://modern.ircdocs.horse/ctcp>.

use std::time::{Duration, Instant};

/// What encloses it.
const DELIMITER: u8 = 1;

/// Answers that may be given at once, and how long each takes to be earned.
const BURST: u32 = 3;
const PERIOD: Duration = Duration::from_secs(10);

/// The longest token of a PING that is sent back.
const MAX_TOKEN_BYTES: usize = 100;

/// A message inside of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ctcp<'a> {
    pub(crate) command: &'a [u8],
    pub(crate) argument: &'a [u8],
}

impl<'a> Ctcp<'a> {
    /// Takes `text` apart; none if it is ordinary text. The delimiter at the
    /// end may be missing: long ones lose it.
    pub(crate) fn parse(text: &'a [u8]) -> Option<Ctcp<'a>> {
        let inside = text.strip_prefix(&[DELIMITER])?;
        let inside = inside.strip_suffix(&[DELIMITER]).unwrap_or(inside);
        let end = inside.iter().position(|&byte| byte == b' ');
        let (command, argument) = match end {
            Some(end) => (&inside[..end], &inside[end + 1..]),
            None => (inside, &[][..]),
        };
        Some(Ctcp { command, argument })
    }

    pub(crate) fn is(&self, command: &[u8]) -> bool {
        self.command.eq_ignore_ascii_case(command)
    }

    /// What is answered to a question, if anything: the text of a NOTICE.
    pub(crate) fn answer(&self) -> Option<Vec<u8>> {
        let argument = if self.is(b"VERSION") {
            concat!("chat-client ", env!("CARGO_PKG_VERSION")).as_bytes()
        } else if self.is(b"PING") && self.argument.len() <= MAX_TOKEN_BYTES {
            self.argument
        } else {
            return None;
        };
        let command = self.command.to_ascii_uppercase();
        Some(enclose(&command, argument))
    }
}

/// Writes a message inside of a message.
pub(crate) fn enclose(command: &[u8], argument: &[u8]) -> Vec<u8> {
    let mut text = vec![DELIMITER];
    text.extend_from_slice(command);
    if !argument.is_empty() {
        text.push(b' ');
        text.extend_from_slice(argument);
    }
    text.push(DELIMITER);
    text
}

/// How many answers may be given now.
#[derive(Debug)]
pub(crate) struct Allowance {
    answers: u32,
    /// From when the next one is being earned.
    since: Option<Instant>,
}

impl Allowance {
    pub(crate) fn new() -> Allowance {
        Allowance {
            answers: BURST,
            since: None,
        }
    }

    /// Whether one more answer may be given; then it counts as given.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        if let Some(since) = self.since {
            let periods = now.saturating_duration_since(since).as_nanos() / PERIOD.as_nanos();
            let earned = u32::try_from(periods).unwrap_or(u32::MAX);
            self.answers = self.answers.saturating_add(earned).min(BURST);
            self.since = (self.answers < BURST).then(|| since + PERIOD * earned);
        }
        if self.answers == 0 {
            return false;
        }
        self.answers -= 1;
        self.since.get_or_insert(now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_inside_of_a_message_is_found() {
        for (text, command, argument) in [
            (
                &b"\x01ACTION waves to all\x01"[..],
                "ACTION",
                "waves to all",
            ),
            (b"\x01VERSION\x01", "VERSION", ""),
            (b"\x01PING 12 34", "PING", "12 34"),
            (b"\x01", "", ""),
        ] {
            let ctcp = Ctcp::parse(text).unwrap();
            assert_eq!(ctcp.command, command.as_bytes());
            assert_eq!(ctcp.argument, argument.as_bytes());
        }
        assert_eq!(Ctcp::parse(b"hello \x01VERSION\x01"), None);
        assert_eq!(Ctcp::parse(b""), None);
    }

    #[test]
    fn version_and_ping_are_answered_and_nothing_else() {
        let answer = |text: &[u8]| Ctcp::parse(text).unwrap().answer();
        assert_eq!(
            answer(b"\x01ping 12 34\x01"),
            Some(b"\x01PING 12 34\x01".to_vec())
        );
        let version = answer(b"\x01VERSION\x01").unwrap();
        assert!(version.starts_with(b"\x01VERSION chat-client "));
        for text in [&b"\x01TIME\x01"[..], b"\x01DCC SEND x\x01", b"\x01\x01"] {
            assert_eq!(answer(text), None);
        }
        let long = enclose(b"PING", &[b'x'; MAX_TOKEN_BYTES + 1]);
        assert_eq!(answer(&long), None);
    }

    #[test]
    fn questions_beyond_the_rate_get_no_answer() {
        let start = Instant::now();
        let mut allowance = Allowance::new();
        let mut answered = 0;
        for second in 0..100 {
            answered += u32::from(allowance.take(start + Duration::from_secs(second)));
        }
        assert_eq!(answered, BURST + 9);
        let later = start + Duration::from_secs(10_000);
        let at_once = (0..100).filter(|_| allowance.take(later)).count();
        assert_eq!(at_once, BURST as usize, "what is earned does not pile up");
    }
}
