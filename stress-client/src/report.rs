//! What has been measured, as a table for people or as JSON for programs.

use std::fmt::{self, Write};
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::process::Spent;

/// What this program may use before a server that has used nothing is not the server. A few ticks of
/// the clock by which the kernel accounts for it.
const IDLE_SERVER: Duration = Duration::from_millis(50);

/// From this share of a core on a process is as busy as it can be.
pub(crate) const BUSY: f64 = 0.9;

/// One number.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    /// Its name in JSON, with its unit.
    pub(crate) key: &'static str,
    /// Its name in the table.
    pub(crate) name: &'static str,
    pub(crate) value: f64,
    pub(crate) unit: Unit,
}

/// How a number is written in a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// A number of something, whole.
    Count,
    Bytes,
    Seconds,
    Milliseconds,
    Microseconds,
    /// A part of one core.
    Core,
}

/// What one measurement has come to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    /// What was measured, in a line.
    pub(crate) title: String,
    pub(crate) figures: Vec<Figure>,
    /// What else is to be known, a sentence each.
    pub(crate) notes: Vec<String>,
    /// This program, and not the server, was what limited the figures.
    pub(crate) is_generator_the_limit: bool,
}

impl Report {
    pub(crate) fn new(title: String) -> Report {
        Report {
            title,
            ..Report::default()
        }
    }

    pub(crate) fn add(&mut self, key: &'static str, name: &'static str, value: f64, unit: Unit) {
        self.figures.push(Figure {
            key,
            name,
            value,
            unit,
        });
    }

    /// Adds a number that is whole.
    pub(crate) fn count(&mut self, key: &'static str, name: &'static str, value: u64) {
        self.add(key, name, float(value), Unit::Count);
    }

    /// Says that connections had to be begun again, if any had.
    pub(crate) fn add_retries(&mut self, retries: u64) {
        if retries > 0 {
            self.notes.push(format!(
                "connections reset before they were greeted, and tried again: {retries} (the \
                 server's backlog is too short for so many at a time: --under-way)"
            ));
        }
    }

    /// Adds what server and generator have used, and says which of them was busy.
    pub(crate) fn add_spent(&mut self, spent: &Spent) {
        if let Some((cpu, usage)) = spent.server {
            self.count("server_threads", "server's threads", usage.threads);
            if cpu.is_zero() && spent.own_cpu > IDLE_SERVER {
                self.notes.push(
                    "the process of --pid has used no processor time: is it the server?".to_owned(),
                );
            }
        }
        if let Some(share) = spent.server_share() {
            self.add(
                "server_cores",
                "server's share of a core",
                share,
                Unit::Core,
            );
        }
        let share = spent.own_share();
        self.add(
            "generator_cores",
            "generator's share of a core",
            share,
            Unit::Core,
        );
        if is_limit(share, spent.server_share(), spent.on_one_core) {
            self.is_generator_the_limit = true;
            let core = if spent.on_one_core {
                "the core that it shares with the server"
            } else {
                "its core"
            };
            let server = match spent.server_share() {
                Some(share) => format!("the server only {:.0} %", share * 100.0),
                None => "what the server used is known only with --pid".to_owned(),
            };
            self.notes.push(format!(
                "the generator is the limit: it used {:.0} % of {core}, {server}",
                share * 100.0
            ));
        }
    }

    pub(crate) fn to_json(&self) -> Map<String, Value> {
        let figures = self
            .figures
            .iter()
            .map(|figure| (figure.key.to_owned(), number(figure.value)));
        let mut map = Map::new();
        map.insert("measured".into(), json!(self.title));
        map.insert("figures".into(), Value::Object(figures.collect()));
        map.insert("notes".into(), json!(self.notes));
        map.insert(
            "generator_is_the_limit".into(),
            json!(self.is_generator_the_limit),
        );
        map
    }
}

/// A number in JSON: without a fraction if it has none.
#[expect(clippy::cast_possible_truncation, reason = "whole, and within 2^53")]
fn number(value: f64) -> Value {
    let is_whole = value.fract() == 0.0 && value.abs() < 9e15;
    if is_whole {
        json!(value as i64)
    } else {
        json!(value)
    }
}

// ANCHOR: who-is-the-limit
/// Whether figures tell more of this program than of the server: it was as busy as it can be, and
/// the server was not. On one core it is in the server's way when both together are.
fn is_limit(own_share: f64, server_share: Option<f64>, on_one_core: bool) -> bool {
    let server = server_share.unwrap_or(0.0);
    let busy = own_share + if on_one_core { server } else { 0.0 };
    busy >= BUSY && server < BUSY
}
// ANCHOR_END: who-is-the-limit

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.title)?;
        let names = self.figures.iter().map(|figure| figure.name.len());
        let width = names.max().unwrap_or(0);
        for figure in &self.figures {
            let value = figure.unit.show(figure.value);
            writeln!(f, "  {:width$}  {value:>14}", figure.name)?;
        }
        for note in &self.notes {
            writeln!(f, "  {note}")?;
        }
        Ok(())
    }
}

impl Unit {
    /// A number with what it counts.
    pub(crate) fn show(self, value: f64) -> String {
        match self {
            Unit::Count => whole(value),
            Unit::Bytes => whole(value) + " B",
            Unit::Seconds => format!("{value:.3} s"),
            Unit::Milliseconds => format!("{value:.3} ms"),
            Unit::Microseconds => format!("{value:.1} us"),
            Unit::Core => format!("{:.0} %", value * 100.0),
        }
    }
}

/// A number without its fraction, with a comma between thousands.
fn whole(value: f64) -> String {
    let digits = format!("{value:.0}");
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", digits.as_str()),
    };
    let mut text = sign.to_owned();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        // To write to a String cannot fail.
        let _ = text.write_char(digit);
    }
    text
}

/// So many of something that has an `s` when there are several.
pub(crate) fn plural(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// A count as a figure. Beyond 2^53 it loses its last digits, which nobody counts to.
#[expect(clippy::cast_precision_loss, reason = "a figure to be read")]
pub(crate) fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_parted() {
        let shown = [0.0, 999.4, 1_000.0, 1_234_567.0, -1_234.0].map(whole);
        assert_eq!(shown, ["0", "999", "1,000", "1,234,567", "-1,234"]);
    }

    #[test]
    fn the_generator_is_the_limit_when_it_is_busy_and_the_server_is_not() {
        assert!(is_limit(0.97, Some(0.4), false));
        assert!(is_limit(0.97, None, false));
        assert!(!is_limit(0.97, Some(0.99), false));
        assert!(!is_limit(0.5, Some(0.4), false));
        assert!(
            !is_limit(0.97, Some(3.2), false),
            "a server with four threads"
        );
    }

    #[test]
    fn on_one_core_the_generator_is_the_limit_when_both_together_are_busy() {
        assert!(is_limit(0.58, Some(0.41), true));
        assert!(!is_limit(0.3, Some(0.3), true));
        assert!(!is_limit(0.04, Some(0.95), true));
    }
}
