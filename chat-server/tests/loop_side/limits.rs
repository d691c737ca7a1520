//! Limits on connections and on what waits for them.

use std::net::{IpAddr, SocketAddr, UdpSocket};

use chapter_tests::{Launch, Peer, Signal, process};

use crate::support::{
    OldClients, SERVER, join, person, register, serve, settle, small_receiver, stop, wait_until,
};

#[test]
fn more_clients_than_descriptors_are_refused_at_the_start() {
    let finished = Launch::new(SERVER)
        .args(["--listen", "127.0.0.1:0", "--max-clients", "100"])
        .descriptor_limit(100)
        .run();
    assert_eq!(finished.status.code(), Some(1));
    assert_eq!(
        finished.stderr,
        "chat-server: --max-clients 100: only 100 descriptors may be open (RLIMIT_NOFILE), and 32 \
         are needed beside the clients'\n"
    );
}

#[test]
fn who_comes_when_the_server_is_full_is_told_so_and_may_come_again_later() {
    let server = serve(&["--max-clients", "2", "--flood-rate", "0"]);
    let address = server.listening_on();
    let mut alice = person(address, "alice");
    let bob = person(address, "bob");
    let full = "ERROR :Closing link: [Server is full]";
    assert_eq!(Peer::connect(address).expect_eof(), [full]);
    drop(bob);
    let mut carol = None;
    wait_until("the server has seen bob go", || {
        settle(&mut alice);
        let mut peer = Peer::connect(address);
        peer.send_line("PING :in?");
        let answer = peer.read_line();
        let is_in = answer.contains("PONG");
        assert!(is_in || answer == full, "{answer}");
        carol = is_in.then_some(peer);
        is_in
    });
    let mut carol = register(carol.expect("let in above"), "carol");
    settle(&mut carol);
}

#[test]
fn who_comes_with_nc_when_the_server_is_full_is_told_so_in_plain_words() {
    let server = serve(&["--plain-listen", "127.0.0.1:0", "--max-clients", "1"]);
    let [irc, plain] = server.listening_on_all();
    let _alice = person(irc, "alice");
    assert_eq!(Peer::connect(plain).expect_eof(), ["-- Server is full"]);
}

#[test]
fn who_is_turned_away_reads_why_even_if_it_has_talked_already() {
    let server = serve(&["--max-clients", "1"]);
    let _alice = person(server.listening_on(), "alice");
    stop(&server);
    let mut eve = Peer::connect(server.listening_on());
    eve.send("CAP LS 302\r\nNICK eve\r\nUSER eve 0 * :Eve\r\n");
    server.signal(Signal::SIGCONT);
    // Not a reset, which is what a close with bytes unread would be.
    assert_eq!(eve.expect_eof(), ["ERROR :Closing link: [Server is full]"]);
}

/// An address of this machine that is not a loopback one; packets to it do not leave the machine.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    // Connecting a UDP socket sends nothing, but chooses the address to send from (RFC 5737).
    socket.connect("192.0.2.1:9").ok()?;
    Some(socket.local_addr().ok()?.ip())
}

#[test]
fn one_address_gets_so_many_connections_and_loopback_any_number() {
    let Some(own) = own_address() else {
        eprintln!("skipped: needs an address beside loopback");
        return;
    };
    let server = serve(&["--listen", "0.0.0.0:0", "--max-per-address", "2"]);
    let [loopback, any] = server.listening_on_all();
    let outside = SocketAddr::new(own, any.port());
    let mut first = person(outside, "first");
    let _second = person(outside, "second");
    assert_eq!(
        Peer::connect(outside).expect_eof(),
        ["ERROR :Closing link: [Too many connections from your address]"]
    );
    let _local: Vec<Peer> = (0..5)
        .map(|number| person(loopback, &format!("local{number}")))
        .collect();
    settle(&mut first);
}

/// Has `talker` say numbered things in `channels`, until it sees somebody quit; returns that line.
fn talk_until_a_quit(talker: &mut Peer, channels: &str) -> String {
    let mut number = 0;
    loop {
        let lines = (number..number + 100)
            .map(|number| format!("PRIVMSG {channels} :{number} {}\r\n", "y".repeat(300)));
        talker.send(lines.collect::<Vec<_>>().concat());
        talker.send_line("PING :said");
        number += 100;
        let line = talker.expect_line(|line: &str| line.contains("PONG") || line.contains("QUIT"));
        if line.contains("QUIT") {
            return line;
        }
    }
}

#[test]
fn who_reads_too_slowly_is_put_out_and_reads_whole_lines_and_why() {
    let server = serve(&["--flood-rate", "0", "--sendq", "64KiB", "--drain", "30s"]);
    let mut alice = person(server.listening_on(), "alice");
    join(&mut alice, "#talk");
    let mut slow = small_receiver(server.listening_on(), "slow");
    join(&mut slow, "#talk");
    assert_eq!(
        talk_until_a_quit(&mut alice, "#talk"),
        ":slow!~slow@127.0.0.1 QUIT :SendQ exceeded"
    );
    let mut lines = slow.expect_eof();
    assert_eq!(
        lines.pop().unwrap(),
        "ERROR :Closing link: (~slow@127.0.0.1) [SendQ exceeded]"
    );
    for (number, line) in lines.iter().enumerate() {
        let text = format!("{number} {}", "y".repeat(300));
        let said = format!(":alice!~alice@127.0.0.1 PRIVMSG #talk :{text}");
        assert_eq!(*line, said);
    }
}

#[test]
fn when_all_queues_together_are_too_long_the_longest_goes() {
    let server = serve(&["--flood-rate", "0", "--sendq-total", "256KiB"]);
    let mut alice = person(server.listening_on(), "alice");
    join(&mut alice, "#a,#b,#c,#d");
    let mut long = small_receiver(server.listening_on(), "long");
    join(&mut long, "#a,#b,#c,#d");
    let mut short = small_receiver(server.listening_on(), "short");
    join(&mut short, "#a");
    assert_eq!(
        talk_until_a_quit(&mut alice, "#a,#b,#c,#d"),
        ":long!~long@127.0.0.1 QUIT :SendQ exceeded"
    );
    alice.send_line("PRIVMSG short :read on");
    short.expect_line("PRIVMSG short :read on");
}

#[test]
fn memory_is_within_the_bound_when_all_queues_are_full() {
    const QUEUES_BYTES: u64 = 96 << 20;
    const READERS: u64 = 40;
    let server = serve(&[
        "--flood-rate",
        "0",
        "--sendq",
        "3MiB",
        "--sendq-total",
        "96MiB",
    ]);
    let mut alice = person(server.listening_on(), "alice");
    join(&mut alice, "#talk");
    let readers: Vec<Peer> = (0..READERS)
        .map(|number| {
            let mut reader = small_receiver(server.listening_on(), &format!("reader{number}"));
            join(&mut reader, "#talk");
            reader
        })
        .collect();
    // All of them together are too much before any one of them is.
    talk_until_a_quit(&mut alice, "#talk");
    let bound = (32 << 20) + QUEUES_BYTES + (READERS + 1) * (16 << 10);
    let peak = process::peak_resident_bytes(server.pid());
    assert!(
        peak > QUEUES_BYTES,
        "{peak} bytes: the queues were not full"
    );
    assert!(peak <= bound, "{peak} bytes, {bound} are allowed");
    drop(readers);
}

#[test]
fn a_burst_from_many_does_not_put_out_those_who_read() {
    const SENDERS: usize = 40;
    const LINES: usize = 64;
    let server = serve(&["--flood-rate", "0", "--sendq", "128KiB"]);
    let mut old = OldClients::new(server.listening_on());
    let mut senders: Vec<Peer> = (0..SENDERS)
        .map(|number| person(server.listening_on(), &format!("sender{number}")))
        .collect();
    old.alice.send_line("MODE #room -n");
    old.bob.expect_line("MODE #room -n");
    // All of it is there at once: 640 KB in one batch.
    stop(&server);
    let line = format!("PRIVMSG #room :{}\r\n", "z".repeat(234));
    for sender in &mut senders {
        sender.send(line.repeat(LINES));
    }
    server.signal(Signal::SIGCONT);
    for _ in 0..SENDERS * LINES {
        assert!(old.bob.read_line().ends_with("zzzz"));
    }
    old.exchange();
}

#[test]
fn a_burst_to_many_does_not_put_out_those_who_read() {
    const READERS: usize = 40;
    const LINES: usize = 200;
    let server = serve(&["--flood-rate", "0", "--sendq-total", "1MiB"]);
    let mut talker = person(server.listening_on(), "talker");
    let mut readers: Vec<Peer> = (0..READERS)
        .map(|number| person(server.listening_on(), &format!("reader{number}")))
        .collect();
    for peer in readers.iter_mut().chain([&mut talker]) {
        join(peer, "#room");
    }
    settle(&mut talker);
    // All of it is there at once: 56 KB in one batch, and 2.2 MB for all of them together.
    stop(&server);
    talker.send(format!("PRIVMSG #room :{}\r\n", "z".repeat(250)).repeat(LINES));
    server.signal(Signal::SIGCONT);
    for reader in &mut readers {
        for _ in 0..LINES {
            reader.expect_line("zzzz");
        }
    }
    talker.send_line("NAMES #room");
    let names = talker.expect_line(" 353 ");
    assert_eq!(names.matches("reader").count(), READERS, "{names}");
}
