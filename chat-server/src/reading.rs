//! What clients say: read, cut into lines, handed to the room.
//!
//! Shows: lines are heard before the end that comes with them, and all of them:
//! Linux keeps what a socket has received when a reset comes or a write fails, so
//! a connection that is lost is read on, no faster than its client may talk.
//! Leaves out: how fast that is (`inbox.rs`), and what is said (`room`).

use std::io;

use chat_protocol::Decoded;
use epoll_loop::{Event, EventLoop, ReadEnd, Readiness, read_within};
use serde::{Deserialize, Serialize};
use tracing::debug;

use crate::connection::{Connection, Stage};
use crate::listener::{LOST, reason_of};
use crate::plain_lines::WONT_TIMING_MARK;
use crate::room::{ClientId, Now, State};
use crate::server::Server;

/// Reads from one client in one turn, without flood control. What is read in one
/// turn is written together, so this is what makes many messages one write: with
/// one read, a sender with 256 messages of 100 bytes outstanding costs 1.6 times
/// the processor time.
const READS_A_TURN: usize = 4;

/// What came of the clients' bytes, beside what the room counts.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Intake {
    /// Lines dropped since their end had not come when their sender's had.
    pub(crate) unfinished: u64,
    /// Lines that were not heard, since their sender's connection had failed and
    /// they had to wait for too long. What the kernel held beyond them is not
    /// known.
    pub(crate) held_at_loss: u64,
    /// Lines dropped for a NUL or a CR in them.
    pub(crate) nul_or_cr: u64,
}

impl Server {
    /// A client's socket is ready.
    pub(crate) fn hear(&mut self, event_loop: &mut EventLoop<Server>, event: Event) {
        let Some(&client) = self.clients.get(event.id) else {
            return;
        };
        if event.readiness.intersects(Readiness::ENDED) {
            // Out of kernel memory, say: nothing would ever be heard of it again.
            if !self.defer(Server::hear, event) {
                self.lose(event_loop, client, LOST);
            }
            return;
        }
        if self.is_frozen() {
            // What is there to be read stays there.
            return;
        }
        if event.readiness.intersects(Readiness::OUT) {
            self.dirty.push(client);
        }
        let Some(connection) = self.connection(client) else {
            return;
        };
        // ANCHOR: hear-stages
        match connection.stage {
            // ANCHOR: hear-open
            Stage::Open { .. } if connection.is_reading() => {
                if event.readiness.is_readable() {
                    self.read(event_loop, client, event.readiness);
                }
            }
            // ANCHOR_END: hear-open
            Stage::Lingering => self.discard(event_loop, client),
            // An event of the batch in which it was lost.
            Stage::Lost { .. } => {}
            // Nothing is to be read from it, but it has come to its end.
            Stage::Open { .. } | Stage::Draining => {
                if event.readiness.intersects(Readiness::ERR | Readiness::HUP) {
                    let error = connection.stream.take_error().ok().flatten();
                    let reason = error.as_ref().map_or(LOST, reason_of);
                    self.lose(event_loop, client, reason);
                }
            }
        }
        // ANCHOR_END: hear-stages
    }

    /// Reads what a client has sent, its last words before its end.
    fn read(&mut self, event_loop: &mut EventLoop<Server>, client: ClientId, readiness: Readiness) {
        // ANCHOR: read-to-the-end
        match self.take_turn(event_loop, client, readiness) {
            Ok(ReadEnd::Drained | ReadEnd::BudgetSpent) => self.pace(event_loop, client),
            // ANCHOR: end-noted
            Ok(ReadEnd::EndOfStream) => {
                if let Some(connection) = self.connection_mut(client) {
                    connection.has_ended = true;
                }
                self.pace(event_loop, client);
            }
            // ANCHOR_END: end-noted
            Err(err) => self.lose(event_loop, client, reason_of(&err)),
        }
        // ANCHOR_END: read-to-the-end
        self.flush_if_much(event_loop);
    }

    /// Reads from a client as often as one turn allows.
    fn take_turn(
        &mut self,
        event_loop: &mut EventLoop<Server>,
        client: ClientId,
        readiness: Readiness,
    ) -> io::Result<ReadEnd> {
        // ANCHOR: reads-a-turn
        let is_limited = self.settings.flood.is_some();
        let reads = if is_limited { 1 } else { READS_A_TURN };
        let mut end = self.take_in(event_loop, client, readiness)?;
        for _ in 1..reads {
            if end != ReadEnd::BudgetSpent {
                break;
            }
            self.flush_if_much(event_loop);
            if !self.connection(client).is_some_and(Connection::is_reading) {
                break;
            }
            end = self.take_in(event_loop, client, readiness)?;
        }
        Ok(end)
        // ANCHOR_END: reads-a-turn
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
        // ANCHOR: read-and-cut
        read_within(&**stream, readiness, buffer, budget, |bytes| {
            inbox.take(bytes, now.instant, |decoded| {
                intake.tell(room, client, decoded, now);
            });
        })
        // ANCHOR_END: read-and-cut
    }

    /// Reads on from a connection that is lost. It is not watched any more, so
    /// this is done each time its client may talk.
    pub(crate) fn hear_out(&mut self, event_loop: &mut EventLoop<Server>, client: ClientId) {
        let end = self.take_in(event_loop, client, Readiness::ERR);
        if let Some(connection) = self.connection_mut(client) {
            connection.has_ended = !matches!(end, Ok(ReadEnd::BudgetSpent));
        }
        self.pace(event_loop, client);
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
            let (stage, unfinished) = (connection.stage, connection.inbox.unfinished());
            if unfinished > 0 {
                debug!(bytes = unfinished, "a last line without an end was dropped");
                self.intake.unfinished += 1;
            }
            match stage {
                Stage::Lost { reason } => self.end_lost(event_loop, client, reason),
                _ => self.room.disconnect(client, "Connection closed", now),
            }
        // ANCHOR: rest
        } else if connection.resume.is_none() && (connection.is_lost() || !wait.is_zero()) {
            let timer = event_loop.after(wait, Server::resume);
            connection.resume = Some(timer);
            connection.ask_to_read(event_loop);
            self.clients.insert(timer, client);
        // ANCHOR_END: rest
        } else {
            connection.ask_to_read(event_loop);
        }
        if owes_timing_mark {
            // Who asks again and again without reading the answers has enough.
            let most = self.settings.rules.limits.send_queue_bytes;
            self.room.flush(client, |outgoing| {
                if outgoing.len() <= most {
                    outgoing.push(&WONT_TIMING_MARK);
                }
            });
            self.dirty.push(client);
        }
    }

    /// A client that had said too much may talk again.
    pub(crate) fn resume(&mut self, event_loop: &mut EventLoop<Server>, event: Event) {
        if self.defer(Server::resume, event) {
            return;
        }
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
        // ANCHOR: resume-reading
        connection.resume = None;
        // What waited here is no silence of the client's.
        connection.note_heard(now.instant);
        connection.inbox.resume(now.instant, |decoded| {
            intake.tell(room, client, decoded, now);
        });
        if connection.is_lost() && !connection.has_ended && !connection.inbox.is_holding() {
            self.hear_out(event_loop, client);
        } else {
            self.pace(event_loop, client);
        }
        self.flush_if_much(event_loop);
        // ANCHOR_END: resume-reading
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
}

impl Intake {
    /// Hands one line to the room.
    fn tell(&mut self, room: &mut State, client: ClientId, decoded: Decoded<'_>, now: Now) {
        // ANCHOR: tell
        match decoded {
            Decoded::Line(line) => room.receive(client, line, now),
            Decoded::TooLong => room.line_too_long(client, now),
            Decoded::Dropped(_) => self.nul_or_cr += 1,
        }
        // ANCHOR_END: tell
    }
}
