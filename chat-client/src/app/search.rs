//! Searching a buffer.
//!
//! Shows: the matches are found once when the text changes, and one by one as
//! entries arrive; going from one to the next searches nothing.

use std::ops::Range;

use crate::formatting;

use super::entry::Entry;
use super::log::{EntryId, Log};

/// The longest text that is searched for.
const MAX_QUERY_BYTES: usize = 200;

/// A search in one buffer.
#[derive(Debug, Default)]
pub(crate) struct Search {
    query: String,
    /// The entries that hold it, the oldest first.
    found: Vec<EntryId>,
    /// Which of them is shown.
    at: Option<usize>,
    /// Whether the text is settled, so that n and N go on.
    pub(crate) is_settled: bool,
    /// How far the log has been searched.
    end: EntryId,
}

impl Search {
    pub(crate) fn query(&self) -> &str {
        &self.query
    }

    /// The entry that is shown.
    pub(crate) fn current(&self) -> Option<EntryId> {
        Some(self.found[self.at?])
    }

    /// Which match is shown, from 1 for the newest, and how many there are.
    pub(crate) fn count(&self) -> (usize, usize) {
        let nth = self.at.map_or(0, |at| self.found.len() - at);
        (nth, self.found.len())
    }

    /// More is typed. Returns false if it would be too long.
    pub(crate) fn add(&mut self, text: &str, log: &Log) -> bool {
        if self.query.len() + text.len() > MAX_QUERY_BYTES {
            return false;
        }
        self.query.push_str(text);
        self.search_again(log);
        true
    }

    /// The last character is taken back; all of them if `all`.
    pub(crate) fn erase(&mut self, all: bool, log: &Log) {
        self.query.pop();
        if all {
            self.query.clear();
        }
        self.search_again(log);
    }

    /// Searches all of the log anew.
    pub(crate) fn search_again(&mut self, log: &Log) {
        let before = self.current();
        self.found.clear();
        self.end = log.first();
        self.at = None;
        self.go_on(log);
        // Stay near what was shown; at first that is the newest.
        let near = before.map_or(self.found.len(), |id| {
            self.found.partition_point(|found| *found <= id)
        });
        self.at = near
            .checked_sub(1)
            .or((!self.found.is_empty()).then_some(0));
    }

    /// Searches what has arrived since, and forgets what was dropped.
    pub(crate) fn go_on(&mut self, log: &Log) {
        let dropped = self.found.partition_point(|found| *found < log.first());
        self.found.drain(..dropped);
        self.at = self.at.map(|at| at.saturating_sub(dropped));
        if self.found.is_empty() {
            self.at = None;
        }
        if self.query.is_empty() {
            return;
        }
        let from = self.end.max(log.first());
        for id in from..log.end() {
            if log.get(id).is_some_and(|entry| holds(entry, &self.query)) {
                self.found.push(id);
            }
        }
        self.end = log.end();
    }

    /// Goes to the next older or newer match, and round at the ends.
    pub(crate) fn step(&mut self, is_newer: bool) {
        let count = self.found.len();
        if count == 0 {
            return;
        }
        let step = if is_newer { 1 } else { count - 1 };
        self.at = Some(self.at.map_or(count - 1, |at| (at + step) % count));
    }
}

fn holds(entry: &Entry, query: &str) -> bool {
    let text = entry.text();
    if formatting::has_codes(text) {
        return !matches(&formatting::parse(text).text, query).is_empty()
            || !matches(entry.nick(), query).is_empty();
    }
    !matches(text, query).is_empty() || !matches(entry.nick(), query).is_empty()
}

/// Where `query` stands in `text`, whatever the case.
pub(crate) fn matches(text: &str, query: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    if query.is_empty() {
        return found;
    }
    let mut at = 0;
    while at < text.len() {
        match match_at(&text[at..], query) {
            Some(length) => {
                found.push(at..at + length);
                at += length;
            }
            None => at += text[at..].chars().next().map_or(1, char::len_utf8),
        }
    }
    found
}

/// How many bytes of `text` are the query, if it begins with it.
fn match_at(text: &str, query: &str) -> Option<usize> {
    let mut rest = text.chars();
    for wanted in query.chars() {
        let c = rest.next()?;
        let is_same = c == wanted
            || c.eq_ignore_ascii_case(&wanted)
            || (!c.is_ascii() && c.to_lowercase().eq(wanted.to_lowercase()));
        if !is_same {
            return None;
        }
    }
    Some(text.len() - rest.as_str().len())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use crate::app::entry::Kind;

    use super::*;

    fn log(texts: &[&str]) -> Log {
        let mut log = Log::new(5);
        for text in texts {
            log.push(Entry::new(Timestamp::UNIX_EPOCH, Kind::Text, "bob", text));
        }
        log
    }

    #[test]
    fn text_is_found_in_any_case() {
        assert_eq!(matches("Grüße GRÜSSE grüße", "GRÜ"), [0..4, 8..12, 16..20]);
        assert_eq!(matches("aaa", "aa"), vec![0..2]);
        assert!(matches("abc", "").is_empty());
    }

    #[test]
    fn the_newest_match_comes_first_and_then_the_older_ones_round() {
        let log = log(&["a one", "b", "a two"]);
        let mut search = Search::default();
        search.add("a", &log);
        assert_eq!((search.current(), search.count()), (Some(2), (1, 2)));
        search.step(false);
        assert_eq!((search.current(), search.count()), (Some(0), (2, 2)));
        search.step(false);
        assert_eq!(search.current(), Some(2));
        search.step(true);
        assert_eq!(search.current(), Some(0));
        search.add(" t", &log);
        assert_eq!((search.current(), search.count()), (Some(2), (1, 1)));
        search.add("x", &log);
        assert_eq!((search.current(), search.count()), (None, (0, 0)));
    }

    #[test]
    fn what_arrives_is_counted_and_what_is_dropped_is_not() {
        let mut log = log(&["a", "b", "a", "b", "b"]);
        let mut search = Search::default();
        search.add("a", &log);
        log.push(Entry::new(
            Timestamp::UNIX_EPOCH,
            Kind::Text,
            "bob",
            "\x02a\x02",
        ));
        search.go_on(&log);
        assert_eq!((search.current(), search.count()), (Some(2), (2, 2)));
    }
}
