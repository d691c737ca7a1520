//! Leaving a channel, by oneself or not: PART and KICK.

use chat_protocol::Message;

use super::channel::{ChannelSlot, Status};
use super::client::ClientSlot;
use super::limits::{KICK_BYTES, MAX_TARGETS, cut};
use super::numerics::{
    ERR_CHANOPRIVSNEEDED, ERR_NOSUCHCHANNEL, ERR_NOSUCHNICK, ERR_NOTONCHANNEL, ERR_TOOMANYTARGETS,
    ERR_USERNOTINCHANNEL,
};
use super::state::State;

impl State {
    /// `PART channel{,channel} [reason]`.
    pub(super) fn part(&mut self, from: ClientSlot, message: &Message<'_>) {
        let reason = message.parameters.get(1).copied().unwrap_or_default();
        for name in message.parameters[0].split(|&byte| byte == b',') {
            if let Some(channel) = self.joined_channel(from, name) {
                self.part_channel(from, channel, reason);
            }
        }
    }

    /// `JOIN 0` leaves all channels.
    pub(super) fn part_all(&mut self, from: ClientSlot) {
        while let Some(held) = self.clients[from].memberships.first() {
            self.part_channel(from, held.channel, b"");
        }
    }

    fn part_channel(&mut self, client: ClientSlot, slot: ChannelSlot, reason: &[u8]) {
        let channel = &self.channels[slot];
        self.mail.write(|line| {
            let line = line
                .source(self.clients[client].identity.as_source())
                .command(b"PART");
            let line = line.parameter(&channel.name);
            if reason.is_empty() {
                line
            } else {
                line.trailing(reason)
            }
        });
        self.mail.post_to_members(&channel.members, |_, _| true);
        self.leave_channel(client, slot);
    }

    /// `KICK channel nick{,nick} [reason]`; with several channels there are as
    /// many nicks, and each is kicked from its own.
    pub(super) fn kick(&mut self, from: ClientSlot, message: &Message<'_>) {
        let names: Vec<&[u8]> = message.parameters[0].split(|&byte| byte == b',').collect();
        let own_nick = self.clients[from].identity.nick().to_vec();
        let reason = message
            .parameters
            .get(2)
            .copied()
            .filter(|reason| !reason.is_empty());
        let reason = cut(reason.unwrap_or(&own_nick), KICK_BYTES);
        let nicks = message.parameters[1].split(|&byte| byte == b',');
        for (index, nick) in nicks.enumerate() {
            if index == MAX_TARGETS {
                return self.answer(from, ERR_TOOMANYTARGETS, &[nick]);
            }
            let name = if names.len() == 1 {
                names.first()
            } else {
                names.get(index)
            };
            if let Some(name) = name {
                self.kick_from(from, name, nick, reason);
            }
        }
    }

    fn kick_from(&mut self, from: ClientSlot, name: &[u8], nick: &[u8], reason: &[u8]) {
        let Some(slot) = self.joined_channel(from, name) else {
            return;
        };
        let is_operator = |status: Status| status.contains(Status::OPERATOR);
        if !self.status_in(from, slot).is_some_and(is_operator) {
            return self.answer(from, ERR_CHANOPRIVSNEEDED, &[name]);
        }
        let Some(victim) = self.clients.find(nick) else {
            return self.answer(from, ERR_NOSUCHNICK, &[nick]);
        };
        if self.clients[victim].membership(slot).is_none() {
            return self.answer(from, ERR_USERNOTINCHANNEL, &[nick, name]);
        }
        let channel = &self.channels[slot];
        self.mail.write(|line| {
            let line = line
                .source(self.clients[from].identity.as_source())
                .command(b"KICK");
            let line = line.parameter(&channel.name);
            line.parameter(self.clients[victim].identity.nick())
                .trailing(reason)
        });
        self.mail.post_to_members(&channel.members, |_, _| true);
        self.leave_channel(victim, slot);
    }

    /// The channel of that name, if the client is in it; otherwise the client
    /// is told that it is not.
    pub(super) fn joined_channel(&mut self, from: ClientSlot, name: &[u8]) -> Option<ChannelSlot> {
        match self.channels.find(name) {
            Some(channel) if self.clients[from].membership(channel).is_some() => Some(channel),
            Some(_) => {
                self.answer(from, ERR_NOTONCHANNEL, &[name]);
                None
            }
            None => {
                self.answer(from, ERR_NOSUCHCHANNEL, &[name]);
                None
            }
        }
    }
}
