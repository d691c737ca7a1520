//! Who is in a channel.
//!
//! Shows: one table in the order in which it is shown, and one to find a person
//! in it, so that neither showing nor finding goes through all of them.

use std::collections::{BTreeMap, HashMap};

use chat_protocol::{CaseMapping, FoldedName, neutral};

use super::isupport::Isupport;

/// The rank of somebody without a sign before the nick.
const NO_RANK: u8 = u8::MAX;

/// The people in one channel.
#[derive(Clone, Debug, Default)]
pub(super) struct Members {
    /// Under rank and folded nick: the order in which they are shown.
    sorted: BTreeMap<(u8, FoldedName), Member>,
    ranks: HashMap<FoldedName, u8>,
}

/// Somebody in a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    nick: String,
    /// All signs that are known, the highest first.
    signs: String,
    is_away: bool,
    /// As the server has it.
    raw_nick: Vec<u8>,
}

impl Member {
    /// The nick, harmless to show.
    pub(crate) fn nick(&self) -> &str {
        &self.nick
    }

    /// The sign of the highest of what the person is: `@` for an operator.
    pub(crate) fn prefix(&self) -> Option<char> {
        self.signs.chars().next()
    }

    pub(crate) fn is_away(&self) -> bool {
        self.is_away
    }
}

impl Members {
    pub(super) fn len(&self) -> usize {
        self.sorted.len()
    }

    /// The highest first, those of one rank by name.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Member> + use<'_> {
        self.sorted.values()
    }

    pub(super) fn find(&self, nick: &[u8], isupport: &Isupport) -> Option<&Member> {
        let folded = isupport.case_mapping.fold(nick);
        let rank = *self.ranks.get(&folded)?;
        self.sorted.get(&(rank, folded))
    }

    /// Somebody is here, with these signs before the nick; who is here already
    /// gets these signs.
    pub(super) fn add(&mut self, nick: &[u8], signs: &[u8], isupport: &Isupport) {
        let known = self.remove(nick, isupport);
        let member = Member {
            nick: neutral(nick),
            signs: String::new(),
            is_away: known.is_some_and(|member| member.is_away),
            raw_nick: nick.to_vec(),
        };
        let signs = signs.iter().map(|&sign| char::from(sign));
        self.insert(with_signs(member, signs, isupport), isupport);
    }

    /// Returns who is not here any more; none if nobody by that nick was.
    pub(super) fn remove(&mut self, nick: &[u8], isupport: &Isupport) -> Option<Member> {
        let folded = isupport.case_mapping.fold(nick);
        let rank = self.ranks.remove(&folded)?;
        self.sorted.remove(&(rank, folded))
    }

    /// Returns whether the person is here.
    pub(super) fn rename(&mut self, from: &[u8], to: &[u8], isupport: &Isupport) -> bool {
        let Some(mut member) = self.remove(from, isupport) else {
            return false;
        };
        // Whoever is known by that nick cannot be here any more.
        self.remove(to, isupport);
        member.nick = neutral(to);
        member.raw_nick = to.to_vec();
        self.insert(member, isupport);
        true
    }

    /// Gives somebody a sign or takes it.
    pub(super) fn set_sign(&mut self, nick: &[u8], sign: char, is_set: bool, isupport: &Isupport) {
        if let Some(mut member) = self.remove(nick, isupport) {
            let mut signs = std::mem::take(&mut member.signs);
            signs.retain(|found| found != sign);
            signs.extend(is_set.then_some(sign));
            self.insert(with_signs(member, signs.chars(), isupport), isupport);
        }
    }

    /// Returns whether the person is here.
    pub(super) fn set_away(&mut self, nick: &[u8], is_away: bool, isupport: &Isupport) -> bool {
        let folded = isupport.case_mapping.fold(nick);
        let Some(&rank) = self.ranks.get(&folded) else {
            return false;
        };
        let member = self.sorted.get_mut(&(rank, folded));
        member.is_some_and(|member| {
            member.is_away = is_away;
            true
        })
    }

    /// The server compares names in another way, or ranks them.
    pub(super) fn sort_again(&mut self, isupport: &Isupport) {
        self.ranks.clear();
        for (_, mut member) in std::mem::take(&mut self.sorted) {
            let signs = std::mem::take(&mut member.signs);
            self.insert(with_signs(member, signs.chars(), isupport), isupport);
        }
    }

    fn insert(&mut self, member: Member, isupport: &Isupport) {
        let folded = fold(&member, isupport.case_mapping);
        let rank = match member.prefix() {
            Some(sign) => u8::try_from(sign).ok().and_then(|sign| isupport.rank(sign)),
            None => None,
        };
        let rank = rank.unwrap_or(NO_RANK);
        // Two that were told apart may be one under another mapping.
        if let Some(other) = self.ranks.insert(folded.clone(), rank) {
            self.sorted.remove(&(other, folded.clone()));
        }
        self.sorted.insert((rank, folded), member);
    }
}

fn fold(member: &Member, case_mapping: CaseMapping) -> FoldedName {
    case_mapping.fold(&member.raw_nick)
}

/// The member with these signs, the highest first; what is no sign is left out.
fn with_signs(
    mut member: Member,
    signs: impl Iterator<Item = char>,
    isupport: &Isupport,
) -> Member {
    let ranked = signs.filter_map(|sign| {
        let rank = u8::try_from(sign)
            .ok()
            .and_then(|sign| isupport.rank(sign))?;
        Some((rank, sign))
    });
    let ranked: BTreeMap<u8, char> = ranked.collect();
    member.signs = ranked.into_values().collect();
    member
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(members: &Members) -> String {
        let shown = members.iter().map(|member| {
            let away = if member.is_away() { "~" } else { "" };
            let sign = member
                .prefix()
                .map_or(String::new(), |sign| sign.to_string());
            format!("{away}{sign}{}", member.nick())
        });
        shown.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_highest_stand_first_and_the_others_by_name() {
        let isupport = Isupport::default();
        let mut members = Members::default();
        for (nick, signs) in [
            ("bob", ""),
            ("Ann", ""),
            ("zoe", "+@"),
            ("yan", "+"),
            ("carl", "@"),
        ] {
            members.add(nick.as_bytes(), signs.as_bytes(), &isupport);
        }
        assert_eq!(shown(&members), "@carl @zoe +yan Ann bob");
        members.set_sign(b"ZOE", '@', false, &isupport);
        members.set_sign(b"bob", '@', true, &isupport);
        members.set_sign(b"nobody", '@', true, &isupport);
        assert_eq!(shown(&members), "@bob @carl +yan +zoe Ann");
        assert!(members.rename(b"bob", b"[x]", &isupport));
        assert!(
            members.set_away(b"{X}", true, &isupport),
            "one nick under rfc1459"
        );
        assert_eq!(shown(&members), "@carl ~@[x] +yan +zoe Ann");
        members.add(b"{x}", b"@", &isupport);
        assert_eq!(shown(&members), "@carl ~@{x} +yan +zoe Ann", "still away");
        assert!(members.remove(b"ann", &isupport).is_some());
        assert!(!members.rename(b"ann", b"x", &isupport));
        assert_eq!(members.len(), 4);
    }

    #[test]
    fn names_that_become_one_are_one() {
        let mut isupport = Isupport::default();
        isupport.take(b"CASEMAPPING=ascii");
        let mut members = Members::default();
        members.add(b"a[", b"", &isupport);
        members.add(b"a{", b"@", &isupport);
        assert_eq!(members.len(), 2);
        isupport.take(b"-CASEMAPPING");
        members.sort_again(&isupport);
        assert_eq!((members.len(), members.ranks.len()), (1, 1));
        assert!(members.find(b"A[", &isupport).is_some());
    }
}
