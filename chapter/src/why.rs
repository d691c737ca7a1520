//! What is said of an error of the system.

use std::io;

use nix::errno::Errno;

/// The reason in an error, as it stands in a message: lower case, and without
/// the number, which is for programmers.
///
/// ```
/// let err = std::io::Error::from_raw_os_error(111);
/// assert_eq!(err.to_string(), "Connection refused (os error 111)");
/// assert_eq!(chapter::why(&err), "connection refused");
/// ```
#[must_use]
pub fn why(err: &io::Error) -> String {
    let text = err.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut rest = text.chars();
    match rest.next() {
        // "RFS specific error" keeps its capitals.
        Some(first) if !rest.as_str().starts_with(|next: char| !next.is_lowercase()) => {
            first.to_lowercase().chain(rest).collect()
        }
        _ => text.to_owned(),
    }
}

/// The name of an error as the man pages have it, where a program shows what the kernel answered.
///
/// An error that is not the system's is its own text.
///
/// ```
/// let err = std::io::Error::from_raw_os_error(111);
/// assert_eq!(chapter::errno_name(&err), "ECONNREFUSED");
/// ```
#[must_use]
pub fn errno_name(err: &io::Error) -> String {
    match err.raw_os_error().map(Errno::from_raw) {
        None => err.to_string(),
        Some(Errno::UnknownErrno) => why(err),
        Some(errno) => format!("{errno:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_abbreviation_keeps_its_capitals() {
        assert_eq!(why(&io::Error::from_raw_os_error(73)), "RFS specific error");
    }

    #[test]
    fn an_error_that_is_not_the_systems_is_its_own_text() {
        assert_eq!(why(&io::Error::other("no such thing")), "no such thing");
        assert_eq!(why(&io::Error::other("")), "");
    }

    #[test]
    fn an_error_without_a_name_is_told_in_words() {
        assert_eq!(
            errno_name(&io::Error::other("no such thing")),
            "no such thing"
        );
        let unknown = io::Error::from_raw_os_error(9_999);
        assert_eq!(errno_name(&unknown), "unknown error 9999");
        // One number has two names.
        let again = io::Error::from_raw_os_error(11);
        assert_eq!(errno_name(&again), "EAGAIN");
    }
}
