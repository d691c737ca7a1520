//! From the first line, or none, to the last: time-outs, and every way of going.

use chapter_tests::Peer;

use crate::support::{join, person, serve, settle};

#[test]
fn who_does_not_register_in_time_is_told_so_and_closed() {
    let server = serve(&["--registration-timeout", "100ms"]);
    let mut stranger = Peer::connect(server.listening_on());
    stranger.send_line("NICK eve");
    assert_eq!(
        stranger.expect_eof(),
        ["ERROR :Closing link: (unknown@127.0.0.1) [Registration timed out]"]
    );
}

#[test]
fn who_answers_the_ping_stays() {
    let server = serve(&["--ping-interval", "100ms", "--ping-timeout", "1h"]);
    let mut alice = person(server.listening_on(), "alice");
    for _ in 0..3 {
        assert_eq!(alice.read_line(), "PING :chat.localhost");
        alice.send_line("PONG :chat.localhost");
    }
    settle(&mut alice);
}

#[test]
fn who_does_not_answer_the_ping_is_put_out_and_who_has_nc_is_not_even_asked() {
    let server = serve(&[
        "--plain-listen",
        "127.0.0.1:0",
        "--ping-interval",
        "100ms",
        "--ping-timeout",
        "200ms",
    ]);
    let [irc, plain] = server.listening_on_all();
    let mut nc = Peer::connect(plain);
    nc.send("/help\n");
    nc.expect_line("Commands");
    nc.expect_line("Anything without a slash");
    let mut silent = person(irc, "silent");
    join(&mut silent, "#lobby");
    let last_lines = silent.expect_eof();
    assert_eq!(
        last_lines,
        [
            "PING :chat.localhost",
            "ERROR :Closing link: (~silent@127.0.0.1) [Ping timeout: 0 seconds]"
        ]
    );
    assert_eq!(nc.read_line(), "-- silent has joined #lobby");
    assert_eq!(
        nc.read_line(),
        "-- silent has quit (Ping timeout: 0 seconds)"
    );
    // That one has been silent for longer than the other.
    nc.send("/help\n");
    nc.expect_line("Anything without a slash");
}

#[test]
fn who_is_not_read_from_is_not_blamed_for_its_silence() {
    // What eve sends takes 3 s to be earned, and the server reads nothing more meanwhile.
    let server = serve(&[
        "--flood-rate",
        "20",
        "--flood-burst",
        "1",
        "--ping-interval",
        "500ms",
        "--ping-timeout",
        "500ms",
    ]);
    let mut eve = person(server.listening_on(), "eve");
    let lines = (0..60).map(|number| format!("PING :{number}\n"));
    eve.send(lines.collect::<Vec<_>>().concat());
    for number in 0..60 {
        let answer = eve.expect_line("PONG");
        assert!(answer.ends_with(&format!(":{number}")), "{answer}");
    }
}

#[test]
fn the_reason_arrives_even_if_more_was_sent_than_is_read() {
    let server = serve(&["--flood-burst", "3", "--registration-timeout", "100ms"]);
    let mut eve = Peer::connect(server.listening_on());
    // Far more than is read before flood control stops it. A close with bytes unread would be a
    // reset, which takes away what eve has not read.
    eve.send("PING :x\r\n".repeat(10_000));
    let last_line = eve.expect_eof().pop().unwrap();
    assert!(
        last_line.contains("[Registration timed out]"),
        "{last_line}"
    );
}
