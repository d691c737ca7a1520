//! Where in the log one is, and the way up and down from there.
//!
//! Shows: a position is an entry and a row in it, not a distance from the end,
//! so that what arrives at the end moves nothing; and a step touches one entry,
//! so that neither scrolling nor drawing depends on how much there is.

use std::collections::VecDeque;
use std::rc::Rc;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::session::Session;
use crate::theme::Theme;

use super::buffer::Place;
use super::laid::{Laid, LaidEntries, Shape};
use super::log::{EntryId, Log};

/// A row of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) entry: EntryId,
    /// Counted from the first row of its text; what stands above that, a date
    /// for example, has -1 and less.
    pub(crate) row: isize,
}

/// Which part of the log is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Scroll {
    /// The end, whatever arrives.
    #[default]
    Following,
    /// This is the last row, whatever arrives.
    Held(Position),
}

/// What stands in a row.
#[derive(Debug)]
pub(crate) enum RowContent {
    /// A new day begins.
    Date(Date),
    /// What follows was not read.
    Unread,
    /// This row of an entry.
    Text(Rc<Laid>, usize),
}

/// The rows of a log in a shape.
pub(crate) struct Rows<'a> {
    pub(crate) log: &'a Log,
    pub(crate) laid: &'a mut LaidEntries,
    pub(crate) shape: Shape,
    pub(crate) theme: Theme,
    pub(crate) zone: &'a TimeZone,
    pub(crate) unread_from: Option<EntryId>,
    pub(crate) nicks: KnownNicks<'a>,
}

/// The nicks that are known in a buffer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KnownNicks<'a> {
    pub(crate) session: &'a Session,
    pub(crate) place: &'a Place,
    /// Who has spoken here, folded.
    pub(crate) speakers: &'a VecDeque<String>,
}

impl KnownNicks<'_> {
    fn contain(self, word: &str) -> bool {
        let session = self.session;
        let folded = session.fold(word);
        let is_here = match self.place {
            Place::Channel(name) => session.is_member(name, word),
            Place::Private(nick) => session.fold(nick) == folded,
            Place::Server | Place::Mentions => false,
        };
        is_here || folded == session.fold(&session.nick()) || self.speakers.contains(&folded)
    }
}

impl Rows<'_> {
    /// The last row, if there is any.
    pub(crate) fn last(&mut self) -> Option<Position> {
        let entry = self.log.last()?;
        Some(self.last_of(entry))
    }

    /// The first row, if there is any.
    pub(crate) fn first(&self) -> Option<Position> {
        self.log.last()?;
        Some(self.first_of(self.log.first()))
    }

    /// The topmost row of an entry, what stands above its text included.
    pub(crate) fn first_of(&self, entry: EntryId) -> Position {
        let row = -(self
            .above(entry)
            .into_iter()
            .flatten()
            .count()
            .cast_signed());
        Position { entry, row }
    }

    /// The last row of an entry.
    pub(crate) fn last_of(&mut self, entry: EntryId) -> Position {
        let rows = self.laid(entry).map_or(1, |laid| laid.rows.len());
        Position {
            entry,
            row: rows.cast_signed() - 1,
        }
    }

    /// The nearest row that there is now: the log may have dropped the entry, or
    /// laid it out anew.
    pub(crate) fn nearest(&mut self, position: Position) -> Option<Position> {
        let (first, last) = (self.first()?, self.last()?);
        let position = position.clamp(first, last);
        let top = self.first_of(position.entry);
        let bottom = self.last_of(position.entry);
        Some(position.clamp(top, bottom))
    }

    /// The row `count` rows further up, or the first.
    pub(crate) fn up(&mut self, mut position: Position, mut count: usize) -> Position {
        loop {
            let top = self.first_of(position.entry);
            let above = (position.row - top.row).unsigned_abs();
            if count <= above {
                position.row -= count.cast_signed();
                return position;
            }
            if position.entry <= self.log.first() {
                return top;
            }
            count -= above + 1;
            position = self.last_of(position.entry - 1);
        }
    }

    /// The row `count` rows further down, or the last.
    pub(crate) fn down(&mut self, mut position: Position, mut count: usize) -> Position {
        loop {
            let bottom = self.last_of(position.entry);
            let below = (bottom.row - position.row).unsigned_abs();
            if count <= below {
                position.row += count.cast_signed();
                return position;
            }
            if position.entry + 1 >= self.log.end() {
                return bottom;
            }
            count -= below + 1;
            position = self.first_of(position.entry + 1);
        }
    }

    /// The rows that fill a window of `height` whose last row is `bottom`, the
    /// topmost first; fewer if the log has fewer. Where the log begins within
    /// the window, it goes on below `bottom`.
    pub(crate) fn window(&mut self, bottom: Position, height: usize) -> Vec<Position> {
        let mut rows = Vec::with_capacity(height);
        if height == 0 {
            return rows;
        }
        let mut position = self.up(bottom, height - 1);
        let last = self.last();
        rows.push(position);
        while rows.len() < height && Some(position) != last {
            position = self.down(position, 1);
            rows.push(position);
        }
        rows
    }

    /// What stands in a row.
    pub(crate) fn content(&mut self, position: Position) -> Option<RowContent> {
        if let Ok(row) = usize::try_from(position.row) {
            return Some(RowContent::Text(self.laid(position.entry)?, row));
        }
        let above = self.above(position.entry);
        let mut back = above.into_iter().flatten().rev();
        let nth = position.row.unsigned_abs() - 1;
        back.nth(nth)
    }

    /// What stands above the text of an entry, the topmost first.
    fn above(&self, entry: EntryId) -> [Option<RowContent>; 2] {
        let date = |entry| {
            let entry = self.log.get(entry)?;
            Some(self.zone.to_datetime(entry.at()).date())
        };
        let day = date(entry);
        let before = entry.checked_sub(1).and_then(date);
        let is_unread = self.unread_from == Some(entry);
        [
            day.filter(|_| day != before).map(RowContent::Date),
            is_unread.then_some(RowContent::Unread),
        ]
    }

    pub(crate) fn laid(&mut self, id: EntryId) -> Option<Rc<Laid>> {
        let entry = self.log.get(id)?;
        let time = || clock_time(self.zone, entry.at());
        let is_nick = |word: &str| self.nicks.contain(word);
        let lay_out = || Laid::new(entry, self.shape, self.theme, is_nick, time);
        Some(self.laid.get(id, self.shape, lay_out))
    }
}

/// `01:16`.
pub(crate) fn clock_time(zone: &TimeZone, at: jiff::Timestamp) -> String {
    let time = zone.to_datetime(at);
    format!("{:02}:{:02}", time.hour(), time.minute())
}
