//! What comes in from one client: bytes to lines, no faster than is allowed.
//!
//! Shows: flood control that stops after any line, and that counts bytes of
//! which no line comes too, or an endless line would be free. What has been read
//! and not been earned waits here; the server then does not read from that
//! client, so that TCP's window fills and the sender itself is made to wait.
//! Leaves out: reading, and the timer after which a client may go on.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use chat_protocol::{Decoded, LineDecoder, MAX_BODY_BYTES, TagLimit};
use serde::{Deserialize, Serialize};

use crate::flood::{Allowance, FloodLimit};
use crate::handover::milliseconds;
use crate::plain_lines::PlainLines;
use crate::room::{Kind, Octets};

/// Bytes that cost as much as a line, if no line comes of them: an IRC line of
/// full length costs one, tags not counted.
const BYTES_A_LINE: usize = MAX_BODY_BYTES;

/// How a client's bytes are cut into lines.
#[derive(Debug)]
enum Framing {
    Irc(LineDecoder),
    Plain(PlainLines),
}

/// The incoming side of one client.
#[derive(Debug)]
pub(crate) struct Inbox {
    framing: Framing,
    /// Bytes that were read before the client had earned them.
    held: Vec<u8>,
    /// None: no limit.
    allowance: Option<Allowance>,
    /// Bytes decoded since a line was last taken off the allowance; fewer than
    /// [`BYTES_A_LINE`].
    uncharged_bytes: usize,
}

/// An inbox as it is written down for a successor server.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct InboxRecord {
    framing: FramingRecord,
    held: Octets,
    /// Until what was said is earned.
    owed_ms: u64,
    uncharged_bytes: usize,
}

/// The line that has not ended yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum FramingRecord {
    Irc {
        unfinished: Octets,
        is_skipping: bool,
    },
    Plain(PlainLines),
}

impl Inbox {
    /// Writes down what is half read, and what is not earned.
    pub(crate) fn save(&self, now: Instant) -> InboxRecord {
        InboxRecord {
            framing: match &self.framing {
                Framing::Irc(decoder) => FramingRecord::Irc {
                    unfinished: decoder.unfinished().into(),
                    is_skipping: decoder.is_skipping(),
                },
                Framing::Plain(lines) => FramingRecord::Plain(lines.clone()),
            },
            held: self.held.as_slice().into(),
            owed_ms: self
                .allowance
                .map_or(0, |allowance| milliseconds(allowance.owed(now))),
            uncharged_bytes: self.uncharged_bytes,
        }
    }

    /// Goes on where another server's inbox has stopped, under the limit of
    /// this one.
    pub(crate) fn restore(record: InboxRecord, limit: Option<FloodLimit>, now: Instant) -> Inbox {
        let owed = Duration::from_millis(record.owed_ms);
        Inbox {
            framing: match record.framing {
                FramingRecord::Irc {
                    unfinished,
                    is_skipping,
                } => Framing::Irc(LineDecoder::resumed(
                    TagLimit::Client,
                    &unfinished.0,
                    is_skipping,
                )),
                FramingRecord::Plain(lines) => Framing::Plain(lines),
            },
            held: record.held.0,
            allowance: limit.map(|limit| Allowance::owing(limit, now, owed)),
            uncharged_bytes: record.uncharged_bytes.min(BYTES_A_LINE - 1),
        }
    }

    pub(crate) fn new(kind: Kind, limit: Option<FloodLimit>, now: Instant) -> Inbox {
        Inbox {
            framing: match kind {
                Kind::Irc => Framing::Irc(LineDecoder::new(TagLimit::Client)),
                Kind::Plain => Framing::Plain(PlainLines::default()),
            },
            held: Vec::new(),
            allowance: limit.map(|limit| Allowance::new(limit, now)),
            uncharged_bytes: 0,
        }
    }

    /// Takes bytes that were read; `on_line` gets the lines that are earned.
    pub(crate) fn take(&mut self, bytes: &[u8], now: Instant, on_line: impl FnMut(Decoded<'_>)) {
        if self.held.is_empty() {
            let taken = self.decode(bytes, now, on_line);
            self.held.extend_from_slice(&bytes[taken..]);
        } else {
            self.held.extend_from_slice(bytes);
        }
    }

    /// `on_line` gets the lines that were held and have been earned meanwhile.
    pub(crate) fn resume(&mut self, now: Instant, on_line: impl FnMut(Decoded<'_>)) {
        let mut held = std::mem::take(&mut self.held);
        let taken = self.decode(&held, now, on_line);
        if taken < held.len() {
            held.drain(..taken);
            self.held = held;
        }
    }

    /// Time until a next line is allowed; zero if one is allowed now.
    pub(crate) fn wait(&self, now: Instant) -> Duration {
        self.allowance
            .map_or(Duration::ZERO, |allowance| allowance.wait(now))
    }

    /// Whether bytes are held that were read already.
    pub(crate) fn is_holding(&self) -> bool {
        !self.held.is_empty()
    }

    /// Line ends in the bytes that are held.
    pub(crate) fn held_lines(&self) -> u64 {
        self.held.iter().map(|&byte| u64::from(byte == b'\n')).sum()
    }

    /// Bytes of a last line whose end has not come.
    pub(crate) fn unfinished(&self) -> usize {
        match &self.framing {
            Framing::Irc(decoder) => decoder.pending(),
            Framing::Plain(lines) => lines.pending(),
        }
    }

    /// Whether telnet waits for [`WONT_TIMING_MARK`](crate::plain_lines::WONT_TIMING_MARK).
    pub(crate) fn take_timing_mark(&mut self) -> bool {
        match &mut self.framing {
            Framing::Irc(_) => false,
            Framing::Plain(lines) => lines.take_timing_mark(),
        }
    }

    /// Cuts lines out of `bytes` as long as the allowance lasts; returns how many
    /// bytes were taken.
    fn decode(
        &mut self,
        bytes: &[u8],
        now: Instant,
        mut on_line: impl FnMut(Decoded<'_>),
    ) -> usize {
        let Some(allowance) = &mut self.allowance else {
            return self.framing.decode(bytes, |decoded| {
                on_line(decoded);
                ControlFlow::Continue(())
            });
        };
        // ANCHOR: earned
        let mut taken = 0;
        while taken < bytes.len() && allowance.wait(now).is_zero() {
            let rest = &bytes[taken..];
            let piece = &rest[..rest.len().min(BYTES_A_LINE - self.uncharged_bytes)];
            let mut is_line = false;
            let count = self.framing.decode(piece, |decoded| {
                is_line = true;
                on_line(decoded);
                // ANCHOR: one-line-at-a-time
                ControlFlow::Break(())
                // ANCHOR_END: one-line-at-a-time
            });
            taken += count;
            self.uncharged_bytes += count;
            // ANCHOR: charge
            if is_line || self.uncharged_bytes == BYTES_A_LINE {
                allowance.spend(now);
                self.uncharged_bytes = 0;
            }
            // ANCHOR_END: charge
        }
        taken
        // ANCHOR_END: earned
    }
}

impl Framing {
    fn decode(
        &mut self,
        bytes: &[u8],
        on_line: impl FnMut(Decoded<'_>) -> ControlFlow<()>,
    ) -> usize {
        match self {
            Framing::Irc(decoder) => decoder.decode(bytes, on_line),
            Framing::Plain(lines) => lines.decode(bytes, on_line),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collect(lines: &mut Vec<String>) -> impl FnMut(Decoded<'_>) {
        |decoded| {
            if let Decoded::Line(line) = decoded {
                lines.push(String::from_utf8_lossy(line).into_owned());
            }
        }
    }

    #[test]
    fn lines_beyond_the_allowance_wait_and_keep_their_order() {
        let begin = Instant::now();
        let mut inbox = Inbox::new(Kind::Irc, Some(FloodLimit::new(10, 3)), begin);
        let mut lines = Vec::new();
        inbox.take(b"1\n2\n3\n4\n5", begin, collect(&mut lines));
        assert_eq!(lines, ["1", "2", "3"]);
        assert!(inbox.is_holding());
        assert!(!inbox.wait(begin).is_zero());

        inbox.take(b"5\n6\n", begin, collect(&mut lines));
        let later = begin + Duration::from_millis(200);
        inbox.resume(later, collect(&mut lines));
        assert_eq!(lines, ["1", "2", "3", "4", "55"]);
        inbox.resume(later + Duration::from_secs(1), collect(&mut lines));
        assert_eq!(lines.last().map(String::as_str), Some("6"));
        assert!(!inbox.is_holding());
    }

    #[test]
    fn without_a_limit_nothing_waits() {
        let now = Instant::now();
        for kind in [Kind::Irc, Kind::Plain] {
            let mut inbox = Inbox::new(kind, None, now);
            let mut lines = Vec::new();
            inbox.take(
                "hello\r\n".repeat(1_000).as_bytes(),
                now,
                collect(&mut lines),
            );
            assert_eq!(lines.len(), 1_000);
            assert!(inbox.wait(now).is_zero());
        }
    }

    /// What a client can send at once with an allowance of `burst` lines.
    fn taken_of(kind: Kind, burst: u32, bytes: &[u8]) -> (usize, Vec<String>) {
        let now = Instant::now();
        let mut inbox = Inbox::new(kind, Some(FloodLimit::new(1, burst)), now);
        let mut lines = Vec::new();
        // However the bytes are cut, they cost the same.
        for piece in bytes.chunks(100) {
            inbox.take(piece, now, collect(&mut lines));
        }
        assert_eq!(inbox.is_holding(), !inbox.wait(now).is_zero());
        (bytes.len() - inbox.held.len(), lines)
    }

    #[test]
    fn bytes_of_which_no_line_comes_are_charged_too() {
        for kind in [Kind::Irc, Kind::Plain] {
            for bytes in [&b"x"[..], b"\n", b"\r\n"] {
                let (taken, _) = taken_of(kind, 10, &bytes.repeat(20_000));
                assert!(taken <= 10 * BYTES_A_LINE, "{kind:?} {bytes:?} {taken}");
            }
        }
    }

    #[test]
    fn a_line_of_full_length_costs_one_and_one_with_tags_more() {
        let full = format!("{}\r\n", "x".repeat(MAX_BODY_BYTES - 2));
        let (_, lines) = taken_of(Kind::Irc, 3, full.repeat(5).as_bytes());
        assert_eq!(lines.len(), 3);
        let tagged = format!("@+a={} PING :x\r\n", "x".repeat(2 * MAX_BODY_BYTES));
        let (_, lines) = taken_of(Kind::Irc, 6, tagged.repeat(5).as_bytes());
        assert_eq!(lines.len(), 2);
    }
}
