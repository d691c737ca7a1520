//! What happens in a demonstration, printed while it happens.
//!
//! Shows: `   0.000 s  server  accepts 127.0.0.1:40512`. Columns do not move from run to run, so a
//! transcript differs from the next one in the numbers alone, and those can be masked. What the
//! kernel answers stands beside what it was to answer, so that a demonstration cannot be wrong
//! without saying so.

use std::error::Error;
use std::fmt::{self, Display};
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
    unexpected: usize,
}

/// What [`Timeline::verdict`] says if the kernel has answered otherwise than a demonstration told.
///
/// ```text
/// demo: 2 answers of the kernel were not expected, see above
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unexpected {
    /// How many answers were others, at least 1.
    pub answers: usize,
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
            unexpected: 0,
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

    /// Prints that `who` did `what`, and what the kernel has answered: `connect -> EINPROGRESS`.
    ///
    /// If that does not read as `expected` does, the line says so, and [`Timeline::verdict`] is an
    /// error from then on.
    ///
    /// # Errors
    ///
    /// What the writer reports. An unexpected answer is none, so that the rest is still shown.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut timeline = chapter::Timeline::new(std::io::stdout(), &["client"]);
    /// timeline.answer("client", "connect", "EINPROGRESS", "EINPROGRESS")?;
    /// assert!(timeline.verdict().is_ok());
    /// timeline.answer("client", "SO_ERROR", "0", "ECONNREFUSED")?;
    /// assert!(timeline.verdict().is_err());
    /// # Ok(())
    /// # }
    /// ```
    pub fn answer(
        &mut self,
        who: &str,
        what: impl Display,
        expected: impl Display,
        answered: impl Display,
    ) -> io::Result<()> {
        let (expected, answered) = (expected.to_string(), answered.to_string());
        if expected == answered {
            return self.say(who, format_args!("{what} -> {answered}"));
        }
        self.unexpected += 1;
        self.say(who, format_args!("{what} -> {answered}, NOT {expected}"))
    }

    /// Whether the kernel has answered as expected so far: what a demonstration ends with, so that
    /// its exit code is 1 if it has shown something else than it tells.
    ///
    /// # Errors
    ///
    /// [`Unexpected`], if an answer was another one.
    pub fn verdict(&self) -> Result<(), Unexpected> {
        match self.unexpected {
            0 => Ok(()),
            answers => Err(Unexpected { answers }),
        }
    }

    /// When the clock started.
    pub fn start(&self) -> Instant {
        self.start
    }
}

impl Display for Unexpected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (answers, were) = match self.answers {
            1 => ("answer", "was"),
            _ => ("answers", "were"),
        };
        let count = self.answers;
        write!(
            f,
            "demo: {count} {answers} of the kernel {were} not expected, see above"
        )
    }
}

impl Error for Unexpected {}

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
    fn an_unexpected_answer_is_shown_counted_and_does_not_end_the_demonstration() {
        let mut out = Vec::new();
        let mut timeline = Timeline::new(&mut out, &["a"]);
        timeline.answer("a", "recv", 5, "5").unwrap();
        assert_eq!(timeline.verdict(), Ok(()));
        timeline.answer("a", "recv", "5", "EAGAIN").unwrap();
        timeline.answer("a", "recv", "EINVAL", "EINVAL").unwrap();
        let err = timeline.verdict().unwrap_err();
        assert_eq!(
            err.to_string(),
            "demo: 1 answer of the kernel was not expected, see above"
        );
        let text = String::from_utf8(out).unwrap();
        let said: Vec<&str> = text.lines().map(|line| &line[15..]).collect();
        assert_eq!(
            said,
            ["recv -> 5", "recv -> EAGAIN, NOT 5", "recv -> EINVAL"]
        );
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
