//! A table from the loop's watchers to what they stand for.
//!
//! Shows: a watcher's slot is a small number, so a vector will do where a hash
//! map would be asked once an event; the whole id is kept beside the value,
//! since slots are used again.

use crate::WatcherId;

/// Values by the id of a watcher: what a callback looks up by
/// [`Event::id`](crate::Event).
///
/// An id whose watcher has ended finds nothing once its slot has been given to
/// another, so what is not removed does no harm; its memory stays until then.
///
/// ```
/// use std::time::Duration;
/// use epoll_loop::{EventLoop, WatcherMap};
///
/// let mut event_loop = EventLoop::<()>::new()?;
/// let timer = event_loop.after(Duration::from_secs(1), |(), _, _| {});
/// let mut names = WatcherMap::new();
/// names.insert(timer, "tea");
/// assert_eq!(names.get(timer), Some(&"tea"));
/// assert_eq!(names.remove(timer), Some("tea"));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct WatcherMap<V> {
    slots: Vec<Option<(WatcherId, V)>>,
}

impl<V> Default for WatcherMap<V> {
    fn default() -> WatcherMap<V> {
        WatcherMap::new()
    }
}

impl<V> WatcherMap<V> {
    /// Creates an empty table.
    #[must_use]
    pub const fn new() -> WatcherMap<V> {
        WatcherMap { slots: Vec::new() }
    }

    /// Keeps `value` for `id`; one that an ended watcher left behind goes.
    pub fn insert(&mut self, id: WatcherId, value: V) {
        let index = id.slot() as usize;
        if index >= self.slots.len() {
            self.slots.resize_with(index + 1, || None);
        }
        self.slots[index] = Some((id, value));
    }

    /// What is kept for `id`.
    #[must_use]
    pub fn get(&self, id: WatcherId) -> Option<&V> {
        match self.slots.get(id.slot() as usize) {
            Some(Some((owner, value))) if *owner == id => Some(value),
            _ => None,
        }
    }

    /// What is kept for `id`, to be changed.
    #[must_use]
    pub fn get_mut(&mut self, id: WatcherId) -> Option<&mut V> {
        match self.slots.get_mut(id.slot() as usize) {
            Some(Some((owner, value))) if *owner == id => Some(value),
            _ => None,
        }
    }

    /// Takes out what is kept for `id`.
    pub fn remove(&mut self, id: WatcherId) -> Option<V> {
        self.get(id)?;
        self.slots[id.slot() as usize]
            .take()
            .map(|(_, value)| value)
    }

    /// All values, in no order that means anything.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.slots.iter().flatten().map(|(_, value)| value)
    }

    /// All values, to be changed, in no order that means anything.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.slots.iter_mut().flatten().map(|(_, value)| value)
    }

    /// Forgets all values.
    pub fn clear(&mut self) {
        self.slots.clear();
    }
}
