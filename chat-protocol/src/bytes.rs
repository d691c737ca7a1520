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

/// Whether no part of a message may hold this byte: it would end the line, for one program or another.
pub(crate) fn ends_line(byte: u8) -> bool {
    matches!(byte, b'\0' | b'\r' | b'\n')
}

/// Shows bytes as a quoted string with escapes: a list of numbers helps nobody.
pub(crate) struct Escaped<'a>(pub(crate) &'a [u8]);

impl fmt::Debug for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}
