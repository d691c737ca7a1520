//! The server inside another program.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use chapter_tests::Peer;
use chat_server::room::Rules;
use chat_server::{Embedded, Settings};
use epoll_loop::listen;

use crate::support::{join, person, wait_until};

/// Starts a server in this process; returns its IRC and its plain address too.
fn start(settings: Settings) -> (Embedded, SocketAddr, SocketAddr) {
    let [irc, plain] = ["127.0.0.1:0"; 2].map(|address| listen(address.parse().unwrap()).unwrap());
    let addresses = [&irc, &plain].map(|listener| listener.local_addr().unwrap());
    let server = Embedded::start(vec![irc], vec![plain], settings).unwrap();
    (server, addresses[0], addresses[1])
}

#[test]
fn it_serves_on_a_thread_of_its_own_until_it_is_stopped() {
    let (server, irc, plain) = start(Settings::default());
    let mut alice = person(irc, "alice");
    join(&mut alice, "#lobby");
    let mut nc = Peer::connect(plain);
    nc.expect_line("In #lobby");
    alice.expect_line("JOIN #lobby");
    wait_until("both are counted", || server.clients() == 2);
    nc.send("/quit\n");
    alice.expect_line("QUIT");
    wait_until("one is left", || server.clients() == 1);

    let stranger = Peer::connect(irc);
    // Those who have been told hang up, so that it does not wait for them.
    let told = std::thread::spawn(move || alice.expect_eof());
    drop((nc, stranger));
    server.stop().unwrap();
    let last_line = told.join().unwrap().pop().unwrap();
    assert!(
        last_line.contains("[Server is shutting down]"),
        "{last_line}"
    );
    assert!(TcpStream::connect(irc).is_err());
    assert!(TcpStream::connect(plain).is_err());
}

#[test]
fn dropping_it_stops_it() {
    let settings = Settings {
        drain: Duration::from_millis(100),
        ..Settings::default()
    };
    let (server, irc, _) = start(settings);
    let mut alice = person(irc, "alice");
    drop(server);
    let last_line = alice.expect_eof().pop().unwrap();
    assert!(
        last_line.contains("[Server is shutting down]"),
        "{last_line}"
    );
    assert!(TcpStream::connect(irc).is_err());
}

#[test]
fn it_touches_no_signal_and_its_thread_has_a_name() {
    let (server, irc, _) = start(Settings::default());
    let mut alice = person(irc, "alice");
    alice.send_line("PING :running");
    alice.expect_line(":running");
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let threads: Vec<String> = tasks
        .map(|task| task.unwrap().path())
        .filter(|task| {
            fs::read_to_string(task.join("comm")).is_ok_and(|name| name == "chat-server\n")
        })
        .map(|task| fs::read_to_string(task.join("status")).unwrap())
        .collect();
    // Other tests of this program may run a server of their own just now.
    assert!(!threads.is_empty());
    for status in threads {
        assert!(status.contains("SigBlk:\t0000000000000000\n"), "{status}");
    }
    drop(alice);
    server.stop().unwrap();
}

#[test]
fn what_keeps_it_from_starting_is_told_to_who_starts_it() {
    let settings = Settings {
        motd_file: Some("/nonexistent/motd".into()),
        rules: Rules::default(),
        ..Settings::default()
    };
    let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let err = Embedded::start(vec![listener], vec![], settings).unwrap_err();
    assert_eq!(
        err.to_string(),
        "/nonexistent/motd: no such file or directory"
    );
}
