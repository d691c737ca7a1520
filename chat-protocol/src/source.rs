//! Who a message comes from: `:nick!user@host` or `:server.name`.
//!
//! Shows: the raw bytes are kept, the three parts are found when asked for.
//! Leaves out: checking the parts; a client has to live with what its server says.

use std::fmt;

use crate::bytes::Escaped;

/// The source of a message, without its leading colon.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Source<'a> {
    raw: &'a [u8],
}

impl<'a> Source<'a> {
    /// A source of these bytes, for instance `nick!user@host`.
    #[must_use]
    pub fn new(raw: &'a [u8]) -> Source<'a> {
        Source { raw }
    }

    /// The source as it came.
    #[must_use]
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// The nickname, or the whole name if the source is a server.
    #[must_use]
    pub fn nick(&self) -> &'a [u8] {
        self.parts().0
    }

    /// What stands after `!`: a leading `~` says that the user chose it and nobody checked.
    #[must_use]
    pub fn user(&self) -> Option<&'a [u8]> {
        self.parts().1
    }

    /// What stands after the last `@`.
    ///
    /// The last, because the host is the server's word, while a user name with an `@` in it would
    /// be the peer's.
    #[must_use]
    pub fn host(&self) -> Option<&'a [u8]> {
        self.parts().2
    }

    fn parts(&self) -> (&'a [u8], Option<&'a [u8]>, Option<&'a [u8]>) {
        let (before_host, host) = match self.raw.iter().rposition(|&byte| byte == b'@') {
            Some(at) => (&self.raw[..at], Some(&self.raw[at + 1..])),
            None => (self.raw, None),
        };
        match before_host.iter().position(|&byte| byte == b'!') {
            Some(at) => (&before_host[..at], Some(&before_host[at + 1..]), host),
            None => (before_host, None, host),
        }
    }
}

impl fmt::Debug for Source<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Escaped(self.raw).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_comes_after_the_last_at_sign_and_the_user_between() {
        for (raw, parts) in [
            ("a!b@c@d", ("a", Some("b@c"), Some("d"))),
            ("a@h!x", ("a", None, Some("h!x"))),
            ("a!b!c@h", ("a", Some("b!c"), Some("h"))),
            ("a!@", ("a", Some(""), Some(""))),
            ("irc.example.org", ("irc.example.org", None, None)),
            ("", ("", None, None)),
        ] {
            let source = Source::new(raw.as_bytes());
            let (nick, user, host) = parts;
            assert_eq!(source.nick(), nick.as_bytes(), "{raw}");
            assert_eq!(source.user(), user.map(str::as_bytes), "{raw}");
            assert_eq!(source.host(), host.map(str::as_bytes), "{raw}");
        }
    }
}
