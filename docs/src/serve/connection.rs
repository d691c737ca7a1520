//! One browser's connection: a head is read, a file is written, again and again.
//!
//! Shows: while an answer is on its way nothing is read, so that who asks faster than he listens is
//! held up by his own socket; a file of any size takes one buffer; a head has a limit in bytes and
//! in time; who is refused in the middle of what he sends gets the answer all the same.

use std::fs::File;
use std::io::{self, Read};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use epoll_loop::{EventLoop, Interest, ReadEnd, Readiness, SendQueue, Watched, read_within};

use super::Server;
use super::request::{self, MAX_HEAD_BYTES, Refusal, Request};

/// How much of a file is read at a time, and how much may wait for a reader of news.
pub(super) const QUEUE_BYTES: usize = 64 * 1024;

/// How long a head may take from its first byte to its last.
pub(super) const HEAD_TIME: Duration = Duration::from_secs(10);

/// How long is waited, and how much is read, until a browser has seen that it was the last answer.
const FAREWELL_TIME: Duration = Duration::from_secs(2);
const FAREWELL_BYTES: usize = 4 * 1024 * 1024;

#[derive(Debug)]
pub(super) struct Connection {
    pub(super) stream: Watched<TcpStream>,
    /// What has come and is not answered; at most [`MAX_HEAD_BYTES`].
    received: Vec<u8>,
    /// When the first byte of the head in `received` came.
    head_begun: Option<Instant>,
    queue: SendQueue,
    /// The file that is on its way, and how much of it is left.
    file: Option<(File, u64)>,
    /// No more requests after this answer.
    is_last: bool,
    /// The browser will send nothing more.
    has_ended: bool,
    farewell: Option<Farewell>,
    /// It is told of every new book, and asks nothing more.
    pub(super) wants_news: bool,
    /// When something last came or went.
    pub(super) last_active: Instant,
}

/// The last answer is out; what else comes is read and forgotten.
#[derive(Debug)]
struct Farewell {
    bytes_left: usize,
    ends: Instant,
}

/// What is to be done after an event.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    Wait,
    Answer(Request),
    Refuse(Refusal),
    Close,
}

impl Connection {
    pub(super) fn new(stream: Watched<TcpStream>, now: Instant) -> Self {
        Self {
            stream,
            received: Vec::new(),
            head_begun: None,
            queue: SendQueue::new(QUEUE_BYTES),
            file: None,
            is_last: false,
            has_ended: false,
            farewell: None,
            wants_news: false,
            last_active: now,
        }
    }

    /// Whether an answer is on its way.
    fn is_answering(&self) -> bool {
        !self.queue.is_empty() || self.file.is_some()
    }

    /// Reads what has come. `now` is the time of this turn.
    pub(super) fn read(&mut self, readiness: Readiness, now: Instant) -> Next {
        let room = MAX_HEAD_BYTES - self.received.len();
        let mut buffer = [0; MAX_HEAD_BYTES];
        let received = &mut self.received;
        let take = |bytes: &[u8]| received.extend_from_slice(bytes);
        let end = read_within(&*self.stream, readiness, &mut buffer, room, take);
        self.last_active = now;
        if let Some(farewell) = &mut self.farewell {
            farewell.bytes_left = farewell.bytes_left.saturating_sub(self.received.len());
            if farewell.bytes_left == 0 || now > farewell.ends {
                return Next::Close;
            }
        }
        if self.wants_news || self.farewell.is_some() {
            // It has nothing to say but good-bye.
            self.received.clear();
            return match end {
                Ok(ReadEnd::Drained | ReadEnd::BudgetSpent) => Next::Wait,
                Ok(ReadEnd::EndOfStream) | Err(_) => Next::Close,
            };
        }
        match end {
            Err(_) => Next::Close,
            // Who has asked and closed that half may still want the answer.
            Ok(ReadEnd::EndOfStream) => {
                self.is_last = true;
                self.has_ended = true;
                match self.next_request(now) {
                    Next::Wait => Next::Close,
                    next => next,
                }
            }
            Ok(ReadEnd::Drained | ReadEnd::BudgetSpent) => self.next_request(now),
        }
    }

    /// The next request of those that have come.
    pub(super) fn next_request(&mut self, now: Instant) -> Next {
        if self.received.is_empty() {
            return Next::Wait;
        }
        let begun = *self.head_begun.get_or_insert(now);
        match request::parse(&self.received) {
            Ok(Some((length, request))) => {
                self.received.drain(..length);
                self.head_begun = None;
                self.is_last |= !request.keep_alive;
                Next::Answer(request)
            }
            Ok(None) if now.duration_since(begun) > HEAD_TIME => Next::Refuse(Refusal::TooSlow),
            Ok(None) => Next::Wait,
            Err(refusal) => Next::Refuse(refusal),
        }
    }

    /// Appends bytes of an answer.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.queue.push(bytes);
    }

    /// Has a file follow what has been pushed.
    pub(super) fn push_file(&mut self, file: File, length: u64) {
        self.file = Some((file, length));
    }

    /// Has the connection end behind the answer; what else has come is forgotten.
    pub(super) fn end_after_answer(&mut self) {
        self.is_last = true;
        self.received.clear();
    }

    /// The last answer is out: closes our half, and reads on for a while. To close both with bytes
    /// unread resets the connection (RFC 9112, 9.6), and the answer may be lost with it. Returns
    /// false if there is nothing to wait for.
    pub(super) fn begin_farewell(&mut self, event_loop: &mut EventLoop<Server>) -> bool {
        if self.farewell.is_some() {
            return true;
        }
        if self.has_ended || self.stream.shutdown(Shutdown::Write).is_err() {
            return false;
        }
        self.farewell = Some(Farewell {
            bytes_left: FAREWELL_BYTES,
            ends: event_loop.now() + FAREWELL_TIME,
        });
        self.stream.set_timeout(event_loop, Some(FAREWELL_TIME));
        true
    }

    /// From now on it is told news, and the answer has no end.
    pub(super) fn begin_news(&mut self) {
        self.wants_news = true;
        self.is_last = false;
    }

    pub(super) fn is_last(&self) -> bool {
        self.is_last
    }

    /// Whether more news waits than a reader of it may leave unread.
    pub(super) fn is_behind(&self) -> bool {
        self.queue.is_above_mark()
    }

    /// Writes what the browser takes; true if the answer is complete.
    pub(super) fn write(&mut self, event_loop: &mut EventLoop<Server>) -> io::Result<bool> {
        loop {
            if self.queue.write_to(&*self.stream)? > 0 {
                self.last_active = event_loop.now();
            }
            if !self.queue.is_empty() {
                break;
            }
            let Some((file, left)) = &mut self.file else {
                break;
            };
            let mut piece = Vec::new();
            file.take((*left).min(QUEUE_BYTES as u64))
                .read_to_end(&mut piece)?;
            if piece.is_empty() && *left > 0 {
                // It has become shorter: the browser is to see that something is missing.
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            *left -= piece.len() as u64;
            if *left == 0 {
                self.file = None;
            }
            self.queue.push(&piece);
        }
        let interest = match (self.is_answering(), self.wants_news) {
            (true, false) => Interest::WRITABLE,
            (true, true) => Interest::READABLE | Interest::WRITABLE,
            (false, _) => Interest::READABLE,
        };
        self.stream.set_interest(event_loop, interest);
        Ok(!self.is_answering())
    }
}
