//! What every loop must offer to be measured: three small traits.
//!
//! Shows: a scenario is written once, here or beside its figures; what each loop needs of its own
//! is in the file with its name.

use std::io;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// A loop that watches sockets.
pub(crate) trait Watching<R: Reaction>: Sized {
    /// Watches each of `sockets` for reading; `reaction` is told their indexes.
    fn new(sockets: Vec<UnixStream>, reaction: R) -> io::Result<Self>;

    /// Runs until the reaction has had `events` more events.
    fn run(&mut self, events: u64) -> io::Result<()>;
}

/// What a scenario does when a socket is readable.
pub(crate) trait Reaction: 'static {
    fn readable(&mut self, watches: &mut impl Watches, index: usize);

    /// Sets how many events it waits for.
    fn expect(&mut self, events: u64);

    fn is_done(&self) -> bool;
}

/// What a reaction may do to the watches of its loop.
pub(crate) trait Watches {
    fn socket(&self, index: usize) -> &UnixStream;

    /// Asks for writing beside reading, or for reading alone.
    fn set_writable(&mut self, index: usize, wanted: bool);
}

/// A loop with timers.
pub(crate) trait Timing: Sized {
    type Timer;

    fn new() -> io::Result<Self>;

    fn after(&mut self, delay: Duration) -> Self::Timer;

    fn at(&mut self, deadline: Instant) -> Self::Timer;

    /// Moves the deadline to `delay` from now.
    fn push_out(&mut self, timer: &mut Self::Timer, delay: Duration);

    fn cancel(&mut self, timer: Self::Timer);

    /// Runs until this many timers more have fired.
    fn expire(&mut self, count: usize) -> io::Result<()>;
}

/// A loop that other threads can wake.
pub(crate) trait Waking: Sized {
    type Waker: Send + 'static;

    fn new() -> io::Result<(Self, Self::Waker)>;

    fn wake(waker: &Self::Waker) -> io::Result<()>;

    /// Waits until it is woken, once for all wake-ups so far.
    fn wait(&mut self) -> io::Result<()>;
}
