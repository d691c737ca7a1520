//! Typed lines become lines of the protocol.
//!
//! Shows: a line that the server will pass on is limited less the sender's own
//! name, which the server puts before it; longer text becomes several lines,
//! and what cannot be split is refused. Nothing is cut.

use chat_protocol::{LineWriter, MAX_BODY_BYTES, TagLimit, split_text};

use super::command::{Command, help, is_channel};
use super::ctcp::enclose;
use super::news::News;
use super::{Session, USER};

/// The longest host name that a server shows. (RFC 2812, section 2.3.1)
const MAX_HOST_BYTES: usize = 63;

/// Text is not split into pieces shorter than this: with so long a target
/// something is wrong.
const MIN_PIECE_BYTES: usize = 32;

impl Session {
    /// Does what a typed line asks for.
    pub(super) fn execute(&mut self, text: &str) {
        let command = match Command::parse(text) {
            Ok(command) => command,
            Err(err) => return self.hint(err.to_string()),
        };
        match command {
            Command::Say(text) => self.say_here(text, false),
            Command::Me(text) => self.say_here(text, true),
            Command::Msg(target, text) => self.say_to(target.as_bytes(), text, false),
            Command::Join(channels, keys) => self.join(channels, keys),
            Command::Part(channel, reason) => {
                let reason = (!reason.is_empty()).then_some(reason);
                self.send_about_channel(b"PART", channel, reason);
            }
            Command::Names(channel) => self.send_about_channel(b"NAMES", channel, None),
            Command::Topic(channel, topic) => self.send_about_channel(b"TOPIC", channel, topic),
            Command::Who(mask) => self.send_about_channel(b"WHO", mask, None),
            Command::Nick(nick) => self.send(b"NICK", &[nick.as_bytes()], None),
            Command::Whois(nick) => self.send(b"WHOIS", &[nick.as_bytes()], None),
            Command::Quit(reason) => self.quit(reason),
            Command::Help => self.news.extend(help().map(News::Help)),
        }
    }

    /// Sends one line; refuses it if it does not fit whole.
    fn send(&mut self, command: &[u8], words: &[&[u8]], trailing: Option<&str>) {
        let mut bytes = Vec::new();
        let mut line = LineWriter::with_tag_limit(&mut bytes, TagLimit::Client).command(command);
        for word in words {
            line = line.parameter(word);
        }
        if let Some(trailing) = trailing {
            line = line.trailing(trailing.as_bytes());
        }
        if line.finish().cut {
            self.hint(format!("longer than {MAX_BODY_BYTES} bytes and not sent"));
        } else {
            self.outbox.queue(bytes);
        }
    }

    /// Sends a line about a channel, the current one if none is named.
    fn send_about_channel(
        &mut self,
        command: &[u8],
        channel: Option<&str>,
        trailing: Option<&str>,
    ) {
        let current = self.channels.current();
        match channel.map(str::as_bytes).or(current) {
            Some(channel) => {
                let channel = channel.to_vec();
                self.send(command, &[&channel], trailing);
            }
            None => self.refuse_without_channel(),
        }
    }

    fn refuse_without_channel(&mut self) {
        self.hint("not sent, you are in no channel: /join #channel");
    }

    fn join(&mut self, channels: &str, keys: &str) {
        let mut keys = keys.split(',').filter(|key| !key.is_empty());
        for channel in channels.split(',').filter(|channel| !channel.is_empty()) {
            let channel = channel_name(channel);
            let key = keys.next().map(str::as_bytes);
            self.channels.ask(channel.as_bytes(), key);
            match key {
                Some(key) => self.send(b"JOIN", &[channel.as_bytes(), key], None),
                None => self.send(b"JOIN", &[channel.as_bytes()], None),
            }
        }
    }

    fn say_here(&mut self, text: &str, is_action: bool) {
        match self.channels.current() {
            Some(current) => {
                let current = current.to_vec();
                self.say_to(&current, text, is_action);
            }
            None => self.refuse_without_channel(),
        }
    }

    /// Says something, in as many lines as it takes.
    fn say_to(&mut self, target: &[u8], text: &str, is_action: bool) {
        let enclosing_bytes = if is_action {
            "\x01ACTION \x01".len()
        } else {
            0
        };
        // ":nick!user@host PRIVMSG target :" and CR LF.
        let around = self.prefix_bytes() + " PRIVMSG  :\r\n".len() + target.len() + enclosing_bytes;
        let room = MAX_BODY_BYTES.saturating_sub(around);
        if room < MIN_PIECE_BYTES {
            return self.hint("not sent, the name of the receiver is too long");
        }
        for piece in split_text(text, room) {
            let mut bytes = Vec::new();
            let line = LineWriter::with_tag_limit(&mut bytes, TagLimit::Client)
                .command(b"PRIVMSG")
                .parameter(target);
            if is_action {
                line.trailing(&enclose(b"ACTION", piece.as_bytes()))
                    .finish();
            } else {
                line.trailing(piece.as_bytes()).finish();
            }
            self.outbox.queue(bytes);
        }
    }

    /// How long the name is that the server puts before what is said, with its
    /// colon; the longest that it may be as long as the server has not shown it.
    fn prefix_bytes(&self) -> usize {
        let user_and_host = match &self.user_and_host {
            Some(known) => known.len(),
            // An unproven user name has a tilde.
            None => "~".len() + USER.len() + "@".len() + MAX_HOST_BYTES,
        };
        ":".len() + self.nick.len() + "!".len() + user_and_host
    }
}

/// The name of a channel, which may be written without the `#` that a shell
/// takes for a comment.
pub(crate) fn channel_name(text: &str) -> String {
    if is_channel(text) {
        text.to_owned()
    } else {
        format!("#{text}")
    }
}
