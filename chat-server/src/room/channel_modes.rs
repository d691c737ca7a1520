//! The modes of a channel, and who may change them.
//!
//! Shows: what is asked for is carried out step by step; what really changed is
//! told to the channel at the end.
//!
//! Source: <https://modern.ircdocs.horse/#mode-message>.

use std::num::NonZeroU32;

use chapter::unix_seconds;

use super::channel::{Addition, ChannelModes, ChannelSlot, Status};
use super::client::ClientSlot;
use super::limits::{KEY_BYTES, MAX_MODES};
use super::mask_lists::{Entry, MaskList, complete_mask};
use super::mode_table::{Mode, flag_modes};
use super::modes::{Change, letters, word};
use super::numerics::{
    ERR_BANLISTFULL, ERR_CHANOPRIVSNEEDED, ERR_INVALIDKEY, ERR_INVALIDMODEPARAM, ERR_NOSUCHNICK,
    ERR_NOTONCHANNEL, ERR_UNKNOWNMODE, ERR_USERNOTINCHANNEL, RPL_BANLIST, RPL_CHANNELMODEIS,
    RPL_CREATIONTIME, RPL_ENDOFBANLIST, RPL_ENDOFEXCEPTLIST, RPL_ENDOFINVEXLIST, RPL_EXCEPTLIST,
    RPL_INVEXLIST,
};
use super::state::State;
use super::view::View;

/// Bytes of parameters in one MODE that a channel is told. With the longest
/// source and channel in front the line stays within 512.
const TOLD_BYTES: usize = 330;

/// One change of a mode that is not a flag.
struct Step<'a> {
    by: ClientSlot,
    channel: ChannelSlot,
    is_set: bool,
    letter: char,
    /// Empty if there was none.
    parameter: &'a [u8],
}

impl Step<'_> {
    /// What to tell the channel when the step was taken.
    fn change(&self, parameter: Option<Vec<u8>>) -> Change {
        Change {
            is_set: self.is_set,
            letter: self.letter,
            parameter,
        }
    }
}

impl State {
    /// Sends 324 and 329. The key is shown to members only.
    pub(super) fn send_channel_modes(&mut self, to: ClientSlot, slot: ChannelSlot) {
        let (client, channel) = (&self.clients[to], &self.channels[slot]);
        let is_member = client.membership(slot).is_some();
        if View::of(client, slot, channel) == View::Nothing {
            let name = channel.name.clone();
            return self.answer(to, ERR_NOTONCHANNEL, &[&name]);
        }
        let mut set = String::from("+");
        let flags = flag_modes().filter(|(_, flag)| channel.modes.contains(*flag));
        set.extend(flags.map(|(letter, _)| letter));
        set.extend(channel.key.as_ref().map(|_| 'k'));
        set.extend(channel.limit.map(|_| 'l'));
        self.mail.reply(client, RPL_CHANNELMODEIS, |line| {
            let mut line = line.parameter(&channel.name).parameter(set.as_bytes());
            if let Some(key) = &channel.key {
                line = line.parameter(if is_member { key } else { b"*" });
            }
            match channel.limit {
                Some(limit) => line.parameter_display(limit),
                None => line,
            }
        });
        self.mail.reply(client, RPL_CREATIONTIME, |line| {
            line.parameter(&channel.name)
                .parameter_display(channel.created_at)
        });
    }

    /// `MODE #channel word {parameter}`.
    pub(super) fn change_channel_modes(
        &mut self,
        from: ClientSlot,
        channel: ChannelSlot,
        word: &[u8],
        parameters: &[&[u8]],
    ) {
        let status = self.status_in(from, channel);
        let is_operator = status.is_some_and(|status| status.contains(Status::OPERATOR));
        let mut is_refused = false;
        let mut parameters = parameters
            .iter()
            .copied()
            .filter(|parameter| !parameter.is_empty());
        let mut steps = 0;
        let mut flags = self.channels[channel].modes;
        let mut changes = Vec::new();
        // Letters that were answered; no need to answer twice.
        let mut answered = String::new();
        for (is_set, letter) in letters(word) {
            let kind = Mode::from_letter(letter);
            let takes_parameter = kind.is_some_and(|kind| kind.takes_parameter(is_set));
            let parameter = if takes_parameter {
                parameters.next()
            } else {
                None
            };
            let step = Step {
                by: from,
                channel,
                is_set,
                letter,
                parameter: parameter.unwrap_or_default(),
            };
            match kind {
                None if answered.contains(letter) => {}
                None => {
                    answered.push(letter);
                    self.reject_mode(&step);
                }
                // A list without a mask is a question, and everybody may ask.
                Some(Mode::Masks(_)) if parameter.is_none() && answered.contains(letter) => {}
                Some(Mode::Masks(list)) if parameter.is_none() => {
                    answered.push(letter);
                    self.send_masks(from, channel, list);
                }
                Some(_) if !is_operator => is_refused = true,
                Some(Mode::Flag(flag)) => flags.set(flag, is_set),
                Some(kind) => {
                    steps += usize::from(takes_parameter);
                    if steps > MAX_MODES {
                        self.reject_parameter(&step, "Too many mode changes in one command");
                        break;
                    }
                    changes.extend(self.take_step(&step, kind));
                }
            }
        }
        if is_refused {
            let name = self.channels[channel].name.clone();
            let why = if status.is_some() {
                ERR_CHANOPRIVSNEEDED
            } else {
                ERR_NOTONCHANNEL
            };
            self.answer(from, why, &[&name]);
        }
        changes.splice(..0, self.set_flags(channel, flags));
        self.announce_modes(from, channel, &changes);
    }

    /// Changes a mode that is not a flag; returns what changed.
    fn take_step(&mut self, step: &Step<'_>, kind: Mode) -> Option<Change> {
        match kind {
            Mode::Flag(_) => None,
            Mode::Key => self.change_key(step),
            Mode::Limit => self.change_limit(step),
            Mode::Member(status) => self.change_member(step, status),
            Mode::Masks(list) => self.change_masks(step, list),
        }
    }

    /// Gives a channel these flags; returns what changed.
    fn set_flags(&mut self, channel: ChannelSlot, flags: ChannelModes) -> Vec<Change> {
        let before = std::mem::replace(&mut self.channels[channel].modes, flags);
        let differ = before.symmetric_difference(flags);
        flag_modes()
            .filter(|(_, flag)| differ.contains(*flag))
            .map(|(letter, flag)| Change {
                is_set: flags.contains(flag),
                letter,
                parameter: None,
            })
            .collect()
    }

    /// `k`: taking a key away needs no key, though most clients send one.
    fn change_key(&mut self, step: &Step<'_>) -> Option<Change> {
        let key = &mut self.channels[step.channel].key;
        if !step.is_set {
            return key.take().map(|_| step.change(Some(b"*".to_vec())));
        }
        let wanted = step.parameter;
        if wanted.is_empty() {
            self.reject_parameter(step, "A key is needed");
            return None;
        }
        let is_clean = |byte: &u8| byte.is_ascii_graphic() && *byte != b',' || !byte.is_ascii();
        if wanted.len() > KEY_BYTES || wanted[0] == b':' || !wanted.iter().all(is_clean) {
            let name = self.channels[step.channel].name.clone();
            self.answer(step.by, ERR_INVALIDKEY, &[&name]);
            return None;
        }
        let before = key.replace(wanted.into());
        (before.as_deref() != Some(wanted)).then(|| step.change(Some(wanted.to_vec())))
    }

    /// `l`: a whole number from 1.
    fn change_limit(&mut self, step: &Step<'_>) -> Option<Change> {
        let limit = &mut self.channels[step.channel].limit;
        if !step.is_set {
            return limit.take().map(|_| step.change(None));
        }
        let wanted = str::from_utf8(step.parameter)
            .ok()
            .and_then(|text| text.parse().ok());
        let Some(wanted) = wanted else {
            self.reject_parameter(step, "A limit is a whole number from 1");
            return None;
        };
        let before: Option<NonZeroU32> = limit.replace(wanted);
        (before != Some(wanted)).then(|| step.change(Some(wanted.to_string().into())))
    }

    /// `o` and `v`: what a member is.
    fn change_member(&mut self, step: &Step<'_>, status: Status) -> Option<Change> {
        let nick = step.parameter;
        if nick.is_empty() {
            self.reject_parameter(step, "A nick is needed");
            return None;
        }
        let Some(client) = self.clients.find(nick) else {
            self.answer(step.by, ERR_NOSUCHNICK, &[nick]);
            return None;
        };
        let nick = self.clients[client].identity.nick().to_vec();
        let Some(membership) = self.clients[client].membership(step.channel) else {
            let name = self.channels[step.channel].name.clone();
            self.answer(step.by, ERR_USERNOTINCHANNEL, &[&nick, &name]);
            return None;
        };
        let members = &mut self.channels[step.channel].members;
        let held = &mut members[membership.position as usize].status;
        let is_news = held.contains(status) != step.is_set;
        held.set(status, step.is_set);
        is_news.then(|| step.change(Some(nick)))
    }

    /// `b`, `e` and `I`: a mask on a list.
    fn change_masks(&mut self, step: &Step<'_>, list: MaskList) -> Option<Change> {
        let Some(mask) = complete_mask(step.parameter) else {
            self.reject_parameter(step, "This is no mask, or it is too long");
            return None;
        };
        if !step.is_set {
            let entry = self.channels.remove_mask(step.channel, list, &mask)?;
            return Some(step.change(Some(entry.mask.into())));
        }
        let entry = Entry {
            mask: mask.clone().into(),
            set_by: self.clients[step.by].identity.nick().into(),
            set_at: unix_seconds(self.now.wall),
        };
        let max_bytes = self.rules.limits.list_entries_bytes;
        match self.channels.add_mask(step.channel, list, entry, max_bytes) {
            Addition::Done => Some(step.change(Some(mask))),
            Addition::Known => None,
            Addition::Full => self.reject_mask(step, "Channel list is full"),
            Addition::AllFull => {
                self.reject_mask(step, "The lists of all channels together are full")
            }
        }
    }

    /// Says why a mask is not put on a list, which therefore is not changed.
    fn reject_mask(&mut self, step: &Step<'_>, why: &str) -> Option<Change> {
        let channel = &self.channels[step.channel].name;
        self.mail
            .reply(&self.clients[step.by], ERR_BANLISTFULL, |line| {
                let line = line.parameter(channel).parameter_display(step.letter);
                line.trailing(why.as_bytes())
            });
        None
    }

    fn reject_mode(&mut self, step: &Step<'_>) {
        let client = &self.clients[step.by];
        self.mail.reply(client, ERR_UNKNOWNMODE, |line| {
            line.parameter_display(step.letter)
        });
    }

    fn reject_parameter(&mut self, step: &Step<'_>, why: &str) {
        let channel = &self.channels[step.channel].name;
        self.mail
            .reply(&self.clients[step.by], ERR_INVALIDMODEPARAM, |line| {
                let line = line.parameter(channel).parameter_display(step.letter);
                // An empty one becomes `*`.
                line.parameter(step.parameter).trailing(why.as_bytes())
            });
    }

    /// Sends the masks of a list, to those who may know of the channel.
    fn send_masks(&mut self, to: ClientSlot, slot: ChannelSlot, list: MaskList) {
        let (client, channel) = (&self.clients[to], &self.channels[slot]);
        let (item, end) = match list {
            MaskList::Ban => (RPL_BANLIST, RPL_ENDOFBANLIST),
            MaskList::BanExemption => (RPL_EXCEPTLIST, RPL_ENDOFEXCEPTLIST),
            MaskList::InviteExemption => (RPL_INVEXLIST, RPL_ENDOFINVEXLIST),
        };
        if View::of(client, slot, channel) == View::Nothing {
            let name = channel.name.clone();
            return self.answer(to, ERR_NOTONCHANNEL, &[&name]);
        }
        for entry in channel.masks(list) {
            self.mail.reply(client, item, |line| {
                let line = line.parameter(&channel.name).parameter(&entry.mask);
                line.parameter(&entry.set_by)
                    .parameter_display(entry.set_at)
            });
        }
        self.mail
            .reply(client, end, |line| line.parameter(&channel.name));
    }

    /// Tells a channel what changed, in as many lines as it takes.
    fn announce_modes(&mut self, by: ClientSlot, channel: ChannelSlot, mut made: &[Change]) {
        let channel = &self.channels[channel];
        while !made.is_empty() {
            let mut bytes = 0;
            let fits = |change: &&Change| {
                bytes += 3 + change.parameter.as_ref().map_or(0, Vec::len);
                bytes <= TOLD_BYTES
            };
            let count = made.iter().take_while(fits).count();
            let (now, later) = made.split_at(count);
            self.mail.write(|line| {
                let source = self.clients[by].identity.as_source();
                let line = line
                    .source(source)
                    .command(b"MODE")
                    .parameter(&channel.name);
                let line = line.parameter(word(now).as_bytes());
                let parameters = now.iter().filter_map(|change| change.parameter.as_ref());
                parameters.fold(line, |line, parameter| line.parameter(parameter))
            });
            self.mail.post_to_members(&channel.members, |_, _| true);
            made = later;
        }
    }
}
