//! Sending and receiving urgent data on a stream.
//!
//! Shows: `MSG_OOB` makes one byte urgent, the last one of the call; the others are data as ever. A
//! read stops in front of the mark, so that nobody runs past it unawares.
//! Leaves out: more than one urgent byte at a time. TCP has no such thing.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

use nix::sys::socket::{MsgFlags, recv, send};

// ANCHOR: send-urgent
/// Sends `bytes`, of which the last one becomes urgent. Returns how many were taken; if not all
/// were, the last of those is urgent.
///
/// # Errors
///
/// What `send(2)` reports; `EOPNOTSUPP` where there is no urgent data, as with UDP.
pub fn send_urgent(socket: impl AsFd, bytes: &[u8]) -> io::Result<usize> {
    let flags = MsgFlags::MSG_OOB | MsgFlags::MSG_NOSIGNAL;
    Ok(send(socket.as_fd().as_raw_fd(), bytes, flags)?)
}
// ANCHOR_END: send-urgent

// ANCHOR: receive-urgent
/// Takes the urgent byte, if there is one, out of the stream.
///
/// # Errors
///
/// `EINVAL`: there is none, or it was taken, or read past, or stays in the stream
/// (`SO_OOBINLINE`). `EAGAIN`: it was announced and has not arrived.
pub fn receive_urgent(socket: impl AsFd) -> io::Result<Vec<u8>> {
    receive(socket, MsgFlags::MSG_OOB)
}
// ANCHOR_END: receive-urgent

/// Reads what is there, up to the mark.
///
/// # Errors
///
/// `EAGAIN` if nothing is there, and what else `recv(2)` reports.
pub fn receive_data(socket: impl AsFd) -> io::Result<Vec<u8>> {
    receive(socket, MsgFlags::empty())
}

fn receive(socket: impl AsFd, flags: MsgFlags) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0; 4_096];
    let flags = flags | MsgFlags::MSG_DONTWAIT;
    let length = recv(socket.as_fd().as_raw_fd(), &mut buffer, flags)?;
    buffer.truncate(length);
    Ok(buffer)
}
