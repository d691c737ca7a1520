//! The channels that a person is in or wants to be in, and which is current.
//!
//! Shows: the one joined last is current; when it is left, the one before it is
//! current again.

use std::collections::BTreeSet;

use chat_protocol::neutral;
use jiff::Timestamp;

use super::isupport::{Isupport, ModeKind};
use super::members::{Member, Members};

/// The most channels that are remembered to be joined again; a server lets
/// nobody into more, as far as is known.
const MAX_CHANNELS: usize = 100;

/// The most people that are remembered, in all channels together: some 40 MB.
const MAX_MEMBERS: usize = 100_000;

/// Channels in the order in which they were asked for.
#[derive(Debug, Default)]
pub(super) struct Channels {
    list: Vec<Channel>,
    /// Counts how often one was asked for.
    uses: u64,
    /// Whether people were left out for want of room.
    is_crowded: bool,
}

/// One channel.
#[derive(Clone, Debug)]
pub(crate) struct Channel {
    /// As the server has it.
    pub(super) raw_name: Vec<u8>,
    pub(super) key: Option<Vec<u8>>,
    name: String,
    /// When text was last sent here by choice; 0 for never.
    last_use: u64,
    is_joined: bool,
    topic: String,
    modes: BTreeSet<u8>,
    members: Members,
    /// Whether the server has listed all of them.
    pub(super) is_listed: bool,
    /// When the last thing was said that is known, by the server's clock.
    pub(super) heard: Option<Timestamp>,
}

impl Channel {
    fn new(name: &[u8]) -> Channel {
        Channel {
            raw_name: name.to_vec(),
            key: None,
            name: neutral(name),
            last_use: 0,
            is_joined: false,
            topic: String::new(),
            modes: BTreeSet::new(),
            members: Members::default(),
            is_listed: false,
            heard: None,
        }
    }

    /// The name, harmless to show.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// What it is about, with IRC's formatting; empty for nothing.
    pub(crate) fn topic(&self) -> &str {
        &self.topic
    }

    /// `+nt`, without parameters; empty for none, or if the server has not said.
    pub(crate) fn modes(&self) -> String {
        let plus = (!self.modes.is_empty()).then_some('+');
        let modes = self.modes.iter().map(|&mode| char::from(mode));
        plus.into_iter().chain(modes).collect()
    }

    /// Whether the person is in it; otherwise the server has not answered, or
    /// there is no connection.
    pub(crate) fn is_joined(&self) -> bool {
        self.is_joined
    }

    /// Who is here, the highest first, those of one rank by name.
    pub(crate) fn members(&self) -> impl DoubleEndedIterator<Item = &Member> + use<'_> {
        self.members.iter()
    }

    pub(crate) fn member_count(&self) -> usize {
        self.members.len()
    }

    pub(super) fn member(&self, nick: &[u8], isupport: &Isupport) -> Option<&Member> {
        self.members.find(nick, isupport)
    }

    pub(super) fn set_topic(&mut self, topic: String) {
        self.topic = topic;
    }

    /// All modes that are set, without those of members.
    pub(super) fn set_modes(&mut self, modes: &[u8]) {
        self.modes = modes
            .iter()
            .copied()
            .filter(u8::is_ascii_alphabetic)
            .collect();
    }

    /// `+o-l ann`: the changes in the first word, their parameters behind it.
    pub(super) fn change_modes(&mut self, words: &[&[u8]], isupport: &Isupport) {
        let Some((changes, parameters)) = words.split_first() else {
            return;
        };
        let mut parameters = parameters.iter();
        let mut is_set = true;
        for &mode in *changes {
            match (mode, isupport.mode_kind(mode)) {
                (b'+', _) => is_set = true,
                (b'-', _) => is_set = false,
                (_, ModeKind::Member(sign)) => {
                    if let Some(nick) = parameters.next() {
                        self.members.set_sign(nick, sign, is_set, isupport);
                    }
                }
                (_, ModeKind::List) => {
                    parameters.next();
                }
                (mode, kind) if mode.is_ascii_alphabetic() => {
                    if kind == ModeKind::Always || (kind == ModeKind::WhenSet && is_set) {
                        parameters.next();
                    }
                    if is_set {
                        self.modes.insert(mode);
                    } else {
                        self.modes.remove(&mode);
                    }
                }
                _ => {}
            }
        }
    }

    pub(super) fn rename_member(&mut self, from: &[u8], to: &[u8], isupport: &Isupport) -> bool {
        self.members.rename(from, to, isupport)
    }

    pub(super) fn remove_member(&mut self, nick: &[u8], isupport: &Isupport) -> bool {
        self.members.remove(nick, isupport).is_some()
    }

    pub(super) fn set_away(&mut self, nick: &[u8], is_away: bool, isupport: &Isupport) {
        self.members.set_away(nick, is_away, isupport);
    }

    /// What was known of it is not true any more.
    fn forget(&mut self) {
        self.is_joined = false;
        self.members = Members::default();
        self.is_listed = false;
        self.modes.clear();
    }
}

impl Channels {
    /// The person wants to be here: text goes here from now on, even if the
    /// server has not answered, since it works through its lines in order.
    pub(super) fn ask(&mut self, name: &[u8], key: Option<&[u8]>, isupport: &Isupport) {
        self.uses += 1;
        let at = self.position(name, isupport).unwrap_or_else(|| {
            if self.list.len() == MAX_CHANNELS {
                self.list.remove(0);
            }
            self.list.push(Channel::new(name));
            self.list.len() - 1
        });
        let channel = &mut self.list[at];
        channel.last_use = self.uses;
        if let Some(key) = key {
            channel.key = Some(key.to_vec());
        }
    }

    /// The server has let the person in.
    pub(super) fn enter(&mut self, name: &[u8], isupport: &Isupport) {
        let at = match self.position(name, isupport) {
            Some(at) => at,
            None if self.list.len() < MAX_CHANNELS => {
                // Not asked for: text goes on to where the person has been.
                self.list.push(Channel::new(name));
                self.list.len() - 1
            }
            None => return,
        };
        let channel = &mut self.list[at];
        channel.forget();
        channel.topic.clear();
        channel.is_joined = true;
    }

    /// The server has not let the person in. Returns false if nobody had asked.
    pub(super) fn refuse(&mut self, name: &[u8], isupport: &Isupport) -> bool {
        let at = self.position(name, isupport);
        let asked = at.filter(|&at| !self.list[at].is_joined);
        asked.map(|at| self.list.remove(at)).is_some()
    }

    /// The person is not here any more.
    pub(super) fn leave(&mut self, name: &[u8], isupport: &Isupport) {
        if let Some(at) = self.position(name, isupport) {
            self.list.remove(at);
        }
    }

    /// The connection is gone: all of them are to be joined again.
    pub(super) fn disconnect(&mut self) {
        self.list.iter_mut().for_each(Channel::forget);
        self.is_crowded = false;
    }

    /// Somebody is in a channel, with these signs before the nick. Returns
    /// false the first time that somebody is left out for want of room.
    pub(super) fn add_member(
        &mut self,
        channel: &[u8],
        nick: &[u8],
        signs: &[u8],
        isupport: &Isupport,
    ) -> bool {
        let count: usize = self.list.iter().map(Channel::member_count).sum();
        let Some(channel) = self.find_mut(channel, isupport) else {
            return true;
        };
        if count < MAX_MEMBERS || channel.member(nick, isupport).is_some() {
            channel.members.add(nick, signs, isupport);
            return true;
        }
        std::mem::replace(&mut self.is_crowded, true)
    }

    /// The server compares names in another way, or ranks them.
    pub(super) fn sort_again(&mut self, isupport: &Isupport) {
        for channel in &mut self.list {
            channel.members.sort_again(isupport);
        }
    }

    /// Where text of a single stream of lines goes.
    pub(super) fn current(&self) -> Option<&[u8]> {
        // Of those that nobody has asked for, the one that was entered last.
        let current = self.list.iter().max_by_key(|channel| channel.last_use);
        current.map(|channel| channel.raw_name.as_slice())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Channel> {
        self.list.iter()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Channel> {
        self.list.iter_mut()
    }

    pub(super) fn find(&self, name: &[u8], isupport: &Isupport) -> Option<&Channel> {
        self.position(name, isupport).map(|at| &self.list[at])
    }

    pub(super) fn find_mut(&mut self, name: &[u8], isupport: &Isupport) -> Option<&mut Channel> {
        self.position(name, isupport).map(|at| &mut self.list[at])
    }

    fn position(&self, name: &[u8], isupport: &Isupport) -> Option<usize> {
        let case_mapping = isupport.case_mapping;
        self.list
            .iter()
            .position(|channel| case_mapping.eq(&channel.raw_name, name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(channels: &Channels) -> Vec<&str> {
        channels.iter().map(Channel::name).collect()
    }

    #[test]
    fn the_channel_asked_for_last_is_current_and_leaving_it_gives_the_one_before() {
        let (mut channels, isupport) = (Channels::default(), Isupport::default());
        channels.ask(b"#a", None, &isupport);
        channels.ask(b"#b", None, &isupport);
        channels.ask(b"#A", None, &isupport);
        assert_eq!(names(&channels), ["#a", "#b"], "asked for twice, kept once");
        assert_eq!(channels.current(), Some(&b"#a"[..]));
        channels.leave(b"#a", &isupport);
        assert_eq!(channels.current(), Some(&b"#b"[..]));
        channels.leave(b"#b", &isupport);
        assert_eq!(channels.current(), None);
    }

    #[test]
    fn a_refusal_counts_only_where_one_waits_to_be_let_in() {
        let (mut channels, isupport) = (Channels::default(), Isupport::default());
        channels.ask(b"#a", Some(b"key"), &isupport);
        channels.enter(b"#a", &isupport);
        assert!(!channels.refuse(b"#a", &isupport), "it is in");
        assert!(!channels.refuse(b"#b", &isupport), "not asked for");
        channels.disconnect();
        assert!(channels.refuse(b"#A", &isupport));
        assert_eq!(channels.current(), None);
    }

    #[test]
    fn a_channel_that_the_server_chose_does_not_become_current() {
        let (mut channels, isupport) = (Channels::default(), Isupport::default());
        channels.ask(b"#a", None, &isupport);
        channels.enter(b"#welcome", &isupport);
        assert_eq!(channels.current(), Some(&b"#a"[..]));
        assert_eq!(names(&channels), ["#a", "#welcome"]);
    }

    #[test]
    fn a_key_is_kept_for_the_next_time() {
        let (mut channels, isupport) = (Channels::default(), Isupport::default());
        channels.ask(b"#a", Some(b"key"), &isupport);
        channels.ask(b"#a", None, &isupport);
        let key = channels.iter().next().unwrap().key.as_deref();
        assert_eq!(key, Some(&b"key"[..]));
    }

    #[test]
    fn a_server_cannot_make_the_lists_long() {
        let (mut channels, isupport) = (Channels::default(), Isupport::default());
        channels.ask(b"#mine", None, &isupport);
        for number in 0..1_000 {
            channels.enter(format!("#{number}").as_bytes(), &isupport);
        }
        assert_eq!(channels.list.len(), MAX_CHANNELS);
        assert_eq!(channels.current(), Some(&b"#mine"[..]));
        let mut said = 0;
        for number in 0..MAX_MEMBERS + 10 {
            let nick = format!("n{number}");
            let channel: &[u8] = if number % 2 == 0 { b"#mine" } else { b"#1" };
            said += u32::from(!channels.add_member(channel, nick.as_bytes(), b"", &isupport));
        }
        let members: usize = channels.iter().map(Channel::member_count).sum();
        assert_eq!((members, said), (MAX_MEMBERS, 1), "and says so once");
    }

    #[test]
    fn modes_change_with_the_right_parameters() {
        let (mut channels, isupport) = (Channels::default(), Isupport::default());
        channels.enter(b"#a", &isupport);
        for nick in [b"ann", b"bob"] {
            channels.add_member(b"#a", nick, b"", &isupport);
        }
        let channel = channels.find_mut(b"#a", &isupport).unwrap();
        channel.change_modes(
            &[
                b"+btlko-k+v",
                b"*!*@x",
                b"10",
                b"key",
                b"ann",
                b"key",
                b"bob",
            ],
            &isupport,
        );
        assert_eq!(channel.modes(), "+lt");
        let signs: Vec<_> = channel
            .members()
            .map(|member| (member.nick(), member.prefix()))
            .collect();
        assert_eq!(signs, [("ann", Some('@')), ("bob", Some('+'))]);
        channel.change_modes(&[b"-lo", b"ann"], &isupport);
        channel.change_modes(&[b"+o"], &isupport);
        channel.change_modes(&[], &isupport);
        assert_eq!(channel.modes(), "+t");
        assert_eq!(channel.member(b"ANN", &isupport).unwrap().prefix(), None);
    }
}
