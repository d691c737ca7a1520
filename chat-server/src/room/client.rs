//! Who is connected: one [`Client`] each, in a table of slots.
//!
//! Leaves out: what waits to be written to a client; that is in `mail.rs`.

use std::net::IpAddr;
use std::ops::{Index, IndexMut};
use std::time::Instant;

use bitflags::bitflags;
use serde::{Deserialize, Serialize};

use super::channel::{ChannelId, ChannelSlot};
use super::name_table::NameTable;
use super::slots::{Key, Slots};

/// How a client speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Kind {
    /// An IRC client, which registers with NICK and USER.
    Irc,
    /// A person with `nc` or `telnet`, who is registered at once and types
    /// text.
    Plain,
}

/// Names one connected client, for ever: when its slot is given to another, the
/// generation differs and the id finds nobody.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ClientId(Key);

impl ClientId {
    /// Small number that no other connected client has, for use as an index.
    #[must_use]
    pub fn slot(self) -> usize {
        self.0.slot as usize
    }
}

/// Index of a client who is in the table for certain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct ClientSlot(u32);

impl ClientSlot {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

/// `nick!user@host`, as it stands in front of everything that a client says.
///
/// Kept as the one piece of text that is sent, with marks for its parts.
#[derive(Debug)]
pub(super) struct Identity {
    text: Box<[u8]>,
    nick_end: u8,
    user_end: u8,
}

impl Identity {
    /// Stands for a nick that was not given yet.
    const NO_NICK: &[u8] = b"*";
    /// Stands for a user name that was not given yet; one that was has a `~`.
    const NO_USER: &[u8] = b"unknown";

    /// Somebody of whom only the address is known.
    pub(super) fn unknown(host: &[u8]) -> Identity {
        Identity::new(Identity::NO_NICK, Identity::NO_USER, host)
    }

    /// Whether nick and user name are given.
    pub(super) fn is_complete(&self) -> bool {
        self.nick() != Identity::NO_NICK && self.user() != Identity::NO_USER
    }

    pub(super) fn with_nick(&self, nick: &[u8]) -> Identity {
        Identity::new(nick, self.user(), self.host())
    }

    pub(super) fn without_nick(&self) -> Identity {
        self.with_nick(Identity::NO_NICK)
    }

    pub(super) fn with_user(&self, user: &[u8]) -> Identity {
        Identity::new(self.nick(), user, self.host())
    }

    /// Nick, user and host have at most 255 bytes together with their marks.
    pub(super) fn new(nick: &[u8], user: &[u8], host: &[u8]) -> Identity {
        let end = |length: usize| u8::try_from(length).expect("names are short");
        Identity {
            text: [nick, b"!", user, b"@", host].concat().into(),
            nick_end: end(nick.len()),
            user_end: end(nick.len() + 1 + user.len()),
        }
    }

    pub(super) fn nick(&self) -> &[u8] {
        &self.text[..self.nick_end.into()]
    }

    pub(super) fn user(&self) -> &[u8] {
        &self.text[usize::from(self.nick_end) + 1..self.user_end.into()]
    }

    pub(super) fn host(&self) -> &[u8] {
        &self.text[usize::from(self.user_end) + 1..]
    }

    pub(super) fn user_at_host(&self) -> &[u8] {
        &self.text[usize::from(self.nick_end) + 1..]
    }

    pub(super) fn as_source(&self) -> &[u8] {
        &self.text
    }
}

/// What is known of a client that has not registered yet.
#[derive(Debug, Default)]
pub(super) struct Registration {
    /// Between CAP LS or REQ and CAP END.
    pub(super) is_negotiating: bool,
    /// Whether the last PASS was right.
    pub(super) knows_password: bool,
}

/// How far a client has come.
#[derive(Debug)]
pub(super) enum Stage {
    /// Its nick is what it asked for and in no table; `*` before it asked.
    Registering(Registration),
    Registered,
    /// The others have seen it go; what is queued is still to be written.
    Leaving,
}

bitflags! {
    /// User modes, by their letters.
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
    #[serde(transparent)]
    pub(super) struct UserModes: u8 {
        /// `i`: found only by those who share a channel.
        const INVISIBLE = 1 << 0;
        /// `o`: an operator of the server.
        const OPERATOR = 1 << 1;
        /// `w`: receives WALLOPS.
        const WALLOPS = 1 << 2;
        /// `B`: a program.
        const BOT = 1 << 3;
    }
}

/// A client's end of being in a channel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Membership {
    pub(super) channel: ChannelSlot,
    /// Where in the channel's list of members the client stands.
    pub(super) position: u32,
}

/// One client. Small, since most of them are idle most of the time.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) slot: ClientSlot,
    pub(super) address: IpAddr,
    pub(super) stage: Stage,
    pub(super) modes: UserModes,
    pub(super) identity: Identity,
    pub(super) real_name: Box<[u8]>,
    pub(super) away: Option<Box<[u8]>>,
    /// In the order of joining.
    pub(super) memberships: Vec<Membership>,
    /// Oldest first. An id of a channel that is gone means nothing.
    pub(super) invitations: Vec<ChannelId>,
    /// Times that it gave a wrong password for OPER.
    pub(super) wrong_guesses: usize,
    /// Seconds since 1970.
    pub(super) connected_at: u64,
    pub(super) last_spoke: Instant,
}

impl Client {
    pub(super) fn is_registered(&self) -> bool {
        matches!(self.stage, Stage::Registered)
    }

    pub(super) fn is_leaving(&self) -> bool {
        matches!(self.stage, Stage::Leaving)
    }

    pub(super) fn is_operator(&self) -> bool {
        self.modes.contains(UserModes::OPERATOR)
    }

    pub(super) fn membership(&self, channel: ChannelSlot) -> Option<Membership> {
        self.memberships
            .iter()
            .find(|membership| membership.channel == channel)
            .copied()
    }
}

/// All clients, and the nicks of those who are registered.
#[derive(Debug)]
pub(super) struct Clients {
    slots: Slots<Client>,
    by_nick: NameTable<ClientSlot>,
}

impl Clients {
    pub(super) fn new() -> Clients {
        Clients {
            slots: Slots::new(),
            by_nick: NameTable::new(),
        }
    }

    /// Puts the client that `make` makes for its slot into the table.
    pub(super) fn insert(&mut self, make: impl FnOnce(ClientSlot) -> Client) -> ClientSlot {
        ClientSlot(self.slots.insert(|slot| make(ClientSlot(slot))).slot)
    }

    /// Empties the slot for the next client.
    pub(super) fn remove(&mut self, client: ClientSlot) -> Option<Client> {
        self.slots.remove(client.0)
    }

    /// The slot of a client that is still in the table.
    pub(super) fn resolve(&self, id: ClientId) -> Option<ClientSlot> {
        self.slots.resolve(id.0).map(ClientSlot)
    }

    /// The registered client with that nick.
    pub(super) fn find(&self, nick: &[u8]) -> Option<ClientSlot> {
        self.by_nick.find(nick)
    }

    /// Lets a client be found by its nick.
    pub(super) fn list(&mut self, client: ClientSlot) {
        self.by_nick
            .insert(self.slots[client.0].identity.nick(), client);
    }

    /// Lets a client no more be found.
    pub(super) fn unlist(&mut self, client: ClientSlot) {
        self.by_nick.remove(self.slots[client.0].identity.nick());
    }

    pub(super) fn id(&self, client: ClientSlot) -> ClientId {
        ClientId(self.slots.key(client.0))
    }

    /// Number of clients who can be found by their nick.
    #[cfg(test)]
    pub(super) fn listed(&self) -> usize {
        self.by_nick.len()
    }

    /// Number of clients in the table, in whatever stage.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Client> {
        self.slots.iter()
    }
}

impl Index<ClientSlot> for Clients {
    type Output = Client;

    fn index(&self, slot: ClientSlot) -> &Client {
        &self.slots[slot.0]
    }
}

impl IndexMut<ClientSlot> for Clients {
    fn index_mut(&mut self, slot: ClientSlot) -> &mut Client {
        &mut self.slots[slot.0]
    }
}
