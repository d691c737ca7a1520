//! What the study notes claim of epoll and sockets, and what the experiments showed, on the server:
//! nobody is forgotten, nothing spins, nobody gets somebody else's bytes.

use std::fs;
use std::time::Duration;

use chapter_tests::{Launch, Peer, Program, Signal, TemporaryDirectory, process, tools};
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

use crate::support::{
    OldClients, SERVER, block_the_writer, join, person, register, serve, settle, small_receiver,
    stop, wait_until, waits_for_room, watched,
};

// ---- the listener ----

#[test]
fn connections_that_were_reset_in_the_backlog_are_accepted_and_forgotten() {
    let server = serve(&["--log", "debug"]);
    let mut old = OldClients::new(server.listening_on());
    let before = process::descriptors(server.pid());
    stop(&server);
    for _ in 0..10 {
        // accept(2) gives it out all the same; getpeername(2) would say ENOTCONN.
        Peer::connect(server.listening_on()).reset();
    }
    let next = Peer::connect(server.listening_on());
    server.signal(Signal::SIGCONT);
    let mut next = register(next, "next");
    old.exchange();
    for _ in 0..10 {
        server.wait_for_error_line("closed");
    }
    settle(&mut next);
    assert_eq!(process::descriptors(server.pid()), before + 1);
}

#[test]
fn everybody_of_a_burst_on_the_listener_is_served() {
    let server = serve(&[]);
    let address = server.listening_on();
    stop(&server);
    // More than one event is for, and more than one turn accepts.
    let burst: Vec<Peer> = (0..500).map(|_| Peer::connect(address)).collect();
    server.signal(Signal::SIGCONT);
    for (number, peer) in burst.into_iter().enumerate() {
        register(peer, &format!("peer{number}"));
    }
}

// ---- news and state ----

#[test]
fn what_a_read_leaves_is_read_without_another_byte() {
    let server = serve(&["--flood-rate", "0"]);
    let mut eve = person(server.listening_on(), "eve");
    stop(&server);
    // Far more than is read in one turn.
    eve.send(format!("PRIVMSG eve :{}\r\n", "x".repeat(384)).repeat(500));
    eve.send("PING :last\r\n");
    server.signal(Signal::SIGCONT);
    eve.expect_line(["PONG", ":last"]);
}

// ---- spins ----

/// Starts a server in which [`stays_asleep`] can be asked for.
fn serve_traced(arguments: &[&str]) -> Program {
    serve(&[&["--trace", "--registration-timeout", "700ms"], arguments].concat())
}

/// Panics unless the server's loop sleeps for as long as somebody may take to register, whatever
/// else is connected.
fn stays_asleep(server: &Program) {
    let waits = || server.stderr().matches(" us  wait ").count();
    let (waits_before, cpu_before) = (waits(), process::cpu_time(server.pid()));
    let mut clock = Peer::connect(server.listening_on());
    assert!(clock.expect_eof()[0].contains("Registration timed out"));
    let (waited, used) = (
        waits() - waits_before,
        process::cpu_time(server.pid()).saturating_sub(cpu_before),
    );
    // A loop that spins takes tens of thousands of turns in that time.
    assert!(waited < 30, "{waited} turns");
    assert!(used < Duration::from_millis(200), "{used:?} of CPU time");
}

#[test]
fn a_reader_that_has_caught_up_is_not_watched_for_writing_any_more() {
    let server = serve_traced(&["--flood-rate", "0"]);
    let mut old = OldClients::new(server.listening_on());
    let mut slow = small_receiver(server.listening_on(), "slow");
    block_the_writer(&server, &mut slow, &mut old.alice);
    stays_asleep(&server);
    settle(&mut slow);
    wait_until("everything is written", || {
        settle(&mut slow);
        !waits_for_room(&server)
    });
    stays_asleep(&server);
    old.exchange();
}

#[test]
fn a_peer_that_has_closed_its_half_and_reads_nothing_does_not_make_the_loop_spin() {
    let server = serve_traced(&["--flood-rate", "0", "--drain", "1m"]);
    let mut old = OldClients::new(server.listening_on());
    let mut slow = small_receiver(server.listening_on(), "slow");
    block_the_writer(&server, &mut slow, &mut old.alice);
    slow.half_close();
    wait_until("the end of what it says is read", || {
        settle(&mut old.alice);
        let mut watched = watched(&server).into_iter();
        watched.any(|watch| watch.wants_to_write() && !watch.wants_to_read())
    });
    stays_asleep(&server);
    let last_line = slow.expect_eof().pop().unwrap();
    assert!(last_line.contains("[Connection closed]"), "{last_line}");
}

#[test]
fn a_peer_that_has_closed_its_half_while_its_lines_wait_does_not_make_the_loop_spin() {
    let server = serve_traced(&["--flood-rate", "1", "--flood-burst", "3"]);
    let mut old = OldClients::new(server.listening_on());
    let mut eve = person(server.listening_on(), "eve");
    eve.send("PING :1\r\nPING :2\r\nPING :3\r\n");
    eve.half_close();
    eve.expect_line(":1");
    stays_asleep(&server);
    assert!(eve.read_line().ends_with(":2"));
    old.exchange();
}

#[test]
fn a_peer_that_does_not_hang_up_when_it_is_told_to_go_does_not_make_the_loop_spin() {
    let server = serve_traced(&["--drain", "1m"]);
    let mut old = OldClients::new(server.listening_on());
    let mut eve = person(server.listening_on(), "eve");
    eve.send_line("QUIT");
    eve.expect_eof();
    stays_asleep(&server);
    // What it says now is read and forgotten.
    eve.send_line("NICK nobody");
    settle(&mut old.alice);
    stays_asleep(&server);
    old.exchange();
}

#[test]
fn the_kernel_sees_no_more_waits_than_there_were_events() {
    if !tools::ptrace_allowed() {
        return;
    }
    let directory = TemporaryDirectory::new();
    let file = directory.join("waits");
    let waits = || fs::read_to_string(&file).unwrap().matches("epoll_").count();
    let server = Launch::new(SERVER)
        .args([
            "--listen",
            "127.0.0.1:0",
            "--registration-timeout",
            "700ms",
            "--drain",
            "1m",
        ])
        .under(
            "strace",
            [
                // The server is this test's child and ends with it; the tracer
                // goes when it has nothing left to trace.
                "--daemonize",
                "--trace=epoll_wait,epoll_pwait,epoll_pwait2",
                "--output",
                file.to_str().unwrap(),
            ],
        )
        .start();
    let mut eve = person(server.listening_on(), "eve");
    eve.send_line("QUIT");
    eve.expect_eof();
    let before = waits();
    let mut clock = Peer::connect(server.listening_on());
    clock.expect_eof();
    let waited = waits() - before;
    assert!((1..30).contains(&waited), "{waited} waits");
}

// ---- ghosts ----

#[test]
fn a_socket_that_somebody_else_holds_open_leaves_no_ghost_in_the_loop() {
    if !tools::ptrace_allowed() {
        return;
    }
    let server = serve_traced(&["--flood-rate", "0", "--drain", "50ms"]);
    let mut old = OldClients::new(server.listening_on());
    let before = watched(&server);
    let mut eve = person(server.listening_on(), "eve");
    join(&mut eve, "#room");
    old.bob.expect_line("JOIN #room");
    let eves = watched(&server)
        .into_iter()
        .find(|registration| !before.contains(registration))
        .expect("a client is watched")
        .descriptor;
    // As if a child had inherited it: another descriptor of the same socket.
    let pid = Pid::from_raw(server.pid().as_raw()).unwrap();
    let process = pidfd_open(pid, PidfdFlags::empty()).unwrap();
    let duplicate = pidfd_getfd(&process, eves, PidfdGetfdFlags::empty()).unwrap();

    // The server ends the connection and closes its descriptor, whose number carol gets.
    eve.send_line("QUIT");
    assert!(old.bob.read_line().contains("QUIT"));
    wait_until("the connection is closed", || {
        settle(&mut old.alice);
        watched(&server) == before
    });
    let mut carol = person(server.listening_on(), "carol");
    join(&mut carol, "#room");
    assert!(old.bob.read_line().contains("carol!~carol@127.0.0.1 JOIN"));
    assert!(
        watched(&server)
            .iter()
            .any(|watch| watch.descriptor == eves)
    );

    // The socket is open still, and readable for as long as somebody holds it.
    eve.send_line("PRIVMSG #room :boo");
    stays_asleep(&server);
    carol.send_line("PRIVMSG #room :hello");
    assert_eq!(
        old.bob.read_line(),
        ":carol!~carol@127.0.0.1 PRIVMSG #room :hello"
    );
    old.exchange();
    drop(duplicate);
}

// ---- one buffer a client ----

const SPEAKERS: usize = 8;
const MESSAGES: usize = 30;

#[test]
fn nobody_gets_somebody_elses_bytes_however_they_are_interleaved() {
    let server = serve(&["--flood-rate", "0"]);
    let mut listener = person(server.listening_on(), "listener");
    join(&mut listener, "#room");
    listener.send_line("MODE #room -n");
    listener.expect_line("MODE #room -n");
    let mut speakers: Vec<(Peer, Vec<u8>)> = (0..SPEAKERS)
        .map(|speaker| {
            let peer = person(server.listening_on(), &format!("speaker{speaker}"));
            let lines = (0..MESSAGES).map(|number| format!("{}\r\n", said(speaker, number)));
            (peer, lines.collect::<Vec<_>>().concat().into_bytes())
        })
        .collect();

    // Pieces of 1 to 64 bytes, now from one and now from another.
    let mut state = 1_u32;
    let mut random = |limit: usize| {
        // xorshift32 (Marsaglia, 2003).
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as usize % limit
    };
    while speakers.iter().any(|(_, rest)| !rest.is_empty()) {
        let (peer, rest) = &mut speakers[random(SPEAKERS)];
        let piece = rest.len().min(1 + random(64));
        peer.send(rest.drain(..piece).collect::<Vec<_>>());
    }

    let mut next = [0; SPEAKERS];
    for _ in 0..SPEAKERS * MESSAGES {
        let heard = listener.read_line();
        let speaker = heard[":speaker".len()..][..1].parse::<usize>().unwrap();
        let source = format!(":speaker{speaker}!~speaker{speaker}@127.0.0.1");
        assert_eq!(heard, format!("{source} {}", said(speaker, next[speaker])));
        next[speaker] += 1;
    }
}

fn said(speaker: usize, number: usize) -> String {
    let letters = char::from(b'a' + u8::try_from(speaker).unwrap()).to_string();
    format!("PRIVMSG #room :{number} {}", letters.repeat(3 * number))
}
