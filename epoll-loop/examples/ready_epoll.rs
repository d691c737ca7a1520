//! Which of three descriptors is ready? Asked of `epoll(7)`.
//!
//! Run it: `cargo run -p epoll-loop --example ready_epoll`
//!
//! Shows: the set lives in the kernel, one descriptor stands for it, and /proc shows what is in it;
//! `epoll_wait` returns the ready ones and no others; a descriptor that is closed leaves the set.
//! Leaves out: what happens if a duplicate of the closed one lives on (`owners.rs`).

use std::fs;
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

const NAMES: [&str; 3] = ["ann", "bob", "eve"];

fn main() -> io::Result<()> {
    let [ann, bob, eve] = [
        UnixStream::pair()?,
        UnixStream::pair()?,
        UnixStream::pair()?,
    ];
    (&bob.1).write_all(b"hello")?;

    // ANCHOR: register
    // ANCHOR: create
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    // ANCHOR_END: create
    // ANCHOR: token
    for (stream, token) in [&ann.0, &bob.0, &eve.0].into_iter().zip(0..) {
        epoll.add(stream, EpollEvent::new(EpollFlags::EPOLLIN, token))?;
    }
    // ANCHOR_END: token
    let number = epoll.0.as_raw_fd();
    let instance = || fs::read_to_string(format!("/proc/self/fdinfo/{number}"));
    print_set("the kernel's set", &instance()?);
    // ANCHOR_END: register

    // ANCHOR: wait
    // ANCHOR: twice
    ask("bob has written", &epoll)?;
    (&eve.1).write_all(b"me too")?;
    ask("eve too", &epoll)?;
    // ANCHOR_END: twice
    (&bob.0).read(&mut [0; 100]).map(drop)?;
    ask("bob's bytes are read", &epoll)?;
    // ANCHOR: close
    drop(eve.0);
    ask("eve's descriptor is closed", &epoll)?;
    print_set("the kernel's set", &instance()?);
    // ANCHOR_END: close
    // ANCHOR_END: wait
    Ok(())
}

/// Asks without waiting. What comes back is a list of the ready ones, however large the set is.
fn ask(when: &str, epoll: &Epoll) -> io::Result<()> {
    let mut events = [EpollEvent::empty(); 8];
    let count = epoll.wait(&mut events, EpollTimeout::ZERO)?;
    let name = |event: &EpollEvent| NAMES[usize::try_from(event.data()).expect("0 to 2")];
    let names: Vec<&str> = events[..count].iter().map(name).collect();
    println!("{when}: epoll_wait -> {count}: {names:?}");
    Ok(())
}

/// Prints the entries of an epoll instance, as /proc shows them; the token is their last word.
fn print_set(what: &str, fdinfo: &str) {
    let entries = fdinfo.lines().filter_map(|line| line.split_once(" pos:"));
    let mut entries: Vec<Vec<&str>> = entries
        .map(|(entry, _)| entry.split_whitespace().collect())
        .collect();
    entries.sort_by_key(|words| words.last().copied());
    println!("{what}:");
    for words in entries {
        println!("  {}", words.join(" "));
    }
}
