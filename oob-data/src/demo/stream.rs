//! One TCP connection after the other: what the mark does to a stream.

use std::io;
use std::time::{Duration, Instant};

use epoll_loop::{EventLoop, Signal};
use oob_data::{own_signals, receive_data, send_urgent};
use socket2::SockRef;

use super::{Demo, PATIENCE, pair, pair_with_buffer, reported, wait_until};

/// A receive buffer that is soon full.
const SMALL_BYTES: usize = 4 * 1024;

/// More than that holds, and less than the 64 KiB that an urgent pointer
/// reaches (RFC 9293, 3.1: 16 bits).
const BEHIND_BYTES: usize = 32 * 1024;

/// How long to wait for a signal that does not come.
const IN_VAIN: Duration = Duration::from_millis(50);

impl Demo {
    /// Listing 5-6, and its receiver with each step in its turn.
    pub(super) fn one_byte_of_three(&mut self) -> io::Result<()> {
        let (sender, receiver) = pair()?;
        self.urgent("fresh", &receiver, "EINVAL")?;
        self.send("three", &sender, b"123")?;
        self.send_urgent("three", &sender, b"abc")?;
        self.send("three", &sender, b"123")?;
        self.epoll("three", &receiver, "IN|PRI")?;
        self.select("three", &receiver, "readable 1, exceptional 1")?;
        self.mark("three", &receiver, false)?;
        self.data("three", &receiver, "'123ab'")?;
        self.note(
            "three",
            "only c is urgent; a read stops in front of the mark",
        )?;
        self.mark("three", &receiver, true)?;
        self.urgent("three", &receiver, "'c'")?;
        self.epoll("three", &receiver, "IN")?;
        self.data("three", &receiver, "'123'")?;
        self.urgent("three", &receiver, "EINVAL")
    }

    pub(super) fn two_urgent_bytes(&mut self) -> io::Result<()> {
        let (sender, receiver) = pair()?;
        self.send("twice", &sender, b"12")?;
        self.send_urgent("twice", &sender, b"x")?;
        self.send_urgent("twice", &sender, b"y")?;
        self.send("twice", &sender, b"34")?;
        self.urgent("twice", &receiver, "'y'")?;
        self.urgent("twice", &receiver, "EINVAL")?;
        self.data("twice", &receiver, "'12x'")?;
        self.note(
            "twice",
            "there is one urgent byte: the older one has become data",
        )?;
        self.data("twice", &receiver, "'34'")
    }

    pub(super) fn a_byte_that_vanishes(&mut self) -> io::Result<()> {
        let (sender, receiver) = pair()?;
        self.send_urgent("vanish", &sender, b"x")?;
        self.send_urgent("vanish", &sender, b"y")?;
        self.send("vanish", &sender, b"34")?;
        self.urgent("vanish", &receiver, "'y'")?;
        self.data("vanish", &receiver, "'34'")?;
        self.note(
            "vanish",
            "with no data before it x is neither urgent nor data: it is gone",
        )
    }

    pub(super) fn in_line(&mut self) -> io::Result<()> {
        let (sender, receiver) = pair()?;
        SockRef::from(&receiver).set_out_of_band_inline(true)?;
        self.note("inline", "setsockopt SO_OOBINLINE")?;
        self.send("inline", &sender, b"12")?;
        self.send_urgent("inline", &sender, b"X")?;
        self.send("inline", &sender, b"34")?;
        self.epoll("inline", &receiver, "IN|PRI")?;
        self.urgent("inline", &receiver, "EINVAL")?;
        self.note(
            "inline",
            "listing 9-1 asks in just this way, and never gets anything",
        )?;
        self.data("inline", &receiver, "'12'")?;
        self.mark("inline", &receiver, true)?;
        self.data("inline", &receiver, "'X34'")?;
        self.note(
            "inline",
            "the mark is all that tells X from data, and only before it is read",
        )
    }

    pub(super) fn read_past(&mut self) -> io::Result<()> {
        let (sender, receiver) = pair()?;
        self.send("past", &sender, b"12")?;
        self.send_urgent("past", &sender, b"X")?;
        self.send("past", &sender, b"34")?;
        self.data("past", &receiver, "'12'")?;
        self.data("past", &receiver, "'34'")?;
        self.urgent("past", &receiver, "EINVAL")?;
        self.epoll("past", &receiver, "nothing")?;
        self.note("past", "who does not take X before reading on has lost it")
    }

    /// Announced at once, delivered in its turn.
    pub(super) fn no_window(&mut self) -> io::Result<()> {
        let mut signals = SignalLoop::new(self.trace)?;
        let (sender, receiver) = pair_with_buffer(SMALL_BYTES)?;
        own_signals(&receiver)?;
        SockRef::from(&sender).set_send_buffer_size(4 * BEHIND_BYTES)?;
        io::Write::write_all(&mut &sender, &vec![b'.'; BEHIND_BYTES])?;
        send_urgent(&sender, b"U")?;
        self.note(
            "window",
            "send 32 KiB to a receiver with a small buffer, which reads nothing",
        )?;
        self.note("window", "send(MSG_OOB) 'U'")?;
        let count = signals.wait()?;
        self.timeline.answer("window", "SIGURG", 1, count)?;
        self.urgent("window", &receiver, "EAGAIN")?;
        self.epoll("window", &receiver, "IN")?;
        self.note(
            "window",
            "announced, but the byte waits behind the others: no PRI yet",
        )?;
        let mut read = 0;
        wait_until(|| {
            match receive_data(&receiver) {
                Ok(bytes) => read += bytes.len(),
                Err(err) if err.kind() == io::ErrorKind::WouldBlock => {}
                Err(err) => return Err(err),
            }
            Ok(read == BEHIND_BYTES)
        })?;
        self.note("window", "all 32 KiB are read")?;
        wait_until(|| Ok(reported(&receiver)? != "nothing"))?;
        self.epoll("window", &receiver, "PRI")?;
        self.urgent("window", &receiver, "'U'")?;
        self.note(
            "window",
            "no second channel, and no priority: it came in its turn",
        )
    }

    pub(super) fn signal(&mut self) -> io::Result<()> {
        let mut signals = SignalLoop::new(self.trace)?;
        let (sender, receiver) = pair()?;
        self.send_urgent("sigurg", &sender, b"x")?;
        signals.turn()?;
        self.timeline
            .answer("sigurg", "SIGURG without an owner", 0, signals.count)?;
        own_signals(&receiver)?;
        self.note("sigurg", "fcntl F_SETOWN")?;
        self.send_urgent("sigurg", &sender, b"y")?;
        let count = signals.wait()?;
        self.timeline
            .answer("sigurg", "SIGURG with an owner", 1, count)?;
        self.urgent("sigurg", &receiver, "'y'")?;
        self.note(
            "sigurg",
            "the signal does not say which socket, nor how many bytes",
        )
    }
}

/// A loop that counts SIGURG.
struct SignalLoop {
    event_loop: EventLoop<usize>,
    count: usize,
    _tracing: chapter::Tracing,
}

impl SignalLoop {
    fn new(trace: chapter::Trace) -> io::Result<SignalLoop> {
        let mut event_loop = EventLoop::new()?;
        let tracing = trace.start(&mut event_loop)?;
        event_loop.on_signal(Signal::SIGURG, |count, _, _| *count += 1)?;
        Ok(SignalLoop {
            event_loop,
            count: 0,
            _tracing: tracing,
        })
    }

    fn turn(&mut self) -> io::Result<()> {
        self.event_loop.turn(&mut self.count, Some(IN_VAIN))
    }

    /// Waits for the first signal.
    fn wait(&mut self) -> io::Result<usize> {
        let begin = Instant::now();
        // A turn may also end because the trace has written a line.
        while self.count == 0 && begin.elapsed() < PATIENCE {
            self.turn()?;
        }
        Ok(self.count)
    }
}
