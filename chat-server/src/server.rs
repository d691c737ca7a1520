//! The loop side of the server: accept, read, hand to the room, flush.
//!
//! Shows: every step of a connection's life as a callback on one state; output
//! that is written once a batch and not once a message; a peer's failure that
//! ends that peer and nothing else.
//! Leaves out: what is said (`room`), time-outs and closing (`closing.rs`).

use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use chat_protocol::Decoded;
use epoll_loop::{Event, EventLoop, Interest, ReadEnd, Readiness, Watch, Watched, read_within};
use tracing::{debug, warn};

use crate::connection::{Connection, Stage};
use crate::inbox::Inbox;
use crate::listener::{self, Accepted, reason_of};
use crate::room::{ClientId, Kind, Now, State};
use crate::settings::Settings;
use crate::watcher_map::WatcherMap;

/// Connections taken from one listener in one turn, so that a storm of them
/// leaves time for those who are there.
const MAX_ACCEPTS_A_TURN: usize = 64;

/// How long a listener rests when the process has no descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(250);

/// Bytes read from one client in one turn.
const READ_BYTES: usize = 64 * 1024;

/// The same under flood control, where what is not earned has to be held.
const READ_BYTES_LIMITED: usize = 4 * 1024;

/// A chat server: the state of its event loop.
///
/// ```no_run
/// use chat_server::{Server, Settings, bind};
/// use chat_server::room::Kind;
/// use epoll_loop::EventLoop;
///
/// let listener = bind("127.0.0.1:6667".parse()?)?;
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
    buffer: Vec<u8>,
    now: Now,
    people: Arc<AtomicUsize>,
    pub(crate) is_shutting_down: bool,
    pub(crate) lines_unfinished: u64,
    pub(crate) lines_with_nul_or_cr: u64,
}

/// A listener and who comes in by it.
#[derive(Debug)]
pub(crate) struct Door {
    listener: Watched<TcpListener>,
    kind: Kind,
}

impl Server {
    /// Has `event_loop` serve those who connect to `listeners`, which
    /// [`bind`](crate::bind) makes.
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
        event_loop.before_wait(Server::flush_all);
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
            is_shutting_down: false,
            lines_unfinished: 0,
            lines_with_nul_or_cr: 0,
        })
    }

    /// Number of people that others can see, kept up to date by the loop; to be
    /// read from any thread.
    #[must_use]
    pub fn people(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.people)
    }

    // ---- accepting ----

    /// A listener is readable: its backlog holds connections.
    fn accept(&mut self, event_loop: &mut EventLoop<Server>, event: Event) {
        for _ in 0..MAX_ACCEPTS_A_TURN {
            let Some(door) = self.listeners.get(event.id) else {
                return;
            };
            let kind = door.kind;
            match listener::accept(&*door.listener) {
                Accepted::Peer(stream, address) => self.admit(event_loop, stream, address, kind),
                Accepted::Gone => {}
                Accepted::Nobody => return,
                Accepted::Exhausted(err) => return self.pause_listeners(event_loop, &err),
            }
        }
    }

    fn admit(
        &mut self,
        event_loop: &mut EventLoop<Server>,
        stream: TcpStream,
        address: SocketAddr,
        kind: Kind,
    ) {
        let now = self.now(event_loop);
        let client = match self.room.connect(address, kind, now) {
            Ok(client) => client,
            Err(refusal) => {
                debug!(%address, %refusal, "refused");
                // A new socket takes a line at once. Whoever hangs up on it has
                // been told as well as can be without holding a descriptor.
                let _ = (&stream).write_all(format!("{refusal}\r\n").as_bytes());
                return;
            }
        };
        let label = match kind {
            Kind::Irc => "client",
            Kind::Plain => "plain client",
        };
        let watch = Watch::new(Interest::READABLE).label(label);
        let stream = match event_loop.watch(stream, watch, Server::hear) {
            Ok(stream) => stream,
            Err(err) => {
                warn!(%address, %err, "a new connection cannot be watched");
                return self.room.forget(client);
            }
        };
        debug!(%address, ?kind, "connected");
        let check_up = event_loop.after(self.settings.registration_timeout, Server::check_up);
        self.clients.insert(stream.id(), client);
        self.clients.insert(check_up, client);
        let index = client.slot();
        if index >= self.connections.len() {
            self.connections.resize_with(index + 1, || None);
        }
        self.connections[index] = Some(Connection {
            client,
            stream,
            inbox: Inbox::new(kind, self.settings.flood, now.instant),
            stage: Stage::Open { asked: false },
            has_ended: false,
            last_heard: now.instant,
            check_up,
            resume: None,
        });
    }

    /// Out of descriptors: to try again at once would spin, since the listeners
    /// stay readable. Those who wait stay in the backlog meanwhile.
    fn pause_listeners(&mut self, event_loop: &mut EventLoop<Server>, err: &io::Error) {
        warn!(%err, "nobody can be accepted for the moment");
        for door in self.listeners.values() {
            door.listener.set_interest(event_loop, Interest::NONE);
        }
        event_loop.after(ACCEPT_PAUSE, Server::resume_listeners);
    }

    /// The pause is over.
    fn resume_listeners(&mut self, event_loop: &mut EventLoop<Server>, _: Event) {
        for door in self.listeners.values() {
            door.listener.set_interest(event_loop, Interest::READABLE);
        }
    }

    // ---- reading ----

    /// A client's socket is ready.
    fn hear(&mut self, event_loop: &mut EventLoop<Server>, event: Event) {
        let Some(&client) = self.clients.get(event.id) else {
            return;
        };
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
        let now = self.now(event_loop);
        let Server {
            connections,
            room,
            buffer,
            ..
        } = self;
        let Some(Connection {
            stream,
            inbox,
            last_heard,
            stage,
            ..
        }) = &mut connections[client.slot()]
        else {
            return;
        };
        *last_heard = now.instant;
        *stage = Stage::Open { asked: false };
        let budget = buffer.len();
        let end = read_within(&**stream, readiness, buffer, budget, |bytes| {
            inbox.take(bytes, now.instant, |decoded| {
                tell(room, client, decoded, now);
            });
        });
        match end {
            Ok(ReadEnd::Drained | ReadEnd::BudgetSpent) => self.pace(event_loop, client),
            Ok(ReadEnd::EndOfStream) => {
                if let Some(connection) = self.connection_mut(client) {
                    connection.has_ended = true;
                }
                self.pace(event_loop, client);
            }
            Err(err) => self.lose(event_loop, client, reason_of(&err)),
        }
    }

    /// Decides whether more is read from a client now, later, or never.
    fn pace(&mut self, event_loop: &mut EventLoop<Server>, client: ClientId) {
        let now = self.now(event_loop);
        let Some(connection) = self.connection_mut(client) else {
            return;
        };
        let wait = connection.inbox.wait(now.instant);
        if connection.has_ended && !connection.inbox.is_holding() {
            // All its lines are executed.
            connection.ask_to_read(event_loop);
            let unfinished = connection.inbox.unfinished();
            if unfinished > 0 {
                debug!(bytes = unfinished, "a last line without an end was dropped");
                self.lines_unfinished += 1;
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
    }

    /// A client that had said too much may talk again.
    fn resume(&mut self, event_loop: &mut EventLoop<Server>, event: Event) {
        let Some(client) = self.clients.remove(event.id) else {
            return;
        };
        let now = self.now(event_loop);
        let Server {
            connections, room, ..
        } = self;
        let Some(connection) = &mut connections[client.slot()] else {
            return;
        };
        connection.resume = None;
        connection
            .inbox
            .resume(now.instant, |decoded| tell(room, client, decoded, now));
        self.pace(event_loop, client);
    }

    // ---- writing ----

    /// The batch is over: everything that was said in it is written, one write
    /// a client. Whoever is lost on the way makes news for others, so this goes
    /// on until there is none.
    pub(crate) fn flush_all(&mut self, event_loop: &mut EventLoop<Server>, _: Event) {
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
        self.people.store(self.room.people(), Ordering::Relaxed);
        if self.is_shutting_down && self.connections().next().is_none() {
            event_loop.stop(Ok(()));
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

/// Hands one line to the room.
fn tell(room: &mut State, client: ClientId, decoded: Decoded<'_>, now: Now) {
    match decoded {
        Decoded::Line(line) => room.receive(client, line, now),
        Decoded::TooLong => room.line_too_long(client, now),
        // Counted by the decoder.
        Decoded::Dropped(_) => {}
    }
}
