//! TOPIC: what a channel is about.

use super::channel::ChannelSlot;
use super::client::ClientSlot;
use super::numerics::{RPL_TOPIC, RPL_TOPICWHOTIME};
use super::state::State;

impl State {
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
