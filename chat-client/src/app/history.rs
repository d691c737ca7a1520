//! What was typed before, and the line that was not sent yet.
//!
//! Shows: going back through the history keeps the draft; coming forward again
//! brings it back.

use std::collections::VecDeque;

/// How many typed lines are kept.
const MAX_LINES: usize = 500;

/// Typed lines, the newest last.
#[derive(Debug, Default)]
pub(crate) struct History {
    lines: VecDeque<String>,
    /// Which line is shown, counted from the newest; none is the draft.
    shown: Option<usize>,
    draft: String,
}

impl History {
    /// A line was sent.
    pub(crate) fn add(&mut self, line: &str) {
        self.leave();
        if line.is_empty() || self.lines.back().is_some_and(|last| last == line) {
            return;
        }
        if self.lines.len() == MAX_LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(line.to_owned());
    }

    /// The line before the one that is shown; `current` is what stands in the
    /// input. None if there is none.
    pub(crate) fn older(&mut self, current: &str) -> Option<&str> {
        let next = self.shown.map_or(0, |shown| shown + 1);
        let at = self.lines.len().checked_sub(next + 1)?;
        if self.shown.is_none() {
            current.clone_into(&mut self.draft);
        }
        self.shown = Some(next);
        Some(&self.lines[at])
    }

    /// The line after the one that is shown, at last the draft. None if the draft
    /// is shown already.
    pub(crate) fn newer(&mut self) -> Option<&str> {
        match self.shown? {
            0 => {
                self.shown = None;
                Some(&self.draft)
            }
            shown => {
                self.shown = Some(shown - 1);
                Some(&self.lines[self.lines.len() - shown])
            }
        }
    }

    /// What is shown is the draft from now on.
    pub(crate) fn leave(&mut self) {
        self.shown = None;
        self.draft.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn going_back_and_forth_brings_the_draft_back() {
        let mut history = History::default();
        for line in ["one", "two", "two", ""] {
            history.add(line);
        }
        assert_eq!(history.older("draft"), Some("two"));
        assert_eq!(history.older("two"), Some("one"));
        assert_eq!(history.older("one"), None);
        assert_eq!(history.newer(), Some("two"));
        assert_eq!(history.newer(), Some("draft"));
        assert_eq!(history.newer(), None);
    }

    #[test]
    fn only_so_many_lines_are_kept() {
        let mut history = History::default();
        for number in 0..2 * MAX_LINES {
            history.add(&number.to_string());
        }
        assert_eq!(history.lines.len(), MAX_LINES);
        assert_eq!(history.older(""), Some("999"));
    }
}
