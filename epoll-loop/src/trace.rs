//! The observer behind `--trace`: one line for each step of a loop.
//!
//! Shows: what a loop does, with the descriptors' labels and the kernel's names
//! for readiness. What is read or written is not shown, nor passwords with it.

use std::fmt::{self, Write};
use std::io;
use std::time::{Duration, Instant};

use crate::event_loop::EventLoop;
use crate::observer::{Entry, Name, Observer, Operation, Source, WaitReason};
use crate::output::Output;

/// Writes what a loop does to standard error, a line an entry.
///
/// A line begins with the microseconds since the trace was started. The lines
/// go through an [`Output`], so that a reader who has stopped does not stop the
/// loop; those that find no room are counted.
///
/// ```no_run
/// use epoll_loop::{EventLoop, Trace};
///
/// let mut event_loop = EventLoop::<()>::new()?;
/// let trace = Trace::start(&mut event_loop)?;
/// event_loop.run(&mut ())?;
/// trace.drain(std::time::Duration::from_secs(1));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Trace {
    begin: Instant,
    output: Output,
    line: String,
}

impl Trace {
    /// Has everything that `event_loop` does from here on written to standard
    /// error; returns where the lines wait.
    ///
    /// # Errors
    ///
    /// As [`EventLoop::standard_error`].
    pub fn start<S>(event_loop: &mut EventLoop<S>) -> io::Result<Output> {
        let output = event_loop.standard_error()?;
        event_loop.set_observer(Some(Box::new(Trace::new(output.clone()))));
        Ok(output)
    }

    /// A trace whose lines go to `output`.
    #[must_use]
    pub fn new(output: Output) -> Trace {
        Trace {
            begin: Instant::now(),
            output,
            line: String::new(),
        }
    }
}

impl Observer for Trace {
    fn observe(&mut self, entry: &Entry) {
        self.line.clear();
        let time = self.begin.elapsed().as_micros();
        // Writing to a String cannot fail.
        let _ = writeln!(self.line, "{time:>10} us  {entry}");
        self.output.write_line(self.line.as_bytes());
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Entry::Registered {
                name,
                interest,
                always_ready: false,
            } => {
                write!(f, "watch     {name} for {interest}")
            }
            Entry::Registered {
                name,
                interest,
                always_ready: true,
            } => {
                write!(f, "watch     {name} for {interest}: EPERM, so always ready")
            }
            Entry::ChangeNoted { name, interest } => {
                write!(f, "note      {name} for {interest}")
            }
            Entry::ChangeApplied {
                name,
                operation,
                interest,
            } => {
                write!(f, "tell      {name} {operation} {interest}")
            }
            Entry::ChangeSaved { name } => {
                write!(f, "save      {name}: as it was, no system call")
            }
            Entry::ChangeRefused { name, error } => {
                write!(f, "refused   {name}: {error:?}")
            }
            Entry::Collected { slept } => write!(f, "collect   for {}", show(*slept)),
            Entry::Waited {
                timeout,
                reason,
                events,
                took,
            } => {
                match timeout {
                    None => f.write_str("wait      for ever")?,
                    Some(timeout) => write!(f, "wait      at most {} ms", timeout.as_millis())?,
                }
                let plural = if *events == 1 { "" } else { "s" };
                write!(
                    f,
                    " ({reason}): {events} event{plural} after {}",
                    show(*took)
                )
            }
            Entry::Dispatched {
                source,
                id,
                readiness,
                took,
            } => {
                write!(f, "call      ")?;
                match source {
                    Source::Descriptor(name) => write!(f, "{name} {readiness}")?,
                    Source::Timer => write!(f, "timer {}", id.slot())?,
                    Source::Signal(signal) => write!(f, "{signal}")?,
                    Source::Child | Source::Waker | Source::Turn => write!(f, "{readiness}")?,
                }
                write!(f, ", took {}", show(*took))
            }
            Entry::TimerSet { id, due_in } => {
                write!(f, "arm       timer {} in {}", id.slot(), show(*due_in))
            }
            Entry::TimerFired { id, late } => {
                write!(f, "due       timer {}, {} late", id.slot(), show(*late))
            }
            Entry::Closed { name } => write!(f, "end       {name}"),
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fd {} {}", self.number, self.label)
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Operation::Add => "ADD",
            Operation::Modify => "MOD",
            Operation::Delete => "DEL",
        })
    }
}

impl fmt::Display for WaitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WaitReason::Pending => f.write_str("callbacks are due"),
            WaitReason::AlwaysReady => f.write_str("a file is always ready"),
            WaitReason::Idle => f.write_str("an idle watcher wants to run"),
            WaitReason::Timer(id) => write!(f, "timer {}", id.slot()),
            WaitReason::Limit => f.write_str("the limit of this turn"),
            WaitReason::Events => f.write_str("no timer"),
            WaitReason::Nothing => f.write_str("nothing to wait for"),
        }
    }
}

/// A duration in the unit that leaves it two digits at least, to the nearest: us
/// below 10 ms, ms below 10 s, s above. Only the timeout of a wait is in ms
/// whatever its length, since that is the number that `epoll_wait(2)` is given.
fn show(duration: Duration) -> String {
    let microseconds = duration.as_micros();
    match microseconds {
        0..10_000 => format!("{microseconds} us"),
        10_000..10_000_000 => format!("{} ms", (microseconds + 500) / 1_000),
        _ => format!("{} s", (microseconds + 500_000) / 1_000_000),
    }
}
