//! Both ends in one process, step by step, and what the kernel answers.
//!
//! Shows: each sentence that notes and listings have about out-of-band data, as calls.
//! Leaves out: timing. Before each step what was sent has arrived.

mod elsewhere;
mod stream;
mod synch;

use std::io::{self, Stdout};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use chapter::{Timeline, Unexpected, errno_name};
use epoll_loop::{EventLoop, Signal};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::select::{FdSet, select};
use nix::sys::time::{TimeVal, TimeValLike};
use oob_data::{at_mark, receive_data, receive_urgent, send_urgent};
use socket2::SockRef;

use crate::send::wait_for_delivery;

/// What is shown, one name a chapter of it.
const NAMES: [&str; 11] = [
    "fresh", "three", "twice", "vanish", "inline", "past", "sigurg", "window", "select", "unix",
    "telnet",
];

/// How long to wait for what must come; nothing here takes so long.
const PATIENCE: Duration = Duration::from_secs(30);

/// The timeline, and a loop for what comes by signals.
struct Demo {
    timeline: Timeline<Stdout>,
    trace: chapter::Trace,
}

/// Runs all steps. The inner result is what the kernel made of the text.
pub(crate) fn run(trace: chapter::Trace) -> io::Result<Result<(), Unexpected>> {
    let _blocked = EventLoop::block_signals(&[Signal::SIGURG])?;
    let mut demo = Demo {
        timeline: Timeline::new(io::stdout(), &NAMES),
        trace,
    };
    demo.one_byte_of_three()?;
    demo.two_urgent_bytes()?;
    demo.a_byte_that_vanishes()?;
    demo.in_line()?;
    demo.read_past()?;
    demo.signal()?;
    demo.no_window()?;
    demo.other_exceptions()?;
    demo.unix_sockets()?;
    demo.synch()?;
    Ok(demo.timeline.verdict())
}

impl Demo {
    fn note(&mut self, who: &str, what: &str) -> io::Result<()> {
        self.timeline.say(who, format_args!("   {what}"))
    }

    /// Sends data, and waits until it has arrived.
    fn send(&mut self, who: &str, stream: &TcpStream, bytes: &[u8]) -> io::Result<()> {
        io::Write::write_all(&mut &*stream, bytes)?;
        self.timeline
            .say(who, format_args!("send '{}'", bytes.escape_ascii()))?;
        wait_for_delivery(stream)
    }

    /// Sends with `MSG_OOB`, and waits until it has arrived.
    fn send_urgent(&mut self, who: &str, stream: &TcpStream, bytes: &[u8]) -> io::Result<()> {
        send_urgent(stream, bytes)?;
        self.timeline.say(
            who,
            format_args!("send(MSG_OOB) '{}'", bytes.escape_ascii()),
        )?;
        wait_for_delivery(stream)
    }

    fn data(&mut self, who: &str, stream: &TcpStream, expected: &str) -> io::Result<()> {
        let answered = show(receive_data(stream));
        self.timeline.answer(who, "recv", expected, answered)
    }

    fn urgent(&mut self, who: &str, stream: &TcpStream, expected: &str) -> io::Result<()> {
        let answered = show(receive_urgent(stream));
        self.timeline
            .answer(who, "recv(MSG_OOB)", expected, answered)
    }

    fn mark(&mut self, who: &str, stream: &TcpStream, expected: bool) -> io::Result<()> {
        let answered = at_mark(stream)?;
        self.timeline
            .answer(who, "sockatmark", u8::from(expected), u8::from(answered))
    }

    fn epoll(&mut self, who: &str, io: impl AsFd, expected: &str) -> io::Result<()> {
        let answered = reported(io)?;
        self.timeline.answer(who, "epoll", expected, answered)
    }

    fn select(&mut self, who: &str, io: impl AsFd, expected: &str) -> io::Result<()> {
        let answered = selected(io)?;
        self.timeline.answer(who, "select", expected, answered)
    }
}

/// Two ends of a connection; the second does not block.
fn pair() -> io::Result<(TcpStream, TcpStream)> {
    pair_at(&TcpListener::bind("127.0.0.1:0")?)
}

/// As [`pair`], with a receive buffer of this size from the beginning: a window that was offered
/// is not taken back.
fn pair_with_buffer(bytes: usize) -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    SockRef::from(&listener).set_recv_buffer_size(bytes)?;
    pair_at(&listener)
}

fn pair_at(listener: &TcpListener) -> io::Result<(TcpStream, TcpStream)> {
    let sender = TcpStream::connect(listener.local_addr()?)?;
    sender.set_nodelay(true)?;
    let (receiver, _) = listener.accept()?;
    receiver.set_nonblocking(true)?;
    Ok((sender, receiver))
}

/// Bytes in quotes, or the name of the error.
fn show(result: io::Result<Vec<u8>>) -> String {
    match result {
        Ok(bytes) => format!("'{}'", bytes.escape_ascii()),
        Err(err) => errno_name(&err),
    }
}

/// What epoll reports at this moment of what can be read.
fn reported(io: impl AsFd) -> io::Result<String> {
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    let asked = EpollFlags::EPOLLIN | EpollFlags::EPOLLPRI | EpollFlags::EPOLLRDHUP;
    epoll.add(&io, EpollEvent::new(asked, 0))?;
    let mut events = [EpollEvent::empty()];
    if epoll.wait(&mut events, EpollTimeout::ZERO)? == 0 {
        return Ok("nothing".to_owned());
    }
    let flags = events[0].events();
    let names = flags.iter_names().map(|(name, _)| name);
    let names: Vec<&str> = names
        .map(|name| name.strip_prefix("EPOLL").unwrap_or(name))
        .collect();
    Ok(names.join("|"))
}

/// What select says at this moment.
fn selected(io: impl AsFd) -> io::Result<String> {
    let (mut readable, mut exceptional) = (FdSet::new(), FdSet::new());
    readable.insert(io.as_fd());
    exceptional.insert(io.as_fd());
    let mut at_once = TimeVal::seconds(0);
    select(None, &mut readable, None, &mut exceptional, &mut at_once)?;
    let (reads, excepts) = (
        readable.contains(io.as_fd()),
        exceptional.contains(io.as_fd()),
    );
    Ok(format!(
        "readable {}, exceptional {}",
        u8::from(reads),
        u8::from(excepts)
    ))
}

/// Waits until something is so; no readiness tells of what this is used for.
fn wait_until(mut is_so: impl FnMut() -> io::Result<bool>) -> io::Result<()> {
    let begin = Instant::now();
    while !is_so()? {
        if begin.elapsed() > PATIENCE {
            return Err(io::ErrorKind::TimedOut.into());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}
