//! What was said to the person, collected from everywhere.

use std::collections::VecDeque;

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
}
