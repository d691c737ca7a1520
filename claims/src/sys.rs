//! The calls that no crate offers as safe functions, or that an experiment has to make with
//! arguments that no crate would let through. All of the unsafe code is here.

use std::fs;
use std::io;
use std::mem::{MaybeUninit, size_of};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, TryLockError};
use std::time::Duration;

use io_uring::{IoUring, opcode, squeue, types};
use nix::errno::Errno;
use nix::libc::{self, c_int, c_void};
use nix::sys::epoll::Epoll;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
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

/// `epoll_wait(2)`, without waiting, into memory that this process does not have.
///
/// # Errors
///
/// What `epoll_wait` reports, which is what the experiment wants to see.
#[allow(unsafe_code, reason = "a crate would not let a bad address through")]
pub(crate) fn epoll_wait_to_nowhere(epoll: impl AsFd, max_events: c_int) -> nix::Result<c_int> {
    // The first page is never mapped (vm.mmap_min_addr).
    let nowhere = std::ptr::without_provenance_mut(16);
    // SAFETY: the kernel answers EFAULT to an address that it cannot write to.
    let result = unsafe { libc::epoll_wait(epoll.as_fd().as_raw_fd(), nowhere, max_events, 0) };
    Errno::result(result)
}

/// `epoll_create(2)`, the call that still has a size.
///
/// # Errors
///
/// What `epoll_create` reports.
#[allow(unsafe_code, reason = "crates offer epoll_create1 only")]
pub(crate) fn epoll_create(size: c_int) -> nix::Result<Epoll> {
    // SAFETY: the number is checked, and nobody else knows the new descriptor.
    let descriptor = unsafe { OwnedFd::from_raw_fd(Errno::result(libc::epoll_create(size))?) };
    Ok(Epoll(descriptor))
}

/// `select(2)` for reading with a bitmap of any length: how many are readable, and what the kernel
/// left of the timeout.
///
/// # Errors
///
/// What `select` reports.
#[allow(
    unsafe_code,
    reason = "crates have the fd_set of the C library, which is shorter"
)]
pub(crate) fn select_readable(
    bitmap: &mut [u64],
    timeout: Duration,
) -> nix::Result<(c_int, Duration)> {
    let bits = c_int::try_from(bitmap.len() * 64).map_err(|_| Errno::EINVAL)?;
    let seconds = libc::time_t::try_from(timeout.as_secs()).map_err(|_| Errno::EINVAL)?;
    let mut left = libc::timeval {
        tv_sec: seconds,
        tv_usec: timeout.subsec_micros().into(),
    };
    let none = std::ptr::null_mut();
    let set = bitmap.as_mut_ptr().cast::<libc::fd_set>();
    // SAFETY: the kernel reads and writes as many bits as the first argument says, and the bitmap
    // has so many (select(2), BUGS).
    let count = Errno::result(unsafe { libc::select(bits, set, none, none, &raw mut left) })?;
    let seconds = u64::try_from(left.tv_sec).expect("never negative");
    let micros = u64::try_from(left.tv_usec).expect("never negative");
    Ok((
        count,
        Duration::from_secs(seconds) + Duration::from_micros(micros),
    ))
}

/// Gives a signal its default action again; Rust ignores `SIGPIPE`, and C does not.
///
/// # Errors
///
/// What `sigaction(2)` reports.
#[allow(unsafe_code, reason = "nix cannot know that no handler is installed")]
pub(crate) fn set_default_action(signal: Signal) -> nix::Result<()> {
    // SAFETY: the default action runs no code of this program.
    unsafe { nix::sys::signal::signal(signal, SigHandler::SigDfl)? };
    Ok(())
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

/// An `io_uring` with at most one operation on its way.
pub(crate) struct Uring {
    queues: IoUring,
    /// Belongs to the kernel while a receive is on its way. It is never given back to the
    /// allocator: an operation that is still on its way when the queues are closed may write to it.
    buffer: &'static mut [u8; 64],
    pending: Option<Pending>,
}

/// What was handed over.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pending {
    Accept,
    Receive,
}

impl Uring {
    /// Sets it up.
    ///
    /// # Errors
    ///
    /// What `io_uring_setup(2)` reports: `ENOSYS` or `EPERM` where it is not allowed.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            queues: IoUring::new(2)?,
            buffer: Box::leak(Box::new([0; 64])),
            pending: None,
        })
    }

    /// Hands an accept over. Returns as soon as the kernel has it.
    pub(crate) fn submit_accept(&mut self, listener: impl AsFd) -> io::Result<()> {
        let listener = types::Fd(listener.as_fd().as_raw_fd());
        let none = std::ptr::null_mut();
        let entry = opcode::Accept::new(listener, none, none.cast()).build();
        self.submit(&entry, Pending::Accept)
    }

    /// Hands a receive over, with the buffer of this value.
    pub(crate) fn submit_receive(&mut self, socket: impl AsFd) -> io::Result<()> {
        let socket = types::Fd(socket.as_fd().as_raw_fd());
        let length = u32::try_from(self.buffer.len()).expect("64");
        let entry = opcode::Recv::new(socket, self.buffer.as_mut_ptr(), length).build();
        self.submit(&entry, Pending::Receive)
    }

    #[allow(unsafe_code, reason = "the kernel is given a pointer")]
    fn submit(&mut self, entry: &squeue::Entry, pending: Pending) -> io::Result<()> {
        assert!(self.pending.is_none(), "one operation at a time");
        // SAFETY: the one pointer in an entry is that of `buffer`, which lives as long as the
        // process and is not looked at while one is pending (io_uring(7)).
        unsafe { self.queues.submission().push(entry) }.map_err(io::Error::other)?;
        self.pending = Some(pending);
        self.queues.submit()?;
        Ok(())
    }

    /// How many completions there are to be taken.
    pub(crate) fn completed(&mut self) -> usize {
        self.queues.completion().len()
    }

    /// Waits for the accept; the connection.
    #[allow(unsafe_code, reason = "a descriptor comes out of a queue as a number")]
    pub(crate) fn wait_for_accept(&mut self, timeout: Duration) -> io::Result<OwnedFd> {
        let descriptor = self.wait(Pending::Accept, timeout)?;
        // SAFETY: the kernel has just made it for this operation, and nobody else knows it.
        Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
    }

    /// Waits for the receive; the bytes.
    pub(crate) fn wait_for_bytes(&mut self, timeout: Duration) -> io::Result<Vec<u8>> {
        let count = usize::try_from(self.wait(Pending::Receive, timeout)?).expect("not negative");
        Ok(self.buffer[..count].to_vec())
    }

    /// Waits for the operation; its result.
    fn wait(&mut self, pending: Pending, timeout: Duration) -> io::Result<i32> {
        assert!(self.pending == Some(pending), "handed over before");
        let timespec = types::Timespec::from(timeout);
        let arguments = types::SubmitArgs::new().timespec(&timespec);
        self.queues.submitter().submit_with_args(1, &arguments)?;
        let entry = self.queues.completion().next();
        let entry = entry.ok_or(io::ErrorKind::TimedOut)?;
        self.pending = None;
        match entry.result() {
            error @ ..0 => Err(Errno::from_raw(-error).into()),
            result => Ok(result),
        }
    }
}

/// `setsockopt(2)` of an option of `SOL_SOCKET` that is a number.
///
/// # Errors
///
/// What `setsockopt` reports.
#[allow(
    unsafe_code,
    reason = "nix and socket2 have no SO_SNDLOWAT and SO_RCVLOWAT"
)]
pub(crate) fn set_socket_option(socket: impl AsFd, name: c_int, value: c_int) -> nix::Result<()> {
    let length = libc::socklen_t::try_from(size_of::<c_int>()).expect("4");
    let raw = socket.as_fd().as_raw_fd();
    // SAFETY: the kernel reads `length` bytes of `value`.
    let result = unsafe {
        libc::setsockopt(
            raw,
            libc::SOL_SOCKET,
            name,
            (&raw const value).cast(),
            length,
        )
    };
    Errno::result(result).map(drop)
}

/// `getsockopt(2)` of an option of `SOL_SOCKET` that is a number.
///
/// # Errors
///
/// What `getsockopt` reports.
#[allow(unsafe_code, reason = "nix and socket2 have no SO_SNDLOWAT")]
pub(crate) fn socket_option(socket: impl AsFd, name: c_int) -> nix::Result<c_int> {
    let mut value: c_int = 0;
    let mut length = libc::socklen_t::try_from(size_of::<c_int>()).expect("4");
    let raw = socket.as_fd().as_raw_fd();
    // SAFETY: the kernel writes at most `length` bytes to `value`.
    let result = unsafe {
        libc::getsockopt(
            raw,
            libc::SOL_SOCKET,
            name,
            (&raw mut value).cast(),
            &raw mut length,
        )
    };
    Errno::result(result).map(|_| value)
}

/// `EPOLL_CTL_DEL` of a number, whether or not it is an open descriptor.
///
/// # Errors
///
/// What `epoll_ctl(2)` reports.
#[allow(unsafe_code, reason = "the claim is about descriptors that are closed")]
pub(crate) fn epoll_delete_number(epoll: &Epoll, number: RawFd) -> nix::Result<()> {
    let none = std::ptr::null_mut();
    // SAFETY: with EPOLL_CTL_DEL the event is not looked at, and a number that is nobody's is an
    // error.
    let result = unsafe { libc::epoll_ctl(epoll.0.as_raw_fd(), libc::EPOLL_CTL_DEL, number, none) };
    Errno::result(result).map(drop)
}

/// `read(2)` of a number, whether or not it is an open descriptor.
///
/// # Errors
///
/// What `read` reports.
#[allow(
    unsafe_code,
    reason = "the claim is about a descriptor closed by another thread"
)]
pub(crate) fn read_number(number: RawFd, buffer: &mut [u8]) -> nix::Result<usize> {
    // SAFETY: the kernel writes at most as many bytes as the buffer has.
    let count = unsafe { libc::read(number, buffer.as_mut_ptr().cast(), buffer.len()) };
    Errno::result(count).map(|count| usize::try_from(count).expect("not negative"))
}

/// `accept(2)` with an address whose length is said to be `length` bytes, as if the variable had
/// not been set before the call.
///
/// # Errors
///
/// What `accept` reports.
///
/// # Panics
///
/// If the length is one that the kernel could believe.
#[allow(unsafe_code, reason = "a crate sets the length")]
pub(crate) fn accept_with_length(listener: impl AsFd, length: u32) -> nix::Result<OwnedFd> {
    assert!(length > i32::MAX as u32, "a length that is no error");
    let mut length: libc::socklen_t = length;
    let mut address = MaybeUninit::<libc::sockaddr>::uninit();
    let raw = listener.as_fd().as_raw_fd();
    // SAFETY: the kernel takes the length for a negative one and writes no address (accept(2),
    // EINVAL); a new descriptor is known to nobody else.
    unsafe {
        let accepted = libc::accept(raw, address.as_mut_ptr(), &raw mut length);
        Ok(OwnedFd::from_raw_fd(Errno::result(accepted)?))
    }
}

/// What a handler does when its signal comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handler {
    /// Nothing, but for interrupting what sleeps.
    Nothing,
    /// `waitpid(2)`, once.
    ReapOne,
    /// `waitpid(2)`, as long as there is an ended child.
    ReapAll,
    /// Looks whether [`LOCK`] is free.
    TryLock,
}

/// What [`Handler::TryLock`] tries.
pub(crate) static LOCK: Mutex<()> = Mutex::new(());

/// Children that handlers have reaped.
static REAPED: AtomicUsize = AtomicUsize::new(0);

/// Whether the lock was free when the handler tried it.
static WAS_FREE: AtomicBool = AtomicBool::new(false);

/// Installs a handler; with `restart` (`SA_RESTART`) or without.
///
/// # Errors
///
/// What `sigaction(2)` reports.
#[allow(unsafe_code, reason = "a handler may do little")]
pub(crate) fn handle(signal: Signal, handler: Handler, restart: bool) -> nix::Result<()> {
    let flags = if restart {
        SaFlags::SA_RESTART
    } else {
        SaFlags::empty()
    };
    let function = SigHandler::Handler(match handler {
        Handler::Nothing => nothing,
        Handler::ReapOne => reap_one,
        Handler::ReapAll => reap_all,
        Handler::TryLock => try_lock,
    });
    // SAFETY: the functions below call waitpid(2) and use atomic variables only, and leave errno
    // as it was (signal-safety(7)). Trying the lock does not wait: it is one atomic operation.
    unsafe { sigaction(signal, &SigAction::new(function, flags, SigSet::empty()))? };
    Ok(())
}

/// How many children the handlers have reaped since this was asked the last time.
pub(crate) fn reaped_by_handlers() -> usize {
    REAPED.swap(0, Ordering::Relaxed)
}

/// Whether [`LOCK`] was free when [`Handler::TryLock`] looked the last time.
pub(crate) fn lock_was_free() -> bool {
    WAS_FREE.load(Ordering::Relaxed)
}

extern "C" fn nothing(_: c_int) {}

extern "C" fn reap_one(_: c_int) {
    let errno = Errno::last_raw();
    reap();
    Errno::set_raw(errno);
}

extern "C" fn reap_all(_: c_int) {
    let errno = Errno::last_raw();
    while reap() {}
    Errno::set_raw(errno);
}

fn reap() -> bool {
    let ended = waitpid(None, Some(WaitPidFlag::WNOHANG));
    let is_reaped = ended.is_ok_and(|status| status != WaitStatus::StillAlive);
    if is_reaped {
        REAPED.fetch_add(1, Ordering::Relaxed);
    }
    is_reaped
}

extern "C" fn try_lock(_: c_int) {
    let is_free = !matches!(LOCK.try_lock(), Err(TryLockError::WouldBlock));
    WAS_FREE.store(is_free, Ordering::Relaxed);
}

/// Ignores a signal, as no handler does: for `SIGCHLD` it says that nobody will wait.
///
/// # Errors
///
/// What `sigaction(2)` reports.
#[allow(unsafe_code, reason = "nix cannot know that no handler is installed")]
pub(crate) fn ignore(signal: Signal) -> nix::Result<()> {
    // SAFETY: no code of this program runs.
    unsafe { nix::sys::signal::signal(signal, SigHandler::SigIgn)? };
    Ok(())
}

/// Forks, whatever other threads do, and has the child look whether [`LOCK`] is free.
///
/// # Errors
///
/// What `fork(2)` and `waitpid(2)` report.
#[allow(unsafe_code, reason = "the claim is about fork with several threads")]
pub(crate) fn lock_is_free_in_a_child() -> nix::Result<bool> {
    const FREE: c_int = 3;
    // SAFETY: the child does an atomic operation and _exit (signal-safety(7)).
    match unsafe { fork()? } {
        ForkResult::Parent { child } => {
            Ok(waitpid(child, None)? == WaitStatus::Exited(child, FREE))
        }
        ForkResult::Child => {
            let is_free = !matches!(LOCK.try_lock(), Err(TryLockError::WouldBlock));
            // SAFETY: it ends this process and runs nothing of it.
            unsafe { libc::_exit(if is_free { FREE } else { 0 }) }
        }
    }
}
