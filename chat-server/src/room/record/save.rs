//! The room, written down.

use std::collections::HashMap;

use chapter::unix_seconds;

use super::{
    ChannelRecord, ClientRecord, FormerNick, MaskRecord, Octets, RoomRecord, StageRecord,
    TopicRecord,
};
use crate::room::channel::{Channel, ChannelSlot};
use crate::room::client::{Client, ClientId, Identity, Stage};
use crate::room::mask_lists::MaskList;
use crate::room::state::{Now, State};

/// Which place in its list each channel, or client, has in the record.
type Places = HashMap<usize, usize>;

impl State {
    /// Writes down who is here, what they are in and what waits for them, and
    /// names the clients in the order in which the record has them.
    #[must_use]
    pub fn save(&self, now: Now) -> (RoomRecord, Vec<ClientId>) {
        let channels: Vec<ChannelSlot> = self.channels.slots().collect();
        let channel_places = places(channels.iter().map(|channel| channel.index()));
        let client_places = places(self.clients.iter().map(|client| client.slot.index()));
        let clients = self
            .clients
            .iter()
            .map(|client| self.save_client(client, &channel_places, now));
        let record = RoomRecord {
            server_name: self.rules.server_name.clone(),
            network: self.rules.network.clone(),
            started: unix_seconds(self.started),
            counters: self.counters(),
            most_registered: self.census.most_registered,
            guests: self.guests,
            clients: clients.collect(),
            channels: channels
                .iter()
                .map(|&channel| save_channel(&self.channels[channel], &client_places))
                .collect(),
            former_nicks: self.nick_history.iter().map(save_former).collect(),
        };
        let ids = self
            .clients
            .iter()
            .map(|client| self.clients.id(client.slot));
        (record, ids.collect())
    }

    /// The bytes that wait for a client and that its record only counts, in
    /// pieces.
    pub fn unsent(&self, client: ClientId) -> impl Iterator<Item = &[u8]> {
        let client = self.clients.resolve(client);
        client
            .into_iter()
            .flat_map(|client| self.mail.waiting(client).pieces())
    }

    fn save_client(&self, client: &Client, channels: &Places, now: Now) -> ClientRecord {
        let waiting = self.mail.waiting(client.slot);
        let joined = client.memberships.iter();
        // An invitation to a channel that is gone means nothing any more.
        let invited = client
            .invitations
            .iter()
            .filter_map(|&id| self.channels.resolve(id));
        let silent = now.instant.saturating_duration_since(client.last_spoke);
        ClientRecord {
            kind: self.mail.kind(client.slot),
            address: client.address,
            stage: match &client.stage {
                Stage::Registering(registration) => StageRecord::Registering {
                    is_negotiating: registration.is_negotiating,
                    knows_password: registration.knows_password,
                },
                Stage::Registered => StageRecord::Registered,
                Stage::Leaving => StageRecord::Leaving,
            },
            nick: client.identity.nick().into(),
            user: client.identity.user().into(),
            host: client.identity.host().into(),
            real_name: Octets::from(&*client.real_name),
            modes: client.modes,
            capabilities: self.mail.capabilities(client.slot),
            away: client.away.as_deref().map(Octets::from),
            channels: joined.map(|held| channels[&held.channel.index()]).collect(),
            invitations: invited.map(|channel| channels[&channel.index()]).collect(),
            wrong_guesses: client.wrong_guesses,
            connected_at: client.connected_at,
            spoke_ms_ago: u64::try_from(silent.as_millis()).unwrap_or(u64::MAX),
            unsent_bytes: waiting.len(),
            is_partly_written: waiting.is_partly_written(),
            is_emptied: waiting.is_emptied(),
        }
    }
}

fn places(slots: impl Iterator<Item = usize>) -> Places {
    slots
        .enumerate()
        .map(|(place, slot)| (slot, place))
        .collect()
}

fn save_channel(channel: &Channel, clients: &Places) -> ChannelRecord {
    let masks = |list| {
        let entries = channel.masks(list).iter();
        let records = entries.map(|entry| MaskRecord {
            mask: Octets::from(&*entry.mask),
            set_by: Octets::from(&*entry.set_by),
            set_at: entry.set_at,
        });
        records.collect()
    };
    ChannelRecord {
        name: Octets::from(&*channel.name),
        created_at: channel.created_at,
        modes: channel.modes,
        key: channel.key.as_deref().map(Octets::from),
        limit: channel.limit.map(Into::into),
        topic: channel.topic.as_ref().map(|topic| TopicRecord {
            text: Octets::from(&*topic.text),
            set_by: Octets::from(&*topic.set_by),
            set_at: topic.set_at,
        }),
        bans: masks(MaskList::Ban),
        ban_exemptions: masks(MaskList::BanExemption),
        invite_exemptions: masks(MaskList::InviteExemption),
        members: channel
            .members
            .iter()
            .map(|member| (clients[&member.client.index()], member.status))
            .collect(),
    }
}

fn save_former((identity, real_name, until): (&Identity, &[u8], u64)) -> FormerNick {
    FormerNick {
        nick: identity.nick().into(),
        user: identity.user().into(),
        host: identity.host().into(),
        real_name: real_name.into(),
        until,
    }
}
