//! The server of `echo.rs` on bare epoll, with a `match`: what the loop takes off one's hands.
//!
//! Run it: `cargo run -p epoll-loop --example echo_bare -- 127.0.0.1:7007`, then
//! `nc 127.0.0.1 7007`
//!
//! Shows: nine things that a program on epoll has to get right by itself, numbered in the
//! comments. Forgetting one is never an error message: it is a core at 100 %, a client that hears
//! nothing, or words that reach the wrong one.
//! Leaves out: more than one timer, signals, children, other threads, a trace. Each of them would
//! add an arm to the `match`, and most of them another descriptor.

use std::collections::HashMap;
use std::env;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

/// How long the listener rests when no descriptor is left.
const PAUSE: Duration = Duration::from_millis(100);

/// How much is read from one client before the others have their turn.
const BUDGET_BYTES: usize = 65_536;

/// The token of the listener; those of the clients are counted from 1.
///
/// (1) The kernel gives back 64 bits with each event, whatever they were. The number of the
/// descriptor is the wrong choice: within one batch a client may be closed and the next one get
/// its number, and an event that was meant for the first would be handled as the second's. So the
/// tokens are counted, and never used again. The loop's are a slot and a generation.
const LISTENER: u64 = 0;

struct Client {
    stream: TcpStream,
    /// Read and not yet written.
    waiting: Vec<u8>,
    /// What the kernel was asked last, so that it is not asked the same again.
    asked: EpollFlags,
}

fn main() -> io::Result<()> {
    let address = env::args().nth(1);
    let listener = TcpListener::bind(address.as_deref().unwrap_or("127.0.0.1:7007"))?;
    // (2) Non-blocking, although it is asked only when it is readable: the client may have gone
    // again by then, and accept would wait for the next one, and everybody else with it.
    listener.set_nonblocking(true)?;
    println!("listening on {}", listener.local_addr()?);

    // (3) Close-on-exec: a child that inherits the instance keeps registrations in it alive.
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    epoll.add(&listener, EpollEvent::new(EpollFlags::EPOLLIN, LISTENER))?;
    let mut clients: HashMap<u64, Client> = HashMap::new();
    let mut next_token = LISTENER + 1;
    let mut paused_until: Option<Instant> = None;
    let mut events = [EpollEvent::empty(); 64];
    loop {
        // ANCHOR: loop
        let count = match epoll.wait(&mut events, timeout(paused_until)) {
            Ok(count) => count,
            // ANCHOR: eintr
            // (4) A signal handler has run. SA_RESTART does not help here; the time that is left
            // is reckoned anew, or a signal each second would keep a timer from ever firing.
            Err(Errno::EINTR) => continue,
            // ANCHOR_END: eintr
            Err(err) => return Err(err.into()),
        };
        // ANCHOR: rearm
        if paused_until.is_some_and(|deadline| deadline <= Instant::now()) {
            epoll.add(&listener, EpollEvent::new(EpollFlags::EPOLLIN, LISTENER))?;
            paused_until = None;
        }
        // ANCHOR_END: rearm
        // ANCHOR_END: loop
        for event in &events[..count] {
            match event.data() {
                LISTENER => match admit(&listener, &epoll, next_token) {
                    Ok(client) => {
                        clients.insert(next_token, client);
                        next_token += 1;
                    }
                    Err(err) if err.kind() == ErrorKind::WouldBlock => {}
                    // (5) Out of descriptors: the client stays in the backlog, and the listener
                    // stays readable. Without the pause this loop would spin.
                    Err(_) => {
                        epoll.delete(&listener)?;
                        paused_until = Some(Instant::now() + PAUSE);
                    }
                },
                token => {
                    // Gone earlier in this batch: a stale event.
                    let Some(client) = clients.get_mut(&token) else {
                        continue;
                    };
                    if let Ok(Some(wanted)) = client.serve() {
                        // (6) Told only when it has changed: a system call for each event would
                        // double their price.
                        if wanted != client.asked {
                            client.asked = wanted;
                            epoll.modify(&client.stream, &mut EpollEvent::new(wanted, token))?;
                        }
                    } else if let Some(client) = clients.remove(&token) {
                        // (7) Out of the kernel's set, and only then closed. If a child or a
                        // duplicate holds the socket open, closing alone leaves a ghost: events
                        // for ever, for a descriptor that nobody can take out any more.
                        epoll.delete(&client.stream)?;
                    }
                }
            }
        }
    }
}

/// Takes one connection from the backlog.
fn admit(listener: &TcpListener, epoll: &Epoll, token: u64) -> io::Result<Client> {
    let (stream, _) = listener.accept()?;
    // On Linux it does not inherit this from the listener.
    stream.set_nonblocking(true)?;
    let asked = EpollFlags::EPOLLIN | EpollFlags::EPOLLRDHUP;
    epoll.add(&stream, EpollEvent::new(asked, token))?;
    Ok(Client {
        stream,
        waiting: Vec::new(),
        asked,
    })
}

/// The time until `deadline`, as `epoll_wait(2)` wants it.
fn timeout(deadline: Option<Instant>) -> EpollTimeout {
    let Some(deadline) = deadline else {
        return EpollTimeout::NONE;
    };
    // (8) Rounded up to whole milliseconds. Rounded down, the last one would be waited for with a
    // timeout of 0, again and again.
    let left = deadline.saturating_duration_since(Instant::now());
    let milliseconds = left.as_nanos().div_ceil(1_000_000);
    EpollTimeout::try_from(milliseconds).unwrap_or(EpollTimeout::MAX)
}

impl Client {
    /// Reads what there is room for and writes what is taken. Returns what to wait for next, or
    /// nothing when all is said.
    fn serve(&mut self) -> io::Result<Option<EpollFlags>> {
        let mut has_ended = false;
        if self.waiting.is_empty() {
            has_ended = self.read()?;
        }
        self.write()?;
        // (9) Never both: a client that sends and does not read would fill our memory. And never
        // EPOLLOUT with nothing to write, nor EPOLLRDHUP without reading: both stay true, so the
        // wait would return at once for ever.
        Ok(match (self.waiting.is_empty(), has_ended) {
            (false, _) => Some(EpollFlags::EPOLLOUT),
            // The end of the stream comes again after the last byte of the echo.
            (true, false) => Some(EpollFlags::EPOLLIN | EpollFlags::EPOLLRDHUP),
            (true, true) => None,
        })
    }

    /// Reads until nothing is left or the budget is spent; true at the end of the stream.
    fn read(&mut self) -> io::Result<bool> {
        let mut buffer = [0; 16_384];
        while self.waiting.len() < BUDGET_BYTES {
            match self.stream.read(&mut buffer) {
                Ok(0) => return Ok(true),
                Ok(count) => self.waiting.extend_from_slice(&buffer[..count]),
                Err(err) if err.kind() == ErrorKind::Interrupted => {}
                Err(err) if err.kind() == ErrorKind::WouldBlock => break,
                Err(err) => return Err(err),
            }
        }
        Ok(false)
    }

    /// Writes until nothing is left or the client takes no more.
    fn write(&mut self) -> io::Result<()> {
        let mut written = 0;
        while written < self.waiting.len() {
            match self.stream.write(&self.waiting[written..]) {
                Ok(count) => written += count,
                Err(err) if err.kind() == ErrorKind::Interrupted => {}
                Err(err) if err.kind() == ErrorKind::WouldBlock => break,
                Err(err) => return Err(err),
            }
        }
        self.waiting.drain(..written);
        Ok(())
    }
}
