//! How much one client can have echoed: by this server, socat and xinetd.
//!
//! Run it: `cargo bench -p tcp-udp-server`
//!
//! Shows: what one process with one loop does beside a process for each
//! connection (socat, xinetd over TCP) and one that takes a datagram at a time
//! (xinetd over UDP).
//! xinetd answers one datagram and then throws away all that wait (`strace`
//! shows it), even the next one of a client that is quick: so its figures.
//! Leaves out: other machines. Client and server share this one, over loopback,
//! so the figures compare servers and say nothing of networks.

#[path = "../tests/program/xinetd.rs"]
mod xinetd;

use std::io::{self, ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use chapter_tests::{Launch, Program, tools};
use epoll_loop::{Event, EventLoop, Interest, Readiness, Watched, WatcherMap};
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrStorage, recvmmsg, sendmmsg};

/// How long each figure is measured.
const DURATION: Duration = Duration::from_secs(3);

/// Connections at once.
const CONNECTIONS: usize = 4;

/// Bytes handed to one write.
const WRITE_BYTES: usize = 64 * 1024;

/// Bytes of a datagram.
const DATAGRAM_BYTES: usize = 64;

/// Most datagrams on their way at once.
const WINDOW: usize = 64;

/// Datagrams that have not come back after this long are lost.
const LOST_AFTER: Duration = Duration::from_millis(50);

fn main() -> io::Result<()> {
    // `cargo bench -- FILTER` and its own flags mean nothing here.
    println!("{}", chapter::Machine::here());
    println!(
        "{}s each; TCP: {CONNECTIONS} connections, {} a write; \
         UDP: {DATAGRAM_BYTES} bytes a datagram, 1 or {WINDOW} on their way",
        DURATION.as_secs(),
        chapter::show_size(WRITE_BYTES)
    );
    println!(
        "{:16} {:>10} {:>16} {:>16} {:>8}",
        "", "TCP MB/s", "UDP/s, 1", "UDP/s, 64", "lost"
    );
    let arguments = ["--service", "echo=0"];
    let ours = Program::start(env!("CARGO_BIN_EXE_tcp-udp-server"), arguments);
    let address = ours.listening_on();
    show("tcp-udp-server", address, address)?;
    drop(ours);
    if let Some((_programs, tcp, udp)) = socat() {
        show("socat", tcp, udp)?;
    }
    if let Some(xinetd) = xinetd::Xinetd::start() {
        let (_, address) = xinetd.addresses[0];
        show("xinetd", address, address)?;
    }
    Ok(())
}

fn show(name: &str, tcp: SocketAddr, udp: SocketAddr) -> io::Result<()> {
    let megabytes = tcp_megabytes_a_second(tcp)?;
    let (one_by_one, _) = udp_packets_a_second(udp, 1)?;
    let (packets, lost) = udp_packets_a_second(udp, WINDOW)?;
    println!("{name:16} {megabytes:10.0} {one_by_one:16.0} {packets:16.0} {lost:8}");
    Ok(())
}

/// socat with an echo by each transport, a process for each connection.
fn socat() -> Option<([Program; 2], SocketAddr, SocketAddr)> {
    let socat = tools::find("socat")?;
    let start = |listen: &str, address: SocketAddr| {
        let listen = format!("{listen}:{},bind=127.0.0.1,fork,reuseaddr", address.port());
        Launch::new(&socat).args([listen.as_str(), "PIPE"]).start()
    };
    let (tcp, udp) = (xinetd::free_address(), xinetd::free_address());
    let programs = [start("TCP-LISTEN", tcp), start("UDP-LISTEN", udp)];
    while TcpStream::connect(tcp).is_err() {
        assert!(programs[0].is_running(), "{}", programs[0].stderr());
    }
    // The first datagram is answered when somebody listens.
    let client = UdpSocket::bind("127.0.0.1:0").ok()?;
    client.connect(udp).ok()?;
    client.set_read_timeout(Some(LOST_AFTER)).ok()?;
    while client
        .send(b"?")
        .and_then(|_| client.recv(&mut [0]))
        .is_err()
    {
        assert!(programs[1].is_running(), "{}", programs[1].stderr());
    }
    Some((programs, tcp, udp))
}

/// The client's connections, and how much has come back.
struct Load {
    connections: WatcherMap<Watched<TcpStream>>,
    buffer: Vec<u8>,
    echoed: u64,
}

impl Load {
    /// A connection takes or gives bytes.
    fn exchange(&mut self, event_loop: &mut EventLoop<Load>, event: Event) {
        let Some(stream) = self.connections.get(event.id) else {
            return;
        };
        match exchange(stream, event.readiness, &mut self.buffer) {
            Ok(count) => self.echoed += count as u64,
            Err(err) if err.kind() == ErrorKind::WouldBlock => {}
            Err(err) => event_loop.stop(Err(err)),
        }
    }
}

/// Writes and reads once, as far as that is possible; returns how much was read.
fn exchange(mut stream: &TcpStream, readiness: Readiness, buffer: &mut [u8]) -> io::Result<usize> {
    if readiness.is_writable() {
        match stream.write(buffer) {
            Err(err) if err.kind() != ErrorKind::WouldBlock => return Err(err),
            _ => {}
        }
    }
    if !readiness.is_readable() {
        return Ok(0);
    }
    match stream.read(buffer)? {
        0 => Err(ErrorKind::UnexpectedEof.into()),
        length => Ok(length),
    }
}

fn tcp_megabytes_a_second(address: SocketAddr) -> io::Result<f64> {
    let mut event_loop = EventLoop::new()?;
    let mut load = Load {
        connections: WatcherMap::new(),
        buffer: vec![b'x'; WRITE_BYTES],
        echoed: 0,
    };
    for _ in 0..CONNECTIONS {
        let stream = TcpStream::connect(address)?;
        stream.set_nonblocking(true)?;
        let both = Interest::READABLE | Interest::WRITABLE;
        let stream = event_loop.watch(stream, both, Load::exchange)?;
        load.connections.insert(stream.id(), stream);
    }
    event_loop.after(DURATION, |_, event_loop, _| event_loop.stop(Ok(())));
    let begin = Instant::now();
    event_loop.run(&mut load)?;
    #[expect(clippy::cast_precision_loss, reason = "a figure to be read")]
    let megabytes = load.echoed as f64 / 1e6;
    Ok(megabytes / begin.elapsed().as_secs_f64())
}

fn udp_packets_a_second(address: SocketAddr, window: usize) -> io::Result<(f64, usize)> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.connect(address)?;
    socket.set_read_timeout(Some(LOST_AFTER))?;
    let (mut echoed, mut lost, mut on_the_way) = (0_u32, 0, 0);
    let begin = Instant::now();
    while begin.elapsed() < DURATION {
        on_the_way += send(&socket, window - on_the_way)?;
        match receive(&socket) {
            Ok(count) => {
                echoed += u32::try_from(count).expect("at most a window of them");
                on_the_way = on_the_way.saturating_sub(count);
            }
            Err(Errno::EAGAIN) => lost += std::mem::take(&mut on_the_way),
            Err(err) => return Err(err.into()),
        }
    }
    let packets = f64::from(echoed) / begin.elapsed().as_secs_f64();
    Ok((packets, lost))
}

fn send(socket: &UdpSocket, count: usize) -> nix::Result<usize> {
    if count == 0 {
        return Ok(0);
    }
    let datagram = [b'x'; DATAGRAM_BYTES];
    let slices = vec![[IoSlice::new(&datagram)]; count];
    let nobody: Vec<Option<SockaddrStorage>> = vec![None; count];
    let mut headers = MultiHeaders::preallocate(count, None);
    let flags = MsgFlags::empty();
    let sent = sendmmsg(socket.as_raw_fd(), &mut headers, &slices, nobody, [], flags)?;
    Ok(sent.count())
}

/// Waits for one, and takes what is there then.
fn receive(socket: &UdpSocket) -> nix::Result<usize> {
    let mut buffers = [[0; DATAGRAM_BYTES]; WINDOW];
    let mut slices: Vec<_> = buffers
        .iter_mut()
        .map(|buffer| [IoSliceMut::new(buffer)])
        .collect();
    let mut headers = MultiHeaders::<SockaddrStorage>::preallocate(WINDOW, None);
    let flags = MsgFlags::MSG_WAITFORONE;
    let received = recvmmsg(
        socket.as_raw_fd(),
        &mut headers,
        slices.iter_mut(),
        flags,
        None,
    )?;
    Ok(received.count())
}
