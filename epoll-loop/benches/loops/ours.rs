//! This crate's loop.

use std::io;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use epoll_loop::{Event, EventLoop, Interest, Waker, Watched, WatcherId};

use crate::contender::{Reaction, Timing, Waking, Watches, Watching};

pub(crate) struct Ours<R> {
    event_loop: EventLoop<State<R>>,
    state: State<R>,
}

struct State<R> {
    /// By the slot of the watch: nothing else is watched, and nobody leaves.
    sockets: Vec<Watched<UnixStream>>,
    reaction: R,
}

impl<R: Reaction> State<R> {
    fn readable(&mut self, event_loop: &mut EventLoop<State<R>>, event: Event) {
        let sockets = &self.sockets;
        let mut watches = OurWatches {
            sockets,
            event_loop,
        };
        let index = event.id.slot() as usize;
        self.reaction.readable(&mut watches, index);
        if self.reaction.is_done() {
            event_loop.stop(Ok(()));
        }
    }
}

impl<R: Reaction> Watching<R> for Ours<R> {
    fn new(sockets: Vec<UnixStream>, reaction: R) -> io::Result<Ours<R>> {
        let mut event_loop = EventLoop::new()?;
        let watch = |socket| event_loop.watch(socket, Interest::READABLE, State::readable);
        let sockets = sockets.into_iter().map(watch).collect::<Result<_, _>>()?;
        let state = State { sockets, reaction };
        Ok(Ours { event_loop, state })
    }

    fn run(&mut self, events: u64) -> io::Result<()> {
        self.state.reaction.expect(events);
        self.event_loop.run(&mut self.state)
    }
}

struct OurWatches<'a, S> {
    sockets: &'a [Watched<UnixStream>],
    event_loop: &'a mut EventLoop<S>,
}

impl<S> Watches for OurWatches<'_, S> {
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
        self.sockets[index].set_interest(self.event_loop, interest);
    }
}

/// Its state is the number of timers that have fired.
pub(crate) struct OurTimers {
    event_loop: EventLoop<usize>,
    fired: usize,
}

fn count(fired: &mut usize, _: &mut EventLoop<usize>, _: Event) {
    *fired += 1;
}

impl Timing for OurTimers {
    type Timer = WatcherId;

    fn new() -> io::Result<OurTimers> {
        let event_loop = EventLoop::new()?;
        Ok(OurTimers {
            event_loop,
            fired: 0,
        })
    }

    #[inline]
    fn after(&mut self, delay: Duration) -> WatcherId {
        self.event_loop.after(delay, count)
    }

    fn at(&mut self, deadline: Instant) -> WatcherId {
        self.event_loop.at(deadline, count)
    }

    #[inline]
    fn push_out(&mut self, timer: &mut WatcherId, delay: Duration) {
        self.event_loop.push_out(*timer, delay);
    }

    #[inline]
    fn cancel(&mut self, timer: WatcherId) {
        self.event_loop.cancel(timer);
    }

    fn expire(&mut self, count: usize) -> io::Result<()> {
        let end = self.fired + count;
        while self.fired < end {
            self.event_loop.turn(&mut self.fired, None)?;
        }
        Ok(())
    }
}

/// Its state is the number of times it was woken.
pub(crate) struct OurWaker(EventLoop<usize>);

impl Waking for OurWaker {
    type Waker = Waker;

    fn new() -> io::Result<(OurWaker, Waker)> {
        let mut event_loop = EventLoop::new()?;
        let waker = event_loop.waker(count)?;
        Ok((OurWaker(event_loop), waker))
    }

    fn wake(waker: &Waker) -> io::Result<()> {
        waker.wake();
        Ok(())
    }

    fn wait(&mut self) -> io::Result<()> {
        let mut woken = 0;
        while woken == 0 {
            self.0.turn(&mut woken, None)?;
        }
        Ok(())
    }
}
