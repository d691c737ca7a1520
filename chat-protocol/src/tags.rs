//! The tag section of a message: `@time=...;+typing=active`.
//!
//! Shows: keys and values found when asked for, unescaped only when read; nothing is allocated.
//! Leaves out: what a tag means, and whether a peer may send it.

use std::borrow::Cow;
use std::fmt;

use crate::bytes::Escaped;

/// The tags of a message, in the form in which they came.
///
/// A key is opaque: its client prefix (`+`) and vendor (`example.com/`) are part of it.
/// (`IRCv3` message-tags)
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Tags<'a> {
    raw: &'a [u8],
}

impl<'a> Tags<'a> {
    /// No tags.
    pub const EMPTY: Tags<'static> = Tags { raw: b"" };

    pub(crate) fn from_raw(raw: &'a [u8]) -> Tags<'a> {
        Tags { raw }
    }

    /// The section as it came, without its `@` and the space that ends it.
    #[must_use]
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// Whether the message has no tag section.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.raw.is_empty()
    }

    /// The value of the tag `key`; of several with that key the last counts.
    ///
    /// A tag without a value has an empty one, as the specification asks.
    #[must_use]
    pub fn get(&self, key: &[u8]) -> Option<Value<'a>> {
        self.iter()
            .rev()
            .find(|(found, _)| *found == key)
            .map(|(_, value)| value)
    }

    /// All tags in the order in which they came, those with the same key each.
    ///
    /// Duplicates are not taken out here, because a hostile line of two thousand of them would make
    /// that slow; [`Tags::get`] knows which one counts.
    #[must_use]
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&'a [u8], Value<'a>)> + use<'a> {
        self.raw.split(|&byte| byte == b';').filter_map(|tag| {
            let (key, value) = match tag.iter().position(|&byte| byte == b'=') {
                Some(at) => (&tag[..at], &tag[at + 1..]),
                None => (tag, &tag[tag.len()..]),
            };
            (!key.is_empty()).then_some((key, Value { raw: value }))
        })
    }
}

impl fmt::Debug for Tags<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Escaped(self.raw).fmt(f)
    }
}

/// The value of one tag, still escaped; empty or missing is the same.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Value<'a> {
    raw: &'a [u8],
}

impl<'a> Value<'a> {
    /// The value as it came, escaped.
    #[must_use]
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// The bytes that are meant, one at a time and without allocating.
    ///
    /// A backslash before a byte that needs no escape, or at the end, is left out.
    pub fn bytes(&self) -> impl Iterator<Item = u8> + use<'a> {
        let mut escaped = self.raw.iter();
        std::iter::from_fn(move || match escaped.next()? {
            b'\\' => escaped.next().map(|&code| unescape(code)),
            &byte => Some(byte),
        })
    }

    /// The bytes that are meant: borrowed unless something is escaped.
    #[must_use]
    pub fn unescape(&self) -> Cow<'a, [u8]> {
        if self.raw.contains(&b'\\') {
            Cow::Owned(self.bytes().collect())
        } else {
            Cow::Borrowed(self.raw)
        }
    }
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Escaped(self.raw).fmt(f)
    }
}

/// The byte that the escape `\code` stands for.
fn unescape(code: u8) -> u8 {
    match code {
        b':' => b';',
        b's' => b' ',
        b'r' => b'\r',
        b'n' => b'\n',
        other => other,
    }
}

/// What `byte` is written as after a backslash, if it needs one.
pub(crate) fn escape_code(byte: u8) -> Option<u8> {
    match byte {
        b';' => Some(b':'),
        b' ' => Some(b's'),
        b'\r' => Some(b'r'),
        b'\n' => Some(b'n'),
        b'\\' => Some(b'\\'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_several_tags_with_one_key_counts() {
        let tags = Tags::from_raw(b"a=1;b;a=2;ab=3");
        assert_eq!(tags.get(b"a").unwrap().raw(), b"2");
        assert_eq!(tags.get(b"b").unwrap().raw(), b"");
        assert_eq!(tags.get(b"c"), None);
        assert_eq!(tags.iter().count(), 4);
    }

    #[test]
    fn a_tag_without_a_key_is_no_tag() {
        let tags = Tags::from_raw(b";;=x;a;");
        assert!(tags.iter().map(|(key, _)| key).eq([b"a"]));
        assert_eq!(tags.get(b""), None);
    }

    #[test]
    fn a_value_may_hold_an_equals_sign_and_a_key_its_prefix_and_vendor() {
        let tags = Tags::from_raw(b"+example.com/key=a=b");
        assert_eq!(tags.get(b"+example.com/key").unwrap().raw(), b"a=b");
    }

    #[test]
    fn a_value_is_unescaped_byte_by_byte_and_borrowed_if_nothing_is_escaped() {
        let value = Value {
            raw: b"\\\\n\\:\\s\\r\\n\\x\\",
        };
        assert_eq!(*value.unescape(), *b"\\n; \r\nx");
        assert!(matches!(
            Value { raw: b"plain" }.unescape(),
            Cow::Borrowed(b"plain")
        ));
    }

    #[test]
    fn every_escape_is_undone() {
        for byte in 0..=u8::MAX {
            if let Some(code) = escape_code(byte) {
                assert_eq!(unescape(code), byte);
            }
        }
    }
}
