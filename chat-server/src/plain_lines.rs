//! Lines as a person types them into `nc` or `telnet`.
//!
//! Shows: telnet's own commands (RFC 854) taken out of the stream wherever it
//! is cut; a line that is too long is kept from its beginning, since a person
//! would rather see it cut than lost.
//! Leaves out: what the lines mean.

use std::ops::ControlFlow;

use chat_protocol::Decoded;
use serde::{Deserialize, Serialize};

/// The most that is kept of one line; the room says how much it uses of that.
const MAX_TYPED_BYTES: usize = 512;

/// Interpret as command: what follows is for telnet (RFC 854).
const IAC: u8 = 255;
/// WILL, WONT, DO and DONT, each with an option after it.
const NEGOTIATIONS: std::ops::RangeInclusive<u8> = 251..=254;
/// A subnegotiation begins, and lasts until `IAC SE`.
const SB: u8 = 250;
const SE: u8 = 240;
const WONT: u8 = 252;
const DO: u8 = 253;
const TIMING_MARK: u8 = 6;

/// The answer to somebody who wants to know whether everything until here was
/// taken in (RFC 860). A telnet that was interrupted with Ctrl-C shows nothing
/// until it gets this, or WILL.
pub(crate) const WONT_TIMING_MARK: [u8; 3] = [IAC, WONT, TIMING_MARK];

/// Where in telnet's commands the stream stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Telnet {
    #[default]
    Text,
    Command,
    /// After one of the negotiations, which is kept here.
    Option(u8),
    Subnegotiation,
    SubnegotiationCommand,
}

/// Cuts typed bytes into lines.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct PlainLines {
    line: Vec<u8>,
    telnet: Telnet,
    /// Whether [`WONT_TIMING_MARK`] is to be sent.
    owes_timing_mark: bool,
}

impl PlainLines {
    /// As [`LineDecoder::decode`](chat_protocol::LineDecoder::decode): calls
    /// `on_line` for each line that ends in `bytes`, and returns how many bytes
    /// were taken, which is all unless `on_line` said `Break`.
    pub(crate) fn decode(
        &mut self,
        bytes: &[u8],
        mut on_line: impl FnMut(Decoded<'_>) -> ControlFlow<()>,
    ) -> usize {
        // ANCHOR: plain-decode
        for (index, &byte) in bytes.iter().enumerate() {
            if !self.is_text(byte) {
                continue;
            }
            match byte {
                // ANCHOR: typed-line
                b'\n' => {
                    let line = std::mem::take(&mut self.line);
                    if !line.is_empty() && on_line(Decoded::Line(&line)).is_break() {
                        return index + 1;
                    }
                }
                // ANCHOR_END: typed-line
                // Telnet ends a line with CR LF, and sends CR as CR NUL.
                b'\r' | 0 => {}
                // ANCHOR: typed-too-long
                _ if self.line.len() < MAX_TYPED_BYTES => self.line.push(byte),
                // ANCHOR_END: typed-too-long
                _ => {}
            }
        }
        // ANCHOR_END: plain-decode
        bytes.len()
    }

    /// Bytes of a line that has not ended.
    pub(crate) fn pending(&self) -> usize {
        self.line.len()
    }

    /// Whether the peer has asked for a timing mark since the last call.
    pub(crate) fn take_timing_mark(&mut self) -> bool {
        std::mem::take(&mut self.owes_timing_mark)
    }

    /// Whether `byte` was typed, and is none of telnet's own.
    fn is_text(&mut self, byte: u8) -> bool {
        self.owes_timing_mark |= self.telnet == Telnet::Option(DO) && byte == TIMING_MARK;
        // ANCHOR: is-text
        let (next, is_text) = match (self.telnet, byte) {
            (Telnet::Text, IAC) => (Telnet::Command, false),
            (Telnet::Text, _) => (Telnet::Text, true),
            (Telnet::Command, SB) => (Telnet::Subnegotiation, false),
            (Telnet::Command, command) if NEGOTIATIONS.contains(&command) => {
                (Telnet::Option(command), false)
            }
            (Telnet::Subnegotiation, IAC) => (Telnet::SubnegotiationCommand, false),
            (Telnet::SubnegotiationCommand, SE) | (Telnet::Command | Telnet::Option(_), _) => {
                (Telnet::Text, false)
            }
            (Telnet::Subnegotiation | Telnet::SubnegotiationCommand, _) => {
                (Telnet::Subnegotiation, false)
            }
        };
        // ANCHOR_END: is-text
        self.telnet = next;
        is_text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(pieces: &[&[u8]]) -> Vec<Vec<u8>> {
        let mut decoder = PlainLines::default();
        let mut lines = Vec::new();
        for piece in pieces {
            decoder.decode(piece, |decoded| {
                if let Decoded::Line(line) = decoded {
                    lines.push(line.to_vec());
                }
                ControlFlow::Continue(())
            });
        }
        lines
    }

    #[test]
    fn telnet_commands_are_swallowed_wherever_the_stream_is_cut() {
        let typed = b"he\xff\xfb\x1fllo\xff\xf4\r\n\xff\xfa\x18\x00x\xff\xff\xff\xf0/who\r\0\n";
        for at in 0..typed.len() {
            let (one, two) = typed.split_at(at);
            assert_eq!(lines(&[one, two]), [&b"hello"[..], b"/who"], "cut at {at}");
        }
    }

    #[test]
    fn a_timing_mark_is_asked_for_once() {
        let mut decoder = PlainLines::default();
        for piece in [&b"\xff"[..], b"\xfd", b"\x06"] {
            assert!(!decoder.take_timing_mark());
            decoder.decode(piece, |_| ControlFlow::Continue(()));
        }
        assert!(decoder.take_timing_mark());
        assert!(!decoder.take_timing_mark());
        // WILL TIMING-MARK and DO ECHO are none.
        decoder.decode(b"\xff\xfb\x06\xff\xfd\x01", |_| ControlFlow::Continue(()));
        assert!(!decoder.take_timing_mark());
    }

    #[test]
    fn a_long_line_keeps_its_beginning_and_ends_where_it_ends() {
        let lines = lines(&["x".repeat(1_000_000).as_bytes(), b"\nnext\n"]);
        assert_eq!(lines, [vec![b'x'; MAX_TYPED_BYTES], b"next".to_vec()]);
    }

    #[test]
    fn empty_lines_are_nothing() {
        assert!(lines(&[b"\r\n\n\r\n"]).is_empty());
    }
}
