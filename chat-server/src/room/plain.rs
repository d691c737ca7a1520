//! People with `nc` or `telnet`: what they type becomes IRC.
//!
//! Shows: a plain peer is an IRC client whose client program is in here; so it
//! obeys the same rules as everybody else, and no command knows about it.
//! Leaves out: what such a peer is shown (`plain_text.rs`), and telnet's own
//! commands, which the loop side takes out.

use chat_protocol::{LineWriter, Message, NICK_BYTES, is_channel, is_nick};

use super::client::{ClientSlot, Identity, Stage};
use super::limits::{TYPED_BYTES, cut};
use super::state::State;

/// The room that plain peers find themselves in.
const LOBBY: &[u8] = b"#lobby";

/// What a newcomer is told of the commands.
const COMMANDS: &str = "Commands: /nick /join /part /who /me /msg /topic /quit; /help tells more";

/// The answer to `/help`. A line with the `-- ` in front of it fits a terminal
/// of 80 columns.
const HELP: [&str; 10] = [
    "/nick NAME          be called NAME",
    "/join ROOM [KEY]    go to a room, or make it; what you type is said there",
    "/part [WHY]         leave the room that you are in",
    "/who                see who is in the room",
    "/me DOES            say what you do: /me waves",
    "/msg NAME TEXT      say something to one person only",
    "/topic [TEXT]       see what the room is about, or change it",
    "/quit [WHY]         leave the server",
    "//WORDS             say /WORDS: what begins with two slashes is no command",
    "Anything without a slash in front is said in the room that you joined last.",
];

impl State {
    /// Gives a plain peer a name and a room, after the password if there is
    /// one.
    pub(super) fn welcome_plain(&mut self, client: ClientSlot) {
        if self.rules.password.is_some() {
            self.notify(client, b"Password?");
        } else {
            self.enroll_guest(client);
        }
    }

    fn enroll_guest(&mut self, client: ClientSlot) {
        let nick = loop {
            self.guests += 1;
            let nick = format!("guest{}", self.guests);
            if self.clients.find(nick.as_bytes()).is_none() {
                break nick;
            }
        };
        let host = self.clients[client].identity.host();
        self.clients[client].identity = Identity::new(nick.as_bytes(), b"~plain", host);
        self.clients[client].real_name = Box::from(&b"plain"[..]);
        self.enroll(client);
        let welcome = format!(
            "Welcome to {}, {nick}. You are in #lobby; what you type is said there.",
            self.rules.network
        );
        self.notify(client, welcome.as_bytes());
        self.notify(client, COMMANDS.as_bytes());
        self.act(client, |line| line.command(b"JOIN").parameter(LOBBY));
    }

    /// A line that somebody typed.
    pub(super) fn receive_typed(&mut self, from: ClientSlot, line: &[u8]) {
        let line = line.trim_ascii_end();
        if let Stage::Registering(_) = self.clients[from].stage {
            let password = self.rules.password.as_ref();
            if password.is_some_and(|password| !password.matches(line)) {
                self.counters.wrong_passwords += 1;
                return self.depart(from, b"Password incorrect");
            }
            return self.enroll_guest(from);
        }
        if str::from_utf8(line).is_err() {
            return self.reject_encoding(from);
        }
        let kept = cut(line, TYPED_BYTES);
        if kept.len() < line.len() {
            let notice = format!("Your line was cut at {TYPED_BYTES} bytes");
            self.notify(from, notice.as_bytes());
        }
        match kept.strip_prefix(b"/") {
            // A second slash is for those who want to say one.
            Some(text) if text.starts_with(b"/") => self.say_in_room(from, text),
            Some(command) => self.obey(from, command),
            None if kept.is_empty() => {}
            None => self.say_in_room(from, kept),
        }
    }

    /// Carries out a line that began with a slash.
    fn obey(&mut self, from: ClientSlot, line: &[u8]) {
        let (word, rest) = split_word(line);
        match word.to_ascii_lowercase().as_slice() {
            b"nick" if rest.is_empty() => {
                self.notify(from, b"/nick needs the name that you want: /nick ann");
            }
            b"nick" if !is_nick(rest) => {
                let notice = format!(
                    "{} is no name: it has letters, digits and []\\`_^{{|}}-, begins with no digit \
                     and is {NICK_BYTES} long at most",
                    String::from_utf8_lossy(rest)
                );
                self.notify(from, notice.as_bytes());
            }
            b"nick" => self.act(from, |line| line.command(b"NICK").parameter(rest)),
            b"join" => {
                let (name, key) = split_word(rest);
                match room_name(name) {
                    Some(room) if key.is_empty() => {
                        self.act(from, |line| line.command(b"JOIN").parameter(&room));
                    }
                    Some(room) => {
                        self.act(from, |line| line.command(b"JOIN").parameters(&[&room, key]));
                    }
                    None => self.notify(from, b"/join needs the name of a room, such as #lobby"),
                }
            }
            b"part" => {
                self.act_in_room(from, |line, room| {
                    line.command(b"PART").parameter(room).trailing(rest)
                });
                self.tell_room(from);
            }
            b"who" => self.act_in_room(from, |line, room| line.command(b"NAMES").parameter(room)),
            b"me" if rest.is_empty() => self.notify(from, b"/me needs what you do: /me waves"),
            b"me" => self.say_in_room(from, &[b"\x01ACTION ", rest, b"\x01"].concat()),
            b"msg" => {
                let (nick, text) = split_word(rest);
                if text.is_empty() {
                    return self.notify(from, b"/msg needs a name and a text: /msg ann hello");
                }
                self.act(from, |line| {
                    line.command(b"PRIVMSG").parameter(nick).trailing(text)
                });
            }
            b"topic" => self.act_in_room(from, |line, room| {
                let line = line.command(b"TOPIC").parameter(room);
                if rest.is_empty() {
                    line
                } else {
                    line.trailing(rest)
                }
            }),
            b"quit" => self.act(from, |line| line.command(b"QUIT").trailing(rest)),
            b"help" => {
                for line in HELP {
                    self.notify(from, line.as_bytes());
                }
            }
            _ => {
                let word = String::from_utf8_lossy(word);
                let notice = format!("There is no command /{word}; /help lists those there are");
                self.notify(from, notice.as_bytes());
            }
        }
    }

    /// Says where a plain peer's words go that has left another room.
    fn tell_room(&mut self, to: ClientSlot) {
        if let Some(held) = self.clients[to].memberships.last() {
            let room = &self.channels[held.channel].name;
            let notice = [b"What you type is said in ", &room[..]].concat();
            self.notify(to, &notice);
        }
    }

    fn say_in_room(&mut self, from: ClientSlot, text: &[u8]) {
        self.act_in_room(from, |line, room| {
            line.command(b"PRIVMSG").parameter(room).trailing(text)
        });
    }

    /// As [`State::act`], with the room that a plain peer joined last.
    fn act_in_room(
        &mut self,
        from: ClientSlot,
        compose: impl for<'a> FnOnce(LineWriter<'a>, &[u8]) -> LineWriter<'a>,
    ) {
        match self.clients[from].memberships.last() {
            Some(held) => {
                let room = self.channels[held.channel].name.clone();
                self.act(from, |line| compose(line, &room));
            }
            None => self.notify(from, b"You are in no room; /join #lobby to be in one"),
        }
    }

    /// Has a plain peer send a message, as if by an IRC client.
    fn act(
        &mut self,
        from: ClientSlot,
        compose: impl for<'a> FnOnce(LineWriter<'a>) -> LineWriter<'a>,
    ) {
        let mut line = Vec::new();
        compose(LineWriter::new(&mut line)).finish();
        let line = line
            .strip_suffix(b"\r\n")
            .expect("a line writer ends its line");
        if let Ok(message) = Message::parse(line) {
            self.dispatch(from, &message);
        }
    }
}

/// The first word, and what follows it.
fn split_word(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text
        .iter()
        .position(|&byte| byte == b' ')
        .unwrap_or(text.len());
    (&text[..end], text[end..].trim_ascii())
}

/// The room that somebody means who may have left the `#` away.
fn room_name(typed: &[u8]) -> Option<Vec<u8>> {
    let hash: &[u8] = if typed.starts_with(b"#") { b"" } else { b"#" };
    Some([hash, typed].concat()).filter(|name| is_channel(name))
}
