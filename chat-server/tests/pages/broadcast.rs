//! Three lines to two people: one write each.

use std::fs;

use chapter_tests::{Launch, Mask, Peer, TemporaryDirectory, tools};

use crate::support::{SERVER, join, person, settle};
use crate::{joined, transcript};

#[test]
fn what_is_said_in_one_batch_is_written_to_each_in_one_call() {
    if !tools::ptrace_allowed() {
        return;
    }
    let directory = TemporaryDirectory::new();
    let file = directory.join("calls");
    let listen = ["--listen", "127.0.0.1:0", "--plain-listen", "127.0.0.1:0"];
    let server = Launch::new(SERVER)
        .args(listen)
        .under(
            "strace",
            [
                "--daemonize",
                "--trace=epoll_wait,recvfrom,write,writev,sendto",
                "--string-limit=300",
                "--output",
                file.to_str().expect("a path of letters"),
            ],
        )
        .start();
    let [irc, plain] = server.listening_on_all();
    let (mut ann, mut bob) = (person(irc, "ann"), person(irc, "bob"));
    let mut nc = Peer::connect(plain);
    nc.expect_line("In #lobby");
    join(&mut ann, "#lobby");
    join(&mut bob, "#lobby");
    nc.expect_line("bob has joined");
    settle(&mut ann);
    ann.send("PRIVMSG #lobby :one\r\nPRIVMSG #lobby :two\r\nPRIVMSG #lobby :three\r\n");
    bob.expect_line("three");
    nc.expect_line("three");
    settle(&mut ann);

    let record = fs::read_to_string(&file).expect("strace has written it");
    let calls: Vec<&str> = record.lines().collect();
    let heard = calls.iter().position(|call| call.contains(":one"));
    let heard = heard.expect("the server has read it");
    let shown = calls[heard - 1..].iter().take(4);
    let shown: Vec<String> = shown.map(|&call| call.to_owned()).collect();
    let of_strace = [
        "recvfrom(",
        "write(",
        "writev(",
        "sendto(",
        "u32=",
        "u64=",
        "1024, ",
    ];
    of_strace
        .into_iter()
        .fold(transcript("broadcast.txt"), |transcript, text| {
            transcript.hide(Mask::After(text))
        })
        .compare(&joined(&shown));
}
