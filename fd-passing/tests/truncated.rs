//! A message with more descriptors than can be delivered: an error that leaks
//! nothing. One test at a time, since all of them count what is open.

use std::io::IoSliceMut;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::UnixStream;
use std::sync::{Mutex, MutexGuard, PoisonError};

use fd_passing::{ReceiveError, receive, receive_at_most, send};
use nix::sys::socket::{MsgFlags, recvmsg};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Held by the one test that runs.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn open_descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// A socket on which `count` descriptors have arrived.
fn with_sent(count: usize) -> (UnixStream, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let descriptors = vec![ours.as_fd(); count];
    send(&ours, &descriptors, b"payload").unwrap();
    (ours, theirs)
}

/// Ends with the limit as it was.
struct LimitAt(Rlimit);

impl LimitAt {
    /// Allows no descriptor with this number, and none above it.
    fn new(limit: usize) -> LimitAt {
        let before = getrlimit(Resource::Nofile);
        let current = Some(limit as u64);
        setrlimit(Resource::Nofile, Rlimit { current, ..before }).unwrap();
        LimitAt(before)
    }
}

impl Drop for LimitAt {
    fn drop(&mut self) {
        setrlimit(Resource::Nofile, self.0).unwrap();
    }
}

#[test]
fn room_for_one_when_ten_are_sent_is_an_error_that_leaks_nothing() {
    let _alone = alone();
    let (_ours, theirs) = with_sent(10);
    let before = open_descriptors();
    let refused = receive_at_most(&theirs, &mut [0; 16], 1).unwrap_err();
    let ReceiveError::Truncated { closed } = refused else {
        panic!("{refused}");
    };
    // The space for one is rounded up, and there a few more fit.
    assert!((1..10).contains(&closed), "{closed} were delivered");
    assert_eq!(open_descriptors(), before);
}

#[test]
fn two_where_one_is_wanted_are_refused_although_the_kernel_finds_room() {
    let _alone = alone();
    let (_ours, theirs) = with_sent(2);
    let before = open_descriptors();
    let refused = receive_at_most(&theirs, &mut [0; 16], 1).unwrap_err();
    assert!(matches!(refused, ReceiveError::Truncated { closed: 2 }));
    assert_eq!(open_descriptors(), before);
}

#[test]
fn a_receiver_at_its_limit_of_descriptors_gets_an_error_and_leaks_nothing() {
    let _alone = alone();
    let (_ours, theirs) = with_sent(10);
    let before = open_descriptors();
    // The lowest number that is free, and two more.
    let free = std::fs::File::open("/dev/null").unwrap().as_raw_fd();
    let limited = LimitAt::new(usize::try_from(free).unwrap() + 3);
    let refused = receive(&theirs, &mut [0; 16]).unwrap_err();
    drop(limited);
    let ReceiveError::Truncated { closed } = refused else {
        panic!("{refused}");
    };
    assert!((1..=3).contains(&closed), "{closed} were delivered");
    assert_eq!(open_descriptors(), before);
}

#[test]
fn nix_cannot_reach_what_was_delivered_of_a_message_that_was_cut() {
    let _alone = alone();
    let (_ours, theirs) = with_sent(10);
    let before = open_descriptors();
    let mut space = nix::cmsg_space!([i32; 1]);
    let mut payload = [0; 16];
    let mut parts = [IoSliceMut::new(&mut payload)];
    let flags = MsgFlags::MSG_CMSG_CLOEXEC;
    let message = recvmsg::<()>(theirs.as_raw_fd(), &mut parts, Some(&mut space), flags).unwrap();
    assert!(message.flags.contains(MsgFlags::MSG_CTRUNC));
    assert!(message.cmsgs().is_err());
    assert_eq!(
        open_descriptors(),
        before + 2,
        "open, and nobody knows them"
    );
}
