//! TCP's urgent data, which is called out-of-band and is not.
//!
//! Chapter: urgent data (the book's sections 3.8, 5.8.1, 5.9, 9.1.3 and 10.5; listings 5-6, 5-7,
//! 9-1, 10-3).
//!
//! Shows: one byte of the stream gets a mark. It is announced ahead of the data before it, and
//! comes in its turn: no second channel, and no priority. SIGURG tells of the announcement;
//! `EPOLLPRI` and the third set of `select(2)` tell when the byte is there; `sockatmark(3)` tells
//! when the data before it is read.
//! Leaves out: the middleboxes that clear it on the way.
//!
//! # Why no new protocol should use it
//!
//! RFC 6093 says so (section 5), for what the demonstration shows: implementations disagree about
//! which byte is meant; there is only one at a time, and a second one turns the first into data or
//! loses it; firewalls clear the pointer. Telnet's Synch survives since its byte carries nothing
//! ([`Telnet`]). For all else a second connection is a second channel.
//!
//! # What the printed listings get wrong
//!
//! Each has a test in `tests/listings.rs`.
//!
//! - 5-6 sends "abc" with `MSG_OOB` and calls it urgent: `c` is, the others are data.
//! - 5-7 calls `recv`, `recv(MSG_OOB)`, `recv`, and gets what the timing of the segments gives:
//!   before the urgent byte is there the second one is `EINVAL`.
//! - 9-1 sets `SO_OOBINLINE`, and then reads with `MSG_OOB`: always `EINVAL`. Its `else if` reads
//!   data first for as long as there is some, past the mark, and the urgent byte is lost.
//! - 10-3 prints in a signal handler, where `printf(3)` may not be called (`man 7
//!   signal-safety`); here the signal is an event of the loop. And it counts on a signal for each
//!   byte: those that meet in the queue are one.
//!
//! # Where to begin reading
//!
//! `urgent.rs`, then `receive.rs` of the program: the same stream read in four ways.

mod sys;
mod telnet;
mod urgent;

pub use sys::{at_mark, own_signals, packet_mode, unacknowledged};
pub use telnet::{DM, IAC, IP, Telnet};
pub use urgent::{receive_data, receive_urgent, send_urgent};
