//! Which of three descriptors is ready? Asked of `select(2)`.
//!
//! Run it: `cargo run -p epoll-loop --example ready_select`
//!
//! Shows: the question and the answer are one bitmap, which the kernel overwrites; so it is filled
//! anew before each call, and every call looks at every bit up to the highest number.
//! Leaves out: writing, exceptional conditions (urgent data), descriptors above 1,023.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

use nix::sys::select::{FdSet, select};
use nix::sys::time::{TimeVal, TimeValLike};

const NAMES: [&str; 3] = ["ann", "bob", "eve"];

fn main() -> io::Result<()> {
    let [ann, bob, eve] = [
        UnixStream::pair()?,
        UnixStream::pair()?,
        UnixStream::pair()?,
    ];
    let near = [&ann.0, &bob.0, &eve.0];
    (&bob.1).write_all(b"hello")?;

    // ANCHOR: select
    // ANCHOR: fill
    let mut readable = FdSet::new();
    for stream in near {
        readable.insert(stream.as_fd());
    }
    // ANCHOR_END: fill
    println!("asked for {}", names(&readable, near));
    // ANCHOR: after
    let count = ask(&mut readable)?;
    println!("select -> {count}: {}", names(&readable, near));
    // ANCHOR_END: after
    // ANCHOR_END: select

    // ANCHOR: again
    (&eve.1).write_all(b"me too")?;
    // ANCHOR: left-over
    let count = ask(&mut readable)?;
    println!("the same set again -> {count}: {}", names(&readable, near));
    // ANCHOR_END: left-over
    // ANCHOR: anew
    for stream in near {
        readable.insert(stream.as_fd());
    }
    let count = ask(&mut readable)?;
    println!("filled anew -> {count}: {}", names(&readable, near));
    // ANCHOR_END: anew
    // ANCHOR_END: again

    // ANCHOR: used-up
    let count = (&bob.0).read(&mut [0; 100])?;
    println!("bob's {count} bytes are read");
    readable.insert(bob.0.as_fd());
    let count = ask(&mut readable)?;
    println!("select -> {count}: {}", names(&readable, near));
    // ANCHOR_END: used-up
    Ok(())
}

/// Asks without waiting. The set holds what is asked for before, and what is ready after.
fn ask(readable: &mut FdSet<'_>) -> nix::Result<i32> {
    select(None, readable, None, None, &mut TimeVal::zero())
}

/// Who is in the set: every bit has to be looked at here too.
fn names(set: &FdSet<'_>, near: [&UnixStream; 3]) -> String {
    let in_set = near
        .iter()
        .zip(NAMES)
        .filter(|(stream, _)| set.contains(stream.as_fd()));
    in_set.map(|(_, name)| name).collect::<Vec<_>>().join(" ")
}
