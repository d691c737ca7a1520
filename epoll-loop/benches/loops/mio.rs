//! mio: a poller, tokens, no timers. Edge-triggered, so a socket is to be drained; here it never
//! holds more than was announced. The kernel has less to do for an edge: a level is looked at once
//! more by the next wait.

use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token, Waker};

use crate::contender::{Reaction, Waking, Watches, Watching};

pub(crate) struct Mio<R> {
    sockets: Sockets,
    events: Events,
    reaction: R,
}

struct Sockets {
    poll: Poll,
    sockets: Vec<UnixStream>,
}

impl<R: Reaction> Watching<R> for Mio<R> {
    fn new(sockets: Vec<UnixStream>, reaction: R) -> io::Result<Mio<R>> {
        let poll = Poll::new()?;
        for (index, socket) in sockets.iter().enumerate() {
            let mut source = SourceFd(&socket.as_raw_fd());
            let registry = poll.registry();
            registry.register(&mut source, Token(index), Interest::READABLE)?;
        }
        Ok(Mio {
            sockets: Sockets { poll, sockets },
            events: Events::with_capacity(1_024),
            reaction,
        })
    }

    fn run(&mut self, events: u64) -> io::Result<()> {
        self.reaction.expect(events);
        while !self.reaction.is_done() {
            self.sockets.poll.poll(&mut self.events, None)?;
            for event in &self.events {
                self.reaction.readable(&mut self.sockets, event.token().0);
            }
        }
        Ok(())
    }
}

impl Watches for Sockets {
    #[inline]
    fn socket(&self, index: usize) -> &UnixStream {
        &self.sockets[index]
    }

    fn set_writable(&mut self, index: usize, wanted: bool) {
        let interest = if wanted {
            Interest::READABLE | Interest::WRITABLE
        } else {
            Interest::READABLE
        };
        let mut source = SourceFd(&self.sockets[index].as_raw_fd());
        self.poll
            .registry()
            .reregister(&mut source, Token(index), interest)
            .expect("the socket is registered");
    }
}

pub(crate) struct MioWaker {
    poll: Poll,
    events: Events,
}

impl Waking for MioWaker {
    type Waker = Waker;

    fn new() -> io::Result<(MioWaker, Waker)> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), Token(0))?;
        let events = Events::with_capacity(1_024);
        Ok((MioWaker { poll, events }, waker))
    }

    fn wake(waker: &Waker) -> io::Result<()> {
        waker.wake()
    }

    fn wait(&mut self) -> io::Result<()> {
        self.poll.poll(&mut self.events, None)?;
        while self.events.is_empty() {
            self.poll.poll(&mut self.events, None)?;
        }
        Ok(())
    }
}
