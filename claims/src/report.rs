//! What an experiment says while it runs, and how it ends.
//!
//! Shows: errno and event sets are compared exactly; what varies by machine is printed and judged
//! by a relation (`none was added`), never by an absolute figure.

use std::fmt::Display;
use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use crate::claim::Verdict;

/// One line of what the kernel did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Row {
    /// What follows is about this.
    Heading { text: String },
    /// The same on every machine.
    Exact {
        what: String,
        expected: String,
        observed: String,
    },
    /// Figures of this machine, and what holds for those of any.
    Relation {
        what: String,
        figures: String,
        relation: String,
        holds: bool,
    },
    /// Figures of which nothing is required.
    Figure { what: String, figures: String },
    /// Figures of which nothing is required, drawn beside each other.
    Chart {
        what: String,
        unit: String,
        bars: Vec<Bar>,
    },
}

/// One bar of a chart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Bar {
    pub(crate) label: String,
    /// In the unit of the chart, not negative.
    pub(crate) value: f64,
}

impl Bar {
    pub(crate) fn new(label: impl Into<String>, value: f64) -> Self {
        let label = label.into();
        Self { label, value }
    }
}

impl Row {
    /// Whether this is what the text says.
    pub(crate) fn agrees(&self) -> bool {
        match self {
            Self::Exact {
                expected, observed, ..
            } => expected == observed,
            Self::Relation { holds, .. } => *holds,
            Self::Heading { .. } | Self::Figure { .. } | Self::Chart { .. } => true,
        }
    }
}

/// What the kernel's behaviour means, derived from what was observed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Finding {
    /// The letter of the answer that the kernel gave.
    pub(crate) answer: char,
    /// One verdict for each sentence, in their order.
    pub(crate) verdicts: Vec<Verdict>,
}

impl Finding {
    pub(crate) fn new(answer: char, verdicts: impl Into<Vec<Verdict>>) -> Self {
        Self {
            answer,
            verdicts: verdicts.into(),
        }
    }
}

/// Why an experiment ended without a finding.
#[derive(Debug)]
pub(crate) enum Stop {
    /// This machine lacks something; the name must be in `chapter-tests/features.txt`.
    Needs(&'static str),
    /// A call on which the experiment stands failed.
    Failed(io::Error),
}

impl From<io::Error> for Stop {
    fn from(err: io::Error) -> Self {
        Self::Failed(err)
    }
}

impl From<nix::errno::Errno> for Stop {
    fn from(err: nix::errno::Errno) -> Self {
        Self::Failed(err.into())
    }
}

impl From<rustix::io::Errno> for Stop {
    fn from(err: rustix::io::Errno) -> Self {
        Self::Failed(err.into())
    }
}

/// A line on its way from the process of the experiment to the one that shows it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Message {
    Row(Row),
    Found(Finding),
    Needs(String),
    Failed(String),
}

/// Takes the rows of an experiment.
///
/// A figure that varies from run to run is written with `~` before it (`~24`): readers know what
/// to think of it, and the comparison with the transcript leaves it out.
#[derive(Debug)]
pub(crate) struct Report(());

impl Report {
    /// The report of the experiment that this process is there for.
    pub(crate) fn to_standard_output() -> Self {
        Self(())
    }

    /// What follows is about this: `as in the notes`, `mended`.
    pub(crate) fn heading(&mut self, text: impl Display) {
        let text = text.to_string();
        self.send(&Message::Row(Row::Heading { text }));
    }

    /// Something that is the same on every machine. True if it is as expected.
    pub(crate) fn exact(
        &mut self,
        what: impl Display,
        expected: impl Display,
        observed: impl Display,
    ) -> bool {
        self.row(Row::Exact {
            what: what.to_string(),
            expected: expected.to_string(),
            observed: observed.to_string(),
        })
    }

    /// Figures that vary, and the relation that `holds` between them. True if it does.
    pub(crate) fn relation(
        &mut self,
        what: impl Display,
        figures: impl Display,
        relation: impl Display,
        holds: bool,
    ) -> bool {
        self.row(Row::Relation {
            what: what.to_string(),
            figures: figures.to_string(),
            relation: relation.to_string(),
            holds,
        })
    }

    /// Figures of which nothing is required.
    pub(crate) fn figure(&mut self, what: impl Display, figures: impl Display) {
        self.row(Row::Figure {
            what: what.to_string(),
            figures: figures.to_string(),
        });
    }

    /// Figures of which nothing is required, drawn as bars on one scale.
    pub(crate) fn bars(&mut self, what: impl Display, unit: impl Display, bars: Vec<Bar>) {
        self.row(Row::Chart {
            what: what.to_string(),
            unit: unit.to_string(),
            bars,
        });
    }

    /// The last word.
    pub(crate) fn end(&mut self, result: Result<Finding, Stop>) {
        self.send(&match result {
            Ok(finding) => Message::Found(finding),
            Err(Stop::Needs(need)) => Message::Needs(need.to_owned()),
            Err(Stop::Failed(err)) => Message::Failed(chapter::why(&err)),
        });
    }

    fn row(&mut self, row: Row) -> bool {
        let agrees = row.agrees();
        self.send(&Message::Row(row));
        agrees
    }

    #[expect(
        clippy::unused_self,
        reason = "there is one report, and it is borrowed once"
    )]
    fn send(&mut self, message: &Message) {
        let line = serde_json::to_string(message).expect("no map with other keys than text");
        // If the reader is gone, this process is about to end as well.
        let _ = writeln!(io::stdout(), "{line}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_agrees_only_with_what_the_text_says() {
        let exact = |observed: &str| Row::Exact {
            what: "mmap".into(),
            expected: "ENODEV".into(),
            observed: observed.into(),
        };
        assert!(exact("ENODEV").agrees());
        assert!(!exact("ok").agrees());
        let relation = |holds| Row::Relation {
            what: "mappings".into(),
            figures: "~24".into(),
            relation: "none was added".into(),
            holds,
        };
        assert!(relation(true).agrees());
        assert!(!relation(false).agrees());
    }
}
