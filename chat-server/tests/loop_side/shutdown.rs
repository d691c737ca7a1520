//! What signals do: an end in order, a quicker end, another message of the day.

use std::fs;
use std::net::TcpStream;

use chapter_tests::{Peer, Signal, TemporaryDirectory};

use crate::support::{block_the_writer, person, serve, settle, small_receiver, wait_until};

#[test]
fn everybody_is_told_that_the_server_ends_and_it_ends_when_they_have_hung_up() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let mut server = serve(&["--plain-listen", "127.0.0.1:0", "--drain", "1h"]);
        let [irc, plain] = server.listening_on_all();
        let (mut alice, mut stranger) = (person(irc, "alice"), Peer::connect(irc));
        settle(&mut stranger);
        let mut nc = Peer::connect(plain);
        nc.expect_line("In #lobby");
        server.signal(signal);
        assert_eq!(
            alice.expect_eof(),
            ["ERROR :Closing link: (~alice@127.0.0.1) [Server is shutting down]"]
        );
        let last_line = stranger.expect_eof().pop().unwrap();
        assert!(
            last_line.contains("[Server is shutting down]"),
            "{last_line}"
        );
        let last_line = nc.expect_eof().pop().unwrap();
        assert!(
            last_line.contains("[Server is shutting down]"),
            "{last_line}"
        );
        drop((alice, stranger, nc));
        assert_eq!(server.wait().code(), Some(0));
    }
}

#[test]
fn what_is_queued_for_a_client_arrives_before_the_server_ends() {
    let mut server = serve(&["--flood-rate", "0", "--drain", "1h"]);
    let mut alice = person(server.listening_on(), "alice");
    let mut slow = small_receiver(server.listening_on(), "slow");
    let asked = block_the_writer(&server, &mut slow, &mut alice);
    server.signal(Signal::SIGTERM);
    alice.expect_line("ERROR");
    let mut lines = slow.expect_eof();
    let last_line = lines.pop().unwrap();
    assert!(
        last_line.contains("[Server is shutting down]"),
        "{last_line}"
    );
    assert_eq!(
        lines.iter().filter(|line| line.contains("PONG")).count(),
        asked
    );
    drop((alice, slow));
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn who_does_not_read_delays_the_end_by_no_more_than_the_drain_time() {
    let mut server = serve(&["--flood-rate", "0", "--drain", "200ms"]);
    let mut alice = person(server.listening_on(), "alice");
    let mut slow = small_receiver(server.listening_on(), "slow");
    block_the_writer(&server, &mut slow, &mut alice);
    server.signal(Signal::SIGTERM);
    assert_eq!(server.wait().code(), Some(0));
    let log = server.stderr();
    assert!(
        log.contains("left=2"),
        "alice has not hung up either: {log}"
    );
    drop(slow);
}

#[test]
fn a_second_signal_ends_the_server_at_once_and_nobody_gets_in_meanwhile() {
    let mut server = serve(&["--drain", "1h"]);
    let address = server.listening_on();
    let mut alice = person(address, "alice");
    server.signal(Signal::SIGTERM);
    alice.expect_line("ERROR");
    // The listener is closed when the last words are written.
    wait_until("nobody is let in", || TcpStream::connect(address).is_err());
    assert!(server.is_running(), "alice has not hung up");
    server.signal(Signal::SIGTERM);
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn a_hang_up_signal_has_the_message_of_the_day_read_again() {
    let directory = TemporaryDirectory::new();
    let file = directory.join("motd");
    fs::write(&file, "first\n").unwrap();
    let server = serve(&["--motd", file.to_str().unwrap()]);
    let mut alice = Peer::connect(server.listening_on());
    alice.send("NICK alice\r\nUSER alice 0 * :Alice\r\n");
    alice.expect_line([" 372 ", "first"]);

    fs::write(&file, "second\n").unwrap();
    server.signal(Signal::SIGHUP);
    server.wait_for_error_line("the message of the day was read again");
    alice.send_line("MOTD");
    alice.expect_line([" 372 ", "second"]);

    fs::remove_file(&file).unwrap();
    server.signal(Signal::SIGHUP);
    server.wait_for_error_line("stays as it was");
    alice.send_line("MOTD");
    alice.expect_line([" 372 ", "second"]);
}

#[test]
fn what_was_lost_is_told_at_the_end() {
    let mut server = serve(&["--log", "debug"]);
    let mut eve = Peer::connect(server.listening_on());
    eve.send("NICK e\0ve\r\nNICK e\rve\r\nNICK unfinished");
    eve.half_close();
    eve.expect_eof();
    server.signal(Signal::SIGTERM);
    drop(eve);
    server.wait();
    let log = server.stderr();
    let line = log.lines().find(|line| line.contains("counters="));
    for counted in ["lines_unfinished=1", "lines_with_nul_or_cr=2"] {
        assert!(line.unwrap().contains(counted), "{log}");
    }
}
