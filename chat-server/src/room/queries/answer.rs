//! An answer of many lines, cut before it costs the asker the connection.
//!
//! Shows: an answer can be as long as the room is big, and the queue it goes
//! into has a limit; whoever asks an innocent LIST must not be put out for what
//! the server itself has to say.

use chat_protocol::LineWriter;

use crate::room::client::Client;
use crate::room::mail::Mail;
use crate::room::numerics::{ERR_TOOMANYMATCHES, Numeric};
use crate::room::rules::Limits;

/// An answer may fill the asker's queue up to its limit divided by this. The
/// rest is for what others say before the asker has read it.
const ANSWER_SHARE: usize = 2;

/// An answer that is being sent.
pub(super) struct Answer<'a> {
    mail: &'a mut Mail,
    to: &'a Client,
    /// No line is added to a queue that is longer.
    max_queued_bytes: usize,
    /// Entries for which there was no room.
    left_out: usize,
}

impl<'a> Answer<'a> {
    pub(super) fn new(mail: &'a mut Mail, to: &'a Client, limits: &Limits) -> Answer<'a> {
        Answer {
            mail,
            to,
            max_queued_bytes: limits.send_queue_bytes / ANSWER_SHARE,
            left_out: 0,
        }
    }

    fn is_full(&self) -> bool {
        self.mail.queued(self.to.slot) > self.max_queued_bytes
    }

    /// Sends one entry, or counts it as left out.
    pub(super) fn line(
        &mut self,
        numeric: Numeric,
        compose: impl for<'l> FnOnce(LineWriter<'l>) -> LineWriter<'l>,
    ) {
        if self.is_full() {
            self.left_out += 1;
        } else {
            self.mail.reply(self.to, numeric, compose);
        }
    }

    /// Sends words in as many lines as they need: each begins as `head` writes
    /// it. A word is given in pieces. No words, no line.
    pub(super) fn words<'w, const PIECES: usize>(
        &mut self,
        numeric: Numeric,
        head: impl for<'l> Fn(LineWriter<'l>) -> LineWriter<'l>,
        words: impl IntoIterator<Item = [&'w [u8]; PIECES]>,
    ) {
        let mut words = words.into_iter().peekable();
        while let Some(first) = words.next() {
            if self.is_full() {
                self.left_out += 1 + words.count();
                return;
            }
            self.mail.reply(self.to, numeric, |line| {
                let mut line = append(head(line).trailing(b""), &first);
                let fits = |line: &LineWriter<'_>, word: &[&[u8]; PIECES]| {
                    let bytes: usize = word.iter().map(|piece| piece.len()).sum();
                    line.room() > bytes
                };
                while let Some(word) = words.next_if(|word| fits(&line, word)) {
                    line = append(line.append(b" "), &word);
                }
                line
            });
        }
    }

    /// Says what was left out, if anything.
    pub(super) fn close(self, command: &str) {
        if self.left_out > 0 {
            self.mail.reply(self.to, ERR_TOOMANYMATCHES, |line| {
                let line = line.parameter(command.as_bytes());
                let left_out = self.left_out;
                line.trailing_display(format_args!(
                    "Answer too long, {left_out} more left out: ask for less at once"
                ))
            });
        }
    }
}

fn append<'l>(line: LineWriter<'l>, pieces: &[&[u8]]) -> LineWriter<'l> {
    pieces.iter().fold(line, |line, piece| line.append(piece))
}
