//! strace: which system calls a server makes for a line of chat.

use std::fs;

use chapter_tests::{Mask, Signal, TemporaryDirectory, tools};

use crate::{guest, plain_server, start, support, transcript};

/// The calls that the book explains.
const CALLS: &str = "trace=epoll_wait,epoll_ctl,accept4,recvfrom,sendto,shutdown,close";

#[test]
fn a_line_of_chat_is_one_wait_one_read_and_one_write_for_each_listener() {
    let Some(server) = plain_server().filter(|_| tools::ptrace_allowed()) else {
        return;
    };
    let directory = TemporaryDirectory::new();
    let file = directory.join("strace.txt");
    // ANCHOR: trace
    // ANCHOR: under
    // Detached, so that the process is the server's and not strace's.
    let server = server.under("strace", ["-D", "-e", CALLS, "-o", file.to_str().unwrap()]);
    // ANCHOR_END: under
    let (server, plain) = start(server);
    let mut one = guest(plain);
    let mut other = guest(plain);
    one.expect_line("guest2 has joined");
    other.send_line("hello");
    one.expect_line("guest2: hello");
    other.half_close();
    other.expect_eof();
    drop(other);
    one.expect_line("guest2 has quit");
    server.signal(Signal::SIGINT);
    assert!(server.finish().status.success());

    let read = || fs::read_to_string(&file).unwrap();
    support::wait_until("the end of the trace", || read().contains("+++ exited"));
    let traced = read();
    // ANCHOR_END: trace
    // From the listeners on, to the end of the one who has gone.
    let begin = traced.find("epoll_ctl(3, EPOLL_CTL_ADD, 5").unwrap();
    let end = traced.find("close(8)").unwrap();
    let end = end + traced[end..].find('\n').unwrap() + 1;
    transcript("strace")
        .hide(Mask::After("htons("))
        // What is left of a timer.
        .hide(Mask::After("1024, "))
        .reduce(without_addresses)
        .compare(&traced[begin..end]);
}

/// Addresses in memory differ from run to run.
fn without_addresses(line: &str) -> Option<String> {
    let words = line.split(", ");
    let words = words.map(|word| word.split_once("0x").map_or(word, |(before, _)| before));
    Some(words.collect::<Vec<_>>().join(", ")).filter(|line| !line.is_empty())
}
