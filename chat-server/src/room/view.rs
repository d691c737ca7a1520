//! What one client may know of the others.
//!
//! Shows: the rules in one place. A secret channel (`+s`) is known to its
//! members only; an invisible person (`+i`) is found by those who share a
//! channel with it; both are open to operators of the server. Who asks for
//! somebody by the exact nick is answered in any case.

use super::channel::{Channel, ChannelModes, ChannelSlot, Channels, Member, Status};
use super::client::{Client, ClientSlot, Clients, UserModes};

/// How much of one channel somebody may know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum View {
    /// Not even that it is there.
    Nothing,
    /// What those outside see: the channel, and who in it is not invisible.
    Outside,
    Everything,
}

impl View {
    /// What `asker` may know of a channel.
    pub(super) fn of(asker: &Client, slot: ChannelSlot, channel: &Channel) -> View {
        if asker.is_operator() || asker.membership(slot).is_some() {
            View::Everything
        } else if channel.modes.contains(ChannelModes::SECRET) {
            View::Nothing
        } else {
            View::Outside
        }
    }

    /// Whether it includes that `member` is in the channel.
    pub(super) fn shows(self, member: &Client) -> bool {
        match self {
            View::Nothing => false,
            View::Outside => !member.modes.contains(UserModes::INVISIBLE),
            View::Everything => true,
        }
    }
}

/// The members of a channel that `asker` may know of.
pub(super) fn shown_members<'a>(
    asker: &Client,
    slot: ChannelSlot,
    channel: &'a Channel,
    clients: &'a Clients,
) -> impl Iterator<Item = (Member, &'a Client)> + use<'a> {
    let view = View::of(asker, slot, channel);
    let members = channel.members.iter();
    members
        .map(|member| (*member, &clients[member.client]))
        .filter(move |(_, client)| view.shows(client))
}

/// The channels of `client` that `asker` may know it is in, with what it is
/// there; in the order in which it joined them.
pub(super) fn known_channels<'a>(
    asker: &'a Client,
    client: &'a Client,
    channels: &'a Channels,
) -> impl Iterator<Item = (&'a Channel, Status)> {
    client.memberships.iter().filter_map(move |held| {
        let channel = &channels[held.channel];
        let is_known = View::of(asker, held.channel, channel).shows(client);
        is_known.then(|| (channel, channel.members[held.position as usize].status))
    })
}

/// Those whom somebody finds without knowing their nicks.
pub(super) struct Findable<'a> {
    asker: &'a Client,
    neighbours: ClientSet,
}

impl<'a> Findable<'a> {
    pub(super) fn by(asker: &'a Client, channels: &Channels) -> Findable<'a> {
        // One pass over the members of the asker's channels: to compare two
        // lists of channels for each client would take much longer.
        let mut neighbours = ClientSet::default();
        for held in &asker.memberships {
            for member in &channels[held.channel].members {
                neighbours.insert(member.client);
            }
        }
        Findable { asker, neighbours }
    }

    pub(super) fn contains(&self, client: &Client) -> bool {
        client.is_registered()
            && (!client.modes.contains(UserModes::INVISIBLE)
                || self.asker.is_operator()
                || self.asker.slot == client.slot
                || self.neighbours.contains(client.slot))
    }
}

/// A set of clients.
#[derive(Default)]
pub(super) struct ClientSet {
    /// By slot.
    is_in: Vec<bool>,
}

impl ClientSet {
    pub(super) fn insert(&mut self, client: ClientSlot) {
        if self.is_in.len() <= client.index() {
            self.is_in.resize(client.index() + 1, false);
        }
        self.is_in[client.index()] = true;
    }

    pub(super) fn contains(&self, client: ClientSlot) -> bool {
        self.is_in.get(client.index()).is_some_and(|is_in| *is_in)
    }
}
