//! Descriptors passed to another process over a UNIX socket.
//!
//! Chapter: passing descriptors (the book's section 13.9, listing 13-5).
//! Run it: `cargo run -p fd-passing -- demo`, and `-- explain` for what a
//! descriptor is.
//!
//! Shows: `SCM_RIGHTS`. What travels is no number: the receiver gets a new
//! descriptor of the same open file, as if by `dup(2)` into another process, so
//! the offset and the flags of the file are shared, and the numbers differ.
//! While a message is on its way it keeps its files open by itself.
//! Leaves out: everything but UNIX stream sockets, which is what programs use.
//!
//! ```
//! use std::fs::File;
//! use std::os::fd::AsFd;
//! use std::os::unix::net::UnixStream;
//!
//! let (ours, theirs) = UnixStream::pair()?;
//! let file = File::open("/proc/self/status")?;
//! fd_passing::send(&ours, &[file.as_fd()], b"status")?;
//!
//! let mut payload = [0; 100];
//! let received = fd_passing::receive(&theirs, &mut payload)?;
//! assert_eq!(&payload[..received.bytes], b"status");
//! let same = File::from(received.descriptors.into_iter().next().unwrap());
//! # drop(same);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What the printed listing gets wrong: its control buffer is a bare
//! `struct cmsghdr`, which has no room for the descriptor behind it, so the
//! kernel writes past its end; and it asks for one byte of payload in a buffer
//! of none.
//!
//! Why not nix, which the other programs use: its `recvmsg` reports a message
//! whose control data was cut short by an error of `cmsgs()`, and with it goes
//! the only way to the descriptors that *were* delivered. They stay open for
//! ever; a peer can exhaust a process with them. rustix hands them out, and what
//! nobody takes is closed. `tests/truncated.rs` shows both.

pub mod handover;
mod peer;
mod private_socket;
mod receive;
mod send;

pub use peer::{AllowList, Peer, PeerError};
pub use private_socket::PrivateSocket;
pub use receive::{ReceiveError, Received, receive, receive_at_most};
pub use send::{MAX_DESCRIPTORS, SendError, send};
