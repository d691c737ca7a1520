//! Which letters are one letter in two cases: servers differ, and say so.
//!
//! Shows: why `nick[a]` and `nick{a}` may be one person. IRC was first used in Finland, where the
//! brackets of ASCII were letters with two dots, and had two cases.
//!
//! Source: <https://modern.ircdocs.horse/#casemapping-parameter>.

/// How a server compares names; announced as `CASEMAPPING` in numeric 005.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CaseMapping {
    /// A to Z are a to z.
    Ascii,
    /// Also `[]\^` are `{}|~`. What holds where a server announces nothing.
    #[default]
    Rfc1459,
    /// Also `[]\` are `{}|`.
    Rfc1459Strict,
}

impl CaseMapping {
    /// The mapping that numeric 005 calls by this name; none for one that is not known here.
    #[must_use]
    pub fn from_token(token: &[u8]) -> Option<CaseMapping> {
        match token {
            b"ascii" => Some(CaseMapping::Ascii),
            b"rfc1459" => Some(CaseMapping::Rfc1459),
            b"rfc1459-strict" | b"strict-rfc1459" => Some(CaseMapping::Rfc1459Strict),
            _ => None,
        }
    }

    /// Whether two names are the same but for case.
    #[must_use]
    pub fn eq(self, left: &[u8], right: &[u8]) -> bool {
        left.len() == right.len()
            && left
                .iter()
                .zip(right)
                .all(|(&left, &right)| self.lowercase(left) == self.lowercase(right))
    }

    /// The byte in lower case.
    fn lowercase(self, byte: u8) -> u8 {
        match (self, byte) {
            (CaseMapping::Rfc1459 | CaseMapping::Rfc1459Strict, b'['..=b']')
            | (CaseMapping::Rfc1459, b'^') => byte + (b'a' - b'A'),
            _ => byte.to_ascii_lowercase(),
        }
    }

    pub(crate) fn make_lowercase(self, name: &mut [u8]) {
        for byte in name {
            *byte = self.lowercase(*byte);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_are_letters_where_the_server_says_so() {
        use CaseMapping::{Ascii, Rfc1459, Rfc1459Strict};
        for (left, right, mappings) in [
            (
                &b"Ann"[..],
                &b"aNN"[..],
                &[Ascii, Rfc1459, Rfc1459Strict][..],
            ),
            (b"a[]\\", b"A{}|", &[Rfc1459, Rfc1459Strict]),
            (b"a^", b"a~", &[Rfc1459]),
            (b"a", b"ab", &[]),
            (b"a@", b"a`", &[]),
            (b"a_", b"a\x7f", &[]),
            ("\u{c9}".as_bytes(), "\u{e9}".as_bytes(), &[]),
        ] {
            for mapping in [Ascii, Rfc1459, Rfc1459Strict] {
                let same = mappings.contains(&mapping);
                assert_eq!(mapping.eq(left, right), same, "{mapping:?} {left:?}");
                assert_eq!(mapping.fold(left) == mapping.fold(right), same);
            }
        }
    }

    #[test]
    fn names_of_any_length_fold_alike() {
        for bytes in [1, 64, 65, 500] {
            let (upper, lower) = (vec![b'['; bytes], vec![b'{'; bytes]);
            assert_eq!(*CaseMapping::Rfc1459.fold(&upper), *lower);
        }
    }

    #[test]
    fn a_mapping_is_known_by_the_name_that_servers_give_it() {
        assert_eq!(CaseMapping::from_token(b"ascii"), Some(CaseMapping::Ascii));
        assert_eq!(CaseMapping::from_token(b"rfc7613"), None);
    }
}
