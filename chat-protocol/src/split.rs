//! Splits a long text into pieces that each fit into one line.
//!
//! Shows: cutting after a word where one ends near, else between two characters as a reader sees
//! them.
//! Leaves out: how many bytes fit, which depends on the command and on the name the server puts in
//! front.

use std::iter::FusedIterator;

use unicode_segmentation::GraphemeCursor;

/// The longest UTF-8 character, in bytes.
const LONGEST_CHARACTER_BYTES: usize = 4;

/// Splits `text` into pieces of at most `max_bytes` bytes each; together they are the text again.
///
/// A piece ends after white space if there is some in its second half; otherwise between two
/// grapheme clusters, so that an emoji or an accented letter stays whole; only a cluster longer
/// than a whole piece is cut between its code points. A limit under 4 bytes counts as 4, because
/// less would not hold every character. An empty text has no piece.
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
        .find(|(_, c)| separates_words(*c))
        .map(|(at, c)| at + c.len_utf8());
    word_end
        .or_else(|| grapheme_end(text, fitting))
        .unwrap_or(fitting)
}

/// Whether a line may end after `c`: any white space but the kinds that are there to keep words
/// together.
fn separates_words(c: char) -> bool {
    c.is_whitespace() && !matches!(c, '\u{a0}' | '\u{2007}' | '\u{202f}')
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_segmentation::UnicodeSegmentation;

    use super::*;

    fn pieces(text: &str, max_bytes: usize) -> Vec<&str> {
        split_text(text, max_bytes).collect()
    }

    proptest! {
        #[test]
        fn the_pieces_fit_and_are_the_text_again(
            text in "([a-z ]{0,12}|\
                [\u{300}\u{e9}\u{4e2d}\u{1f600}\u{200d}\u{1f1e9}\u{1f1ea}\\PC\\n]{0,12}){0,12}",
            max_bytes in 0..60_usize,
        ) {
            let pieces = pieces(&text, max_bytes);
            prop_assert!(pieces.iter().all(|piece| (1..=max_bytes.max(4)).contains(&piece.len())));
            prop_assert_eq!(pieces.concat(), text);
        }

        #[test]
        fn what_a_reader_sees_as_one_character_stays_whole(
            text in "[a-z\u{e9}\u{4e2d}\u{1f600}\u{300}\u{1f1e9}\u{1f1ea}]{1,80}",
            max_bytes in 16..60_usize,
        ) {
            let clusters: Vec<&str> = text.graphemes(true).collect();
            prop_assume!(clusters.iter().all(|cluster| cluster.len() <= max_bytes));
            let starts: Vec<usize> = text.grapheme_indices(true).map(|(at, _)| at).collect();
            let mut at = 0;
            for piece in split_text(&text, max_bytes) {
                prop_assert!(starts.contains(&at), "a cluster is cut at {}", at);
                at += piece.len();
            }
        }
    }

    #[test]
    fn a_cut_comes_after_a_word() {
        assert_eq!(pieces("one two three four", 10), ["one two ", "three four"]);
        assert_eq!(pieces("one two ", 8), ["one two "]);
        assert_eq!(
            pieces("one\u{3000}two three", 9),
            ["one\u{3000}two", " three"]
        );
    }

    #[test]
    fn a_no_break_space_keeps_its_words_together() {
        assert_eq!(
            pieces("abcdef two\u{a0}three", 12),
            ["abcdef ", "two\u{a0}three"]
        );
    }

    #[test]
    fn a_space_too_far_back_is_not_worth_a_short_piece() {
        assert_eq!(pieces("a bbbbbbbbbbbb", 10), ["a bbbbbbbb", "bbbb"]);
    }

    #[test]
    fn a_family_of_code_points_stays_together() {
        let family = "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}";
        assert_eq!(pieces(&family.repeat(2), 20), [family, family]);
        let thai = "\u{e01}\u{e33}";
        assert_eq!(pieces(&thai.repeat(2), 10), [thai, thai]);
        let flag = "\u{1f1e9}\u{1f1ea}";
        assert_eq!(pieces(&flag.repeat(3), 20), [&flag.repeat(2), flag]);
    }

    #[test]
    fn a_cluster_longer_than_a_piece_is_cut_between_its_code_points() {
        let text = format!("e{}", "\u{301}".repeat(10));
        assert_eq!(pieces(&text, 9), [&text[..9], &text[9..17], &text[17..]]);
    }

    #[test]
    fn a_limit_too_small_for_a_character_counts_as_four() {
        assert_eq!(pieces("\u{1f600}ab", 0), ["\u{1f600}", "ab"]);
    }

    #[test]
    fn an_empty_text_has_no_piece() {
        assert_eq!(pieces("", 10), [""; 0]);
    }

    #[test]
    fn a_megabyte_of_one_cluster_comes_to_an_end() {
        // Looking back further than the piece for every piece would take time in the square of the
        // length.
        for text in ["\u{301}".repeat(500_000), "\u{1f1e9}".repeat(250_000)] {
            assert_eq!(
                split_text(&text, 400).map(str::len).sum::<usize>(),
                text.len()
            );
        }
    }
}
