//! How connections end: asked and silent, drained, lost, shut down.
//!
//! Shows: one timer a connection that is set again only when it fires, so that
//! a busy client costs no timer work; last words that arrive although the peer
//! is told to go (a close with bytes unread is a reset).

use std::time::Duration;

use epoll_loop::{Event, EventLoop};
use tracing::{debug, info, warn};

use crate::connection::{Connection, Stage};
use crate::room::{ClientId, Kind};
use crate::server::Server;

impl Server {
    /// A client's timer: it has not registered in time, was silent for long, was
    /// lost and has been heard for long enough, or has not taken its last bytes.
    pub(crate) fn check_up(&mut self, event_loop: &mut EventLoop<Server>, event: Event) {
        if self.defer(Server::check_up, event) {
            return;
        }
        let Some(client) = self.clients.remove(event.id) else {
            return;
        };
        let now = self.now(event_loop);
        let is_registered = self.room.is_registered(client);
        let (interval, timeout) = (self.settings.ping_interval, self.settings.ping_timeout);
        let patience = interval.saturating_add(timeout);
        let Some(connection) = self.connection_mut(client) else {
            return;
        };
        let asked = match connection.stage {
            Stage::Open { asked } => asked,
            Stage::Lost { reason } => {
                debug!("not all lines of a lost connection were heard in time");
                return self.end_lost(event_loop, client, reason);
            }
            Stage::Draining | Stage::Lingering => {
                debug!("a client did not take its last bytes in time");
                return self.close(event_loop, client);
            }
        };
        if !is_registered {
            return self.room.disconnect(client, "Registration timed out", now);
        }
        if connection.kind == Kind::Plain {
            // A person does not type PONG. TCP itself asks whether the peer is there.
            return;
        }
        // ANCHOR: ask-or-put-out
        let silent = now.instant.saturating_duration_since(connection.last_heard);
        let next = if asked && silent >= patience {
            let reason = format!("Ping timeout: {} seconds", timeout.as_secs());
            return self.room.disconnect(client, &reason, now);
        } else if asked {
            patience.saturating_sub(silent)
        } else if silent >= interval {
            // A second PING would tell nothing that the first does not. The
            // silence is counted from here if the server itself was late.
            connection.last_heard = now.instant.checked_sub(interval).unwrap_or(now.instant);
            connection.stage = Stage::Open { asked: true };
            self.room.ping(client, now);
            // If it answers, its next silence shall be noticed in time.
            timeout.min(interval)
        } else {
            interval.saturating_sub(silent)
        };
        // ANCHOR_END: ask-or-put-out
        self.set_check_up(event_loop, client, next);
    }

    /// Begins to count a client's silence when it has registered.
    pub(crate) fn watch_for_silence(
        &mut self,
        event_loop: &mut EventLoop<Server>,
        client: ClientId,
    ) {
        let is_new = |connection: &Connection| connection.is_registering && connection.is_open();
        if self.connection(client).is_some_and(is_new) && self.room.is_registered(client) {
            if let Some(connection) = self.connection_mut(client) {
                connection.is_registering = false;
            }
            self.set_check_up(event_loop, client, self.settings.ping_interval);
        }
    }

    fn set_check_up(
        &mut self,
        event_loop: &mut EventLoop<Server>,
        client: ClientId,
        delay: Duration,
    ) {
        let Some(connection) = self.connection_mut(client) else {
            return;
        };
        let timer = event_loop.after(delay, Server::check_up);
        let before = std::mem::replace(&mut connection.check_up, timer);
        event_loop.cancel(before);
        self.clients.remove(before);
        self.clients.insert(timer, client);
    }

    /// The room has said its last word to a client; `is_written` tells whether
    /// all of it has been written.
    pub(crate) fn wind_up(
        &mut self,
        event_loop: &mut EventLoop<Server>,
        client: ClientId,
        is_written: bool,
    ) {
        let drain = self.settings.drain;
        let Some(connection) = self.connection_mut(client) else {
            return;
        };
        if connection.is_open() {
            connection.stage = Stage::Draining;
            connection.ask_to_read(event_loop);
            if let Some(timer) = connection.resume.take() {
                event_loop.cancel(timer);
                self.clients.remove(timer);
            }
            self.set_check_up(event_loop, client, drain);
        }
        let Some(connection) = self.connection_mut(client) else {
            return;
        };
        // ANCHOR: written-then-linger
        if is_written && connection.stage == Stage::Draining {
            // After the peer's end there is nothing left to read.
            if connection.has_ended || connection.linger(event_loop).is_err() {
                self.close(event_loop, client);
            }
        }
        // ANCHOR_END: written-then-linger
    }

    /// A connection has failed: its peer is gone. The others are told so when all
    /// that it had said is heard, if that takes no longer than the answer to a
    /// PING may.
    pub(crate) fn lose(
        &mut self,
        event_loop: &mut EventLoop<Server>,
        client: ClientId,
        reason: &'static str,
    ) {
        let is_leaving = self.room.is_leaving(client);
        let Some(connection) = self.connection_mut(client) else {
            return;
        };
        if is_leaving || !connection.is_open() {
            return self.close(event_loop, client);
        }
        // ANCHOR: lose
        connection.stage = Stage::Lost { reason };
        connection.ask_to_read(event_loop);
        let is_waiting = connection.resume.is_some();
        self.room.drop_waiting(client);
        self.set_check_up(event_loop, client, self.settings.ping_timeout);
        if !is_waiting {
            self.hear_out(event_loop, client);
        }
        // ANCHOR_END: lose
    }

    /// Nothing more will be heard of a connection that is lost.
    pub(crate) fn end_lost(
        &mut self,
        event_loop: &mut EventLoop<Server>,
        client: ClientId,
        reason: &'static str,
    ) {
        let now = self.now(event_loop);
        let held = |connection: &Connection| connection.inbox.held_lines();
        self.intake.held_at_loss += self.connection(client).map_or(0, held);
        self.room.disconnect(client, reason, now);
        self.close(event_loop, client);
    }

    /// Ends a connection for good.
    pub(crate) fn close(&mut self, event_loop: &mut EventLoop<Server>, client: ClientId) {
        let Some(connection) = self.take_connection(client) else {
            return;
        };
        for timer in std::iter::once(connection.check_up).chain(connection.resume) {
            event_loop.cancel(timer);
            self.clients.remove(timer);
        }
        self.clients.remove(connection.stream.id());
        self.room.forget(client);
        debug!("closed");
    }

    // ---- shutting down, and reading the message of the day again ----

    /// Ends the server: nobody is let in any more, every client gets an ERROR,
    /// and what is queued is written for as long as the drain setting says. Asked
    /// twice, it does not wait.
    pub fn shut_down(&mut self, event_loop: &mut EventLoop<Server>, event: Event) {
        if self.is_shutting_down {
            return event_loop.stop(Ok(()));
        }
        if self.is_heir() {
            // The old server may have said its last word: if it has, people are
            // owed an ERROR.
            self.defer(Server::shut_down, event);
            return;
        }
        self.refuse_successor(event_loop);
        info!(people = self.room.people(), "shutting down");
        debug!(
            counters = ?self.room.counters(),
            lines_unfinished = self.intake.unfinished,
            lines_held_at_loss = self.intake.held_at_loss,
            lines_with_nul_or_cr = self.intake.nul_or_cr,
            "until now"
        );
        // ANCHOR: shut-down
        self.is_shutting_down = true;
        self.listeners.clear();
        let now = self.now(event_loop);
        self.room.shut_down(now);
        event_loop.after(self.settings.drain, Server::give_up);
        // ANCHOR_END: shut-down
    }

    /// The time for shutting down is over.
    fn give_up(&mut self, event_loop: &mut EventLoop<Server>, _: Event) {
        let left = self.connections().count();
        if left > 0 {
            info!(
                left,
                "connections were closed before they had everything or hung up"
            );
        }
        event_loop.stop(Ok(()));
    }

    /// Reads the message of the day again from its file; the old one stays if
    /// that fails.
    pub fn reread_motd(&mut self, _: &mut EventLoop<Server>, _: Event) {
        if self.settings.motd_file.is_none() {
            return;
        }
        match self.settings.read_motd() {
            Ok(lines) => {
                info!(lines = lines.len(), "the message of the day was read again");
                self.room.replace_motd(lines);
            }
            Err(err) => warn!(%err, "the message of the day stays as it was"),
        }
    }
}
