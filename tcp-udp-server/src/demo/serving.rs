//! A server that works a turn at a time, in between what its clients do.
//!
//! Shows: both ends in one thread, so that each step is over when it is told.

use std::error::Error;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use epoll_loop::EventLoop;
use tcp_udp_server::{Counters, Server, Service, Settings, Sockets};

use super::{LOOPBACK, PATIENCE, UDP_BUFFER};

/// A server and the loop it runs on, a turn at a time.
pub(super) struct Serving {
    event_loop: EventLoop<Server>,
    pub(super) server: Server,
    pub(super) echo: SocketAddr,
    pub(super) chargen: SocketAddr,
    pub(super) daytime: SocketAddr,
    _tracing: chapter::Tracing,
}

impl Serving {
    /// Echo, chargen and daytime on loopback, with settings changed as told.
    pub(super) fn start(
        trace: chapter::Trace,
        change: impl Fn(&mut Settings),
    ) -> Result<Serving, Box<dyn Error>> {
        let mut settings = Settings {
            udp_buffer: UDP_BUFFER,
            ..Settings::default()
        };
        change(&mut settings);
        let mut event_loop = EventLoop::new()?;
        let tracing = trace.start(&mut event_loop)?;
        let (mut all, mut addresses) = (Vec::new(), Vec::new());
        for service in [Service::Echo, Service::Chargen, Service::Daytime] {
            let sockets = Sockets::bind(service, LOOPBACK, 0, true)?;
            addresses.push(sockets.address()?);
            all.push(sockets);
        }
        let server = Server::new(&mut event_loop, all, settings, None)?;
        Ok(Serving {
            event_loop,
            server,
            echo: addresses[0],
            chargen: addresses[1],
            daytime: addresses[2],
            _tracing: tracing,
        })
    }

    /// Has the server work until its counters say that something is done.
    pub(super) fn until(&mut self, is_done: impl Fn(&Counters) -> bool) -> io::Result<Counters> {
        let deadline = Instant::now() + PATIENCE;
        while !is_done(&self.server.counters()) {
            if Instant::now() > deadline {
                return Err(ErrorKind::TimedOut.into());
            }
            self.turn()?;
        }
        Ok(self.server.counters())
    }

    /// One turn of the server's loop, which waits for a moment at most.
    pub(super) fn turn(&mut self) -> io::Result<()> {
        let moment = Duration::from_millis(10);
        self.event_loop.turn(&mut self.server, Some(moment))
    }

    /// Writes to a client's socket and reads from it, the server working, until
    /// all is written and `enough` bytes have come, or the end.
    pub(super) fn exchange(
        &mut self,
        mut client: &TcpStream,
        mut rest: &[u8],
        enough: usize,
    ) -> io::Result<(Vec<u8>, bool)> {
        let (mut received, mut buffer) = (Vec::new(), vec![0; 64 * 1024]);
        let deadline = Instant::now() + PATIENCE;
        while !rest.is_empty() || received.len() < enough {
            if Instant::now() > deadline {
                return Err(ErrorKind::TimedOut.into());
            }
            if !rest.is_empty() {
                rest = &rest[done(client.write(rest))?.unwrap_or(0)..];
            }
            match done(client.read(&mut buffer))? {
                Some(0) => return Ok((received, true)),
                Some(length) => received.extend_from_slice(&buffer[..length]),
                None => self.turn()?,
            }
        }
        Ok((received, false))
    }
}

/// A connection that does not block.
pub(super) fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nonblocking(true)?;
    Ok(stream)
}

/// A UDP socket that hears one peer alone.
pub(super) fn client_of(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind((LOOPBACK, 0))?;
    socket.connect(address)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    Ok(socket)
}

/// What a call has done, or nothing if it would block.
pub(super) fn done(result: io::Result<usize>) -> io::Result<Option<usize>> {
    match result {
        Ok(count) => Ok(Some(count)),
        Err(err) if err.kind() == ErrorKind::WouldBlock => Ok(None),
        Err(err) => Err(err),
    }
}
