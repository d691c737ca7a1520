//! The services over TCP: accept, talk, close.
//!
//! Shows: backpressure (who does not read its echo is not read from), half
//! close (the echo of the last words still comes), a close that takes no answer
//! away from the peer, an idle timeout that costs no timer work, a listener that
//! rests instead of spinning when no more connections can be had.
//! Leaves out: limits for each address.

use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::{Duration, SystemTime};

use epoll_loop::{
    Accepted, Event, EventLoop, Interest, ReadEnd, Readiness, SendQueue, Watch, Watched, accept,
    read_within,
};

use crate::counters::Counters;
use crate::server::Server;
use crate::service::{Generator, Service};

/// Connections taken from one listener in one turn.
const MAX_ACCEPTS_A_TURN: usize = 64;

/// How long the listeners rest when the process has no descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(250);

/// Bytes that may wait for a peer before no more are read from it. One turn may add
/// what is read in it and a buffer to them, so a peer costs 192 KiB at most.
pub const HIGH_WATER_BYTES: usize = 64 * 1024;

/// Bytes read from one peer, or made for it, in one turn.
const TURN_BYTES: usize = 64 * 1024;

/// Size of the buffer that all connections are read through.
pub(crate) const BUFFER_BYTES: usize = 64 * 1024;

/// How long a peer that has everything may take to close its half.
const LINGER_TIMEOUT: Duration = Duration::from_secs(2);

/// A listener and the service behind it.
#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) listener: Watched<TcpListener>,
    pub(crate) service: Service,
}

/// Why the listeners are not watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rest {
    /// There are as many connections as may be.
    Full,
    /// The process has no descriptors, or the system no memory.
    Exhausted,
}

/// A connection to a service.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: Watched<TcpStream>,
    service: Service,
    queue: SendQueue,
    generator: Generator,
    /// The peer has sent its last byte.
    has_ended: bool,
    /// Everything is said and our half shut down; we read until the peer closes
    /// too. To close with bytes unread sends a reset, which may take from the
    /// peer what it has not read.
    is_lingering: bool,
}

/// Whether a connection goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    GoOn,
    Close,
}

impl Server {
    /// A listener is readable: its backlog holds connections.
    pub(crate) fn accept(&mut self, event_loop: &mut EventLoop<Server>, event: Event) {
        if event.readiness.intersects(Readiness::ENDED) {
            // A server that nobody can reach any more should not look alive.
            let err = io::Error::other("a listener cannot be watched any more");
            return event_loop.stop(Err(err));
        }
        for _ in 0..MAX_ACCEPTS_A_TURN {
            if self.open == self.settings.max_connections {
                let what = format_args!(
                    "tcp: {} connections: those who come wait in the backlog",
                    self.open
                );
                self.ledger.say_seldom(Rest::Full, event_loop.now(), what);
                return self.rest(event_loop, Rest::Full);
            }
            let Some(door) = self.doors.get(event.id) else {
                return;
            };
            let service = door.service;
            match accept(&*door.listener) {
                Accepted::Peer(stream, _) => self.serve(event_loop, stream, service),
                Accepted::Gone => {}
                Accepted::Nobody => return,
                Accepted::Exhausted(err) => {
                    let why = chapter::why(&err);
                    let what = format_args!("tcp: accept: {why}");
                    self.ledger
                        .say_seldom(Rest::Exhausted, event_loop.now(), what);
                    event_loop.after(ACCEPT_PAUSE, Server::try_again);
                    return self.rest(event_loop, Rest::Exhausted);
                }
            }
        }
    }

    fn serve(&mut self, event_loop: &mut EventLoop<Server>, stream: TcpStream, service: Service) {
        // WRITABLE, so that what a service says first is written in one place.
        let watch = Watch::new(Interest::READABLE | Interest::WRITABLE)
            .label(service.name())
            .timeout(self.settings.idle_timeout);
        let stream = match event_loop.watch(stream, watch, Server::talk) {
            Ok(stream) => stream,
            Err(err) => {
                let why = chapter::why(&err);
                return self.ledger.say(format_args!("tcp {service}: watch: {why}"));
            }
        };
        let mut queue = SendQueue::new(HIGH_WATER_BYTES);
        queue.push(&service.greeting(SystemTime::now()));
        self.ledger.counters.connections += 1;
        self.open += 1;
        self.connections.insert(
            stream.id(),
            Connection {
                stream,
                service,
                queue,
                generator: Generator::default(),
                has_ended: false,
                is_lingering: false,
            },
        );
    }

    /// A connection is ready, or was idle for too long.
    fn talk(&mut self, event_loop: &mut EventLoop<Server>, event: Event) {
        let Server {
            connections,
            buffer,
            ledger,
            ..
        } = self;
        let Some(connection) = connections.get_mut(event.id) else {
            return;
        };
        let then = if event.readiness.is_timeout() {
            ledger.counters.idle += u64::from(!connection.is_lingering);
            Ok(Then::Close)
        } else {
            connection.talk(event_loop, event.readiness, buffer, &mut ledger.counters)
        };
        // An error is a peer that is gone: nobody is left to be told.
        if !matches!(then, Ok(Then::GoOn)) {
            connections.remove(event.id);
            self.open -= 1;
            if self.resting == Some(Rest::Full) {
                self.resume(event_loop);
            }
        }
    }

    /// Lets connections wait in the backlog: the listeners stay readable, and
    /// to be told so again and again would burn a core.
    fn rest(&mut self, event_loop: &mut EventLoop<Server>, rest: Rest) {
        self.resting = Some(rest);
        for door in self.doors.values() {
            door.listener.set_interest(event_loop, Interest::NONE);
        }
    }

    fn try_again(&mut self, event_loop: &mut EventLoop<Server>, _: Event) {
        self.resume(event_loop);
    }

    fn resume(&mut self, event_loop: &mut EventLoop<Server>) {
        self.resting = None;
        for door in self.doors.values() {
            door.listener.set_interest(event_loop, Interest::READABLE);
        }
    }
}

impl Connection {
    // ANCHOR: talk
    /// Reads, says what is to be said, and decides what to wait for.
    fn talk(
        &mut self,
        event_loop: &mut EventLoop<Server>,
        readiness: Readiness,
        buffer: &mut [u8],
        counters: &mut Counters,
    ) -> io::Result<Then> {
        if readiness.intersects(Readiness::ENDED) {
            return Ok(Then::Close);
        }
        if self.is_reading() && readiness.is_readable() {
            self.read(readiness, buffer, counters)?;
        }
        if self.service == Service::Chargen {
            self.generate();
        }
        counters.bytes_out += self.queue.write_to(&*self.stream)? as u64;
        if self.queue.is_empty() && self.finish(event_loop)? == Then::Close {
            return Ok(Then::Close);
        }
        self.stream.set_interest(event_loop, self.interest());
        Ok(Then::GoOn)
    }
    // ANCHOR_END: talk

    fn read(
        &mut self,
        readiness: Readiness,
        buffer: &mut [u8],
        counters: &mut Counters,
    ) -> io::Result<()> {
        let (service, queue) = (self.service, &mut self.queue);
        let end = read_within(&*self.stream, readiness, buffer, TURN_BYTES, |bytes| {
            counters.bytes_in += bytes.len() as u64;
            if service == Service::Echo {
                queue.push(bytes);
            }
        })?;
        // Level-triggered: what is left over the budget is reported again.
        self.has_ended |= end == ReadEnd::EndOfStream;
        Ok(())
    }

    /// Makes as many characters as the peer's queue is to hold.
    fn generate(&mut self) {
        while self.queue.len() < TURN_BYTES {
            self.queue.push(self.generator.next(TURN_BYTES));
        }
    }

    // ANCHOR: finish
    /// Everything is written: ends what is over.
    fn finish(&mut self, event_loop: &mut EventLoop<Server>) -> io::Result<Then> {
        let has_more_to_say = match self.service {
            Service::Echo | Service::Discard => !self.has_ended,
            Service::Chargen => true,
            Service::Daytime | Service::Time => false,
        };
        if has_more_to_say {
            return Ok(Then::GoOn);
        }
        // ANCHOR: half-closed
        if self.has_ended {
            return Ok(Then::Close);
        }
        // ANCHOR_END: half-closed
        // ANCHOR: linger
        if !self.is_lingering {
            self.stream.shutdown(Shutdown::Write)?;
            self.stream.set_timeout(event_loop, Some(LINGER_TIMEOUT));
            self.is_lingering = true;
        }
        // ANCHOR_END: linger
        Ok(Then::GoOn)
    }
    // ANCHOR_END: finish

    // ANCHOR: backpressure
    /// Whether more is read from the peer: not after its end, which would be
    /// reported for ever, nor while it does not read what it is sent.
    fn is_reading(&self) -> bool {
        // ANCHOR: read-condition
        !self.has_ended && (self.service != Service::Echo || !self.queue.is_above_mark())
        // ANCHOR_END: read-condition
    }

    /// Bytes that wait for the peer.
    pub(crate) fn queued_bytes(&self) -> usize {
        self.queue.len()
    }

    fn interest(&self) -> Interest {
        let mut interest = Interest::NONE;
        if self.is_reading() {
            interest = interest | Interest::READABLE;
        }
        // ANCHOR: ask-to-write
        if !self.queue.is_empty() || self.service == Service::Chargen {
            interest = interest | Interest::WRITABLE;
        }
        // ANCHOR_END: ask-to-write
        interest
    }
    // ANCHOR_END: backpressure
}
