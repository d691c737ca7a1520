//! One thing in a log: what was said, or what has happened.
//!
//! Shows: ten thousand of these are kept for each buffer, so one is small: a
//! time, a kind, and one allocation for its nick and text.

use std::fmt::Write;

use jiff::Timestamp;
use unicode_segmentation::UnicodeSegmentation;

use crate::theme::Symbols;

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
        let presence = Presence {
            changes: vec![change],
        };
        entry.content = Content::Presence(Box::new(presence));
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
            Content::Presence(presence) if presence.changes.len() < MAX_FOLDED => {
                presence.fold(change, fold);
                None
            }
            _ => Some(change),
        }
    }

    /// Whether this counts as a message that somebody may want to read.
    pub(crate) fn is_message(&self) -> bool {
        matches!(self.kind, Kind::Text | Kind::Action | Kind::Notice)
    }
}

/// How many changes one line folds; a line that says more is not read.
const MAX_FOLDED: usize = 50;

/// Who came and went, folded into one line.
#[derive(Clone, Debug)]
pub(crate) struct Presence {
    changes: Vec<Change>,
}

/// One coming or going.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Joined(Box<str>),
    /// And why.
    Left(Box<str>, Box<str>),
    /// Joined and left again.
    CameAndWent(Box<str>),
    /// Left and joined again.
    Returned(Box<str>),
    Renamed(Box<str>, Box<str>),
}

impl Presence {
    fn fold(&mut self, change: Change, fold: impl Fn(&str) -> String) {
        let nick = match &change {
            Change::Joined(nick)
            | Change::Left(nick, _)
            | Change::CameAndWent(nick)
            | Change::Returned(nick) => fold(nick),
            Change::Renamed(from, to) => return self.rename(from, to, fold),
        };
        let is_same = |other: &str| fold(other) == nick;
        for earlier in self.changes.iter_mut().rev() {
            let combined = match (&*earlier, &change) {
                (Change::Joined(who) | Change::CameAndWent(who), Change::Left(..))
                    if is_same(who) =>
                {
                    Change::CameAndWent(who.clone())
                }
                (Change::Left(who, _), Change::Joined(_)) if is_same(who) => {
                    Change::Returned(who.clone())
                }
                (Change::Returned(who), Change::Left(_, why)) if is_same(who) => {
                    Change::Left(who.clone(), why.clone())
                }
                (Change::CameAndWent(who), Change::Joined(_)) if is_same(who) => {
                    Change::Joined(who.clone())
                }
                _ => continue,
            };
            *earlier = combined;
            return;
        }
        self.changes.push(change);
    }

    /// Who has come just now has come by the new name.
    fn rename(&mut self, from: &str, to: &str, fold: impl Fn(&str) -> String) {
        let is_same = |other: &str| fold(other) == fold(from);
        for earlier in self.changes.iter_mut().rev() {
            match earlier {
                Change::Joined(who) | Change::Returned(who) | Change::Renamed(_, who)
                    if is_same(who) =>
                {
                    *who = to.into();
                    return;
                }
                _ => {}
            }
        }
        self.changes.push(Change::Renamed(from.into(), to.into()));
    }

    /// Whether somebody is there who was not before.
    pub(crate) fn has_come(&self) -> bool {
        !self
            .changes
            .iter()
            .all(|change| matches!(change, Change::Left(..)))
    }

    /// In words: `carol, dave joined · erin left`.
    pub(crate) fn words(&self, symbols: &Symbols) -> String {
        let mut words = String::new();
        let names = |which: fn(&Change) -> Option<&str>| -> Vec<&str> {
            self.changes.iter().filter_map(which).collect()
        };
        let groups = [
            (
                names(|change| match change {
                    Change::Joined(nick) => Some(nick),
                    _ => None,
                }),
                "joined",
            ),
            (
                names(|change| match change {
                    Change::Left(nick, _) => Some(nick),
                    _ => None,
                }),
                "left",
            ),
            (
                names(|change| match change {
                    Change::Returned(nick) => Some(nick),
                    _ => None,
                }),
                "left and came back",
            ),
            (
                names(|change| match change {
                    Change::CameAndWent(nick) => Some(nick),
                    _ => None,
                }),
                "came and went",
            ),
        ];
        let separator = format!(" {} ", symbols.dot);
        let mut add = |part: &str| {
            if !words.is_empty() {
                words.push_str(&separator);
            }
            words.push_str(part);
        };
        for (nicks, what) in groups {
            if !nicks.is_empty() {
                add(&format!("{} {what}", nicks.join(", ")));
            }
        }
        for change in &self.changes {
            if let Change::Renamed(from, to) = change {
                add(&format!("{from} is now {to}"));
            }
        }
        if let [Change::Left(_, why)] = self.changes.as_slice()
            && !why.is_empty()
        {
            let _ = write!(words, " ({why})");
        }
        words
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
    use crate::theme::Theme;

    use super::*;

    fn joined(nick: &str) -> Change {
        Change::Joined(nick.into())
    }

    fn left(nick: &str) -> Change {
        Change::Left(nick.into(), "bye".into())
    }

    fn words(changes: Vec<Change>) -> String {
        let mut changes = changes.into_iter();
        let mut entry = Entry::presence(Timestamp::UNIX_EPOCH, changes.next().unwrap());
        for change in changes {
            assert_eq!(entry.fold(change, str::to_lowercase), None);
        }
        entry
            .comings()
            .unwrap()
            .words(Theme::new(true, false).symbols)
    }

    #[test]
    fn an_entry_is_small() {
        assert!(size_of::<Entry>() <= 32, "{}", size_of::<Entry>());
    }

    #[test]
    fn comings_and_goings_are_one_line() {
        assert_eq!(
            words(vec![joined("carol"), joined("dave"), left("erin")]),
            "carol, dave joined · erin left"
        );
        assert_eq!(words(vec![left("erin")]), "erin left (bye)");
    }

    #[test]
    fn who_comes_and_goes_is_named_once() {
        assert_eq!(
            words(vec![joined("Carol"), left("carol")]),
            "Carol came and went"
        );
        assert_eq!(
            words(vec![left("erin"), joined("erin")]),
            "erin left and came back"
        );
        assert_eq!(
            words(vec![left("erin"), joined("erin"), left("erin")]),
            "erin left (bye)"
        );
        let renamed = |from: &str, to: &str| Change::Renamed(from.into(), to.into());
        assert_eq!(
            words(vec![joined("guest1"), renamed("guest1", "bob")]),
            "bob joined"
        );
        assert_eq!(
            words(vec![left("erin"), renamed("a", "b"), renamed("B", "c")]),
            "erin left · a is now c"
        );
    }

    #[test]
    fn a_line_folds_only_so_many() {
        let mut entry = Entry::presence(Timestamp::UNIX_EPOCH, joined("a"));
        for number in 1..MAX_FOLDED {
            assert_eq!(entry.fold(joined(&number.to_string()), str::to_owned), None);
        }
        assert_eq!(entry.fold(joined("b"), str::to_owned), Some(joined("b")));
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
