//! What is said of an error of the system.

use std::io;

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
}
