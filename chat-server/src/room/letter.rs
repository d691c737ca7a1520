//! One message in every form in which somebody wants it.
//!
//! Shows: a message to a thousand members is formatted once for each form that
//! anybody needs (with a time, with the sender's tags, with both, as text for
//! `nc`), on the sheet of the batch that has this form.

use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use chapter::Utc;
use chat_protocol::{LineWriter, Tags};

use super::batch::{Batch, Form, Part};
use super::capabilities::Capabilities;
use super::channel::ChannelSlot;
use super::plain_text;

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
    /// Where its forms stand; made when the first receiver needs them.
    made: [Option<Part>; Form::COUNT],
    /// Bytes at the start of the text that say in which room it was said.
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
            made: [None; Form::COUNT],
            room_bytes: 0,
            is_cut: false,
            room: None,
        }
    }

    /// Begins the next message. Of `tags` those are sent on that clients mean for
    /// each other: their names begin with `+`.
    pub(super) fn write(
        &mut self,
        batch: &mut Batch,
        sent_at: SystemTime,
        tags: Tags<'_>,
        compose: impl for<'a> FnOnce(LineWriter<'a>) -> LineWriter<'a>,
    ) {
        self.number += 1;
        self.sent_at = sent_at;
        self.client_tags.clear();
        let of_client = |tag: &&[u8]| tag.starts_with(b"+");
        for tag in tags.raw().split(|&byte| byte == b';').filter(of_client) {
            if !self.client_tags.is_empty() {
                self.client_tags.push(b';');
            }
            self.client_tags.extend_from_slice(tag);
        }
        batch.renew();
        self.made = [None; Form::COUNT];
        self.room = None;
        self.line.clear();
        self.is_cut = compose(LineWriter::new(&mut self.line)).finish().cut;
    }

    /// The message as a plain peer whose room is `room` wants it; empty if
    /// there is nothing in it for a person.
    pub(super) fn text_for(&mut self, room: Option<ChannelSlot>, batch: &mut Batch) -> Part {
        let text = if let Some(text) = self.made[Form::Text as usize] {
            text
        } else {
            let text = batch.write(Form::Text, |sheet| {
                self.room_bytes = plain_text::translate(&self.line, sheet);
            });
            *self.made[Form::Text as usize].insert(text)
        };
        let is_here = self.room.is_some() && self.room == room;
        text.skip(if is_here { self.room_bytes } else { 0 })
    }

    /// The message as an IRC client with these capabilities wants it.
    pub(super) fn line_for(&mut self, capabilities: Capabilities, batch: &mut Batch) -> Part {
        let wants_time = capabilities.contains(Capabilities::SERVER_TIME);
        let wants_tags =
            capabilities.contains(Capabilities::MESSAGE_TAGS) && !self.client_tags.is_empty();
        // ANCHOR: forms
        let form = match (wants_time, wants_tags) {
            (false, false) => Form::Line,
            (true, false) => Form::WithTime,
            (false, true) => Form::WithTags,
            (true, true) => Form::WithBoth,
        };
        // ANCHOR_END: forms
        if let Some(part) = self.made[form as usize] {
            return part;
        }
        let part = batch.write(form, |sheet| {
            if form != Form::Line {
                sheet.push(b'@');
            }
            if wants_time {
                write!(sheet, "time={}", Utc::from(self.sent_at).as_tag())
                    .expect("a vector takes everything");
            }
            if wants_time && wants_tags {
                sheet.push(b';');
            }
            if wants_tags {
                sheet.extend_from_slice(&self.client_tags);
            }
            if form != Form::Line {
                sheet.push(b' ');
            }
            sheet.extend_from_slice(&self.line);
        });
        *self.made[form as usize].insert(part)
    }
}
