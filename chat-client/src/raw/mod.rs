//! Relays bytes both ways as they are: `--raw`.
//!
//! This is listing 9-6 of the book, `mytalk_client`: standard input goes to the
//! socket through a pipe by `splice(2)`. What the printed one gets wrong, and a
//! test of this one shows:
//!
//! - It looks at RDHUP before IN. The two come together when the server has
//!   said its last words and closed, and those words are never read.
//! - It goes on polling a standard input that has ended, which is ready for
//!   ever, and burns a core.
//! - It takes it that `splice` moves everything, and that standard output is
//!   always ready to be written to.
//!
//! Shows: a half close. The end of standard input ends one direction; the other
//! goes on until the server ends it, as in `printf 'GET / HTTP/1.0\r\n\r\n' |
//! chat-client --raw HOST:80`.
//! Leaves out: an end by the client when the server never ends.

mod conveyor;

use std::io::{self, ErrorKind};
use std::net::{Shutdown, TcpStream};

use epoll_loop::{Event, EventLoop, Interest, Watch, Watched};
use nonblock_connect::{AttemptId, ConnectError, Connected, Connector, Connects};

use crate::address::Address;
use crate::failure::{Failure, LostReason};
use crate::link::{CONNECT_TIMEOUT, without_delay};
use crate::standard_stream::{StandardStream, watch_for_gone_reader};

use conveyor::{Conveyor, PIPE_BUF_BYTES};

/// What a socket is given at once; it takes what it has room for.
const SOCKET_BYTES: usize = 64 * 1024;

/// The state of the loop.
#[derive(Debug)]
struct Relay {
    address: Address,
    connector: Connector,
    input: Watched<StandardStream>,
    output: Watched<StandardStream>,
    socket: Option<Watched<TcpStream>>,
    /// From standard input to the socket.
    up: Conveyor,
    /// From the socket to standard output.
    down: Conveyor,
    is_half_closed: bool,
    /// Why nothing can be sent any more; what comes is still read to its end.
    send_error: Option<io::Error>,
    outcome: Result<(), Failure>,
}

/// Connects to `address` and relays until the other end has closed.
///
/// # Errors
///
/// See [`Failure`].
pub(crate) fn run(address: Address, trace: chapter::Trace) -> Result<(), Failure> {
    let system = |err| Failure::System("event loop", err);
    let mut event_loop = EventLoop::new().map_err(system)?;
    let mut relay = Relay::new(&mut event_loop, address).map_err(system)?;
    let _tracing = trace.start(&mut event_loop).map_err(system)?;
    let _reader = watch_for_gone_reader(&mut event_loop, Relay::lose_reader).map_err(system)?;
    event_loop.before_wait(Relay::settle);
    relay
        .connector
        .start(&mut event_loop, &relay.address, CONNECT_TIMEOUT);
    event_loop.run(&mut relay).map_err(system)?;
    relay.outcome
}

impl Connects for Relay {
    fn connector(&mut self) -> &mut Connector {
        &mut self.connector
    }

    fn finished(
        &mut self,
        event_loop: &mut EventLoop<Relay>,
        _: AttemptId,
        result: Result<Connected, ConnectError>,
    ) {
        let connected = match result {
            Ok(connected) => connected,
            Err(why) => {
                let failure = Failure::Connect(self.address.clone(), why);
                return self.end(event_loop, Err(failure));
            }
        };
        let watch = Watch::new(Interest::READABLE).label("server");
        match event_loop.watch(without_delay(connected), watch, Relay::exchange) {
            Ok(socket) => self.socket = Some(socket),
            Err(err) => self.end(event_loop, Err(Failure::System("event loop", err))),
        }
    }
}

impl Relay {
    fn new(event_loop: &mut EventLoop<Relay>, address: Address) -> io::Result<Relay> {
        let input = Watch::new(Interest::NONE).label("standard input");
        let output = Watch::new(Interest::NONE).label("standard output");
        Ok(Relay {
            address,
            connector: Connector::new(),
            input: event_loop.watch(StandardStream::input(), input, Relay::take_input)?,
            output: event_loop.watch(StandardStream::output(), output, Relay::give_output)?,
            socket: None,
            up: Conveyor::new()?,
            down: Conveyor::new()?,
            is_half_closed: false,
            send_error: None,
            outcome: Ok(()),
        })
    }

    /// Every turn, before the wait: asks for what there is a use for. An empty
    /// pipe wants to be filled, a full one to be drained, and a source that has
    /// ended is not looked at any more.
    fn settle(&mut self, event_loop: &mut EventLoop<Relay>, _: Event) {
        let Some(socket) = &self.socket else { return };
        let (up, down) = (&self.up, &self.down);
        let can_send = self.send_error.is_none();
        if can_send && up.has_ended() && !self.is_half_closed {
            self.is_half_closed = true;
            // An error means that the connection is gone, which reading tells.
            let _ = socket.shutdown(Shutdown::Write);
        }
        if down.has_ended() {
            return self.finish(event_loop);
        }
        let when = |wanted, interest| if wanted { interest } else { Interest::NONE };
        let wants_input = can_send && up.held() == 0 && !up.has_ended();
        let wants_answer = down.held() == 0 && !down.has_ended();
        let input = when(wants_input, Interest::READABLE);
        let output = when(down.held() > 0, Interest::WRITABLE);
        let both = when(wants_answer, Interest::READABLE)
            | when(can_send && up.held() > 0, Interest::WRITABLE);
        self.input.set_interest(event_loop, input);
        self.output.set_interest(event_loop, output);
        socket.set_interest(event_loop, both);
    }

    /// Standard input can be read.
    fn take_input(&mut self, event_loop: &mut EventLoop<Relay>, _: Event) {
        if self.up.held() > 0 || self.up.has_ended() {
            return;
        }
        match self.up.fill(&self.input) {
            // Write first; the loop is asked only if the socket takes no more.
            Ok(()) => self.send(),
            Err(err) => self.end(event_loop, Err(Failure::System("standard input", err))),
        }
    }

    /// The socket can be read or written.
    // ANCHOR: raw-exchange
    fn exchange(&mut self, event_loop: &mut EventLoop<Relay>, event: Event) {
        if event.readiness.is_writable() {
            self.send();
        }
        // ANCHOR: raw-in-first
        // Whatever else is reported: what has arrived is read, to the end, which
        // is a read of nothing or an error, and comes after the last byte.
        let Some(socket) = &self.socket else { return };
        let is_wanted = self.down.held() == 0 && !self.down.has_ended();
        if event.readiness.is_readable()
            && is_wanted
            && let Err(err) = self.down.fill(socket)
        {
            self.lose(event_loop, LostReason::Error(err));
        }
        // ANCHOR_END: raw-in-first
    }
    // ANCHOR_END: raw-exchange

    /// Standard output takes bytes.
    fn give_output(&mut self, event_loop: &mut EventLoop<Relay>, _: Event) {
        if self.down.held() == 0 {
            return;
        }
        // No more than a pipe takes that is writable: it may be shared, and is
        // not to be made non-blocking.
        match self.down.drain(&self.output, PIPE_BUF_BYTES) {
            Ok(()) => {}
            Err(err) if err.kind() == ErrorKind::BrokenPipe => {
                self.end(event_loop, Err(Failure::ReaderGone));
            }
            Err(err) => self.end(event_loop, Err(Failure::System("standard output", err))),
        }
    }

    /// Gives the socket what it takes.
    fn send(&mut self) {
        let Some(socket) = &self.socket else { return };
        if self.send_error.is_some() || self.up.held() == 0 {
            return;
        }
        if let Err(err) = self.up.drain(socket, SOCKET_BYTES) {
            self.send_error = Some(err);
        }
    }

    /// Nobody will read standard output any more.
    fn lose_reader(&mut self, event_loop: &mut EventLoop<Relay>, _: Event) {
        self.end(event_loop, Err(Failure::ReaderGone));
    }

    /// The other end has closed, and all of it is written.
    fn finish(&mut self, event_loop: &mut EventLoop<Relay>) {
        match (self.send_error.take(), self.up.held()) {
            (Some(err), _) => self.lose(event_loop, LostReason::Error(err)),
            (None, 0) => self.end(event_loop, Ok(())),
            (None, unsent) => self.lose(event_loop, LostReason::Unsent(unsent)),
        }
    }

    fn lose(&mut self, event_loop: &mut EventLoop<Relay>, why: LostReason) {
        let failure = Failure::Lost(self.address.clone(), why);
        self.end(event_loop, Err(failure));
    }

    fn end(&mut self, event_loop: &mut EventLoop<Relay>, outcome: Result<(), Failure>) {
        self.outcome = outcome;
        event_loop.stop(Ok(()));
    }
}
