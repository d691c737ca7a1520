//! The connections that tests watch, and what the kernel says of them.

use std::fs;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::os::unix::net::UnixStream;

/// Two connected sockets, neither of which blocks.
pub(crate) fn pair() -> (UnixStream, UnixStream) {
    let (near, far) = UnixStream::pair().unwrap();
    near.set_nonblocking(true).unwrap();
    far.set_nonblocking(true).unwrap();
    (near, far)
}

/// The descriptors in the set of an epoll instance, as the kernel lists them
/// (`man 5 proc_pid_fdinfo`). A ghost is there under the number that it had.
pub(crate) fn in_kernels_set(epoll: impl AsFd) -> Vec<RawFd> {
    let number = epoll.as_fd().as_raw_fd();
    let text = fs::read_to_string(format!("/proc/self/fdinfo/{number}")).unwrap();
    let lines = text.lines().filter_map(|line| line.strip_prefix("tfd:"));
    let mut numbers: Vec<RawFd> = lines
        .map(|line| line.split_whitespace().next().unwrap().parse().unwrap())
        .collect();
    numbers.sort_unstable();
    numbers
}
