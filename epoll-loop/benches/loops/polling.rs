//! polling, which async-io and smol use: a poller, keys, no timers.
//!
//! In level mode. Its usual one-shot mode costs an `epoll_ctl(2)` more for each event.

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use polling::{Event, Events, PollMode, Poller};
use rustix::event::epoll;

use crate::contender::{Reaction, Waking, Watches, Watching};

pub(crate) struct Polling<R> {
    sockets: Sockets,
    events: Events,
    reaction: R,
}

struct Sockets {
    poller: Poller,
    sockets: Vec<UnixStream>,
}

impl<R: Reaction> Watching<R> for Polling<R> {
    fn new(sockets: Vec<UnixStream>, reaction: R) -> io::Result<Polling<R>> {
        let poller = Poller::new()?;
        for (index, socket) in sockets.iter().enumerate() {
            // `Poller::add` is unsafe, since the poller does not own what it watches. This adds
            // the socket to its epoll instance; the rest is polling's own.
            let nothing_yet = epoll::EventFlags::empty();
            epoll::add(&poller, socket, epoll::EventData::new_u64(0), nothing_yet)?;
            poller.modify_with_mode(socket, Event::readable(index), PollMode::Level)?;
        }
        Ok(Polling {
            sockets: Sockets { poller, sockets },
            events: Events::new(),
            reaction,
        })
    }

    fn run(&mut self, events: u64) -> io::Result<()> {
        self.reaction.expect(events);
        while !self.reaction.is_done() {
            self.events.clear();
            self.sockets.poller.wait(&mut self.events, None)?;
            for event in self.events.iter() {
                self.reaction.readable(&mut self.sockets, event.key);
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
            Event::all(index)
        } else {
            Event::readable(index)
        };
        self.poller
            .modify_with_mode(&self.sockets[index], interest, PollMode::Level)
            .expect("the socket is registered");
    }
}

pub(crate) struct PollingNotifier {
    poller: Arc<Poller>,
    events: Events,
}

impl Waking for PollingNotifier {
    type Waker = Arc<Poller>;

    fn new() -> io::Result<(PollingNotifier, Arc<Poller>)> {
        let poller = Arc::new(Poller::new()?);
        let waker = Arc::clone(&poller);
        let events = Events::new();
        Ok((PollingNotifier { poller, events }, waker))
    }

    fn wake(poller: &Arc<Poller>) -> io::Result<()> {
        poller.notify()
    }

    fn wait(&mut self) -> io::Result<()> {
        // It appends, and a list without room is EINVAL.
        self.events.clear();
        // Nothing else could end it.
        self.poller.wait(&mut self.events, None)?;
        Ok(())
    }
}
