//! Typed lines become lines of the protocol.
//!
//! Shows: a line that the server will pass on is limited less the sender's own
//! name, which the server puts before it; longer text becomes several lines,
//! and what cannot be split is refused. Nothing is cut.

use chat_protocol::{
    LineWriter, MAX_BODY_BYTES, TagLimit, neutral, neutral_with_formatting, split_text,
};

use super::Session;
use super::command::{Command, help, is_channel};
use super::ctcp::enclose;
use super::news::{Manner, News, Place};
use super::settings::{Surface, Target};

/// The longest host name that a server shows. (RFC 2812, section 2.3.1)
const MAX_HOST_BYTES: usize = 63;

/// Text is not split into pieces shorter than this: with so long a target
/// something is wrong.
const MIN_PIECE_BYTES: usize = 32;

impl Session {
    /// Does what a line asks for that was typed in `target`.
    pub(super) fn execute(&mut self, target: &Target, text: &str) {
        let command = match Command::parse(text) {
            Ok(command) => command,
            Err(err) => return self.hint(err.to_string()),
        };
        match command {
            Command::Say(text) => self.say_here(target, text, Manner::Text),
            Command::Me(text) => self.say_here(target, text, Manner::Action),
            Command::Msg(receiver, text) => {
                self.say_to(&self.raw_name(receiver), text, Manner::Text);
            }
            Command::Join(channels, keys) => self.join(channels, keys),
            Command::Part(channel, reason) => {
                let reason = (!reason.is_empty()).then_some(reason);
                self.send_about_channel(b"PART", target, channel, reason);
            }
            Command::Names(channel) => self.send_about_channel(b"NAMES", target, channel, None),
            Command::Topic(channel, topic) => {
                self.send_about_channel(b"TOPIC", target, channel, topic);
            }
            Command::Who(mask) => self.send_about_channel(b"WHO", target, mask, None),
            Command::Nick(nick) => self.send(b"NICK", &[nick.as_bytes()], None),
            Command::Whois(nick) => self.send(b"WHOIS", &[nick.as_bytes()], None),
            Command::Quit(reason) => self.quit(reason),
            Command::Help => help().for_each(|line| self.tell(News::Help(line))),
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
            self.outbox.queue(bytes, None);
        }
    }

    /// Sends a line about a channel, the one of `target` if none is named.
    fn send_about_channel(
        &mut self,
        command: &[u8],
        target: &Target,
        channel: Option<&str>,
        trailing: Option<&str>,
    ) {
        let channel = match channel {
            Some(channel) => Some(self.raw_name(channel)),
            None => self.receiver(target),
        };
        match channel {
            Some(channel) => self.send(command, &[&channel], trailing),
            None => self.refuse_without_channel(),
        }
    }

    /// The channel or person that text of `target` goes to.
    fn receiver(&self, target: &Target) -> Option<Vec<u8>> {
        match target {
            Target::Current => self.channels.current().map(<[u8]>::to_vec),
            Target::Named(name) => Some(self.raw_name(name)),
            Target::Server => None,
        }
    }

    fn refuse_without_channel(&mut self) {
        self.hint(match self.settings.surface {
            Surface::Lines => "not sent, you are in no channel: /join #channel",
            Surface::Screen => "not sent, nobody is here: /join #channel",
        });
    }

    fn join(&mut self, channels: &str, keys: &str) {
        let mut keys = keys.split(',').filter(|key| !key.is_empty());
        for channel in channels.split(',').filter(|channel| !channel.is_empty()) {
            let channel = channel_name(channel);
            let key = keys.next().map(str::as_bytes);
            self.channels.ask(channel.as_bytes(), key, &self.isupport);
            match key {
                Some(key) => self.send(b"JOIN", &[channel.as_bytes(), key], None),
                None => self.send(b"JOIN", &[channel.as_bytes()], None),
            }
        }
    }

    fn say_here(&mut self, target: &Target, text: &str, manner: Manner) {
        match self.receiver(target) {
            Some(receiver) => self.say_to(&receiver, text, manner),
            None => self.refuse_without_channel(),
        }
    }

    /// Says something, in as many lines as it takes.
    fn say_to(&mut self, receiver: &[u8], text: &str, manner: Manner) {
        let enclosing_bytes = match manner {
            Manner::Action => "\x01ACTION \x01".len(),
            Manner::Text | Manner::Notice => 0,
        };
        let command: &[u8] = match manner {
            Manner::Text | Manner::Action => b"PRIVMSG",
            Manner::Notice => b"NOTICE",
        };
        let Some(room) = self.text_bytes(receiver, enclosing_bytes) else {
            return self.hint("not sent, the name of the receiver is too long");
        };
        for piece in split_text(text, room) {
            let mut bytes = Vec::new();
            let line = LineWriter::with_tag_limit(&mut bytes, TagLimit::Client)
                .command(command)
                .parameter(receiver);
            if manner == Manner::Action {
                line.trailing(&enclose(b"ACTION", piece.as_bytes()))
                    .finish();
            } else {
                line.trailing(piece.as_bytes()).finish();
            }
            let said = self.own_words(receiver, piece, manner);
            self.outbox.queue(bytes, said);
        }
    }

    /// What the person will have said; none if the server is going to tell.
    fn own_words(&self, receiver: &[u8], text: &str, manner: Manner) -> Option<News> {
        if self.is_me(receiver) {
            return None;
        }
        let (only_for, name) = self.isupport.status_and_channel(receiver);
        let place = if self.isupport.is_channel(name) {
            Place::Channel(neutral(name))
        } else {
            Place::Private(neutral(name))
        };
        Some(News::Said {
            place,
            only_for,
            nick: self.nick(),
            manner,
            text: neutral_with_formatting(text.as_bytes()),
            is_own: true,
        })
    }

    /// How many bytes of text fit into one line to `receiver`, besides
    /// `enclosing` ones; none if it leaves too little room.
    pub(super) fn text_bytes(&self, receiver: &[u8], enclosing: usize) -> Option<usize> {
        // ":nick!user@host PRIVMSG receiver :" and CR LF.
        let around = self.prefix_bytes() + " PRIVMSG  :\r\n".len() + receiver.len() + enclosing;
        let room = MAX_BODY_BYTES.saturating_sub(around);
        (room >= MIN_PIECE_BYTES).then_some(room)
    }

    /// How long the name is that the server puts before what is said, with its
    /// colon; the longest that it may be as long as the server has not shown it.
    fn prefix_bytes(&self) -> usize {
        let user_and_host = match &self.user_and_host {
            Some(known) => known.len(),
            // An unproven user name has a tilde.
            None => "~".len() + self.settings.user.len() + "@".len() + MAX_HOST_BYTES,
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
