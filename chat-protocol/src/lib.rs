//! IRC message grammar, line framing, names and limits, without I/O.
//!
//! Bytes come in from wherever, a [`LineDecoder`] cuts them into lines, [`Message::parse`] takes a
//! line apart without allocating, and a [`LineWriter`] formats the answer straight into the buffer
//! that it will be sent from:
//!
//! ```
//! use std::ops::ControlFlow;
//! use chat_protocol::{Decoded, LineDecoder, LineWriter, Message, TagLimit};
//!
//! let mut decoder = LineDecoder::new(TagLimit::Client);
//! let mut out = Vec::new();
//!
//! // What `read` returned: one line whole, the next not yet.
//! decoder.decode(b"PING :are you there\r\nPRIVM", |decoded| {
//!     if let Decoded::Line(line) = decoded
//!         && let Ok(message) = Message::parse(line)
//!         && message.is(b"PING")
//!         && let Some(token) = message.parameters.first()
//!     {
//!         LineWriter::new(&mut out)
//!             .source(b"irc.example.org")
//!             .command(b"PONG")
//!             .parameter(b"irc.example.org")
//!             .trailing(token)
//!             .finish();
//!     }
//!     ControlFlow::Continue(())
//! });
//!
//! assert_eq!(out, b":irc.example.org PONG irc.example.org :are you there\r\n");
//! assert_eq!(decoder.pending(), 5);
//! ```
//!
//! Everything a peer can make long has a limit in [`limits`]; nothing a peer sends makes any of
//! this panic, and nothing that is put into a line can end it early.
//!
//! Shows: framing and grammar as code of their own, tested without a socket.
//! Leaves out: what the commands mean; that is the server's and the client's.

mod bytes;
mod case_mapping;
mod decoder;
pub mod limits;
mod line_buffer;
mod line_writer;
mod mask;
mod message;
mod names;
mod neutral;
mod parameters;
mod source;
mod split;
mod tags;

pub use case_mapping::CaseMapping;
pub use decoder::{Decoded, DropCounts, DropReason, LineDecoder};
pub use limits::{
    CHANNEL_BYTES, MAX_BODY_BYTES, MAX_CLIENT_TAG_BYTES, MAX_PARAMETERS, MAX_TAG_BYTES, NICK_BYTES,
    TagLimit,
};
pub use line_buffer::Written;
pub use line_writer::LineWriter;
pub use mask::mask_matches;
pub use message::{Message, ParseError};
pub use names::{FoldedName, eq_ignore_case, fold, is_channel, is_nick};
pub use neutral::{neutral, neutral_with_formatting};
pub use parameters::Parameters;
pub use source::Source;
pub use split::{SplitText, split_text};
pub use tags::{Tags, Value};
