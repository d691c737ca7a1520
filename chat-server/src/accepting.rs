//! How connections begin: taken out of the backlog, let in or turned away.
//!
//! Shows: accept until `WouldBlock`, but not for ever; a listener that rests
//! when there are no descriptors, since it stays readable and would spin.
//! Leaves out: the sockets themselves (`epoll_loop::listen`).

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use epoll_loop::{Accepted, Event, EventLoop, Interest, Readiness, Watch, Watched};
use tracing::{debug, info, warn};

use crate::connection::{Connection, Stage};
use crate::inbox::Inbox;
use crate::room::{Kind, Refusal};
use crate::server::Server;

/// Connections taken from one listener in one turn, so that a storm of them
/// leaves time for those who are there.
const MAX_ACCEPTS_A_TURN: usize = 64;

/// How long a listener rests when the process has no descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(250);

/// A listener and who comes in by it.
#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) listener: Watched<TcpListener>,
    pub(crate) kind: Kind,
}

impl Server {
    /// A listener is readable: its backlog holds connections.
    pub(crate) fn accept(&mut self, event_loop: &mut EventLoop<Server>, event: Event) {
        if event.readiness.intersects(Readiness::ENDED) {
            // A server that nobody can reach any more should not look alive.
            let err = io::Error::other("a listener cannot be watched any more");
            return event_loop.stop(Err(err));
        }
        if self.is_frozen() {
            // Whoever waits is told again, here or to a successor.
            return;
        }
        // ANCHOR: accept-until-nobody
        for _ in 0..MAX_ACCEPTS_A_TURN {
            let Some(door) = self.listeners.get(event.id) else {
                return;
            };
            let kind = door.kind;
            match epoll_loop::accept(&*door.listener) {
                Accepted::Peer(stream, address) => {
                    self.note_acceptance();
                    self.admit(event_loop, stream, address, kind);
                }
                Accepted::Gone => {}
                Accepted::Nobody => return,
                Accepted::Exhausted(err) => return self.pause_listeners(event_loop, &err),
            }
        }
        // ANCHOR_END: accept-until-nobody
    }

    /// Watches a listener by which people come in.
    pub(crate) fn open_door(
        &mut self,
        event_loop: &mut EventLoop<Server>,
        listener: TcpListener,
        kind: Kind,
        interest: Interest,
    ) -> io::Result<()> {
        let label = match kind {
            Kind::Irc => "listener",
            Kind::Plain => "plain listener",
        };
        let watch = Watch::new(interest).label(label);
        let listener = event_loop.watch(listener, watch, Server::accept)?;
        self.listeners
            .insert(listener.id(), Door { listener, kind });
        Ok(())
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
                return self.turn_away(&stream, kind, refusal);
            }
        };
        let watch = Watch::new(Interest::READABLE).label(label_of(kind));
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
        self.put_connection(Connection {
            client,
            kind,
            stream,
            inbox: Inbox::new(kind, self.settings.flood, now.instant),
            stage: Stage::Open { asked: false },
            has_ended: false,
            is_registering: true,
            last_heard: now.instant,
            check_up,
            resume: None,
        });
    }

    /// Tells a peer why it is not let in, as well as that can be done without
    /// keeping a descriptor for it.
    // ANCHOR: turn-away
    fn turn_away(&mut self, mut stream: &TcpStream, kind: Kind, refusal: Refusal) {
        // It may have talked already, and a close with bytes unread is a reset,
        // which may take the answer away from it.
        let _ = stream.read(&mut self.buffer);
        let line = match kind {
            Kind::Irc => format!("ERROR :Closing link: [{refusal}]\r\n"),
            Kind::Plain => format!("-- {refusal}\r\n"),
        };
        // A new socket takes a line at once.
        let _ = stream.write_all(line.as_bytes());
    }
    // ANCHOR_END: turn-away

    /// There are descriptors.
    pub(crate) fn note_acceptance(&mut self) {
        if let Some(since) = self.exhausted_since.take() {
            info!(after = ?since.elapsed(), "people can be accepted again");
        }
    }

    /// Out of descriptors: to try again at once would spin, since the listeners
    /// stay readable. Those who wait stay in the backlog meanwhile.
    // ANCHOR: pause-listeners
    pub(crate) fn pause_listeners(&mut self, event_loop: &mut EventLoop<Server>, err: &io::Error) {
        // Said once, however long it lasts.
        if self.exhausted_since.is_none() {
            self.exhausted_since = Some(event_loop.now());
            warn!(%err, "nobody can be accepted for the moment");
        }
        self.ask_to_accept(event_loop, Interest::NONE);
        event_loop.after(ACCEPT_PAUSE, Server::resume_listeners);
    }
    // ANCHOR_END: pause-listeners

    /// The pause is over.
    // ANCHOR: resume-listeners
    fn resume_listeners(&mut self, event_loop: &mut EventLoop<Server>, event: Event) {
        if self.defer(Server::resume_listeners, event) {
            return;
        }
        self.ask_to_accept(event_loop, Interest::READABLE);
    }
    // ANCHOR_END: resume-listeners

    /// Watches everything by which somebody comes in, a successor too, or not.
    fn ask_to_accept(&self, event_loop: &mut EventLoop<Server>, interest: Interest) {
        for door in self.listeners.values() {
            door.listener.set_interest(event_loop, interest);
        }
        self.watch_takeover_socket(event_loop, interest);
    }
}

/// How the trace names the socket of a client.
pub(crate) fn label_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Irc => "client",
        Kind::Plain => "plain client",
    }
}
