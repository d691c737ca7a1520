//! A table from the loop's watchers to what they stand for.
//!
//! Shows: a watcher's slot is a small number, so a vector will do where a hash
//! map would be asked once an event; the whole id is kept beside the value,
//! since slots are used again.

use epoll_loop::WatcherId;

/// Values by the id of a watcher.
#[derive(Debug)]
pub(crate) struct WatcherMap<V> {
    slots: Vec<Option<(WatcherId, V)>>,
}

impl<V> WatcherMap<V> {
    pub(crate) fn new() -> WatcherMap<V> {
        WatcherMap { slots: Vec::new() }
    }

    /// Keeps `value` for `id`; one that an ended watcher left behind goes.
    pub(crate) fn insert(&mut self, id: WatcherId, value: V) {
        let index = id.slot() as usize;
        if index >= self.slots.len() {
            self.slots.resize_with(index + 1, || None);
        }
        self.slots[index] = Some((id, value));
    }

    pub(crate) fn get(&self, id: WatcherId) -> Option<&V> {
        match self.slots.get(id.slot() as usize) {
            Some(Some((owner, value))) if *owner == id => Some(value),
            _ => None,
        }
    }

    pub(crate) fn remove(&mut self, id: WatcherId) -> Option<V> {
        self.get(id)?;
        self.slots[id.slot() as usize]
            .take()
            .map(|(_, value)| value)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.slots.iter().flatten().map(|(_, value)| value)
    }

    pub(crate) fn clear(&mut self) {
        self.slots.clear();
    }
}
