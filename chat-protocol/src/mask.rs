//! Masks with wildcards, as in bans: `*!*@127.0.0.*`.
//!
//! Shows: matching in place, without recursion, so that no mask can make it explode.

use crate::bytes::{character_bytes, continues_character};

/// Whether `text` as a whole matches `mask`.
///
/// `*` stands for any number of characters, `?` for exactly one; `\*`, `\?` and `\\` stand for `*`, `?` and
/// `\`. A backslash before anything else is itself, since nicknames may hold it. Case is ignored as by
/// [`eq_ignore_case`](crate::eq_ignore_case). A character is one of UTF-8, or one byte where the text is
/// not UTF-8.
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
        // It does not fit here: let the last star take one character more. Stars before it need no second
        // try, because whatever they could take more, the last one can take as well.
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
