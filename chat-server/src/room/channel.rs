//! Channels: who is in them, what they allow, what they are about.
//!
//! Leaves out: who may do what to them (`channel_modes.rs`, `join.rs` ...).

use std::num::NonZeroU32;
use std::ops::{Index, IndexMut};

use bitflags::bitflags;
use serde::{Deserialize, Serialize};

use super::client::{ClientSlot, Identity};
use super::mask_lists::{Entry, MaskList, MaskLists};
use super::name_table::NameTable;
use super::slots::{Key, Slots};

/// Index of a channel that is in the table for certain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct ChannelSlot(u32);

impl ChannelSlot {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

/// Names one channel as long as somebody is in it; one made later under the
/// same name is another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct ChannelId(Key);

bitflags! {
    /// What a member is in its channel.
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
    #[serde(transparent)]
    pub(super) struct Status: u8 {
        /// `v`, shown as `+`: may speak when the channel is moderated.
        const VOICE = 1 << 0;
        /// `o`, shown as `@`: may change the channel.
        const OPERATOR = 1 << 1;
    }

    /// The channel modes that are on or off.
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
    #[serde(transparent)]
    pub(super) struct ChannelModes: u8 {
        /// `i`: only those who are invited can join.
        const INVITE_ONLY = 1 << 0;
        /// `m`: only operators and voiced members can speak.
        const MODERATED = 1 << 1;
        /// `n`: only members can speak.
        const NO_EXTERNAL = 1 << 2;
        /// `s`: shown to members only.
        const SECRET = 1 << 3;
        /// `t`: only operators can change the topic.
        const TOPIC_LOCK = 1 << 4;
    }
}

impl Status {
    /// The prefixes that stand for it in lists: the highest, or all of them.
    pub(super) fn prefixes(self, all: bool) -> &'static [u8] {
        let is_voiced = self.contains(Status::VOICE);
        match (self.contains(Status::OPERATOR), is_voiced) {
            (true, true) if all => b"@+",
            (true, _) => b"@",
            (false, true) => b"+",
            (false, false) => b"",
        }
    }
}

/// A channel's end of a client being in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member {
    pub(super) client: ClientSlot,
    pub(super) status: Status,
}

#[derive(Debug)]
pub(super) struct Topic {
    pub(super) text: Box<[u8]>,
    /// Nick of who set it.
    pub(super) set_by: Box<[u8]>,
    /// Seconds since 1970.
    pub(super) set_at: u64,
}

/// One channel. It exists as long as it has members.
#[derive(Debug)]
pub(super) struct Channel {
    pub(super) name: Box<[u8]>,
    /// In no order.
    pub(super) members: Vec<Member>,
    pub(super) modes: ChannelModes,
    pub(super) key: Option<Box<[u8]>>,
    pub(super) limit: Option<NonZeroU32>,
    pub(super) topic: Option<Box<Topic>>,
    /// Most channels have none.
    masks: Option<Box<MaskLists>>,
    /// Seconds since 1970.
    pub(super) created_at: u64,
}

impl Channel {
    /// A new channel: `+nt`, and nobody in it yet.
    pub(super) fn new(name: &[u8], created_at: u64) -> Channel {
        Channel {
            name: name.into(),
            members: Vec::new(),
            modes: ChannelModes::NO_EXTERNAL | ChannelModes::TOPIC_LOCK,
            key: None,
            limit: None,
            topic: None,
            masks: None,
            created_at,
        }
    }

    /// The masks of a list, oldest first.
    pub(super) fn masks(&self, list: MaskList) -> &[Entry] {
        self.masks.as_ref().map_or(&[], |masks| masks.entries(list))
    }

    /// Whether a ban that nothing exempts from applies to somebody.
    pub(super) fn is_banned(&self, identity: &Identity) -> bool {
        self.has_listed(MaskList::Ban, identity)
            && !self.has_listed(MaskList::BanExemption, identity)
    }

    /// Whether somebody is on a list.
    pub(super) fn has_listed(&self, list: MaskList, identity: &Identity) -> bool {
        self.masks
            .as_ref()
            .is_some_and(|masks| masks.matches(list, identity.as_source()))
    }
}

/// What became of a mask that was to be put on a list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Addition {
    Done,
    /// It was on the list already.
    Known,
    /// The channel's lists are full.
    Full,
    /// The lists of all channels together are full.
    AllFull,
}

/// All channels.
#[derive(Debug)]
pub(super) struct Channels {
    slots: Slots<Channel>,
    by_name: NameTable<ChannelSlot>,
    /// Memory that the masks of all channels take, more or less.
    mask_bytes: usize,
}

impl Channels {
    pub(super) fn new() -> Channels {
        Channels {
            slots: Slots::new(),
            by_name: NameTable::new(),
            mask_bytes: 0,
        }
    }

    pub(super) fn find(&self, name: &[u8]) -> Option<ChannelSlot> {
        self.by_name.find(name)
    }

    pub(super) fn insert(&mut self, channel: Channel) -> ChannelSlot {
        let name = channel.name.clone();
        let slot = ChannelSlot(self.slots.insert(|_| channel).slot);
        self.by_name.insert(&name, slot);
        slot
    }

    pub(super) fn remove(&mut self, channel: ChannelSlot) -> Option<Channel> {
        let channel = self.slots.remove(channel.0)?;
        self.by_name.remove(&channel.name);
        self.mask_bytes -= channel.masks.as_ref().map_or(0, |masks| masks.bytes());
        Some(channel)
    }

    /// Puts a mask on a list of a channel, unless all masks would then take
    /// more than `max_bytes`.
    pub(super) fn add_mask(
        &mut self,
        channel: ChannelSlot,
        list: MaskList,
        entry: Entry,
        max_bytes: usize,
    ) -> Addition {
        let masks = &mut self.slots[channel.0].masks;
        let held = masks.as_ref();
        if held.is_some_and(|masks| masks.contains(list, &entry.mask)) {
            Addition::Known
        } else if held.is_some_and(|masks| masks.is_full()) {
            Addition::Full
        } else if self.mask_bytes + entry.bytes() > max_bytes {
            Addition::AllFull
        } else {
            self.mask_bytes += entry.bytes();
            masks.get_or_insert_default().add(list, entry);
            Addition::Done
        }
    }

    /// Takes a mask off a list of a channel.
    pub(super) fn remove_mask(
        &mut self,
        channel: ChannelSlot,
        list: MaskList,
        mask: &[u8],
    ) -> Option<Entry> {
        let masks = &mut self.slots[channel.0].masks;
        let entry = masks.as_mut()?.remove(list, mask)?;
        // Many channels that had masks once must not cost what no limit counts.
        masks.take_if(|masks| masks.is_empty());
        self.mask_bytes -= entry.bytes();
        Some(entry)
    }

    pub(super) fn id(&self, channel: ChannelSlot) -> ChannelId {
        ChannelId(self.slots.key(channel.0))
    }

    pub(super) fn resolve(&self, id: ChannelId) -> Option<ChannelSlot> {
        self.slots.resolve(id.0).map(ChannelSlot)
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// All of them, in no order that means anything.
    pub(super) fn slots(&self) -> impl Iterator<Item = ChannelSlot> {
        self.slots.slots().map(ChannelSlot)
    }
}

#[cfg(test)]
impl Channels {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Channel> {
        self.slots.iter()
    }

    /// Panics if the memory of masks is not what was counted.
    pub(super) fn check_mask_bytes(&self) {
        let masks = self.iter().filter_map(|channel| channel.masks.as_ref());
        assert_eq!(
            masks.map(|masks| masks.bytes()).sum::<usize>(),
            self.mask_bytes
        );
        let mut masks = self.iter().filter_map(|channel| channel.masks.as_ref());
        assert!(masks.all(|masks| !masks.is_empty()), "lists without a mask");
        assert_eq!(self.by_name.len(), self.slots.len());
    }
}

impl Index<ChannelSlot> for Channels {
    type Output = Channel;

    fn index(&self, slot: ChannelSlot) -> &Channel {
        &self.slots[slot.0]
    }
}

impl IndexMut<ChannelSlot> for Channels {
    fn index_mut(&mut self, slot: ChannelSlot) -> &mut Channel {
        &mut self.slots[slot.0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(channels: &mut Channels, channel: ChannelSlot, max_bytes: usize) -> Addition {
        let entry = Entry {
            mask: Box::from(&b"ann!*@*"[..]),
            set_by: Box::default(),
            set_at: 0,
        };
        channels.add_mask(channel, MaskList::Ban, entry, max_bytes)
    }

    #[test]
    fn a_channel_without_masks_holds_no_memory_for_them() {
        let mut channels = Channels::new();
        let channel = channels.insert(Channel::new(b"#c", 0));
        assert_eq!(add(&mut channels, channel, 0), Addition::AllFull);
        assert!(channels[channel].masks.is_none());
        assert_eq!(add(&mut channels, channel, 1000), Addition::Done);
        channels.remove_mask(channel, MaskList::Ban, b"ann!*@*");
        assert!(channels[channel].masks.is_none());
        channels.check_mask_bytes();
    }
}
