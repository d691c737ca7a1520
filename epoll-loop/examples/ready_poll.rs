//! Which of three descriptors is ready? Asked of `poll(2)`.
//!
//! Run it: `cargo run -p epoll-loop --example ready_poll`
//!
//! Shows: an array of (descriptor, wanted, answer) takes the place of the bitmaps, so any number is
//! possible and the question survives the call; HUP is answered without being asked for.
//! Leaves out: a million entries, which are handed over and looked at in every call.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

const NAMES: [&str; 3] = ["ann", "bob", "eve"];

fn main() -> io::Result<()> {
    let [ann, bob, eve] = [
        UnixStream::pair()?,
        UnixStream::pair()?,
        UnixStream::pair()?,
    ];
    (&bob.1).write_all(b"hello")?;

    // ANCHOR: poll
    let mut entries = [&ann.0, &bob.0, &eve.0].map(|io| PollFd::new(io.as_fd(), PollFlags::POLLIN));
    ask("bob has written", &mut entries)?;
    // ANCHOR: again
    (&eve.1).write_all(b"me too")?;
    ask("eve too", &mut entries)?;
    // ANCHOR_END: again
    // ANCHOR: used-up
    (&bob.0).read(&mut [0; 100]).map(drop)?;
    ask("bob's bytes are read", &mut entries)?;
    // ANCHOR_END: used-up
    // ANCHOR: uninvited
    drop(ann.1);
    entries[0].set_events(PollFlags::empty());
    ask("ann has gone, and is asked for nothing", &mut entries)
    // ANCHOR_END: uninvited
    // ANCHOR_END: poll
}

/// Asks without waiting, and prints each entry that has an answer.
fn ask(when: &str, entries: &mut [PollFd<'_>]) -> io::Result<()> {
    let count = poll(entries, PollTimeout::ZERO)?;
    println!("{when}: poll -> {count}");
    for (entry, name) in entries.iter().zip(NAMES) {
        let (wanted, answer) = (
            entry.events(),
            entry.revents().unwrap_or(PollFlags::empty()),
        );
        println!(
            "  {name}  wanted {:<8} answer {}",
            short(wanted),
            short(answer)
        );
    }
    Ok(())
}

/// `POLLIN | POLLHUP` as `IN|HUP`.
fn short(flags: PollFlags) -> String {
    let names = flags
        .iter_names()
        .map(|(name, _)| name.trim_start_matches("POLL"));
    let names = names.collect::<Vec<_>>().join("|");
    if names.is_empty() {
        "-".to_owned()
    } else {
        names
    }
}
