//! Where the server listens, and what is said when it cannot.

use std::net::TcpListener;

use chapter_tests::{Launch, Peer};

use crate::support::{SERVER, join, person, serve};

#[test]
fn people_meet_in_one_room_by_whatever_address_they_come() {
    if TcpListener::bind("[::1]:0").is_err() {
        eprintln!("skipped: needs IPv6");
        return;
    }
    let arguments = ["--listen", "[::1]:0", "--plain-listen", "[::1]:0"];
    let server = serve(&arguments);
    let [old, new, plain] = server.listening_on_all();
    assert!(old.is_ipv4() && new.is_ipv6() && plain.is_ipv6());
    let mut alice = person(old, "alice");
    join(&mut alice, "#lobby");
    let mut bob = person(new, "bob");
    join(&mut bob, "#lobby");
    // A host that begins with a colon would be taken for the last parameter.
    alice.expect_line(":bob!~bob@0::1 JOIN #lobby");
    let mut nc = Peer::connect(plain);
    nc.expect_line("In #lobby");
    alice.expect_line(":guest1!~plain@0::1 JOIN #lobby");
    bob.send_line("PRIVMSG #lobby :hello");
    assert_eq!(alice.read_line(), ":bob!~bob@0::1 PRIVMSG #lobby :hello");
    assert_eq!(nc.read_line(), "bob: hello");
    nc.send("hello too\n");
    bob.expect_line(":guest1!~plain@0::1 PRIVMSG #lobby :hello too");
}

#[test]
fn a_port_that_is_taken_is_one_line_and_exit_code_1() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for option in ["--listen", "--plain-listen"] {
        let free = if option == "--listen" {
            "--plain-listen"
        } else {
            "--listen"
        };
        let finished = Launch::new(SERVER)
            .args([free, "127.0.0.1:0", option, &address])
            .run();
        assert_eq!(finished.status.code(), Some(1));
        assert_eq!(finished.stdout, "");
        assert_eq!(
            finished.stderr,
            format!("chat-server: {address}: address already in use\n")
        );
    }
}
