//! One output stream of a program, collected by a thread while it is printed.
//!
//! Shows: a program never waits for its test to read; a test waits on a condition variable for
//! what the program prints, and knows at once when nothing more can come.

use std::io::{ErrorKind, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;

use crate::LinePattern;
use crate::deadline::Deadline;

/// What is kept of one stream; the rest is counted.
const MAX_KEPT_BYTES: usize = 64 << 20;
/// What a failed test shows of one stream: the end of it.
const MAX_SHOWN_BYTES: usize = 64 << 10;

/// Why a wait for output ended without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotPrinted {
    /// The stream was closed: nothing more can come.
    Closed,
    /// The deadline passed.
    TimedOut,
}

/// What one stream has carried so far.
#[derive(Debug, Default)]
pub(crate) struct Output {
    printed: Mutex<Printed>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Printed {
    bytes: Vec<u8>,
    /// Lines before this byte were found by earlier waits.
    used: usize,
    /// Bytes over the limit.
    lost: usize,
    closed: bool,
}

impl Output {
    /// A stream that is not ours to read, already at its end.
    pub(crate) fn nothing() -> Arc<Self> {
        let output = Self::default();
        output.lock().closed = true;
        Arc::new(output)
    }

    /// Starts the thread that reads `stream` to its end.
    ///
    /// Nobody joins it: a grandchild may hold the stream open for longer than the test runs.
    pub(crate) fn collect(stream: impl Read + Send + 'static) -> Arc<Self> {
        let output = Arc::new(Self::default());
        let collected = Arc::clone(&output);
        thread::spawn(move || collected.read_to_end(stream));
        output
    }

    fn read_to_end(&self, mut stream: impl Read) {
        let mut buffer = vec![0; 64 << 10];
        loop {
            let bytes = match stream.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => &buffer[..length],
                Err(err) if err.kind() == ErrorKind::Interrupted => continue,
                // EIO is how a terminal ends.
                Err(_) => break,
            };
            let mut printed = self.lock();
            let kept = bytes.len().min(MAX_KEPT_BYTES - printed.bytes.len());
            printed.bytes.extend_from_slice(&bytes[..kept]);
            printed.lost += bytes.len() - kept;
            self.changed.notify_all();
        }
        self.lock().closed = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Printed> {
        self.printed
            .lock()
            .expect("no code that holds this lock panics")
    }

    /// Waits until `look` finds in the stream what it looks for.
    fn wait<T>(
        &self,
        deadline: Deadline,
        mut look: impl FnMut(&mut Printed) -> Option<T>,
    ) -> Result<T, NotPrinted> {
        let mut printed = self.lock();
        loop {
            if let Some(found) = look(&mut printed) {
                return Ok(found);
            }
            if printed.closed {
                return Err(NotPrinted::Closed);
            }
            let remaining = deadline.remaining();
            if remaining.is_zero() {
                return Err(NotPrinted::TimedOut);
            }
            let wait = self.changed.wait_timeout(printed, remaining);
            printed = wait.expect("no code that holds this lock panics").0;
        }
    }

    /// Waits for the next line that matches. It and those before it are used up.
    pub(crate) fn wait_for_line(
        &self,
        pattern: &dyn LinePattern,
        deadline: Deadline,
    ) -> Result<String, NotPrinted> {
        let mut looked = 0;
        self.wait(deadline, |printed| {
            // Another thread's wait may have used up more in the meantime.
            looked = looked.max(printed.used);
            while let Some((line, end)) = printed.line_at(looked) {
                looked = end;
                if pattern.accepts(&line) {
                    printed.used = end;
                    return Some(line);
                }
            }
            None
        })
    }

    /// Waits until `count` lines begin with `prefix`, and gives the rest of each, from the first
    /// line on. Uses nothing up.
    pub(crate) fn wait_for_prefixed(
        &self,
        prefix: &str,
        count: usize,
        deadline: Deadline,
    ) -> Result<Vec<String>, NotPrinted> {
        let (mut looked, mut found) = (0, Vec::new());
        self.wait(deadline, |printed| {
            while found.len() < count {
                let (line, end) = printed.line_at(looked)?;
                looked = end;
                found.extend(line.strip_prefix(prefix).map(str::to_owned));
            }
            Some(std::mem::take(&mut found))
        })
    }

    /// Waits until nothing more can come; false at the deadline.
    pub(crate) fn wait_until_closed(&self, deadline: Deadline) -> bool {
        self.wait(deadline, |printed| printed.closed.then_some(()))
            .is_ok()
    }

    /// Everything printed so far.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.lock().bytes.clone()
    }

    /// For a failed test: the end of what was printed, under a heading.
    pub(crate) fn show(&self, heading: &str) -> String {
        let printed = self.lock();
        let hidden = printed.bytes.len().saturating_sub(MAX_SHOWN_BYTES);
        let before = match hidden {
            0 => String::new(),
            _ => format!("... {hidden} bytes before this ...\n"),
        };
        let text = String::from_utf8_lossy(&printed.bytes[hidden..]);
        let newline = if text.is_empty() || text.ends_with('\n') {
            ""
        } else {
            "\n"
        };
        let after = match printed.lost {
            0 => String::new(),
            lost => format!("... {lost} bytes more, which were not kept ...\n"),
        };
        format!("--- {heading} ---\n{before}{text}{newline}{after}")
    }
}

impl Printed {
    /// The line that begins at `start`, and where the next one begins. A line without its end
    /// counts only when the stream has ended.
    fn line_at(&self, start: usize) -> Option<(String, usize)> {
        let rest = &self.bytes[start..];
        let (line, length) = match rest.iter().position(|&byte| byte == b'\n') {
            Some(length) => (&rest[..length], length + 1),
            None if self.closed && !rest.is_empty() => (rest, rest.len()),
            None => return None,
        };
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        Some((String::from_utf8_lossy(line).into_owned(), start + length))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Write, pipe};
    use std::time::Duration;

    use super::*;
    use crate::TIMEOUT;

    fn soon() -> Deadline {
        Deadline::after(TIMEOUT)
    }

    #[test]
    fn a_line_is_found_when_it_is_whole() {
        let (reader, mut writer) = pipe().unwrap();
        let output = Output::collect(reader);
        writer.write_all(b"one\r\ntw").unwrap();
        assert_eq!(output.wait_for_line(&"one", soon()), Ok("one".to_owned()));
        let passed = Deadline::after(Duration::ZERO);
        assert_eq!(
            output.wait_for_line(&"tw", passed),
            Err(NotPrinted::TimedOut)
        );
        writer.write_all(b"o\n").unwrap();
        assert_eq!(output.wait_for_line(&"tw", soon()), Ok("two".to_owned()));
    }

    #[test]
    fn a_line_is_found_once() {
        let output = Output::collect(&b"hello\nhello\n"[..]);
        assert!(output.wait_for_line(&"hello", soon()).is_ok());
        assert!(output.wait_for_line(&"hello", soon()).is_ok());
        assert_eq!(
            output.wait_for_line(&"hello", soon()),
            Err(NotPrinted::Closed)
        );
    }

    #[test]
    fn lines_before_the_one_that_matches_are_used_up() {
        let output = Output::collect(&b"one\ntwo\nthree\n"[..]);
        assert!(output.wait_for_line(&"two", soon()).is_ok());
        assert_eq!(
            output.wait_for_line(&"one", soon()),
            Err(NotPrinted::Closed)
        );
        assert!(
            output.wait_for_line(&"three", soon()).is_ok(),
            "a failed wait uses nothing up"
        );
    }

    #[test]
    fn the_last_line_needs_no_newline_once_the_stream_has_ended() {
        let output = Output::collect(&b"one\nlast"[..]);
        assert_eq!(output.wait_for_line(&"last", soon()), Ok("last".to_owned()));
    }

    #[test]
    fn prefixed_lines_are_counted_from_the_first_line() {
        let output = Output::collect(&b"on 1\nelse\non 2\non 3\n"[..]);
        assert!(output.wait_for_line(&"on 2", soon()).is_ok());
        assert_eq!(
            output.wait_for_prefixed("on ", 2, soon()),
            Ok(vec!["1".into(), "2".into()])
        );
        assert_eq!(
            output.wait_for_prefixed("on ", 4, soon()),
            Err(NotPrinted::Closed)
        );
    }

    #[test]
    fn what_is_over_the_limit_is_counted() {
        let output = Output::collect(std::io::repeat(b'x').take(MAX_KEPT_BYTES as u64 + 7));
        assert!(output.wait_until_closed(soon()));
        assert_eq!(output.bytes().len(), MAX_KEPT_BYTES);
        let shown = output.show("stdout");
        assert!(shown.ends_with("\n... 7 bytes more, which were not kept ...\n"));
        assert!(shown.len() < 2 * MAX_SHOWN_BYTES);
    }
}
