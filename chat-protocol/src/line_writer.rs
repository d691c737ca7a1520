//! Formats one line straight into a byte buffer.
//!
//! Shows: a builder whose parts go where they will be sent from; a cut that never splits a character;
//! input that cannot end the line, so that no peer can smuggle a second one in.
//! Leaves out: splitting a long text over several lines, see [`split_text`](crate::split_text).

use std::fmt::{self, Display, Write};

use crate::bytes::ends_line;
use crate::limits::{LINE_END, MAX_CONTENT_BYTES, MAX_PARAMETERS, TagLimit};
use crate::tags::{Tags, Value, escape_code};

/// Writes one line with CR LF at the end of a byte buffer; nothing else is allocated.
///
/// The parts come in the order of the grammar: tags, source, command, parameters, trailing. A line
/// that is not finished is taken back when the writer is dropped.
///
/// What does not fit is cut, and [`LineWriter::finish`] says so: the body at 512 bytes with CR LF,
/// between two characters; a tag is left out whole, since half a value would be a wrong value.
///
/// Whatever the bytes given, the result is one line: NUL, CR and LF become a space in the trailing
/// parameter and `_` elsewhere. So do a space, and a colon at the start, where they would end a part or
/// begin the trailing one. An empty part that must not be empty becomes `*`.
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
    out: &'o mut Vec<u8>,
    start: usize,
    body_start: usize,
    parameters: usize,
    tag_limit: TagLimit,
    stage: Stage,
    full: bool,
    written: Written,
}

/// The part written last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Nothing,
    Tags,
    Source,
    Command,
    Parameter,
    Trailing,
    Finished,
}

/// What became of the bytes given to a [`LineWriter`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Something did not fit and is missing.
    pub cut: bool,
    /// Something that would have broken the line stands there as another byte, or is left out.
    pub replaced: bool,
}

impl<'o> LineWriter<'o> {
    /// Starts a line at the end of `out`, with tags up to [`TagLimit::Server`].
    pub fn new(out: &'o mut Vec<u8>) -> LineWriter<'o> {
        LineWriter::with_tag_limit(out, TagLimit::Server)
    }

    /// Starts a line at the end of `out`; a client passes [`TagLimit::Client`].
    pub fn with_tag_limit(out: &'o mut Vec<u8>, tag_limit: TagLimit) -> LineWriter<'o> {
        let start = out.len();
        LineWriter {
            out,
            start,
            body_start: start,
            parameters: 0,
            tag_limit,
            stage: Stage::Nothing,
            full: false,
            written: Written::default(),
        }
    }

    /// Adds a tag; `value` as it is meant, an empty one is not written.
    pub fn tag(self, key: &[u8], value: &[u8]) -> Self {
        self.tag_of_bytes(key, value.iter().copied())
    }

    /// Adds a tag with a value that came in another message.
    pub fn tag_value(self, key: &[u8], value: Value<'_>) -> Self {
        self.tag_of_bytes(key, value.bytes())
    }

    /// Adds all of these tags, as they came.
    pub fn tags(mut self, tags: Tags<'_>) -> Self {
        if !tags.is_empty() {
            let before = self.start_tag();
            self.out.extend_from_slice(tags.raw());
            self.keep_tag_if_it_fits(before);
        }
        self
    }

    fn tag_of_bytes(mut self, key: &[u8], value: impl Iterator<Item = u8>) -> Self {
        let separates = |byte: u8| ends_line(byte) || matches!(byte, b';' | b'=' | b' ');
        if key.is_empty() || key.iter().any(|&byte| separates(byte)) {
            self.written.replaced = true;
            return self;
        }
        let before = self.start_tag();
        self.out.extend_from_slice(key);
        let key_end = self.out.len();
        for byte in value {
            if self.out.len() == key_end {
                self.out.push(b'=');
            }
            match escape_code(byte) {
                Some(code) => self.out.extend_from_slice(&[b'\\', code]),
                // The one byte that has no escape.
                None if byte == b'\0' => {
                    self.out.push(b'_');
                    self.written.replaced = true;
                }
                None => self.out.push(byte),
            }
        }
        self.keep_tag_if_it_fits(before);
        self
    }

    /// Writes what stands before a tag; returns the length of `out` without it.
    fn start_tag(&mut self) -> usize {
        self.check_order(
            self.stage <= Stage::Tags,
            "a tag comes before source and command",
        );
        let before = self.out.len();
        self.out.push(if self.stage == Stage::Nothing {
            b'@'
        } else {
            b';'
        });
        before
    }

    fn keep_tag_if_it_fits(&mut self, before: usize) {
        let section_with_space = self.out.len() - self.start + 1;
        if section_with_space > self.tag_limit.bytes() {
            self.out.truncate(before);
            self.written.cut = true;
        } else {
            self.stage = Stage::Tags;
        }
    }

    /// Writes who the line comes from, without the colon.
    pub fn source(mut self, source: &[u8]) -> Self {
        self.check_order(
            self.stage <= Stage::Tags,
            "the source comes once, before the command",
        );
        self.start_body();
        self.push(b":");
        self.push_part(source);
        self.stage = Stage::Source;
        self
    }

    /// Writes the command.
    pub fn command(mut self, command: &[u8]) -> Self {
        self.check_order(
            self.stage <= Stage::Source,
            "the command comes once, before the parameters",
        );
        if self.stage == Stage::Source {
            self.push(b" ");
        } else {
            self.start_body();
        }
        let start = self.out.len();
        self.push_part(command);
        self.replace_at(start, b":@");
        self.stage = Stage::Command;
        self
    }

    /// Writes a parameter that is one word.
    ///
    /// From the sixteenth on they are left out, as if they did not fit.
    pub fn parameter(mut self, parameter: &[u8]) -> Self {
        if self.start_parameter(b" ") {
            let start = self.out.len();
            self.push_part(parameter);
            self.replace_at(start, b":");
        }
        self
    }

    /// Writes a parameter that is one word, for instance a number.
    pub fn parameter_display(mut self, parameter: impl Display) -> Self {
        if self.start_parameter(b" ") {
            let start = self.out.len();
            self = self.append_display(parameter);
            if self.out.len() == start {
                self.push(b"*");
            }
            self.replace_at(start, b":");
        }
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
        if self.start_parameter(b" :") {
            self.stage = Stage::Trailing;
            self.push_text(trailing);
        }
        self
    }

    /// Writes the last parameter after a colon, for instance from `format_args!`.
    pub fn trailing_display(self, trailing: impl Display) -> Self {
        self.trailing(b"").append_display(trailing)
    }

    /// Goes on with the part written last, without a space in between: `nick`, then `!user`.
    pub fn append(mut self, more: &[u8]) -> Self {
        self.check_order(
            self.stage >= Stage::Source,
            "append goes on with a source, command or parameter",
        );
        self.push_text(more);
        self
    }

    /// Goes on with the part written last, for instance with a number.
    pub fn append_display(mut self, more: impl Display) -> Self {
        self.check_order(
            self.stage >= Stage::Source,
            "append goes on with a source, command or parameter",
        );
        // An error is the value's own; what it wrote until then stays.
        if write!(Appender(&mut self), "{more}").is_err() {
            self.written.cut = true;
        }
        self
    }

    /// How many bytes still fit into the body, the CR LF already taken off.
    #[must_use]
    pub fn room(&self) -> usize {
        let body_bytes = if self.stage >= Stage::Source {
            self.out.len() - self.body_start
        } else {
            0
        };
        if self.full {
            0
        } else {
            MAX_CONTENT_BYTES - body_bytes
        }
    }

    /// Ends the line with CR LF and says whether all of it could be written as given.
    #[expect(
        clippy::must_use_candidate,
        reason = "a server that knows its limits need not look"
    )]
    pub fn finish(mut self) -> Written {
        self.check_order(self.stage >= Stage::Command, "a line has a command");
        self.out.extend_from_slice(LINE_END);
        self.stage = Stage::Finished;
        self.written
    }

    /// The order is fixed by the program, not by input: breaking it is a mistake in the code.
    fn check_order(&self, kept: bool, rule: &str) {
        assert!(kept, "{rule}, but it came after {:?}", self.stage);
    }

    /// Ends the tag section, if there is one.
    fn start_body(&mut self) {
        if self.stage == Stage::Tags {
            self.out.push(b' ');
        }
        self.body_start = self.out.len();
    }

    /// Writes what stands before a parameter; false if there is no room for even an empty one.
    fn start_parameter(&mut self, separator: &[u8]) -> bool {
        self.check_order(
            matches!(self.stage, Stage::Command | Stage::Parameter),
            "parameters come after the command, and none after the trailing one",
        );
        self.stage = Stage::Parameter;
        self.parameters += 1;
        // Two bytes are the least that makes sense: a space and a colon, or a space and one byte.
        if self.parameters > MAX_PARAMETERS || self.room() < 2 {
            self.full = true;
        }
        if self.full {
            self.written.cut = true;
        } else {
            self.push(separator);
        }
        !self.full
    }

    /// Writes a part that must not be empty.
    fn push_part(&mut self, part: &[u8]) {
        self.push_text(if part.is_empty() { b"*" } else { part });
    }

    /// Writes bytes of a peer: as much as fits, nothing that ends the part.
    fn push_text(&mut self, text: &[u8]) {
        let start = self.out.len();
        self.push(text);
        let trailing = self.stage == Stage::Trailing;
        for byte in &mut self.out[start..] {
            if ends_line(*byte) || (*byte == b' ' && !trailing) {
                *byte = if trailing { b' ' } else { b'_' };
                self.written.replaced = true;
            }
        }
    }

    /// Writes as much of `bytes` as fits into the body.
    fn push(&mut self, bytes: &[u8]) {
        let fitting = bytes.len().min(self.room());
        self.out.extend_from_slice(&bytes[..fitting]);
        if fitting < bytes.len() {
            let body = &self.out[self.body_start..];
            let whole = body.len() - split_character_bytes(body);
            self.out.truncate(self.body_start + whole);
            self.full = true;
            self.written.cut = true;
        }
    }

    /// Replaces the byte at `at` if it is one of `forbidden`.
    fn replace_at(&mut self, at: usize, forbidden: &[u8]) {
        if let Some(byte) = self.out.get_mut(at)
            && forbidden.contains(byte)
        {
            *byte = b'_';
            self.written.replaced = true;
        }
    }
}

impl Drop for LineWriter<'_> {
    /// Takes an unfinished line back: the next one would be glued to it.
    fn drop(&mut self) {
        if self.stage != Stage::Finished {
            self.out.truncate(self.start);
        }
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

/// How many bytes at the end of `bytes` are the beginning of a UTF-8 character whose rest is missing.
fn split_character_bytes(bytes: &[u8]) -> usize {
    for count in 1..=bytes.len().min(3) {
        let character_bytes = match bytes[bytes.len() - count] {
            0b1000_0000..=0b1011_1111 => continue,
            0b1100_0000..=0b1101_1111 => 2,
            0b1110_0000..=0b1110_1111 => 3,
            0b1111_0000..=0b1111_0111 => 4,
            _ => 1,
        };
        return if character_bytes > count { count } else { 0 };
    }
    0
}
