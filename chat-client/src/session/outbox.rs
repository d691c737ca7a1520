//! Lines on their way to the server.
//!
//! Shows: a window, as TCP has one. A server that holds a fast client back stops
//! reading; then megabytes fit into the buffers between the two programs, and
//! nobody knows how much of it has been read. So after a few lines there is a
//! `PING`, and the next lines wait for its `PONG`: what is on its way is little
//! and known, and the rest waits here, where it is counted.
//! Leaves out: the socket. What it has taken is told by [`Outbox::wrote`].

use std::collections::VecDeque;
use std::mem;
use std::time::{Duration, Instant};

use chat_protocol::{LineWriter, TagLimit};
use epoll_loop::SendQueue;

use super::news::News;
use super::settings::Target;

/// Lines that may be on their way without an answer of the server behind them.
/// With their `PING` they are half of the burst that our server grants.
const WINDOW_LINES: usize = 10;

/// No more is read of standard input while this much of it waits.
const MAX_WAITING_BYTES: usize = 64 * 1024;

/// The token of the last `PING`.
const END: &[u8] = b"end";

/// What a person has typed, as lines of the protocol and before.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    /// As typed: what it means depends on where the person is by then.
    typed: VecDeque<(Target, String)>,
    typed_bytes: usize,
    /// Which of the typed lines is being sent.
    number: u64,
    /// Lines of the protocol that wait for the window.
    lines: VecDeque<Line>,
    /// Handed to the send queue, and not yet written to the end.
    in_flight: VecDeque<Line>,
    /// What is sent whether or not the window is open.
    replies: Vec<u8>,
    /// Bytes handed to the send queue of this connection, and bytes written.
    pushed: u64,
    written: u64,
    /// Lines handed over that no answer has confirmed: whether a person has
    /// typed each.
    unconfirmed: VecDeque<bool>,
    /// How many of them are behind the last `PING`.
    behind_check: usize,
    checks: u64,
    /// When the `PING` was asked that waits for its answer.
    checked_at: Option<Instant>,
    /// How long the last answer took.
    lag: Option<Duration>,
    end: End,
}

/// A line of the protocol.
#[derive(Debug)]
struct Line {
    bytes: Vec<u8>,
    /// The typed line that it belongs to; none for a question of the program.
    number: Option<u64>,
    /// What it says to others, until it is handed over.
    said: Option<News>,
    /// Where it ends among the bytes handed over.
    end: u64,
}

/// How far the last words are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum End {
    #[default]
    Open,
    /// The last line is typed.
    Typed,
    /// `PING :end` is on its way.
    Asked,
    Confirmed,
}

impl Outbox {
    /// Takes a line as it was typed.
    pub(crate) fn type_line(&mut self, target: Target, text: String) {
        self.typed_bytes += text.len() + 1;
        self.typed.push_back((target, text));
    }

    /// Whether no more should be typed for now.
    pub(crate) fn is_full(&self) -> bool {
        self.typed_bytes > MAX_WAITING_BYTES
    }

    /// The next typed line, once those before it are on their way.
    pub(crate) fn next_typed(&mut self) -> Option<(Target, String)> {
        if !self.lines.is_empty() || self.unconfirmed.len() >= WINDOW_LINES {
            return None;
        }
        let (target, text) = self.typed.pop_front()?;
        self.typed_bytes -= text.len() + 1;
        self.number += 1;
        Some((target, text))
    }

    /// Takes a line of the protocol that the last typed line has become, and
    /// what it says to others.
    pub(crate) fn queue(&mut self, bytes: Vec<u8>, said: Option<News>) {
        let number = Some(self.number);
        self.lines.push_back(Line {
            bytes,
            number,
            said,
            end: 0,
        });
    }

    /// Takes a question of the program to the server, which is not asked again
    /// after a lost connection.
    pub(crate) fn ask(&mut self, command: &[u8], words: &[&[u8]]) {
        let mut bytes = Vec::new();
        let line = LineWriter::with_tag_limit(&mut bytes, TagLimit::Client).command(command);
        let line = words.iter().fold(line, |line, word| line.parameter(word));
        line.finish();
        self.lines.push_back(Line {
            bytes,
            number: None,
            said: None,
            end: 0,
        });
    }

    /// Begins a line that goes out at once, whatever waits.
    pub(crate) fn reply(&mut self) -> LineWriter<'_> {
        LineWriter::with_tag_limit(&mut self.replies, TagLimit::Client)
    }

    /// Hands over the replies, and if the server `is_ready` the lines that the
    /// window lets through. Returns what those say that are handed over for the
    /// first time.
    pub(crate) fn fill(
        &mut self,
        queue: &mut SendQueue,
        is_ready: bool,
        now: Instant,
    ) -> Vec<News> {
        let mut said = Vec::new();
        self.push_replies(queue);
        if !is_ready {
            return said;
        }
        while self.unconfirmed.len() < WINDOW_LINES
            && let Some(mut line) = self.lines.pop_front()
        {
            queue.push(&line.bytes);
            self.pushed += line.bytes.len() as u64;
            line.end = self.pushed;
            said.extend(line.said.take());
            self.unconfirmed.push_back(line.number.is_some());
            self.in_flight.push_back(line);
            self.behind_check += usize::from(self.checked_at.is_some());
        }
        if self.unconfirmed.len() >= WINDOW_LINES {
            self.check(now);
        }
        if self.end == End::Typed && self.lines.is_empty() && self.typed.is_empty() {
            self.end = End::Asked;
            self.reply().command(b"PING").trailing(END).finish();
        }
        self.push_replies(queue);
        said
    }

    fn push_replies(&mut self, queue: &mut SendQueue) {
        queue.push(&self.replies);
        self.pushed += self.replies.len() as u64;
        self.replies.clear();
    }

    /// Asks the server how far it has read, unless that is asked already.
    pub(crate) fn check(&mut self, now: Instant) {
        if self.checked_at.is_none() {
            self.checks += 1;
            self.checked_at = Some(now);
            self.behind_check = 0;
            let token = check_token(self.checks);
            self.reply().command(b"PING").trailing(&token).finish();
        }
    }

    /// The number of the question that has no answer yet.
    pub(crate) fn awaited_check(&self) -> Option<u64> {
        self.checked_at.is_some().then_some(self.checks)
    }

    /// The server has read everything before the `PING` with this token.
    pub(crate) fn pong(&mut self, token: &[u8], now: Instant) {
        if let Some(checked_at) = self.checked_at
            && token == check_token(self.checks)
        {
            self.checked_at = None;
            self.lag = Some(now.saturating_duration_since(checked_at));
            let confirmed = self.unconfirmed.len() - mem::take(&mut self.behind_check);
            self.unconfirmed.drain(..confirmed);
        } else if self.end == End::Asked && token == END {
            self.end = End::Confirmed;
            self.unconfirmed.clear();
            self.behind_check = 0;
        }
    }

    /// Nothing will be typed any more: asks the server, behind the last line,
    /// whether it has read them all.
    pub(crate) fn finish(&mut self) {
        if self.end == End::Open {
            self.end = End::Typed;
        }
    }

    /// Whether the question behind the last line is sent.
    pub(crate) fn is_asked(&self) -> bool {
        self.end == End::Asked
    }

    /// Whether the server has read everything to the last line.
    pub(crate) fn is_confirmed(&self) -> bool {
        self.end == End::Confirmed
    }

    /// How long the server took for its last answer on this connection.
    pub(crate) fn lag(&self) -> Option<Duration> {
        self.lag
    }

    /// The socket has taken `count` bytes of the send queue.
    pub(crate) fn wrote(&mut self, count: usize) {
        self.written += count as u64;
        while self
            .in_flight
            .front()
            .is_some_and(|line| line.end <= self.written)
        {
            self.in_flight.pop_front();
        }
    }

    /// The connection is gone: what was not written to the end will be sent
    /// again. Returns how many lines were written and may not have arrived.
    pub(crate) fn disconnect(&mut self) -> usize {
        let written = self.unconfirmed.len() - self.in_flight.len();
        let uncertain = self.unconfirmed.iter().take(written);
        let uncertain = uncertain.filter(|&&is_typed| is_typed).count();
        while let Some(line) = self.in_flight.pop_back() {
            self.lines.push_front(line);
        }
        self.replies.clear();
        (self.pushed, self.written) = (0, 0);
        self.lines.retain(|line| line.number.is_some());
        self.unconfirmed.clear();
        self.behind_check = 0;
        (self.checked_at, self.lag) = (None, None);
        if self.end == End::Asked {
            self.end = End::Typed;
        }
        uncertain
    }

    /// How many of the typed lines were not sent, or not to the end.
    pub(crate) fn unsent(&self) -> usize {
        let lines = self.in_flight.iter().chain(&self.lines);
        let mut begun: Vec<u64> = lines.filter_map(|line| line.number).collect();
        begun.dedup();
        begun.len() + self.typed.len()
    }
}

fn check_token(number: u64) -> Vec<u8> {
    format!("check-{number}").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An outbox whose typed lines are sent as they are.
    #[derive(Default)]
    struct Sender {
        outbox: Outbox,
        queue: Option<SendQueue>,
        sent: Vec<u8>,
    }

    impl Sender {
        fn type_lines(&mut self, lines: std::ops::Range<usize>) {
            for line in lines {
                self.outbox
                    .type_line(Target::Current, format!("line {line}"));
            }
        }

        /// Sends what may be sent, of which the socket takes `room` bytes.
        fn send(&mut self, room: usize) -> Vec<String> {
            let queue = self.queue.get_or_insert_with(|| SendQueue::new(0));
            loop {
                self.outbox.fill(queue, true, Instant::now());
                let Some((_, text)) = self.outbox.next_typed() else {
                    break;
                };
                self.outbox.queue(format!("{text}\r\n").into_bytes(), None);
            }
            let mut socket = vec![0; room];
            let mut socket_left = socket.as_mut_slice();
            // A slice that is full is an error for the queue, which keeps the rest.
            let _ = queue.write_to(&mut socket_left);
            let left = socket_left.len();
            socket.truncate(room - left);
            self.outbox.wrote(socket.len());
            self.sent.extend_from_slice(&socket);
            let lines = String::from_utf8(socket).unwrap();
            lines.lines().map(str::to_owned).collect()
        }
    }

    #[test]
    fn the_window_closes_behind_ten_lines_until_the_server_has_answered() {
        let mut sender = Sender::default();
        sender.type_lines(0..25);
        let first = sender.send(10_000);
        assert_eq!(first.len(), 11);
        assert_eq!(first[10], "PING :check-1");
        assert_eq!(sender.send(10_000), [""; 0]);
        sender.outbox.pong(b"check-0", Instant::now());
        assert_eq!(
            sender.send(10_000),
            [""; 0],
            "an answer to another question"
        );
        sender.outbox.pong(b"check-1", Instant::now());
        let second = sender.send(10_000);
        assert_eq!((second[0].as_str(), second.len()), ("line 10", 11));
        assert_eq!(sender.outbox.unsent(), 5);
    }

    #[test]
    fn a_check_confirms_only_what_was_sent_before_it() {
        let mut sender = Sender::default();
        sender.type_lines(0..3);
        sender.send(10_000);
        sender.outbox.check(Instant::now());
        sender.type_lines(3..7);
        sender.send(10_000);
        sender.outbox.pong(b"check-1", Instant::now());
        assert_eq!(sender.outbox.disconnect(), 4);
    }

    #[test]
    fn the_end_is_asked_behind_the_last_line() {
        let mut sender = Sender::default();
        sender.type_lines(0..12);
        sender.outbox.finish();
        assert!(!sender.send(10_000).contains(&"PING :end".to_owned()));
        sender.outbox.pong(b"check-1", Instant::now());
        assert_eq!(sender.send(10_000), ["line 10", "line 11", "PING :end"]);
        assert!(sender.outbox.is_asked() && !sender.outbox.is_confirmed());
        sender.outbox.pong(b"end", Instant::now());
        assert!(sender.outbox.is_confirmed());
        assert_eq!(sender.outbox.disconnect(), 0);
    }

    #[test]
    fn a_line_that_was_cut_by_a_lost_connection_is_sent_again_whole() {
        let mut sender = Sender::default();
        sender.type_lines(0..4);
        // Two lines and the beginning of the third.
        assert_eq!(sender.send(16 + 4), ["line 0", "line 1", "line"]);
        assert_eq!(sender.outbox.unsent(), 2);
        assert_eq!(sender.outbox.disconnect(), 2, "written and not confirmed");
        sender.queue = None;
        assert_eq!(sender.send(10_000), ["line 2", "line 3"]);
        assert_eq!(sender.outbox.unsent(), 0);
    }

    #[test]
    fn a_typed_line_that_became_several_counts_once() {
        let mut outbox = Outbox::default();
        outbox.type_line(Target::Current, "long".to_owned());
        outbox.next_typed().unwrap();
        outbox.queue(b"one\r\n".to_vec(), None);
        outbox.queue(b"two\r\n".to_vec(), None);
        outbox.type_line(Target::Current, "short".to_owned());
        assert_eq!(outbox.unsent(), 2);
    }

    #[test]
    fn replies_do_not_wait_for_the_window_or_for_the_server() {
        let mut sender = Sender::default();
        sender.type_lines(0..20);
        sender.send(10_000);
        sender
            .outbox
            .reply()
            .command(b"PONG")
            .trailing(b"x")
            .finish();
        assert_eq!(sender.send(10_000), ["PONG :x"]);

        let (mut outbox, mut queue) = (Outbox::default(), SendQueue::new(0));
        outbox.reply().command(b"NICK").parameter(b"ann").finish();
        outbox.queue(b"JOIN #a\r\n".to_vec(), None);
        outbox.fill(&mut queue, false, Instant::now());
        assert_eq!(queue.len(), b"NICK ann\r\n".len());
    }

    #[test]
    fn what_is_typed_ahead_has_a_limit() {
        let mut outbox = Outbox::default();
        while !outbox.is_full() {
            outbox.type_line(Target::Current, "x".repeat(1_000));
        }
        assert!(outbox.unsent() < 70);
        outbox.next_typed().unwrap();
        assert!(!outbox.is_full());
    }

    #[test]
    fn what_a_line_says_is_told_when_it_is_handed_over_and_only_once() {
        let (mut outbox, mut queue) = (Outbox::default(), SendQueue::new(0));
        for number in 0..=WINDOW_LINES {
            let said = News::Hint(number.to_string());
            outbox.queue(b"PRIVMSG #a :x\r\n".to_vec(), Some(said));
        }
        let now = Instant::now();
        assert_eq!(outbox.fill(&mut queue, false, now), []);
        assert_eq!(outbox.fill(&mut queue, true, now).len(), WINDOW_LINES);
        outbox.disconnect();
        assert_eq!(
            outbox.fill(&mut queue, true, now),
            [],
            "sent again, said once"
        );
        outbox.pong(b"check-2", now);
        let last = outbox.fill(&mut queue, true, now);
        assert_eq!(last, [News::Hint(WINDOW_LINES.to_string())]);
    }

    #[test]
    fn a_question_of_the_program_waits_for_the_window_and_counts_for_nothing() {
        let mut sender = Sender::default();
        sender.type_lines(0..WINDOW_LINES - 1);
        sender.send(10_000);
        sender.outbox.ask(b"MODE", &[b"#a"]);
        sender.outbox.ask(b"MODE", &[b"#b"]);
        assert_eq!(sender.send(10_000), ["MODE #a", "PING :check-1"]);
        assert_eq!(sender.outbox.unsent(), 0);
        assert_eq!(sender.outbox.disconnect(), WINDOW_LINES - 1);
        assert_eq!(sender.send(10_000), [""; 0], "not asked again");
    }

    #[test]
    fn the_lag_is_what_the_last_answer_took() {
        let mut outbox = Outbox::default();
        let start = Instant::now();
        outbox.check(start);
        assert_eq!(outbox.lag(), None);
        outbox.pong(b"check-1", start + Duration::from_millis(42));
        assert_eq!(outbox.lag(), Some(Duration::from_millis(42)));
        outbox.disconnect();
        assert_eq!(outbox.lag(), None);
    }
}
