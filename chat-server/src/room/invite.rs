//! INVITE: asking somebody into a channel.

use chat_protocol::Message;

use super::capabilities::Capabilities;
use super::channel::{ChannelModes, ChannelSlot, Status};
use super::client::ClientSlot;
use super::limits::MAX_CHANNELS;
use super::numerics::{
    ERR_CHANOPRIVSNEEDED, ERR_NEEDMOREPARAMS, ERR_NOSUCHNICK, ERR_USERONCHANNEL, RPL_AWAY,
    RPL_ENDOFINVITELIST, RPL_INVITELIST, RPL_INVITING,
};
use super::state::State;

impl State {
    /// `INVITE nick channel`, or `INVITE` for the list of one's own.
    pub(super) fn invite(&mut self, from: ClientSlot, message: &Message<'_>) {
        match *message.parameters {
            [] => self.send_invitations(from),
            [_] => self.answer(from, ERR_NEEDMOREPARAMS, &[b"INVITE"]),
            [nick, name, ..] => self.invite_to(from, nick, name),
        }
    }

    fn invite_to(&mut self, from: ClientSlot, nick: &[u8], name: &[u8]) {
        let Some(guest) = self.clients.find(nick) else {
            return self.answer(from, ERR_NOSUCHNICK, &[nick]);
        };
        let Some(slot) = self.joined_channel(from, name) else {
            return;
        };
        let may_invite = self.status_in(from, slot).is_some_and(|status| {
            status.contains(Status::OPERATOR)
                || !self.channels[slot]
                    .modes
                    .contains(ChannelModes::INVITE_ONLY)
        });
        if !may_invite {
            return self.answer(from, ERR_CHANOPRIVSNEEDED, &[name]);
        }
        if self.clients[guest].membership(slot).is_some() {
            return self.answer(from, ERR_USERONCHANNEL, &[nick, name]);
        }
        self.remember_invitation(guest, slot);
        self.announce_invitation(from, guest, slot);
    }

    fn announce_invitation(&mut self, from: ClientSlot, guest: ClientSlot, slot: ChannelSlot) {
        let (host, invited, channel) = (
            &self.clients[from],
            &self.clients[guest],
            &self.channels[slot],
        );
        self.mail.reply(host, RPL_INVITING, |line| {
            line.parameter(invited.identity.nick())
                .parameter(&channel.name)
        });
        if let Some(away) = &invited.away {
            self.mail.reply(host, RPL_AWAY, |line| {
                line.parameter(invited.identity.nick()).trailing(away)
            });
        }
        self.mail.write(|line| {
            let line = line.source(host.identity.as_source()).command(b"INVITE");
            line.parameter(invited.identity.nick())
                .parameter(&channel.name)
        });
        self.mail.post(guest);
        self.mail.skip(from);
        self.mail
            .post_to_members(&channel.members, |_, capabilities| {
                capabilities.contains(Capabilities::INVITE_NOTIFY)
            });
    }

    /// Keeps an invitation until it is used, the channel ends, or too many
    /// newer ones came.
    fn remember_invitation(&mut self, guest: ClientSlot, channel: ChannelSlot) {
        let invitation = self.channels.id(channel);
        let invitations = &mut self.clients[guest].invitations;
        invitations.retain(|held| *held != invitation && self.channels.resolve(*held).is_some());
        if invitations.len() == MAX_CHANNELS {
            invitations.remove(0);
        }
        invitations.push(invitation);
    }

    fn send_invitations(&mut self, to: ClientSlot) {
        let client = &self.clients[to];
        for channel in client
            .invitations
            .iter()
            .filter_map(|held| self.channels.resolve(*held))
        {
            let name = &self.channels[channel].name;
            self.mail
                .reply(client, RPL_INVITELIST, |line| line.parameter(name));
        }
        self.answer(to, RPL_ENDOFINVITELIST, &[]);
    }
}
