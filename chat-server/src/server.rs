//! The loop side of the server: read, hand to the room, flush.
//!
//! Shows: every step of a connection's life as a callback on one state; output
//! that is written once a batch and not once a message; a peer's failure that
//! ends that peer and nothing else.
//! Leaves out: how connections begin (`accepting.rs`) and end (`closing.rs`),
//! and what is said (`room`).

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Instant, SystemTime};

use chat_protocol::Decoded;
use epoll_loop::{
    Event, EventLoop, Interest, ReadEnd, Readiness, SendQueue, Watch, WatcherMap, read_within,
};
use tracing::debug;

use crate::accepting::Door;
use crate::connection::{Connection, Stage};
use crate::listener::{self, reason_of};
use crate::plain_lines::WONT_TIMING_MARK;
use crate::room::{ClientId, Kind, Now, State};
use crate::settings::Settings;

/// Bytes read from one client in one turn.
const READ_BYTES: usize = 16 * 1024;

/// The same under flood control, where what is not earned has to be held.
const READ_BYTES_LIMITED: usize = 4 * 1024;

/// What may be said before it is written although the batch is not over; a
/// quarter of `--sendq` if that is less. Without this, what many say at once
/// would overrun the queue of somebody who reads well and was only not written
/// to. It counts what is sent and not what came in: one JOIN of a hundred
/// channels makes a hundred messages.
const FLUSH_BYTES: usize = 64 * 1024;

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
    connections: Vec<Option<Connection>>,
    /// Whose socket or timer a watcher is.
    pub(crate) clients: WatcherMap<ClientId>,
    /// Clients that something waits for; filled and emptied in `flush_all`.
    dirty: Vec<ClientId>,
    /// What is read goes through here, whoever it comes from.
    pub(crate) buffer: Vec<u8>,
    now: Now,
    people: Arc<AtomicUsize>,
    /// Since when nobody can be accepted, for want of descriptors.
    pub(crate) exhausted_since: Option<Instant>,
    pub(crate) is_shutting_down: bool,
    pub(crate) intake: Intake,
}

/// What came of the clients' bytes, beside what the room counts.
#[derive(Debug, Default)]
pub(crate) struct Intake {
    /// Lines dropped since their end had not come when their sender's had.
    pub(crate) unfinished: u64,
    /// Lines that still had to wait when their sender's connection failed. What
    /// the kernel held beyond them is not known.
    pub(crate) held_at_loss: u64,
    /// Lines dropped for a NUL or a CR in them.
    pub(crate) nul_or_cr: u64,
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
        let now = Now {
            instant: event_loop.now(),
            wall: SystemTime::now(),
        };
        let mut rules = settings.rules.clone();
        if settings.motd_file.is_some() {
            rules.motd = settings.read_motd()?;
        }
        let mut doors = WatcherMap::new();
        for (listener, kind) in listeners {
            let label = match kind {
                Kind::Irc => "listener",
                Kind::Plain => {
                    listener::keep_alive(&listener)?;
                    "plain listener"
                }
            };
            let watch = Watch::new(Interest::READABLE).label(label);
            let listener = event_loop.watch(listener, watch, Server::accept)?;
            doors.insert(listener.id(), Door { listener, kind });
        }
        event_loop.before_wait(Server::end_batch);
        let limited = if settings.flood.is_some() {
            READ_BYTES_LIMITED
        } else {
            READ_BYTES
        };
        Ok(Server {
            room: State::new(rules, now),
            settings,
            listeners: doors,
            connections: Vec::new(),
            clients: WatcherMap::new(),
            dirty: Vec::new(),
            buffer: vec![0; limited],
            now,
            people: Arc::default(),
            exhausted_since: None,
            is_shutting_down: false,
            intake: Intake::default(),
        })
    }

    /// Number of people that others can see, kept up to date by the loop; to be
    /// read from any thread.
    #[must_use]
    pub fn people(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.people)
    }

    // ---- reading ----

    /// A client's socket is ready.
    pub(crate) fn hear(&mut self, event_loop: &mut EventLoop<Server>, event: Event) {
        let Some(&client) = self.clients.get(event.id) else {
            return;
        };
        if event.readiness.intersects(Readiness::ENDED) {
            // Out of kernel memory, say: nothing would ever be heard of it again.
            return self.lose(event_loop, client, "Connection lost");
        }
        if event.readiness.intersects(Readiness::OUT) {
            self.dirty.push(client);
        }
        let Some(connection) = self.connection(client) else {
            return;
        };
        match connection.stage {
            Stage::Open { .. } if connection.is_reading() => {
                if event.readiness.is_readable() {
                    self.read(event_loop, client, event.readiness);
                }
            }
            Stage::Lingering => self.discard(event_loop, client),
            // Nothing is to be read from it, but it has come to its end.
            Stage::Open { .. } | Stage::Draining => {
                if event.readiness.intersects(Readiness::ERR | Readiness::HUP) {
                    let error = connection.stream.take_error().ok().flatten();
                    let reason = error.as_ref().map_or("Connection lost", reason_of);
                    self.lose(event_loop, client, reason);
                }
            }
        }
    }

    /// Reads what a client has sent, its last words before its end.
    fn read(&mut self, event_loop: &mut EventLoop<Server>, client: ClientId, readiness: Readiness) {
        match self.take_in(event_loop, client, readiness) {
            Ok(ReadEnd::Drained | ReadEnd::BudgetSpent) => self.pace(event_loop, client),
            Ok(ReadEnd::EndOfStream) => {
                if let Some(connection) = self.connection_mut(client) {
                    connection.has_ended = true;
                }
                self.pace(event_loop, client);
            }
            Err(err) => self.lose(event_loop, client, reason_of(&err)),
        }
        self.flush_if_much(event_loop);
    }

    /// Hands to the room what a client has sent and earned.
    fn take_in(
        &mut self,
        event_loop: &mut EventLoop<Server>,
        client: ClientId,
        readiness: Readiness,
    ) -> io::Result<ReadEnd> {
        let now = self.now(event_loop);
        let Server {
            connections,
            room,
            intake,
            buffer,
            ..
        } = self;
        let Some(connection) = &mut connections[client.slot()] else {
            return Ok(ReadEnd::Drained);
        };
        connection.note_heard(now.instant);
        let Connection { stream, inbox, .. } = connection;
        let budget = buffer.len();
        read_within(&**stream, readiness, buffer, budget, |bytes| {
            inbox.take(bytes, now.instant, |decoded| {
                intake.tell(room, client, decoded, now);
            });
        })
    }

    /// Decides whether more is read from a client now, later, or never.
    fn pace(&mut self, event_loop: &mut EventLoop<Server>, client: ClientId) {
        self.watch_for_silence(event_loop, client);
        let now = self.now(event_loop);
        let Some(connection) = self.connection_mut(client) else {
            return;
        };
        let owes_timing_mark = connection.inbox.take_timing_mark();
        let wait = connection.inbox.wait(now.instant);
        if connection.has_ended && !connection.inbox.is_holding() {
            // All its lines are executed.
            connection.ask_to_read(event_loop);
            let unfinished = connection.inbox.unfinished();
            if unfinished > 0 {
                debug!(bytes = unfinished, "a last line without an end was dropped");
                self.intake.unfinished += 1;
            }
            self.room.disconnect(client, "Connection closed", now);
        } else if !wait.is_zero() && connection.resume.is_none() {
            let timer = event_loop.after(wait, Server::resume);
            connection.resume = Some(timer);
            connection.ask_to_read(event_loop);
            self.clients.insert(timer, client);
        } else {
            connection.ask_to_read(event_loop);
        }
        if owes_timing_mark {
            // Who asks again and again without reading the answers has enough.
            let answer = |queue: &mut SendQueue| {
                if !queue.is_above_mark() {
                    queue.push(&WONT_TIMING_MARK);
                }
            };
            self.room.flush(client, answer);
            self.dirty.push(client);
        }
    }

    /// A client that had said too much may talk again.
    fn resume(&mut self, event_loop: &mut EventLoop<Server>, event: Event) {
        let Some(client) = self.clients.remove(event.id) else {
            return;
        };
        let now = self.now(event_loop);
        let Server {
            connections,
            room,
            intake,
            ..
        } = self;
        let Some(connection) = &mut connections[client.slot()] else {
            return;
        };
        connection.resume = None;
        // What waited here is no silence of the client's.
        connection.note_heard(now.instant);
        connection.inbox.resume(now.instant, |decoded| {
            intake.tell(room, client, decoded, now);
        });
        self.pace(event_loop, client);
        self.flush_if_much(event_loop);
    }

    // ---- writing ----

    /// The batch is over: everything that was said in it is written, one write
    /// a client.
    fn end_batch(&mut self, event_loop: &mut EventLoop<Server>, _: Event) {
        self.flush_all(event_loop);
        self.people.store(self.room.people(), Ordering::Relaxed);
        if self.is_shutting_down && self.connections().next().is_none() {
            event_loop.stop(Ok(()));
        }
    }

    /// So much was said that the end of the batch is not waited for.
    fn flush_if_much(&mut self, event_loop: &mut EventLoop<Server>) {
        let quarter = self.settings.rules.limits.send_queue_bytes / 4;
        if self.room.unflushed_bytes() >= FLUSH_BYTES.min(quarter) {
            self.flush_all(event_loop);
        }
    }

    /// Writes what waits. Whoever is lost on the way makes news for others, so
    /// this goes on until there is none.
    fn flush_all(&mut self, event_loop: &mut EventLoop<Server>) {
        loop {
            let mut dirty = std::mem::take(&mut self.dirty);
            self.room.take_dirty(&mut dirty);
            if dirty.is_empty() {
                self.dirty = dirty;
                break;
            }
            for client in dirty.drain(..) {
                self.flush(event_loop, client);
            }
            // Keeps the allocation for the next turn.
            dirty.append(&mut self.dirty);
            self.dirty = dirty;
        }
    }

    fn flush(&mut self, event_loop: &mut EventLoop<Server>, client: ClientId) {
        let Server {
            connections, room, ..
        } = self;
        let Some(Some(connection)) = connections.get(client.slot()) else {
            return;
        };
        let flushed = room.flush(client, |queue| {
            queue
                .flush(event_loop, &connection.stream)
                .map(|_| queue.is_empty())
        });
        match flushed {
            Some(Err(err)) => {
                // What it said before may still be there to be read.
                if connection.is_open() && connection.is_reading() {
                    let _ = self.take_in(event_loop, client, Readiness::ERR);
                }
                self.lose(event_loop, client, reason_of(&err));
            }
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

    /// Reads and forgets what comes from a client that is told to go.
    fn discard(&mut self, event_loop: &mut EventLoop<Server>, client: ClientId) {
        let Server {
            connections,
            buffer,
            ..
        } = self;
        if let Some(Some(connection)) = connections.get(client.slot())
            && connection.discard(buffer)
        {
            self.close(event_loop, client);
        }
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

impl Intake {
    /// Hands one line to the room.
    fn tell(&mut self, room: &mut State, client: ClientId, decoded: Decoded<'_>, now: Now) {
        match decoded {
            Decoded::Line(line) => room.receive(client, line, now),
            Decoded::TooLong => room.line_too_long(client, now),
            Decoded::Dropped(_) => self.nul_or_cr += 1,
        }
    }
}
