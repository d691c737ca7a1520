//! inetd's small services over TCP and UDP, on one epoll loop.
//!
//! Chapter: TCP and UDP on one port (the book's section 9.7, listing 9-8).
//! Run it: `cargo run -p tcp-udp-server`, then `nc 127.0.0.1 7007` or
//! `nc -u 127.0.0.1 7007` in another terminal.
//!
//! Shows: a port number is TCP's and UDP's, each its own; a byte stream has no
//! borders and datagrams have; backpressure, half close and idle timeouts; UDP
//! in batches; why a UDP service must not answer everything.
//! Leaves out: running other programs, as inetd does.
//!
//! What the printed listing gets wrong: over UDP it sends back 1,023 bytes
//! whatever came, with the rest of its buffer behind the few that were sent;
//! what is longer it cuts, and sends back the part as if it were the whole;
//! over TCP it goes on with a connection that it has just closed, ignores short
//! writes, and reads as fast as its peer sends although the peer does not read.
//! (`tests/printed_listing.rs` shows the first two beside this server.)

mod counters;
mod datagrams;
mod expectation;
mod gate;
mod probe;
mod server;
mod service;
mod tcp;
mod udp;

pub use counters::Counters;
pub use expectation::{Differs, Said};
pub use gate::Refusal;
pub use probe::{Failure, Probe, Question, Report};
pub use server::{BindError, Server, Settings, Sockets, Transport};
pub use service::{Service, UnknownService};
pub use tcp::HIGH_WATER_BYTES;
