//! One message in every form in which somebody wants it.
//!
//! Shows: a message to a thousand members is formatted once for each form that
//! anybody needs (with a time, with the sender's tags, with both, as text for
//! `nc`), and then only copied.

use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use chapter::Utc;
use chat_protocol::LineWriter;

use super::capabilities::Capabilities;
use super::channel::ChannelSlot;
use super::plain_text;

/// A form of the letter, made when the first receiver needs it.
#[derive(Debug, Default)]
struct Form {
    bytes: Vec<u8>,
    is_made: bool,
}

/// The message that is being written and sent. There is one, and its buffers
/// are used again for every message.
#[derive(Debug)]
pub(super) struct Letter {
    /// Goes up by one for every message, so that nobody gets one twice.
    pub(super) number: u64,
    sent_at: SystemTime,
    /// Client-only tags without the `@`, as the sender wrote them.
    client_tags: Vec<u8>,
    /// The message with CR LF and without tags.
    line: Vec<u8>,
    with_time: Form,
    with_tags: Form,
    with_both: Form,
    /// For plain peers.
    text: Form,
    /// Bytes at the start of `text` that say in which room it was said.
    room_bytes: usize,
    /// It was longer than a line, and has lost its end.
    pub(super) is_cut: bool,
    /// The room to which it was said.
    pub(super) room: Option<ChannelSlot>,
}

impl Letter {
    pub(super) fn new() -> Letter {
        Letter {
            number: 0,
            sent_at: UNIX_EPOCH,
            client_tags: Vec::new(),
            line: Vec::new(),
            with_time: Form::default(),
            with_tags: Form::default(),
            with_both: Form::default(),
            text: Form::default(),
            room_bytes: 0,
            is_cut: false,
            room: None,
        }
    }

    /// Begins the next message.
    pub(super) fn write(
        &mut self,
        sent_at: SystemTime,
        client_tags: &[u8],
        compose: impl for<'a> FnOnce(LineWriter<'a>) -> LineWriter<'a>,
    ) {
        self.number += 1;
        self.sent_at = sent_at;
        self.client_tags.clear();
        self.client_tags.extend_from_slice(client_tags);
        for form in [
            &mut self.with_time,
            &mut self.with_tags,
            &mut self.with_both,
            &mut self.text,
        ] {
            form.bytes.clear();
            form.is_made = false;
        }
        self.room = None;
        self.line.clear();
        self.is_cut = compose(LineWriter::new(&mut self.line)).finish().cut;
    }

    /// The message as a plain peer whose room is `room` wants it; empty if
    /// there is nothing in it for a person.
    pub(super) fn text_for(&mut self, room: Option<ChannelSlot>) -> &[u8] {
        if !self.text.is_made {
            self.text.is_made = true;
            self.room_bytes = plain_text::translate(&self.line, &mut self.text.bytes);
        }
        let is_here = self.room.is_some() && self.room == room;
        &self.text.bytes[if is_here { self.room_bytes } else { 0 }..]
    }

    /// The message as an IRC client with these capabilities wants it.
    pub(super) fn line_for(&mut self, capabilities: Capabilities) -> &[u8] {
        let wants_time = capabilities.contains(Capabilities::SERVER_TIME);
        let wants_tags =
            capabilities.contains(Capabilities::MESSAGE_TAGS) && !self.client_tags.is_empty();
        // ANCHOR: forms
        let form = match (wants_time, wants_tags) {
            (false, false) => return &self.line,
            (true, false) => &mut self.with_time,
            (false, true) => &mut self.with_tags,
            (true, true) => &mut self.with_both,
        };
        // ANCHOR_END: forms
        if !form.is_made {
            form.is_made = true;
            form.bytes.push(b'@');
            if wants_time {
                write!(form.bytes, "time={}", Utc::from(self.sent_at).as_tag())
                    .expect("a vector takes everything");
            }
            if wants_time && wants_tags {
                form.bytes.push(b';');
            }
            if wants_tags {
                form.bytes.extend_from_slice(&self.client_tags);
            }
            form.bytes.push(b' ');
            form.bytes.extend_from_slice(&self.line);
        }
        &form.bytes
    }
}
