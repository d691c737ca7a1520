//! The same calls on a socket that blocks and on one that does not, with the time that each takes.
//!
//! Run it: `cargo run -p epoll-loop --example blocking`
//!
//! Shows: a blocking call puts the whole thread to sleep until the peer does something, with one
//! that does not it is "not yet" at once (`EAGAIN`); a write that does not block takes what there is
//! room for; the flag belongs to the open file, so a duplicate has it too.
//! Leaves out: how a program learns that "not yet" is over: that is what readiness is about.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

/// How long the peer lets us wait.
const PAUSE: Duration = Duration::from_millis(200);

/// What is written: more than any send buffer has room for.
const MUCH: usize = 64 << 20;

fn main() -> io::Result<()> {
    // ANCHOR: read
    let (mut near, mut far) = UnixStream::pair()?;
    let peer = thread::spawn(move || {
        thread::sleep(PAUSE);
        far.write_all(b"hello").map(|()| far)
    });
    let mut buffer = [0; 100];
    // ANCHOR: blocking-read
    timed("blocking read", || near.read(&mut buffer));
    // ANCHOR_END: blocking-read
    // ANCHOR: other-read
    near.set_nonblocking(true)?;
    timed("non-blocking read", || near.read(&mut buffer));
    // ANCHOR_END: other-read
    // ANCHOR_END: read

    // ANCHOR: write
    let mut far = peer.join().expect("it does not panic")?;
    let much = vec![b'x'; MUCH];
    // ANCHOR: part
    timed("non-blocking write", || near.write(&much));
    timed("and once more", || near.write(&much));
    // ANCHOR_END: part
    near.set_nonblocking(false)?;
    let peer = thread::spawn(move || {
        thread::sleep(PAUSE);
        io::copy(&mut far, &mut io::sink())
    });
    // ANCHOR: all
    timed("blocking write", || near.write(&much));
    // ANCHOR_END: all
    // ANCHOR_END: write
    // ANCHOR: flag
    let duplicate = near.try_clone()?;
    // ANCHOR: set
    duplicate.set_nonblocking(true)?;
    // ANCHOR_END: set
    timed("read, flag set on a copy", || near.read(&mut buffer));
    // ANCHOR_END: flag
    drop((near, duplicate));
    peer.join().expect("it does not panic").map(drop)
}

/// Calls, and prints how long it took and what came back.
fn timed(what: &str, call: impl FnOnce() -> io::Result<usize>) {
    let begin = Instant::now();
    let result = call();
    let took = begin.elapsed().as_millis();
    match result {
        Ok(count) => println!("{what:<26}{took:>4} ms  {count} bytes"),
        Err(err) => println!("{what:<26}{took:>4} ms  {:?}", err.kind()),
    }
}
