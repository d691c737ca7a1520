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
use nonblock_connect::{ConnectError, Connected};

use crate::failure::{Failure, LostReason};

use super::{Link, Linked, without_delay};

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

impl Link {
    /// An attempt to connect is over.
    pub(crate) fn take_connected<S: Linked>(
        state: &mut S,
        event_loop: &mut EventLoop<S>,
        result: Result<Connected, ConnectError>,
    ) {
        let connected = match result {
            Ok(connected) => connected,
            Err(why) => {
                let failure = Failure::Connect(state.link().address.clone(), why);
                return state.unlinked(event_loop, failure, 0);
            }
        };
        let watch = Watch::new(Interest::READABLE).label("server");
        match event_loop.watch(without_delay(connected), watch, Link::exchange) {
            Ok(stream) => {
                let link = state.link();
                link.session.connect();
                link.connection = Some(Connection {
                    stream,
                    decoder: LineDecoder::new(TagLimit::Server),
                    queue: SendQueue::new(MAX_QUEUED_BYTES),
                    send_error: None,
                    ping_timer: event_loop.every(PING_INTERVAL, Link::check_connection),
                    unanswered: None,
                });
            }
            Err(err) => state.fail(event_loop, Failure::System("event loop", err)),
        }
    }

    /// The server has sent something, or takes more, or is gone.
    fn exchange<S: Linked>(state: &mut S, event_loop: &mut EventLoop<S>, event: Event) {
        // That it takes more is for `send`, which is called before the wait.
        if event.readiness.is_readable()
            && let Err(why) = state.link().receive(event_loop, event.readiness)
        {
            Self::lose(state, event_loop, why);
        }
    }

    /// Reads what is there. An error is the end of the connection, and comes
    /// after the last words.
    fn receive<S>(
        &mut self,
        event_loop: &mut EventLoop<S>,
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
        if let Some(words) = session.foreign_words() {
            return Err(LostReason::Foreign(words.to_owned()));
        }
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
    pub(super) fn send<S: Linked>(state: &mut S, event_loop: &mut EventLoop<S>) {
        // A socket that takes all lets the session hand over more.
        loop {
            let link = state.link();
            let Some(connection) = &mut link.connection else {
                return;
            };
            if connection.send_error.is_some() {
                return;
            }
            let queue = &mut connection.queue;
            link.session.fill(queue, event_loop.now());
            match queue.flush(event_loop, &connection.stream) {
                Ok(0) if queue.is_above_mark() => {
                    return Self::lose(state, event_loop, LostReason::NotReading);
                }
                Ok(0) => return,
                Ok(count) => link.session.wrote(count),
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
    fn check_connection<S: Linked>(state: &mut S, event_loop: &mut EventLoop<S>, _: Event) {
        let link = state.link();
        let Some(connection) = &mut link.connection else {
            return;
        };
        if link.session.is_quitting() {
            return;
        }
        let awaited = link.session.awaited_check();
        let is_silent = awaited.is_some() && awaited == connection.unanswered;
        if is_silent || !link.session.is_registered() {
            return Self::lose(state, event_loop, LostReason::Silent(PING_INTERVAL));
        }
        // A connection that has lasted: the next one may come as quickly.
        link.backoff.reset();
        link.session.check(event_loop.now());
        connection.unanswered = link.session.awaited_check();
    }

    /// The connection is gone.
    fn lose<S: Linked>(state: &mut S, event_loop: &mut EventLoop<S>, why: LostReason) {
        let link = state.link();
        let Some(connection) = link.connection.take() else {
            return;
        };
        event_loop.cancel(connection.ping_timer);
        drop(connection);
        let was_quitting = link.session.is_quitting();
        let uncertain = link.session.disconnect();
        if was_quitting {
            return state.left(event_loop);
        }
        if link.session.denial().is_some() {
            return Self::give_up_if_denied(state, event_loop);
        }
        let why = match (why, link.session.last_words()) {
            (LostReason::Closed(_) | LostReason::Error(_), Some(words)) => {
                LostReason::Closed(Some(words.to_owned()))
            }
            (why, _) => why,
        };
        let failure = Failure::Lost(link.address().clone(), why);
        state.unlinked(event_loop, failure, uncertain);
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
}
