//! A loop in which everything happens, step by step.
//!
//! Run it: `cargo run -p epoll-loop --example turns`
//!
//! Shows: the order of a turn; the urgent before the others, and within one priority who came
//! first; what is fed by hand comes in the next turn, which does not wait; why each wait is as
//! long as it is.
//! Leaves out: `stop` with an error; a turn inside of a callback, which is one.

use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use epoll_loop::{
    Entry, Event, EventLoop, Interest, ReadEnd, Readiness, Watch, Watched, WatcherId, WatcherMap,
    read_within,
};

/// How much of a stream is read before the others have their turn.
const BUDGET_BYTES: usize = 4;

/// Three streams with something to read.
struct Turns {
    count: u32,
    streams: WatcherMap<(&'static str, Watched<UnixStream>)>,
    idle: Option<WatcherId>,
}

impl Turns {
    fn begin(&mut self, _: &mut EventLoop<Turns>, _: Event) {
        self.count += 1;
        println!("turn {}", self.count);
    }

    // ANCHOR: budget
    /// Reads a little, and comes back to the rest when the others have had their turn.
    fn read(&mut self, event_loop: &mut EventLoop<Turns>, event: Event) {
        let (name, stream) = self.streams.get(event.id).expect("it is watched");
        let print = |bytes: &[u8]| println!("  {name} says {:?}", String::from_utf8_lossy(bytes));
        let mut buffer = [0; BUDGET_BYTES];
        let end = read_within(&**stream, event.readiness, &mut buffer, BUDGET_BYTES, print);
        // ANCHOR: feed
        if let Ok(ReadEnd::BudgetSpent) = end {
            event_loop.feed(event.id, Readiness::IN);
        }
        // ANCHOR_END: feed
    }
    // ANCHOR_END: budget

    /// Nobody has anything to do: waits for a timer.
    fn rest(&mut self, event_loop: &mut EventLoop<Turns>, _: Event) {
        if let Some(idle) = self.idle.take() {
            event_loop.cancel(idle);
        }
        // The streams are still watched, so `run` would go on.
        let end = |_: &mut Turns, event_loop: &mut EventLoop<Turns>, _| event_loop.stop(Ok(()));
        event_loop.after(Duration::from_millis(20), end);
    }
}

fn main() -> io::Result<()> {
    let mut event_loop = EventLoop::new()?;
    event_loop.set_observer(Some(Box::new(|entry: &Entry| println!("  {entry}"))));
    let mut turns = Turns {
        count: 0,
        streams: WatcherMap::new(),
        idle: None,
    };
    let mut far_ends = Vec::new();
    for (name, priority, text) in [
        ("first", 0, "one two"),
        ("second", 0, "six"),
        ("urgent", 2, "now"),
    ] {
        let (near, mut far) = UnixStream::pair()?;
        near.set_nonblocking(true)?;
        far.write_all(text.as_bytes())?;
        far_ends.push(far);
        let watch = Watch::new(Interest::READABLE)
            .edge()
            .priority(priority)
            .label(name);
        let stream = event_loop.watch(near, watch, Turns::read)?;
        turns.streams.insert(stream.id(), (name, stream));
    }
    event_loop.before_wait(Turns::begin);
    event_loop.after_wait(|_, _, _| println!("  what is pending is called next"));
    turns.idle = Some(event_loop.when_idle(Turns::rest));
    event_loop.after(Duration::ZERO, |_, _, _| println!("  a timer of no time"));
    event_loop.run(&mut turns)
}
