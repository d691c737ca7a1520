//! NAMES: who is in a channel.

use chat_protocol::Message;

use super::answer::Answer;
use crate::room::capabilities::Capabilities;
use crate::room::channel::{Channel, ChannelModes, ChannelSlot, Member};
use crate::room::client::{Client, ClientSlot, UserModes};
use crate::room::numerics::{RPL_ENDOFNAMES, RPL_NAMREPLY};
use crate::room::state::State;
use crate::room::view::{ClientSet, View, shown_members};

/// How the names of members are written for one client.
#[derive(Clone, Copy)]
struct Style {
    with_all_prefixes: bool,
    with_host: bool,
}

impl Style {
    fn of(capabilities: Capabilities) -> Style {
        Style {
            with_all_prefixes: capabilities.contains(Capabilities::MULTI_PREFIX),
            with_host: capabilities.contains(Capabilities::USERHOST_IN_NAMES),
        }
    }

    fn name(self, client: &Client) -> &[u8] {
        if self.with_host {
            client.identity.as_source()
        } else {
            client.identity.nick()
        }
    }
}

impl State {
    /// `NAMES [channel{,channel}]`; without a channel, of all there are.
    pub(in crate::room) fn names(&mut self, from: ClientSlot, message: &Message<'_>) {
        let channels = message.parameters.first().copied().unwrap_or_default();
        if channels.is_empty() {
            return self.send_all_names(from);
        }
        self.for_each_target(from, channels, |state, name| {
            let found = state.channels.find(name).filter(|&slot| {
                let channel = &state.channels[slot];
                View::of(&state.clients[from], slot, channel) != View::Nothing
            });
            match found {
                Some(channel) => state.send_names(from, channel),
                None => state.answer(from, RPL_ENDOFNAMES, &[name]),
            }
        });
    }

    /// Sends those members of a channel that the client may see.
    pub(in crate::room) fn send_names(&mut self, to: ClientSlot, slot: ChannelSlot) {
        let (client, channel) = (&self.clients[to], &self.channels[slot]);
        let style = Style::of(self.mail.capabilities(to));
        let members = shown_members(client, slot, channel, &self.clients);
        let mut answer = Answer::new(&mut self.mail, client, &self.rules.limits);
        list_members(&mut answer, channel, members, style);
        answer.close("NAMES");
        self.mail
            .reply(client, RPL_ENDOFNAMES, |line| line.parameter(&channel.name));
    }

    /// Sends the members of all channels, and as those of a channel `*` people
    /// who are in none of them.
    fn send_all_names(&mut self, to: ClientSlot) {
        let client = &self.clients[to];
        let style = Style::of(self.mail.capabilities(to));
        let mut answer = Answer::new(&mut self.mail, client, &self.rules.limits);
        let mut listed = ClientSet::default();
        for slot in self.channels.slots() {
            let channel = &self.channels[slot];
            let members = shown_members(client, slot, channel, &self.clients)
                .inspect(|(member, _)| listed.insert(member.client));
            list_members(&mut answer, channel, members, style);
        }
        let others = self.clients.iter().filter(|other| {
            let is_shown = client.is_operator()
                || other.slot == to
                || !other.modes.contains(UserModes::INVISIBLE);
            other.is_registered() && is_shown && !listed.contains(other.slot)
        });
        answer.words(
            RPL_NAMREPLY,
            |line| line.parameter(b"*").parameter(b"*"),
            others.map(|other| [style.name(other)]),
        );
        answer.close("NAMES");
        self.answer(to, RPL_ENDOFNAMES, &[b"*"]);
    }
}

fn list_members<'a>(
    answer: &mut Answer<'_>,
    channel: &Channel,
    members: impl Iterator<Item = (Member, &'a Client)>,
    style: Style,
) {
    let is_secret = channel.modes.contains(ChannelModes::SECRET);
    answer.words(
        RPL_NAMREPLY,
        |line| {
            let line = line.parameter(if is_secret { b"@" } else { b"=" });
            line.parameter(&channel.name)
        },
        members.map(|(member, client)| {
            let prefixes = member.status.prefixes(style.with_all_prefixes);
            [prefixes, style.name(client)]
        }),
    );
}
