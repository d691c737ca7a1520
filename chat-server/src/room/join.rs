//! JOIN: who gets into a channel, and what everybody is told.

use chapter::unix_seconds;
use chat_protocol::{Message, is_channel};

use super::capabilities::Capabilities;
use super::channel::{Channel, ChannelModes, ChannelSlot, Status};
use super::client::{Client, ClientSlot};
use super::limits::MAX_CHANNELS;
use super::mask_lists::MaskList;
use super::numerics::{
    ERR_BADCHANMASK, ERR_BADCHANNELKEY, ERR_BANNEDFROMCHAN, ERR_CHANNELISFULL, ERR_INVITEONLYCHAN,
    ERR_TOOMANYCHANNELS, ERR_UNAVAILRESOURCE, Numeric,
};
use super::state::State;

impl State {
    /// `JOIN channel{,channel} [key{,key}]`, or `JOIN 0` to leave all.
    pub(super) fn join(&mut self, from: ClientSlot, message: &Message<'_>) {
        if message.parameters[0] == b"0" {
            return self.part_all(from);
        }
        let keys = message.parameters.get(1).copied().unwrap_or_default();
        let mut keys = keys.split(|&byte| byte == b',');
        for name in message.parameters[0].split(|&byte| byte == b',') {
            let key = keys.next().unwrap_or_default();
            self.join_channel(from, name, key);
        }
    }

    fn join_channel(&mut self, client: ClientSlot, name: &[u8], key: &[u8]) {
        if !is_channel(name) {
            return self.answer(client, ERR_BADCHANMASK, &[name]);
        }
        let found = self.channels.find(name);
        if found.is_some_and(|channel| self.status_in(client, channel).is_some()) {
            return;
        }
        if self.clients[client].memberships.len() >= MAX_CHANNELS {
            return self.answer(client, ERR_TOOMANYCHANNELS, &[name]);
        }
        let channel = match found {
            Some(channel) => {
                if let Err(why) = self.may_join(client, channel, key) {
                    return self.answer(client, why, &[name]);
                }
                self.enter_channel(client, channel, Status::empty());
                channel
            }
            None if self.channels.len() >= self.rules.limits.max_channels => {
                return self.answer(client, ERR_UNAVAILRESOURCE, &[name]);
            }
            None => {
                let channel = Channel::new(name, unix_seconds(self.now.wall));
                let channel = self.channels.insert(channel);
                self.enter_channel(client, channel, Status::OPERATOR);
                channel
            }
        };
        let id = self.channels.id(channel);
        self.clients[client].invitations.retain(|held| *held != id);
        self.announce_join(client, channel);
        self.send_topic(client, channel);
        self.send_names(client, channel);
    }

    /// Whether a channel's modes let a client in.
    fn may_join(&self, client: ClientSlot, slot: ChannelSlot, key: &[u8]) -> Result<(), Numeric> {
        let channel = &self.channels[slot];
        let Client {
            identity,
            invitations,
            ..
        } = &self.clients[client];
        if channel.modes.contains(ChannelModes::INVITE_ONLY)
            && !invitations.contains(&self.channels.id(slot))
            && !channel.has_listed(MaskList::InviteExemption, identity)
        {
            return Err(ERR_INVITEONLYCHAN);
        }
        if channel.is_banned(identity) {
            return Err(ERR_BANNEDFROMCHAN);
        }
        if channel.key.as_ref().is_some_and(|wanted| **wanted != *key) {
            return Err(ERR_BADCHANNELKEY);
        }
        if channel
            .limit
            .is_some_and(|limit| channel.members.len() >= limit.get() as usize)
        {
            return Err(ERR_CHANNELISFULL);
        }
        Ok(())
    }

    /// Tells a channel, its new member included, who has come.
    fn announce_join(&mut self, client: ClientSlot, channel: ChannelSlot) {
        let (newcomer, channel) = (&self.clients[client], &self.channels[channel]);
        let source = newcomer.identity.as_source();
        self.mail.write(|line| {
            line.source(source)
                .command(b"JOIN")
                .parameter(&channel.name)
        });
        self.mail
            .post_to_members(&channel.members, |_, capabilities| {
                !capabilities.contains(Capabilities::EXTENDED_JOIN)
            });
        self.mail.write(|line| {
            let line = line
                .source(source)
                .command(b"JOIN")
                .parameter(&channel.name);
            // Where an account would be: nobody has one here.
            line.parameter(b"*").trailing(&newcomer.real_name)
        });
        self.mail
            .post_to_members(&channel.members, |_, capabilities| {
                capabilities.contains(Capabilities::EXTENDED_JOIN)
            });
        if let Some(away) = &newcomer.away {
            self.mail
                .write(|line| line.source(source).command(b"AWAY").trailing(away));
            self.mail.skip(client);
            self.mail
                .post_to_members(&channel.members, |_, capabilities| {
                    capabilities.contains(Capabilities::AWAY_NOTIFY)
                });
        }
    }
}
