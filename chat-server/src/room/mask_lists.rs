//! The lists of masks that a channel keeps: bans, and exemptions from them and
//! from invite-only.

use chat_protocol::{eq_ignore_case, mask_matches};

use super::limits::{MASK_BYTES, MAX_LIST_ENTRIES};

/// Which of the lists.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum MaskList {
    /// `b`: can neither join nor speak.
    Ban,
    /// `e`: exempt from bans.
    BanExemption,
    /// `I`: need no invitation.
    InviteExemption,
}

/// One mask, and who set it.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) mask: Box<[u8]>,
    /// Nick of who set it.
    pub(super) set_by: Box<[u8]>,
    /// Seconds since 1970.
    pub(super) set_at: u64,
}

impl Entry {
    /// Memory that the entry takes, more or less.
    pub(super) fn bytes(&self) -> usize {
        // A list has up to twice the room it needs, and the allocator adds its
        // own bytes to each of the two texts.
        2 * size_of::<Entry>() + self.mask.len() + self.set_by.len() + 32
    }
}

/// The lists of one channel.
#[derive(Debug, Default)]
pub(super) struct MaskLists {
    lists: [Vec<Entry>; 3],
}

impl MaskLists {
    /// In the order of setting.
    pub(super) fn entries(&self, list: MaskList) -> &[Entry] {
        &self.lists[list as usize]
    }

    pub(super) fn is_full(&self) -> bool {
        self.lists.iter().map(Vec::len).sum::<usize>() >= MAX_LIST_ENTRIES
    }

    pub(super) fn contains(&self, list: MaskList, mask: &[u8]) -> bool {
        self.entries(list)
            .iter()
            .any(|entry| eq_ignore_case(&entry.mask, mask))
    }

    pub(super) fn add(&mut self, list: MaskList, entry: Entry) {
        self.lists[list as usize].push(entry);
    }

    pub(super) fn remove(&mut self, list: MaskList, mask: &[u8]) -> Option<Entry> {
        let entries = &mut self.lists[list as usize];
        let index = entries
            .iter()
            .position(|entry| eq_ignore_case(&entry.mask, mask))?;
        let entry = entries.remove(index);
        entries.shrink_to_fit();
        Some(entry)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lists.iter().all(Vec::is_empty)
    }

    /// Whether somebody, as `nick!user@host`, is on a list.
    pub(super) fn matches(&self, list: MaskList, source: &[u8]) -> bool {
        self.entries(list)
            .iter()
            .any(|entry| mask_matches(&entry.mask, source))
    }

    /// Memory that the entries take, more or less.
    pub(super) fn bytes(&self) -> usize {
        self.lists.iter().flatten().map(Entry::bytes).sum()
    }
}

/// What somebody typed as a mask, with `*` for what was left out; `None` if it
/// can be none.
pub(super) fn complete_mask(typed: &[u8]) -> Option<Vec<u8>> {
    let text = str::from_utf8(typed).ok()?;
    let is_shown_as_it_is = |c: char| !c.is_whitespace() && !c.is_control();
    if text.is_empty() || text.starts_with(':') || !text.chars().all(is_shown_as_it_is) {
        return None;
    }
    let (nick, user_host) = match text.split_once('!') {
        Some((nick, rest)) => (nick, rest),
        None if text.contains('@') => ("*", text),
        // Without `!` and `@` it is an address if it looks like one.
        None if text.contains(['.', ':']) => return complete_mask(&[b"*!*@", typed].concat()),
        None => (text, "*@*"),
    };
    let (user, host) = user_host.split_once('@').unwrap_or((user_host, "*"));
    let [nick, user, host] =
        [nick, user, host].map(|part| if part.is_empty() { "*" } else { part });
    let mask = format!("{nick}!{user}@{host}");
    (mask.len() <= MASK_BYTES).then(|| mask.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_of_a_mask_matches_anything() {
        for (typed, mask) in [
            ("ann", "ann!*@*"),
            ("~ann@host", "*!~ann@host"),
            ("ann!~ann", "ann!~ann@*"),
            ("@10.0.0.1", "*!*@10.0.0.1"),
            ("10.0.0.*", "*!*@10.0.0.*"),
            ("2001:db8::1", "*!*@2001:db8::1"),
            ("!@", "*!*@*"),
            ("a!b@c", "a!b@c"),
        ] {
            let completed = complete_mask(typed.as_bytes()).unwrap();
            assert_eq!(String::from_utf8(completed).unwrap(), mask, "{typed}");
        }
    }

    #[test]
    fn a_list_that_is_emptied_gives_its_memory_back() {
        let mut lists = MaskLists::default();
        let masks: Vec<String> = (0..MAX_LIST_ENTRIES).map(|n| format!("{n}!*@*")).collect();
        for mask in &masks {
            let entry = Entry {
                mask: mask.as_bytes().into(),
                set_by: Box::default(),
                set_at: 0,
            };
            lists.add(MaskList::Ban, entry);
        }
        for mask in &masks {
            lists.remove(MaskList::Ban, mask.as_bytes()).unwrap();
        }
        assert!(lists.is_empty());
        assert_eq!(lists.lists[MaskList::Ban as usize].capacity(), 0);
    }

    #[test]
    fn what_could_not_be_shown_in_a_list_is_no_mask() {
        for typed in [
            "",
            "two words",
            "ann\u{1}",
            ":ann!a@b",
            &"x".repeat(MASK_BYTES),
        ] {
            assert_eq!(complete_mask(typed.as_bytes()), None, "{typed}");
        }
    }
}
