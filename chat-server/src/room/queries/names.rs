//! NAMES: who is in a channel.

use chat_protocol::Message;

use crate::room::capabilities::Capabilities;
use crate::room::channel::{ChannelModes, ChannelSlot};
use crate::room::client::{ClientSlot, UserModes};
use crate::room::limits::MAX_TARGETS;
use crate::room::numerics::{ERR_TOOMANYTARGETS, RPL_ENDOFNAMES, RPL_NAMREPLY};
use crate::room::state::State;

/// Bytes that the longest entry takes: a space, `@+`, and nick, user and host
/// of an IPv6 address.
const ENTRY_BYTES: usize = 1 + 2 + 30 + 1 + 11 + 1 + 46;

impl State {
    /// `NAMES channel{,channel}`.
    pub(in crate::room) fn names(&mut self, from: ClientSlot, message: &Message<'_>) {
        let names = message.parameters.first().copied().unwrap_or(b"*");
        for (index, name) in names.split(|&byte| byte == b',').enumerate() {
            if index == MAX_TARGETS {
                return self.refuse(from, ERR_TOOMANYTARGETS, &[name]);
            }
            match self.channels.find(name) {
                Some(channel) => self.send_names(from, channel),
                None => self.refuse(from, RPL_ENDOFNAMES, &[name]),
            }
        }
    }

    /// Sends those members of a channel that the client may see.
    pub(in crate::room) fn send_names(&mut self, to: ClientSlot, slot: ChannelSlot) {
        let (client, channel) = (&self.clients[to], &self.channels[slot]);
        let is_member = client.membership(slot).is_some();
        let is_secret = channel.modes.contains(ChannelModes::SECRET);
        let capabilities = self.mail.capabilities(to);
        let all_prefixes = capabilities.contains(Capabilities::MULTI_PREFIX);
        let with_host = capabilities.contains(Capabilities::USERHOST_IN_NAMES);
        let mut members = channel.members.iter().filter(|member| {
            is_member
                || !is_secret
                    && !self.clients[member.client]
                        .modes
                        .contains(UserModes::INVISIBLE)
        });
        let mut next = members.next();
        while next.is_some() {
            self.mail.reply(client, RPL_NAMREPLY, |line| {
                let line = line.parameter(if is_secret { b"@" } else { b"=" });
                let mut line = line.parameter(&channel.name).trailing(b"");
                let mut is_first = true;
                while let Some(member) = next
                    && line.room() >= ENTRY_BYTES
                {
                    let identity = &self.clients[member.client].identity;
                    let name = if with_host {
                        identity.as_source()
                    } else {
                        identity.nick()
                    };
                    let space: &[u8] = if is_first { b"" } else { b" " };
                    line = line
                        .append(space)
                        .append(member.status.prefixes(all_prefixes));
                    line = line.append(name);
                    is_first = false;
                    next = members.next();
                }
                line
            });
        }
        self.mail
            .reply(client, RPL_ENDOFNAMES, |line| line.parameter(&channel.name));
    }
}
