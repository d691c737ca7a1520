//! The limits of this server that no option changes.
//!
//! Clients are told those that concern them in 005 (`isupport.rs`), and all of
//! them are in `--help` (`fixed_limits.rs`). Lengths are in bytes; a longer text
//! is cut, never in the middle of a character, unless it says otherwise.
//! Leaves out: nick, channel and line, which are the protocol crate's.

/// Away message.
pub(super) const AWAY_BYTES: usize = 200;
/// Key of a channel.
pub(super) const KEY_BYTES: usize = 23;
/// Reason given with KICK.
pub(super) const KICK_BYTES: usize = 255;
/// Mask in a ban or exemption list.
pub(super) const MASK_BYTES: usize = 100;
/// Memory that the ban and exemption lists of all channels take together; a
/// mask that does not fit is refused.
pub(super) const MASK_LISTS_BYTES: usize = 4 << 20;
/// Name of the network; a longer one is refused.
pub(super) const NETWORK_BYTES: usize = 50;
/// Real name.
pub(super) const REAL_NAME_BYTES: usize = 150;
/// Names in a CAP REQ that can be granted. The answer repeats them, with
/// server name, nick and command in front, in one line of at most 512 bytes.
pub(super) const REQUEST_BYTES: usize = 380;
/// Name of the server; a longer one is refused.
pub(super) const SERVER_NAME_BYTES: usize = 63;
/// Topic of a channel.
pub(super) const TOPIC_BYTES: usize = 390;
/// Line of a plain peer. It leaves room for what IRC puts in front.
pub(super) const TYPED_BYTES: usize = 400;
/// User name with the `~` in front.
pub(super) const USER_BYTES: usize = 11;

/// Channels that a client may be in, and invitations that are kept for it.
pub(super) const MAX_CHANNELS: usize = 100;
/// Masks in the ban and exemption lists of a channel together.
pub(super) const MAX_LIST_ENTRIES: usize = 100;
/// Mode changes with a parameter in one MODE command.
pub(super) const MAX_MODES: usize = 4;
/// Nicks that WHOWAS remembers: some 300 KiB. The oldest is forgotten.
pub(super) const MAX_REMEMBERED_NICKS: usize = 1_000;
/// Targets of one command that is among [`TARGETED`].
pub(super) const MAX_TARGETS: usize = 8;
/// Digits of the token that a client may send with WHO. (`IRCv3`, WHOX)
pub(super) const MAX_TOKEN_DIGITS: usize = 3;
/// Nicks that one USERHOST is answered for. (RFC 2812, section 4.8)
pub(super) const MAX_USERHOST_NICKS: usize = 5;
/// Wrong passwords for OPER, with the last of which a client is put out.
pub(super) const MAX_WRONG_GUESSES: usize = 3;

/// The commands that take no more than [`MAX_TARGETS`].
pub(super) const TARGETED: [&str; 8] = [
    "KICK", "LIST", "NAMES", "NOTICE", "PRIVMSG", "TAGMSG", "WHOIS", "WHOWAS",
];

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
