//! The safety net of every wait: a test that would hang fails instead, and says what it waited for.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// How long a wait lasts before the test fails, unless told otherwise.
///
/// No test measures time by it: it is as long as a crowded machine may need for anything.
pub const TIMEOUT: Duration = Duration::from_secs(30);

/// The instant at which a wait is given up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    pub(crate) fn after(timeout: Duration) -> Self {
        Self(Instant::now() + timeout)
    }

    /// The time left; zero once it has passed.
    pub(crate) fn remaining(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Waits until `descriptor` is ready for one of `interest`, or hung up; false at the deadline.
    pub(crate) fn ready(self, descriptor: impl AsFd, interest: PollFlags) -> bool {
        self.any_ready(&mut [PollFd::new(descriptor.as_fd(), interest)])
    }

    /// The same for several descriptors: until one of them is ready.
    pub(crate) fn any_ready(self, descriptors: &mut [PollFd<'_>]) -> bool {
        loop {
            let remaining = self.remaining();
            // poll(2) counts in milliseconds: rounded down, the last one would be spun away.
            let rounded_up = remaining.saturating_add(Duration::from_nanos(999_999));
            let timeout = PollTimeout::try_from(rounded_up).unwrap_or(PollTimeout::MAX);
            match poll(descriptors, timeout) {
                Ok(0) if remaining.is_zero() => return false,
                Ok(0) | Err(Errno::EINTR) => {}
                Ok(_) => return true,
                Err(err) => panic!("poll: {err}"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn a_ready_descriptor_is_seen_even_after_the_deadline() {
        let (mut near, far) = UnixStream::pair().unwrap();
        near.write_all(b"x").unwrap();
        assert!(Deadline::after(Duration::ZERO).ready(&far, PollFlags::POLLIN));
    }

    #[test]
    fn a_silent_descriptor_is_given_up_and_not_before_the_deadline() {
        let (_near, far) = UnixStream::pair().unwrap();
        let deadline = Deadline::after(Duration::from_micros(1_500));
        assert!(!deadline.ready(&far, PollFlags::POLLIN));
        assert_eq!(deadline.remaining(), Duration::ZERO);
    }
}
