//! A buffer: what was said in one place, and what is being typed for it.

use std::collections::VecDeque;

use crate::session::Session;
use crate::wrap::columns;

use super::entry::{Entry, Kind};
use super::input::Input;
use super::laid::LaidEntries;
use super::log::{EntryId, Log};
use super::presence::Change;
use super::scroll::Scroll;

/// The narrowest and the widest that the nicks of a column may be.
const NICK_COLUMNS: std::ops::RangeInclusive<usize> = 3..=12;

/// How many people are remembered as having spoken.
const MAX_SPEAKERS: usize = 300;

/// What a buffer shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// What the server says, and what belongs nowhere else.
    Server,
    /// What was said to the person, from all channels.
    Mentions,
    Channel(String),
    /// What is said between the person and this one.
    Private(String),
}

/// What has happened in a buffer since it was last shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Activity {
    #[default]
    Nothing,
    /// Somebody came or went, or the server has said something.
    Event,
    Message,
    /// Somebody has spoken to the person.
    Mention,
}

/// What was said in one place.
#[derive(Debug)]
pub(crate) struct Buffer {
    pub(crate) place: Place,
    pub(crate) log: Log,
    pub(crate) laid: LaidEntries,
    pub(crate) scroll: Scroll,
    /// How many messages have come while the scroll was held.
    pub(crate) below: usize,
    /// The first of them that speaks to the person, and was not gone to.
    pub(super) mention_below: Option<EntryId>,
    /// The first message that was not read.
    pub(crate) unread_from: Option<EntryId>,
    pub(crate) unread: usize,
    pub(crate) activity: Activity,
    pub(crate) input: Input,
    /// Who has spoken here, folded, the last one last.
    pub(super) speakers: VecDeque<String>,
    /// How wide the nicks are: grows with them.
    pub(crate) nick_columns: usize,
    /// How wide they will be: while the scroll is held, nothing moves.
    wanted_nick_columns: usize,
}

impl Buffer {
    pub(crate) fn new(place: Place, scrollback_lines: usize) -> Buffer {
        Buffer {
            place,
            log: Log::new(scrollback_lines),
            laid: LaidEntries::default(),
            scroll: Scroll::default(),
            below: 0,
            mention_below: None,
            unread_from: None,
            unread: 0,
            activity: Activity::Nothing,
            input: Input::default(),
            speakers: VecDeque::new(),
            nick_columns: *NICK_COLUMNS.start(),
            wanted_nick_columns: *NICK_COLUMNS.start(),
        }
    }

    /// What the buffer is called in the list.
    pub(crate) fn name(&self) -> &str {
        match &self.place {
            Place::Server => "server",
            Place::Mentions => "mentions",
            Place::Channel(name) | Place::Private(name) => name,
        }
    }

    /// To whom text goes that is typed here; none where it goes nowhere.
    pub(crate) fn target(&self) -> Option<&str> {
        match &self.place {
            Place::Server | Place::Mentions => None,
            Place::Channel(name) | Place::Private(name) => Some(name),
        }
    }

    /// Adds an entry. `is_shown` tells whether the person is looking at this
    /// buffer.
    pub(crate) fn add(&mut self, entry: Entry, is_shown: bool, session: &Session) {
        let activity = if entry.marks.is_mention {
            Activity::Mention
        } else if entry.is_message() {
            Activity::Message
        } else if entry.kind == Kind::Info {
            // What the server says of itself is no reason to go and look.
            Activity::Nothing
        } else {
            Activity::Event
        };
        let counts = !entry.marks.is_history && !entry.marks.is_own;
        if entry.is_message() {
            self.remember_speaker(entry.nick(), session);
        }
        if matches!(entry.kind, Kind::Text | Kind::Notice) {
            let dashes = if entry.kind == Kind::Notice { 2 } else { 0 };
            let wanted = columns(entry.nick()) + dashes;
            let wanted = wanted.min(*NICK_COLUMNS.end());
            self.wanted_nick_columns = self.wanted_nick_columns.max(wanted);
            if self.scroll == Scroll::Following {
                self.nick_columns = self.wanted_nick_columns;
            }
        }
        let (is_message, is_mention) = (entry.is_message(), entry.marks.is_mention);
        let id = if entry.marks.is_history {
            self.insert_history(entry)
        } else {
            self.log.push(entry)
        };
        if counts && !is_shown {
            self.activity = self.activity.max(activity);
            if is_message {
                self.unread += 1;
                self.unread_from = self.unread_from.or(Some(id));
            }
        }
        if is_message && self.scroll != Scroll::Following {
            self.below += 1;
            if is_mention {
                self.mention_below = self.mention_below.or(Some(id));
            }
        }
    }

    /// What was said before stands before what has happened since. Whatever
    /// points at what comes after it goes on doing so.
    fn insert_history(&mut self, entry: Entry) -> EntryId {
        let end = self.log.end();
        let id = self.log.insert_by_time(entry);
        if id < end {
            self.laid.forget_all();
            let moved = |entry: EntryId| if entry >= id { entry + 1 } else { entry };
            self.unread_from = self.unread_from.map(moved);
            if let Scroll::Held(position) = &mut self.scroll {
                position.entry = moved(position.entry);
            }
        }
        id
    }

    /// Somebody has come or gone.
    pub(crate) fn add_change(
        &mut self,
        at: jiff::Timestamp,
        change: Change,
        is_shown: bool,
        session: &Session,
    ) {
        // What is seen while the scroll is held does not change.
        let is_seen = match self.scroll {
            Scroll::Following => false,
            Scroll::Held(bottom) => Some(bottom.entry) == self.log.last(),
        };
        let folded = if is_seen {
            Err(change)
        } else {
            self.log.fold(change, |nick| session.fold(nick))
        };
        match folded {
            Ok(id) => {
                self.laid.forget(id);
                if !is_shown {
                    self.activity = self.activity.max(Activity::Event);
                }
            }
            Err(change) => self.add(Entry::presence(at, change), is_shown, session),
        }
    }

    /// The person looks at this buffer now.
    pub(crate) fn enter(&mut self) {
        self.activity = Activity::Nothing;
        self.unread = 0;
    }

    /// The person looks at another buffer now, and has read this one.
    pub(crate) fn leave(&mut self) {
        self.unread_from = None;
        self.laid.forget_all();
        self.follow();
    }

    /// Shows the end again, and what arrives.
    pub(crate) fn follow(&mut self) {
        self.scroll = Scroll::Following;
        self.below = 0;
        self.mention_below = None;
        self.nick_columns = self.wanted_nick_columns;
    }

    fn remember_speaker(&mut self, nick: &str, session: &Session) {
        if nick.is_empty() {
            return;
        }
        let folded = session.fold(nick);
        self.speakers.retain(|speaker| *speaker != folded);
        if self.speakers.len() == MAX_SPEAKERS {
            self.speakers.pop_front();
        }
        self.speakers.push_back(folded);
    }

    /// Somebody is called something else now.
    pub(crate) fn rename_speaker(&mut self, from: &str, to: &str, session: &Session) {
        let (from, to) = (session.fold(from), session.fold(to));
        for speaker in &mut self.speakers {
            if *speaker == from {
                speaker.clone_from(&to);
            }
        }
    }

    /// Who has spoken here, folded, the last one first.
    pub(crate) fn speakers(&self) -> impl Iterator<Item = &str> {
        self.speakers.iter().rev().map(String::as_str)
    }
}
