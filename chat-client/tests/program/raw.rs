//! `--raw`: bytes both ways.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use chapter_tests::{Launch, TemporaryDirectory};
use rustix::event::{PollFd, PollFlags, poll};

use crate::fake_server::{CLIENT, FakeServer};
use crate::terminal::Terminal;

/// A megabyte in which no two pages are the same.
fn megabyte() -> Vec<u8> {
    (0..1_u32 << 20)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect()
}

fn relay(server: &FakeServer) -> Launch {
    Launch::new(CLIENT).args(["--raw", &server.address().to_string()])
}

#[test]
fn a_megabyte_goes_each_way_and_the_half_close_between_them() {
    let directory = TemporaryDirectory::new();
    let (path, bytes) = (directory.join("bytes"), megabyte());
    fs::write(&path, &bytes).unwrap();
    let server = FakeServer::open();
    let program = relay(&server).stdin(File::open(&path).unwrap()).start();
    let mut peer = server.accept();
    peer.send(&bytes);
    // The end of file comes while the other direction is still open.
    assert!(peer.read_to_end() == bytes);
    peer.send("and more");
    drop(peer);
    let mut program = program;
    assert_eq!(program.wait().code(), Some(0));
    assert!(program.stdout_bytes() == [&bytes[..], b"and more"].concat());
    assert_eq!(program.stderr(), "");
}

#[test]
fn pipe_terminal_and_dev_null_are_relayed_too() {
    let server = FakeServer::open();
    let mut program = relay(&server).stdin_pipe().start();
    let mut peer = server.accept();
    program.write(b"\x00binary\xff");
    assert_eq!(peer.read_bytes(8), b"\x00binary\xff");
    program.close_stdin();
    assert_eq!(peer.read_to_end(), b"");
    drop(peer);
    assert_eq!(program.wait().code(), Some(0));

    let program = relay(&server).start();
    let mut peer = server.accept();
    assert_eq!(peer.read_to_end(), b"");
    drop(peer);
    assert_eq!(program.finish().status.code(), Some(0));

    let mut terminal = Terminal::open();
    let Some(launch) = terminal.under(relay(&server)) else {
        return;
    };
    let program = launch.start();
    let mut peer = server.accept();
    terminal.types("hello\n");
    assert_eq!(peer.read_bytes(6), b"hello\n");
    terminal.types("\x04");
    assert_eq!(peer.read_to_end(), b"");
    drop(peer);
    assert_eq!(program.finish().status.code(), Some(0));
}

/// Waits for what the printed listing waits for, on its socket.
fn wait(socket: &TcpStream) -> PollFlags {
    let mut asked = [PollFd::new(socket, PollFlags::IN | PollFlags::RDHUP)];
    poll(&mut asked, None).unwrap();
    asked[0].revents()
}

/// The loop of the printed listing, with its order of questions: what it has
/// read by the time it thinks that the server has closed.
fn as_printed(mut socket: TcpStream) -> Vec<u8> {
    let mut read = Vec::new();
    loop {
        let ready = wait(&socket);
        if ready.contains(PollFlags::RDHUP) {
            return read;
        } else if ready.contains(PollFlags::IN) {
            let mut buffer = [0; 64];
            let count = socket.read(&mut buffer).unwrap();
            read.extend_from_slice(&buffer[..count]);
        }
    }
}

#[test]
fn last_words_that_come_together_with_the_end_are_not_lost() {
    // The printed way: the words and the end are both there when it looks.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut server = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (socket, _) = listener.accept().unwrap();
    server.write_all(b"last words").unwrap();
    drop(server);
    while !wait(&socket).contains(PollFlags::RDHUP) {}
    assert_eq!(as_printed(socket), b"");

    // Ours, with a megabyte of last words, and a reader who comes late.
    let bytes = megabyte();
    let server = FakeServer::open();
    let mut program = relay(&server).stdin_pipe().stdout_unread().start();
    let mut peer = server.accept();
    peer.send(&bytes);
    drop(peer);
    let mut read = Vec::new();
    program.take_stdout().read_to_end(&mut read).unwrap();
    assert!(read == bytes, "{} bytes", read.len());
    assert_eq!(program.wait().code(), Some(0));
}

#[test]
fn a_standard_input_that_has_ended_is_not_looked_at_again_and_again() {
    let server = FakeServer::open();
    let mut program = relay(&server).args(["--trace"]).start();
    let mut peer = server.accept();
    assert_eq!(peer.read_to_end(), b"", "standard input has ended");
    for number in 0..10 {
        peer.send_line(format!("line {number}"));
        program.wait_for_line(&format!("line {number}"));
    }
    drop(peer);
    assert_eq!(program.wait().code(), Some(0));
    let waits = program.stderr().matches(" wait ").count();
    assert!(waits < 100, "{waits} turns for ten lines");
}

#[test]
fn output_can_be_appended_to_a_file_which_splice_refuses() {
    let directory = TemporaryDirectory::new();
    let path = directory.join("log");
    fs::write(&path, "before\n").unwrap();
    let log = File::options().append(true).open(&path).unwrap();
    let bytes = megabyte();
    let server = FakeServer::open();
    let program = relay(&server).stdin_pipe().stdout(log).start();
    let mut peer = server.accept();
    peer.send(&bytes);
    drop(peer);
    assert_eq!(program.finish().status.code(), Some(0));
    assert!(fs::read(&path).unwrap() == [b"before\n", &bytes[..]].concat());
}

#[test]
fn a_reset_and_a_refusal_are_exit_1_with_the_reason() {
    let server = FakeServer::open();
    let mut program = relay(&server).stdin_pipe().start();
    let mut peer = server.accept();
    peer.send_line("hello");
    program.wait_for_line("hello");
    peer.reset();
    assert_eq!(program.wait().code(), Some(1));
    let address = server.address();
    assert_eq!(
        program.stderr(),
        format!("chat-client: {address}: connection lost: connection reset by peer\n")
    );
    let launch = relay(&server);
    drop(server);
    let finished = launch.run();
    assert_eq!(finished.status.code(), Some(1));
    assert_eq!(
        finished.stderr,
        format!("chat-client: {address}: connection refused\n")
    );
}

#[test]
fn what_the_server_did_not_take_before_it_closed_is_a_failure() {
    let server = FakeServer::open();
    // A window that does not grow: what is full stays full.
    server.set_receive_buffer(4_096);
    let zero = File::open("/dev/zero").unwrap();
    let mut program = relay(&server).args(["--trace"]).stdin(zero).start();
    let mut peer = server.accept();
    // The socket takes no more.
    program.wait_for_error_line(["note ", " server ", "OUT"]);
    peer.half_close();
    assert_eq!(program.wait().code(), Some(1));
    let errors = program.stderr();
    let last = errors.lines().last().unwrap();
    assert!(
        last.starts_with("chat-client: ") && last.ends_with("bytes were not sent"),
        "{last}"
    );
}

#[test]
fn a_reader_that_goes_ends_it_quietly() {
    let server = FakeServer::open();
    let mut program = relay(&server).stdin_pipe().stdout_unread().start();
    let mut peer = server.accept();
    drop(program.take_stdout());
    assert_eq!(peer.read_to_end(), b"");
    assert_eq!(program.wait().code(), Some(1));
    assert_eq!(program.stderr(), "");
}
