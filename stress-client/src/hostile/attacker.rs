//! One connection of an attack.
//!
//! Shows: how to be as rude as a peer can be: to reset (`SO_LINGER` of zero, then close), to send
//! without reading, to write as long as the kernel takes it.
//! Leaves out: patience. What goes wrong with an attacker is counted, and nothing else.

use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::time::Duration;

use epoll_loop::{Event, EventLoop, Interest, Watched};
use socket2::Socket;

use super::attacks::{Act, Attack};

/// What one attacker writes or reads in one turn, so that the witnesses have theirs.
const BYTES_A_TURN: usize = 64 * 1024;

/// What is read at once.
const READ_BYTES: usize = 16 * 1024;

/// What is kept of the end of what the server has said.
const LAST_WORDS_BYTES: usize = 512;

/// A connection.
#[derive(Debug)]
pub(crate) struct Attacker {
    stream: Watched<Socket>,
    attack: &'static Attack,
    is_connected: bool,
    /// Bytes that are to be written, and how many of them are.
    out: Vec<u8>,
    written: usize,
    turn: u64,
    /// How often a byte has been dripped.
    drips: usize,
    pub(crate) bytes_taken: u64,
    /// The end of what the server has said.
    heard: Vec<u8>,
}

/// What became of it in an event.
pub(crate) enum Fate {
    GoesOn,
    /// It has done what it was to do; another one is to take its place.
    Replace,
    /// The connection did not come about.
    Refused,
    /// The server, or the kernel, has ended it.
    Ended,
}

impl Attacker {
    pub(crate) fn new(stream: Watched<Socket>, attack: &'static Attack, number: u64) -> Attacker {
        let mut out = Vec::new();
        if attack.registers {
            // Never one that an attacker before it has had: who is put out may still be there.
            out = format!("NICK h{number:07}\r\nUSER hostile 0 * :stress-client\r\n").into_bytes();
        }
        Attacker {
            stream,
            attack,
            is_connected: false,
            out,
            written: 0,
            // Each has names of its own.
            turn: number << 24,
            drips: 0,
            bytes_taken: 0,
            heard: Vec::new(),
        }
    }

    /// The socket is ready.
    pub(crate) fn step<D>(&mut self, event_loop: &mut EventLoop<D>, event: Event) -> Fate {
        match self.try_step(event_loop, event) {
            Ok(fate) => fate,
            Err(err) if err.kind() == ErrorKind::WouldBlock => Fate::GoesOn,
            Err(err) if !self.is_connected && err.kind() != ErrorKind::ConnectionReset => {
                Fate::Refused
            }
            Err(_) => Fate::Ended,
        }
    }

    fn try_step<D>(&mut self, event_loop: &mut EventLoop<D>, event: Event) -> io::Result<Fate> {
        if !self.is_connected {
            if let Some(err) = self.stream.take_error()? {
                return Err(err);
            }
            self.is_connected = true;
            match self.attack.act {
                Act::HalfClose => self.stream.shutdown(Shutdown::Write)?,
                Act::Reset => return self.reset(),
                Act::CutOff(beginning) => {
                    self.bytes_taken += (&*self.stream).write(beginning)? as u64;
                    return self.reset();
                }
                Act::Stay | Act::Drip(_) | Act::Pour(_) => {}
            }
        }
        if event.readiness.is_writable() {
            match self.write() {
                Err(err) if err.kind() != ErrorKind::WouldBlock => {
                    // Why it was put out may still be there to be read.
                    while self.read()? > 0 {}
                    return Err(err);
                }
                _ => {}
            }
        }
        let wants_to_write = matches!(self.attack.act, Act::Pour(_)) || !self.is_written();
        let mut interest = Interest::NONE;
        if wants_to_write {
            interest = interest | Interest::WRITABLE;
        }
        if self.attack.reads {
            interest = interest | Interest::READABLE;
        }
        self.stream.set_interest(event_loop, interest);
        if event.readiness.is_readable() && self.attack.reads && self.read()? == 0 {
            return Ok(Fate::Ended);
        }
        Ok(Fate::GoesOn)
    }

    /// Closes so that the peer is told RST and not FIN.
    fn reset(&self) -> io::Result<Fate> {
        self.stream.set_linger(Some(Duration::ZERO))?;
        Ok(Fate::Replace)
    }

    fn is_written(&self) -> bool {
        self.written == self.out.len()
    }

    fn write(&mut self) -> io::Result<()> {
        let mut left = BYTES_A_TURN;
        while left > 0 {
            if self.is_written() {
                let Act::Pour(pour) = self.attack.act else {
                    return Ok(());
                };
                self.out.clear();
                self.written = 0;
                while self.out.len() < BYTES_A_TURN / 8 {
                    pour(self.turn, &mut self.out);
                    self.turn += 1;
                }
            }
            let count = (&*self.stream).write(&self.out[self.written..])?;
            self.written += count;
            self.bytes_taken += count as u64;
            left = left.saturating_sub(count);
        }
        Ok(())
    }

    /// Reads once; 0 is the end.
    fn read(&mut self) -> io::Result<usize> {
        let mut buffer = [0; READ_BYTES];
        let count = (&*self.stream).read(&mut buffer)?;
        self.heard.extend_from_slice(&buffer[..count]);
        let surplus = self.heard.len().saturating_sub(LAST_WORDS_BYTES);
        self.heard.drain(..surplus);
        Ok(count)
    }

    /// Sends one more byte, if that is what it does.
    pub(crate) fn drip(&mut self) {
        if let Act::Drip(bytes) = self.attack.act
            && self.is_connected
        {
            // The name goes on with x for ever.
            let byte = bytes.get(self.drips).copied().unwrap_or(b'x');
            if (&*self.stream).write(&[byte]).is_ok() {
                self.drips += 1;
                self.bytes_taken += 1;
            }
        }
    }

    /// The ERROR by which the server has said good-bye.
    pub(crate) fn error(&self) -> Option<&[u8]> {
        let mut lines = self.heard.split(|&byte| byte == b'\n').rev();
        let line = lines.find(|line| line.starts_with(b"ERROR "))?;
        Some(line.trim_ascii_end())
    }
}
