//! A server that is replaced while people talk.
//!
//! Shows: listeners and live connections given to another process
//! (`SCM_RIGHTS`), with everything that is known of them: bytes that are half
//! read or not yet sent, timers as what remains of them, the whole room. Until
//! the last word, [`Commit`](fd_passing::handover::Message::Commit), the old
//! server is only frozen and can go on as if nothing had been; the new one is
//! built whole and frozen too, and touches no client before it.
//! Leaves out: the messages themselves, which are `fd_passing::handover`.
//!
//! In reading order: `freeze.rs` (no reading, no writing, no timers), `record.rs`
//! (what the loop side writes down), `giving.rs` (the old server), `taking.rs`
//! (the new one, before it is a server), `inheriting.rs` (the server that it
//! becomes). They meet at a [`PrivateSocket`].

mod freeze;
mod giving;
mod inheriting;
mod record;
mod taking;

use std::time::Duration;

use epoll_loop::Watched;
use fd_passing::PrivateSocket;

use freeze::Frozen;
use giving::Giving;
use inheriting::Heir;
pub(crate) use record::milliseconds;

pub use taking::{Inheritance, TakeoverError, Taking};

/// Version of the document that the old server writes and the new one reads;
/// its parts are described in `record.rs` and in `room/record`. Another version
/// is refused, and nothing happens to anybody.
pub const FORMAT_VERSION: u32 = 2;

/// What a server has to do with hand-overs; nothing at all, mostly.
#[derive(Debug, Default)]
pub(crate) struct Handover {
    /// Where a successor may ask.
    socket: Option<Watched<PrivateSocket>>,
    /// The successor that has asked.
    giving: Option<Giving>,
    /// The old server that has not ended its part yet.
    heir: Option<Heir>,
    frozen: Option<Frozen>,
    /// Whether this server has been given away.
    is_over: bool,
}

/// How long a hand-over may take if nothing else is said.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);
