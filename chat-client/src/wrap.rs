//! Text cut into rows of a given width.
//!
//! Shows: what a terminal calls a character is a grapheme cluster, and its width
//! is what ratatui's cells make of it; to measure in any other way would leave
//! rows a column too long. Rows end after a word, before or after a wide
//! character, and inside a word only if it is longer than a row, so that an
//! address that fits in a row can be selected whole.
//! Leaves out: the whole line-breaking algorithm of Unicode (UAX #14).

use std::borrow::Cow;
use std::ops::Range;

use ratatui::buffer::CellWidth;
use unicode_segmentation::UnicodeSegmentation;

/// How many columns a grapheme cluster takes on the screen.
///
/// A control character takes none: it is not drawn.
pub(crate) fn grapheme_columns(grapheme: &str) -> usize {
    if grapheme.contains(char::is_control) {
        0
    } else {
        usize::from(grapheme.cell_width())
    }
}

/// How many columns a text takes on the screen.
pub(crate) fn columns(text: &str) -> usize {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.len();
    }
    text.graphemes(true).map(grapheme_columns).sum()
}

/// The beginning of a text that fits into `max_columns`.
pub(crate) fn fitting(text: &str, max_columns: usize) -> &str {
    let mut taken = 0;
    for (at, grapheme) in text.grapheme_indices(true) {
        taken += grapheme_columns(grapheme);
        if taken > max_columns {
            return &text[..at];
        }
    }
    text
}

/// A text in at most `max_columns`; `sign` stands at the end if it did not fit.
pub(crate) fn cut<'a>(text: &'a str, max_columns: usize, sign: &str) -> Cow<'a, str> {
    if columns(text) <= max_columns {
        return Cow::Borrowed(text);
    }
    match max_columns.checked_sub(columns(sign)) {
        Some(room) => Cow::Owned(format!("{}{sign}", fitting(text, room))),
        None => Cow::Borrowed(""),
    }
}

/// Cuts a text into rows: the first of at most `first` columns, the others of
/// `rest`. Returns the bytes of each; spaces at which a row ends are in none.
///
/// There is always at least one row, and each but an empty text's has at least
/// one grapheme cluster, even where that is wider than the row.
pub(crate) fn wrap(text: &str, first: usize, rest: usize) -> Vec<Range<usize>> {
    let mut rows = Vec::with_capacity(1);
    let mut start = 0;
    let mut room = first;
    loop {
        let row = Row::fill(&text[start..], room.max(1));
        rows.push(start..start + row.end);
        start += row.next;
        room = rest;
        if start >= text.len() {
            return rows;
        }
    }
}

/// Where a row ends, and where the next begins.
#[derive(Clone, Copy)]
struct Row {
    end: usize,
    next: usize,
}

impl Row {
    /// As much of the beginning of `text` as fits.
    fn fill(text: &str, room: usize) -> Row {
        let mut taken = 0;
        let mut best: Option<Row> = None;
        let mut before = "";
        for (at, grapheme) in text.grapheme_indices(true) {
            let width = grapheme_columns(grapheme);
            let is_space = separates(grapheme);
            let is_word_end = is_space && !separates(before);
            let is_break = !is_space && at > 0 && may_break(before, grapheme);
            if is_word_end || is_break {
                best = Some(Row { end: at, next: at });
            }
            taken += width;
            if taken > room && at > 0 {
                return match best {
                    Some(row) if row.end > 0 => row.without_spaces(text),
                    _ => Row { end: at, next: at },
                };
            }
            before = grapheme;
        }
        Row {
            end: text.len(),
            next: text.len(),
        }
    }

    /// The spaces at the break are neither in this row nor in the next.
    fn without_spaces(self, text: &str) -> Row {
        let spaces = |part: &str| part.graphemes(true).take_while(|g| separates(g)).count();
        Row {
            end: text[..self.end].trim_end_matches(' ').len().max(1),
            next: self.next + spaces(&text[self.next..]),
        }
    }
}

/// Whether a row may end at this grapheme, which then is in neither row.
fn separates(grapheme: &str) -> bool {
    grapheme == " " || grapheme == "\u{3000}"
}

/// Whether a row may end between two graphemes that are no spaces: beside a wide
/// one, as Chinese and Japanese are written without spaces; but what closes a
/// phrase stays with it.
fn may_break(before: &str, after: &str) -> bool {
    const CLOSING: [&str; 17] = [
        "、", "。", "，", "．", "！", "？", "」", "』", "）", "】", "〉", "》", "：", "；", "ー",
        "・", "…",
    ];
    const OPENING: [&str; 6] = ["「", "『", "（", "【", "〈", "《"];
    let is_wide = |grapheme: &str| !grapheme.is_ascii() && grapheme_columns(grapheme) > 1;
    separates(before)
        || ((is_wide(before) || is_wide(after))
            && !CLOSING.contains(&after)
            && !OPENING.contains(&before))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;

    fn rows(text: &str, width: usize) -> Vec<&str> {
        wrap(text, width, width)
            .into_iter()
            .map(|row| &text[row])
            .collect()
    }

    #[test]
    fn a_row_ends_after_a_word() {
        assert_eq!(rows("one two three", 8), ["one two", "three"]);
        assert_eq!(rows("one two", 7), ["one two"]);
        assert_eq!(rows("one  two", 4), ["one", "two"]);
        assert_eq!(rows("  indented text", 10), ["  indented", "text"]);
        assert_eq!(rows("one two ", 7), ["one two"]);
    }

    #[test]
    fn an_address_that_fits_in_a_row_stays_whole() {
        assert_eq!(
            rows("did you see https://ircv3.net/irc/ ?", 24),
            ["did you see", "https://ircv3.net/irc/ ?"]
        );
    }

    #[test]
    fn a_word_longer_than_a_row_is_cut() {
        assert_eq!(rows("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(rows("a bcdefgh", 3), ["a", "bcd", "efg", "h"]);
    }

    #[test]
    fn wide_characters_are_cut_between_and_not_before_what_closes_a_phrase() {
        assert_eq!(rows("你好世界", 5), ["你好", "世界"]);
        assert_eq!(rows("你好世。", 6), ["你好", "世。"]);
        assert_eq!(rows("你", 1), ["你"]);
    }

    #[test]
    fn a_cluster_is_never_cut() {
        let family = "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}";
        assert_eq!(columns(family), 2);
        assert_eq!(rows(&family.repeat(3), 4), [&family.repeat(2), family]);
        assert_eq!(
            rows("e\u{301}e\u{301}e\u{301}", 2),
            ["e\u{301}e\u{301}", "e\u{301}"]
        );
    }

    #[test]
    fn what_is_cut_says_so() {
        assert_eq!(cut("abcdef", 6, "…"), "abcdef");
        assert_eq!(cut("abcdef", 4, "…"), "abc…");
        assert_eq!(cut("你好吗", 4, "…"), "你…");
        assert_eq!(cut("abc", 0, "…"), "");
    }

    #[test]
    fn the_first_row_may_have_another_width() {
        assert_eq!(wrap("one two three", 3, 9), [0..3, 4..13]);
    }

    proptest! {
        #[test]
        fn rows_fit_and_lose_nothing_but_spaces(
            text in "([a-z]{0,9}|[ \u{e9}\u{4e2d}\u{1f600}\u{200d}\u{301}\u{ff9e}\u{3000}\\PC]{0,6}){0,9}",
            width in 1..30_usize,
        ) {
            let wrapped = wrap(&text, width, width);
            let mut end = 0;
            for row in &wrapped {
                let between = &text[end..row.start];
                prop_assert!(between.chars().all(|c| [' ', '\u{3000}'].contains(&c)), "{:?}", between);
                end = row.end;
                let row = &text[row.clone()];
                let seen = row.graphemes(true).filter(|g| columns(g) > 0).count();
                prop_assert!(columns(row) <= width || seen == 1, "{:?}", row);
            }
            prop_assert_eq!(end, text.trim_end_matches([' ', '\u{3000}']).len().max(end));
        }

        #[test]
        fn a_text_is_as_wide_as_what_is_drawn(text in "[a-z\u{4e2d}\u{1f600}\u{200d}\u{301}\u{ff9e}\u{fe0f}\\PC]{0,20}") {
            let mut buffer = Buffer::empty(Rect::new(0, 0, 100, 1));
            let (x, _) = buffer.set_stringn(0, 0, &text, 100, Style::new());
            prop_assert_eq!(columns(&text), usize::from(x));
        }
    }
}
