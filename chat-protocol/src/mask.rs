//! Masks with wildcards, as in bans: `*!*@127.0.0.*`.
//!
//! Shows: matching in place, without recursion, so that no mask can make it explode.

use crate::bytes::{character_bytes, continues_character};

/// Whether `text` as a whole matches `mask`.
///
/// `*` stands for any number of characters, `?` for exactly one; `\*`, `\?` and `\\` stand for `*`,
/// `?` and `\`. A backslash before anything else is itself, since nicknames may hold it. Case is
/// ignored as by [`eq_ignore_case`](crate::eq_ignore_case). A character is one of UTF-8, or one
/// byte where the text is not UTF-8.
///
/// The time is at most proportional to the length of the mask times that of the text.
/// (RFC 2812, section 2.5)
#[must_use]
pub fn mask_matches(mask: &[u8], text: &[u8]) -> bool {
    let (mut mask_left, mut text_left) = (mask, text);
    // What follows the last star, and where in the text it was tried last.
    let mut retry: Option<(&[u8], &[u8])> = None;
    loop {
        let next = match Pattern::first(mask_left) {
            Some((Pattern::AnyNumber, after)) => {
                retry = Some((after, text_left));
                mask_left = after;
                continue;
            }
            None if text_left.is_empty() => return true,
            None => None,
            Some((Pattern::AnyOne, after)) => skip_character(text_left).map(|text| (after, text)),
            Some((Pattern::Byte(byte), after)) => match text_left.split_first() {
                Some((found, text)) if found.eq_ignore_ascii_case(&byte) => Some((after, text)),
                _ => None,
            },
        };
        if let Some(next) = next {
            (mask_left, text_left) = next;
            continue;
        }
        // It does not fit here: let the last star take one character more. Stars before it need no
        // second try, because whatever they could take more, the last one can take as well.
        let Some((after_star, tried)) = retry else {
            return false;
        };
        let Some(text) = skip_character(tried) else {
            return false;
        };
        retry = Some((after_star, text));
        (mask_left, text_left) = (after_star, text);
    }
}

/// One element of a mask.
enum Pattern {
    AnyNumber,
    AnyOne,
    Byte(u8),
}

impl Pattern {
    /// The first element of `mask` and what follows it.
    fn first(mask: &[u8]) -> Option<(Pattern, &[u8])> {
        Some(match mask {
            [] => return None,
            [b'*', after @ ..] => (Pattern::AnyNumber, after),
            [b'?', after @ ..] => (Pattern::AnyOne, after),
            [b'\\', escaped @ (b'*' | b'?' | b'\\'), after @ ..] => {
                (Pattern::Byte(*escaped), after)
            }
            [byte, after @ ..] => (Pattern::Byte(*byte), after),
        })
    }
}

/// `text` without its first character; none if it is empty.
fn skip_character(text: &[u8]) -> Option<&[u8]> {
    let (&first, after) = text.split_first()?;
    let more = character_bytes(first) - 1;
    let continued = after
        .iter()
        .take(more)
        .take_while(|&&byte| continues_character(byte));
    Some(&after[continued.count()..])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition, word for word: exponential, so for short texts only.
    fn model(mask: &[char], text: &[char]) -> bool {
        match mask {
            [] => text.is_empty(),
            ['*', after @ ..] => (0..=text.len()).any(|taken| model(after, &text[taken..])),
            ['?', after @ ..] => !text.is_empty() && model(after, &text[1..]),
            ['\\', c @ ('*' | '?' | '\\'), after @ ..] | [c, after @ ..] => {
                text.first()
                    .is_some_and(|found| found.eq_ignore_ascii_case(c))
                    && model(after, &text[1..])
            }
        }
    }

    proptest! {
        #[test]
        fn a_mask_matches_what_its_definition_says(
            mask in r"[ab\u{e9}*?\\A]{0,8}",
            text in r"[ab\u{e9}*?\\B]{0,8}",
        ) {
            let of = |text: &str| text.chars().collect::<Vec<char>>();
            prop_assert_eq!(
                mask_matches(mask.as_bytes(), text.as_bytes()),
                model(&of(&mask), &of(&text))
            );
        }

        #[test]
        fn any_text_matches_itself_escaped_and_a_star(
            text in prop::collection::vec(any::<u8>(), 0..60),
        ) {
            let mut mask = Vec::new();
            for &byte in &text {
                if b"*?\\".contains(&byte) {
                    mask.push(b'\\');
                }
                mask.push(byte);
            }
            prop_assert!(mask_matches(&mask, &text));
            prop_assert!(mask_matches(b"*", &text));
            mask.push(b'?');
            prop_assert!(!mask_matches(&mask, &text));
        }
    }

    #[test]
    fn a_backslash_is_itself_unless_it_escapes() {
        assert!(mask_matches(b"foo\\bar!*", b"foo\\bar!x"));
        assert!(mask_matches(b"a\\", b"a\\"));
        assert!(mask_matches(b"a\\\\*", b"a\\b"));
        assert!(mask_matches(b"a\\*", b"a*"));
        assert!(!mask_matches(b"a\\*", b"ab"));
        assert!(!mask_matches(b"a\\?", b"ab"));
    }

    #[test]
    fn a_question_mark_is_one_character_or_one_byte_that_is_none() {
        assert!(mask_matches(b"?", "\u{1f600}".as_bytes()));
        assert!(!mask_matches(b"??", "\u{1f600}".as_bytes()));
        assert!(mask_matches("#caf?".as_bytes(), "#caf\u{e9}".as_bytes()));
        assert!(mask_matches(b"caf?", b"caf\xe9"));
        assert!(mask_matches(b"?b", b"\xe9b"));
        assert!(
            mask_matches(b"??", b"\xc3\xa9\xa9"),
            "one byte more than the character has"
        );
    }

    #[test]
    fn case_is_ignored_in_ascii_only() {
        assert!(mask_matches(b"ALICE!*@*", b"alice!a@HOST"));
        assert!(!mask_matches("\u{c9}".as_bytes(), "\u{e9}".as_bytes()));
        assert!(!mask_matches(b"[", b"{"));
    }

    #[test]
    fn a_hostile_mask_comes_to_an_end() {
        // A matcher that tries every way of sharing the text among the stars does not live to see
        // it.
        let text = [b'a'; 500];
        for mask in [
            &b"*a".repeat(250)[..],
            &b"a*".repeat(250),
            &b"*?".repeat(250),
            &b"*aa".repeat(160),
        ] {
            assert!(mask_matches(mask, &text));
            assert!(!mask_matches(&[mask, b"b"].concat(), &text));
            assert!(!mask_matches(&[mask, b"b*"].concat(), &text));
        }
    }
}
