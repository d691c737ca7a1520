//! What is wrong with the book, and where.

use std::cell::RefCell;
use std::fmt;

/// One thing that is wrong: `docs/pages/connect.md:12: no such file`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// From the root of the workspace.
    pub file: String,
    /// From 1; 0 if it is the whole file.
    pub line: usize,
    /// What it is, in lower case.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, what } = self;
        match line {
            0 => write!(f, "{file}: {what}"),
            line => write!(f, "{file}:{line}: {what}"),
        }
    }
}

/// All that is wrong, so that a writer sees everything at once and not the first alone.
#[derive(Debug, Default)]
pub struct Problems(RefCell<Vec<Problem>>);

impl Problems {
    /// Notes one more.
    pub fn add(&self, file: impl Into<String>, line: usize, what: impl Into<String>) {
        self.0.borrow_mut().push(Problem {
            file: file.into(),
            line,
            what: what.into(),
        });
    }

    /// All of them by file and line, each once.
    #[must_use]
    pub fn sorted(&self) -> Vec<Problem> {
        let mut problems = self.0.borrow().clone();
        problems.sort();
        problems.dedup();
        problems
    }
}
