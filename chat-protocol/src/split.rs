//! Splits a long text into pieces that each fit into one line.
//!
//! Shows: cutting after a word where one ends near, else between two characters as a reader sees them.
//! Leaves out: how many bytes fit, which depends on the command and on the name the server puts in front.

use std::iter::FusedIterator;

use unicode_segmentation::GraphemeCursor;

/// The longest UTF-8 character, in bytes.
const LONGEST_CHARACTER_BYTES: usize = 4;

/// Splits `text` into pieces of at most `max_bytes` bytes each; together they are the text again.
///
/// A piece ends after white space if there is some in its second half; otherwise between two grapheme
/// clusters, so that an emoji or an accented letter stays whole; only a cluster longer than a whole piece is
/// cut between its code points. A limit under 4 bytes counts as 4, because less would not hold every
/// character. An empty text has no piece.
#[must_use]
pub fn split_text(text: &str, max_bytes: usize) -> SplitText<'_> {
    SplitText {
        rest: text,
        max_bytes: max_bytes.max(LONGEST_CHARACTER_BYTES),
    }
}

/// The pieces of a text; made by [`split_text`].
#[derive(Clone, Debug)]
pub struct SplitText<'a> {
    rest: &'a str,
    max_bytes: usize,
}

impl<'a> Iterator for SplitText<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        if self.rest.is_empty() {
            return None;
        }
        let (piece, rest) = self.rest.split_at(piece_bytes(self.rest, self.max_bytes));
        self.rest = rest;
        Some(piece)
    }
}

impl FusedIterator for SplitText<'_> {}

/// How long the first piece of `text` is.
fn piece_bytes(text: &str, max_bytes: usize) -> usize {
    if text.len() <= max_bytes {
        return text.len();
    }
    let fitting = text.floor_char_boundary(max_bytes);
    let word_end = text[..fitting]
        .char_indices()
        .rev()
        .take_while(|(at, _)| *at >= max_bytes / 2)
        .find(|(_, c)| c.is_whitespace())
        .map(|(at, c)| at + c.len_utf8());
    word_end
        .or_else(|| grapheme_end(text, fitting))
        .unwrap_or(fitting)
}

/// The end of the last grapheme cluster that ends at or before `at`; none if the first is longer.
fn grapheme_end(text: &str, at: usize) -> Option<usize> {
    let mut cursor = GraphemeCursor::new(at, text.len(), true);
    let at_boundary = cursor
        .is_boundary(text, 0)
        .expect("the whole text is given");
    if at_boundary {
        return Some(at);
    }
    cursor
        .prev_boundary(text, 0)
        .expect("the whole text is given")
        .filter(|end| *end > 0)
}
