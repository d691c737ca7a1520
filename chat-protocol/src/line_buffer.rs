//! One line that grows at the end of a buffer and keeps its limits.
//!
//! Shows: a cut that never splits a character; bytes that cannot end the line early.
//! Leaves out: which part of a message comes when, see [`LineWriter`](crate::LineWriter).

use crate::bytes::{any, ends_line, split_character_bytes};
use crate::limits::{LINE_END, MAX_CONTENT_BYTES, TagLimit};
use crate::tags::escape_code;

/// What became of the bytes given to a [`LineWriter`](crate::LineWriter).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Something did not fit and is missing.
    pub cut: bool,
    /// Something that would have broken the line stands there as another byte, or is left out.
    pub replaced: bool,
}

/// A line at the end of a byte buffer, from its first byte to what is written of it so far.
#[derive(Debug)]
pub(crate) struct LineBuffer<'o> {
    out: &'o mut Vec<u8>,
    start: usize,
    /// Where the body starts, once it has.
    body_start: Option<usize>,
    tag_limit: TagLimit,
    /// A part was cut, so that nothing may follow it.
    full: bool,
    finished: bool,
    written: Written,
}

/// What a run of bytes may hold.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Text {
    /// No space: it would end the part.
    Word,
    /// The last part of the line, where a space is a space.
    Trailing,
}

impl<'o> LineBuffer<'o> {
    pub(crate) fn new(out: &'o mut Vec<u8>, tag_limit: TagLimit) -> LineBuffer<'o> {
        let start = out.len();
        LineBuffer {
            out,
            start,
            body_start: None,
            tag_limit,
            full: false,
            finished: false,
            written: Written::default(),
        }
    }

    /// Adds a tag, escaping its value. Leaves it out if it does not fit or its key cannot be
    /// written.
    pub(crate) fn push_tag(&mut self, key: &[u8], value: impl Iterator<Item = u8>) {
        let separates = |byte: &u8| ends_line(*byte) || b";= ".contains(byte);
        if key.is_empty() || key.iter().any(separates) {
            self.written.replaced = true;
            return;
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
                // The one forbidden byte that has no escape.
                None if byte == b'\0' => {
                    self.out.push(b'_');
                    self.written.replaced = true;
                }
                None => self.out.push(byte),
            }
        }
        self.keep_tags_if_they_fit(before);
    }

    /// Adds tags that are escaped already, all or none.
    pub(crate) fn push_raw_tags(&mut self, raw: &[u8]) {
        let before = self.start_tag();
        self.out.extend_from_slice(raw);
        self.keep_tags_if_they_fit(before);
    }

    /// Writes what stands before a tag; returns the length of the buffer without it.
    fn start_tag(&mut self) -> usize {
        let before = self.out.len();
        self.out
            .push(if before == self.start { b'@' } else { b';' });
        before
    }

    fn keep_tags_if_they_fit(&mut self, before: usize) {
        let section_with_space = self.out.len() - self.start + 1;
        if section_with_space > self.tag_limit.bytes() {
            self.out.truncate(before);
            self.written.cut = true;
        }
    }

    /// Ends the tag section, if there is one and it has not ended.
    pub(crate) fn start_body(&mut self) {
        if self.body_start.is_none() {
            if self.out.len() > self.start {
                self.out.push(b' ');
            }
            self.body_start = Some(self.out.len());
        }
    }

    /// How many bytes still fit into the body, the line ending already taken off.
    pub(crate) fn room(&self) -> usize {
        let body_bytes = self.body_start.map_or(0, |start| self.out.len() - start);
        if self.full {
            0
        } else {
            MAX_CONTENT_BYTES - body_bytes
        }
    }

    /// Lets nothing more into the body.
    pub(crate) fn close(&mut self) {
        self.full = true;
        self.written.cut = true;
    }

    /// Writes as much of `bytes` as fits into the body.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let fitting = bytes.len().min(self.room());
        self.out.extend_from_slice(&bytes[..fitting]);
        if fitting < bytes.len() {
            let body = &self.out[self.body_start.unwrap_or(self.start)..];
            self.out
                .truncate(self.out.len() - split_character_bytes(body));
            self.close();
        }
    }

    /// Writes a peer's bytes: as much as fits, and nothing that would end the part they belong to.
    pub(crate) fn push_text(&mut self, bytes: &[u8], text: Text) {
        let start = self.out.len();
        self.push(bytes);
        // The cut may have taken the beginning of a character that an earlier piece had brought.
        let new = self.out.get_mut(start..).unwrap_or_default();
        let breaks = |byte| ends_line(byte) || (byte == b' ' && text == Text::Word);
        if any(new, breaks) {
            let replacement = if text == Text::Word { b'_' } else { b' ' };
            for byte in new.iter_mut().filter(|byte| breaks(**byte)) {
                *byte = replacement;
            }
            self.written.replaced = true;
        }
    }

    /// Where the next byte goes.
    pub(crate) fn position(&self) -> usize {
        self.out.len()
    }

    /// Writes `_` over the byte at `position`, if it is written and one of `forbidden`.
    pub(crate) fn replace_at(&mut self, position: usize, forbidden: &[u8]) {
        if let Some(byte) = self.out.get_mut(position)
            && forbidden.contains(byte)
        {
            *byte = b'_';
            self.written.replaced = true;
        }
    }

    /// Writes the line ending.
    pub(crate) fn finish(mut self) -> Written {
        self.out.extend_from_slice(LINE_END);
        self.finished = true;
        self.written
    }
}

impl Drop for LineBuffer<'_> {
    /// Takes an unfinished line back: the next one would be glued to it.
    fn drop(&mut self) {
        if !self.finished {
            self.out.truncate(self.start);
        }
    }
}
