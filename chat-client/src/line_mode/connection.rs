//! The connection: what comes, what goes, and what to do when it is gone.

use std::io;
use std::net::{Shutdown, TcpStream};
use std::ops::ControlFlow;
use std::time::Duration;

use chat_protocol::{Decoded, LineDecoder, TagLimit};
use epoll_loop::{
    Event, EventLoop, Interest, ReadEnd, Readiness, SendQueue, Watch, Watched, WatcherId,
    read_within,
};

use crate::attempt::{Attempt, Connects};
use crate::failure::{ConnectError, Failure, LostReason};

use super::LineMode;
use super::ending::Ending;

/// The size of one read, and how much is read before the others have a turn.
pub(super) const READ_BYTES: usize = 16 * 1024;
const READ_BUDGET_BYTES: usize = 64 * 1024;

/// A server that does not take this much, and sends on, will not read at all:
/// typed lines are far less, so these are answers to its own PINGs.
const MAX_QUEUED_BYTES: usize = 64 * 1024;

/// How often the server is asked whether it is there, and how long it may take
/// to answer that, or to let the person in.
const PING_INTERVAL: Duration = Duration::from_secs(30);

/// What belongs to one connection.
#[derive(Debug)]
pub(super) struct Connection {
    stream: Watched<TcpStream>,
    decoder: LineDecoder,
    queue: SendQueue,
    /// Why nothing can be sent any more; what comes is still read to its end.
    send_error: Option<io::Error>,
    ping_timer: WatcherId,
    /// The PING that had no answer when the timer was last due.
    unanswered: Option<u64>,
}

impl Connects for LineMode {
    fn attempt(&mut self) -> &mut Attempt {
        &mut self.attempt
    }

    fn connected(&mut self, event_loop: &mut EventLoop<LineMode>, stream: TcpStream) {
        let watch = Watch::new(Interest::READABLE).label("server");
        match event_loop.watch(stream, watch, LineMode::exchange) {
            Ok(stream) => {
                self.session.connect();
                self.connection = Some(Connection {
                    stream,
                    decoder: LineDecoder::new(TagLimit::Server),
                    queue: SendQueue::new(MAX_QUEUED_BYTES),
                    send_error: None,
                    ping_timer: event_loop.every(PING_INTERVAL, LineMode::check_connection),
                    unanswered: None,
                });
            }
            Err(err) => self.fail(event_loop, Failure::System("event loop", err)),
        }
    }

    fn not_connected(&mut self, event_loop: &mut EventLoop<LineMode>, why: ConnectError) {
        let failure = Failure::Connect(self.attempt.address().clone(), why);
        self.fail_or_retry(event_loop, failure);
    }
}

impl LineMode {
    /// The server has sent something, or takes more, or is gone.
    fn exchange(&mut self, event_loop: &mut EventLoop<LineMode>, event: Event) {
        // That it takes more is for `send`, which is called before the wait.
        if event.readiness.is_readable()
            && let Err(why) = self.receive(event_loop, event.readiness)
        {
            self.lose(event_loop, why);
        }
    }

    /// Reads what is there. An error is the end of the connection, and comes
    /// after the last words.
    fn receive(
        &mut self,
        event_loop: &mut EventLoop<LineMode>,
        readiness: Readiness,
    ) -> Result<(), LostReason> {
        let Some(connection) = &mut self.connection else {
            return Ok(());
        };
        let (decoder, session) = (&mut connection.decoder, &mut self.session);
        let now = event_loop.now();
        let read = read_within(
            &*connection.stream,
            readiness,
            &mut self.buffer,
            READ_BUDGET_BYTES,
            |bytes| {
                decoder.decode(bytes, |decoded| {
                    match decoded {
                        Decoded::Line(line) => session.receive(line, now),
                        Decoded::TooLong | Decoded::Dropped(_) => session.receive_unreadable(),
                    }
                    ControlFlow::Continue(())
                });
            },
        );
        match read {
            Ok(ReadEnd::Drained | ReadEnd::BudgetSpent) => Ok(()),
            Ok(ReadEnd::EndOfStream) => Err(match connection.send_error.take() {
                Some(err) => LostReason::Error(err),
                None => LostReason::Closed(None),
            }),
            Err(err) => Err(LostReason::Error(err)),
        }
    }

    /// Sends what may be sent, as far as the socket takes it.
    pub(super) fn send(&mut self, event_loop: &mut EventLoop<LineMode>) {
        // A socket that takes all lets the session hand over more.
        loop {
            let Some(connection) = &mut self.connection else {
                return;
            };
            if connection.send_error.is_some() {
                return;
            }
            let queue = &mut connection.queue;
            self.session.fill(queue, event_loop.now());
            match queue.flush(event_loop, &connection.stream) {
                Ok(0) if queue.is_above_mark() => {
                    return self.lose(event_loop, LostReason::NotReading);
                }
                Ok(0) => return,
                Ok(count) => self.session.wrote(count),
                // What the server has said before it closed is still there to be
                // read, and says more than "broken pipe". That the socket cannot
                // be written any more is true for ever: it is not asked again.
                Err(err) => {
                    connection.send_error = Some(err);
                    let stream = &connection.stream;
                    return stream.set_interest(event_loop, Interest::READABLE);
                }
            }
        }
    }

    /// Asks the server whether it is there, and gives it up if it has not
    /// answered since the last time.
    fn check_connection(&mut self, event_loop: &mut EventLoop<LineMode>, _: Event) {
        let Some(connection) = &mut self.connection else {
            return;
        };
        if self.session.is_quitting() {
            return;
        }
        let awaited = self.session.awaited_check();
        let is_silent = awaited.is_some() && awaited == connection.unanswered;
        if is_silent || !self.session.is_registered() {
            return self.lose(event_loop, LostReason::Silent(PING_INTERVAL));
        }
        // A connection that has lasted: the next one may come as quickly.
        self.backoff.reset();
        self.session.check(event_loop.now());
        connection.unanswered = self.session.awaited_check();
    }

    /// The connection is gone.
    fn lose(&mut self, event_loop: &mut EventLoop<LineMode>, why: LostReason) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        event_loop.cancel(connection.ping_timer);
        drop(connection);
        let was_quitting = self.session.is_quitting();
        let uncertain = self.session.disconnect();
        if was_quitting {
            return self.end(event_loop);
        }
        if self.session.denial().is_some() {
            return self.give_up_if_denied(event_loop);
        }
        let why = match (why, self.session.last_words()) {
            (LostReason::Closed(_) | LostReason::Error(_), Some(words)) => {
                LostReason::Closed(Some(words.to_owned()))
            }
            (why, _) => why,
        };
        if uncertain > 0 {
            let (lines, were) = if uncertain == 1 {
                ("line", "was")
            } else {
                ("lines", "were")
            };
            self.printer.say(format_args!(
                "{uncertain} {lines} {were} sent last, and may not have arrived"
            ));
        }
        let address = self.attempt.address().clone();
        self.fail_or_retry(event_loop, Failure::Lost(address, why));
    }

    /// Ends the program if the server does not want this person: it would say
    /// the same the next time.
    pub(super) fn give_up_if_denied(&mut self, event_loop: &mut EventLoop<LineMode>) {
        if let Some(denial) = self.session.denial() {
            let address = self.attempt.address().clone();
            let failure = Failure::Denied(address, denial.to_owned());
            self.fail(event_loop, failure);
        }
    }

    /// Ends the program with `failure`, or waits for the next attempt if there
    /// is to be one.
    fn fail_or_retry(&mut self, event_loop: &mut EventLoop<LineMode>, failure: Failure) {
        let may_retry = self.reconnect || (self.input.is_terminal() && self.has_been_registered);
        let has_work = self.ending == Ending::Open || self.session.unsent() > 0;
        // A room inside this program does not come back.
        if !may_retry || !has_work || self.host.is_some() {
            return self.fail(event_loop, failure);
        }
        let delay = self.backoff.next_delay();
        let seconds = delay.as_secs_f32();
        self.printer
            .say(format_args!("{failure}; trying again in {seconds:.1} s"));
        self.retry = Some(event_loop.after(delay, LineMode::try_again));
    }

    fn try_again(&mut self, event_loop: &mut EventLoop<LineMode>, _: Event) {
        self.retry = None;
        Attempt::start(self, event_loop);
    }

    /// Whether everything that was to be sent is handed to the kernel.
    pub(super) fn has_sent_all(&self) -> bool {
        self.connection
            .as_ref()
            .is_some_and(|connection| connection.queue.is_empty())
    }

    /// Sends no more; the server reads the end behind the last line.
    pub(super) fn half_close(&self) {
        if let Some(connection) = &self.connection {
            // An error means that the connection is gone, which reading tells.
            let _ = connection.stream.shutdown(Shutdown::Write);
        }
    }

    pub(super) fn is_connected(&self) -> bool {
        self.connection.is_some()
    }
}
