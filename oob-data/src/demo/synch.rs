//! A server that is a megabyte behind, and an interrupt that does not wait for it.
//!
//! Shows: what is urgent is not the byte but the news that there is one: SIGURG comes while the
//! data before it is still on its way, and the server throws that data away.

use std::io;
use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use epoll_loop::{Event, EventLoop, Interest, Signal, Watch, Watched};
use oob_data::{DM, IAC, IP, Telnet, own_signals, receive_data, send_urgent};
use socket2::SockRef;

use super::{Demo, PATIENCE, pair_with_buffer};

/// What is sent before the interrupt.
const QUEUED_BYTES: usize = 1024 * 1024;

/// How often the slow application takes what one read gives, 4 KiB at most.
const TICK: Duration = Duration::from_millis(1);

/// How an interrupt went.
struct Interrupt {
    /// Bytes of data that the server had not processed when it was sent.
    before_it: usize,
    /// Of these, how many were processed until it was obeyed.
    processed: usize,
    discarded: usize,
}

/// Both ends.
struct Session {
    client: Watched<TcpStream>,
    /// Bytes that the client still has to send.
    left: usize,
    /// Whether the client marks its interrupt as urgent.
    urgent: bool,
    /// How many bytes the server had processed when the interrupt was sent.
    sent_at: Option<usize>,
    server: Watched<TcpStream>,
    telnet: Telnet,
}

impl Demo {
    pub(super) fn synch(&mut self) -> io::Result<()> {
        for urgent in [false, true] {
            let how = if urgent {
                "interrupt sent with Synch: the data mark is urgent"
            } else {
                "interrupt sent as data"
            };
            let Interrupt {
                before_it,
                processed,
                discarded,
            } = self.interrupt(urgent)?;
            self.timeline.say(
                "telnet",
                format_args!("the server has still to process {before_it} bytes"),
            )?;
            let answered = match processed {
                all if all == before_it => "waits for the data before it",
                few if few < before_it / 2 => "overtakes the data before it",
                _ => "waits for most of the data before it",
            };
            let expected = if urgent {
                "overtakes the data before it"
            } else {
                "waits for the data before it"
            };
            self.timeline.answer("telnet", how, expected, answered)?;
            self.timeline.say(
                "telnet",
                format_args!("obeyed after {processed} bytes; {discarded} bytes were thrown away"),
            )?;
        }
        self.note(
            "telnet",
            "nothing was delivered sooner: the server was told to throw away more",
        )
    }

    /// Sends 1 MiB and an interrupt to a slow server, in one loop.
    fn interrupt(&mut self, urgent: bool) -> io::Result<Interrupt> {
        let (client, server) = pair_with_buffer(64 * 1024)?;
        client.set_nonblocking(true)?;
        // The data mark has to be found in the stream, so it must stay there.
        SockRef::from(&server).set_out_of_band_inline(true)?;
        own_signals(&server)?;
        let mut event_loop = EventLoop::new()?;
        let _tracing = self.trace.start(&mut event_loop)?;
        event_loop.on_signal(Signal::SIGURG, Session::begin_synch)?;
        event_loop.every(TICK, Session::process);
        event_loop.after(PATIENCE, |_, event_loop, _| {
            event_loop.stop(Err(io::ErrorKind::TimedOut.into()));
        });
        let writable = Watch::new(Interest::WRITABLE).label("client");
        // Read in ticks, as by an application that has other things to do.
        let unwatched = Watch::new(Interest::NONE).label("server");
        let mut session = Session {
            client: event_loop.watch(client, writable, Session::send)?,
            left: QUEUED_BYTES,
            urgent,
            sent_at: None,
            server: event_loop.watch(server, unwatched, |_, _, _| {})?,
            telnet: Telnet::default(),
        };
        event_loop.run(&mut session)?;
        let sent_at = session.sent_at.unwrap_or(0);
        let obeyed_at = session.telnet.interrupted_at.unwrap_or(QUEUED_BYTES);
        Ok(Interrupt {
            before_it: QUEUED_BYTES - sent_at,
            processed: obeyed_at - sent_at,
            discarded: session.telnet.discarded,
        })
    }
}

impl Session {
    /// The client's connection takes more.
    fn send(&mut self, event_loop: &mut EventLoop<Session>, _: Event) {
        if let Err(err) = self.send_some(event_loop)
            && err.kind() != io::ErrorKind::WouldBlock
        {
            event_loop.stop(Err(err));
        }
    }

    fn send_some(&mut self, event_loop: &mut EventLoop<Session>) -> io::Result<()> {
        while self.left > 0 {
            let bytes = [b'.'; 16 * 1024];
            let most = self.left.min(bytes.len());
            self.left -= (&*self.client).write(&bytes[..most])?;
        }
        // The user has pressed Ctrl-C. In one call, so that all of it is taken or nothing.
        let interrupt = [IAC, IP, IAC, DM];
        if self.urgent {
            send_urgent(&*self.client, &interrupt)?;
        } else {
            (&*self.client).write_all(&interrupt)?;
        }
        self.sent_at = Some(self.telnet.processed);
        self.client.set_interest(event_loop, Interest::NONE);
        Ok(())
    }

    /// SIGURG: urgent data is announced, wherever it may be.
    fn begin_synch(&mut self, _: &mut EventLoop<Session>, _: Event) {
        self.telnet.begin_synch();
    }

    /// The application has time for a little; what is thrown away needs none.
    fn process(&mut self, event_loop: &mut EventLoop<Session>, _: Event) {
        loop {
            match receive_data(&*self.server) {
                Ok(bytes) if bytes.is_empty() => {
                    return event_loop.stop(Err(io::ErrorKind::UnexpectedEof.into()));
                }
                Ok(bytes) => self.telnet.take(&bytes),
                Err(err) if err.kind() == io::ErrorKind::WouldBlock => break,
                Err(err) => return event_loop.stop(Err(err)),
            }
            if !self.telnet.is_in_synch() {
                break;
            }
        }
        if self.telnet.interrupted_at.is_some() && !self.telnet.is_in_synch() {
            event_loop.stop(Ok(()));
        }
    }
}
