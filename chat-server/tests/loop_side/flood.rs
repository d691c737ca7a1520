//! Flood control: who says too much is not read from.

use std::io::{ErrorKind, Write};

use chapter_tests::process;

use crate::support::{OldClients, person, serve};

/// More than the kernel keeps for a connection whose reader does not read.
const MUCH: usize = 64 << 20;

/// More than alice may say at once: before the last ones the server has time to read whatever it
/// would read.
const EXCHANGES: u32 = 22;

/// Has a new client send `bytes` again and again for as long as the server takes them, while others
/// talk.
fn expect_stuck(bytes: &[u8]) {
    let server = serve(&[]);
    let mut old = OldClients::new(server.listening_on());
    let eve = person(server.listening_on(), "eve");
    let memory = process::peak_resident_bytes(server.pid());
    eve.stream().set_nonblocking(true).unwrap();
    let (mut sent, mut stuck) = (0, 0);
    // Stuck, and still so after the others have talked a while.
    while stuck < EXCHANGES {
        match eve.stream().write(bytes) {
            Ok(count) => {
                stuck = 0;
                sent += count;
            }
            Err(err) if err.kind() == ErrorKind::WouldBlock => {
                stuck += 1;
                old.exchange();
            }
            Err(err) => panic!("{err}"),
        }
        assert!(sent < MUCH, "the server reads on");
    }
    let grown = process::peak_resident_bytes(server.pid()) - memory;
    assert!(grown < 1 << 20, "{grown} bytes");
}

#[test]
fn what_a_client_says_too_much_stays_in_its_own_socket() {
    expect_stuck("PRIVMSG alice :hello\r\n".repeat(1_000).as_bytes());
}

#[test]
fn a_line_without_end_stays_in_its_own_socket() {
    expect_stuck(&b"x".repeat(20_000));
}

#[test]
fn empty_lines_stay_in_their_own_socket() {
    expect_stuck("\r\n".repeat(10_000).as_bytes());
}
