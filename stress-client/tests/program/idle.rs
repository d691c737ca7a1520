//! Idle clients: they are all there, and what they cost is told.

use chapter_tests::limits::idle_clients;

use crate::{count, figure, measure, server};

/// The most that a client may add to the server's memory, beside what waits to be sent to it.
const MAX_BYTES_A_CLIENT: f64 = 16.0 * 1024.0;

#[test]
fn thousands_of_idle_clients_stay_within_the_memory_bound() {
    let clients = idle_clients();
    let server = server();
    let measured = measure(&server, &format!("idle --clients {clients}"));
    assert_eq!(count(&measured, "clients"), clients as u64);
    let each = figure(&measured, "server_bytes_per_client");
    assert!(each > 0.0 && each < MAX_BYTES_A_CLIENT, "{measured}");
    for key in ["", "_first_tenth", "_last_tenth"] {
        let rate = figure(&measured, &format!("registrations_per_second{key}"));
        assert!(rate > 0.0, "{measured}");
    }
}

#[test]
fn clients_that_stay_cost_something_or_nothing_and_it_is_told() {
    let server = server();
    let measured = measure(&server, "idle --clients 3 --hold 50ms");
    assert!(figure(&measured, "server_cores_while_idle") >= 0.0);
    assert!(measured["figures"]["registrations_per_second_last_tenth"].is_null());
}

#[test]
fn a_nick_that_is_taken_is_no_reason_to_fail() {
    use chapter_tests::Peer;
    let server = server();
    let mut other = Peer::connect(server.listening_on());
    other.send("NICK i000001\r\nUSER other 0 * :Other\r\n");
    other.expect_line(" 001 i000001 ");
    let measured = measure(&server, "idle --clients 3");
    assert_eq!(count(&measured, "clients"), 3);
}
