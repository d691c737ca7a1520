//! What a descriptor is ready for, asked of an epoll instance of its own.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::PollTimeout;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};

/// How long a state is waited for that other ends, or the kernel's own timers, bring about. Only
/// an experiment that comes out otherwise waits so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// Everything that one can ask for. ERR and HUP are reported unasked.
const ALL: EpollFlags = EpollFlags::EPOLLIN
    .union(EpollFlags::EPOLLPRI)
    .union(EpollFlags::EPOLLOUT)
    .union(EpollFlags::EPOLLRDHUP);

/// What it is ready for now.
pub(crate) fn now(descriptor: impl AsFd) -> nix::Result<EpollFlags> {
    until(descriptor, |_| true)
}

/// Waits until it is ready for exactly this; what it is ready for at last.
///
/// What the other end did is on its way through the kernel when the call returns, even on
/// loopback, so that an experiment would otherwise have to sleep.
pub(crate) fn settled(descriptor: impl AsFd, wanted: EpollFlags) -> nix::Result<EpollFlags> {
    until(descriptor, |ready| ready == wanted)
}

/// Waits until it is ready for this, whatever else it is ready for; what it is ready for at last.
pub(crate) fn at_least(descriptor: impl AsFd, wanted: EpollFlags) -> nix::Result<EpollFlags> {
    until(descriptor, |ready| ready.contains(wanted))
}

fn until(descriptor: impl AsFd, enough: impl Fn(EpollFlags) -> bool) -> nix::Result<EpollFlags> {
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    // Edge-triggered: reported now if ready, and again whenever something happens to it.
    epoll.add(descriptor, EpollEvent::new(ALL | EpollFlags::EPOLLET, 0))?;
    let deadline = Instant::now() + PATIENCE;
    let mut ready = wait(&epoll, Duration::ZERO)?.unwrap_or(EpollFlags::empty());
    while !enough(ready) {
        let left = deadline.saturating_duration_since(Instant::now());
        match wait(&epoll, left)? {
            Some(next) => ready = next,
            None => break,
        }
    }
    Ok(ready)
}

fn wait(epoll: &Epoll, timeout: Duration) -> nix::Result<Option<EpollFlags>> {
    let mut events = [EpollEvent::empty()];
    let timeout = PollTimeout::try_from(timeout).unwrap_or(PollTimeout::MAX);
    loop {
        match epoll.wait(&mut events, timeout) {
            Ok(count) => return Ok((count > 0).then(|| events[0].events())),
            Err(Errno::EINTR) => {}
            Err(err) => return Err(err),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn an_idle_socket_is_writable_and_one_with_data_readable_too() {
        let (mut near, far) = UnixStream::pair().unwrap();
        assert_eq!(now(&far).unwrap(), EpollFlags::EPOLLOUT);
        near.write_all(b"x").unwrap();
        let wanted = EpollFlags::EPOLLIN | EpollFlags::EPOLLOUT;
        assert_eq!(settled(&far, wanted).unwrap(), wanted);
        assert_eq!(at_least(&far, EpollFlags::EPOLLIN).unwrap(), wanted);
    }
}
