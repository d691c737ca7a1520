//! Lines that come again and again, recognised by comparing.
//!
//! Shows: to compare a line of 150 bytes with one that is known takes some nanoseconds, to find its
//! end and take it apart a hundred and more. A generator that reads millions of lines a second has
//! no time for the latter, and may guess no less exactly for it: what is not byte by byte a known
//! line is parsed.

use chat_protocol::MAX_BODY_BYTES;

/// The last line of each sender.
#[derive(Debug, Default)]
pub(crate) struct KnownLines {
    /// By sender; empty if it is not known.
    lines: Vec<Vec<u8>>,
    /// The sender whose line came after that of this one, the last time.
    successors: Vec<usize>,
    last: usize,
}

impl KnownLines {
    // ANCHOR: recognise
    /// Whether `bytes` begin with a known line: its length, and who has sent it.
    #[inline]
    pub(crate) fn recognise(&mut self, bytes: &[u8]) -> Option<(usize, usize)> {
        let guess = *self.successors.get(self.last)?;
        if let Some(length) = self.matches(guess, bytes) {
            self.last = guess;
            return Some((length, guess));
        }
        // With more senders than one the order changes now and then. Nicks differ in their first
        // bytes, so each of these comparisons is a short one.
        for sender in 0..self.lines.len() {
            if let Some(length) = self.matches(sender, bytes) {
                self.successors[self.last] = sender;
                self.last = sender;
                return Some((length, sender));
            }
        }
        None
    }
    // ANCHOR_END: recognise

    #[inline]
    fn matches(&self, sender: usize, bytes: &[u8]) -> Option<usize> {
        let line = &self.lines[sender];
        (!line.is_empty() && bytes.starts_with(line)).then_some(line.len())
    }

    /// Takes a line, given without its end, for one that will come again from `sender`.
    pub(crate) fn learn(&mut self, line: &[u8], sender: usize) {
        if self.lines.len() <= sender {
            self.lines.resize(sender + 1, Vec::new());
            // The nearest guess: whoever has spoken goes on.
            self.successors = (0..=sender).collect();
        }
        // One with tags has a time or a number in it, and comes only once.
        if line.len() < MAX_BODY_BYTES && !line.starts_with(b"@") {
            self.lines[sender] = [line, b"\r\n"].concat();
            self.last = sender;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_line_that_is_the_same_is_recognised() {
        let mut known = KnownLines::default();
        assert_eq!(known.recognise(b":a PRIVMSG #c :x\r\n"), None);
        known.learn(b":a PRIVMSG #c :x", 0);
        known.learn(b":b PRIVMSG #c :x", 1);
        for _ in 0..2 {
            assert_eq!(known.recognise(b":a PRIVMSG #c :x\r\n:b"), Some((18, 0)));
            assert_eq!(known.recognise(b":b PRIVMSG #c :x\r\n"), Some((18, 1)));
        }
        assert_eq!(known.recognise(b":b PRIVMSG #c :x\r\n"), Some((18, 1)));
        for other in [
            &b":a PRIVMSG #c :x\r"[..],
            b":a PRIVMSG #c :xx\r\n",
            b":c PRIVMSG #c :x\r\n",
            b"",
        ] {
            assert_eq!(known.recognise(other), None, "{other:?}");
        }
    }

    #[test]
    fn a_line_with_tags_is_always_parsed() {
        let mut known = KnownLines::default();
        known.learn(b"@time=12:00 :a PRIVMSG #c :x", 0);
        assert_eq!(known.recognise(b"@time=12:00 :a PRIVMSG #c :x\r\n"), None);
    }
}
