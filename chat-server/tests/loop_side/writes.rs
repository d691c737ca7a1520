//! What is said in one batch is written to each in one call, however much it is.

use std::collections::HashSet;
use std::fs;

use chapter_tests::{Launch, TemporaryDirectory, tools};

use crate::support::{SERVER, join, person, settle, wait_until};

/// One batch as strace recorded it: the calls after a wait.
fn batches(record: &str) -> impl Iterator<Item = Vec<&str>> {
    let batches = record.split("epoll_wait(");
    batches.map(|batch| batch.lines().skip(1).collect())
}

/// The descriptor that a call is about.
fn descriptor(call: &str) -> &str {
    let arguments = call.split_once('(').expect("a call has arguments").1;
    arguments.split_once(',').expect("and more than one").0
}

#[test]
fn what_takes_several_reads_is_one_write_for_each() {
    if !tools::ptrace_allowed() {
        return;
    }
    let directory = TemporaryDirectory::new();
    let file = directory.join("calls");
    let server = Launch::new(SERVER)
        .args(["--listen", "127.0.0.1:0", "--flood-rate", "0"])
        .under(
            "strace",
            [
                "--daemonize",
                "--trace=epoll_wait,recvfrom,write,writev,sendto,sendmsg",
                "--string-limit=0",
                "--output",
                file.to_str().expect("a path of letters"),
            ],
        )
        .start();
    let address = server.listening_on();
    let [mut ann, mut bob, mut eve] = ["ann", "bob", "eve"].map(|nick| person(address, nick));
    for peer in [&mut ann, &mut bob, &mut eve] {
        join(peer, "#room");
    }
    settle(&mut ann);
    let begin = fs::read_to_string(&file)
        .expect("strace has written it")
        .len();
    // More than one read takes, and less than is written before the batch is over.
    let lines = format!("PRIVMSG #room :{}\r\n", "x".repeat(100)).repeat(250);
    wait_until("all of it had come when the server began to read", || {
        ann.send(&lines);
        ann.send_line("PRIVMSG #room :that was it");
        bob.expect_line("that was it");
        eve.expect_line("that was it");
        settle(&mut ann);
        let record = fs::read_to_string(&file).expect("strace has written it");
        let mut was_seen = false;
        for batch in batches(&record[begin..]) {
            let of = |names: &[&str]| -> Vec<&str> {
                let is_one = |call: &&&str| names.iter().any(|name| call.starts_with(name));
                batch
                    .iter()
                    .filter(is_one)
                    .map(|call| descriptor(call))
                    .collect()
            };
            let written = of(&["write", "send"]);
            let peers: HashSet<&&str> = written.iter().collect();
            assert_eq!(written.len(), peers.len(), "{batch:#?}");
            was_seen |= of(&["recvfrom"]).len() > 1;
        }
        was_seen
    });
}
