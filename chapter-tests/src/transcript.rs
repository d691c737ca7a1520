//! A program's output compared with a file that the book shows.
//!
//! The file holds what a real run printed, numbers and all. What differs from run to run is hidden
//! on both sides while they are compared, by [`Mask`]s. With `UPDATE_TRANSCRIPTS=1` in the
//! environment a file that differs is written anew instead; `git diff` then shows what changed.
//!
//! A line that not every kernel can print ends with `[needs WHAT]`, in the file as in the output.
//! Where WHAT is missing the program prints `skipped: needs WHAT` in its place, and nothing else.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::difference::difference;
use crate::mask::{Mask, hide};

/// A transcript to compare with.
///
/// ```
/// use chapter_tests::{Mask, TemporaryDirectory, Transcript};
///
/// let directory = TemporaryDirectory::new();
/// let file = directory.join("demo.txt");
/// std::fs::write(&file, "   0.000 s  server  accepts 127.0.0.1:40512\n").unwrap();
///
/// Transcript::new(file)
///     .hide(Mask::Times)
///     .hide(Mask::Ports)
///     .compare("   0.003 s  server  accepts 127.0.0.1:35004\n");
/// ```
#[derive(Debug, Clone)]
pub struct Transcript {
    file: PathBuf,
    masks: Vec<Mask>,
    reduce: Option<Reduce>,
}

/// What counts of a line; nothing if the line does not count at all.
type Reduce = fn(&str) -> Option<String>;

impl Transcript {
    /// The transcript in this file; a relative path begins in the package of the test.
    pub fn new(file: impl AsRef<Path>) -> Self {
        Self {
            file: file.as_ref().to_owned(),
            masks: Vec::new(),
            reduce: None,
        }
    }

    /// Compares only what `reduce` makes of each line, before the masks, and leaves out the lines
    /// of which it makes nothing.
    ///
    /// For the output of tools we did not write, with columns that differ from machine to machine.
    /// The file holds their lines whole.
    #[must_use]
    pub fn reduce(mut self, reduce: Reduce) -> Self {
        self.reduce = Some(reduce);
        self
    }

    /// Hides one kind of number on both sides.
    #[must_use]
    pub fn hide(mut self, mask: Mask) -> Self {
        self.masks.push(mask);
        self
    }

    /// Hides what differs in the lines of `--trace`: times, descriptors and timers.
    #[must_use]
    pub fn hide_trace_numbers(self) -> Self {
        self.hide(Mask::Times)
            .hide(Mask::LineStart)
            .hide(Mask::After("fd "))
            .hide(Mask::After("timer "))
    }

    /// Compares line by line, or writes the file with `UPDATE_TRANSCRIPTS=1`.
    ///
    /// # Panics
    ///
    /// If the output differs; the message shows where. If the file cannot be read or written.
    pub fn compare(&self, output: &str) {
        let update = env::var_os("UPDATE_TRANSCRIPTS").is_some_and(|value| value == "1");
        if let Err(difference) = self.check(output, update) {
            panic!(
                "{file}: the output differs (- in the file, + now):\n{difference}\
                 If it is right, run the test again with UPDATE_TRANSCRIPTS=1.",
                file = self.file.display(),
            );
        }
    }

    /// The difference, unless there is none or it was written to the file.
    fn check(&self, output: &str, update: bool) -> Result<(), String> {
        let file = self.file.display();
        let expected = match fs::read_to_string(&self.file) {
            Ok(text) => text,
            // A new transcript: all of it differs.
            Err(err) if err.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(err) => panic!("{file}: {err}"),
        };
        let counts = |line: &&str| self.reduced(line).is_some();
        let old: Vec<&str> = expected.lines().filter(counts).collect();
        let new: Vec<&str> = output.lines().filter(counts).collect();
        let same = |old: &str, new: &str| {
            let [old, new] = [old, new].map(|line| self.reduced(line).unwrap_or_default());
            let (old, new) = (hide(&old, &self.masks), hide(&new, &self.masks));
            old == new || is_skipped(&old, &new)
        };
        let difference = difference(&old, &new, same);
        if difference.is_empty() {
            return Ok(());
        }
        if !update {
            return Err(difference);
        }
        fs::write(&self.file, output).unwrap_or_else(|err| panic!("{file}: {err}"));
        Ok(())
    }

    fn reduced(&self, line: &str) -> Option<String> {
        match self.reduce {
            Some(reduce) => reduce(line),
            None => Some(line.to_owned()),
        }
    }
}

/// Whether `new` says that what the `old` line needs is missing, in the place of what it said.
fn is_skipped(old: &str, new: &str) -> bool {
    let need = old.strip_suffix(']').and_then(|old| {
        let (said, need) = old.rsplit_once(" [needs ")?;
        Some((said, format!("skipped: needs {need}")))
    });
    need.is_some_and(|(said, skipped)| {
        let before = new.strip_suffix(&skipped);
        before.is_some_and(|before| said.starts_with(before))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TemporaryDirectory;

    const RECORDED: &str = "   12 us  wait  IN\n   15 us  call  reader  EAGAIN\n";

    /// A transcript of RECORDED, and the directory that holds it.
    fn recorded() -> (Transcript, TemporaryDirectory) {
        let directory = TemporaryDirectory::new();
        let file = directory.join("trace.txt");
        fs::write(&file, RECORDED).unwrap();
        (Transcript::new(file).hide(Mask::Times), directory)
    }

    #[test]
    fn numbers_under_a_mask_do_not_count() {
        let (transcript, _directory) = recorded();
        transcript.compare("    3 us  wait  IN\n12345 us  call  reader  EAGAIN\n");
    }

    #[test]
    fn only_what_a_line_is_reduced_to_counts() {
        let (transcript, _directory) = recorded();
        let transcript = transcript.reduce(|line| {
            let word = line.split_whitespace().nth(2)?;
            (word != "wait").then(|| word.to_owned())
        });
        transcript.compare("2 bytes wait OUT\n3 lines call nobody EPERM\n");
        assert!(transcript.check("3 lines tell nobody\n", false).is_err());
        assert!(transcript.check("", false).is_err());
    }

    #[test]
    fn another_event_or_error_counts() {
        let (transcript, _directory) = recorded();
        let output = RECORDED.replace("EAGAIN", "ECONNRESET");
        assert_eq!(
            transcript.check(&output, false).unwrap_err(),
            "     12 us  wait  IN\n\
             -    15 us  call  reader  EAGAIN\n\
             +    15 us  call  reader  ECONNRESET\n"
        );
    }

    #[test]
    fn a_missing_line_counts() {
        let (transcript, _directory) = recorded();
        let first = RECORDED.lines().next().unwrap();
        assert!(
            transcript
                .check(first, false)
                .unwrap_err()
                .contains("-    15 us")
        );
        assert!(transcript.check("", false).is_err());
    }

    #[test]
    fn a_line_that_needs_something_may_be_skipped_by_its_name_and_by_nothing_else() {
        let directory = TemporaryDirectory::new();
        let transcript = Transcript::new(directory.join("oob.txt")).hide(Mask::Times);
        transcript
            .check(
                "   0.010 s  unix  recv -> 'u' [needs CONFIG_AF_UNIX_OOB]\n",
                true,
            )
            .unwrap();
        for (same, output) in [
            (
                true,
                "   0.011 s  unix  recv -> 'u' [needs CONFIG_AF_UNIX_OOB]",
            ),
            (true, "   0.011 s  unix  skipped: needs CONFIG_AF_UNIX_OOB"),
            (false, "   0.011 s  unix  skipped: needs CONFIG_UNIX"),
            (false, "   0.011 s  tcp  skipped: needs CONFIG_AF_UNIX_OOB"),
            (
                false,
                "   0.011 s  unix  recv -> EINVAL [needs CONFIG_AF_UNIX_OOB]",
            ),
            (false, ""),
        ] {
            assert_eq!(transcript.check(output, false).is_ok(), same, "{output}");
        }
        assert!(!is_skipped("recv -> 'u'", "skipped: needs CONFIG_UNIX"));
    }

    #[test]
    fn an_update_writes_what_differs_and_leaves_the_rest_alone() {
        let (transcript, _directory) = recorded();
        let file = || fs::read_to_string(&transcript.file).unwrap();
        transcript
            .check(&RECORDED.replace("12", "99"), true)
            .unwrap();
        assert_eq!(file(), RECORDED, "the same but for the time: not rewritten");
        transcript.check("new\n", true).unwrap();
        assert_eq!(file(), "new\n");
    }

    #[test]
    fn a_transcript_that_is_not_there_yet_is_shown_whole_and_then_written() {
        let directory = TemporaryDirectory::new();
        let transcript = Transcript::new(directory.join("new.txt"));
        assert_eq!(transcript.check("a\n", false).unwrap_err(), "+ a\n");
        transcript.check("a\n", true).unwrap();
        transcript.compare("a\n");
    }

    #[test]
    #[should_panic(expected = "UPDATE_TRANSCRIPTS=1")]
    fn a_difference_says_how_to_take_the_new_output() {
        let (transcript, _directory) = recorded();
        transcript.compare("something else\n");
    }
}
