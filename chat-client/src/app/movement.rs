//! Up and down in the log, and from buffer to buffer.

use crate::session::Session;
use crate::view;

use super::App;
use super::buffer::{Activity, Buffer, Place};
use super::laid::{Manner, Shape};
use super::log::EntryId;
use super::scroll::{KnownNicks, Position, Rows, Scroll};
use super::search::matches;

/// A page keeps so many rows of the one before.
const PAGE_OVERLAP_ROWS: usize = 2;

impl App {
    /// The rows of the buffer that is shown, and how many the screen has while
    /// the scroll is held.
    pub(crate) fn rows<'a>(&'a mut self, session: &'a Session) -> (Rows<'a>, usize) {
        let layout = view::layout(self);
        let shape = view::shape(self, &layout);
        let height = usize::from(layout.log.height);
        let buffer = self.buffers.current_mut();
        let rows = buffer_rows(buffer, shape, self.theme, &self.zone, session);
        // The last row says how much is below.
        (rows, height.saturating_sub(1).max(1))
    }

    pub(super) fn page_up(&mut self, session: &Session) {
        let scroll = self.buffers.current().scroll;
        let (mut rows, height) = self.rows(session);
        let Some(bottom) = bottom(&mut rows, scroll) else {
            return;
        };
        let page = height.saturating_sub(PAGE_OVERLAP_ROWS).max(1);
        let top = rows.up(bottom, height - 1 + page);
        self.hold_top(session, top);
    }

    pub(super) fn page_down(&mut self, session: &Session) {
        let scroll = self.buffers.current().scroll;
        let (mut rows, height) = self.rows(session);
        let Some(bottom) = bottom(&mut rows, scroll) else {
            return;
        };
        let page = height.saturating_sub(PAGE_OVERLAP_ROWS).max(1);
        let bottom = rows.down(bottom, page);
        self.hold(session, bottom);
    }

    pub(super) fn scroll_to_start(&mut self, session: &Session) {
        let (rows, _) = self.rows(session);
        if let Some(top) = rows.first() {
            self.hold_top(session, top);
        }
    }

    /// To the first message that was not read.
    pub(super) fn show_unread(&mut self, session: &Session) {
        match self.buffers.current().unread_from {
            Some(entry) => {
                let (rows, _) = self.rows(session);
                let top = rows.first_of(entry);
                self.hold_top(session, top);
            }
            None => self.flash = Some("nothing here is unread".to_owned()),
        }
    }

    /// Shows where an entry holds `query`, with some of what stands around it.
    pub(super) fn show_entry(&mut self, session: &Session, entry: EntryId, query: &str) {
        let (mut rows, height) = self.rows(session);
        let found = rows.laid(entry).and_then(|laid| {
            let found = matches(&laid.text, query).into_iter().next()?;
            Some(laid.row_of(found.start))
        });
        let row = found.unwrap_or(0).cast_signed();
        let position = Position { entry, row };
        let top = rows.up(position, height / 2);
        self.hold_top(session, top);
    }

    /// Holds the part of the log that begins with this row.
    fn hold_top(&mut self, session: &Session, top: Position) {
        let (mut rows, height) = self.rows(session);
        if let Some(top) = rows.nearest(top) {
            let bottom = rows.down(top, height - 1);
            self.hold(session, bottom);
        }
    }

    /// Holds the part of the log that ends with this row; the end is followed.
    fn hold(&mut self, session: &Session, bottom: Position) {
        let (mut rows, _) = self.rows(session);
        let is_end = rows.last().is_none_or(|last| bottom >= last);
        let buffer = self.buffers.current_mut();
        if is_end {
            buffer.follow();
        } else {
            buffer.scroll = Scroll::Held(bottom);
        }
    }

    pub(super) fn show_neighbour(&mut self, is_back: bool) {
        let count = self.buffers.len();
        let step = if is_back { count - 1 } else { 1 };
        self.show((self.buffers.current_index() + step) % count);
    }

    /// Shows what is unread, mentions first: what has come below in this buffer,
    /// then the next buffer with something; after the last of them the one from
    /// which the walk began.
    pub(super) fn show_next_unread(&mut self, session: &Session) {
        if let Some(entry) = self.buffers.current_mut().mention_below.take() {
            let (mut rows, _) = self.rows(session);
            let bottom = rows.last_of(entry);
            return self.hold(session, bottom);
        }
        let is_mention = (self.buffers.unread().next())
            .is_some_and(|(_, buffer)| buffer.activity == Activity::Mention);
        if self.buffers.current().below > 0 && !is_mention {
            return self.buffers.current_mut().follow();
        }
        if let Some(index) = self.buffers.next_unread() {
            if self.walk_start.is_none() {
                self.walk_start = Some(self.buffers.current().place.clone());
            }
            return self.show(index);
        }
        let start = self.walk_start.take();
        match start.and_then(|place| self.buffers.position(&place, session)) {
            Some(index) if index != self.buffers.current_index() => self.show(index),
            _ => self.flash = Some("nothing is unread".to_owned()),
        }
    }

    /// Shows what was said to the person, from everywhere.
    pub(super) fn show_mentions(&mut self, session: &Session) {
        let is_open = self.buffers.position(&Place::Mentions, session).is_some();
        let index = self.buffers.open(Place::Mentions, session);
        if !is_open && index != super::buffers::SERVER {
            for entry in self.mentions.iter() {
                self.buffers
                    .get_mut(index)
                    .add(entry.clone(), true, session);
            }
        }
        self.show(index);
        if self.buffers.current().log.last().is_none() {
            self.tell(session, "nobody has named you yet");
        }
    }
}

/// The rows of a buffer in a shape.
fn buffer_rows<'a>(
    buffer: &'a mut Buffer,
    shape: Shape,
    theme: crate::theme::Theme,
    zone: &'a jiff::tz::TimeZone,
    session: &'a Session,
) -> Rows<'a> {
    let shape = match shape.manner {
        // One column stands free before the longest.
        Manner::Columns { .. } => Shape {
            manner: Manner::Columns {
                nick: buffer.nick_columns + 1,
            },
            ..shape
        },
        _ => shape,
    };
    let Buffer {
        log,
        laid,
        unread_from,
        place,
        speakers,
        ..
    } = buffer;
    Rows {
        log,
        laid,
        shape,
        theme,
        zone,
        unread_from: *unread_from,
        nicks: KnownNicks {
            session,
            place,
            speakers,
        },
    }
}

/// The last row that is shown.
pub(crate) fn bottom(rows: &mut Rows<'_>, scroll: Scroll) -> Option<Position> {
    match scroll {
        Scroll::Following => rows.last(),
        Scroll::Held(position) => rows.nearest(position),
    }
}
