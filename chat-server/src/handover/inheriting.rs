//! The server that a successor becomes: built whole, frozen, and then told to
//! begin.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use epoll_loop::{Event, EventLoop, Interest, Watch, Watched};
use fd_passing::handover::{Message, Messages};
use tracing::info;

use super::freeze::Frozen;
use super::record::ConnectionRecord;
use super::taking::{Inheritance, TakeoverError};
use crate::accepting::label_of;
use crate::connection::Connection;
use crate::inbox::Inbox;
use crate::room::{ClientId, State};
use crate::server::Server;
use crate::settings::Settings;

/// The connection to the old server, until it says COMMIT.
#[derive(Debug)]
pub(crate) struct Heir {
    socket: Watched<UnixStream>,
    messages: Messages,
}

impl Server {
    /// Makes a server of what an old one has left, under `settings`, whose names
    /// give way to those of the old one, and tells the old one that it is ready.
    ///
    /// It is frozen: the next [`EventLoop::run`] returns when the old server has
    /// ended its part, and the one after that serves; or it returns an error,
    /// and the old server goes on.
    ///
    /// # Errors
    ///
    /// [`TakeoverError`]; the old server goes on.
    pub fn inherit(
        event_loop: &mut EventLoop<Server>,
        inheritance: Inheritance,
        settings: Settings,
    ) -> Result<Server, TakeoverError> {
        let Inheritance {
            record,
            document,
            unsent_from,
            descriptors,
            socket,
            mut messages,
        } = inheritance;
        if descriptors.len() != record.listeners.len() + record.connections.len()
            || record.connections.len() != record.room.clients()
        {
            return Err(TakeoverError::Garbled);
        }
        let mut server =
            Server::with_settings(event_loop, settings).map_err(TakeoverError::System)?;
        server.handover.frozen = Some(Frozen::default());
        server.intake = record.intake;
        let now = server.now(event_loop);
        let rules = server
            .settings
            .rules_with_motd()
            .map_err(TakeoverError::System)?;
        let (room, clients) = State::restore(rules, record.room, &document[unsent_from..], now)
            .map_err(TakeoverError::Record)?;
        drop(document);
        server.room = room;
        let mut descriptors = descriptors.into_iter();
        for (kind, listener) in record.listeners.into_iter().zip(&mut descriptors) {
            let listener = TcpListener::from(listener);
            server
                .open_door(event_loop, listener, kind, Interest::NONE)
                .map_err(TakeoverError::System)?;
        }
        let connections = record.connections.into_iter().zip(clients).zip(descriptors);
        for ((record, client), stream) in connections {
            server
                .inherit_connection(event_loop, record, client, stream)
                .map_err(TakeoverError::System)?;
        }
        messages
            .send(&socket, &Message::Ready, &[])
            .map_err(TakeoverError::Send)?;
        let watch = Watch::new(Interest::READABLE).label("old server");
        server.handover.heir = Some(Heir {
            socket: event_loop
                .watch(socket, watch, Server::begin)
                .map_err(TakeoverError::System)?,
            messages,
        });
        event_loop.after(server.settings.takeover_timeout, Server::give_old_one_up);
        Ok(server)
    }

    /// Whether an old server has not said its last word yet.
    pub(crate) fn is_heir(&self) -> bool {
        self.handover.heir.is_some()
    }

    fn inherit_connection(
        &mut self,
        event_loop: &mut EventLoop<Server>,
        record: ConnectionRecord,
        client: ClientId,
        stream: OwnedFd,
    ) -> io::Result<()> {
        let now = self.now(event_loop).instant;
        let kind = self.room.kind(client);
        // ANCHOR: watch-nothing
        let watch = Watch::new(Interest::NONE).label(label_of(kind));
        let stream = event_loop.watch(TcpStream::from(stream), watch, Server::hear)?;
        // ANCHOR_END: watch-nothing
        let in_ms = Duration::from_millis;
        let check_up = event_loop.after(
            in_ms(record.check_up_in_ms.unwrap_or_default()),
            Server::check_up,
        );
        let resume = record
            .resume_in_ms
            .map(|delay| event_loop.after(in_ms(delay), Server::resume));
        self.clients.insert(stream.id(), client);
        for timer in std::iter::once(check_up).chain(resume) {
            self.clients.insert(timer, client);
        }
        if record.check_up_in_ms.is_none() {
            event_loop.cancel(check_up);
            self.clients.remove(check_up);
        }
        self.put_connection(Connection {
            client,
            kind,
            stream,
            inbox: Inbox::restore(record.inbox, self.settings.flood, now),
            stage: record.stage.into(),
            has_ended: record.has_ended,
            is_registering: record.is_registering,
            last_heard: now.checked_sub(in_ms(record.heard_ms_ago)).unwrap_or(now),
            check_up,
            resume,
        });
        Ok(())
    }

    // ANCHOR: begin
    /// The old server has said its last word, or has gone without one.
    fn begin(&mut self, event_loop: &mut EventLoop<Server>, _: Event) {
        let Some(heir) = &mut self.handover.heir else {
            return;
        };
        let outcome = match heir.messages.receive(&heir.socket) {
            Ok(None) => return,
            // ANCHOR: thawed
            Ok(Some((Message::Commit, _))) => {
                self.handover.heir = None;
                info!(people = self.room.people(), "taken over");
                self.thaw(event_loop);
                Ok(())
            }
            // ANCHOR_END: thawed
            Ok(Some((Message::Refuse(why), _))) => Err(TakeoverError::Refused(why)),
            Ok(Some(_)) => Err(TakeoverError::Garbled),
            Err(err) => Err(TakeoverError::Message(err)),
        };
        event_loop.stop(outcome.map_err(io::Error::other));
    }
    // ANCHOR_END: begin

    /// The old server does not say COMMIT.
    fn give_old_one_up(&mut self, event_loop: &mut EventLoop<Server>, _: Event) {
        if self.handover.heir.is_some() {
            let timed_out = TakeoverError::TimedOut(self.settings.takeover_timeout);
            event_loop.stop(Err(io::Error::other(timed_out)));
        }
    }
}
