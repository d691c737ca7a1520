//! The four calls that no crate offers.
//!
//! Shows: what `sockatmark(3)` is made of, and how a socket comes to send a signal.
//! Leaves out: everything that can be done without `unsafe`.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

use nix::libc;

/// From `asm-generic/sockios.h`, which every architecture but a few old ones takes (Alpha, MIPS).
const SIOCATMARK: libc::Ioctl = 0x8905;

/// Whether the next byte that is read stands behind the mark: where the urgent byte was, or is, if
/// `SO_OOBINLINE` is set (`sockatmark(3)`).
///
/// # Errors
///
/// `ENOTTY` for what has no mark, as a UNIX socket of a kernel without `CONFIG_AF_UNIX_OOB`.
pub fn at_mark(socket: impl AsFd) -> io::Result<bool> {
    Ok(get_int(socket, SIOCATMARK)? != 0)
}

/// Number of bytes that were sent and that the peer's kernel has not acknowledged (`SIOCOUTQ`,
/// `man 7 tcp`).
///
/// # Errors
///
/// What `ioctl(2)` reports, `EINVAL` for a listener for example.
pub fn unacknowledged(socket: impl AsFd) -> io::Result<usize> {
    Ok(get_int(socket, libc::TIOCOUTQ)?.unsigned_abs() as usize)
}

// ANCHOR: own-signals
/// Has the kernel send SIGURG to this process when urgent data is announced on `socket`; without
/// an owner nobody gets it (`F_SETOWN` in `man 2 fcntl`).
///
/// # Errors
///
/// What `fcntl(2)` reports.
#[allow(unsafe_code, reason = "F_SETOWN is in no crate that we use")]
pub fn own_signals(socket: impl AsFd) -> io::Result<()> {
    let pid = nix::unistd::getpid().as_raw();
    // SAFETY: F_SETOWN takes an integer and no pointer (man 2 fcntl); the descriptor is borrowed
    // for as long as the call takes.
    let result = unsafe { libc::fcntl(socket.as_fd().as_raw_fd(), libc::F_SETOWN, pid) };
    check(result)
}
// ANCHOR_END: own-signals

/// Puts the master of a pseudo-terminal in packet mode, in which it reports what was done to the
/// slave (`TIOCPKT` in `man 2 ioctl_tty`).
///
/// # Errors
///
/// `ENOTTY` for what is no such master.
#[allow(unsafe_code, reason = "TIOCPKT is in no crate that we use")]
pub fn packet_mode(master: impl AsFd) -> io::Result<()> {
    let on: libc::c_int = 1;
    // SAFETY: TIOCPKT reads one int behind the pointer (man 2 ioctl_tty), which `on` is and stays
    // until the call has returned.
    let result = unsafe { libc::ioctl(master.as_fd().as_raw_fd(), libc::TIOCPKT, &raw const on) };
    check(result)
}

/// The int that a request tells.
#[allow(
    unsafe_code,
    reason = "SIOCATMARK and SIOCOUTQ are in no crate that we use"
)]
fn get_int(descriptor: impl AsFd, request: libc::Ioctl) -> io::Result<libc::c_int> {
    let mut value: libc::c_int = 0;
    let fd = descriptor.as_fd().as_raw_fd();
    // SAFETY: both requests that this is called with write one int behind the pointer (man 3
    // sockatmark, man 7 tcp), which `value` is and stays until the call has returned.
    let result = unsafe { libc::ioctl(fd, request, &raw mut value) };
    check(result)?;
    Ok(value)
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
