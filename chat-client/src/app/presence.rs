//! Who came and went, folded into one line.
//!
//! Shows: who comes and goes again is named once, and whoever reads the line
//! knows who is there now.

use std::fmt::Write;

use crate::theme::Symbols;

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
    pub(crate) fn new(change: Change) -> Presence {
        Presence {
            changes: vec![change],
        }
    }

    /// Takes one more change in. Gives it back if the line is long enough.
    pub(crate) fn fold(&mut self, change: Change, fold: impl Fn(&str) -> String) -> Option<Change> {
        if self.changes.len() >= MAX_FOLDED {
            return Some(change);
        }
        self.combine(change, fold);
        None
    }

    fn combine(&mut self, change: Change, fold: impl Fn(&str) -> String) {
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
        let mut presence = Presence::new(changes.next().unwrap());
        for change in changes {
            assert_eq!(presence.fold(change, str::to_lowercase), None);
        }
        presence.words(Theme::new(true, false).symbols)
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
        let mut presence = Presence::new(joined("a"));
        for number in 1..MAX_FOLDED {
            assert_eq!(
                presence.fold(joined(&number.to_string()), str::to_owned),
                None
            );
        }
        assert_eq!(presence.fold(joined("b"), str::to_owned), Some(joined("b")));
    }
}
