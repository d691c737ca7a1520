//! What the printed listing does, beside this server.
//!
//! Shows: the listing (9-8) has one buffer for UDP, of which it sends back all
//! but one byte whatever has come; over TCP it calls `send` without looking at
//! what that returns. Both work as long as messages are long, or short, and
//! the peer reads.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use chapter_tests::{Peer, Program, TIMEOUT};

/// The listing's buffer for datagrams.
const UDP_BUFFER_SIZE: usize = 1_024;

/// The listing's buffer for connections.
const TCP_BUFFER_SIZE: usize = 512;

/// Answers one datagram as the listing does.
fn answer_as_printed(socket: &UdpSocket) -> io::Result<()> {
    let mut buffer = [0; UDP_BUFFER_SIZE];
    let (_, from) = socket.recv_from(&mut buffer[..UDP_BUFFER_SIZE - 1])?;
    socket.send_to(&buffer[..UDP_BUFFER_SIZE - 1], from)?;
    Ok(())
}

/// Echoes a connection as the listing does, to its end.
fn echo_as_printed(stream: &TcpStream) -> io::Result<()> {
    stream.set_nonblocking(true)?;
    let mut buffer = [0; TCP_BUFFER_SIZE];
    let mut stream = stream;
    loop {
        match stream.read(&mut buffer[..TCP_BUFFER_SIZE - 1]) {
            Ok(0) => return Ok(()),
            // Whether it was sent, and how much of it, is not asked.
            Ok(length) => drop(stream.write(&buffer[..length])),
            Err(err) if err.kind() == ErrorKind::WouldBlock => thread::yield_now(),
            Err(err) => return Err(err),
        }
    }
}

fn server() -> (Program, SocketAddr) {
    let arguments = ["--service", "echo=0"];
    let server = Program::start(env!("CARGO_BIN_EXE_tcp-udp-server"), arguments);
    let address = server.listening_on();
    (server, address)
}

fn ask(client: &UdpSocket, bytes: &[u8]) -> Vec<u8> {
    client.send(bytes).unwrap();
    let mut buffer = vec![0; 65_536];
    let length = client.recv(&mut buffer).unwrap();
    buffer.truncate(length);
    buffer
}

fn client(address: SocketAddr) -> UdpSocket {
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.connect(address).unwrap();
    client.set_read_timeout(Some(TIMEOUT)).unwrap();
    client
}

#[test]
fn the_listing_sends_back_1023_bytes_whatever_came() {
    let printed = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = printed.local_addr().unwrap();
    let thread = thread::spawn(move || (0..2).try_for_each(|_| answer_as_printed(&printed)));
    let as_printed = client(address);
    let (_server, address) = server();
    let ours = client(address);

    let answer = ask(&as_printed, b"hello");
    assert_eq!(answer.len(), 1_023, "200 times what was sent");
    assert_eq!(ask(&ours, b"hello"), b"hello");

    let long = [b'x'; 2_000];
    assert_eq!(
        ask(&as_printed, &long),
        [b'x'; 1_023],
        "a part as if it were all"
    );
    assert_eq!(ask(&ours, &long), long);
    thread.join().unwrap().unwrap();
}

/// Sends more than all buffers hold, and reads only when the other end has
/// seen the end of it or does not take more; returns how much came back.
fn write_then_read(address: SocketAddr, until_read: impl FnOnce()) -> (usize, usize) {
    let stream = TcpStream::connect(address).unwrap();
    let piece = vec![b'x'; 65_536];
    let mut sent = 0;
    stream
        .set_write_timeout(Some(Duration::from_millis(500)))
        .unwrap();
    while sent < 64 << 20 {
        match (&stream).write(&piece) {
            Ok(length) => sent += length,
            Err(err) if err.kind() == ErrorKind::WouldBlock => break,
            Err(err) => panic!("{err}"),
        }
    }
    stream.shutdown(Shutdown::Write).unwrap();
    until_read();
    let mut peer = Peer::over(stream);
    (sent, peer.read_to_end().len())
}

#[test]
fn the_listing_loses_what_its_peer_does_not_read_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let printed: JoinHandle<io::Result<()>> = thread::spawn(move || {
        let (stream, _) = listener.accept()?;
        echo_as_printed(&stream)
    });
    let (sent, came_back) = write_then_read(address, || printed.join().unwrap().unwrap());
    assert!(came_back < sent, "{came_back} of {sent}");

    let (_server, address) = server();
    let (sent, came_back) = write_then_read(address, || {});
    assert_eq!(came_back, sent);
}
