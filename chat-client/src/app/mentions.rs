//! What was said to the person: found in a text, and collected from everywhere.

use std::collections::VecDeque;

use unicode_segmentation::UnicodeSegmentation;

use super::entry::Entry;

/// How many are kept.
const MAX_MENTIONS: usize = 500;

/// The last messages that name the person.
#[derive(Debug, Default)]
pub(crate) struct Mentions {
    entries: VecDeque<Entry>,
}

impl Mentions {
    /// Keeps a message that was said in `buffer`. Returns it with the place
    /// before its text.
    pub(crate) fn keep(&mut self, entry: &Entry, buffer: &str) -> Entry {
        let text = format!("{buffer}: {}", entry.text());
        let mut kept = Entry::new(entry.at(), entry.kind, entry.nick(), &text);
        kept.marks = entry.marks;
        if self.entries.len() == MAX_MENTIONS {
            self.entries.pop_front();
        }
        self.entries.push_back(kept.clone());
        kept
    }

    /// All that are kept, the oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }
}

/// The words of a text, as nicks are told apart in it: where each begins, and
/// the word.
pub(crate) fn nick_words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_inside = |c: char| c.is_alphanumeric() || "-_[]\\`^{|}".contains(c);
    let mut rest = 0;
    std::iter::from_fn(move || {
        let start = rest + text[rest..].find(is_inside)?;
        let end = text[start..]
            .find(|c| !is_inside(c))
            .map_or(text.len(), |length| start + length);
        rest = end;
        // Somebody else's brackets and dashes: [ann], ann- and -ann-.
        let word = &text[start..end];
        let inner = word.trim_start_matches(['-', '[', '{']);
        let start = start + word.len() - inner.len();
        Some((start, inner.trim_end_matches(['-', ']', '}'])))
    })
    .filter(|(_, word)| !word.is_empty())
}

/// Whether a text has `folded_nick` in it as a word.
pub(crate) fn mentions(text: &str, folded_nick: &str, fold: impl Fn(&str) -> String) -> bool {
    // A combining mark behind the nick makes it another word.
    let has_more = |end: usize| {
        text[end..].graphemes(true).next().is_some_and(|g| {
            g.chars()
                .next()
                .is_some_and(|c| !c.is_ascii() && crate::wrap::grapheme_columns(g) == 0)
        })
    };
    nick_words(text).any(|(at, word)| fold(word) == folded_nick && !has_more(at + word.len()))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use crate::app::entry::Kind;

    use super::*;

    #[test]
    fn only_so_many_are_kept_and_each_says_where() {
        let mut mentions = Mentions::default();
        for number in 0..=MAX_MENTIONS {
            let text = format!("ann: {number}");
            let entry = Entry::new(Timestamp::UNIX_EPOCH, Kind::Text, "bob", &text);
            mentions.keep(&entry, "#rust");
        }
        assert_eq!(mentions.iter().count(), MAX_MENTIONS);
        assert_eq!(mentions.iter().next().unwrap().text(), "#rust: ann: 1");
    }

    #[test]
    fn a_nick_is_mentioned_only_as_a_word() {
        for (text, is_mentioned) in [
            ("ann: did you see", true),
            ("hello ANN!", true),
            ("@ann", true),
            ("ann's", true),
            ("[ann] -ann-", true),
            ("planned", false),
            ("ann_ and anna", false),
            ("ann\u{301}", false),
            ("", false),
        ] {
            assert_eq!(
                mentions(text, "ann", str::to_lowercase),
                is_mentioned,
                "{text}"
            );
        }
    }
}
