//! TOPIC: what a channel is about.

use chapter::unix_seconds;
use chat_protocol::Message;

use super::channel::{ChannelModes, ChannelSlot, Status, Topic};
use super::client::ClientSlot;
use super::limits::{TOPIC_BYTES, cut};
use super::numerics::{
    ERR_CHANOPRIVSNEEDED, ERR_NOSUCHCHANNEL, ERR_NOTONCHANNEL, RPL_NOTOPIC, RPL_TOPIC,
    RPL_TOPICWHOTIME,
};
use super::state::State;
use super::view::View;

impl State {
    /// `TOPIC channel [text]`; an empty text clears it.
    pub(super) fn topic(&mut self, from: ClientSlot, message: &Message<'_>) {
        let name = message.parameters[0];
        match message.parameters.get(1) {
            None => self.show_topic(from, name),
            Some(text) => self.set_topic(from, name, cut(text, TOPIC_BYTES)),
        }
    }

    fn show_topic(&mut self, from: ClientSlot, name: &[u8]) {
        let Some(slot) = self.channels.find(name) else {
            return self.answer(from, ERR_NOSUCHCHANNEL, &[name]);
        };
        let channel = &self.channels[slot];
        if View::of(&self.clients[from], slot, channel) == View::Nothing {
            self.answer(from, ERR_NOTONCHANNEL, &[name]);
        } else if channel.topic.is_some() {
            self.send_topic(from, slot);
        } else {
            let client = &self.clients[from];
            self.mail
                .reply(client, RPL_NOTOPIC, |line| line.parameter(&channel.name));
        }
    }

    fn set_topic(&mut self, from: ClientSlot, name: &[u8], text: &[u8]) {
        let Some(slot) = self.joined_channel(from, name) else {
            return;
        };
        let status = self.status_in(from, slot).unwrap_or(Status::empty());
        let channel = &mut self.channels[slot];
        let is_locked = channel.modes.contains(ChannelModes::TOPIC_LOCK);
        if is_locked && !status.contains(Status::OPERATOR) {
            return self.answer(from, ERR_CHANOPRIVSNEEDED, &[name]);
        }
        let identity = &self.clients[from].identity;
        channel.topic = (!text.is_empty()).then(|| {
            let set_at = unix_seconds(self.now.wall);
            Box::new(Topic {
                text: text.into(),
                set_by: identity.nick().into(),
                set_at,
            })
        });
        let channel = &self.channels[slot];
        self.mail.write(|line| {
            let line = line.source(identity.as_source()).command(b"TOPIC");
            line.parameter(&channel.name).trailing(text)
        });
        self.mail.post_to_members(&channel.members, |_, _| true);
    }

    /// Sends the topic and who set it, or nothing if there is none.
    pub(super) fn send_topic(&mut self, to: ClientSlot, channel: ChannelSlot) {
        let (client, channel) = (&self.clients[to], &self.channels[channel]);
        if let Some(topic) = &channel.topic {
            self.mail.reply(client, RPL_TOPIC, |line| {
                line.parameter(&channel.name).trailing(&topic.text)
            });
            self.mail.reply(client, RPL_TOPICWHOTIME, |line| {
                let line = line.parameter(&channel.name).parameter(&topic.set_by);
                line.parameter_display(topic.set_at)
            });
        }
    }
}
