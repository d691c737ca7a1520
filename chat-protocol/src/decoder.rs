//! Cuts a stream of bytes into lines, however the bytes come.
//!
//! Shows: whole lines are handed out straight from the input; only an unfinished one is copied,
//! into a buffer that an idle peer does not have; a line without end takes no more memory than a
//! long one.
//! Leaves out: reading. It gets bytes and knows no descriptor.

use std::ops::ControlFlow;

use crate::bytes::{ends_line, hold_line_end};
use crate::limits::{MAX_CONTENT_BYTES, TagLimit};

/// Cuts bytes into lines that end with CR LF or LF.
///
/// Empty lines are skipped. Each other line is reported once, as one of [`Decoded`], and which one
/// does not depend on how the bytes were cut.
///
/// ```
/// use std::ops::ControlFlow;
/// use chat_protocol::{Decoded, LineDecoder, TagLimit};
///
/// let mut decoder = LineDecoder::new(TagLimit::Client);
/// let mut lines = Vec::new();
/// for bytes in [&b"NICK al"[..], b"ice\r\nJOIN #room\r\nPI"] {
///     decoder.decode(bytes, |decoded| {
///         if let Decoded::Line(line) = decoded {
///             lines.push(line.to_vec());
///         }
///         ControlFlow::Continue(())
///     });
/// }
/// assert_eq!(lines, [&b"NICK alice"[..], b"JOIN #room"]);
/// assert_eq!(decoder.pending(), 2);
/// ```
#[derive(Debug)]
// ANCHOR: line-decoder
pub struct LineDecoder {
    tag_limit: TagLimit,
    // ANCHOR: line-pending
    /// The beginning of a line whose end has not come; without capacity while there is none.
    pending: Vec<u8>,
    // ANCHOR_END: line-pending
    /// How long the unfinished line is.
    length: LineLength,
    // ANCHOR: line-skipping
    /// The rest of an over-long line is being thrown away.
    skipping: bool,
    // ANCHOR_END: line-skipping
    dropped: DropCounts,
}
// ANCHOR_END: line-decoder

/// What the decoder found where a line was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoded<'a> {
    /// A line without its line ending: not empty, no NUL, CR or LF in it.
    Line(&'a [u8]),
    /// A line over its limit. Reported as soon as that is known, once; the rest of it is thrown
    /// away.
    TooLong,
    /// A line that holds what no line may hold.
    Dropped(DropReason),
}

/// What a dropped line held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropReason {
    /// A NUL byte.
    Nul,
    /// A CR that is not part of the line ending.
    BareCr,
}

/// How many lines a decoder did not hand out, since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DropCounts {
    /// Lines over the limit.
    pub too_long: u64,
    /// Lines with a NUL in them.
    pub nul: u64,
    /// Lines with a CR in the middle.
    pub bare_cr: u64,
}

impl LineDecoder {
    /// A decoder for lines with a body of [`MAX_BODY_BYTES`](crate::MAX_BODY_BYTES) and a tag
    /// section of at most `tag_limit`.
    #[must_use]
    pub fn new(tag_limit: TagLimit) -> LineDecoder {
        LineDecoder {
            tag_limit,
            pending: Vec::new(),
            length: LineLength::default(),
            skipping: false,
            dropped: DropCounts::default(),
        }
    }

    /// A decoder that goes on where another has stopped: `unfinished` is what
    /// that one's [`LineDecoder::unfinished`] says, and `is_skipping` its
    /// [`LineDecoder::is_skipping`].
    #[must_use]
    pub fn resumed(tag_limit: TagLimit, unfinished: &[u8], is_skipping: bool) -> LineDecoder {
        let mut decoder = LineDecoder::new(tag_limit);
        decoder.decode(unfinished, |_| ControlFlow::Continue(()));
        decoder.skipping |= is_skipping;
        decoder.dropped = DropCounts::default();
        decoder
    }

    /// Takes the next bytes of the stream and calls `on_line` for each line that ends in them.
    ///
    /// Returns how many bytes were taken. All, unless `on_line` answered `Break`: then the bytes
    /// after that line are the caller's to keep and to bring again, which is how flood control
    /// stops a peer after any line.
    pub fn decode(
        &mut self,
        bytes: &[u8],
        mut on_line: impl FnMut(Decoded<'_>) -> ControlFlow<()>,
    ) -> usize {
        // ANCHOR: decode-loop
        let mut rest = bytes;
        while !rest.is_empty() {
            // ANCHOR: find-newline
            let newline = rest.iter().position(|&byte| byte == b'\n');
            let (piece, after) = match newline {
                Some(at) => (&rest[..at], &rest[at + 1..]),
                None => (rest, &rest[rest.len()..]),
            };
            // ANCHOR_END: find-newline
            rest = after;
            let decoded = self.take(piece, newline.is_some());
            let flow = decoded.map_or(ControlFlow::Continue(()), &mut on_line);
            if newline.is_some() {
                self.start_line();
            }
            // ANCHOR: stop-after-a-line
            if flow.is_break() {
                break;
            }
            // ANCHOR_END: stop-after-a-line
        }
        if self.pending.is_empty() {
            self.pending = Vec::new();
        }
        bytes.len() - rest.len()
        // ANCHOR_END: decode-loop
    }

    /// Bytes kept of a line whose end has not come. At end of file: the bytes of a last line that
    /// will never be whole.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// The beginning of a line whose end has not come.
    #[must_use]
    pub fn unfinished(&self) -> &[u8] {
        &self.pending
    }

    /// Whether the rest of an over-long line is being thrown away.
    #[must_use]
    pub fn is_skipping(&self) -> bool {
        self.skipping
    }

    /// Lines that were not handed out so far.
    #[must_use]
    pub fn dropped(&self) -> DropCounts {
        self.dropped
    }

    /// Takes the next piece of the current line, its last one if `complete`.
    fn take<'a>(&'a mut self, piece: &'a [u8], complete: bool) -> Option<Decoded<'a>> {
        // ANCHOR: take-piece
        if self.skipping {
            return None;
        }
        self.length.add(piece, self.tag_limit);
        // ANCHOR: too-long
        if self.length.exceeds(self.tag_limit) {
            self.skipping = true;
            self.pending.clear();
            self.dropped.too_long += 1;
            return Some(Decoded::TooLong);
        }
        // ANCHOR_END: too-long
        // ANCHOR: keep-the-beginning
        if !complete {
            self.keep(piece);
            return None;
        }
        // ANCHOR_END: keep-the-beginning
        let line = if self.pending.is_empty() {
            piece
        } else {
            self.keep(piece);
            &self.pending
        };
        // ANCHOR_END: take-piece
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if !hold_line_end(line) {
            return (!line.is_empty()).then_some(Decoded::Line(line));
        }
        if let Some(b'\0') = line.iter().find(|&&byte| ends_line(byte)) {
            self.dropped.nul += 1;
            Some(Decoded::Dropped(DropReason::Nul))
        } else {
            self.dropped.bare_cr += 1;
            Some(Decoded::Dropped(DropReason::BareCr))
        }
    }

    /// The line is over.
    fn start_line(&mut self) {
        self.skipping = false;
        self.pending.clear();
        self.length = LineLength::default();
    }

    /// Keeps `piece` until the rest of its line comes. That it fits the limits is known by now.
    fn keep(&mut self, piece: &[u8]) {
        let needed = self.pending.len() + piece.len();
        if needed > self.pending.capacity() {
            // Doubling, as a Vec does, but not past the longest line and its CR.
            let longest = self.tag_limit.bytes() + MAX_CONTENT_BYTES + 1;
            let capacity = needed.max((self.pending.capacity() * 2).min(longest));
            self.pending.reserve_exact(capacity - self.pending.len());
        }
        self.pending.extend_from_slice(piece);
    }
}

/// The length of a line that is still growing: tags and body are counted apart.
#[derive(Clone, Copy, Debug, Default)]
struct LineLength {
    tag_bytes: usize,
    body_bytes: usize,
    part: Part,
    /// The last byte is a CR, which may turn out to be part of the line ending.
    ends_with_cr: bool,
}

/// The part of the line that its next byte belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Part {
    #[default]
    Start,
    Tags,
    Body,
}

impl LineLength {
    fn add(&mut self, piece: &[u8], tag_limit: TagLimit) {
        let (Some(first), Some(last)) = (piece.first(), piece.last()) else {
            return;
        };
        self.ends_with_cr = *last == b'\r';
        if self.part == Part::Start {
            let has_tags = *first == b'@' && tag_limit != TagLimit::None;
            self.part = if has_tags { Part::Tags } else { Part::Body };
        }
        let mut body = piece;
        if self.part == Part::Tags {
            let tag_bytes = match piece.iter().position(|&byte| byte == b' ') {
                Some(at) => {
                    self.part = Part::Body;
                    at + 1
                }
                None => piece.len(),
            };
            self.tag_bytes += tag_bytes;
            body = &piece[tag_bytes..];
        }
        self.body_bytes += body.len();
    }

    /// Whether the line is over its limit, whatever follows.
    fn exceeds(&self, tag_limit: TagLimit) -> bool {
        let cr_bytes = usize::from(self.ends_with_cr);
        match self.part {
            Part::Start => false,
            // The space that ends the section is still to come and counts.
            Part::Tags => self.tag_bytes - cr_bytes + 1 > tag_limit.bytes(),
            Part::Body => {
                self.tag_bytes > tag_limit.bytes() || self.body_bytes - cr_bytes > MAX_CONTENT_BYTES
            }
        }
    }
}
