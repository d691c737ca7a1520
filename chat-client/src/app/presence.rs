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
                // By the name under which the reader knows who has left.
                (Change::Renamed(before, who), Change::Left(_, why)) if is_same(who) => {
                    Change::Left(before.clone(), why.clone())
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

    /// Whether the line begins with somebody who has come, or is somebody else.
    pub(crate) fn has_come(&self) -> bool {
        !matches!(self.changes.first(), Some(Change::Left(..)))
    }

    /// In words, those who did the same together, in the order in which the
    /// first of them did it: `carol, dave joined · erin left`.
    pub(crate) fn words(&self, symbols: &Symbols) -> String {
        // What was done, and by whom; or from which nick to which.
        let mut parts: Vec<(Option<&str>, Vec<&str>)> = Vec::new();
        for change in &self.changes {
            let (what, nick) = match change {
                Change::Joined(nick) => ("joined", nick),
                Change::Left(nick, _) => ("left", nick),
                Change::Returned(nick) => ("left and came back", nick),
                Change::CameAndWent(nick) => ("came and went", nick),
                Change::Renamed(from, to) => {
                    parts.push((None, vec![from, to]));
                    continue;
                }
            };
            match parts.iter_mut().find(|(known, _)| *known == Some(what)) {
                Some((_, nicks)) => nicks.push(nick),
                None => parts.push((Some(what), vec![nick])),
            }
        }
        let parts = parts.into_iter().map(|(what, nicks)| match what {
            Some(what) => format!("{} {what}", nicks.join(", ")),
            None => nicks.join(" is now "),
        });
        let separator = format!(" {} ", symbols.dot);
        let mut words = parts.collect::<Vec<_>>().join(&separator);
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
    fn what_came_first_is_told_first() {
        let renamed = |from: &str, to: &str| Change::Renamed(from.into(), to.into());
        assert_eq!(
            words(vec![left("build-bot"), joined("zed")]),
            "build-bot left · zed joined"
        );
        assert_eq!(
            words(vec![renamed("guest1", "carl"), joined("zed")]),
            "guest1 is now carl · zed joined"
        );
        // The reader does not know yet who carl is.
        assert_eq!(
            words(vec![renamed("guest1", "carl"), left("carl")]),
            "guest1 left (bye)"
        );
        let mut presence = Presence::new(left("talker"));
        presence.fold(joined("zed"), str::to_lowercase);
        assert!(!presence.has_come(), "the sign is of what is told first");
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
