//! The example servers, as a client sees them: the one on the loop and the one
//! on bare epoll do the same.

use std::fs;
use std::io::Write;
use std::net::Shutdown;
use std::thread;
use std::time::Instant;

use chapter_tests::{Launch, Peer, Pid, Program, TIMEOUT};

use crate::example;

/// Runs `test` with each of the two servers.
fn with_each(test: impl Fn(&Program)) {
    for name in ["echo", "echo_bare"] {
        let server = Program::start(example(name), ["127.0.0.1:0"]);
        test(&server);
        assert!(server.is_running(), "{name}");
    }
}

fn connect(server: &Program) -> Peer {
    Peer::connect(server.listening_on())
}

/// Bytes in which each place can be told from its neighbours.
fn words(count: usize) -> Vec<u8> {
    (0..251).cycle().take(count).collect()
}

/// Sends `bytes` from another thread, since the server does not read while its
/// echo waits, and then closes that half.
fn send_all_and_half_close(peer: &Peer, bytes: &[u8]) -> thread::JoinHandle<()> {
    let (mut stream, bytes) = (peer.stream().try_clone().unwrap(), bytes.to_vec());
    thread::spawn(move || {
        stream.write_all(&bytes).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
    })
}

/// Waits until the process sleeps: looked at several times in a row, and not
/// woken between. One that spins is always running, or about to.
fn wait_until_it_sleeps(pid: Pid) {
    let begin = Instant::now();
    let status = || fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let field = |status: &str, name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap().trim().to_owned()
    };
    let (mut looks, mut before) = (0, String::new());
    while looks < 10 {
        let now = status();
        let switches = field(&now, "voluntary_ctxt_switches:");
        let sleeps = field(&now, "State:").starts_with('S');
        looks = if sleeps && switches == before {
            looks + 1
        } else {
            0
        };
        before = switches;
        assert!(begin.elapsed() < TIMEOUT, "it never sleeps");
        thread::yield_now();
    }
}

#[test]
fn a_megabyte_comes_back_as_it_was_also_after_a_half_close() {
    with_each(|server| {
        let mut peer = connect(server);
        let words = words(1 << 20);
        let sender = send_all_and_half_close(&peer, &words);
        assert!(peer.read_to_end() == words);
        sender.join().unwrap();
        wait_until_it_sleeps(server.pid());
    });
}

/// Claim 20: bob's words do not come to alice.
#[test]
fn each_of_many_clients_gets_its_own_words() {
    with_each(|server| {
        let mut peers: Vec<Peer> = (0..50).map(|_| connect(server)).collect();
        for round in 0..3 {
            for (number, peer) in peers.iter_mut().enumerate() {
                peer.send_line(format!("client {number}, round {round}"));
            }
            for (number, peer) in peers.iter_mut().enumerate().rev() {
                assert_eq!(peer.read_line(), format!("client {number}, round {round}"));
            }
        }
        for peer in &mut peers {
            peer.half_close();
            peer.expect_eof();
        }
    });
}

#[test]
fn a_client_that_never_reads_holds_up_nobody_and_fills_no_memory() {
    with_each(|server| {
        let stubborn = connect(server);
        let mut stream = stubborn.stream().try_clone().unwrap();
        stream.set_nonblocking(true).unwrap();
        let chunk = words(1 << 16);
        // Until the server, asleep, takes no more.
        while stream.write(&chunk).is_ok() {
            wait_until_it_sleeps(server.pid());
        }
        let mut other = connect(server);
        other.send_line("hello");
        assert_eq!(other.read_line(), "hello");
        wait_until_it_sleeps(server.pid());
        let resident = chapter_tests::process::resident_bytes(server.pid());
        assert!(resident < 32 << 20, "{resident} bytes");
    });
}

#[test]
fn who_half_closes_and_never_reads_does_not_make_it_spin() {
    with_each(|server| {
        let mut peer = connect(server);
        let bytes = words(8 << 20);
        let sender = send_all_and_half_close(&peer, &bytes);
        // The first byte is on its way back; the rest waits for us.
        assert_eq!(peer.read_bytes(1), [0]);
        wait_until_it_sleeps(server.pid());
        assert!(peer.read_to_end() == bytes[1..]);
        sender.join().unwrap();
        wait_until_it_sleeps(server.pid());
    });
}

#[test]
fn a_reset_ends_one_client_and_no_other() {
    with_each(|server| {
        let mut steady = connect(server);
        for _ in 0..20 {
            let mut peer = connect(server);
            peer.send("half a word");
            peer.reset();
        }
        steady.send_line("still here?");
        assert_eq!(steady.read_line(), "still here?");
        wait_until_it_sleeps(server.pid());
    });
}

#[test]
fn out_of_descriptors_it_rests_and_serves_those_who_wait_later() {
    for name in ["echo", "echo_bare"] {
        let server = Launch::new(example(name)).args(["127.0.0.1:0"]);
        let server = server.descriptor_limit(20).start();
        let mut peers: Vec<Peer> = (0..40).map(|_| connect(&server)).collect();
        for peer in &mut peers {
            peer.send_line("hello");
        }
        wait_until_it_sleeps(server.pid());
        // Each that leaves makes room for one of those who wait.
        for mut peer in peers {
            assert_eq!(peer.read_line(), "hello");
        }
    }
}

#[test]
fn the_server_on_the_loop_has_at_most_sixty_lines() {
    let source = include_str!("../../examples/echo.rs");
    assert!(source.lines().count() <= 60);
}
