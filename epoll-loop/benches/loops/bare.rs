//! The floor: `epoll_wait(2)` and a `for`, an eventfd, a sorted map of deadlines.
//!
//! Shows: the least that a program with these system calls can do. It checks nothing: a closed
//! descriptor, a stale event or a signal would be its end.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::eventfd::EventFd;

use crate::contender::{Reaction, Timing, Waking, Watches, Watching};

pub(crate) struct Bare<R> {
    sockets: Sockets,
    events: Vec<EpollEvent>,
    reaction: R,
}

struct Sockets {
    epoll: Epoll,
    sockets: Vec<UnixStream>,
}

impl<R: Reaction> Watching<R> for Bare<R> {
    fn new(sockets: Vec<UnixStream>, reaction: R) -> io::Result<Bare<R>> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        for (index, socket) in (0..).zip(&sockets) {
            epoll.add(socket, EpollEvent::new(EpollFlags::EPOLLIN, index))?;
        }
        Ok(Bare {
            sockets: Sockets { epoll, sockets },
            events: vec![EpollEvent::empty(); 1_024],
            reaction,
        })
    }

    // ANCHOR: bare-turn
    fn run(&mut self, events: u64) -> io::Result<()> {
        self.reaction.expect(events);
        while !self.reaction.is_done() {
            let epoll = &self.sockets.epoll;
            let count = epoll.wait(&mut self.events, EpollTimeout::NONE)?;
            for event in &self.events[..count] {
                self.reaction.readable(&mut self.sockets, index(event));
            }
        }
        Ok(())
    }
    // ANCHOR_END: bare-turn
}

fn index(event: &EpollEvent) -> usize {
    usize::try_from(event.data()).expect("it was made from one")
}

impl Watches for Sockets {
    #[inline]
    fn socket(&self, index: usize) -> &UnixStream {
        &self.sockets[index]
    }

    fn set_writable(&mut self, index: usize, wanted: bool) {
        let flags = if wanted {
            EpollFlags::EPOLLIN | EpollFlags::EPOLLOUT
        } else {
            EpollFlags::EPOLLIN
        };
        let mut event = EpollEvent::new(flags, index as u64);
        self.epoll
            .modify(&self.sockets[index], &mut event)
            .expect("the socket is registered");
    }
}

/// What people put beside a poller that has no timers: the earliest deadline is the first key.
pub(crate) struct SortedMap {
    timers: BTreeMap<(Instant, u64), fn(&mut usize)>,
    inserted: u64,
    fired: usize,
}

impl Timing for SortedMap {
    type Timer = (Instant, u64);

    fn new() -> io::Result<SortedMap> {
        Ok(SortedMap {
            timers: BTreeMap::new(),
            inserted: 0,
            fired: 0,
        })
    }

    fn after(&mut self, delay: Duration) -> (Instant, u64) {
        self.at(Instant::now() + delay)
    }

    fn at(&mut self, deadline: Instant) -> (Instant, u64) {
        self.inserted += 1;
        let key = (deadline, self.inserted);
        self.timers.insert(key, |fired| *fired += 1);
        key
    }

    fn push_out(&mut self, timer: &mut (Instant, u64), delay: Duration) {
        let callback = self.timers.remove(timer).expect("it was inserted");
        timer.0 = Instant::now() + delay;
        self.timers.insert(*timer, callback);
    }

    fn cancel(&mut self, timer: (Instant, u64)) {
        self.timers.remove(&timer);
    }

    fn expire(&mut self, count: usize) -> io::Result<()> {
        let end = self.fired + count;
        while self.fired < end {
            let now = Instant::now();
            while let Some(entry) = self.timers.first_entry()
                && entry.key().0 <= now
            {
                entry.remove()(&mut self.fired);
            }
        }
        Ok(())
    }
}

/// A level-triggered eventfd, written for each wake-up and read for each event.
pub(crate) struct PlainEventFd {
    epoll: Epoll,
    event: Arc<EventFd>,
}

impl Waking for PlainEventFd {
    type Waker = Arc<EventFd>;

    fn new() -> io::Result<(PlainEventFd, Arc<EventFd>)> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let event = Arc::new(EventFd::new()?);
        epoll.add(&event, EpollEvent::new(EpollFlags::EPOLLIN, 0))?;
        let waker = Arc::clone(&event);
        Ok((PlainEventFd { epoll, event }, waker))
    }

    fn wake(event: &Arc<EventFd>) -> io::Result<()> {
        event.write(1)?;
        Ok(())
    }

    fn wait(&mut self) -> io::Result<()> {
        let mut events = [EpollEvent::empty()];
        self.epoll.wait(&mut events, EpollTimeout::NONE)?;
        self.event.read()?;
        Ok(())
    }
}
