//! The kernel's names for what it answers.

use std::fmt::Display;
use std::io;

use nix::errno::Errno;
use nix::sys::epoll::EpollFlags;
use socket2::Socket;

/// What a call returned: the value, or the name of the error (`EPIPE`).
pub(crate) fn returned<T: Display>(result: Result<T, impl Into<io::Error>>) -> String {
    match result {
        Ok(value) => value.to_string(),
        Err(err) => errno(&err.into()),
    }
}

/// `ok`, or the name of the error.
pub(crate) fn succeeded<T>(result: Result<T, impl Into<io::Error>>) -> String {
    returned(result.map(|_| "ok"))
}

/// The name of an error of the kernel: `EPIPE`.
pub(crate) fn errno(err: &io::Error) -> String {
    match err.raw_os_error() {
        Some(number) => format!("{:?}", Errno::from_raw(number)),
        None => err.to_string(),
    }
}

/// A set of events by the kernel's names without their prefix, `none` if it is empty.
pub(crate) fn events(set: EpollFlags) -> String {
    let names = [
        ("IN", EpollFlags::EPOLLIN),
        ("PRI", EpollFlags::EPOLLPRI),
        ("OUT", EpollFlags::EPOLLOUT),
        ("ERR", EpollFlags::EPOLLERR),
        ("HUP", EpollFlags::EPOLLHUP),
        ("RDHUP", EpollFlags::EPOLLRDHUP),
    ];
    let names = names.iter().filter(|(_, flag)| set.contains(*flag));
    let names: Vec<_> = names.map(|(name, _)| *name).collect();
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join("|")
    }
}

/// `SO_ERROR` by name, `0` if there is none. Asking takes the error away.
pub(crate) fn socket_error(socket: &Socket) -> io::Result<String> {
    Ok(socket
        .take_error()?
        .map_or_else(|| "0".to_owned(), |err| errno(&err)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_its_value_or_the_name_of_its_error() {
        assert_eq!(returned(Ok::<_, Errno>(5)), "5");
        assert_eq!(returned(Err::<i32, _>(Errno::EPIPE)), "EPIPE");
        assert_eq!(
            returned(Err::<i32, _>(io::Error::from_raw_os_error(11))),
            "EAGAIN"
        );
        assert_eq!(succeeded(Ok::<_, Errno>(())), "ok");
    }

    #[test]
    fn events_are_named_in_one_order() {
        assert_eq!(events(EpollFlags::EPOLLHUP | EpollFlags::EPOLLIN), "IN|HUP");
        assert_eq!(events(EpollFlags::empty()), "none");
    }
}
