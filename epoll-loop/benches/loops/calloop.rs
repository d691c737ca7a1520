//! calloop, on which Wayland compositors are built: sources with closures, on polling.

use std::io;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use calloop::generic::Generic;
use calloop::ping::{Ping, PingSource, make_ping};
use calloop::timer::{TimeoutAction, Timer};
use calloop::{Dispatcher, EventLoop, Interest, LoopHandle, Mode, PostAction, RegistrationToken};

use crate::contender::{Reaction, Timing, Waking, Watches, Watching};

pub(crate) struct Calloop<R: 'static> {
    event_loop: EventLoop<'static, State<R>>,
    state: State<R>,
}

struct State<R: 'static> {
    sockets: Sockets<R>,
    reaction: R,
}

type Socket<R> = Dispatcher<'static, Generic<UnixStream>, State<R>>;

struct Sockets<R: 'static> {
    handle: LoopHandle<'static, State<R>>,
    streams: Vec<UnixStream>,
    sources: Vec<(Socket<R>, RegistrationToken)>,
}

impl<R: Reaction> Watching<R> for Calloop<R> {
    fn new(streams: Vec<UnixStream>, reaction: R) -> io::Result<Calloop<R>> {
        let event_loop = EventLoop::try_new()?;
        let handle: LoopHandle<'static, State<R>> = event_loop.handle();
        let mut sources = Vec::new();
        for (index, stream) in streams.iter().enumerate() {
            let source = Generic::new(stream.try_clone()?, Interest::READ, Mode::Level);
            let dispatcher = Dispatcher::new(source, move |_, _, state: &mut State<R>| {
                state.reaction.readable(&mut state.sockets, index);
                Ok(PostAction::Continue)
            });
            let token = handle.register_dispatcher(dispatcher.clone())?;
            sources.push((dispatcher, token));
        }
        let sockets = Sockets {
            handle,
            streams,
            sources,
        };
        let state = State { sockets, reaction };
        Ok(Calloop { event_loop, state })
    }

    fn run(&mut self, events: u64) -> io::Result<()> {
        self.state.reaction.expect(events);
        while !self.state.reaction.is_done() {
            self.event_loop.dispatch(None, &mut self.state)?;
        }
        Ok(())
    }
}

impl<R> Watches for Sockets<R> {
    #[inline]
    fn socket(&self, index: usize) -> &UnixStream {
        &self.streams[index]
    }

    /// Not of the source whose callback is running: that one is borrowed.
    fn set_writable(&mut self, index: usize, wanted: bool) {
        let (dispatcher, token) = &self.sources[index];
        dispatcher.as_source_mut().interest = if wanted {
            Interest::BOTH
        } else {
            Interest::READ
        };
        self.handle.update(token).expect("the source is registered");
    }
}

/// Its state is the number of timers that have fired.
pub(crate) struct CalloopTimers {
    event_loop: EventLoop<'static, usize>,
    handle: LoopHandle<'static, usize>,
    fired: usize,
}

type TimerSource = Dispatcher<'static, Timer, usize>;

impl CalloopTimers {
    fn insert(&mut self, timer: Timer) -> (TimerSource, RegistrationToken) {
        let dispatcher = Dispatcher::new(timer, |_, (), fired: &mut usize| {
            *fired += 1;
            TimeoutAction::Drop
        });
        let token = self
            .handle
            .register_dispatcher(dispatcher.clone())
            .expect("a timer needs nothing of the kernel");
        (dispatcher, token)
    }
}

impl Timing for CalloopTimers {
    type Timer = (TimerSource, RegistrationToken);

    fn new() -> io::Result<CalloopTimers> {
        let event_loop = EventLoop::try_new()?;
        let handle = event_loop.handle();
        Ok(CalloopTimers {
            event_loop,
            handle,
            fired: 0,
        })
    }

    fn after(&mut self, delay: Duration) -> Self::Timer {
        self.insert(Timer::from_duration(delay))
    }

    fn at(&mut self, deadline: Instant) -> Self::Timer {
        self.insert(Timer::from_deadline(deadline))
    }

    fn push_out(&mut self, (source, token): &mut Self::Timer, delay: Duration) {
        source.as_source_mut().set_duration(delay);
        self.handle.update(token).expect("the timer is registered");
    }

    fn cancel(&mut self, (_, token): Self::Timer) {
        self.handle.remove(token);
    }

    fn expire(&mut self, count: usize) -> io::Result<()> {
        let end = self.fired + count;
        while self.fired < end {
            self.event_loop.dispatch(None, &mut self.fired)?;
        }
        Ok(())
    }
}

/// Its state is whether it was woken.
pub(crate) struct CalloopPing(EventLoop<'static, bool>);

impl Waking for CalloopPing {
    type Waker = Ping;

    fn new() -> io::Result<(CalloopPing, Ping)> {
        let event_loop = EventLoop::try_new()?;
        let (ping, source): (Ping, PingSource) = make_ping()?;
        event_loop
            .handle()
            .insert_source(source, |(), (), woken: &mut bool| *woken = true)
            .map_err(|refused| refused.error)?;
        Ok((CalloopPing(event_loop), ping))
    }

    fn wake(ping: &Ping) -> io::Result<()> {
        ping.ping();
        Ok(())
    }

    fn wait(&mut self) -> io::Result<()> {
        let mut woken = false;
        while !woken {
            self.0.dispatch(None, &mut woken)?;
        }
        Ok(())
    }
}
