//! Typed lines become lines of the protocol.
//!
//! Shows: a line that the server will pass on is limited less the sender's own
//! name, which the server puts before it; longer text becomes several lines,
//! and what cannot be split is refused. Nothing is cut.

use chat_protocol::{
    LineWriter, MAX_BODY_BYTES, TagLimit, neutral, neutral_with_formatting, split_text,
};

use super::Session;
use super::command::{CHANNEL_TYPES, Command, help};
use super::ctcp::enclose;
use super::news::{Manner, News, Place};
use super::settings::{Surface, Target};

/// The longest host name that a server shows. (RFC 2812, section 2.3.1)
const MAX_HOST_BYTES: usize = 63;

/// Modes of members that are changed by one line: what every server takes.
const MODES_IN_A_LINE: usize = 3;

/// Text is not split into pieces shorter than this: with so long a target
/// something is wrong.
const MIN_PIECE_BYTES: usize = 32;

impl Session {
    /// Does what a line asks for that was typed in `target`.
    pub(super) fn execute(&mut self, target: &Target, text: &str) {
        // The server's word may change while this runs.
        let channel_types = self.isupport.channel_types().to_owned();
        let command = match Command::parse_for(text, &channel_types) {
            Ok(command) => command,
            Err(err) => return self.hint(err.to_string()),
        };
        match command {
            Command::Say(text) => self.say_here(target, text, Manner::Text),
            Command::Me(text) => self.say_here(target, text, Manner::Action),
            Command::Msg(receiver, text) => {
                self.say_to(&self.raw_name(receiver), text, Manner::Text);
            }
            Command::Notice(receiver, text) => {
                self.say_to(&self.raw_name(receiver), text, Manner::Notice);
            }
            Command::Ctcp(receiver, question) => self.ask_program(receiver, question),
            Command::Join(channels, keys) => self.join(channels, keys),
            Command::Part(channel, reason) => {
                self.send_about_channel(b"PART", target, channel, some(reason));
            }
            Command::Names(channel) => self.send_about_channel(b"NAMES", target, channel, None),
            Command::Topic(channel, topic) => {
                self.send_about_channel(b"TOPIC", target, channel, topic);
            }
            Command::Who(mask) => self.send_about(b"WHO", target, mask),
            Command::Nick(nick) => self.take_name(nick),
            Command::Whois(nick) => self.send(b"WHOIS", &[nick.as_bytes()], None),
            Command::Whowas(nick) => self.send(b"WHOWAS", &[nick.as_bytes()], None),
            Command::Away("") => self.send(b"AWAY", &[], Some("away")),
            Command::Away(reason) => self.send(b"AWAY", &[], Some(reason)),
            Command::Back => self.send(b"AWAY", &[], None),
            Command::Invite(nick, channel) => self.invite(target, nick, channel),
            Command::Kick(channel, nick, reason) => self.kick(target, channel, nick, reason),
            Command::Ban(is_set, channel, mask) => {
                let mask = ban_mask(mask);
                let change = if is_set { "+b" } else { "-b" };
                self.change_mode(target, channel, change, &[&mask]);
            }
            Command::Rank(is_set, mode, channel, nicks) => {
                let sign = if is_set { '+' } else { '-' };
                let nicks: Vec<&str> = nicks.split_whitespace().collect();
                for some_nicks in nicks.chunks(MODES_IN_A_LINE) {
                    let modes = String::from(mode).repeat(some_nicks.len());
                    self.change_mode(target, channel, &format!("{sign}{modes}"), some_nicks);
                }
            }
            Command::Mode(about, "") => self.send_about(b"MODE", target, about),
            Command::Mode(about, change) => {
                let (change, rest) = change.split_once(' ').unwrap_or((change, ""));
                let parameters: Vec<&str> = rest.split_whitespace().collect();
                self.change_mode(target, about, change, &parameters);
            }
            Command::Ignore(None) => self.list_ignored(),
            Command::Ignore(Some(mask)) => self.ignore(mask),
            Command::Unignore(mask) => self.stop_ignoring(mask),
            Command::List("") => self.send(b"LIST", &[], None),
            Command::List(mask) => self.send(b"LIST", &[mask.as_bytes()], None),
            Command::Motd => self.send(b"MOTD", &[], None),
            Command::Oper(name, password) => {
                self.send(b"OPER", &[name.as_bytes(), password.as_bytes()], None);
            }
            Command::Quote(line) => self.send_as_it_is(line),
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
            self.refuse_too_long();
        } else {
            self.outbox.queue(bytes, None);
        }
    }

    /// Sends a line as the person has written it.
    fn send_as_it_is(&mut self, line: &str) {
        if line.contains(['\0', '\r', '\n']) || line.len() + "\r\n".len() > MAX_BODY_BYTES {
            return self.refuse_too_long();
        }
        let bytes = [line.as_bytes(), b"\r\n"].concat();
        self.outbox.queue(bytes, None);
    }

    fn refuse_too_long(&mut self) {
        self.hint(format!("longer than {MAX_BODY_BYTES} bytes and not sent"));
    }

    /// Sends a line about a channel or person, the one of `target` if none is
    /// named.
    fn send_about(&mut self, command: &[u8], target: &Target, about: Option<&str>) {
        let about = match about {
            Some(about) => Some(self.raw_name(about)),
            None => self.receiver(target),
        };
        match about {
            Some(about) => self.send(command, &[&about], None),
            None => self.refuse_without_channel(),
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
        if let Some(channel) = self.channel_or_refuse(target, channel) {
            self.send(command, &[&channel], trailing);
        }
    }

    /// Asks for another nick. Of one that is too long many a server takes the
    /// beginning without a word.
    fn take_name(&mut self, nick: &str) {
        match self.isupport.nick_bytes {
            Some(most) if nick.len() > most => {
                self.hint(format!("not sent, a nick has at most {most} bytes here"));
            }
            _ => self.send(b"NICK", &[nick.as_bytes()], None),
        }
    }

    fn invite(&mut self, target: &Target, nick: &str, channel: Option<&str>) {
        if let Some(channel) = self.channel_or_refuse(target, channel) {
            self.send(b"INVITE", &[nick.as_bytes(), &channel], None);
        }
    }

    fn kick(&mut self, target: &Target, channel: Option<&str>, nick: &str, reason: &str) {
        if let Some(channel) = self.channel_or_refuse(target, channel) {
            self.send(b"KICK", &[&channel, nick.as_bytes()], some(reason));
        }
    }

    /// Changes modes of a channel or of the person, of the channel of `target`
    /// if nothing is named.
    fn change_mode(
        &mut self,
        target: &Target,
        about: Option<&str>,
        change: &str,
        parameters: &[&str],
    ) {
        let about = match about {
            Some(about) => Some(self.raw_name(about)),
            None => self.channel_or_refuse(target, None),
        };
        if let Some(about) = about {
            let mut words = vec![about.as_slice(), change.as_bytes()];
            words.extend(parameters.iter().map(|parameter| parameter.as_bytes()));
            self.send(b"MODE", &words, None);
        }
    }

    /// The channel that is named, or else that of `target`; says so if there is
    /// none.
    fn channel_or_refuse(&mut self, target: &Target, channel: Option<&str>) -> Option<Vec<u8>> {
        let channel = match channel {
            Some(channel) => Some(self.raw_name(channel)),
            None => self
                .receiver(target)
                .filter(|receiver| self.isupport.is_channel(receiver)),
        };
        if channel.is_none() {
            self.refuse_without_channel();
        }
        channel
    }

    /// Asks the program of somebody, in the form of a message inside of a
    /// message.
    fn ask_program(&mut self, receiver: &str, question: &str) {
        let (command, argument) = question.split_once(' ').unwrap_or((question, ""));
        let command = command.to_uppercase();
        let text = enclose(command.as_bytes(), argument.as_bytes());
        let Ok(text) = String::from_utf8(text) else {
            return;
        };
        let receiver = self.raw_name(receiver);
        self.send(b"PRIVMSG", &[&receiver], Some(&text));
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
            let channel = channel_name_for(channel, self.isupport.channel_types());
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
    channel_name_for(text, CHANNEL_TYPES)
}

/// Whether `text` can be the name of a channel, with or without its `#`.
pub(crate) fn is_channel_name(text: &str) -> bool {
    let is_forbidden = |c: char| c == ' ' || c == ',' || c.is_control();
    !text.trim_start_matches('#').is_empty() && !text.contains(is_forbidden)
}

/// The name where channels begin with one of `channel_types`.
fn channel_name_for(text: &str, channel_types: &str) -> String {
    if text.starts_with(|c| channel_types.contains(c)) {
        text.to_owned()
    } else {
        format!("#{text}")
    }
}

/// Who is kept out by a nick alone: whoever has it.
fn ban_mask(text: &str) -> String {
    if text.contains(['!', '@', '*', '?', ':', '$']) {
        text.to_owned()
    } else {
        format!("{text}!*@*")
    }
}

fn some(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}
