//! Records as documents; that a room survives being one is a part of the
//! arbitrary conversations of `invariants.rs`.

use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};

use super::RoomRecord;
use crate::room::client::{ClientId, Kind};
use crate::room::rules::Rules;
use crate::room::state::{Now, State};

fn now() -> Now {
    Now {
        instant: Instant::now(),
        wall: SystemTime::now(),
    }
}

/// Ann, who has made #a, and Bob, who is in it and in #b.
fn room(now: Now) -> (State, [ClientId; 2]) {
    let mut state = State::new(Rules::default(), now);
    let clients = ["ann", "bob"].map(|nick| {
        let address = "127.0.0.1:1".parse().unwrap();
        let client = state.connect(address, Kind::Irc, now).unwrap();
        for line in [&format!("NICK {nick}"), "USER u 0 * :R", "JOIN #a"] {
            state.receive(client, line.as_bytes(), now);
        }
        client
    });
    state.receive(clients[1], b"JOIN #b", now);
    (state, clients)
}

fn document() -> Value {
    let now = now();
    serde_json::to_value(room(now).0.save(now).0).unwrap()
}

/// What waits for the clients of a record that counts so much.
fn unsent(record: &RoomRecord) -> Vec<u8> {
    vec![b'x'; record.clients.iter().map(|it| it.unsent_bytes).sum()]
}

fn restore(document: Value) -> Result<State, String> {
    let record: RoomRecord = serde_json::from_value(document).map_err(|err| err.to_string())?;
    let unsent = unsent(&record);
    let restored = State::restore(Rules::default(), record, &unsent, now());
    restored
        .map(|(state, _)| state)
        .map_err(|err| err.to_string())
}

#[test]
fn a_record_that_contradicts_itself_is_an_error_and_no_panic() {
    assert!(restore(document()).is_ok());
    for (pointer, value, why) in [
        ("/clients/1/nick", json!("ANN"), "two clients have one nick"),
        (
            "/clients/0/host",
            json!("x".repeat(300)),
            "a name is too long",
        ),
        ("/started", json!(u64::MAX), "it began at no time"),
        (
            "/clients/0/channels",
            json!([9]),
            "a client is in a channel that is none",
        ),
        (
            "/clients/0/channels",
            json!([0, 0]),
            "a client is in a channel twice",
        ),
        (
            "/clients/0/channels",
            json!([0, 1]),
            "a client is in a channel without it",
        ),
        (
            "/clients/0/channels",
            json!([]),
            "a channel has a member that is not in it",
        ),
        (
            "/clients/0/stage",
            json!("Leaving"),
            "a client is in a channel that is none",
        ),
        (
            "/clients/0/invitations",
            json!([2]),
            "an invitation is to a channel that is none",
        ),
        (
            "/channels/1/name",
            json!("#A"),
            "two channels have one name",
        ),
        ("/channels/1/members", json!([]), "a channel has no members"),
        (
            "/channels/1/members/0/0",
            json!(7),
            "a channel has a member that nobody is",
        ),
    ] {
        let mut broken = document();
        *broken.pointer_mut(pointer).expect(pointer) = value;
        assert_eq!(restore(broken).unwrap_err(), why, "{pointer}");
    }
}

#[test]
fn bytes_that_nobody_counts_and_counted_ones_that_have_not_come_are_errors() {
    let record: RoomRecord = serde_json::from_value(document()).unwrap();
    let unsent = unsent(&record);
    for (bytes, why) in [
        (&unsent[1..], "fewer bytes wait than it counts"),
        (
            &[&unsent[..], b"x"].concat(),
            "more bytes wait than it counts",
        ),
    ] {
        let refused = State::restore(Rules::default(), record.clone(), bytes, now());
        assert_eq!(refused.unwrap_err().to_string(), why);
    }
}

#[test]
fn what_another_version_has_added_is_passed_over() {
    let mut newer = document();
    newer["clients"][0]["mood"] = json!("good");
    assert!(restore(newer).is_ok());
}

#[test]
fn idle_time_goes_on_from_where_it_was() {
    let begin = now();
    let (state, [ann, _]) = room(begin);
    let later = Now {
        instant: begin.instant + Duration::from_secs(100),
        wall: begin.wall + Duration::from_secs(100),
    };
    let (record, ids) = state.save(later);
    let unsent = unsent(&record);
    let (mut state, new_ids) = State::restore(Rules::default(), record, &unsent, later).unwrap();
    let ann = new_ids[ids.iter().position(|&id| id == ann).unwrap()];
    state.drop_waiting(ann);
    state.receive(ann, b"WHOIS ann", later);
    let mut text = Vec::new();
    state.flush(ann, |queue| queue.write_to(&mut text));
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains(" 317 ann ann 100 "), "{text}");
}
