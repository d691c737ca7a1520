//! All buffers, and which of them is shown.

use crate::session::Session;

use super::buffer::{Activity, Buffer, Place};

/// The most buffers at a time: a stranger opens one by a private message.
const MAX_BUFFERS: usize = 200;

/// The index of the server's buffer, which is always there.
pub(crate) const SERVER: usize = 0;

/// All buffers in the order in which they are listed; never none.
#[derive(Debug)]
pub(crate) struct Buffers {
    list: Vec<Buffer>,
    current: usize,
    /// The one that was shown before.
    before: Option<Place>,
    scrollback_lines: usize,
}

impl Buffers {
    pub(crate) fn new(scrollback_lines: usize) -> Buffers {
        Buffers {
            list: vec![Buffer::new(Place::Server, scrollback_lines)],
            current: SERVER,
            before: None,
            scrollback_lines,
        }
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &Buffer> {
        self.list.iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    pub(crate) fn get_mut(&mut self, index: usize) -> &mut Buffer {
        &mut self.list[index]
    }

    pub(crate) fn current_index(&self) -> usize {
        self.current
    }

    pub(crate) fn current(&self) -> &Buffer {
        &self.list[self.current]
    }

    pub(crate) fn current_mut(&mut self) -> &mut Buffer {
        &mut self.list[self.current]
    }

    /// Where the buffer of a place is. Names are compared as the server does.
    pub(crate) fn position(&self, place: &Place, session: &Session) -> Option<usize> {
        let is_same = |one: &str, other: &str| session.fold(one) == session.fold(other);
        self.list
            .iter()
            .position(|buffer| match (&buffer.place, place) {
                (Place::Server, Place::Server) | (Place::Mentions, Place::Mentions) => true,
                (Place::Channel(one), Place::Channel(other))
                | (Place::Private(one), Place::Private(other)) => is_same(one, other),
                _ => false,
            })
    }

    /// The buffer of a place, opened if there is none; the server's if there
    /// are too many.
    pub(crate) fn open(&mut self, place: Place, session: &Session) -> usize {
        if let Some(index) = self.position(&place, session) {
            return index;
        }
        if self.list.len() == MAX_BUFFERS {
            return SERVER;
        }
        self.list.push(Buffer::new(place, self.scrollback_lines));
        self.list.len() - 1
    }

    /// Shows a buffer. Returns false if there is none with this index.
    pub(crate) fn show(&mut self, index: usize) -> bool {
        if index >= self.list.len() {
            return false;
        }
        if index != self.current {
            self.before = Some(self.current().place.clone());
            self.current_mut().leave();
            self.current = index;
        }
        self.current_mut().enter();
        true
    }

    /// Closes a buffer, but never the server's. Whoever looked at it looks at the
    /// one before.
    pub(crate) fn close(&mut self, index: usize, session: &Session) {
        if index == SERVER || index >= self.list.len() {
            return;
        }
        self.list.remove(index);
        if self.current > index {
            self.current -= 1;
        } else if self.current == index {
            let before = self.before.take();
            let before = before.and_then(|place| self.position(&place, session));
            self.current = before.unwrap_or(index - 1);
            self.current_mut().enter();
        }
    }

    /// The buffer to go on with: the next with a mention, else the next with a
    /// message, counted from the current one.
    pub(crate) fn next_unread(&self) -> Option<usize> {
        let behind = (self.current + 1..self.list.len()).chain(0..self.current);
        [Activity::Mention, Activity::Message]
            .into_iter()
            .find_map(|wanted| {
                behind
                    .clone()
                    .find(|&index| self.list[index].activity == wanted)
            })
    }

    /// The buffers with something to read, mentions first.
    pub(crate) fn unread(&self) -> impl Iterator<Item = (usize, &Buffer)> {
        [Activity::Mention, Activity::Message]
            .into_iter()
            .flat_map(|wanted| {
                let numbered = self.list.iter().enumerate();
                numbered.filter(move |(_, buffer)| buffer.activity == wanted)
            })
    }

    /// The index of the buffer that the argument of `/buffer` means: a number
    /// from 1, a name, or the beginning of one.
    pub(crate) fn find(&self, wanted: &str, session: &Session) -> Option<usize> {
        if let Ok(number) = wanted.parse::<usize>() {
            return number
                .checked_sub(1)
                .filter(|&index| index < self.list.len());
        }
        let wanted = session.fold(wanted);
        let bare = |name: &str| session.fold(name.trim_start_matches(['#', '&']));
        let all = || self.list.iter().map(Buffer::name);
        all()
            .position(|name| session.fold(name) == wanted)
            .or_else(|| all().position(|name| bare(name) == wanted))
            .or_else(|| all().position(|name| session.fold(name).starts_with(&wanted)))
            .or_else(|| all().position(|name| bare(name).starts_with(&wanted)))
    }
}
