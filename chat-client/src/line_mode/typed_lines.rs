//! Standard input cut into lines.
//!
//! Shows: a last line without a newline is a line; one without end takes no
//! more memory than a long one; text that is not UTF-8 is made so and said.

use std::mem;

/// The longest line that is taken. It becomes a hundred messages or more.
pub(super) const MAX_LINE_BYTES: usize = 64 * 1024;

/// A line of standard input.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Typed {
    Line(String),
    /// Some bytes were no text, and stand as U+FFFD.
    Repaired(String),
    /// More than [`MAX_LINE_BYTES`]; the line is not taken.
    TooLong,
}

/// Cuts bytes into lines, however they come.
#[derive(Debug, Default)]
pub(super) struct TypedLines {
    /// The beginning of a line whose end has not come.
    begun: Vec<u8>,
    /// The rest of an over-long line is being passed over.
    is_skipping: bool,
}

impl TypedLines {
    /// Takes the next bytes and calls `on_line` for each line that ends in them.
    pub(super) fn take(&mut self, bytes: &[u8], mut on_line: impl FnMut(Typed)) {
        let mut pieces = bytes.split(|&byte| byte == b'\n');
        let last = pieces.next_back().unwrap_or_default();
        for piece in pieces {
            self.keep(piece);
            on_line(self.finish_line());
        }
        self.keep(last);
    }

    /// The input has ended: a line that was begun is a line.
    pub(super) fn finish(&mut self, mut on_line: impl FnMut(Typed)) {
        if self.is_skipping || !self.begun.is_empty() {
            on_line(self.finish_line());
        }
    }

    fn keep(&mut self, piece: &[u8]) {
        if self.begun.len() + piece.len() > MAX_LINE_BYTES {
            self.begun = Vec::new();
            self.is_skipping = true;
        } else if !self.is_skipping {
            self.begun.extend_from_slice(piece);
        }
    }

    fn finish_line(&mut self) -> Typed {
        if mem::take(&mut self.is_skipping) {
            return Typed::TooLong;
        }
        let mut line = mem::take(&mut self.begun);
        if line.ends_with(b"\r") {
            line.pop();
        }
        match String::from_utf8(line) {
            Ok(line) => Typed::Line(line),
            Err(err) => Typed::Repaired(String::from_utf8_lossy(err.as_bytes()).into_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of `input`, which comes in two pieces, cut at `at`.
    fn lines(input: &[u8], at: usize) -> Vec<Typed> {
        let mut lines = Vec::new();
        let mut typed = TypedLines::default();
        let (one, two) = input.split_at(at);
        typed.take(one, |line| lines.push(line));
        typed.take(two, |line| lines.push(line));
        typed.finish(|line| lines.push(line));
        lines
    }

    #[test]
    fn the_lines_do_not_depend_on_how_the_bytes_come() {
        let line = |text: &str| Typed::Line(text.to_owned());
        let input = "one\r\n\ngrün\nlast".as_bytes();
        for at in 0..=input.len() {
            assert_eq!(
                lines(input, at),
                [line("one"), line(""), line("grün"), line("last")]
            );
        }
        assert_eq!(lines(b"", 0), []);
        assert_eq!(lines(b"one\n", 2), [line("one")]);
    }

    #[test]
    fn a_line_without_end_is_passed_over_and_the_next_one_is_not() {
        let mut input = vec![b'x'; MAX_LINE_BYTES];
        input.extend_from_slice(b"\nshort");
        assert!(matches!(&lines(&input, 7)[0], Typed::Line(line) if line.len() == MAX_LINE_BYTES));
        input.insert(0, b'x');
        assert_eq!(
            lines(&input, 7),
            [Typed::TooLong, Typed::Line("short".to_owned())]
        );
        let mut typed = TypedLines::default();
        for _ in 0..100 {
            typed.take(&[b'x'; 10_000], |_| panic!("no line has ended"));
        }
        assert!(typed.begun.capacity() <= 2 * MAX_LINE_BYTES);
        let mut last = Vec::new();
        typed.finish(|line| last.push(line));
        assert_eq!(last, [Typed::TooLong]);
    }

    #[test]
    fn what_is_no_text_is_repaired_and_told_apart() {
        assert_eq!(
            lines(b"gr\xfcn\n", 3),
            [Typed::Repaired("gr\u{FFFD}n".to_owned())]
        );
    }
}
