//! A server that stands still.
//!
//! Shows: no interest in any socket, so that the loop does not spin over what
//! nobody may read now; what timers and signals want is noted and done later, if
//! there is a later for this process.

use epoll_loop::{Callback, Event, EventLoop, Interest};

use crate::server::Server;

/// What would have happened meanwhile.
#[derive(Debug, Default)]
pub(crate) struct Frozen {
    missed: Vec<(Callback<Server>, Event)>,
}

impl Server {
    pub(crate) fn is_frozen(&self) -> bool {
        self.handover.frozen.is_some()
    }

    // ANCHOR: freeze
    /// Stops reading, writing, accepting, and everything that timers do.
    pub(super) fn freeze(&mut self, event_loop: &mut EventLoop<Server>) {
        self.handover.frozen = Some(Frozen::default());
        for door in self.listeners.values() {
            door.listener.set_interest(event_loop, Interest::NONE);
        }
        for connection in self.connections() {
            connection.stream.set_interest(event_loop, Interest::NONE);
        }
    }
    // ANCHOR_END: freeze

    // ANCHOR: defer
    /// Notes that `callback` is to be called later, if the server is frozen.
    pub(crate) fn defer(&mut self, callback: Callback<Server>, event: Event) -> bool {
        match &mut self.handover.frozen {
            Some(frozen) => {
                frozen.missed.push((callback, event));
                true
            }
            None => false,
        }
    }
    // ANCHOR_END: defer

    /// Goes on, or begins: with reading, with what waits to be written, and with
    /// what was missed.
    pub(super) fn thaw(&mut self, event_loop: &mut EventLoop<Server>) {
        let Some(frozen) = self.handover.frozen.take() else {
            return;
        };
        for door in self.listeners.values() {
            door.listener.set_interest(event_loop, Interest::READABLE);
        }
        for connection in self.connections() {
            connection.ask_to_read(event_loop);
        }
        // Writing what waits has the loop ask for WRITABLE where it is needed.
        let clients: Vec<_> = self.connections().map(|it| it.client).collect();
        for client in clients {
            if self.room.queued(client) > 0 {
                self.dirty.push(client);
            }
        }
        for (callback, event) in frozen.missed {
            callback(self, event_loop, event);
        }
    }
}
