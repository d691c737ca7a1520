//! The option that shows the loop at work.

use std::io;
use std::time::Duration;

use epoll_loop::{EventLoop, Output};

/// How long the end of a program waits for a reader of the lines that are left.
const DRAIN: Duration = Duration::from_secs(1);

/// The fragment for a program's arguments: `#[command(flatten)] trace: chapter::Trace`.
///
/// ```
/// use clap::Parser;
///
/// #[derive(Parser)]
/// struct Args {
///     #[command(flatten)]
///     trace: chapter::Trace,
/// }
///
/// assert!(Args::parse_from(["echo", "--trace"]).trace.trace);
/// assert!(!Args::parse_from(["echo"]).trace.trace);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::Args)]
pub struct Trace {
    /// Show what the loop does: one line on standard error for each wait, event and timer
    ///
    /// Each line tells the microseconds since the start, the descriptor with its label, and what
    /// the kernel reported by the kernel's names (IN, OUT, RDHUP, HUP, ERR).
    #[arg(long)]
    pub trace: bool,
}

impl Trace {
    /// Shows on standard error what `event_loop` does from here on, if that was asked for.
    ///
    /// # Errors
    ///
    /// As [`EventLoop::standard_error`].
    pub fn start<S>(self, event_loop: &mut EventLoop<S>) -> io::Result<Tracing> {
        let output = self
            .trace
            .then(|| epoll_loop::Trace::start(event_loop))
            .transpose()?;
        Ok(Tracing(output))
    }
}

/// A trace that has begun, or none. Dropping it writes the lines that are left, which takes a
/// second at most: keep it until the loop is done.
#[derive(Debug)]
#[must_use = "dropping it writes what is left, and blocks for that"]
pub struct Tracing(Option<Output>);

impl Drop for Tracing {
    fn drop(&mut self) {
        if let Some(output) = &self.0 {
            output.drain(DRAIN);
        }
    }
}
