//! Attempts to connect, any number at a time, in somebody's event loop.
//!
//! Shows: the life of an attempt: look the name up, begin with one address, with the next one when
//! 250 ms have passed or the first has failed, keep the first that works and close the others
//! (RFC 8305), and one deadline over all of it.
//! Leaves out: asking for the two kinds of address one by one (RFC 8305, section 3), which needs a
//! resolver of one's own: `getaddrinfo(3)` has both or none.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use epoll_loop::{Event, EventLoop, Interest, Watch, Watched, WatcherId};
use nix::errno::Errno;
use socket2::Socket;

use crate::connect::{begin, outcome};
use crate::connect_error::ConnectError;
use crate::race::race_order;
use crate::resolver::{Lookup, Resolver, system_lookup};
use crate::target::Target;

/// How long an address is alone before the next one is tried beside it (RFC 8305, section 5:
/// "Connection Attempt Delay").
pub const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// For how long the addresses of a name are used again without asking for them again.
///
/// Enough for `host:1-1024` to be one lookup, and short enough to see a name change.
const FRESH: Duration = Duration::from_secs(1);

/// The state of a loop that connects somewhere.
pub trait Connects: Sized + 'static {
    /// The attempts, which belong to the state.
    fn connector(&mut self) -> &mut Connector;

    /// An attempt is over. Called from the loop, once for each that was started and not cancelled,
    /// and never before [`Connector::start`] has returned its name.
    fn finished(
        &mut self,
        event_loop: &mut EventLoop<Self>,
        id: AttemptId,
        result: Result<Connected, ConnectError>,
    );
}

/// The name of an attempt; none is used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AttemptId(u64);

/// A connection that stands.
#[derive(Debug)]
pub struct Connected {
    /// The socket, non-blocking, close-on-exec, and in no loop any more.
    pub socket: Socket,
    /// To which of the addresses.
    pub address: SocketAddr,
    /// Since [`Connector::start`].
    pub took: Duration,
}

/// All attempts of a program.
///
/// Names are looked up by threads, which are started with the first name. They keep
/// [`EventLoop::run`] from returning for as long as the connector lives: a program that is done
/// drops it or calls [`EventLoop::stop`].
///
/// ```
/// use std::net::TcpListener;
/// use std::time::Duration;
///
/// use epoll_loop::EventLoop;
/// use nonblock_connect::{AttemptId, ConnectError, Connected, Connector, Connects, Target};
///
/// struct Program {
///     connector: Connector,
///     answer: Option<Result<Connected, ConnectError>>,
/// }
///
/// impl Connects for Program {
///     fn connector(&mut self) -> &mut Connector {
///         &mut self.connector
///     }
///
///     fn finished(
///         &mut self,
///         event_loop: &mut EventLoop<Program>,
///         _: AttemptId,
///         result: Result<Connected, ConnectError>,
///     ) {
///         self.answer = Some(result);
///         event_loop.stop(Ok(()));
///     }
/// }
///
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let target = Target { host: "127.0.0.1".into(), port: listener.local_addr()?.port() };
/// let mut event_loop = EventLoop::new()?;
/// let mut program = Program { connector: Connector::new(), answer: None };
/// program.connector.start(&mut event_loop, &target, Duration::from_secs(3));
/// event_loop.run(&mut program)?;
/// let connected = program.answer.expect("it is over")?;
/// assert_eq!(connected.address, listener.local_addr()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Connector {
    lookup: Arc<Lookup>,
    resolver: Option<Resolver>,
    found: HashMap<String, (Instant, Vec<SocketAddr>)>,
    attempts: HashMap<AttemptId, Attempt>,
    /// Who waits for which name.
    asked: HashMap<String, Vec<AttemptId>>,
    sockets: HashMap<WatcherId, Connecting>,
    timers: HashMap<WatcherId, AttemptId>,
    last_id: u64,
}

struct Attempt {
    port: u16,
    began: Instant,
    timeout: Duration,
    deadline: WatcherId,
    stage: Stage,
}

enum Stage {
    LookingUp(String),
    Racing(Race),
    /// It was over before the loop had a turn; told by its timer.
    Over(Result<Connected, ConnectError>),
}

#[derive(Default)]
struct Race {
    untried: VecDeque<SocketAddr>,
    /// In the order in which they were begun.
    running: Vec<WatcherId>,
    failed: Vec<(SocketAddr, io::Error)>,
    /// When the next address is due.
    next: Option<WatcherId>,
}

/// A socket on its way.
struct Connecting {
    socket: Watched<Socket>,
    to: SocketAddr,
    attempt: AttemptId,
}

type Finished = Result<Connected, ConnectError>;

impl Connector {
    /// No attempts yet; names are looked up as the system does it.
    #[must_use]
    pub fn new() -> Connector {
        Connector::with_lookup(system_lookup)
    }

    /// As [`Connector::new`], with another source of addresses: `lookup` is called in a thread and
    /// may block; the ports of what it returns do not count.
    #[must_use]
    pub fn with_lookup(
        lookup: impl Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync + 'static,
    ) -> Connector {
        Connector {
            lookup: Arc::new(lookup),
            resolver: None,
            found: HashMap::new(),
            attempts: HashMap::new(),
            asked: HashMap::new(),
            sockets: HashMap::new(),
            timers: HashMap::new(),
            last_id: 0,
        }
    }

    /// Number of attempts that are not over.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.attempts.len()
    }

    /// Begins to connect to `target`, with `timeout` for all of it: looking the name up and trying
    /// its addresses. [`Connects::finished`] is told how it went.
    pub fn start<S: Connects>(
        &mut self,
        event_loop: &mut EventLoop<S>,
        target: &Target,
        timeout: Duration,
    ) -> AttemptId {
        // ANCHOR: start
        self.last_id += 1;
        let id = AttemptId(self.last_id);
        // ANCHOR: one-deadline
        let deadline = event_loop.after(timeout, Self::end_late::<S>);
        self.timers.insert(deadline, id);
        // ANCHOR_END: one-deadline
        let attempt = Attempt {
            port: target.port,
            began: Instant::now(),
            timeout,
            deadline,
            stage: Stage::LookingUp(target.host.clone()),
        };
        self.attempts.insert(id, attempt);
        // ANCHOR: literal-address
        let known = target.ip().map(|ip| vec![SocketAddr::new(ip, target.port)]);
        let known = known.or_else(|| self.fresh(&target.host));
        // ANCHOR_END: literal-address
        // ANCHOR_END: start
        let over = if let Some(addresses) = known {
            self.race(event_loop, id, &addresses)
        } else {
            let asked = self.ask(event_loop, &target.host, id);
            asked.err().map(|err| Err(ConnectError::Lookup(err)))
        };
        if let Some(result) = over {
            self.tell_soon(event_loop, id, result);
        }
        id
    }

    /// Ends an attempt: its sockets are closed, and nobody is told. Returns false if it was over.
    ///
    /// Only closing ends a connect: the kernel goes on with one that nobody waits for.
    pub fn cancel<S: Connects>(&mut self, event_loop: &mut EventLoop<S>, id: AttemptId) -> bool {
        self.remove(event_loop, id).is_some()
    }

    // ---- names ----

    fn fresh(&self, name: &str) -> Option<Vec<SocketAddr>> {
        let (since, addresses) = self.found.get(name)?;
        (since.elapsed() < FRESH).then(|| addresses.clone())
    }

    /// Has a name looked up, unless it is already.
    fn ask<S: Connects>(
        &mut self,
        event_loop: &mut EventLoop<S>,
        name: &str,
        id: AttemptId,
    ) -> io::Result<()> {
        if let Some(waiting) = self.asked.get_mut(name) {
            waiting.push(id);
            return Ok(());
        }
        if self.resolver.is_none() {
            let waker = event_loop.waker(Self::take_addresses::<S>)?;
            self.resolver = Some(Resolver::new(Arc::clone(&self.lookup), waker));
        }
        if let Some(resolver) = &self.resolver {
            resolver.ask(name)?;
        }
        self.asked.insert(name.to_owned(), vec![id]);
        Ok(())
    }

    /// The resolver has answers.
    fn take_addresses<S: Connects>(state: &mut S, event_loop: &mut EventLoop<S>, _: Event) {
        let connector = state.connector();
        let answers = connector.resolver.iter().flat_map(Resolver::answers);
        let answers: Vec<_> = answers.collect();
        for (name, found) in answers {
            let connector = state.connector();
            let waiting = connector.asked.remove(&name).unwrap_or_default();
            if let Ok(addresses) = &found {
                connector
                    .found
                    .retain(|_, (since, _)| since.elapsed() < FRESH);
                connector
                    .found
                    .insert(name, (Instant::now(), addresses.clone()));
            }
            for id in waiting {
                let connector = state.connector();
                let over = match &found {
                    // Each of them has an error of its own.
                    Err(err) => Some(Err(ConnectError::Lookup(io::Error::other(err.to_string())))),
                    Ok(addresses) => connector.race(event_loop, id, addresses),
                };
                if let Some(result) = over {
                    Self::tell(state, event_loop, id, result);
                }
            }
        }
    }

    // ---- addresses ----

    /// Begins with the first address. The result is there if none can be begun with.
    fn race<S: Connects>(
        &mut self,
        event_loop: &mut EventLoop<S>,
        id: AttemptId,
        addresses: &[SocketAddr],
    ) -> Option<Finished> {
        // Cancelled by somebody who was told of the same name.
        let attempt = self.attempts.get_mut(&id)?;
        if addresses.is_empty() {
            return Some(Err(ConnectError::NoAddress));
        }
        attempt.stage = Stage::Racing(Race {
            untried: race_order(addresses, attempt.port),
            ..Race::default()
        });
        self.try_next(event_loop, id)
    }

    /// Begins with the next address. The result is there when no address is left and none is on
    /// its way.
    fn try_next<S: Connects>(
        &mut self,
        event_loop: &mut EventLoop<S>,
        id: AttemptId,
    ) -> Option<Finished> {
        let attempt = self.attempts.get_mut(&id)?;
        let Stage::Racing(race) = &mut attempt.stage else {
            return None;
        };
        if let Some(timer) = race.next.take() {
            self.timers.remove(&timer);
            event_loop.cancel(timer);
        }
        // ANCHOR: begin-one
        while let Some(to) = race.untried.pop_front() {
            let watch = Watch::new(Interest::WRITABLE).label("connecting");
            // ANCHOR: watch-after-connect
            let begun =
                begin(to).and_then(|socket| event_loop.watch(socket, watch, Self::settle::<S>));
            // ANCHOR_END: watch-after-connect
            match begun {
                Ok(socket) => {
                    race.running.push(socket.id());
                    let (watcher, attempt) = (socket.id(), id);
                    let connecting = Connecting {
                        socket,
                        to,
                        attempt,
                    };
                    self.sockets.insert(watcher, connecting);
                    break;
                }
                // ANCHOR: next-address
                Err(err) => race.failed.push((to, err)),
                // ANCHOR_END: next-address
            }
        }
        // ANCHOR_END: begin-one
        if race.running.is_empty() {
            let failed = std::mem::take(&mut race.failed);
            return Some(Err(ConnectError::Addresses(failed)));
        }
        // ANCHOR: widen
        if !race.untried.is_empty() {
            let timer = event_loop.after(ATTEMPT_DELAY, Self::widen::<S>);
            self.timers.insert(timer, id);
            race.next = Some(timer);
        }
        None
    }

    /// No address has answered yet: one more is tried beside them.
    fn widen<S: Connects>(state: &mut S, event_loop: &mut EventLoop<S>, event: Event) {
        let connector = state.connector();
        let Some(&id) = connector.timers.get(&event.id) else {
            return;
        };
        if let Some(result) = connector.try_next(event_loop, id) {
            Self::tell(state, event_loop, id, result);
        }
    }
    // ANCHOR_END: widen

    /// A socket is writable: its connect is over.
    fn settle<S: Connects>(state: &mut S, event_loop: &mut EventLoop<S>, event: Event) {
        let connector = state.connector();
        let Some(connecting) = connector.sockets.remove(&event.id) else {
            return;
        };
        let Connecting {
            socket,
            to,
            attempt: id,
        } = connecting;
        let Some(attempt) = connector.attempts.get_mut(&id) else {
            return;
        };
        let Stage::Racing(race) = &mut attempt.stage else {
            return;
        };
        // ANCHOR: settle
        race.running.retain(|&other| other != event.id);
        // ANCHOR: settle-once
        let over = match outcome(&socket, to).and_then(|()| socket.into_inner(event_loop)) {
            Ok(socket) => Some(Ok(Connected {
                socket,
                address: to,
                took: attempt.began.elapsed(),
            })),
            // ANCHOR_END: settle-once
            Err(err) => {
                race.failed.push((to, err));
                // ANCHOR: at-once
                // The next one does not have to wait for its turn.
                connector.try_next(event_loop, id)
                // ANCHOR_END: at-once
            }
        };
        if let Some(result) = over {
            Self::tell(state, event_loop, id, result);
        }
        // ANCHOR_END: settle
    }

    // ---- the end ----

    /// The time is over, or there was none to lose.
    fn end_late<S: Connects>(state: &mut S, event_loop: &mut EventLoop<S>, event: Event) {
        let connector = state.connector();
        let Some(&id) = connector.timers.get(&event.id) else {
            return;
        };
        let Some(attempt) = connector.attempts.get_mut(&id) else {
            return;
        };
        let timeout = attempt.timeout;
        let looked_up = Stage::LookingUp(String::new());
        let result = match &mut attempt.stage {
            Stage::LookingUp(_) => Err(ConnectError::LookupTimedOut(timeout)),
            Stage::Over(_) => match std::mem::replace(&mut attempt.stage, looked_up) {
                Stage::Over(result) => result,
                _ => return,
            },
            Stage::Racing(race) => {
                let mut tried = std::mem::take(&mut race.failed);
                let silent = race.running.iter();
                let silent = silent.filter_map(|watcher| connector.sockets.get(watcher));
                tried.extend(silent.map(|silent| {
                    // It may have failed a moment ago, and the loop be late.
                    let failed = silent.socket.take_error().ok().flatten();
                    (silent.to, failed.unwrap_or(Errno::ETIMEDOUT.into()))
                }));
                Err(ConnectError::Addresses(tried))
            }
        };
        Self::tell(state, event_loop, id, result);
    }

    /// Has the loop tell of what is over already: whoever starts an attempt does not know its name
    /// yet, and may start the next one as soon as this one is over.
    fn tell_soon<S: Connects>(
        &mut self,
        event_loop: &mut EventLoop<S>,
        id: AttemptId,
        result: Finished,
    ) {
        let Some(attempt) = self.attempts.get_mut(&id) else {
            return;
        };
        attempt.stage = Stage::Over(result);
        event_loop.push_out(attempt.deadline, Duration::ZERO);
    }

    /// Tells the state how it went. Whatever else the attempt had begun is closed.
    fn tell<S: Connects>(
        state: &mut S,
        event_loop: &mut EventLoop<S>,
        id: AttemptId,
        result: Finished,
    ) {
        if state.connector().remove(event_loop, id).is_some() {
            state.finished(event_loop, id, result);
        }
    }

    // ANCHOR: remove
    /// Takes an attempt out of every table, with its timers and sockets.
    fn remove<S: Connects>(
        &mut self,
        event_loop: &mut EventLoop<S>,
        id: AttemptId,
    ) -> Option<Attempt> {
        let attempt = self.attempts.remove(&id)?;
        let mut timers = vec![attempt.deadline];
        match &attempt.stage {
            Stage::LookingUp(name) => self.leave(name, id),
            Stage::Racing(race) => {
                timers.extend(race.next);
                // ANCHOR: close-losers
                for watcher in &race.running {
                    self.sockets.remove(watcher);
                }
                // ANCHOR_END: close-losers
            }
            Stage::Over(_) => {}
        }
        for timer in timers {
            self.timers.remove(&timer);
            event_loop.cancel(timer);
        }
        Some(attempt)
    }
    // ANCHOR_END: remove

    /// One waits no longer for a name; if it was the last, the lookup is not begun.
    fn leave(&mut self, name: &str, id: AttemptId) {
        let Some(waiting) = self.asked.get_mut(name) else {
            return;
        };
        waiting.retain(|&other| other != id);
        if waiting.is_empty() && self.resolver.as_ref().is_some_and(|pool| pool.forget(name)) {
            self.asked.remove(name);
        }
    }
}

impl Default for Connector {
    fn default() -> Connector {
        Connector::new()
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector")
            .field("attempts", &self.attempts.len())
            .field("sockets", &self.sockets.len())
            .field("resolver", &self.resolver)
            .finish_non_exhaustive()
    }
}
