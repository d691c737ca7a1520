//! The loop side of the server: its state, and what is written.
//!
//! Shows: every step of a connection's life as a callback on one state; output
//! that is written once a batch and not once a message; a peer's failure that
//! ends that peer and nothing else.
//! Leaves out: how connections begin (`accepting.rs`), are heard (`reading.rs`)
//! and end (`closing.rs`), and what is said (`room`).

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Instant, SystemTime};

use epoll_loop::{Event, EventLoop, Interest, WatcherMap};

use crate::accepting::Door;
use crate::connection::Connection;
use crate::handover::Handover;
use crate::listener::{self, reason_of};
use crate::reading::Intake;
use crate::room::{ClientId, Kind, Now, State};
use crate::settings::Settings;

// ANCHOR: read-bytes
/// Bytes read from one client at a time.
const READ_BYTES: usize = 16 * 1024;

/// The same under flood control, where what is not earned has to be held.
const READ_BYTES_LIMITED: usize = 2 * 1024;
// ANCHOR_END: read-bytes

// ANCHOR: flush-bytes
/// What may be said before it is written although the batch is not over; a
/// quarter of `--sendq` if that is less. Without this, what many say at once
/// would overrun the queue of somebody who reads well and was only not written
/// to. It counts what is sent and not what came in: one JOIN of a hundred
/// channels makes a hundred messages. Likewise a quarter of `--sendq-total` for
/// all queues together, which a large channel comes to sooner.
const FLUSH_BYTES: usize = 64 * 1024;
// ANCHOR_END: flush-bytes

/// A chat server: the state of its event loop.
///
/// ```no_run
/// use chat_server::{Server, Settings};
/// use chat_server::room::Kind;
/// use epoll_loop::{EventLoop, listen};
///
/// let listener = listen("127.0.0.1:6667".parse()?)?;
/// let mut event_loop = EventLoop::new()?;
/// let mut server = Server::new(&mut event_loop, vec![(listener, Kind::Irc)], Settings::default())?;
/// event_loop.run(&mut server)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Server {
    pub(crate) room: State,
    pub(crate) settings: Settings,
    pub(crate) listeners: WatcherMap<Door>,
    /// By the slot of the client's id.
    pub(crate) connections: Vec<Option<Connection>>,
    /// Whose socket or timer a watcher is.
    pub(crate) clients: WatcherMap<ClientId>,
    /// Clients that something waits for; filled and emptied in `flush_all`.
    pub(crate) dirty: Vec<ClientId>,
    /// What is read goes through here, whoever it comes from.
    pub(crate) buffer: Vec<u8>,
    now: Now,
    people: Arc<AtomicUsize>,
    /// Since when nobody can be accepted, for want of descriptors.
    pub(crate) exhausted_since: Option<Instant>,
    pub(crate) is_shutting_down: bool,
    pub(crate) intake: Intake,
    pub(crate) handover: Handover,
}

impl Server {
    /// Has `event_loop` serve those who connect to `listeners`, which
    /// [`epoll_loop::listen`] makes.
    ///
    /// # Errors
    ///
    /// What `epoll_ctl(2)` and `setsockopt(2)` report, and what
    /// [`Settings::read_motd`] does.
    pub fn new(
        event_loop: &mut EventLoop<Server>,
        listeners: Vec<(TcpListener, Kind)>,
        settings: Settings,
    ) -> io::Result<Server> {
        let mut server = Server::with_settings(event_loop, settings)?;
        for (listener, kind) in listeners {
            if kind == Kind::Plain {
                listener::keep_alive(&listener)?;
            }
            server.open_door(event_loop, listener, kind, Interest::READABLE)?;
        }
        Ok(server)
    }

    /// A server that nobody can reach.
    pub(crate) fn with_settings(
        event_loop: &mut EventLoop<Server>,
        settings: Settings,
    ) -> io::Result<Server> {
        let now = Now {
            instant: event_loop.now(),
            wall: SystemTime::now(),
        };
        let rules = settings.rules_with_motd()?;
        event_loop.before_wait(Server::end_batch);
        let limited = if settings.flood.is_some() {
            READ_BYTES_LIMITED
        } else {
            READ_BYTES
        };
        Ok(Server {
            room: State::new(rules, now),
            settings,
            listeners: WatcherMap::new(),
            connections: Vec::new(),
            clients: WatcherMap::new(),
            dirty: Vec::new(),
            buffer: vec![0; limited],
            now,
            people: Arc::default(),
            exhausted_since: None,
            is_shutting_down: false,
            intake: Intake::default(),
            handover: Handover::default(),
        })
    }

    /// Where people come in.
    ///
    /// # Errors
    ///
    /// What `getsockname(2)` reports.
    pub fn addresses(&self) -> io::Result<Vec<(SocketAddr, Kind)>> {
        self.listeners
            .values()
            .map(|door| Ok((door.listener.local_addr()?, door.kind)))
            .collect()
    }

    /// Number of people that others can see, kept up to date by the loop; to be
    /// read from any thread.
    #[must_use]
    pub fn people(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.people)
    }

    // ---- writing ----

    /// The batch is over: everything that was said in it is written, one write
    /// a client.
    // ANCHOR: end-batch
    fn end_batch(&mut self, event_loop: &mut EventLoop<Server>, _: Event) {
        if self.is_frozen() {
            return;
        }
        self.flush_all(event_loop);
        self.people.store(self.room.people(), Ordering::Relaxed);
        if self.is_shutting_down && self.connections().next().is_none() {
            event_loop.stop(Ok(()));
        }
    }
    // ANCHOR_END: end-batch

    /// So much was said that the end of the batch is not waited for.
    pub(crate) fn flush_if_much(&mut self, event_loop: &mut EventLoop<Server>) {
        let limits = &self.settings.rules.limits;
        let is_much = self.room.unflushed_bytes() >= FLUSH_BYTES.min(limits.send_queue_bytes / 4)
            || self.room.unflushed_bytes_of_all() >= limits.send_queues_bytes / 4;
        if is_much {
            self.flush_all(event_loop);
        }
    }

    /// Writes what waits. Whoever is lost on the way makes news for others, so
    /// this goes on until there is none.
    // ANCHOR: flush-all
    fn flush_all(&mut self, event_loop: &mut EventLoop<Server>) {
        loop {
            let mut dirty = std::mem::take(&mut self.dirty);
            // ANCHOR: until-nobody
            self.room.take_dirty(&mut dirty);
            if dirty.is_empty() {
                self.dirty = dirty;
                break;
            }
            // ANCHOR_END: until-nobody
            for client in dirty.drain(..) {
                self.flush(event_loop, client);
            }
            // Keeps the allocation for the next turn.
            dirty.append(&mut self.dirty);
            self.dirty = dirty;
        }
    }
    // ANCHOR_END: flush-all

    fn flush(&mut self, event_loop: &mut EventLoop<Server>, client: ClientId) {
        let Server {
            connections, room, ..
        } = self;
        let Some(Some(connection)) = connections.get(client.slot()) else {
            return;
        };
        if connection.is_lost() {
            room.drop_waiting(client);
            if room.is_leaving(client) {
                self.close(event_loop, client);
            }
            return;
        }
        let flushed = room.flush(client, |outgoing| {
            outgoing
                .flush(event_loop, &connection.stream)
                .map(|_| outgoing.is_empty())
        });
        match flushed {
            Some(Err(err)) => self.lose(event_loop, client, reason_of(&err)),
            Some(Ok(is_empty)) if self.room.is_leaving(client) => {
                self.wind_up(event_loop, client, is_empty);
            }
            Some(Ok(_)) | None => {}
        }
    }

    // ---- the table ----

    pub(crate) fn connection(&self, client: ClientId) -> Option<&Connection> {
        let connection = self.connections.get(client.slot())?.as_ref()?;
        (connection.client == client).then_some(connection)
    }

    pub(crate) fn connection_mut(&mut self, client: ClientId) -> Option<&mut Connection> {
        let connection = self.connections.get_mut(client.slot())?.as_mut()?;
        (connection.client == client).then_some(connection)
    }

    pub(crate) fn put_connection(&mut self, connection: Connection) {
        let index = connection.client.slot();
        if index >= self.connections.len() {
            self.connections.resize_with(index + 1, || None);
        }
        self.connections[index] = Some(connection);
    }

    pub(crate) fn take_connection(&mut self, client: ClientId) -> Option<Connection> {
        self.connection(client)?;
        self.connections[client.slot()].take()
    }

    pub(crate) fn connections(&self) -> impl Iterator<Item = &Connection> {
        self.connections.iter().flatten()
    }

    /// The time of this batch, by both clocks.
    pub(crate) fn now(&mut self, event_loop: &EventLoop<Server>) -> Now {
        let instant = event_loop.now();
        if self.now.instant != instant {
            self.now = Now {
                instant,
                wall: SystemTime::now(),
            };
        }
        self.now
    }
}
