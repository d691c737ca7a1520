//! The room as a document: what a server writes down for its successor.
//!
//! Shows: plain data beside the tables that the room works with. References are
//! places in the lists of the document, points in time are how long ago they
//! were or seconds since 1970, and what can be counted again is left out.
//! Leaves out: the bytes that wait for clients, of which there may be hundreds of
//! megabytes, and which follow the document as they are; sockets and the clients' timers, which the loop side adds, and
//! all settings: those are the successor's own.
//!
//! Within one version of the format fields may be added, if they may be missing
//! (`#[serde(default)]`); everything else needs a new version, see
//! [`FORMAT_VERSION`](crate::FORMAT_VERSION).

mod octets;
mod restore;
mod save;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::capabilities::Capabilities;
use super::channel::{ChannelModes, Status};
use super::client::{Kind, UserModes};
use super::state::Counters;

pub use octets::Octets;

/// Everybody who is connected and every channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomRecord {
    /// What the server calls itself.
    pub server_name: String,
    /// The name of the network.
    pub network: String,
    /// When the first of the servers began, in seconds since 1970.
    pub(super) started: u64,
    pub(super) counters: Counters,
    /// The most people that were here at once.
    pub(super) most_registered: usize,
    /// Number of the last plain peer's nick.
    pub(super) guests: u64,
    /// In the order in which the loop side tells of their connections.
    pub(super) clients: Vec<ClientRecord>,
    pub(super) channels: Vec<ChannelRecord>,
    /// For WHOWAS, newest first.
    pub(super) former_nicks: Vec<FormerNick>,
}

/// One client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ClientRecord {
    pub(super) kind: Kind,
    pub(super) address: IpAddr,
    pub(super) stage: StageRecord,
    /// `*` before it was given.
    pub(super) nick: Octets,
    pub(super) user: Octets,
    pub(super) host: Octets,
    pub(super) real_name: Octets,
    pub(super) modes: UserModes,
    pub(super) capabilities: Capabilities,
    pub(super) away: Option<Octets>,
    /// Places in the list of channels, in the order of joining.
    pub(super) channels: Vec<usize>,
    /// The same of the channels it is invited to, oldest first.
    pub(super) invitations: Vec<usize>,
    /// Times that it gave a wrong password for OPER.
    #[serde(default)]
    pub(super) wrong_guesses: usize,
    /// In seconds since 1970.
    pub(super) connected_at: u64,
    /// How long ago it spoke, in milliseconds.
    pub(super) spoke_ms_ago: u64,
    /// Bytes that wait to be written; they themselves are not in the record.
    pub(super) unsent_bytes: usize,
    /// Whether they begin in the middle of a line.
    pub(super) is_partly_written: bool,
    /// Whether something was dropped of what waited, because it read too
    /// slowly; only of one that is leaving.
    pub(super) is_emptied: bool,
}

/// How far a client has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum StageRecord {
    Registering {
        is_negotiating: bool,
        knows_password: bool,
    },
    Registered,
    Leaving,
}

/// One channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ChannelRecord {
    pub(super) name: Octets,
    /// In seconds since 1970.
    pub(super) created_at: u64,
    pub(super) modes: ChannelModes,
    pub(super) key: Option<Octets>,
    pub(super) limit: Option<u32>,
    pub(super) topic: Option<TopicRecord>,
    pub(super) bans: Vec<MaskRecord>,
    pub(super) ban_exemptions: Vec<MaskRecord>,
    pub(super) invite_exemptions: Vec<MaskRecord>,
    /// Places in the list of clients, and what each is here.
    pub(super) members: Vec<(usize, Status)>,
}

/// What a channel is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TopicRecord {
    pub(super) text: Octets,
    pub(super) set_by: Octets,
    pub(super) set_at: u64,
}

/// An entry of one of a channel's lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct MaskRecord {
    pub(super) mask: Octets,
    pub(super) set_by: Octets,
    pub(super) set_at: u64,
}

/// Somebody who had a nick.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FormerNick {
    pub(super) nick: Octets,
    pub(super) user: Octets,
    pub(super) host: Octets,
    pub(super) real_name: Octets,
    /// In seconds since 1970.
    pub(super) until: u64,
}

impl RoomRecord {
    /// Number of clients in it.
    #[must_use]
    pub fn clients(&self) -> usize {
        self.clients.len()
    }
}

/// Why a record makes no room: what in it contradicts what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordError(pub(super) &'static str);

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for RecordError {}
