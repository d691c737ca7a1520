//! The change list at work: what a program asks for, and what the kernel is told of it.
//!
//! Run it: `cargo run -p epoll-loop --example changes`
//!
//! Shows: a watch begins at once; a changed interest is noted, and told before the wait if it is
//! still another one by then; a watch that ends leaves the kernel's set before its descriptor is
//! closed; a regular file, which epoll refuses, is always ready.
//! Leaves out: errors that only a program can cause that closes what is not its own.

use std::fs::File;
use std::io;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::time::Duration;

use epoll_loop::{Entry, EventLoop, Interest, Watch};

fn main() -> io::Result<()> {
    let mut event_loop = EventLoop::<()>::new()?;
    event_loop.set_observer(Some(Box::new(|entry: &Entry| println!("  {entry}"))));
    let (near, _far) = UnixStream::pair()?;
    let near = Rc::new(near);

    // ANCHOR: begins
    println!("a watch begins");
    let watch = Watch::new(Interest::READABLE).label("peer");
    let peer = event_loop.watch(Rc::clone(&near), watch, |(), _, _| {})?;

    println!("the same descriptor, watched a second time");
    // ANCHOR: second
    if let Err(err) = event_loop.watch(Rc::clone(&near), watch, |(), _, _| {}) {
        println!("  error     {err}");
    }
    // ANCHOR_END: second
    // ANCHOR_END: begins

    // ANCHOR: asks
    println!("something to write, and all of it is written before the wait");
    // ANCHOR: saved
    let both = Interest::READABLE | Interest::WRITABLE;
    peer.set_interest(&mut event_loop, both);
    peer.set_interest(&mut event_loop, Interest::READABLE);
    look(&mut event_loop)?;
    // ANCHOR_END: saved

    println!("three changes in one turn");
    // ANCHOR: merged
    peer.set_interest(&mut event_loop, both);
    peer.set_interest(&mut event_loop, Interest::NONE);
    peer.set_interest(&mut event_loop, Interest::WRITABLE);
    look(&mut event_loop)?;
    // ANCHOR_END: merged

    println!("nothing is asked for, and then something again");
    // ANCHOR: none
    peer.set_interest(&mut event_loop, Interest::NONE);
    look(&mut event_loop)?;
    peer.set_interest(&mut event_loop, Interest::READABLE);
    look(&mut event_loop)?;
    // ANCHOR_END: none
    // ANCHOR_END: asks

    // ANCHOR: ends
    println!("the watch ends, and another one of the same descriptor begins");
    // ANCHOR: again
    drop(peer);
    let again = event_loop.watch(near, watch.label("peer again"), |(), _, _| {})?;
    look(&mut event_loop)?;
    // ANCHOR_END: again

    println!("that ends too");
    drop(again);
    look(&mut event_loop)?;

    println!("a regular file");
    // ANCHOR: file
    let watch = Watch::new(Interest::READABLE).label("program");
    let file = File::open(std::env::current_exe()?)?;
    let _file = event_loop.watch(file, watch, |(), _, _| {})?;
    look(&mut event_loop)
    // ANCHOR_END: file
    // ANCHOR_END: ends
}

/// One turn that waits for nothing.
fn look(event_loop: &mut EventLoop<()>) -> io::Result<()> {
    event_loop.turn(&mut (), Some(Duration::ZERO))
}
