//! The other end, for a second terminal: one that answers, one that greets, one that is silent.
//!
//! Shows: what a connecting socket is told depends on the peer, and not only on whether it works.
//! Leaves out: a peer that refuses. Every port on which nobody listens is one.

use std::collections::HashMap;
use std::io::{self, ErrorKind, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use clap::{Parser, ValueEnum};
use epoll_loop::{Event, EventLoop, Interest, ReadEnd, Watch, Watched, WatcherId, read_within};
use nonblock_connect::SilentListener;

/// What is said to those who come.
const BANNER: &[u8] = b"220 welcome\r\n";

/// Who comes while so many are there is closed at once.
const MAX_CLIENTS: usize = 4_096;

/// How long the listener is left alone when there are no descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// Be the other end, in a second terminal
///
/// Says `listening on ADDRESS` and stays until it is ended with Ctrl-C. A peer that refuses needs
/// no program: take any port on which nobody listens.
#[derive(Debug, Parser)]
pub(crate) struct PeerArgs {
    /// How it behaves
    #[arg(value_enum)]
    kind: PeerKind,

    /// Address to listen on; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,

    /// Only for silent: begin to answer after so long (500ms, 3s, 2m)
    #[arg(long, value_name = "DURATION", value_parser = chapter::duration)]
    silent_for: Option<Duration>,

    #[command(flatten)]
    trace: chapter::Trace,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum PeerKind {
    /// Accepts, and reads what comes
    Open,
    /// Accepts and says "220 welcome" at once
    Banner,
    /// Has a full backlog: the kernel drops every SYN
    Silent,
}

/// Those who have come, until they go.
#[derive(Default)]
struct Peer {
    silent: Option<Watched<SilentListener>>,
    listener: Option<Watched<TcpListener>>,
    clients: HashMap<WatcherId, Watched<TcpStream>>,
    greets: bool,
}

/// Serves until it is ended from outside.
pub(crate) fn run(args: &PeerArgs) -> io::Result<()> {
    chapter::raise_descriptor_limit()?;
    let mut event_loop = EventLoop::new()?;
    let _tracing = args.trace.start(&mut event_loop)?;
    let mut peer = Peer {
        greets: args.kind == PeerKind::Banner,
        ..Peer::default()
    };
    if args.kind == PeerKind::Silent {
        let silent = SilentListener::bind(args.listen)?;
        chapter::listening_on(silent.address())?;
        let watch = Watch::new(Interest::NONE).label("full backlog");
        peer.silent = Some(event_loop.watch(silent, watch, |_, _, _| {})?);
        if let Some(time) = args.silent_for {
            event_loop.after(time, Peer::wake_up);
        }
    } else {
        let listener = TcpListener::bind(args.listen)?;
        listener.set_nonblocking(true)?;
        chapter::listening_on(listener.local_addr()?)?;
        peer.listen(&mut event_loop, listener)?;
    }
    event_loop.run(&mut peer)
}

impl Peer {
    fn listen(
        &mut self,
        event_loop: &mut EventLoop<Peer>,
        listener: TcpListener,
    ) -> io::Result<()> {
        let watch = Watch::new(Interest::READABLE).label("listener");
        self.listener = Some(event_loop.watch(listener, watch, Peer::accept)?);
        Ok(())
    }

    /// The silence is over.
    fn wake_up(&mut self, event_loop: &mut EventLoop<Peer>, _: Event) {
        let Some(silent) = self.silent.take() else {
            return;
        };
        let listener = silent
            .into_inner(event_loop)
            .and_then(SilentListener::wake_up);
        if let Err(err) = listener.and_then(|listener| self.listen(event_loop, listener)) {
            event_loop.stop(Err(err));
        }
    }

    /// The listener is readable: its backlog holds a connection.
    fn accept(&mut self, event_loop: &mut EventLoop<Peer>, _: Event) {
        let Some(listener) = &self.listener else {
            return;
        };
        let admitted = match listener.accept() {
            Ok((stream, _)) if self.clients.len() < MAX_CLIENTS => self.admit(event_loop, stream),
            // Closed at once.
            Ok(_) => Ok(()),
            Err(err) => Err(err),
        };
        if admitted.is_err_and(|err| err.kind() != ErrorKind::WouldBlock) {
            // Out of descriptors, maybe: the listener stays readable, so it is left alone.
            self.pause(event_loop);
        }
    }

    fn admit(&mut self, event_loop: &mut EventLoop<Peer>, stream: TcpStream) -> io::Result<()> {
        stream.set_nonblocking(true)?;
        if self.greets {
            // Room for these few bytes is always there; who is gone already is told of below.
            let _ = (&stream).write(BANNER);
        }
        let watch = Watch::new(Interest::READABLE).label("client");
        let stream = event_loop.watch(stream, watch, Peer::read)?;
        self.clients.insert(stream.id(), stream);
        Ok(())
    }

    /// A client says something, which nobody wants to know, or goes.
    fn read(&mut self, _: &mut EventLoop<Peer>, event: Event) {
        let Some(stream) = self.clients.get(&event.id) else {
            return;
        };
        let end = read_within(
            &**stream,
            event.readiness,
            &mut [0; 4_096],
            65_536,
            |_: &[u8]| {},
        );
        if !matches!(end, Ok(end) if end != ReadEnd::EndOfStream) {
            self.clients.remove(&event.id);
        }
    }

    fn pause(&mut self, event_loop: &mut EventLoop<Peer>) {
        if let Some(listener) = &self.listener {
            listener.set_interest(event_loop, Interest::NONE);
        }
        event_loop.after(PAUSE, |peer, event_loop, _| {
            if let Some(listener) = &peer.listener {
                listener.set_interest(event_loop, Interest::READABLE);
            }
        });
    }
}
