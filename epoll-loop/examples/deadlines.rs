//! Timers: late by up to a millisecond, never early, and cheap to push out.
//!
//! Run it: `cargo run -p epoll-loop --example deadlines`
//!
//! Shows: `after` reads the clock, `now` is the time of the turn; a repeating timer leaves out
//! what a long callback made it miss; an idle timer that is pushed out at every event; how long
//! the wait is for each.
//! Leaves out: the timeout of a watch, which is this idle timer built in (`Watch::timeout`).

use std::io;
use std::time::{Duration, Instant};

use epoll_loop::{Entry, Event, EventLoop, WatcherId};

const TICK: Duration = Duration::from_millis(100);
const IDLE: Duration = Duration::from_millis(500);

struct Deadlines {
    start: Instant,
    ticks: u32,
    idle: WatcherId,
    ticker: WatcherId,
}

impl Deadlines {
    fn say(&self, what: &str) {
        println!(
            "{what}, {} ms from the start",
            self.start.elapsed().as_millis()
        );
    }

    // ANCHOR: tick
    /// Something happens every 100 ms, so it is not idle yet; four times.
    fn tick(&mut self, event_loop: &mut EventLoop<Deadlines>, _: Event) {
        self.ticks += 1;
        self.say("tick");
        match self.ticks {
            1 => burn(Duration::from_millis(250)),
            4 => assert!(event_loop.cancel(self.ticker)),
            _ => {}
        }
        event_loop.push_out(self.idle, IDLE);
    }
    // ANCHOR_END: tick

    fn is_idle(&mut self, _: &mut EventLoop<Deadlines>, _: Event) {
        self.say("idle");
    }
}

/// A long callback: computes, and does not wait for anything.
fn burn(duration: Duration) {
    let end = Instant::now() + duration;
    while Instant::now() < end {
        std::hint::spin_loop();
    }
}

fn main() -> io::Result<()> {
    println!("a timer of 0.3 ms");
    rounded_up()?;
    println!("a tick every 100 ms, and a callback of 250 ms");
    ticks()
}

// ANCHOR: rounded-up
fn rounded_up() -> io::Result<()> {
    let mut event_loop = EventLoop::<Instant>::new()?;
    event_loop.set_observer(Some(Box::new(|entry: &Entry| println!("  {entry}"))));
    let mut start = Instant::now();
    event_loop.after(Duration::from_micros(300), |start, _, _| {
        println!("called {} us from the start", start.elapsed().as_micros());
    });
    event_loop.run(&mut start)
}
// ANCHOR_END: rounded-up

fn ticks() -> io::Result<()> {
    let mut event_loop = EventLoop::new()?;
    event_loop.set_observer(Some(Box::new(|entry: &Entry| println!("  {entry}"))));
    let mut deadlines = Deadlines {
        start: Instant::now(),
        ticks: 0,
        ticker: event_loop.every(TICK, Deadlines::tick),
        idle: event_loop.after(IDLE, Deadlines::is_idle),
    };
    event_loop.run(&mut deadlines)
}
