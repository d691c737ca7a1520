//! The end that receives: the same stream, read in four ways.
//!
//! Shows: whatever tells of the urgent byte, it is taken before the data that may lie behind it,
//! since reading past the mark loses it; and `select(2)` beside the loop that replaces it.

use std::fmt;
use std::io::{self, Stdout};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;

use chapter::{Timeline, errno_name};
use clap::{Parser, ValueEnum};
use epoll_loop::{Event, EventLoop, Interest, Readiness, Signal, Watch, Watched};
use nix::sys::select::{FdSet, select};
use oob_data::{at_mark, own_signals, receive_data, receive_urgent};
use socket2::SockRef;

/// Receive one connection, and tell what comes of it
///
/// Data is read as it comes; a read stops at the mark. How the urgent byte is noticed and taken is
/// up to --via.
#[allow(clippy::doc_markdown, reason = "the help text is shown as it is")]
#[derive(Debug, Parser)]
pub(crate) struct ReceiveArgs {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,

    /// What tells of urgent data; select waits without the loop, so --trace has nothing to show
    #[arg(long, value_enum, default_value_t = Via::Epoll)]
    via: Via,

    #[command(flatten)]
    trace: chapter::Trace,
}

#[allow(clippy::doc_markdown, reason = "the help text is shown as it is")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Via {
    /// EPOLLPRI; the byte is taken with MSG_OOB
    Epoll,
    /// The third set of select(2); the byte is taken with MSG_OOB
    Select,
    /// The signal SIGURG, for which the socket gets an owner; the byte is taken with MSG_OOB
    Sigurg,
    /// SO_OOBINLINE: the byte stays in the stream, behind the mark
    Inline,
}

/// One connection until it ends.
struct Receive {
    stream: Watched<TcpStream>,
    via: Via,
    timeline: Timeline<Stdout>,
}

/// Receives one connection.
pub(crate) fn run(args: &ReceiveArgs) -> io::Result<()> {
    // Before the first byte can come, and before any thread.
    let _blocked = EventLoop::block_signals(&[Signal::SIGURG])?;
    let listener = TcpListener::bind(args.listen)?;
    chapter::listening_on(listener.local_addr()?)?;
    let (stream, _) = listener.accept()?;
    stream.set_nonblocking(true)?;
    let timeline = Timeline::new(io::stdout(), &["receive"]);
    match args.via {
        Via::Select => by_select(&stream, timeline),
        via => by_loop(stream, via, timeline, args.trace),
    }
}

/// EPOLLPRI, SIGURG and `SO_OOBINLINE`, on the loop.
fn by_loop(
    stream: TcpStream,
    via: Via,
    timeline: Timeline<Stdout>,
    trace: chapter::Trace,
) -> io::Result<()> {
    let mut event_loop = EventLoop::new()?;
    let _tracing = trace.start(&mut event_loop)?;
    // ANCHOR: four-ways
    let mut interest = Interest::READABLE;
    match via {
        Via::Sigurg => {
            // ANCHOR: signal
            event_loop.on_signal(Signal::SIGURG, Receive::obey_signal)?;
            own_signals(&stream)?;
            // ANCHOR_END: signal
        }
        Via::Inline => {
            SockRef::from(&stream).set_out_of_band_inline(true)?;
            interest = interest | Interest::URGENT;
        }
        Via::Epoll | Via::Select => interest = interest | Interest::URGENT,
    }
    // ANCHOR_END: four-ways
    let watch = Watch::new(interest).label("peer");
    let stream = event_loop.watch(stream, watch, Receive::read)?;
    let mut receive = Receive {
        stream,
        via,
        timeline,
    };
    if via == Via::Sigurg {
        receive.say("the socket has an owner; what was announced before has sent no signal")?;
        receive.take_urgent()?;
    }
    event_loop.run(&mut receive)
}

impl Receive {
    /// The connection has data, an urgent byte, or its end.
    fn read(&mut self, event_loop: &mut EventLoop<Receive>, event: Event) {
        let read = self.read_some(event.readiness);
        match read {
            Ok(true) => {}
            Ok(false) => event_loop.stop(Ok(())),
            Err(err) => event_loop.stop(Err(err)),
        }
    }

    /// SIGURG: one of the sockets that this process owns has urgent data.
    fn obey_signal(&mut self, event_loop: &mut EventLoop<Receive>, _: Event) {
        let taken = self.say("SIGURG").and_then(|()| self.take_urgent());
        if let Err(err) = taken {
            event_loop.stop(Err(err));
        }
    }

    /// Returns false at the end of the connection.
    fn read_some(&mut self, readiness: Readiness) -> io::Result<bool> {
        // ANCHOR: read-some
        self.say(format_args!("epoll reports {readiness}"))?;
        // ANCHOR: urgent-first
        if self.via != Via::Inline && readiness.intersects(Readiness::PRI) {
            self.take_urgent()?;
        }
        // ANCHOR_END: urgent-first
        if !readiness.is_readable() {
            return Ok(true);
        }
        // ANCHOR: signal-late
        // A signal may still be on its way when the data behind the mark is here.
        if self.via == Via::Sigurg && at_mark(&self.stream)? {
            self.take_urgent()?;
        }
        // ANCHOR_END: signal-late
        // ANCHOR: inline-mark
        if self.via == Via::Inline && at_mark(&self.stream)? {
            self.say("at the mark: the next byte is the urgent one")?;
        }
        // ANCHOR_END: inline-mark
        take_data(&mut self.timeline, &self.stream)
        // ANCHOR_END: read-some
    }

    fn take_urgent(&mut self) -> io::Result<()> {
        take_urgent(&mut self.timeline, &self.stream)
    }

    fn say(&mut self, what: impl fmt::Display) -> io::Result<()> {
        self.timeline.say("receive", what)
    }
}

/// The old way: the three sets are filled in anew each time, and the third one means urgent data.
///
/// It waits without a limit: there is one connection and nothing else to do.
fn by_select(stream: &TcpStream, mut timeline: Timeline<Stdout>) -> io::Result<()> {
    loop {
        let (mut readable, mut exceptional) = (FdSet::new(), FdSet::new());
        readable.insert(stream.as_fd());
        exceptional.insert(stream.as_fd());
        select(None, &mut readable, None, &mut exceptional, None)?;
        let (reads, excepts) = (
            readable.contains(stream.as_fd()),
            exceptional.contains(stream.as_fd()),
        );
        let what = format!(
            "select reports readable {}, exceptional {}",
            u8::from(reads),
            u8::from(excepts)
        );
        timeline.say("receive", what)?;
        // ANCHOR: two-ifs
        // Two ifs and no else: both may be true, and the urgent byte comes first.
        if excepts {
            take_urgent(&mut timeline, stream)?;
        }
        if reads && !take_data(&mut timeline, stream)? {
            return Ok(());
        }
        // ANCHOR_END: two-ifs
    }
}

/// Takes the urgent byte out of the stream, if it is there.
fn take_urgent(timeline: &mut Timeline<Stdout>, stream: &TcpStream) -> io::Result<()> {
    match receive_urgent(stream) {
        Ok(bytes) => timeline.say("receive", format_args!("recv(MSG_OOB) -> {}", show(&bytes))),
        // Announced, and not here; or taken already.
        Err(err) if matches!(errno_name(&err).as_str(), "EAGAIN" | "EINVAL") => Ok(()),
        Err(err) => Err(err),
    }
}

/// Reads up to the mark. Returns false at the end of the connection.
fn take_data(timeline: &mut Timeline<Stdout>, stream: &TcpStream) -> io::Result<bool> {
    match receive_data(stream) {
        Ok(bytes) if bytes.is_empty() => {
            timeline.say("receive", "end of the connection")?;
            Ok(false)
        }
        Ok(bytes) => {
            let mark = if at_mark(stream)? {
                ", at the mark"
            } else {
                ""
            };
            timeline.say("receive", format_args!("recv -> {}{mark}", show(&bytes)))?;
            Ok(true)
        }
        Err(err) if err.kind() == io::ErrorKind::WouldBlock => Ok(true),
        Err(err) => Err(err),
    }
}

/// Bytes as text: what is no letter is escaped, what is long is cut.
fn show(bytes: &[u8]) -> String {
    const SHOWN_BYTES: usize = 60;
    let shown = &bytes[..bytes.len().min(SHOWN_BYTES)];
    let more = match bytes.len() - shown.len() {
        0 => String::new(),
        more => format!(" and {more} bytes more"),
    };
    format!("'{}'{more}", shown.escape_ascii())
}
