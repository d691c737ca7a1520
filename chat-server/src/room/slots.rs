//! A table whose places are used again, with keys that are not.
//!
//! Shows: a key is a slot and a generation. Whoever keeps a key too long finds
//! nothing, instead of the next one who got the slot.

use std::ops::{Index, IndexMut};

/// Names one value in a [`Slots`] for ever.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Key {
    pub(super) slot: u32,
    generation: u32,
}

#[derive(Debug)]
struct Place<T> {
    generation: u32,
    value: Option<T>,
}

/// Values by slot. Indexing with a slot that is not in use panics: slots are
/// for those who know that the value is there, keys for all others.
#[derive(Debug)]
pub(super) struct Slots<T> {
    places: Vec<Place<T>>,
    free: Vec<u32>,
    len: usize,
}

impl<T> Slots<T> {
    pub(super) const fn new() -> Slots<T> {
        Slots {
            places: Vec::new(),
            free: Vec::new(),
            len: 0,
        }
    }

    /// Adds the value that `make` makes for its slot.
    pub(super) fn insert(&mut self, make: impl FnOnce(u32) -> T) -> Key {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.places.push(Place {
                generation: 0,
                value: None,
            });
            u32::try_from(self.places.len() - 1).expect("the number of values is limited")
        });
        self.len += 1;
        let place = &mut self.places[slot as usize];
        place.value = Some(make(slot));
        Key {
            slot,
            generation: place.generation,
        }
    }

    /// Takes the value out. A slot whose generation would come round to one
    /// used before is not used again.
    pub(super) fn remove(&mut self, slot: u32) -> Option<T> {
        let place = &mut self.places[slot as usize];
        let value = place.value.take()?;
        self.len -= 1;
        if let Some(next) = place.generation.checked_add(1) {
            place.generation = next;
            self.free.push(slot);
        }
        Some(value)
    }

    /// The slot of a value that is still there.
    pub(super) fn resolve(&self, key: Key) -> Option<u32> {
        let place = self.places.get(key.slot as usize)?;
        let is_current = place.generation == key.generation && place.value.is_some();
        is_current.then_some(key.slot)
    }

    /// The key of the value in `slot`.
    pub(super) fn key(&self, slot: u32) -> Key {
        Key {
            slot,
            generation: self.places[slot as usize].generation,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The slots in use, lowest first.
    pub(super) fn slots(&self) -> impl Iterator<Item = u32> {
        let places = (0..).zip(&self.places);
        places.filter_map(|(slot, place)| place.value.is_some().then_some(slot))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.places.iter().filter_map(|place| place.value.as_ref())
    }
}

impl<T> Index<u32> for Slots<T> {
    type Output = T;

    fn index(&self, slot: u32) -> &T {
        self.places[slot as usize]
            .value
            .as_ref()
            .expect("a slot is kept only while it is in use")
    }
}

impl<T> IndexMut<u32> for Slots<T> {
    fn index_mut(&mut self, slot: u32) -> &mut T {
        self.places[slot as usize]
            .value
            .as_mut()
            .expect("a slot is kept only while it is in use")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_does_not_find_the_next_one_in_the_same_slot() {
        let mut slots = Slots::new();
        let first = slots.insert(|_| "first");
        assert_eq!(slots.remove(first.slot), Some("first"));
        let second = slots.insert(|_| "second");
        assert_eq!(second.slot, first.slot);
        assert_eq!(slots.resolve(first), None);
        assert_eq!(slots.resolve(second), Some(second.slot));
        assert_eq!(slots.len(), 1);
    }

    #[test]
    fn a_slot_is_retired_before_its_generation_repeats() {
        let mut slots = Slots::new();
        let old = slots.insert(|_| ());
        slots.places[0].generation = u32::MAX;
        assert_eq!(slots.remove(old.slot), Some(()));
        assert_eq!(slots.insert(|_| ()).slot, 1);
        assert_eq!(slots.len(), 1);
    }
}
