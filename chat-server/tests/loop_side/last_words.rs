//! What a client sent before its end is heard, however the end comes and however long flood control
//! holds it back.
//!
//! Linux keeps what a socket has received when a reset comes: reads give all of it, then the error
//! once, then the end of the stream. A write that fails takes nothing of it away either; it takes the
//! error, and reads then give the bytes and the end.

use chapter_tests::{Peer, Program, Signal, limits};

use crate::support::{
    OldClients, join, person, register, reset_when_delivered, serve, settle, stop, tiny_receiver,
    wait_until, waits_for_room, watched,
};

#[test]
fn all_lines_before_the_end_are_executed_even_those_that_had_to_wait() {
    let server = serve(&["--flood-rate", "100", "--flood-burst", "5"]);
    let mut old = OldClients::new(server.listening_on());
    let mut eve = person(server.listening_on(), "eve");
    join(&mut eve, "#room");
    old.bob.expect_line("JOIN #room");
    let lines = (0..30).map(|number| format!("PRIVMSG #room :{number}\r\n"));
    eve.send(lines.collect::<Vec<_>>().concat());
    eve.send("PRIVMSG #room :without an end");
    eve.half_close();
    for number in 0..30 {
        assert_eq!(
            old.bob.read_line(),
            format!(":eve!~eve@127.0.0.1 PRIVMSG #room :{number}")
        );
    }
    assert_eq!(
        old.bob.read_line(),
        ":eve!~eve@127.0.0.1 QUIT :Connection closed"
    );
    eve.expect_eof();
    old.exchange();
}

#[test]
fn words_before_a_reset_are_heard() {
    let server = serve(&[]);
    let mut old = OldClients::new(server.listening_on());
    let mut eve = person(server.listening_on(), "eve");
    join(&mut eve, "#room");
    old.bob.expect_line("JOIN #room");
    stop(&server);
    eve.send_line("PRIVMSG #room :last words");
    reset_when_delivered(eve);
    server.signal(Signal::SIGCONT);
    for heard in [
        "PRIVMSG #room :last words",
        "QUIT :Connection reset by peer",
    ] {
        assert_eq!(old.bob.read_line(), format!(":eve!~eve@127.0.0.1 {heard}"));
    }
}

/// More than the loop takes from the kernel in one batch.
const CROWD: usize = 1_100;

#[test]
fn words_before_a_reset_are_heard_even_if_a_write_fails_before_they_are_read() {
    if limits::descriptor_limit() < 2 * CROWD as u64 {
        eprintln!("skipped: needs {} descriptors", 2 * CROWD);
        return;
    }
    let server = serve(&[]);
    let mut old = OldClients::new(server.listening_on());
    let mut eve = person(server.listening_on(), "eve");
    join(&mut eve, "#room");
    old.bob.expect_line("JOIN #room");
    old.alice.expect_line("JOIN #room");
    let mut crowd: Vec<Peer> = (0..CROWD)
        .map(|_| Peer::connect(server.listening_on()))
        .collect();
    settle(crowd.last_mut().unwrap());
    stop(&server);
    // Readiness is reported in the order in which it came: alice's words are in the first batch and
    // are written to eve at the end of it; eve's are in the next.
    old.alice.send_line("PRIVMSG #room :to eve as well");
    for peer in &mut crowd {
        peer.send("\r\n");
    }
    eve.send_line("PRIVMSG #room :last words");
    reset_when_delivered(eve);
    server.signal(Signal::SIGCONT);
    assert!(old.bob.read_line().ends_with("to eve as well"));
    for heard in [
        "PRIVMSG #room :last words",
        "QUIT :Connection reset by peer",
    ] {
        assert_eq!(old.bob.read_line(), format!(":eve!~eve@127.0.0.1 {heard}"));
    }
}

/// Lines that somebody sends at once: twice what the default burst lets through.
const LINES: usize = 40;

/// Says numbered lines in #room that are more than the server takes from a socket in one turn.
fn numbered_lines() -> String {
    let filling = "z".repeat(300);
    let lines = (0..LINES).map(|number| format!("PRIVMSG #room :{number} {filling}\r\n"));
    lines.collect()
}

/// Checks that bob hears all of them, in order, and then the QUIT.
fn expect_all_lines(old: &mut OldClients, reason: &str) {
    for number in 0..LINES {
        let line = old.bob.read_line();
        let said = format!(":eve!~eve@127.0.0.1 PRIVMSG #room :{number} z");
        assert!(line.starts_with(&said), "{line}");
    }
    assert_eq!(
        old.bob.read_line(),
        format!(":eve!~eve@127.0.0.1 QUIT :{reason}")
    );
}

/// eve in #room with alice and bob, who have seen her come.
fn eve_in_room(server: &Program) -> (OldClients, Peer) {
    let mut old = OldClients::new(server.listening_on());
    let mut eve = person(server.listening_on(), "eve");
    join(&mut eve, "#room");
    old.bob.expect_line("JOIN #room");
    old.alice.expect_line("JOIN #room");
    (old, eve)
}

#[test]
fn lines_that_had_to_wait_are_heard_after_a_reset() {
    let server = serve(&["--flood-rate", "50"]);
    let (mut old, mut eve) = eve_in_room(&server);
    stop(&server);
    eve.send(numbered_lines());
    reset_when_delivered(eve);
    server.signal(Signal::SIGCONT);
    expect_all_lines(&mut old, "Connection reset by peer");
    old.exchange();
}

#[test]
fn lines_that_had_to_wait_are_heard_when_a_write_fails() {
    let server = serve(&["--flood-rate", "20"]);
    let (mut old, mut eve) = eve_in_room(&server);
    stop(&server);
    eve.send(numbered_lines());
    server.signal(Signal::SIGCONT);
    let first = old.bob.read_line();
    assert!(first.contains("PRIVMSG #room :0 "), "{first}");
    // eve has used up her burst: the server does not read from her now, and does not see the reset
    // before it has something to tell her.
    settle(&mut old.alice);
    reset_when_delivered(eve);
    for number in 1..LINES {
        old.alice.send_line("PRIVMSG eve :are you there?");
        let line = old.bob.read_line();
        let said = format!(":eve!~eve@127.0.0.1 PRIVMSG #room :{number} z");
        assert!(line.starts_with(&said), "{line}");
    }
    let quit = old.bob.read_line();
    let quits = ["Connection reset by peer", "Broken pipe"];
    assert!(
        quits
            .map(|why| format!(":eve!~eve@127.0.0.1 QUIT :{why}"))
            .contains(&quit),
        "{quit}"
    );
}

#[test]
fn all_that_the_kernel_holds_is_heard_when_a_write_fails() {
    let server = serve(&["--flood-rate", "0"]);
    let mut old = OldClients::new(server.listening_on());
    let mut eve = person(server.listening_on(), "eve");
    join(&mut eve, "#room");
    old.bob.expect_line("JOIN #room");
    // More than is read in one turn, so that the write to eve at the end of it fails first.
    stop(&server);
    let lines = (0..1_000).map(|number| format!("PRIVMSG #room :{number}\r\nPING :x\r\n"));
    eve.send(lines.collect::<Vec<_>>().concat());
    reset_when_delivered(eve);
    server.signal(Signal::SIGCONT);
    for number in 0..1_000 {
        let said = format!(":eve!~eve@127.0.0.1 PRIVMSG #room :{number}");
        assert_eq!(old.bob.read_line(), said);
    }
    let quit = old.bob.read_line();
    assert!(quit.starts_with(":eve!~eve@127.0.0.1 QUIT :"), "{quit}");
}

#[test]
fn a_connection_that_is_lost_is_not_watched_while_its_lines_are_heard() {
    const BURST: usize = 400;
    let burst = BURST.to_string();
    let server = serve(&["--flood-rate", "1", "--flood-burst", &burst, "--trace"]);
    let mut alice = person(server.listening_on(), "alice");
    let mut eve = tiny_receiver(server.listening_on(), "eve");
    let reading = || {
        watched(&server)
            .into_iter()
            .filter(|one| one.wants_to_read())
    };
    let (before, reading_before) = (watched(&server).len(), reading().count());
    eve.send("PONG x\r\n".repeat(BURST + 50));
    wait_until("eve is not read from", || {
        reading().count() < reading_before
    });
    let text = format!("PRIVMSG eve :{}\r\n", "x".repeat(400));
    wait_until("and not written to", || {
        alice.send(&text);
        settle(&mut alice);
        waits_for_room(&server)
    });
    eve.reset();
    // It would be reported again and again, whatever else is asked for.
    wait_until("she is not watched any more", || {
        watched(&server).len() < before
    });
    alice.send_line("WHOIS eve");
    alice.expect_line([" 311 ", "eve"]);
}

#[test]
fn lines_of_a_lost_connection_are_heard_for_no_longer_than_a_ping_may_take_and_then_counted() {
    let mut server = serve(&[
        "--flood-rate",
        "1",
        "--ping-timeout",
        "500ms",
        "--drain",
        "100ms",
        "--log",
        "debug",
    ]);
    let (mut old, mut eve) = eve_in_room(&server);
    stop(&server);
    eve.send("PING :x\r\n".repeat(100));
    reset_when_delivered(eve);
    server.signal(Signal::SIGCONT);
    assert_eq!(
        old.bob.read_line(),
        ":eve!~eve@127.0.0.1 QUIT :Connection reset by peer"
    );
    server.signal(Signal::SIGTERM);
    server.wait();
    let log = server.stderr();
    let counted = log
        .split_once("lines_held_at_loss=")
        .and_then(|(_, rest)| rest.split(' ').next()?.parse().ok());
    assert!(counted.is_some_and(|lines: u32| lines >= 78), "{log}");
}

#[test]
fn quit_among_the_last_words_is_the_reason_that_is_given() {
    let server = serve(&["--flood-rate", "50"]);
    let (mut old, mut eve) = eve_in_room(&server);
    stop(&server);
    eve.send("PING :x\r\n".repeat(30));
    eve.send("QUIT :bye\r\nPRIVMSG #room :not said any more\r\n");
    reset_when_delivered(eve);
    server.signal(Signal::SIGCONT);
    assert_eq!(old.bob.read_line(), ":eve!~eve@127.0.0.1 QUIT :Quit: bye");
    old.exchange();
    // The nick is free again at once.
    register(Peer::connect(server.listening_on()), "eve");
}

#[test]
fn a_lost_connection_does_not_delay_the_end_of_the_server() {
    let mut server = serve(&["--flood-rate", "1", "--drain", "1h"]);
    let (mut old, mut eve) = eve_in_room(&server);
    let watched_before = watched(&server).len();
    stop(&server);
    eve.send("PING :x\r\n".repeat(100));
    reset_when_delivered(eve);
    server.signal(Signal::SIGCONT);
    wait_until("the connection is lost", || {
        settle(&mut old.alice);
        watched(&server).len() < watched_before
    });
    server.signal(Signal::SIGTERM);
    old.alice.expect_eof();
    old.bob.expect_eof();
    drop(old);
    assert_eq!(server.wait().code(), Some(0));
}
