//! The limits that belong to the grammar and to names.
//!
//! Shows: what exactly each number counts.
//! Leaves out: limits of one server's own choice (topic, away, key), which it announces in numeric
//! 005.

/// Longest body of a line in bytes, its CR LF included: 512.
///
/// The body is everything after the tag section. A line that ends with a bare LF is held to the
/// same 510 bytes of content, because it may have to be passed on with CR LF.
/// (RFC 1459, section 2.3)
pub const MAX_BODY_BYTES: usize = 512;

/// The two bytes that end a line.
pub(crate) const LINE_END: &[u8; 2] = b"\r\n";

/// Longest content of a body in bytes, without its line ending: 510.
pub(crate) const MAX_CONTENT_BYTES: usize = MAX_BODY_BYTES - LINE_END.len();

/// Longest tag section that a client may send, in bytes: 4,096.
///
/// Counted from the `@` to the one space that ends the section, both included, which leaves 4,094
/// bytes of tag data. (`IRCv3` message-tags, "Size limit")
pub const MAX_CLIENT_TAG_BYTES: usize = 4096;

/// Longest tag section of any line, in bytes: 8,191.
///
/// Counted like [`MAX_CLIENT_TAG_BYTES`]: `@`, 4,094 bytes of a client's tag data, `;`, 4,094 bytes
/// of the server's own, and the space. (`IRCv3` message-tags, "Size limit")
pub const MAX_TAG_BYTES: usize = 8191;

/// Most parameters in one message: 15. (RFC 1459, section 2.3)
pub const MAX_PARAMETERS: usize = 15;

/// Longest nickname in bytes: 30, announced as `NICKLEN`.
pub const NICK_BYTES: usize = 30;

/// Longest channel name in bytes, its `#` included: 50, announced as `CHANNELLEN`.
pub const CHANNEL_BYTES: usize = 50;

/// How long the tag section of a line may be: it depends on who sends the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TagLimit {
    /// There are no tags: an `@` at the start of a line is an ordinary byte of the body. For peers
    /// that do not speak IRC.
    None,
    /// A client sends: [`MAX_CLIENT_TAG_BYTES`].
    Client,
    /// A server sends: [`MAX_TAG_BYTES`].
    Server,
}

impl TagLimit {
    /// The limit in bytes, `@` and space included; 0 if there are no tags.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self {
            TagLimit::None => 0,
            TagLimit::Client => MAX_CLIENT_TAG_BYTES,
            TagLimit::Server => MAX_TAG_BYTES,
        }
    }
}
