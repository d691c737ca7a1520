//! What else wakes a loop: a signal, a child that ends, another thread.
//!
//! Run it: `cargo run -p epoll-loop --example wake_ups`
//!
//! Shows: signals are blocked first, and then read from a descriptor; three of one kind are told
//! once; a child does not inherit the blocked mask; the end of a child is an event of a descriptor
//! of its own; a thousand wake-ups from a thread are told once.
//! Leaves out: what is done with a signal that ends the program, which each program decides.

use std::io;
use std::process::{Child, Command};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use epoll_loop::{Entry, Event, EventLoop, Signal, spawn};
use nix::sys::signal::raise;

/// How often a signal was told, a child that is running, and what a thread has to say.
struct WakeUps {
    signals: u32,
    child: Option<Child>,
    numbers: mpsc::Receiver<u32>,
}

impl WakeUps {
    fn signalled(&mut self, _: &mut EventLoop<WakeUps>, event: Event) {
        self.signals += 1;
        println!("called {} time, for: {}", self.signals, event.readiness);
    }

    // ANCHOR: callbacks
    /// The child has ended: `wait` does not block now, and somebody has to call it.
    fn ended(&mut self, _: &mut EventLoop<WakeUps>, _: Event) {
        if let Some(mut child) = self.child.take() {
            let status = child.wait().expect("nobody else waits for it");
            println!("the child has ended: {status}");
        }
    }

    /// A thread has said something, or many things.
    fn woken(&mut self, _: &mut EventLoop<WakeUps>, _: Event) {
        // ANCHOR: woken
        let numbers: Vec<u32> = self.numbers.try_iter().collect();
        // ANCHOR_END: woken
        println!("{} numbers have come", numbers.len());
    }
    // ANCHOR_END: callbacks
}

fn main() -> io::Result<()> {
    // ANCHOR: signals
    let _blocked = EventLoop::block_signals(&[Signal::SIGUSR1])?;
    let mut event_loop = EventLoop::new()?;
    event_loop.set_observer(Some(Box::new(|entry: &Entry| println!("  {entry}"))));
    let (sender, numbers) = mpsc::channel();
    let mut wake_ups = WakeUps {
        signals: 0,
        child: None,
        numbers,
    };

    println!("SIGUSR1 comes three times");
    // ANCHOR: signal
    event_loop.on_signal(Signal::SIGUSR1, WakeUps::signalled)?;
    // ANCHOR_END: signal
    for _ in 0..3 {
        raise(Signal::SIGUSR1)?;
    }
    // ANCHOR_END: signals
    event_loop.turn(&mut wake_ups, Some(Duration::ZERO))?;

    println!("a child is started, and looks at its mask");
    // ANCHOR: child
    let mask = ["SigBlk", "/proc/self/status"];
    let child = spawn(Command::new("grep").args(mask))?;
    event_loop.on_exit(&child, WakeUps::ended)?;
    wake_ups.child = Some(child);
    // ANCHOR_END: child
    event_loop.run(&mut wake_ups)?;

    println!("a thread has a thousand numbers");
    // ANCHOR: thread
    let waker = event_loop.waker(WakeUps::woken)?;
    let thread = thread::spawn(move || {
        for number in 0..1_000 {
            sender.send(number).expect("the receiver lives");
            waker.wake();
        }
    });
    thread.join().expect("it does not panic");
    // ANCHOR_END: thread
    event_loop.run(&mut wake_ups)
}
