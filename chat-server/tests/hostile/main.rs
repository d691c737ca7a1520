//! What hostile and broken clients do to the real server, and what its old clients notice of it:
//! nothing.
//!
//! Shows: after each attack, and often during it, somebody who was there before exchanges a message
//! within a second, and the most memory that the server ever had is within its promise.
//! Leaves out: what the room makes of odd messages (`tests/room`).

use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chapter_tests::{Peer, Program, process};

use support::{OldClients, person, serve};

mod bytes;
mod memory;
mod readers;
mod storms;
#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "each test program needs its part")]
mod support;

/// One attack at a time: the second that an exchange may take is for one server under attack, and
/// descriptors are for one crowd.
static ALONE: Mutex<()> = Mutex::new(());

/// What `--sendq-total` is here: little, so that the bound on memory means something.
const SEND_QUEUES_BYTES: u64 = 8 << 20;

/// A server that is about to be attacked.
struct Siege {
    server: Program,
    address: SocketAddr,
    old: OldClients,
    send_queues_bytes: u64,
    _alone: MutexGuard<'static, ()>,
}

impl Siege {
    fn begin(arguments: &[&str]) -> Siege {
        Siege::begin_with_queues(SEND_QUEUES_BYTES, arguments)
    }

    /// As [`Siege::begin`], with another `--sendq-total`.
    fn begin_with_queues(send_queues_bytes: u64, arguments: &[&str]) -> Siege {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let queues = send_queues_bytes.to_string();
        let server = serve(&[&["--sendq-total", &queues], arguments].concat());
        let address = server.listening_on();
        Siege {
            old: OldClients::new(address),
            server,
            address,
            send_queues_bytes,
            _alone: alone,
        }
    }

    /// Somebody who has only connected.
    fn stranger(&self) -> Peer {
        Peer::connect(self.address)
    }

    /// Somebody who is registered.
    fn person(&self, nick: &str) -> Peer {
        person(self.address, nick)
    }

    /// Panics if an old client has noticed anything, or if the server has ever had more memory than
    /// it may with so many clients beside the old ones.
    fn holds_with(&mut self, clients: usize) {
        self.old.exchange();
        let clients = clients as u64 + 2;
        let bound = (32 << 20) + self.send_queues_bytes + clients * (16 << 10);
        let peak = process::peak_resident_bytes(self.server.pid());
        assert!(
            peak <= bound,
            "{peak} bytes for {clients} clients, {bound} are allowed"
        );
    }
}
