//! A relay between one client and the server, which writes down what each of them says.
//!
//! Shows: what a client shows on its screen, and what it asked for without showing it, are two
//! things; the second is seen only on the wire.
//! Leaves out: how the bytes were cut; a line is passed on when it is whole.

use std::fmt::{self, Display};
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use chapter_tests::TIMEOUT;
use chat_protocol::Message;

/// A listener for one connection, whose lines it passes on and remembers.
#[derive(Debug)]
pub(crate) struct Relay {
    address: SocketAddr,
    recording: Arc<Recording>,
}

/// What was said so far.
#[derive(Debug, Default)]
struct Recording {
    lines: Mutex<Vec<Line>>,
    changed: Condvar,
}

/// One line, without its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) sender: Sender,
    pub(crate) text: Vec<u8>,
}

/// Who has said a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sender {
    Client,
    Server,
}

impl Relay {
    /// Waits on a free port for one client, and connects it to `server`.
    pub(crate) fn to(server: SocketAddr) -> Relay {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let recording = Arc::new(Recording::default());
        let writer = Arc::clone(&recording);
        // Nobody joins the threads: they end with the connection, which the test's end closes.
        thread::spawn(move || {
            let (client, _) = listener.accept().unwrap();
            let server = TcpStream::connect(server).unwrap();
            for stream in [&client, &server] {
                stream.set_nodelay(true).unwrap();
            }
            let (from, to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            let other = Arc::clone(&writer);
            thread::spawn(move || other.copy(Sender::Server, from, to));
            writer.copy(Sender::Client, client, server);
        });
        Relay { address, recording }
    }

    /// Where the client is to connect to.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until what was said so far is accepted, and returns it. `what` names what is waited
    /// for.
    pub(crate) fn wait_until(&self, what: &str, accept: impl Fn(&[Line]) -> bool) -> Vec<Line> {
        let lines = self.recording.lines.lock().unwrap();
        let (lines, wait) = self
            .recording
            .changed
            .wait_timeout_while(lines, TIMEOUT, |lines| !accept(lines))
            .unwrap();
        assert!(!wait.timed_out(), "{what} was not seen on the wire");
        lines.clone()
    }

    /// Waits until `sender` has said a line that contains `text`.
    pub(crate) fn wait_for(&self, sender: Sender, text: &str) {
        self.wait_until(text, |lines| {
            lines
                .iter()
                .any(|line| line.sender == sender && line.to_string().contains(text))
        });
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        if thread::panicking() {
            // The lock may be the one that the failed wait held.
            let lines = self.recording.lines.lock();
            let lines = lines.unwrap_or_else(std::sync::PoisonError::into_inner);
            eprintln!("--- on the wire ---");
            for line in lines.iter() {
                eprintln!("{line}");
            }
            eprintln!("---");
        }
    }
}

impl Recording {
    /// Passes on the lines of one direction until it ends.
    fn copy(&self, sender: Sender, from: TcpStream, mut to: TcpStream) {
        let mut from = BufReader::new(from);
        let mut line = Vec::new();
        // A connection that is reset ends as one that is closed: the test is over.
        while from
            .read_until(b'\n', &mut line)
            .is_ok_and(|length| length > 0)
        {
            let text = line.trim_ascii_end().to_vec();
            // First written down, so that it is found by those who have seen its effect.
            self.lines.lock().unwrap().push(Line { sender, text });
            self.changed.notify_all();
            if to.write_all(&line).is_err() {
                break;
            }
            line.clear();
        }
        // Fails if the other end has closed already.
        let _ = to.shutdown(Shutdown::Write);
    }
}

impl Line {
    /// The line as a message.
    pub(crate) fn message(&self) -> Message<'_> {
        Message::parse(&self.text).unwrap_or_else(|err| panic!("{self}: {err}"))
    }
}

impl Display for Line {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arrow = match self.sender {
            Sender::Client => ">>",
            Sender::Server => "<<",
        };
        write!(formatter, "{arrow} {}", String::from_utf8_lossy(&self.text))
    }
}
