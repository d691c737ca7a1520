//! What is ready and waits for its callback, most urgent first.
//!
//! Shows: one queue a priority. Within one the order is that in which things
//! happened (FIFO); libev takes the last one first (LIFO), which is shorter to
//! write and starves the first one under load.

use std::collections::VecDeque;

use crate::watchers::{Priority, WatcherId};

/// The watchers whose callbacks are due.
#[derive(Debug, Default)]
pub(crate) struct PendingQueues {
    queues: [VecDeque<WatcherId>; Priority::LEVELS],
    /// Bit `n` is set if queue `n` holds something.
    filled: u8,
}

impl PendingQueues {
    // ANCHOR: order
    #[inline]
    pub(crate) fn push(&mut self, priority: Priority, id: WatcherId) {
        self.queues[priority.index()].push_back(id);
        self.filled |= 1 << priority.index();
    }

    /// Takes the first of the most urgent ones.
    #[inline]
    pub(crate) fn pop(&mut self) -> Option<WatcherId> {
        let index = self.filled.checked_ilog2()? as usize;
        let queue = &mut self.queues[index];
        // ANCHOR: first-come
        let id = queue.pop_front();
        // ANCHOR_END: first-come
        if queue.is_empty() {
            self.filled &= !(1 << index);
        }
        id
    }
    // ANCHOR_END: order

    pub(crate) fn is_empty(&self) -> bool {
        self.filled == 0
    }
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
}
