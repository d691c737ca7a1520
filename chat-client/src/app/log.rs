//! The entries of one buffer: a ring with a limit.
//!
//! Shows: an entry keeps its number when older ones are dropped, so that what
//! points at it (where one has scrolled to, what was not read) goes on pointing
//! at it.

use std::collections::VecDeque;

use super::entry::Entry;
use super::presence::Change;

/// The number of an entry: counted from the first that the log has ever had.
pub(crate) type EntryId = u64;

/// How many entries back one that is told again is looked for.
const KNOWN_ENTRIES: usize = 300;

/// The newest entries of a buffer.
#[derive(Debug)]
pub(crate) struct Log {
    entries: VecDeque<Entry>,
    first: EntryId,
    limit: usize,
}

impl Log {
    /// A log that keeps `limit` entries, one at least.
    pub(crate) fn new(limit: usize) -> Log {
        Log {
            entries: VecDeque::new(),
            first: 0,
            limit: limit.max(1),
        }
    }

    /// The number of the oldest entry that is kept, or of the next one if there
    /// is none.
    pub(crate) fn first(&self) -> EntryId {
        self.first
    }

    /// The number that the next entry will have.
    pub(crate) fn end(&self) -> EntryId {
        self.first + self.entries.len() as u64
    }

    /// The number of the newest entry, if there is one.
    pub(crate) fn last(&self) -> Option<EntryId> {
        (!self.entries.is_empty()).then(|| self.end() - 1)
    }

    /// An entry, if it is still kept.
    pub(crate) fn get(&self, id: EntryId) -> Option<&Entry> {
        let index = id.checked_sub(self.first)?;
        self.entries.get(usize::try_from(index).ok()?)
    }

    /// Adds an entry, and drops the oldest if there are too many.
    pub(crate) fn push(&mut self, entry: Entry) -> EntryId {
        if self.entries.len() == self.limit {
            self.entries.pop_front();
            self.first += 1;
        }
        self.entries.push_back(entry);
        self.end() - 1
    }

    /// Puts an entry among the newest so that they stay in the order of their
    /// times. Returns its number; those behind it have the next one each.
    pub(crate) fn insert_by_time(&mut self, entry: Entry) -> EntryId {
        let later = self.entries.iter().rev().take(KNOWN_ENTRIES);
        let later = later.take_while(|known| known.at() > entry.at()).count();
        if later == 0 {
            return self.push(entry);
        }
        self.entries.insert(self.entries.len() - later, entry);
        if self.entries.len() > self.limit {
            self.entries.pop_front();
            self.first += 1;
        }
        self.end() - 1 - later as u64
    }

    /// Takes a change into the newest entry, if that is about comings and goings
    /// too. Returns the entry's number, or the change.
    pub(crate) fn fold(
        &mut self,
        change: Change,
        fold: impl Fn(&str) -> String,
    ) -> Result<EntryId, Change> {
        let Some(last) = self.entries.back_mut() else {
            return Err(change);
        };
        match last.fold(change, fold) {
            None => Ok(self.end() - 1),
            Some(change) => Err(change),
        }
    }

    /// Whether an entry says the same at the same time as one that is there.
    pub(crate) fn knows(&self, entry: &Entry) -> bool {
        self.entries.iter().rev().take(KNOWN_ENTRIES).any(|known| {
            known.kind == entry.kind
                && known.at() == entry.at()
                && known.nick() == entry.nick()
                && known.text() == entry.text()
        })
    }

    /// Drops all entries.
    pub(crate) fn clear(&mut self) {
        self.first = self.end();
        self.entries.clear();
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use crate::app::entry::Kind;

    use super::*;

    fn entry(text: &str) -> Entry {
        Entry::new(Timestamp::UNIX_EPOCH, Kind::Text, "bob", text)
    }

    #[test]
    fn an_entry_keeps_its_number_when_older_ones_are_dropped() {
        let mut log = Log::new(3);
        for text in ["a", "b", "c"] {
            log.push(entry(text));
        }
        let c = log.last().unwrap();
        log.push(entry("d"));
        assert_eq!(log.get(c).unwrap().text(), "c");
        assert!(log.get(0).is_none(), "dropped");
        assert_eq!((log.first(), log.end()), (1, 4));
        log.clear();
        assert_eq!((log.first(), log.end()), (4, 4));
    }

    #[test]
    fn what_was_said_earlier_stands_earlier() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let entry = |second: i64| Entry::new(at(second), Kind::Text, "bob", &second.to_string());
        let texts = |log: &Log| -> Vec<String> {
            let entries = (log.first()..log.end()).filter_map(|id| log.get(id));
            entries.map(|entry| entry.text().to_owned()).collect()
        };
        let mut log = Log::new(4);
        log.push(entry(10));
        log.push(entry(20));
        assert_eq!(log.insert_by_time(entry(5)), 0);
        assert_eq!(log.insert_by_time(entry(15)), 2);
        assert_eq!(texts(&log), ["5", "10", "15", "20"]);
        assert_eq!(
            log.insert_by_time(entry(15)),
            3,
            "behind what was said in the same second"
        );
        assert_eq!(texts(&log), ["10", "15", "15", "20"]);
        assert_eq!((log.first(), log.end()), (1, 5));
    }

    #[test]
    fn what_is_told_again_is_known() {
        let mut log = Log::new(10);
        log.push(entry("hello"));
        assert!(log.knows(&entry("hello")));
        assert!(!log.knows(&entry("hullo")));
    }
}
