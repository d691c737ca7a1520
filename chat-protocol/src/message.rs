//! One message, taken apart: tags, source, command, parameters.
//!
//! Shows: parsing that only borrows; the grammar of RFC 1459 with the tags of `IRCv3`.
//! Leaves out: what a command means and how many parameters it needs.

use std::error::Error;
use std::fmt;

use crate::bytes::{Escaped, hold_line_end, skip_spaces, take_word};
use crate::line_buffer::Written;
use crate::line_writer::LineWriter;
use crate::parameters::Parameters;
use crate::source::Source;
use crate::tags::Tags;

/// One message that borrows the line it was parsed from.
///
/// Bytes, not `str`: IRC has no encoding of its own, and which bytes to refuse is the caller's
/// business.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// The tags; [`Tags::EMPTY`] if there are none.
    pub tags: Tags<'a>,
    /// Who it comes from. Clients send none, and a server ignores theirs.
    pub source: Option<Source<'a>>,
    /// The command as it was written, or the three digits of a numeric. Compare with
    /// [`Message::is`]: `join` and `JOIN` are one command.
    pub command: &'a [u8],
    /// The parameters, at most 15.
    pub parameters: Parameters<'a>,
}

impl<'a> Message<'a> {
    /// Takes a line apart, given without its CR LF. Allocates nothing.
    ///
    /// Lenient where peers are careless: several spaces count as one, and spaces around the message
    /// are skipped. The length is not looked at; [`LineDecoder`](crate::LineDecoder) did that. (RFC
    /// 1459, section 2.3.1; RFC 2812 for the fifteenth parameter, which takes the rest of the line)
    ///
    /// # Errors
    ///
    /// If there is no command, or the line holds a byte that no line may hold.
    pub fn parse(line: &'a [u8]) -> Result<Message<'a>, ParseError> {
        if hold_line_end(line) {
            return Err(ParseError::ForbiddenByte);
        }
        let mut rest = skip_spaces(line);
        if rest.is_empty() {
            return Err(ParseError::Empty);
        }
        let mut tags = Tags::EMPTY;
        if let Some(section) = rest.strip_prefix(b"@") {
            let (raw, after) = take_word(section);
            tags = Tags::from_raw(raw);
            rest = skip_spaces(after);
        }
        let mut source = None;
        if let Some(section) = rest.strip_prefix(b":") {
            let (raw, after) = take_word(section);
            source = (!raw.is_empty()).then(|| Source::new(raw));
            rest = skip_spaces(after);
        }
        let (command, rest) = take_word(rest);
        // A second source or tag section is no command: written out, it would be read as something
        // else.
        if matches!(command.first(), None | Some(b':' | b'@')) {
            return Err(ParseError::NoCommand);
        }
        Ok(Message {
            tags,
            source,
            command,
            parameters: Parameters::parse(rest),
        })
    }

    /// Whether the command is `command`, in upper or lower case.
    #[must_use]
    pub fn is(&self, command: &[u8]) -> bool {
        self.command.eq_ignore_ascii_case(command)
    }

    /// The number of a numeric reply, 0 to 999; none if the command is a word.
    #[must_use]
    pub fn numeric(&self) -> Option<u16> {
        match *self.command {
            [a, b, c] if self.command.iter().all(u8::is_ascii_digit) => {
                Some(u16::from(a - b'0') * 100 + u16::from(b - b'0') * 10 + u16::from(c - b'0'))
            }
            _ => None,
        }
    }

    /// Appends the message to `out` as one line with CR LF.
    ///
    /// What [`Message::parse`] accepts comes back equal, as long as it keeps the limits. What a
    /// caller puts into the fields himself is made harmless as [`LineWriter`] says.
    pub fn write_to(&self, out: &mut Vec<u8>) -> Written {
        let mut writer = LineWriter::new(out).tags(self.tags);
        if let Some(source) = self.source {
            writer = writer.source(source.raw());
        }
        writer
            .command(self.command)
            .parameters(&self.parameters)
            .finish()
    }
}

impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("tags", &self.tags)
            .field("source", &self.source)
            .field("command", &Escaped(self.command))
            .field("parameters", &self.parameters)
            .finish()
    }
}

/// Why a line is no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseError {
    /// Nothing, or nothing but spaces. Servers ignore such a line.
    Empty,
    /// Tags or a source, but no command after them.
    NoCommand,
    /// A NUL, CR or LF inside the line. A line from the decoder holds none.
    ForbiddenByte,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ParseError::Empty => "empty line",
            ParseError::NoCommand => "no command",
            ParseError::ForbiddenByte => "NUL, CR or LF inside the line",
        })
    }
}

impl Error for ParseError {}
