//! One thing in a log: what was said, or what has happened.
//!
//! Shows: ten thousand of these are kept for each buffer, so one is small: a
//! time, a kind, and one allocation for its nick and text.

use jiff::Timestamp;

use super::presence::{Change, Presence};

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Somebody has said it.
    Text,
    /// Somebody does it (`/me`).
    Action,
    /// A program has said it.
    Notice,
    /// Something has happened: a topic was set, somebody was thrown out.
    Event,
    /// An answer, or what the client has to say.
    Info,
    /// Something did not work.
    Error,
    /// People came and went.
    Presence,
}

/// What else is to be known of an entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    /// The person himself has said it.
    pub(crate) is_own: bool,
    /// The person is spoken to.
    pub(crate) is_mention: bool,
    /// It was said before the person came.
    pub(crate) is_history: bool,
}

/// One thing in a log.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Since 1970, until 2106.
    seconds: u32,
    pub(crate) kind: Kind,
    pub(crate) marks: Marks,
    nick_bytes: u8,
    content: Content,
}

#[derive(Clone, Debug)]
enum Content {
    /// The nick, and behind it the text, which may hold formatting codes.
    Text(Box<str>),
    Presence(Box<Presence>),
}

impl Entry {
    /// An entry with a nick, which is empty where there is none.
    pub(crate) fn new(at: Timestamp, kind: Kind, nick: &str, text: &str) -> Entry {
        let nick = &nick[..nick.floor_char_boundary(usize::from(u8::MAX))];
        Entry {
            seconds: u32::try_from(at.as_second()).unwrap_or_default(),
            kind,
            marks: Marks::default(),
            nick_bytes: u8::try_from(nick.len()).expect("it was cut to fit"),
            content: Content::Text(format!("{nick}{text}").into_boxed_str()),
        }
    }

    /// Somebody has come, gone or changed the name.
    pub(crate) fn presence(at: Timestamp, change: Change) -> Entry {
        let mut entry = Entry::new(at, Kind::Presence, "", "");
        entry.content = Content::Presence(Box::new(Presence::new(change)));
        entry
    }

    pub(crate) fn at(&self) -> Timestamp {
        Timestamp::from_second(i64::from(self.seconds)).unwrap_or_default()
    }

    /// Who has said it; empty if nobody has.
    pub(crate) fn nick(&self) -> &str {
        match &self.content {
            Content::Text(text) => &text[..usize::from(self.nick_bytes)],
            Content::Presence(_) => "",
        }
    }

    /// What was said, with its formatting codes; empty for [`Kind::Presence`].
    pub(crate) fn text(&self) -> &str {
        match &self.content {
            Content::Text(text) => &text[usize::from(self.nick_bytes)..],
            Content::Presence(_) => "",
        }
    }

    /// Who came and went, if this is what the entry is about.
    pub(crate) fn comings(&self) -> Option<&Presence> {
        match &self.content {
            Content::Text(_) => None,
            Content::Presence(presence) => Some(presence),
        }
    }

    /// Takes one more change into this entry. Gives it back if there is no room
    /// for it here.
    pub(crate) fn fold(&mut self, change: Change, fold: impl Fn(&str) -> String) -> Option<Change> {
        match &mut self.content {
            Content::Presence(presence) => presence.fold(change, fold),
            Content::Text(_) => Some(change),
        }
    }

    /// Whether this counts as a message that somebody may want to read.
    pub(crate) fn is_message(&self) -> bool {
        matches!(self.kind, Kind::Text | Kind::Action | Kind::Notice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_small() {
        assert!(size_of::<Entry>() <= 32, "{}", size_of::<Entry>());
    }
}
