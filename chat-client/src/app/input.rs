//! The line that is being typed.
//!
//! Shows: the cursor moves by what a reader calls a character, a grapheme
//! cluster; what is killed can be yanked back; nothing that a terminal would act
//! on gets in.
//! Leaves out: more than one line; those are asked about (`paste.rs`).

use chat_protocol::neutral;
use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation};

use crate::wrap::{columns, grapheme_columns};

/// The most that fits into the line: as much as may be pasted at once.
pub(crate) const MAX_INPUT_BYTES: usize = 64 * 1024;

/// A line of text with a cursor.
#[derive(Clone, Debug, Default)]
pub(crate) struct Input {
    text: String,
    /// In bytes; always between two grapheme clusters.
    cursor: usize,
}

/// What was killed last, and whether the next kill adds to it.
#[derive(Debug, Default)]
pub(crate) struct Killed {
    text: String,
    is_growing: bool,
}

/// An edit of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Edit {
    Left,
    Right,
    WordLeft,
    WordRight,
    Start,
    End,
    EraseLeft,
    EraseRight,
    KillWordLeft,
    KillWordRight,
    KillToStart,
    KillToEnd,
    Yank,
}

/// The part of the line that is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window<'a> {
    pub(crate) text: &'a str,
    /// Where the cursor is in it, in columns.
    pub(crate) cursor: usize,
    pub(crate) has_more_left: bool,
    pub(crate) has_more_right: bool,
}

impl Killed {
    /// Something else has been done: the next kill begins anew.
    pub(crate) fn pause(&mut self) {
        self.is_growing = false;
    }

    fn add(&mut self, killed: &str, is_before: bool) {
        if killed.is_empty() {
            return;
        }
        if !self.is_growing {
            self.text.clear();
        }
        if is_before {
            self.text.insert_str(0, killed);
        } else {
            self.text.push_str(killed);
        }
        self.text
            .truncate(self.text.floor_char_boundary(MAX_INPUT_BYTES));
        self.is_growing = true;
    }
}

impl Input {
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The part before the cursor.
    pub(crate) fn before_cursor(&self) -> &str {
        &self.text[..self.cursor]
    }

    /// Takes the whole line, and leaves it empty.
    pub(crate) fn take(&mut self) -> String {
        self.cursor = 0;
        std::mem::take(&mut self.text)
    }

    /// Replaces the whole line; the cursor is behind it.
    pub(crate) fn set(&mut self, text: String) {
        self.text = text;
        self.cursor = self.text.len();
    }

    /// Puts `text` where the cursor is. Returns false, and puts nothing, if the
    /// line would become longer than [`MAX_INPUT_BYTES`].
    ///
    /// Line ends become spaces, and other control characters and overrides of
    /// direction are left out.
    pub(crate) fn insert(&mut self, text: &str) -> bool {
        let clean = typeable(text);
        if self.text.len() + clean.len() > MAX_INPUT_BYTES {
            return false;
        }
        self.text.insert_str(self.cursor, &clean);
        self.cursor = self.boundary_at_or_after(self.cursor + clean.len());
        true
    }

    /// Replaces the `bytes` before the cursor.
    pub(crate) fn replace_before_cursor(&mut self, bytes: usize, by: &str) {
        let start = self
            .text
            .floor_char_boundary(self.cursor.saturating_sub(bytes));
        self.text.replace_range(start..self.cursor, by);
        self.cursor = self.boundary_at_or_after(start + by.len());
    }

    pub(crate) fn edit(&mut self, edit: Edit, killed: &mut Killed) {
        let cursor = self.cursor;
        match edit {
            Edit::Left => self.cursor = self.left(),
            Edit::Right => self.cursor = self.right(),
            Edit::WordLeft => self.cursor = self.word_left(),
            Edit::WordRight => self.cursor = self.word_right(),
            Edit::Start => self.cursor = 0,
            Edit::End => self.cursor = self.text.len(),
            Edit::EraseLeft => self.erase(self.left(), cursor),
            Edit::EraseRight => self.erase(cursor, self.right()),
            Edit::KillWordLeft => self.kill(self.long_word_left(), cursor, killed),
            Edit::KillWordRight => self.kill(cursor, self.word_right(), killed),
            Edit::KillToStart => self.kill(0, cursor, killed),
            Edit::KillToEnd => self.kill(cursor, self.text.len(), killed),
            Edit::Yank => {
                let text = std::mem::take(&mut killed.text);
                self.insert(&text);
                killed.text = text;
            }
        }
        let is_kill = matches!(
            edit,
            Edit::KillWordLeft | Edit::KillWordRight | Edit::KillToStart | Edit::KillToEnd
        );
        if !is_kill {
            killed.pause();
        }
    }

    fn erase(&mut self, start: usize, end: usize) {
        self.text.replace_range(start..end, "");
        self.cursor = self.boundary_at_or_after(start);
    }

    fn kill(&mut self, start: usize, end: usize, killed: &mut Killed) {
        killed.add(&self.text[start..end], start < self.cursor);
        self.erase(start, end);
    }

    fn left(&self) -> usize {
        GraphemeCursor::new(self.cursor, self.text.len(), true)
            .prev_boundary(&self.text, 0)
            .expect("the whole text is given")
            .unwrap_or(0)
    }

    fn right(&self) -> usize {
        GraphemeCursor::new(self.cursor, self.text.len(), true)
            .next_boundary(&self.text, 0)
            .expect("the whole text is given")
            .unwrap_or(self.text.len())
    }

    /// What was put in may have joined with what was behind it.
    fn boundary_at_or_after(&self, at: usize) -> usize {
        let mut cursor = GraphemeCursor::new(at, self.text.len(), true);
        let is_boundary = cursor
            .is_boundary(&self.text, 0)
            .expect("the whole text is given");
        if is_boundary {
            return at;
        }
        cursor
            .next_boundary(&self.text, 0)
            .expect("the whole text is given")
            .unwrap_or(self.text.len())
    }

    /// The beginning of the word before the cursor, as Alt-B finds it.
    fn word_left(&self) -> usize {
        self.before_cursor()
            .unicode_word_indices()
            .next_back()
            .map_or(0, |(at, _)| at)
    }

    /// The end of the word behind the cursor, as Alt-F finds it.
    fn word_right(&self) -> usize {
        self.text[self.cursor..]
            .unicode_word_indices()
            .next()
            .map_or(self.text.len(), |(at, word)| self.cursor + at + word.len())
    }

    /// Everything back to a space, as Ctrl-W kills it.
    fn long_word_left(&self) -> usize {
        let before = self.before_cursor().trim_end_matches(char::is_whitespace);
        let space = before.char_indices().rev().find(|(_, c)| c.is_whitespace());
        let at = space.map_or(0, |(at, c)| at + c.len_utf8());
        self.boundary_at_or_after(at).min(self.cursor)
    }

    /// The part of the line that `room` columns show, with the cursor in it; the
    /// cursor may stand in the column behind the text.
    pub(crate) fn window(&self, room: usize) -> Window<'_> {
        let room = room.max(1);
        let cursor = columns(self.before_cursor());
        // The line moves by half a window at a time, not with every key.
        let step = (room / 2).max(1);
        let skipped = match cursor.checked_sub(room - 1) {
            None | Some(0) => 0,
            Some(too_many) => too_many.div_ceil(step) * step,
        };
        let mut left = 0;
        let mut start = self.text.len();
        for (at, grapheme) in self.text.grapheme_indices(true) {
            if left >= skipped {
                start = at;
                break;
            }
            left += grapheme_columns(grapheme);
        }
        let shown = crate::wrap::fitting(&self.text[start..], room);
        Window {
            text: shown,
            cursor: cursor.saturating_sub(left).min(room - 1),
            has_more_left: start > 0,
            has_more_right: start + shown.len() < self.text.len(),
        }
    }
}

/// What of a text may stand in the line.
pub(crate) fn typeable(text: &str) -> String {
    let spaced = text.replace(['\r', '\n'], " ");
    neutral(spaced.as_bytes()).replace(char::REPLACEMENT_CHARACTER, "")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A line, with | where the cursor is.
    fn input(text: &str) -> Input {
        let cursor = text.find('|').unwrap();
        Input {
            text: text.replacen('|', "", 1),
            cursor,
        }
    }

    fn shown(input: &Input) -> String {
        let (before, after) = input.text.split_at(input.cursor);
        format!("{before}|{after}")
    }

    #[test]
    fn edits_do_what_they_do_in_a_shell() {
        for (before, edit, after) in [
            ("one two|", Edit::Left, "one tw|o"),
            ("|one", Edit::Left, "|one"),
            ("one|", Edit::Right, "one|"),
            ("one two|", Edit::WordLeft, "one |two"),
            ("one, two|", Edit::WordLeft, "one, |two"),
            ("|one two", Edit::WordRight, "one| two"),
            ("one| two", Edit::WordRight, "one two|"),
            ("one t|wo", Edit::Start, "|one two"),
            ("one t|wo", Edit::End, "one two|"),
            ("one t|wo", Edit::EraseLeft, "one |wo"),
            ("one t|wo", Edit::EraseRight, "one t|o"),
            ("see http://a/b|", Edit::KillWordLeft, "see |"),
            ("see   |", Edit::KillWordLeft, "|"),
            ("one| two", Edit::KillWordRight, "one|"),
            ("one t|wo", Edit::KillToStart, "|wo"),
            ("one t|wo", Edit::KillToEnd, "one t|"),
        ] {
            let mut line = input(before);
            line.edit(edit, &mut Killed::default());
            assert_eq!(shown(&line), after, "{before} {edit:?}");
        }
    }

    #[test]
    fn the_cursor_moves_by_what_a_reader_calls_a_character() {
        let family = "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}";
        for cluster in [family, "e\u{301}", "\u{1f1e9}\u{1f1ea}", "中"] {
            let mut line = Input::default();
            line.insert(&format!("a{cluster}b"));
            let mut killed = Killed::default();
            line.edit(Edit::Left, &mut killed);
            line.edit(Edit::Left, &mut killed);
            assert_eq!(line.before_cursor(), "a");
            line.edit(Edit::EraseRight, &mut killed);
            assert_eq!(line.text(), "ab");
        }
    }

    #[test]
    fn kills_in_a_row_are_yanked_together() {
        let mut line = input("one two three|");
        let mut killed = Killed::default();
        line.edit(Edit::KillWordLeft, &mut killed);
        line.edit(Edit::KillWordLeft, &mut killed);
        line.edit(Edit::Yank, &mut killed);
        assert_eq!(shown(&line), "one two three|");
        line.edit(Edit::Start, &mut killed);
        line.edit(Edit::KillToEnd, &mut killed);
        line.edit(Edit::Yank, &mut killed);
        line.edit(Edit::Yank, &mut killed);
        assert_eq!(line.text(), "one two threeone two three");
    }

    #[test]
    fn nothing_that_a_terminal_acts_on_gets_in() {
        let mut line = Input::default();
        line.insert("a\tb\x1b[2J\u{202e}c\nd");
        assert_eq!(line.text(), "a b[2Jc d");
    }

    #[test]
    fn what_does_not_fit_is_refused_whole() {
        let mut line = Input::default();
        assert!(line.insert(&"x".repeat(MAX_INPUT_BYTES)));
        assert!(!line.insert("y"));
        assert_eq!(line.text().len(), MAX_INPUT_BYTES);
    }

    #[test]
    fn a_long_line_is_shown_around_the_cursor() {
        let line = input("abcdefghijklmnop|");
        let window = line.window(8);
        assert!(window.has_more_left && !window.has_more_right);
        assert!("abcdefghijklmnop".ends_with(window.text));
        assert_eq!(window.cursor, window.text.len());
        let line = input("|abcdefghijklmnop");
        let window = line.window(8);
        assert_eq!((window.text, window.cursor), ("abcdefgh", 0));
        assert!(window.has_more_right);
    }

    fn any_edit() -> impl Strategy<Value = Edit> {
        prop::sample::select(vec![
            Edit::Left,
            Edit::Right,
            Edit::WordLeft,
            Edit::WordRight,
            Edit::Start,
            Edit::End,
            Edit::EraseLeft,
            Edit::EraseRight,
            Edit::KillWordLeft,
            Edit::KillWordRight,
            Edit::KillToStart,
            Edit::KillToEnd,
            Edit::Yank,
        ])
    }

    proptest! {
        #[test]
        fn the_cursor_stays_between_clusters_and_in_the_window(
            steps in prop::collection::vec(
                (any_edit(), "[a \u{301}\u{200d}\u{1f468}\u{1f1e9}\u{1f1ea}中\\r\\n]{0,5}"),
                0..30,
            ),
            room in 1..20_usize,
        ) {
            let mut line = Input::default();
            let mut killed = Killed::default();
            for (edit, text) in steps {
                line.insert(&text);
                line.edit(edit, &mut killed);
                let is_between = line.cursor == line.text.len()
                    || line.text.grapheme_indices(true).any(|(at, _)| at == line.cursor);
                prop_assert!(is_between);
                let window = line.window(room);
                prop_assert!(window.cursor < room);
                prop_assert!(columns(window.text) <= room);
            }
        }
    }
}
