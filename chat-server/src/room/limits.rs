//! The limits of this server that are part of what clients are told in 005.
//!
//! Lengths are in bytes; a longer text is cut, never in the middle of a
//! character. Leaves out: nick, channel and line, which are the protocol
//! crate's.

/// Away message.
pub(super) const AWAY_BYTES: usize = 200;
/// Key of a channel.
pub(super) const KEY_BYTES: usize = 23;
/// Reason given with KICK.
pub(super) const KICK_BYTES: usize = 255;
/// Mask in a ban or exemption list.
pub(super) const MASK_BYTES: usize = 100;
/// Real name.
pub(super) const REAL_NAME_BYTES: usize = 150;
/// Topic of a channel.
pub(super) const TOPIC_BYTES: usize = 390;
/// User name with the `~` in front.
pub(super) const USER_BYTES: usize = 11;

/// Channels that a client may be in, and invitations that are kept for it.
pub(super) const MAX_CHANNELS: usize = 100;
/// Masks in the ban and exemption lists of a channel together.
pub(super) const MAX_LIST_ENTRIES: usize = 100;
/// Mode changes with a parameter in one MODE command.
pub(super) const MAX_MODES: usize = 4;
/// Targets of one command.
pub(super) const MAX_TARGETS: usize = 8;

/// The beginning of a UTF-8 text that has at most `max_bytes` bytes.
pub(super) fn cut(text: &[u8], max_bytes: usize) -> &[u8] {
    if text.len() <= max_bytes {
        return text;
    }
    // Bytes inside a character are of the form 10xxxxxx.
    let mut end = max_bytes;
    while end > 0 && text[end] & 0xC0 == 0x80 {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_text_ends_between_two_characters() {
        let text = "añ€😀".as_bytes();
        let kept: Vec<usize> = (0..=text.len()).map(|max| cut(text, max).len()).collect();
        assert_eq!(kept, [0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10]);
    }
}
