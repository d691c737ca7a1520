//! Nicknames and channel names: which are valid, and when two are the same.
//!
//! Shows: a key for tables of names that is made without allocating.
//! Leaves out: the case mapping `rfc1459`, in which `{` is a lower-case `[`. Ours is `ascii`, announced in
//! numeric 005.

use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

use crate::bytes::Escaped;
use crate::limits::{CHANNEL_BYTES, NICK_BYTES};

/// Whether `name` can be a nickname: 1 to [`NICK_BYTES`] bytes, letters, ``[]\`_^{|}``, and after the
/// first byte also digits and `-`.
#[must_use]
pub fn is_nick(name: &[u8]) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphabetic() || b"[]\\`_^{|}".contains(&byte);
    name.len() <= NICK_BYTES
        && name.first().is_some_and(|&first| letter(first))
        && name
            .iter()
            .all(|&byte| letter(byte) || byte.is_ascii_digit() || byte == b'-')
}

/// Whether `name` can be a channel: `#` and at least one byte more, at most [`CHANNEL_BYTES`] in all, UTF-8
/// without space, comma and control characters.
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

/// Whether two names are the same under the case mapping `ascii`: A to Z equal a to z, all else differs.
#[must_use]
pub fn eq_ignore_case(left: &[u8], right: &[u8]) -> bool {
    left.eq_ignore_ascii_case(right)
}

/// The key under which a table keeps `name`: the same for all names that are equal but for case.
#[must_use]
pub fn fold(name: &[u8]) -> FoldedName {
    let mut inline = [0; INLINE_BYTES];
    let folded = match inline.get_mut(..name.len()) {
        Some(slot) => {
            slot.copy_from_slice(name);
            slot.make_ascii_lowercase();
            #[expect(clippy::cast_possible_truncation, reason = "not over INLINE_BYTES")]
            Folded::Inline {
                length: name.len() as u8,
                bytes: inline,
            }
        }
        None => Folded::Boxed(name.to_ascii_lowercase().into()),
    };
    FoldedName(folded)
}

/// The longest name that is folded without allocating: any that [`is_nick`] or [`is_channel`] accepts, and
/// those of most other networks.
const INLINE_BYTES: usize = 64;

/// A name in lower case, as key of a table; made by [`fold`].
///
/// Equal and hashed as its bytes, so that a map of these can be asked with a `&[u8]` that is already
/// in lower case. Names up to 64 bytes are held in place.
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
