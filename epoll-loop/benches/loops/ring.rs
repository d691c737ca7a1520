//! The ring: each socket that gets a byte passes it on to the next, as libevent's benchmark does.
//!
//! Shows: what an event costs, alone in its batch and among many; the sockets that are watched and
//! silent cost nothing. The write interest added and taken away again shows a change list.

use std::io::{self, Write};
use std::os::unix::net::UnixStream;

use crate::contender::{Reaction, Watches, Watching};

/// What is done with each event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// Read a byte and write it to the next.
    PassOn,
    /// Also ask for writing to the next, and take that back: what a server does whose reply goes
    /// out at once, after all.
    ChangeInterest,
}

/// Sockets in a ring, of which `active` are readable at any time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ring {
    pub(crate) sockets: usize,
    pub(crate) active: usize,
    pub(crate) work: Work,
}

impl Ring {
    /// Has `L` watch the ring, with the bytes on their way.
    pub(crate) fn start<L: Watching<Passing>>(self) -> io::Result<L> {
        let (mut readers, mut writers) = (Vec::new(), Vec::new());
        for _ in 0..self.sockets {
            let (reader, writer) = UnixStream::pair()?;
            readers.push(reader);
            writers.push(writer);
        }
        let firsts = writers[..self.active]
            .iter()
            .map(UnixStream::try_clone)
            .collect::<Result<Vec<_>, _>>()?;
        let passing = Passing {
            writers,
            work: self.work,
            left: 0,
        };
        let looped = L::new(readers, passing)?;
        for mut first in firsts {
            first.write_all(b"x")?;
        }
        Ok(looped)
    }
}

/// The reaction to an event of the ring.
pub(crate) struct Passing {
    /// The nth writes to the nth watched socket.
    writers: Vec<UnixStream>,
    work: Work,
    left: u64,
}

impl Reaction for Passing {
    /// Never inlined, as no callback of a program is. Where the kernel makes the processor forget
    /// where calls return to (AMD's SRSO), the first return after a system call takes 380 ns; only
    /// a loop into which the compiler has put all this would be spared them.
    // ANCHOR: pass-on
    // ANCHOR: never-inlined
    #[inline(never)]
    // ANCHOR_END: never-inlined
    fn readable(&mut self, watches: &mut impl Watches, index: usize) {
        // By rustix, which puts no function between this one and the system call: what is counted
        // should be the loops.
        let mut byte = [0];
        rustix::io::read(watches.socket(index), &mut byte).expect("it is readable");
        let next = if index + 1 < self.writers.len() {
            index + 1
        } else {
            0
        };
        if self.work == Work::ChangeInterest {
            watches.set_writable(next, true);
            watches.set_writable(next, false);
        }
        rustix::io::write(&self.writers[next], &byte).expect("there is room for a byte");
        self.left = self.left.saturating_sub(1);
    }
    // ANCHOR_END: pass-on

    fn expect(&mut self, events: u64) {
        self.left = events;
    }

    fn is_done(&self) -> bool {
        self.left == 0
    }
}
