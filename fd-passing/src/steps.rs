//! The steps of a demonstration, and what the kernel answers to each.

use std::error::Error;
use std::fmt::Display;
use std::io::{self, Stdout};

use chapter::{Timeline, errno_name};
use nix::errno::Errno;

/// What goes wrong where nothing should.
pub(crate) type Failure = Box<dyn Error>;

/// A timeline with its parts.
pub(crate) struct Steps {
    timeline: Timeline<Stdout>,
}

impl Steps {
    pub(crate) fn new(parts: &[&str]) -> Steps {
        Steps {
            timeline: Timeline::new(io::stdout(), parts),
        }
    }

    /// Tells what is done.
    pub(crate) fn say(&mut self, part: &str, what: impl Display) -> Result<(), Failure> {
        Ok(self.timeline.say(part, what)?)
    }

    /// Tells what follows from it.
    pub(crate) fn note(&mut self, part: &str, what: impl Display) -> Result<(), Failure> {
        self.say(part, format_args!("   {what}"))
    }

    /// Tells what was asked, and what was answered.
    pub(crate) fn answer(
        &mut self,
        part: &str,
        what: impl Display,
        expected: impl Display,
        answered: impl Display,
    ) -> Result<(), Failure> {
        Ok(self.timeline.answer(part, what, expected, answered)?)
    }

    /// Whether all answers were the expected ones.
    pub(crate) fn verdict(self) -> Result<(), Failure> {
        Ok(self.timeline.verdict()?)
    }
}

/// `ok`, or the name of the error.
pub(crate) fn name<T>(result: &Result<T, Errno>) -> String {
    match result {
        Ok(_) => "ok".to_owned(),
        Err(err) => errno_name(&io::Error::from(*err)),
    }
}

/// One word or the other.
pub(crate) fn either(condition: bool, yes: &'static str, no: &'static str) -> &'static str {
    if condition { yes } else { no }
}
