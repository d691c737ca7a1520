//! Who owns a descriptor: events that come too late, numbers that are used again, duplicates.
//!
//! Run it: `cargo run -p epoll-loop --example owners`
//!
//! Shows: in one batch, alice's callback throws bob out, whose event has been reported already,
//! and carol comes in; nobody is called for bob, and carol does not get his number before the
//! batch is over; a duplicate that stays open leaves no ghost; a loop gives an object back.
//! Leaves out: the same with bare epoll, where bob's event reads carol's words (claim 15).

use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use epoll_loop::{Callback, Entry, Event, EventLoop, Interest, Watch, Watched};

struct Room {
    /// Duplicate of bob's descriptor, as a child or a log might have one.
    duplicate: Option<OwnedFd>,
    bob: Option<Watched<UnixStream>>,
    alice: Option<Watched<UnixStream>>,
    carol: Option<Watched<UnixStream>>,
    far_ends: Vec<UnixStream>,
}

impl Room {
    // ANCHOR: throw-out
    /// Alice is ready. She throws bob out, and lets carol in.
    fn alice_speaks(&mut self, event_loop: &mut EventLoop<Room>, _: Event) {
        let Some(bob) = self.bob.take() else { return };
        let number = bob.as_raw_fd();
        // ANCHOR: drop
        drop(bob);
        // ANCHOR_END: drop
        let carol = self.enter(event_loop, "carol", Room::carol_speaks);
        let carol = carol.expect("a descriptor is left");
        println!(
            "bob's number is free for carol: {}",
            carol.as_raw_fd() == number
        );
        self.carol = Some(carol);
        self.alice = None;
    }
    // ANCHOR_END: throw-out

    /// Carol is ready. Her stream goes to somebody else, open and unread.
    fn carol_speaks(&mut self, event_loop: &mut EventLoop<Room>, _: Event) {
        let Some(carol) = self.carol.take() else {
            return;
        };
        let mut stream = carol.into_inner(event_loop).expect("she was watched");
        let mut words = [0; 64];
        let count = stream.read(&mut words).unwrap_or(0);
        println!(
            "carol's words: {:?}",
            String::from_utf8_lossy(&words[..count])
        );
    }

    /// Somebody comes in, and has something to say.
    fn enter(
        &mut self,
        event_loop: &mut EventLoop<Room>,
        name: &'static str,
        callback: Callback<Room>,
    ) -> io::Result<Watched<UnixStream>> {
        let (near, mut far) = UnixStream::pair()?;
        write!(far, "{name}'s secret")?;
        self.far_ends.push(far);
        let watch = Watch::new(Interest::READABLE).label(name);
        event_loop.watch(near, watch, callback)
    }
}

fn main() -> io::Result<()> {
    let mut event_loop = EventLoop::new()?;
    event_loop.set_observer(Some(Box::new(|entry: &Entry| println!("  {entry}"))));
    let mut room = Room {
        duplicate: None,
        bob: None,
        alice: None,
        carol: None,
        far_ends: Vec::new(),
    };
    let alice = room.enter(&mut event_loop, "alice", Room::alice_speaks)?;
    let bob = room.enter(&mut event_loop, "bob", |_, _, _| println!("bob is called"))?;
    room.duplicate = Some(bob.try_clone()?.into());
    (room.alice, room.bob) = (Some(alice), Some(bob));
    event_loop.run(&mut room)?;

    println!("does anything come for bob, whose duplicate is open?");
    event_loop.turn(&mut room, Some(Duration::ZERO))
}
