//! The room, made again from what was written down.
//!
//! Shows: what comes from another process is checked, even from one that is
//! trusted: a record that contradicts itself is an error here and not a panic
//! an hour later.

use std::collections::{HashMap, HashSet};
use std::num::NonZeroU32;
use std::time::{Duration, UNIX_EPOCH};

use super::{ChannelRecord, ClientRecord, MaskRecord, RecordError, RoomRecord, StageRecord};
use crate::room::channel::{Channel, ChannelSlot, Member, Topic};
use crate::room::client::{
    Client, ClientId, ClientSlot, Identity, Membership, Registration, Stage, UserModes,
};
use crate::room::mask_lists::{Entry, MaskList};
use crate::room::rules::Rules;
use crate::room::state::{Now, State};

/// Bytes of nick, user and host together with their marks.
const MAX_IDENTITY_BYTES: usize = 255;

impl State {
    /// Makes the room of a record, under `rules`, whose names give way to those
    /// of the record, with the bytes that wait for its clients, in its order.
    /// Returns the clients in that order. Who is over a limit of the new rules
    /// stays.
    ///
    /// # Errors
    ///
    /// [`RecordError`] if the record contradicts itself.
    pub fn restore(
        rules: Rules,
        record: RoomRecord,
        mut unsent: &[u8],
        now: Now,
    ) -> Result<(State, Vec<ClientId>), RecordError> {
        let rules = Rules {
            server_name: record.server_name,
            network: record.network,
            ..rules
        };
        let mut state = State::new(rules, now);
        state.started = UNIX_EPOCH
            .checked_add(Duration::from_secs(record.started))
            .ok_or(RecordError("it began at no time"))?;
        state.counters = record.counters;
        state.mail.lines_queued = record.counters.lines_queued;
        state.guests = record.guests;
        state.set_time(now);
        let mut clients = Vec::new();
        for client in &record.clients {
            let (own, rest) = unsent
                .split_at_checked(client.unsent_bytes)
                .ok_or(RecordError("fewer bytes wait than it counts"))?;
            clients.push(state.restore_client(client, own, now)?);
            unsent = rest;
        }
        if !unsent.is_empty() {
            return Err(RecordError("more bytes wait than it counts"));
        }
        state.census.most_registered = record.most_registered.max(state.census.registered);
        let mut channels = Vec::new();
        for channel in &record.channels {
            channels.push(state.restore_channel(channel, &clients)?);
        }
        let mut positions = positions(&record.channels);
        for (place, record) in record.clients.iter().enumerate() {
            let client = clients[place];
            state.restore_memberships(record, client, &channels, |channel| {
                positions.remove(&(channel, place))
            })?;
        }
        if !positions.is_empty() {
            return Err(RecordError("a channel has a member that is not in it"));
        }
        for former in record.former_nicks.into_iter().rev() {
            let identity = identity(&former.nick.0, &former.user.0, &former.host.0)?;
            let real_name = former.real_name.0.into();
            state.nick_history.add(identity, real_name, former.until);
        }
        let ids = clients.iter().map(|&client| state.clients.id(client));
        let ids = ids.collect();
        Ok((state, ids))
    }

    fn restore_client(
        &mut self,
        record: &ClientRecord,
        unsent: &[u8],
        now: Now,
    ) -> Result<ClientSlot, RecordError> {
        let identity = identity(&record.nick.0, &record.user.0, &record.host.0)?;
        let spoke = Duration::from_millis(record.spoke_ms_ago);
        let slot = self.clients.insert(|slot| Client {
            slot,
            address: record.address,
            stage: match record.stage {
                StageRecord::Registering {
                    is_negotiating,
                    knows_password,
                } => Stage::Registering(Registration {
                    is_negotiating,
                    knows_password,
                }),
                StageRecord::Registered => Stage::Registered,
                StageRecord::Leaving => Stage::Leaving,
            },
            modes: record.modes,
            identity,
            real_name: record.real_name.0.as_slice().into(),
            away: record.away.as_ref().map(|away| away.0.as_slice().into()),
            memberships: Vec::new(),
            invitations: Vec::new(),
            wrong_guesses: record.wrong_guesses,
            connected_at: record.connected_at,
            last_spoke: now.instant.checked_sub(spoke).unwrap_or(now.instant),
        });
        self.count_address(record.address);
        self.mail.open(slot, record.kind);
        self.mail.set_capabilities(slot, record.capabilities);
        self.mail.restore(slot, unsent, record.is_partly_written);
        match record.stage {
            StageRecord::Registering { .. } => self.census.registering += 1,
            StageRecord::Registered => {
                if self.clients.find(&record.nick.0).is_some() {
                    return Err(RecordError("two clients have one nick"));
                }
                self.clients.list(slot);
                self.census.registered += 1;
                let has = |mode| usize::from(record.modes.contains(mode));
                self.census.invisible += has(UserModes::INVISIBLE);
                self.census.operators += has(UserModes::OPERATOR);
            }
            StageRecord::Leaving => self.mail.close(slot, record.is_emptied),
        }
        Ok(slot)
    }

    fn restore_channel(
        &mut self,
        record: &ChannelRecord,
        clients: &[ClientSlot],
    ) -> Result<ChannelSlot, RecordError> {
        if self.channels.find(&record.name.0).is_some() {
            return Err(RecordError("two channels have one name"));
        }
        if record.members.is_empty() {
            return Err(RecordError("a channel has no members"));
        }
        let mut channel = Channel::new(&record.name.0, record.created_at);
        channel.modes = record.modes;
        channel.key = record.key.as_ref().map(|key| key.0.as_slice().into());
        channel.limit = record.limit.and_then(NonZeroU32::new);
        channel.topic = record.topic.as_ref().map(|topic| {
            Box::new(Topic {
                text: topic.text.0.as_slice().into(),
                set_by: topic.set_by.0.as_slice().into(),
                set_at: topic.set_at,
            })
        });
        let mut seen = HashSet::new();
        for &(place, status) in &record.members {
            let client = *clients
                .get(place)
                .filter(|_| seen.insert(place))
                .ok_or(RecordError("a channel has a member that nobody is"))?;
            channel.members.push(Member { client, status });
        }
        let slot = self.channels.insert(channel);
        for (list, masks) in [
            (MaskList::Ban, &record.bans),
            (MaskList::BanExemption, &record.ban_exemptions),
            (MaskList::InviteExemption, &record.invite_exemptions),
        ] {
            for mask in masks {
                // They are inherited whole, whatever the limit is now.
                self.channels.add_mask(slot, list, entry(mask), usize::MAX);
            }
        }
        Ok(slot)
    }

    fn restore_memberships(
        &mut self,
        record: &ClientRecord,
        client: ClientSlot,
        channels: &[ChannelSlot],
        mut take_position: impl FnMut(usize) -> Option<u32>,
    ) -> Result<(), RecordError> {
        let is_registered = record.stage == StageRecord::Registered;
        for &place in &record.channels {
            let channel = *channels
                .get(place)
                .filter(|_| is_registered)
                .ok_or(RecordError("a client is in a channel that is none"))?;
            if self.clients[client].membership(channel).is_some() {
                return Err(RecordError("a client is in a channel twice"));
            }
            let position =
                take_position(place).ok_or(RecordError("a client is in a channel without it"))?;
            let membership = Membership { channel, position };
            self.clients[client].memberships.push(membership);
            self.mail.set_room(client, Some(channel));
        }
        for &place in &record.invitations {
            let channel = *channels
                .get(place)
                .ok_or(RecordError("an invitation is to a channel that is none"))?;
            let id = self.channels.id(channel);
            self.clients[client].invitations.push(id);
        }
        Ok(())
    }
}

/// Where each channel has each of its members. To look for everybody in every
/// channel would take as long as the square of the people, who wait.
fn positions(channels: &[ChannelRecord]) -> HashMap<(usize, usize), u32> {
    let members = |(channel, record): (usize, &ChannelRecord)| {
        let clients: Vec<_> = record.members.iter().map(|&(client, _)| client).collect();
        (0..)
            .zip(clients)
            .map(move |(position, client)| ((channel, client), position))
    };
    channels.iter().enumerate().flat_map(members).collect()
}

fn identity(nick: &[u8], user: &[u8], host: &[u8]) -> Result<Identity, RecordError> {
    if nick.len() + user.len() + host.len() + 2 > MAX_IDENTITY_BYTES {
        return Err(RecordError("a name is too long"));
    }
    Ok(Identity::new(nick, user, host))
}

fn entry(record: &MaskRecord) -> Entry {
    Entry {
        mask: record.mask.0.as_slice().into(),
        set_by: record.set_by.0.as_slice().into(),
        set_at: record.set_at,
    }
}
