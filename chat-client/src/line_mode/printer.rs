//! What a person sees: messages on standard output, the rest on standard error.

use std::fmt::Display;
use std::io;
use std::time::Duration;

use epoll_loop::{EventLoop, Output};

use crate::session::News;

/// How long the last lines may take to be written.
const DRAIN: Duration = Duration::from_secs(2);

/// Both outputs. Nothing here waits for who reads them.
#[derive(Debug)]
pub(super) struct Printer {
    output: Output,
    errors: Output,
}

impl Printer {
    pub(super) fn new<S>(event_loop: &mut EventLoop<S>) -> io::Result<Printer> {
        Ok(Printer {
            output: event_loop.standard_output()?,
            errors: event_loop.standard_error()?,
        })
    }

    /// Prints one piece of news.
    pub(super) fn tell(&self, news: &News) {
        let output = match news {
            News::Hint(_) => &self.errors,
            _ => &self.output,
        };
        output.write_line(format!("{news}\n").as_bytes());
    }

    /// Prints a line about the program itself.
    pub(super) fn say(&self, line: impl Display) {
        self.errors
            .write_line(format!("chat-client: {line}\n").as_bytes());
    }

    /// Prints lines that explain the one before.
    pub(super) fn add(&self, lines: &[String]) {
        for line in lines {
            self.errors.write_line(format!("  {line}\n").as_bytes());
        }
    }

    /// Writes what is left, for at most [`DRAIN`] each, and says what could not
    /// be printed unless nobody reads it. Returns false if standard error takes
    /// nothing more.
    pub(super) fn drain(&self, has_reader: bool) -> bool {
        if has_reader {
            self.output.drain(DRAIN);
            let (left, dropped) = (self.output.pending(), self.output.dropped());
            if left > 0 || dropped > 0 {
                self.say(format_args!(
                    "standard output was not read: {dropped} lines and {left} bytes are missing"
                ));
            }
        }
        self.errors.drain(DRAIN);
        self.errors.pending() == 0
    }
}
