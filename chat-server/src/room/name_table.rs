//! Nicks and channels by name.
//!
//! Shows: one table type for both, which knows that `Ann` and `ann` are the
//! same name, so that no caller can forget it.

use std::collections::HashMap;

use chat_protocol::fold;

/// Slots by name, whatever the case of its letters.
#[derive(Debug)]
pub(super) struct NameTable<Slot> {
    slots: HashMap<Box<[u8]>, Slot>,
}

impl<Slot: Copy> NameTable<Slot> {
    pub(super) fn new() -> NameTable<Slot> {
        NameTable {
            slots: HashMap::new(),
        }
    }

    pub(super) fn find(&self, name: &[u8]) -> Option<Slot> {
        self.slots.get(&*fold(name)).copied()
    }

    /// Adds a name that is not in the table yet.
    pub(super) fn insert(&mut self, name: &[u8], slot: Slot) {
        let before = self.slots.insert(Box::from(&*fold(name)), slot);
        debug_assert!(before.is_none(), "a name was entered twice");
    }

    pub(super) fn remove(&mut self, name: &[u8]) {
        self.slots.remove(&*fold(name));
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }
}
