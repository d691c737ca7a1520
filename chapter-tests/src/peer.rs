//! The other end of a connection: a client that a test drives by hand.
//!
//! Shows: blocking calls with one deadline for the whole wait, however the bytes arrive; and the
//! ways in which a connection ends: half closed, closed, reset.
//! Leaves out: any protocol but lines.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use socket2::SockRef;

use crate::deadline::Deadline;
use crate::{LinePattern, TIMEOUT};

/// What a failed test shows of the lines that came before.
const MAX_SHOWN_LINES: usize = 200;
/// A longer line fails the test instead of filling the memory.
const MAX_LINE_BYTES: usize = 1 << 20;

/// A TCP client for lines and bytes. Dropping it closes the connection.
///
/// Each call lasts 30 s at most, or what [`set_timeout`](Self::set_timeout) says; what then has not
/// happened fails the test, and the last lines received are shown.
///
/// ```
/// use chapter_tests::Peer;
///
/// let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
/// let mut alice = Peer::connect(listener.local_addr().unwrap());
/// let mut bob = Peer::over(listener.accept().unwrap().0);
///
/// alice.send("PING :1\r\nPING :2\r\n");
/// assert_eq!(bob.expect_line(":2"), "PING :2");
/// alice.half_close();
/// bob.expect_eof();
/// ```
#[derive(Debug)]
pub struct Peer {
    stream: TcpStream,
    /// Received, and not yet taken by a read or an expectation.
    received: Vec<u8>,
    /// No line ends before this byte of `received`.
    searched: usize,
    last_lines: VecDeque<String>,
    timeout: Duration,
}

/// How the receiving side ended.
enum NoMore {
    Eof,
    Failed(io::Error),
}

impl Peer {
    /// Connects to `address`.
    ///
    /// # Panics
    ///
    /// If that fails.
    #[must_use]
    pub fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect_timeout(&address, TIMEOUT);
        Self::over(stream.unwrap_or_else(|err| panic!("connect to {address}: {err}")))
    }

    /// Uses a connection that exists: an accepted one, or one with options of its own.
    ///
    /// # Panics
    ///
    /// If its options cannot be set.
    #[must_use]
    pub fn over(stream: TcpStream) -> Self {
        // A test that sends single bytes wants them to arrive as such.
        stream
            .set_nodelay(true)
            .unwrap_or_else(|err| panic!("TCP_NODELAY: {err}"));
        Self {
            stream,
            received: Vec::new(),
            searched: 0,
            last_lines: VecDeque::new(),
            timeout: TIMEOUT,
        }
    }

    /// How long each further call may last.
    pub fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    /// The connection itself, for its addresses and options.
    #[must_use]
    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Sends all the bytes.
    ///
    /// # Panics
    ///
    /// If the connection fails, or the other end does not read in time.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_send(bytes)
            .unwrap_or_else(|err| self.fail(&format!("send: {err}")));
    }

    /// Sends `line` and CR LF.
    ///
    /// # Panics
    ///
    /// As [`send`](Self::send).
    pub fn send_line(&mut self, line: impl AsRef<str>) {
        self.send(format!("{}\r\n", line.as_ref()));
    }

    /// Sends all the bytes to an other end that may not want them.
    ///
    /// # Errors
    ///
    /// What `send(2)` reports; `TimedOut` if the other end does not read in time.
    pub fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        let deadline = Deadline::after(self.timeout);
        let mut rest = bytes.as_ref();
        while !rest.is_empty() {
            self.stream.set_write_timeout(Some(time_left(deadline)?))?;
            match self.stream.write(rest) {
                Ok(length) => rest = &rest[length..],
                // A socket's timeout is reported as EAGAIN; time_left decides.
                Err(err)
                    if matches!(err.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) => {}
                Err(err) => return Err(err),
            }
        }
        Ok(())
    }

    /// Skips lines up to the first that matches, and returns it without its end.
    ///
    /// # Panics
    ///
    /// If the line does not come in time, or the connection ends first.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a text or a closure is written in place"
    )]
    pub fn expect_line(&mut self, pattern: impl LinePattern) -> String {
        let deadline = Deadline::after(self.timeout);
        loop {
            match self.next_line(deadline) {
                Ok(line) if pattern.accepts(&line) => return line,
                Ok(_) => {}
                Err(why) => self.fail(&format!("no line {}: {why}", pattern.describe())),
            }
        }
    }

    /// The next line, without its end (LF or CR LF); what is not UTF-8 is replaced.
    ///
    /// # Panics
    ///
    /// If no line comes in time, or the connection ends first.
    pub fn read_line(&mut self) -> String {
        let line = self.next_line(Deadline::after(self.timeout));
        line.unwrap_or_else(|why| self.fail(&format!("no line: {why}")))
    }

    /// The next `length` bytes.
    ///
    /// # Panics
    ///
    /// If they do not come in time, or the connection ends first.
    pub fn read_bytes(&mut self, length: usize) -> Vec<u8> {
        let deadline = Deadline::after(self.timeout);
        while self.received.len() < length {
            if let Err(why) = self.receive(deadline) {
                let got = self.received.len();
                self.fail(&format!("{got} of {length} bytes: {why}"));
            }
        }
        self.take(length)
    }

    /// Everything up to the end of file.
    ///
    /// # Panics
    ///
    /// If that does not come in time, or the connection is reset.
    pub fn read_to_end(&mut self) -> Vec<u8> {
        match self.receive_all() {
            NoMore::Eof => self.take(self.received.len()),
            NoMore::Failed(err) => self.fail(&format!("no end of file: {err}")),
        }
    }

    /// Waits for the end of file and returns the lines before it.
    ///
    /// # Panics
    ///
    /// If it does not come in time, or the connection is reset.
    pub fn expect_eof(&mut self) -> Vec<String> {
        let bytes = self.read_to_end();
        String::from_utf8_lossy(&bytes)
            .lines()
            .map(str::to_owned)
            .collect()
    }

    /// Waits until the other end has closed, by end of file or by a reset, and returns the lines
    /// before it.
    ///
    /// A server that closes while it has bytes unread resets the connection (RFC 1122, 4.2.2.13),
    /// and which of the two comes is then no promise of its.
    ///
    /// # Panics
    ///
    /// If neither comes in time.
    pub fn expect_closed(&mut self) -> Vec<String> {
        match self.receive_all() {
            NoMore::Failed(err) if err.kind() != ErrorKind::ConnectionReset => {
                self.fail(&format!("not closed: {err}"))
            }
            NoMore::Eof | NoMore::Failed(_) => {}
        }
        let bytes = self.take(self.received.len());
        String::from_utf8_lossy(&bytes)
            .lines()
            .map(str::to_owned)
            .collect()
    }

    /// Sends no more: the other end reads end of file, and can still write.
    ///
    /// # Panics
    ///
    /// If the connection is gone.
    pub fn half_close(&mut self) {
        let done = self.stream.shutdown(Shutdown::Write);
        done.unwrap_or_else(|err| self.fail(&format!("shutdown: {err}")));
    }

    /// Closes with a reset: what is unsent is thrown away, the other end gets `ECONNRESET`.
    ///
    /// # Panics
    ///
    /// If `SO_LINGER` cannot be set.
    pub fn reset(self) {
        let done = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
        done.unwrap_or_else(|err| panic!("SO_LINGER: {err}"));
    }

    fn next_line(&mut self, deadline: Deadline) -> Result<String, String> {
        let newline = loop {
            let new = &self.received[self.searched..];
            if let Some(found) = new.iter().position(|&byte| byte == b'\n') {
                break self.searched + found;
            }
            self.searched = self.received.len();
            if self.searched > MAX_LINE_BYTES {
                return Err(format!(
                    "more than {MAX_LINE_BYTES} bytes without a newline"
                ));
            }
            self.receive(deadline).map_err(|why| why.to_string())?;
        };
        let bytes = self.take(newline + 1);
        let line = bytes.strip_suffix(b"\r\n").unwrap_or(&bytes[..newline]);
        let line = String::from_utf8_lossy(line).into_owned();
        if self.last_lines.len() == MAX_SHOWN_LINES {
            self.last_lines.pop_front();
        }
        self.last_lines.push_back(line.clone());
        Ok(line)
    }

    fn take(&mut self, length: usize) -> Vec<u8> {
        self.searched = 0;
        self.received.drain(..length).collect()
    }

    fn receive_all(&mut self) -> NoMore {
        let deadline = Deadline::after(self.timeout);
        loop {
            if let Err(why) = self.receive(deadline) {
                return why;
            }
        }
    }

    /// Adds at least one byte to `received`.
    fn receive(&mut self, deadline: Deadline) -> Result<(), NoMore> {
        let mut buffer = [0; 16 << 10];
        loop {
            let left = time_left(deadline).map_err(NoMore::Failed)?;
            self.stream
                .set_read_timeout(Some(left))
                .map_err(NoMore::Failed)?;
            match self.stream.read(&mut buffer) {
                Ok(0) => return Err(NoMore::Eof),
                Ok(length) => {
                    self.received.extend_from_slice(&buffer[..length]);
                    return Ok(());
                }
                Err(err)
                    if matches!(err.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) => {}
                Err(err) => return Err(NoMore::Failed(err)),
            }
        }
    }

    fn fail(&self, why: &str) -> ! {
        let name = self.stream.local_addr().map(|address| address.to_string());
        let lines = Vec::from(self.last_lines.clone()).join("\n");
        panic!(
            "peer {}: {why}\n--- it has received ---\n{lines}\n--- and not yet read ---\n{}\n---",
            name.unwrap_or_default(),
            String::from_utf8_lossy(&self.received[..self.received.len().min(MAX_LINE_BYTES)]),
        );
    }
}

impl std::fmt::Display for NoMore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Eof => write!(f, "end of file"),
            Self::Failed(err) => write!(f, "{err}"),
        }
    }
}

/// The time until the deadline, never zero: to a socket zero means for ever.
fn time_left(deadline: Deadline) -> io::Result<Duration> {
    let remaining = deadline.remaining();
    if remaining.is_zero() {
        Err(ErrorKind::TimedOut.into())
    } else {
        Ok(remaining)
    }
}
