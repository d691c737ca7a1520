//! The calls that no crate offers as safe functions, or that an experiment has to make with
//! arguments that no crate would let through. All of the unsafe code is here.

use std::fs;
use std::io;
use std::mem::{MaybeUninit, size_of};
use std::os::fd::{AsFd, AsRawFd};

use nix::errno::Errno;
use nix::libc::{self, c_int, c_void};
use nix::unistd::{ForkResult, Pid, fork};

/// `fork(2)`: the child's number in the parent, nothing in the child.
///
/// # Errors
///
/// If this process has more than one thread: what the others had locked would stay locked in the
/// child for ever.
#[allow(unsafe_code, reason = "an experiment about fork has to fork")]
pub(crate) fn fork_with_one_thread() -> io::Result<Option<Pid>> {
    if fs::read_dir("/proc/self/task")?.count() != 1 {
        return Err(io::Error::other(
            "fork: this process has more than one thread",
        ));
    }
    // SAFETY: with one thread the child is a whole copy of this process, so that it may call
    // anything (fork(2): the restriction is on a multithreaded process).
    match unsafe { fork()? } {
        ForkResult::Parent { child } => Ok(Some(child)),
        ForkResult::Child => Ok(None),
    }
}

/// `mmap(2)` of a page of a descriptor, and `munmap(2)` if it worked.
///
/// # Errors
///
/// What `mmap` reports.
#[allow(
    unsafe_code,
    reason = "the claim is that an epoll descriptor can be mapped"
)]
pub(crate) fn map_a_page(descriptor: impl AsFd) -> nix::Result<()> {
    const PAGE_BYTES: usize = 4096;
    // SAFETY: without MAP_FIXED a new mapping takes the place of none, and nothing looks at it.
    unsafe {
        let raw = descriptor.as_fd().as_raw_fd();
        let start = libc::mmap(
            std::ptr::null_mut(),
            PAGE_BYTES,
            libc::PROT_READ,
            libc::MAP_SHARED,
            raw,
            0,
        );
        if start == libc::MAP_FAILED {
            return Err(Errno::last());
        }
        libc::munmap(start, PAGE_BYTES);
    }
    Ok(())
}

/// `epoll_wait(2)` for one event into memory that this process does not have.
///
/// # Errors
///
/// What `epoll_wait` reports, which is what the experiment wants to see.
#[allow(unsafe_code, reason = "a crate would not let a bad address through")]
pub(crate) fn epoll_wait_to_nowhere(epoll: impl AsFd) -> nix::Result<c_int> {
    // The first page is never mapped (vm.mmap_min_addr).
    let nowhere = std::ptr::without_provenance_mut(16);
    // SAFETY: the kernel answers EFAULT to an address that it cannot write to.
    Errno::result(unsafe { libc::epoll_wait(epoll.as_fd().as_raw_fd(), nowhere, 1, 0) })
}

/// `getsockopt(2)` with `TCP_INFO`; of a listener, `tcpi_unacked` is the length of its queue of
/// connections and `tcpi_sacked` the longest that it may get.
///
/// # Errors
///
/// What `getsockopt` reports.
#[allow(unsafe_code, reason = "nix and socket2 do not have this option")]
pub(crate) fn tcp_info(socket: impl AsFd) -> io::Result<libc::tcp_info> {
    let mut info = MaybeUninit::<libc::tcp_info>::zeroed();
    let mut length = libc::socklen_t::try_from(size_of::<libc::tcp_info>()).expect("a small type");
    // SAFETY: the kernel writes at most `length` bytes, the struct has integers only, and what an
    // older kernel does not fill is zero (tcp(7)).
    unsafe {
        Errno::result(libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            info.as_mut_ptr().cast::<c_void>(),
            &raw mut length,
        ))?;
        Ok(info.assume_init())
    }
}
