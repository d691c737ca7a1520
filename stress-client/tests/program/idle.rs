//! Idle clients: they are all there, and what they cost is told.

use std::net::TcpListener;
use std::thread;

use chapter_tests::Peer;
use chapter_tests::limits::idle_clients;
use serde_json::Value;

use crate::{count, figure, measure, run, server};

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
fn a_connection_that_is_reset_before_it_is_greeted_is_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serving = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        // To close a socket with something unread in it resets the connection.
        stream.peek(&mut [0]).unwrap();
        drop(stream);
        let mut peer = Peer::over(listener.accept().unwrap().0);
        peer.expect_line("NICK i000000");
        peer.send_line(":x 001 i000000 :Welcome");
        peer.expect_line("PING :settle");
        peer.send_line(":x PONG x :settle");
        peer.expect_eof();
    });
    let finished = run(&format!("{address} idle --clients 1 --json"));
    serving.join().unwrap();
    assert!(finished.status.success(), "{finished:?}");
    let measured: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!(count(&measured, "clients"), 1);
    let note = measured["notes"][0].as_str().unwrap();
    assert!(note.contains("and tried again: 1 ("), "{note}");
}

#[test]
fn a_nick_that_is_taken_is_no_reason_to_fail() {
    let server = server();
    let mut other = Peer::connect(server.listening_on());
    other.send("NICK i000001\r\nUSER other 0 * :Other\r\n");
    other.expect_line(" 001 i000001 ");
    let measured = measure(&server, "idle --clients 3");
    assert_eq!(count(&measured, "clients"), 3);
}
