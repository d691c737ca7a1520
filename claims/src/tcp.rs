//! Sockets on loopback, as most experiments need them first.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::AsFd;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::epoll::EpollFlags;
use socket2::{Domain, SockAddr, Socket, Type};

use crate::readiness;

/// A blocking socket of its own, neither bound nor connected.
pub(crate) fn socket() -> io::Result<Socket> {
    Socket::new(Domain::IPV4, Type::STREAM, None)
}

/// A blocking listener on a free port of loopback, and its address.
pub(crate) fn listener(backlog: i32) -> io::Result<(Socket, SockAddr)> {
    let listener = socket()?;
    listener.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
    listener.listen(backlog)?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Two blocking sockets that are connected: the one that connected, and the accepted one.
pub(crate) fn pair() -> io::Result<(Socket, Socket)> {
    let (listener, address) = listener(1)?;
    let client = socket()?;
    client.connect(&address)?;
    let (accepted, _) = listener.accept()?;
    Ok((client, accepted))
}

/// An address of loopback at which nobody listens. The socket keeps others away from it.
pub(crate) fn closed_port() -> io::Result<(Socket, SockAddr)> {
    let bound = socket()?;
    bound.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
    let address = bound.local_addr()?;
    Ok((bound, address))
}

/// A listener that answers nobody, because its backlog of one is full; its address, and the
/// client that fills it. It answers again when that one is accepted.
pub(crate) fn silent_listener() -> io::Result<(Socket, SockAddr, Socket)> {
    let (listener, address) = listener(0)?;
    let first = socket()?;
    first.connect(&address)?;
    // Its own end is connected when the listener's answer arrives, a little before it counts there.
    readiness::at_least(&listener, EpollFlags::EPOLLIN)?;
    Ok((listener, address, first))
}

/// A non-blocking socket with a connect on its way: `EINPROGRESS`.
pub(crate) fn connecting(address: &SockAddr) -> io::Result<Socket> {
    let socket = socket()?;
    socket.set_nonblocking(true)?;
    match socket.connect(address) {
        Err(err) if err.raw_os_error() != Some(nix::libc::EINPROGRESS) => Err(err),
        _ => Ok(socket),
    }
}

/// Closes a socket so that its peer is sent RST instead of FIN.
pub(crate) fn reset(socket: Socket) -> io::Result<()> {
    socket.set_linger(Some(Duration::ZERO))?;
    drop(socket);
    Ok(())
}

/// The state of a TCP socket, as ss(8) and `netstat` name it.
pub(crate) fn state(socket: impl AsFd) -> io::Result<&'static str> {
    // The first byte of struct tcp_info, which nix and socket2 do not offer.
    let names = [
        "?",
        "ESTABLISHED",
        "SYN_SENT",
        "SYN_RECV",
        "FIN_WAIT1",
        "FIN_WAIT2",
        "TIME_WAIT",
        "CLOSE",
        "CLOSE_WAIT",
        "LAST_ACK",
        "LISTEN",
        "CLOSING",
    ];
    let number = usize::from(crate::sys::tcp_info(socket)?.tcpi_state);
    Ok(names.get(number).copied().unwrap_or("?"))
}

/// Waits until the peer's kernel has acknowledged all that was written.
pub(crate) fn acknowledged(socket: &Socket) -> io::Result<()> {
    until(|| {
        let info = crate::sys::tcp_info(socket)?;
        Ok(info.tcpi_unacked == 0 && info.tcpi_notsent_bytes == 0)
    })
}

/// Waits for a state of which no event tells. Returns without it when the patience is over; what
/// is looked at next will show that.
pub(crate) fn until(mut is_so: impl FnMut() -> io::Result<bool>) -> io::Result<()> {
    let deadline = Instant::now() + readiness::PATIENCE;
    while !is_so()? && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}
