//! Formats one line straight into a byte buffer.
//!
//! Shows: a builder whose parts go where they will be sent from; input that cannot end its part, so
//! that no peer can smuggle a second line in.
//! Leaves out: splitting a long text over several lines, see [`split_text`](crate::split_text).

use std::fmt::{self, Display, Write};

use crate::limits::{MAX_PARAMETERS, TagLimit};
use crate::line_buffer::{LineBuffer, Text, Written};
use crate::tags::{Tags, Value};

/// Writes one line with CR LF at the end of a byte buffer; nothing else is allocated.
///
/// The parts come in the order of the grammar: tags, source, command, parameters, trailing. A line
/// that is not finished is taken back when the writer is dropped.
///
/// What does not fit is cut, and [`LineWriter::finish`] says so: the body at 512 bytes with CR LF,
/// between two characters; a tag is left out whole, since half a value would be a wrong value.
///
/// Whatever the bytes given, the result is one line: NUL, CR and LF become a space in the trailing
/// parameter and `_` elsewhere. So do a space, and a colon at the start, where they would end a
/// part or begin the trailing one. An empty part that must not be empty becomes `*`.
///
/// ```
/// use chat_protocol::LineWriter;
///
/// let mut out = Vec::new();
/// LineWriter::new(&mut out)
///     .tag(b"time", b"2026-01-01T00:00:00.000Z")
///     .source(b"alice!a@127.0.0.1")
///     .command(b"PRIVMSG")
///     .parameter(b"#room")
///     .trailing(b"hello all")
///     .finish();
/// assert_eq!(
///     out,
///     b"@time=2026-01-01T00:00:00.000Z :alice!a@127.0.0.1 PRIVMSG #room :hello all\r\n",
/// );
/// ```
///
/// # Panics
///
/// Its methods panic if they are called in another order than the grammar's.
#[must_use = "a line that is not finished is taken back"]
#[derive(Debug)]
pub struct LineWriter<'o> {
    line: LineBuffer<'o>,
    stage: Stage,
    parameters: usize,
}

/// How far the line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Tags,
    Source,
    /// The command is written, and perhaps parameters.
    Command,
    Trailing,
}

impl<'o> LineWriter<'o> {
    /// Starts a line at the end of `out`, with tags up to [`TagLimit::Server`].
    pub fn new(out: &'o mut Vec<u8>) -> LineWriter<'o> {
        LineWriter::with_tag_limit(out, TagLimit::Server)
    }

    /// Starts a line at the end of `out`; a client passes [`TagLimit::Client`].
    pub fn with_tag_limit(out: &'o mut Vec<u8>, tag_limit: TagLimit) -> LineWriter<'o> {
        LineWriter {
            line: LineBuffer::new(out, tag_limit),
            stage: Stage::Tags,
            parameters: 0,
        }
    }

    /// Adds a tag; `value` as it is meant, an empty one is not written.
    ///
    /// A key that is empty or holds a separator cannot be written, and the tag is left out.
    pub fn tag(self, key: &[u8], value: &[u8]) -> Self {
        self.tag_of_bytes(key, value.iter().copied())
    }

    /// Adds a tag with a value that came in another message.
    pub fn tag_value(self, key: &[u8], value: Value<'_>) -> Self {
        self.tag_of_bytes(key, value.bytes())
    }

    fn tag_of_bytes(mut self, key: &[u8], value: impl Iterator<Item = u8>) -> Self {
        self.check_order(
            self.stage == Stage::Tags,
            "a tag stands before source and command",
        );
        self.line.push_tag(key, value);
        self
    }

    /// Adds all tags of another message as they came, or none if they do not all fit.
    pub fn tags(mut self, tags: Tags<'_>) -> Self {
        self.check_order(
            self.stage == Stage::Tags,
            "tags stand before source and command",
        );
        if !tags.is_empty() {
            self.line.push_raw_tags(tags.raw());
        }
        self
    }

    /// Writes who the line comes from, without the colon.
    pub fn source(mut self, source: &[u8]) -> Self {
        self.check_order(
            self.stage == Stage::Tags,
            "one source stands before the command",
        );
        self.line.start_body();
        self.line.push(b":");
        self.stage = Stage::Source;
        self.push_part(source);
        self
    }

    /// Writes the command.
    pub fn command(mut self, command: &[u8]) -> Self {
        self.check_order(
            self.stage <= Stage::Source,
            "one command stands before the parameters",
        );
        self.line.start_body();
        if self.stage == Stage::Source {
            self.line.push(b" ");
        }
        self.stage = Stage::Command;
        let start = self.line.position();
        self.push_part(command);
        self.line.replace_at(start, b":@");
        self
    }

    /// Writes a parameter that is one word.
    ///
    /// From the sixteenth on they are left out, as if they did not fit.
    pub fn parameter(mut self, parameter: &[u8]) -> Self {
        self.start_parameter(b" ");
        let start = self.line.position();
        self.push_part(parameter);
        self.line.replace_at(start, b":");
        self
    }

    /// Writes a parameter that is one word, for instance a number.
    pub fn parameter_display(mut self, parameter: impl Display) -> Self {
        self.start_parameter(b" ");
        let start = self.line.position();
        self = self.append_display(parameter);
        if self.line.position() == start {
            self.push_part(b"");
        }
        self.line.replace_at(start, b":");
        self
    }

    /// Writes all of these parameters, the last as trailing one if it could not stand otherwise.
    pub fn parameters(mut self, parameters: &[&[u8]]) -> Self {
        let Some((last, middle)) = parameters.split_last() else {
            return self;
        };
        for parameter in middle {
            self = self.parameter(parameter);
        }
        if last.is_empty() || last.starts_with(b":") || last.contains(&b' ') {
            self.trailing(last)
        } else {
            self.parameter(last)
        }
    }

    /// Writes the last parameter after a colon: it may hold spaces and may be empty.
    pub fn trailing(mut self, trailing: &[u8]) -> Self {
        self.start_parameter(b" :");
        self.stage = Stage::Trailing;
        self.push_text(trailing);
        self
    }

    /// Writes the last parameter after a colon, for instance from `format_args!`.
    pub fn trailing_display(self, trailing: impl Display) -> Self {
        self.trailing(b"").append_display(trailing)
    }

    /// Goes on with the part written last, without a space in between: `nick`, then `!user`.
    pub fn append(mut self, more: &[u8]) -> Self {
        self.check_append();
        self.push_text(more);
        self
    }

    /// Goes on with the part written last, for instance with a number.
    pub fn append_display(mut self, more: impl Display) -> Self {
        self.check_append();
        if write!(Appender(&mut self), "{more}").is_err() {
            // The value itself gave up; what it wrote until then stays.
            self.line.close();
        }
        self
    }

    /// How many bytes still fit into the body, the CR LF already taken off.
    #[must_use]
    pub fn room(&self) -> usize {
        self.line.room()
    }

    /// Ends the line with CR LF and says whether all of it could be written as given.
    #[expect(
        clippy::must_use_candidate,
        reason = "a server that knows its limits need not look"
    )]
    pub fn finish(self) -> Written {
        self.check_order(self.stage >= Stage::Command, "a line has a command");
        self.line.finish()
    }

    /// The order is fixed by the program, not by input: breaking it is a mistake in the code.
    fn check_order(&self, kept: bool, rule: &str) {
        assert!(kept, "{rule}; last written: {:?}", self.stage);
    }

    fn check_append(&self) {
        self.check_order(
            self.stage > Stage::Tags,
            "append goes on with a part of the body",
        );
    }

    /// Writes what stands before a parameter, or closes the line if there is no room for even an
    /// empty one.
    fn start_parameter(&mut self, separator: &[u8]) {
        self.check_order(
            self.stage == Stage::Command,
            "parameters stand after the command, and none after the trailing one",
        );
        self.parameters += 1;
        // Two bytes are the least that makes sense: a space and a colon, or a space and one byte.
        if self.parameters > MAX_PARAMETERS || self.line.room() < 2 {
            self.line.close();
        } else {
            self.line.push(separator);
        }
    }

    /// Writes a part that must not be empty.
    fn push_part(&mut self, part: &[u8]) {
        self.push_text(if part.is_empty() { b"*" } else { part });
    }

    fn push_text(&mut self, bytes: &[u8]) {
        let trailing = self.stage == Stage::Trailing;
        self.line
            .push_text(bytes, if trailing { Text::Trailing } else { Text::Word });
    }
}

/// Takes what `Display` writes.
struct Appender<'w, 'o>(&'w mut LineWriter<'o>);

impl Write for Appender<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.push_text(text.as_bytes());
        Ok(())
    }
}
