//! What is ready and waits for its callback, most urgent first.
//!
//! Shows: one queue a priority. Within one the order is that in which things
//! happened (FIFO); libev takes the last one first (LIFO), which is shorter to
//! write and starves the first one under load.

use crate::readiness::Readiness;
use crate::watchers::{Priority, Watcher, WatcherId};

/// The watchers whose callbacks are due.
#[derive(Debug, Default)]
pub(crate) struct PendingQueues {
    queues: [Queue; Priority::LEVELS],
    /// Bit `n` is set if queue `n` holds something.
    filled: u8,
}

impl PendingQueues {
    /// Notes what has happened to a watcher; it is called once for all that
    /// happens until then.
    #[inline]
    pub(crate) fn note<S>(&mut self, watcher: &mut Watcher<S>, id: WatcherId, what: Readiness) {
        if watcher.pending.is_empty() {
            self.push(watcher.priority, id);
        }
        watcher.pending |= what;
    }

    // ANCHOR: order
    #[inline]
    fn push(&mut self, priority: Priority, id: WatcherId) {
        self.queues[priority.index()].push(id);
        self.filled |= 1 << priority.index();
    }

    /// Takes the first of the most urgent ones.
    #[inline]
    pub(crate) fn pop(&mut self) -> Option<WatcherId> {
        let index = self.filled.checked_ilog2()? as usize;
        let queue = &mut self.queues[index];
        // ANCHOR: first-come
        let id = queue.pop();
        // ANCHOR_END: first-come
        if queue.ids.is_empty() {
            self.filled &= !(1 << index);
        }
        id
    }
    // ANCHOR_END: order

    pub(crate) fn is_empty(&self) -> bool {
        self.filled == 0
    }
}

/// First come, first called. A vector that is read from the front and emptied
/// as a whole, since a batch is: half the instructions of a `VecDeque`, which
/// looks at each step whether it wraps (25 an event for 50).
#[derive(Debug, Default)]
struct Queue {
    ids: Vec<WatcherId>,
    /// Index of the first that has not been taken.
    first: usize,
}

impl Queue {
    #[inline]
    fn push(&mut self, id: WatcherId) {
        if self.ids.len() == self.ids.capacity() {
            self.make_room();
        }
        self.ids.push(id);
    }

    /// What has been taken goes: the queue may never become empty, and must not
    /// grow for ever.
    #[cold]
    fn make_room(&mut self) {
        self.ids.drain(..self.first);
        self.first = 0;
        self.ids.reserve(self.ids.len().max(64));
    }

    // ANCHOR: front
    #[inline]
    fn pop(&mut self) -> Option<WatcherId> {
        let id = *self.ids.get(self.first)?;
        self.first += 1;
        if self.first == self.ids.len() {
            self.ids.clear();
            self.first = 0;
        }
        Some(id)
    }
    // ANCHOR_END: front
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_urgent_come_first_and_in_order_of_arrival() {
        let mut pending = PendingQueues::default();
        for (token, priority) in [(0, 0), (1, 2), (2, -2), (3, 0), (4, 2)] {
            pending.push(Priority::new(priority), WatcherId::from_token(token));
        }
        let order: Vec<u64> = std::iter::from_fn(|| pending.pop())
            .map(WatcherId::token)
            .collect();
        assert_eq!(order, [1, 4, 0, 3, 2]);
        assert!(pending.is_empty());
    }

    #[test]
    fn a_queue_that_is_never_empty_does_not_grow() {
        let mut queue = Queue::default();
        queue.push(WatcherId::from_token(0));
        for token in 1..10_000 {
            queue.push(WatcherId::from_token(token));
            assert_eq!(queue.pop(), Some(WatcherId::from_token(token - 1)));
        }
        assert!(queue.ids.capacity() < 1_000, "{}", queue.ids.capacity());
    }
}
