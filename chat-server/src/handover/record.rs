//! What the loop side writes down: the room's record, and a connection each.

use std::time::{Duration, Instant};

use epoll_loop::EventLoop;
use serde::{Deserialize, Serialize};

use crate::connection::{Connection, Stage};
use crate::inbox::InboxRecord;
use crate::listener::reason_named;
use crate::reading::Intake;
use crate::room::{ClientId, Kind, Now, RoomRecord};
use crate::server::Server;

/// The document of a hand-over, written as JSON. Behind it, in the same stream,
/// come a newline and the bytes that wait for the clients, in the room's order.
/// The descriptors are those of the listeners, in order, and then those of the
/// connections.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ServerRecord {
    pub(crate) room: RoomRecord,
    /// Who comes in by each listener.
    pub(crate) listeners: Vec<Kind>,
    /// One for each client of the room, in the room's order.
    pub(crate) connections: Vec<ConnectionRecord>,
    pub(crate) intake: Intake,
}

/// A connection, without its socket.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ConnectionRecord {
    pub(crate) stage: StageRecord,
    pub(crate) has_ended: bool,
    pub(crate) is_registering: bool,
    pub(crate) heard_ms_ago: u64,
    /// When it is looked at next; none if it never is.
    pub(crate) check_up_in_ms: Option<u64>,
    /// When it may talk again, if it has to wait for that.
    pub(crate) resume_in_ms: Option<u64>,
    pub(crate) inbox: InboxRecord,
}

/// How far a connection has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum StageRecord {
    Open { asked: bool },
    Lost { reason: String },
    Draining,
    Lingering,
}

impl From<Stage> for StageRecord {
    fn from(stage: Stage) -> StageRecord {
        match stage {
            Stage::Open { asked } => StageRecord::Open { asked },
            Stage::Lost { reason } => StageRecord::Lost {
                reason: reason.to_owned(),
            },
            Stage::Draining => StageRecord::Draining,
            Stage::Lingering => StageRecord::Lingering,
        }
    }
}

impl From<StageRecord> for Stage {
    fn from(record: StageRecord) -> Stage {
        match record {
            StageRecord::Open { asked } => Stage::Open { asked },
            StageRecord::Lost { reason } => Stage::Lost {
                reason: reason_named(&reason),
            },
            StageRecord::Draining => Stage::Draining,
            StageRecord::Lingering => Stage::Lingering,
        }
    }
}

impl Server {
    /// Writes everything down, and names the clients in the record's order.
    pub(super) fn write_down(
        &mut self,
        event_loop: &EventLoop<Server>,
    ) -> (ServerRecord, Vec<ClientId>) {
        let now = self.now(event_loop);
        let (room, clients) = self.room.save(now);
        let connections = clients
            .iter()
            .filter_map(|&client| self.connection(client))
            .map(|connection| describe(connection, event_loop, now));
        let record = ServerRecord {
            room,
            listeners: self.listeners.values().map(|door| door.kind).collect(),
            connections: connections.collect(),
            intake: self.intake,
        };
        (record, clients)
    }
}

fn describe(connection: &Connection, event_loop: &EventLoop<Server>, now: Now) -> ConnectionRecord {
    let remaining = |timer| event_loop.remaining(timer).map(milliseconds);
    ConnectionRecord {
        stage: connection.stage.into(),
        has_ended: connection.has_ended,
        is_registering: connection.is_registering,
        heard_ms_ago: milliseconds(since(connection.last_heard, now.instant)),
        check_up_in_ms: remaining(connection.check_up),
        resume_in_ms: connection
            .resume
            .map(|timer| remaining(timer).unwrap_or_default()),
        inbox: connection.inbox.save(now.instant),
    }
}

fn since(then: Instant, now: Instant) -> Duration {
    now.saturating_duration_since(then)
}

/// Rounded up: nothing shall be early.
pub(crate) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}
