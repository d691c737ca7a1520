//! The services over TCP.

use std::io::{ErrorKind, Write};
use std::time::Duration;

use chapter_tests::{Peer, Program, limits, process};

use crate::{end, serve};

fn one(service: &str, more: &[&str]) -> Program {
    serve(&[&["--service", service][..], more].concat())
}

/// More than all the buffers on the way hold; who takes more has no limit.
const ENOUGH_BYTES: usize = 64 << 20;

/// Writes without reading until nothing has been taken for a while, or the
/// other end is gone; returns all that was taken.
fn fill(peer: &Peer) -> Vec<u8> {
    let piece: Vec<u8> = (0..100_003_u32).map(|n| (n % 251) as u8).collect();
    let mut stream = peer.stream();
    let pause = Some(Duration::from_millis(300));
    stream.set_write_timeout(pause).unwrap();
    let (mut sent, mut next) = (Vec::new(), 0);
    // A write that has taken a part before the pause was over returns that.
    while let Ok(length) = stream.write(&piece[next..]) {
        assert!(
            sent.len() < ENOUGH_BYTES,
            "everything is taken, and nothing read"
        );
        sent.extend_from_slice(&piece[next..next + length]);
        next = (next + length) % piece.len();
    }
    sent
}

#[test]
fn a_half_close_still_gets_the_whole_echo() {
    let server = one("echo=0", &[]);
    let mut peer = Peer::connect(server.listening_on());
    let sent: Vec<u8> = (0..200_000_u32).map(|n| (n % 251) as u8).collect();
    peer.send(&sent);
    peer.half_close();
    assert!(peer.read_to_end() == sent);
}

#[test]
fn a_half_close_loses_nothing_that_waits_in_the_server() {
    let server = one("echo=0", &[]);
    let mut peer = Peer::connect(server.listening_on());
    let sent = fill(&peer);
    peer.half_close();
    assert!(peer.read_to_end() == sent);
}

#[test]
fn who_does_not_read_costs_little_memory_and_loses_nothing() {
    let server = one("echo=0", &[]);
    let connect = || Peer::connect(server.listening_on());
    // The first makes the server touch all that it needs for any.
    let first = connect();
    fill(&first);
    let before = process::resident_bytes(server.pid());
    let mut peers: Vec<Peer> = (0..4).map(|_| connect()).collect();
    let sent: Vec<Vec<u8>> = peers.iter().map(fill).collect();
    let written: usize = sent.iter().map(Vec::len).sum();
    let grown = process::resident_bytes(server.pid()).saturating_sub(before);
    // 192 KiB each at most, and what the allocator keeps.
    assert!(
        grown < 2 << 20 && written > 4 << 20,
        "{grown} bytes for {written} that were written"
    );
    for (peer, sent) in peers.iter_mut().zip(sent) {
        assert!(peer.read_bytes(sent.len()) == sent);
        peer.half_close();
        peer.expect_eof();
    }
}

#[test]
fn one_who_does_not_read_keeps_nobody_else_waiting() {
    let server = one("echo=0", &[]);
    let stuck = Peer::connect(server.listening_on());
    fill(&stuck);
    let mut other = Peer::connect(server.listening_on());
    other.send_line("hello");
    assert_eq!(other.read_line(), "hello");
}

#[test]
fn peers_that_are_stuck_burn_no_processor() {
    let server = serve(&["--service", "echo=0", "--service", "chargen=0", "--trace"]);
    let [echo, chargen] = server.listening_on_all();
    let stuck = Peer::connect(echo);
    fill(&stuck);
    let mut reader = Peer::connect(chargen);
    reader.read_line();
    let mut other = Peer::connect(echo);
    let mut turns_of_an_echo = || {
        let waits = || server.stderr().matches(" us  wait ").count();
        let before = waits();
        other.send_line("hello");
        other.expect_line("hello");
        waits() - before
    };
    // The kernel may still have something to move at first. An echo is one turn;
    // in a loop that spins there are always others in between.
    let quiet = (0..100).any(|_| turns_of_an_echo() < 2);
    let turns: usize = (0..200).map(|_| turns_of_an_echo()).sum();
    assert!(quiet && turns < 300, "{turns} turns for 200 echoes");
}

#[test]
fn an_idle_connection_is_closed() {
    let mut server = one("echo=0", &["--idle-timeout", "200ms"]);
    let mut peer = Peer::connect(server.listening_on());
    peer.expect_eof();
    // So is one that has stopped reading.
    let mut stuck = Peer::connect(server.listening_on());
    fill(&stuck);
    stuck.expect_closed();
    assert!(end(&mut server).contains("2 connections (2 idle ones closed)"));
}

#[test]
fn connections_over_the_cap_wait_and_are_served_when_one_ends() {
    let server = one("echo=0", &["--max-connections", "2"]);
    let address = server.listening_on();
    let mut first: Vec<Peer> = (0..2).map(|_| Peer::connect(address)).collect();
    for peer in &mut first {
        peer.send_line("hello");
        peer.expect_line("hello");
    }
    let mut third = Peer::connect(address);
    third.send_line("me too");
    server.wait_for_error_line("tcp: 2 connections: those who come wait in the backlog");
    first[0].send_line("still here");
    first[0].expect_line("still here");
    third.stream().set_nonblocking(true).unwrap();
    let nothing = third.stream().peek(&mut [0]).unwrap_err();
    assert_eq!(nothing.kind(), ErrorKind::WouldBlock);
    third.stream().set_nonblocking(false).unwrap();
    drop(first.pop());
    third.expect_line("me too");
}

#[test]
fn without_descriptors_the_listener_rests_and_comes_back() {
    let server = one("echo=0", &["--trace"]);
    let address = server.listening_on();
    limits::leave_descriptors(server.pid(), 2);
    let mut peers: Vec<Peer> = (0..6).map(|_| Peer::connect(address)).collect();
    server.wait_for_error_line("tcp: accept: too many open files");
    // It is asked again after each pause, and not in between.
    for _ in 0..3 {
        server.wait_for_error_line("  call      timer ");
    }
    let asked = server.stderr().matches(" listener IN").count();
    assert!(asked < 20, "asked {asked} times in three pauses");
    limits::leave_descriptors(server.pid(), 10);
    for peer in &mut peers {
        peer.send_line("hello");
        peer.expect_line("hello");
    }
}

#[test]
fn a_reset_costs_nobody_else_anything() {
    let server = one("echo=0", &[]);
    let mut peer = Peer::connect(server.listening_on());
    for _ in 0..20 {
        let mut rude = Peer::connect(server.listening_on());
        rude.send("something that is not waited for");
        rude.reset();
    }
    peer.send_line("hello");
    peer.expect_line("hello");
}

#[test]
fn chargen_goes_on_after_a_half_close() {
    let server = one("chargen=0", &[]);
    let mut peer = Peer::connect(server.listening_on());
    peer.send("anything");
    peer.half_close();
    let mut before = peer.read_line();
    // More than all buffers on the way hold.
    for _ in 0..200_000 {
        let line = peer.read_line();
        assert_eq!(line.len(), 72);
        assert_eq!(line[..71], before[1..]);
        before = line;
    }
}

#[test]
fn daytime_ends_without_a_reset_although_it_was_talked_to() {
    let server = one("daytime=0", &[]);
    for _ in 0..50 {
        let mut peer = Peer::connect(server.listening_on());
        peer.send("what time is it?\r\n");
        let lines = peer.expect_eof();
        assert_eq!(lines.len(), 1);
        assert!(lines[0].ends_with(" UTC"), "{}", lines[0]);
    }
}

#[test]
fn a_greeting_is_whole_and_its_peer_may_hang_up_late() {
    let mut server = one("time=0", &[]);
    let mut peer = Peer::connect(server.listening_on());
    assert_eq!(peer.read_to_end().len(), 4);
    // It would answer with a reset if it had closed already.
    for _ in 0..200 {
        peer.send("thank you");
    }
    drop(peer);
    assert!(end(&mut server).contains("1 connections (0 idle ones closed)"));
}
