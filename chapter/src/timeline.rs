//! What happens in a demonstration, printed while it happens.
//!
//! Shows: `   0.000 s  server  accepts 127.0.0.1:40512`. Columns do not move from run to run, so a
//! transcript differs from the next one in the numbers alone, and those can be masked.

use std::fmt::Display;
use std::io::{self, Write};
use std::time::{Duration, Instant};

/// Prints one line an entry: the time since its start, who, what.
///
/// ```
/// use std::io;
///
/// let mut timeline = chapter::Timeline::new(io::stdout(), &["client", "server"]);
/// timeline.say("client", "connects")?;
/// timeline.say("server", format_args!("accepts {}", "127.0.0.1:40512"))?;
/// # io::Result::Ok(())
/// ```
#[derive(Debug)]
pub struct Timeline<W> {
    out: W,
    start: Instant,
    who_width: usize,
}

impl<W: Write> Timeline<W> {
    /// Starts the clock. The second column is as wide as the longest of `names`, in characters.
    pub fn new(out: W, names: &[&str]) -> Self {
        let who_width = names
            .iter()
            .map(|name| name.chars().count())
            .max()
            .unwrap_or(0);
        Self {
            out,
            start: Instant::now(),
            who_width,
        }
    }

    /// Prints that `who` did `what` now. `what` is one line.
    ///
    /// # Errors
    ///
    /// What the writer reports.
    pub fn say(&mut self, who: &str, what: impl Display) -> io::Result<()> {
        self.say_at(self.start.elapsed(), who, what)
    }

    /// Prints that `who` did `what` so long after the start: for what was noted when it happened
    /// and is told later. The time is cut to milliseconds, not rounded.
    ///
    /// # Errors
    ///
    /// What the writer reports.
    pub fn say_at(&mut self, time: Duration, who: &str, what: impl Display) -> io::Result<()> {
        let (seconds, millis, width) = (time.as_secs(), time.subsec_millis(), self.who_width);
        writeln!(self.out, "{seconds:4}.{millis:03} s  {who:width$}  {what}")?;
        self.out.flush()
    }

    /// When the clock started.
    pub fn start(&self) -> Instant {
        self.start
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufWriter;

    use super::*;

    #[test]
    fn the_columns_stand_still() {
        let mut out = Vec::new();
        let mut timeline = Timeline::new(&mut out, &["client", "server", "kernel"]);
        timeline
            .say_at(Duration::ZERO, "client", "connects")
            .unwrap();
        timeline
            .say_at(Duration::from_micros(12_999), "us", "wait")
            .unwrap();
        timeline
            .say_at(Duration::from_millis(1_234_567), "kernel", "times out")
            .unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "   0.000 s  client  connects\n\
             \x20  0.012 s  us      wait\n\
             1234.567 s  kernel  times out\n"
        );
    }

    #[test]
    fn a_line_is_printed_when_it_is_said() {
        let mut out = BufWriter::new(Vec::new());
        let mut timeline = Timeline::new(&mut out, &["a"]);
        timeline.say("a", "speaks").unwrap();
        assert_eq!(out.buffer(), b"");
        let line = String::from_utf8(out.get_ref().clone()).unwrap();
        assert!(line.ends_with(" s  a  speaks\n"), "{line}");
    }

    #[test]
    fn time_does_not_run_backwards() {
        let mut out = Vec::new();
        let mut timeline = Timeline::new(&mut out, &[""]);
        for _ in 0..100 {
            timeline.say("", "").unwrap();
        }
        let text = String::from_utf8(out).unwrap();
        let times: Vec<&str> = text.lines().map(|line| &line[..8]).collect();
        assert_eq!(times.len(), 100);
        assert!(times.is_sorted(), "{text}");
    }
}
