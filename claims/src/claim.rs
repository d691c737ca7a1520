//! A claim: the sentence as it is believed, the question, the documented answer and the text.
//!
//! Shows: an experiment's prose is data beside its code, so that the list, one run, the table, the
//! JSON and the README all say the same.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::report::{Finding, Report, Stop};

/// One claim of the study notes, and the experiment that tests it.
#[derive(Debug)]
pub struct Claim {
    /// By which it is called, from 1 without gaps.
    pub number: u8,
    /// The other way to call it: what it is about, in lower case, with hyphens.
    pub name: &'static str,
    /// What it belongs to.
    pub chapter: Chapter,
    /// What the notes say. The question is about the first.
    pub sentences: &'static [Sentence],
    /// At most 54 characters: the list shows it too.
    pub question: &'static str,
    /// Two to four; they are lettered from a.
    pub answers: &'static [&'static str],
    /// The letter of the one that the kernel gives.
    pub answer: char,
    /// What the program does, before the learner sees what comes of it.
    pub does: &'static str,
    /// What follows from what the kernel did.
    pub lesson: &'static str,
    /// Where it matters in this workspace; made by the macro `place!`.
    pub code: &'static [Place],
    /// Man pages, RFCs, kernel documentation.
    pub sources: &'static [&'static str],
    /// The experiment. It has a process of its own: what it does to signals, limits and
    /// descriptors is gone with it.
    pub(crate) run: fn(&mut Report) -> Result<Finding, Stop>,
}

/// One sentence of the study notes, or one that is often taken for granted.
#[derive(Debug, Serialize)]
pub struct Sentence {
    /// As it stands in the notes; nothing if they do not say it.
    pub original: Option<&'static str>,
    /// The same in English.
    pub english: &'static str,
    /// What is to be thought of it.
    pub verdict: Verdict,
}

/// What is to be thought of a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It never was so on Linux.
    Wrong,
    /// It was so once.
    Outdated,
    /// It is so under conditions that the sentence leaves out.
    Imprecise,
    /// It is so; kept because it is doubted or surprising.
    Right,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Wrong => "wrong",
            Self::Outdated => "outdated",
            Self::Imprecise => "imprecise",
            Self::Right => "right",
        })
    }
}

/// What a claim belongs to. The list is in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chapter {
    /// `select`, `poll`, `epoll` and what came after.
    Waiting,
    /// Level- and edge-triggered.
    Triggering,
    /// Connecting.
    Connecting,
    /// Listening and accepting.
    Accepting,
    /// Writing.
    Writing,
    /// Closing.
    Closing,
    /// Urgent data.
    UrgentData,
    /// Segments and their numbers.
    OnTheWire,
    /// Descriptors.
    Descriptors,
    /// Signals, processes and threads.
    SignalsAndProcesses,
}

impl Chapter {
    /// In the order of the list.
    pub const ALL: [Self; 10] = [
        Self::Waiting,
        Self::Triggering,
        Self::Connecting,
        Self::Accepting,
        Self::Writing,
        Self::Closing,
        Self::UrgentData,
        Self::OnTheWire,
        Self::Descriptors,
        Self::SignalsAndProcesses,
    ];
}

impl fmt::Display for Chapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Waiting => "Waiting: select, poll, epoll and what came after",
            Self::Triggering => "Level- and edge-triggered",
            Self::Connecting => "Connecting",
            Self::Accepting => "Listening and accepting",
            Self::Writing => "Writing",
            Self::Closing => "Closing",
            Self::UrgentData => "Urgent data",
            Self::OnTheWire => "On the wire: segments and their numbers",
            Self::Descriptors => "Descriptors",
            Self::SignalsAndProcesses => "Signals, processes and threads",
        })
    }
}

/// A line of this workspace.
#[derive(Debug, Serialize)]
pub struct Place {
    /// Its file, from the root of the workspace.
    pub file: &'static str,
    /// Counted from 1, when this crate was compiled.
    pub line: u32,
    /// What stands in that line, and in no other of the file.
    #[serde(skip)]
    pub text: &'static str,
    /// What of the lesson is to be seen there.
    pub why: &'static str,
}

/// The [`Place`] where a text stands in a file: `place!("chapter/src/exit.rs", "pub fn exit", "...")`.
///
/// The line is looked up while this crate is compiled, so that it cannot be out of date. If the
/// compiler stops here the code has changed: choose another text, or see whether the lesson still
/// has a place.
macro_rules! place {
    ($file:literal, $text:literal, $why:literal) => {
        $crate::claim::Place {
            file: $file,
            line: $crate::claim::line_of(
                include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../", $file)),
                $text,
            ),
            text: $text,
            why: $why,
        }
    };
}
pub(crate) use place;

/// The number, from 1, of the one line of `file` that has `text` in it.
///
/// # Panics
///
/// If there is none, or more than one.
pub(crate) const fn line_of(file: &str, text: &str) -> u32 {
    let (file, text) = (file.as_bytes(), text.as_bytes());
    let (mut at, mut line, mut found) = (0, 1, 0);
    while at < file.len() {
        if starts_with(file, at, text) {
            assert!(found == 0, "the text stands in the file more than once");
            found = line;
        }
        if file[at] == b'\n' {
            line += 1;
        }
        at += 1;
    }
    assert!(found != 0, "the text does not stand in the file any more");
    found
}

const fn starts_with(file: &[u8], at: usize, text: &[u8]) -> bool {
    let mut same = 0;
    while same < text.len() && at + same < file.len() && file[at + same] == text[same] {
        same += 1;
    }
    same == text.len()
}

impl Claim {
    /// The sentences under what is to be said of them: those of the notes, and those that are only
    /// assumed. A heading with nothing below it is left out.
    pub fn believed(&self) -> impl Iterator<Item = (&'static str, Vec<&'static Sentence>)> {
        let (in_the_notes, assumed): (Vec<_>, Vec<_>) = self
            .sentences
            .iter()
            .partition(|sentence| sentence.original.is_some());
        [
            ("The study notes say", in_the_notes),
            ("It is often assumed", assumed),
        ]
        .into_iter()
        .filter(|(_, sentences)| !sentences.is_empty())
    }

    /// The letters of the answers, each with its answer.
    pub fn lettered(&self) -> impl Iterator<Item = (char, &'static str)> {
        ('a'..).zip(self.answers.iter().copied())
    }

    /// `a, b or c`.
    pub(crate) fn letters(&self) -> String {
        let letters: Vec<_> = self
            .lettered()
            .map(|(letter, _)| letter.to_string())
            .collect();
        match letters.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, others)) => format!("{} or {last}", others.join(", ")),
            None => String::new(),
        }
    }

    /// The verdicts of the sentences, each once, with commas between: `wrong, right`.
    pub(crate) fn verdicts(&self) -> String {
        let mut verdicts = Vec::new();
        for sentence in self.sentences {
            let verdict = sentence.verdict.to_string();
            if !verdicts.contains(&verdict) {
                verdicts.push(verdict);
            }
        }
        verdicts.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_by_the_text_in_it() {
        assert_eq!(line_of("one\ntwo\nthree", "one"), 1);
        assert_eq!(line_of("one\ntwo\nthree", "hre"), 3);
        assert_eq!(line_of("one\ntwo\nthree", "e\ntw"), 1);
    }

    #[test]
    #[should_panic(expected = "any more")]
    fn a_text_that_has_gone_is_an_error() {
        line_of("one\ntwo\nthree", "threee");
    }

    #[test]
    #[should_panic(expected = "more than once")]
    fn a_text_that_could_mean_two_lines_is_an_error() {
        line_of("one\ntwo\none", "one");
    }
}
