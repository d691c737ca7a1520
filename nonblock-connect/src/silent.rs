//! A peer that answers nothing, without a network that loses packets.
//!
//! Shows: a listener with a backlog of none has room for one connection; while nobody accepts it,
//! the kernel drops every further SYN (`man 2 listen`, `tcp_abort_on_overflow` in `man 7 tcp`). It
//! works on every machine, and no packet leaves it.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use socket2::{Domain, SockRef, Socket, Type};

/// How long the one connection that fills the backlog may take, in milliseconds.
const FILL_TIMEOUT: u16 = 5_000;

/// A listener whose backlog is full: who connects hears nothing, and stays in `SYN_SENT`.
#[derive(Debug)]
pub struct SilentListener {
    listener: TcpListener,
    address: SocketAddr,
    /// Closing it would not make room: what is in the backlog stays there.
    _filler: TcpStream,
}

impl SilentListener {
    /// Listens on `address`, where port 0 takes a free one, and fills its own backlog.
    ///
    /// # Errors
    ///
    /// What `bind(2)`, `listen(2)` and the one `connect(2)` report.
    // ANCHOR: silent
    pub fn bind(address: SocketAddr) -> io::Result<SilentListener> {
        let listener = Socket::new(Domain::for_address(address), Type::STREAM.cloexec(), None)?;
        listener.set_reuse_address(true)?;
        listener.bind(&address.into())?;
        // ANCHOR: none
        listener.listen(0)?;
        // ANCHOR_END: none
        let listener = TcpListener::from(listener);
        let address = listener.local_addr()?;
        // ANCHOR: filler
        let filler = TcpStream::connect(address)?;
        // ANCHOR_END: filler
        // The last segment of its handshake may still be on its way.
        let mut full = [PollFd::new(listener.as_fd(), PollFlags::POLLIN)];
        if poll(&mut full, PollTimeout::from(FILL_TIMEOUT))? == 0 {
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(SilentListener {
            listener,
            address,
            _filler: filler,
        })
    }
    // ANCHOR_END: silent

    /// Where it does not answer.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts no more silently: gives the listener, non-blocking and with a backlog of some size.
    ///
    /// Who has tried meanwhile is let in by the SYN that the kernel sends again.
    ///
    /// # Errors
    ///
    /// What `listen(2)` and `fcntl(2)` report.
    pub fn wake_up(self) -> io::Result<TcpListener> {
        SockRef::from(&self.listener).listen(128)?;
        self.listener.set_nonblocking(true)?;
        Ok(self.listener)
    }

    /// Accepts one connection, which makes room for one more: the kernel answers the next SYN.
    ///
    /// # Errors
    ///
    /// What `accept(2)` reports.
    pub fn accept(&self) -> io::Result<TcpStream> {
        Ok(self.listener.accept()?.0)
    }
}

impl AsFd for SilentListener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}
