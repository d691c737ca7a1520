//! Nicknames and channel names: which are valid, and when two are the same.
//!
//! Shows: a key for tables of names that is made without allocating.
//! Leaves out: case beyond ASCII: É and é are two letters on every network.

use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

use crate::bytes::Escaped;
use crate::case_mapping::CaseMapping;
use crate::limits::{CHANNEL_BYTES, NICK_BYTES};

/// Whether `name` can be a nickname: 1 to [`NICK_BYTES`] bytes, letters, ``[]\`_^{|}``, and after
/// the first byte also digits and `-`.
#[must_use]
pub fn is_nick(name: &[u8]) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphabetic() || b"[]\\`_^{|}".contains(&byte);
    name.len() <= NICK_BYTES
        && name.first().is_some_and(|&first| letter(first))
        && name
            .iter()
            .all(|&byte| letter(byte) || byte.is_ascii_digit() || byte == b'-')
}

/// Whether `name` can be a channel: `#` and at least one byte more, at most [`CHANNEL_BYTES`] in
/// all, UTF-8 without space, comma and control characters.
///
/// Stricter than RFC 2812, which forbids only NUL, BEL, CR, LF, space and comma: control characters
/// make two channels look like one.
#[must_use]
pub fn is_channel(name: &[u8]) -> bool {
    (2..=CHANNEL_BYTES).contains(&name.len())
        && name[0] == b'#'
        && std::str::from_utf8(name)
            .is_ok_and(|name| !name.contains(|c: char| c == ' ' || c == ',' || c.is_control()))
}

/// Whether two names are the same under the case mapping `ascii`: A to Z equal a to z, all else
/// differs.
#[must_use]
pub fn eq_ignore_case(left: &[u8], right: &[u8]) -> bool {
    left.eq_ignore_ascii_case(right)
}

/// The key under which a table keeps `name` under the case mapping `ascii`: the same for all names
/// that are equal but for case.
#[must_use]
pub fn fold(name: &[u8]) -> FoldedName {
    CaseMapping::Ascii.fold(name)
}

impl CaseMapping {
    /// The key under which a table keeps `name`: the same for all names that are equal but for
    /// case.
    #[must_use]
    pub fn fold(self, name: &[u8]) -> FoldedName {
        let mut inline = [0; INLINE_BYTES];
        let folded = if let Some(slot) = inline.get_mut(..name.len()) {
            slot.copy_from_slice(name);
            self.make_lowercase(slot);
            #[expect(clippy::cast_possible_truncation, reason = "not over INLINE_BYTES")]
            Folded::Inline {
                length: name.len() as u8,
                bytes: inline,
            }
        } else {
            let mut bytes = Box::<[u8]>::from(name);
            self.make_lowercase(&mut bytes);
            Folded::Boxed(bytes)
        };
        FoldedName(folded)
    }
}

/// The longest name that is folded without allocating: any that [`is_nick`] or [`is_channel`]
/// accepts, and those of most other networks.
const INLINE_BYTES: usize = 64;

/// A name in lower case, as key of a table; made by [`fold`] and [`CaseMapping::fold`].
///
/// Equal and hashed as its bytes, so that a map of these can be asked with a `&[u8]` that is
/// already in lower case. Names up to 64 bytes are held in place.
#[derive(Clone)]
pub struct FoldedName(Folded);

#[derive(Clone)]
enum Folded {
    Inline {
        length: u8,
        bytes: [u8; INLINE_BYTES],
    },
    Boxed(Box<[u8]>),
}

impl Deref for FoldedName {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Folded::Inline { length, bytes } => &bytes[..usize::from(*length)],
            Folded::Boxed(bytes) => bytes,
        }
    }
}

impl Borrow<[u8]> for FoldedName {
    fn borrow(&self) -> &[u8] {
        self
    }
}

impl Hash for FoldedName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl PartialEq for FoldedName {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for FoldedName {}

impl PartialOrd for FoldedName {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for FoldedName {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (**self).cmp(&**other)
    }
}

impl fmt::Debug for FoldedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Escaped(self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashSet};

    use super::*;

    #[test]
    fn a_nick_is_letters_and_some_signs_then_also_digits_and_hyphens() {
        for nick in [
            "a",
            "Alice",
            "[]\\`_^{|}",
            "a1-",
            "_0",
            &"n".repeat(NICK_BYTES),
        ] {
            assert!(is_nick(nick.as_bytes()), "{nick}");
        }
        let too_long = "n".repeat(NICK_BYTES + 1);
        for nick in [
            "", "1a", "-a", "a b", "a.b", "a!b", "a@b", "~a", "#a", "a\0", "\u{e9}", &too_long,
        ] {
            assert!(!is_nick(nick.as_bytes()), "{nick}");
        }
    }

    #[test]
    fn a_channel_is_a_number_sign_and_text_that_can_be_seen_and_separated() {
        let longest = format!("#{}", "c".repeat(CHANNEL_BYTES - 1));
        for channel in [
            "#a",
            "##",
            "#caf\u{e9}",
            "#\u{623f}\u{95f4}",
            "#a:b!*",
            &longest,
        ] {
            assert!(is_channel(channel.as_bytes()), "{channel}");
        }
        let too_long = format!("#{}", "\u{e9}".repeat(CHANNEL_BYTES / 2));
        for channel in [
            "", "#", "a", "&a", "#a b", "#a,b", "#a\u{7}", "#a\u{3}4", "#a\u{7f}", "#a\u{85}",
            &too_long,
        ] {
            assert!(!is_channel(channel.as_bytes()), "{channel}");
        }
        assert!(!is_channel(b"#caf\xe9"), "not UTF-8");
    }

    #[test]
    fn names_differ_by_more_than_the_case_of_ascii_letters_or_are_the_same() {
        for (left, right, same) in [
            (&b"Alice"[..], &b"aLICE"[..], true),
            // Equal under rfc1459, not under ascii.
            (b"a[]\\~", b"a{}|^", false),
            ("#\u{c9}".as_bytes(), "#\u{e9}".as_bytes(), false),
            (b"a", b"aa", false),
            (b"", b"", true),
        ] {
            assert_eq!(eq_ignore_case(left, right), same);
            assert_eq!(fold(left) == fold(right), same);
            assert_eq!(fold(left).cmp(&fold(right)).is_eq(), same);
        }
    }

    #[test]
    fn a_folded_name_is_found_by_its_bytes() {
        for bytes in [0, 1, INLINE_BYTES - 1, INLINE_BYTES, INLINE_BYTES + 1, 500] {
            let name = vec![b'N'; bytes];
            let names = HashSet::from([fold(&name)]);
            assert!(names.contains(&fold(&name.to_ascii_lowercase())));
            assert!(names.contains(name.to_ascii_lowercase().as_slice()));
            assert!(!names.contains(vec![b'n'; bytes + 1].as_slice()));
        }
    }

    #[test]
    fn folded_names_sort_as_their_bytes() {
        let names: BTreeSet<FoldedName> = [&b"B"[..], b"a", b"C", &[b'b'; 100]]
            .into_iter()
            .map(fold)
            .collect();
        let firsts: Vec<(u8, usize)> = names.iter().map(|name| (name[0], name.len())).collect();
        assert_eq!(firsts, [(b'a', 1), (b'b', 1), (b'b', 100), (b'c', 1)]);
    }
}
