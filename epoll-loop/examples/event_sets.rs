//! The event sets that this kernel gives, for each kind of descriptor in each state.
//!
//! Run it: `cargo run -p epoll-loop --example event_sets`
//!
//! Shows: what `epoll_wait` reports when everything is asked for. It brings each state about, asks
//! the kernel, and exits 1 if one of the answers is another one than is written here.
//! Leaves out: devices, whose drivers decide; `EPOLLWAKEUP` and `EPOLLEXCLUSIVE`, which change when
//! a set is reported and not what is in it.

use std::fs::File;
use std::io::{self, ErrorKind, PipeReader, PipeWriter, Read, Write, pipe};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsFd;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::PollTimeout;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::signal::{SigSet, Signal, raise};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use socket2::{Domain, SockRef, Socket, Type};

/// How long an answer other than the expected one is taken for one on its way.
const PATIENCE: Duration = Duration::from_secs(10);

/// Any port of this machine alone.
const ANY: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);

fn main() -> io::Result<()> {
    let mut table = Table { unexpected: 0 };
    tcp_beginning(&mut table)?;
    tcp_connected(&mut table)?;
    tcp_ending(&mut table)?;
    listeners(&mut table)?;
    unix_stream(&mut table)?;
    datagrams(&mut table)?;
    pipes(&mut table)?;
    terminal(&mut table)?;
    kernel_objects(&mut table)?;
    files(&mut table)?;
    match table.unexpected {
        0 => Ok(()),
        count => Err(io::Error::other(format!(
            "{count} answers were not expected"
        ))),
    }
}

/// Prints a line for each state.
struct Table {
    unexpected: u32,
}

impl Table {
    /// What epoll reports in this state, and what is expected of it.
    fn row(&mut self, state: &str, expected: &str, io: impl AsFd) -> io::Result<()> {
        let found = ask(io, expected)?;
        let remark = if found == expected { "" } else { ", NOT " };
        let expected = if found == expected { "" } else { expected };
        self.unexpected += u32::from(!expected.is_empty());
        println!("  {state:50}  {found}{remark}{expected}");
        Ok(())
    }
}

// ANCHOR: ask
/// What epoll reports if everything is asked for; waits a while for the expected answer, since
/// what another end did may be on its way through the kernel.
fn ask(io: impl AsFd, expected: &str) -> io::Result<String> {
    use EpollFlags as Flag;
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    let all = Flag::EPOLLIN | Flag::EPOLLPRI | Flag::EPOLLOUT | Flag::EPOLLRDHUP;
    match epoll.add(&io, EpollEvent::new(all, 0)) {
        Err(Errno::EPERM) => return Ok("EPERM".to_owned()),
        added => added?,
    }
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut event = [EpollEvent::empty()];
        let count = epoll.wait(&mut event, PollTimeout::ZERO)?;
        let found = names(if count == 0 {
            Flag::empty()
        } else {
            event[0].events()
        });
        if found == expected || Instant::now() > deadline {
            return Ok(found);
        }
        std::thread::yield_now();
    }
}
// ANCHOR_END: ask

/// The names of a set, as strace has them, less `EPOLL`.
fn names(set: EpollFlags) -> String {
    let names = set
        .iter_names()
        .map(|(name, _)| name.trim_start_matches("EPOLL"));
    let names: Vec<&str> = names.collect();
    if names.is_empty() {
        "nothing".to_owned()
    } else {
        names.join("|")
    }
}

fn tcp_pair() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind(ANY)?;
    let near = TcpStream::connect(listener.local_addr()?)?;
    Ok((near, listener.accept()?.0))
}

fn tcp_socket() -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// Connects without blocking: `EINPROGRESS`, or it is done at once.
fn begin_to_connect(address: SocketAddr) -> io::Result<Socket> {
    let socket = tcp_socket()?;
    match socket.connect(&address.into()) {
        Err(err) if Errno::from_raw(err.raw_os_error().unwrap_or(0)) != Errno::EINPROGRESS => {
            Err(err)
        }
        _ => Ok(socket),
    }
}

/// Writes until nothing more is taken.
fn fill_up(mut to: impl Write) -> io::Result<()> {
    loop {
        match to.write(&[b'x'; 4_096]) {
            Ok(_) => {}
            Err(err) if err.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(err) => return Err(err),
        }
    }
}

/// Closes with a reset.
fn reset(stream: TcpStream) -> io::Result<()> {
    let set = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
    drop(stream);
    set
}

fn tcp_beginning(table: &mut Table) -> io::Result<()> {
    println!("TCP socket, connecting");
    table.row(
        "made, neither connected nor listening",
        "OUT|HUP",
        tcp_socket()?,
    )?;
    // The backlog is full with one, so the handshake of the next is not answered.
    let listener = tcp_socket()?;
    listener.bind(&SocketAddr::from(ANY).into())?;
    listener.listen(0)?;
    let address = listener
        .local_addr()?
        .as_socket()
        .expect("it is an IPv4 address");
    let _first = TcpStream::connect(address)?;
    table.row("connecting", "nothing", begin_to_connect(address)?)?;
    drop(listener);
    let refused = begin_to_connect(address)?;
    table.row("refused", "IN|OUT|ERR|HUP|RDHUP", &refused)?;
    refused.take_error()?;
    table.row(
        "refused, and SO_ERROR has been read",
        "IN|OUT|HUP|RDHUP",
        &refused,
    )
}

// ANCHOR: tcp
fn tcp_connected(table: &mut Table) -> io::Result<()> {
    println!("TCP connection");
    let (near, mut far) = tcp_pair()?;
    table.row("connected", "OUT", &near)?;
    far.write_all(b"x")?;
    table.row("a byte has come", "IN|OUT", &near)?;
    let (near, far) = tcp_pair()?;
    SockRef::from(&far).send_out_of_band(b"!")?;
    table.row("an urgent byte has come", "PRI|OUT", &near)?;
    let (near, far) = tcp_pair()?;
    SockRef::from(&near).set_send_buffer_size(16_384)?;
    SockRef::from(&far).set_recv_buffer_size(16_384)?;
    near.set_nonblocking(true)?;
    fill_up(&near)?;
    table.row("the send buffer is full", "nothing", &near)
}
// ANCHOR_END: tcp

fn tcp_ending(table: &mut Table) -> io::Result<()> {
    println!("TCP connection, ending");
    let (near, mut far) = tcp_pair()?;
    far.write_all(b"bye")?;
    far.shutdown(Shutdown::Write)?;
    table.row(
        "last words and the end of the stream have come",
        "IN|OUT|RDHUP",
        &near,
    )?;
    (&near).read_exact(&mut [0; 3])?;
    table.row("the words have been read", "IN|OUT|RDHUP", &near)?;
    table.row("this end has shut down its writing", "OUT", &far)?;
    near.shutdown(Shutdown::Write)?;
    table.row("both have", "IN|OUT|HUP|RDHUP", &near)?;
    let (near, _far) = tcp_pair()?;
    near.shutdown(Shutdown::Read)?;
    table.row("this end has shut down its reading", "IN|OUT|RDHUP", &near)?;
    let (mut near, far) = tcp_pair()?;
    reset(far)?;
    table.row("the peer has reset it", "IN|OUT|ERR|HUP|RDHUP", &near)?;
    let _ = near.read(&mut [0]);
    table.row("and read has said ECONNRESET", "IN|OUT|HUP|RDHUP", &near)
}

fn listeners(table: &mut Table) -> io::Result<()> {
    println!("listener, TCP or UNIX");
    let listener = TcpListener::bind(ANY)?;
    table.row("nobody waits in the backlog", "nothing", &listener)?;
    let client = TcpStream::connect(listener.local_addr()?)?;
    table.row("somebody does", "IN", &listener)?;
    reset(client)?;
    table.row("who has reset the connection meanwhile", "IN", &listener)?;
    SockRef::from(&listener).shutdown(Shutdown::Both)?;
    table.row("shut down", "OUT|HUP", &listener)?;
    let path = std::env::temp_dir().join(format!("event_sets.{}", std::process::id()));
    let listener = UnixListener::bind(&path)?;
    let client = UnixStream::connect(&path);
    std::fs::remove_file(&path)?;
    let _client = client?;
    table.row("UNIX: somebody waits", "IN", &listener)?;
    listener.accept()?;
    table.row("UNIX: nobody waits", "nothing", &listener)
}

fn unix_stream(table: &mut Table) -> io::Result<()> {
    println!("UNIX stream socket");
    table.row(
        "made, and not connected",
        "OUT|HUP",
        Socket::new(Domain::UNIX, Type::STREAM, None)?,
    )?;
    let (near, mut far) = UnixStream::pair()?;
    table.row("connected", "OUT", &near)?;
    far.write_all(b"x")?;
    table.row("a byte has come", "IN|OUT", &near)?;
    far.shutdown(Shutdown::Write)?;
    table.row("the peer has shut down its writing", "IN|OUT|RDHUP", &near)?;
    drop(far);
    table.row("the peer has closed", "IN|OUT|HUP|RDHUP", &near)?;
    let (near, far) = UnixStream::pair()?;
    (&near).write_all(b"unread")?;
    drop(far);
    table.row(
        "the peer has closed with something unread",
        "IN|OUT|ERR|HUP|RDHUP",
        &near,
    )?;
    let (near, far) = UnixStream::pair()?;
    near.set_nonblocking(true)?;
    fill_up(&near)?;
    table.row(
        "the peer does not read, and no more is taken",
        "nothing",
        &near,
    )?;
    drop(far);
    Ok(())
}

fn datagrams(table: &mut Table) -> io::Result<()> {
    println!("UDP socket");
    let near = UdpSocket::bind(ANY)?;
    let far = UdpSocket::bind(ANY)?;
    table.row("nothing has come", "OUT", &near)?;
    far.send_to(b"", near.local_addr()?)?;
    table.row("a datagram has come, of no bytes", "IN|OUT", &near)?;
    far.connect(near.local_addr()?)?;
    drop(near);
    far.send(b"x")?;
    table.row("connected, and the peer's port is closed", "OUT|ERR", &far)?;
    far.take_error()?;
    table.row("SO_ERROR has been read", "OUT", &far)?;
    println!("UNIX datagram socket");
    let (near, far) = UnixDatagram::pair()?;
    table.row("nothing has come", "OUT", &near)?;
    far.send(b"x")?;
    table.row("a datagram has come", "IN|OUT", &near)?;
    drop(far);
    table.row("its peer has closed", "IN|OUT", &near)
}

/// A pipe that does not block.
fn quick_pipe() -> io::Result<(PipeReader, PipeWriter)> {
    let (reader, writer) = pipe()?;
    rustix::io::ioctl_fionbio(&writer, true)?;
    Ok((reader, writer))
}

// ANCHOR: pipes
fn pipes(table: &mut Table) -> io::Result<()> {
    println!("pipe, the end that reads");
    let (reader, mut writer) = quick_pipe()?;
    table.row("empty", "nothing", &reader)?;
    writer.write_all(b"x")?;
    table.row("a byte has come", "IN", &reader)?;
    drop(writer);
    table.row("and the writer has closed", "IN|HUP", &reader)?;
    (&reader).read_exact(&mut [0])?;
    table.row("and the byte has been read", "HUP", &reader)?;
    println!("pipe, the end that writes");
    let (reader, writer) = quick_pipe()?;
    table.row("there is room", "OUT", &writer)?;
    fill_up(&writer)?;
    table.row("full", "nothing", &writer)?;
    drop(reader);
    table.row("full, and the reader has closed", "ERR", &writer)?;
    let (reader, writer) = quick_pipe()?;
    drop(reader);
    table.row(
        "there is room, and the reader has closed",
        "OUT|ERR",
        &writer,
    )
}
// ANCHOR_END: pipes

fn terminal(table: &mut Table) -> io::Result<()> {
    println!("terminal, the program's side");
    let pty = nix::pty::openpty(None, None)?;
    let (mut keyboard, mut program) = (File::from(pty.master), File::from(pty.slave));
    table.row("nothing is typed", "OUT", &program)?;
    keyboard.write_all(b"hel")?;
    table.row("half a line is typed", "OUT", &program)?;
    keyboard.write_all(b"lo\n")?;
    table.row("a line is typed", "IN|OUT", &program)?;
    println!("terminal, the emulator's side");
    table.row(
        "the program has not read, the echo has come",
        "IN|OUT",
        &keyboard,
    )?;
    keyboard.read_exact(&mut [0; 7])?;
    table.row("the echo has been read", "OUT", &keyboard)?;
    program.write_all(b"x")?;
    table.row("the program has printed", "IN|OUT", &keyboard)?;
    drop(program);
    table.row("and has gone", "IN|OUT|HUP", &keyboard)?;
    println!("terminal, the program's side");
    let pty = nix::pty::openpty(None, None)?;
    drop(pty.master);
    table.row("the emulator has gone", "IN|OUT|ERR|HUP", &pty.slave)
}

fn kernel_objects(table: &mut Table) -> io::Result<()> {
    println!("eventfd");
    let counter = EventFd::from_value_and_flags(0, EfdFlags::EFD_NONBLOCK)?;
    table.row("0", "OUT", &counter)?;
    counter.write(1)?;
    table.row("1", "IN|OUT", &counter)?;
    counter.write(u64::MAX - 2)?;
    table.row("full, 2^64 - 2", "IN", &counter)?;
    println!("timerfd");
    let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, TimerFlags::TFD_NONBLOCK)?;
    table.row("not set", "nothing", &timer)?;
    timer.set(
        Expiration::OneShot(Duration::from_nanos(1).into()),
        TimerSetTimeFlags::empty(),
    )?;
    table.row("has expired", "IN", &timer)?;
    println!("signalfd");
    let mask = SigSet::from(Signal::SIGUSR1);
    mask.thread_block()?;
    let signals = SignalFd::with_flags(&mask, SfdFlags::SFD_NONBLOCK)?;
    table.row("no signal is pending", "nothing", &signals)?;
    raise(Signal::SIGUSR1)?;
    table.row("one is", "IN", &signals)?;
    println!("pidfd");
    let mut child = Command::new("cat").stdin(Stdio::piped()).spawn()?;
    let pidfd = pidfd_open(Pid::from_child(&child), PidfdFlags::empty())?;
    table.row("the process runs", "nothing", &pidfd)?;
    drop(child.stdin.take());
    table.row("it has ended", "IN", &pidfd)?;
    child.wait()?;
    println!("epoll instance");
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    table.row("nothing in it is ready", "nothing", epoll.0.as_fd())?;
    epoll.add(&signals, EpollEvent::new(EpollFlags::EPOLLIN, 0))?;
    table.row("something is", "IN", epoll.0.as_fd())
}

fn files(table: &mut Table) -> io::Result<()> {
    println!("what epoll refuses");
    table.row(
        "regular file",
        "EPERM",
        File::open(std::env::current_exe()?)?,
    )?;
    table.row("directory", "EPERM", File::open("/")?)?;
    table.row("/dev/null", "EPERM", File::open("/dev/null")?)
}
