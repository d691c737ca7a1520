//! Becoming somebody: PASS, NICK, USER, and the greeting; changing nick later.
//!
//! Shows: nobody has a nick before it is registered, so a connection that never
//! gets that far keeps no name from anyone.

use chapter::Utc;
use chat_protocol::{Message, is_nick};

use super::client::{ClientSlot, Identity, Stage};
use super::limits::{REAL_NAME_BYTES, USER_BYTES, cut};
use super::mode_table::mode_letters;
use super::numerics::{
    ERR_ALREADYREGISTERED, ERR_ERRONEUSNICKNAME, ERR_INVALIDUSERNAME, ERR_NEEDMOREPARAMS,
    ERR_NICKNAMEINUSE, ERR_NONICKNAMEGIVEN, ERR_NOORIGIN, ERR_PASSWDMISMATCH, RPL_CREATED,
    RPL_MYINFO, RPL_WELCOME, RPL_YOURHOST,
};
use super::state::State;
use super::user_modes::user_mode_letters;

/// Name and version of this program, as told to clients.
pub(super) const VERSION: &str = concat!("chat-server-", env!("CARGO_PKG_VERSION"));

impl State {
    /// `PASS password`.
    pub(super) fn pass(&mut self, from: ClientSlot, message: &Message<'_>) {
        match &mut self.clients[from].stage {
            Stage::Registering(registration) => {
                let password = self.rules.password.as_ref();
                registration.knows_password =
                    password.is_some_and(|password| password.matches(message.parameters[0]));
            }
            _ => self.answer(from, ERR_ALREADYREGISTERED, &[]),
        }
    }

    /// `NICK nick`.
    pub(super) fn nick(&mut self, from: ClientSlot, message: &Message<'_>) {
        let nick = message.parameters.first().copied().unwrap_or_default();
        if nick.is_empty() {
            return self.answer(from, ERR_NONICKNAMEGIVEN, &[]);
        }
        if !is_nick(nick) {
            return self.answer(from, ERR_ERRONEUSNICKNAME, &[nick]);
        }
        if self.clients.find(nick).is_some_and(|holder| holder != from) {
            return self.answer(from, ERR_NICKNAMEINUSE, &[nick]);
        }
        let client = &mut self.clients[from];
        let renamed = client.identity.with_nick(nick);
        if let Stage::Registering(_) = client.stage {
            client.identity = renamed;
            self.complete_registration(from);
        } else if nick != client.identity.nick() {
            self.rename(from, renamed);
        }
    }

    /// Gives a registered client another nick, or its own in other letters.
    fn rename(&mut self, client: ClientSlot, renamed: Identity) {
        self.remember_nick(client);
        self.clients.unlist(client);
        let old = std::mem::replace(&mut self.clients[client].identity, renamed);
        self.clients.list(client);
        let nick = self.clients[client].identity.nick();
        self.mail
            .write(|line| line.source(old.as_source()).command(b"NICK").trailing(nick));
        self.mail.post(client);
        self.post_to_neighbours(client, |_| true);
    }

    /// `USER name 0 * :real name`.
    pub(super) fn user(&mut self, from: ClientSlot, message: &Message<'_>) {
        let (user, real_name) = (message.parameters[0], message.parameters[3]);
        let client = &mut self.clients[from];
        let Stage::Registering(_) = client.stage else {
            return self.answer(from, ERR_ALREADYREGISTERED, &[]);
        };
        if user.is_empty() {
            return self.answer(from, ERR_NEEDMOREPARAMS, &[b"USER"]);
        }
        // The `~` says that nobody but the client itself vouches for the name.
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._".contains(byte);
        let mut name = vec![b'~'];
        name.extend(user.iter().copied().filter(is_plain).take(USER_BYTES - 1));
        if name.len() == 1 {
            return self.answer(from, ERR_INVALIDUSERNAME, &[]);
        }
        client.identity = client.identity.with_user(&name);
        client.real_name = cut(real_name, REAL_NAME_BYTES).into();
        self.complete_registration(from);
    }

    /// Registers a client that has said all that is needed.
    pub(super) fn complete_registration(&mut self, client: ClientSlot) {
        let identity = &self.clients[client].identity;
        let Stage::Registering(registration) = &self.clients[client].stage else {
            return;
        };
        if !identity.is_complete() || registration.is_negotiating {
            return;
        }
        if self.rules.password.is_some() && !registration.knows_password {
            self.counters.wrong_passwords += 1;
            self.answer(client, ERR_PASSWDMISMATCH, &[]);
            return self.depart(client, b"Password incorrect");
        }
        // Somebody else may have got it since NICK was answered.
        let nick = identity.nick();
        if self.clients.find(nick).is_some() {
            let nick = nick.to_vec();
            self.clients[client].identity = identity.without_nick();
            return self.answer(client, ERR_NICKNAMEINUSE, &[&nick]);
        }
        self.enroll(client);
        self.greet(client);
    }

    /// Makes a client one of those who are seen.
    pub(super) fn enroll(&mut self, client: ClientSlot) {
        self.clients[client].stage = Stage::Registered;
        self.census.registering -= 1;
        self.census.registered += 1;
        self.census.most_registered = self.census.most_registered.max(self.census.registered);
        self.clients.list(client);
    }

    /// What every client is told first: 001 to 005, who is here, the MOTD.
    fn greet(&mut self, to: ClientSlot) {
        let client = &self.clients[to];
        let (server, network) = (&self.rules.server_name, &self.rules.network);
        self.mail.reply(client, RPL_WELCOME, |line| {
            line.trailing_display(format_args!("Welcome to the {network} Network, "))
                .append(client.identity.as_source())
        });
        self.mail.reply(client, RPL_YOURHOST, |line| {
            line.trailing_display(format_args!(
                "Your host is {server}, running version {VERSION}"
            ))
        });
        self.mail.reply(client, RPL_CREATED, |line| {
            let started = Utc::from(self.started);
            line.trailing_display(format_args!("This server was created {started}"))
        });
        self.mail.reply(client, RPL_MYINFO, |line| {
            let line = line
                .parameter(server.as_bytes())
                .parameter(VERSION.as_bytes());
            line.parameter(user_mode_letters().as_bytes())
                .parameter(mode_letters(|_| true).as_bytes())
                .parameter(mode_letters(|mode| mode.takes_parameter(true)).as_bytes())
        });
        self.send_isupport(to);
        self.send_lusers(to);
        self.send_motd(to);
    }

    /// `PING token`.
    pub(super) fn answer_ping(&mut self, from: ClientSlot, message: &Message<'_>) {
        let token = message.parameters[0];
        if token.is_empty() {
            return self.answer(from, ERR_NOORIGIN, &[]);
        }
        self.mail.command_to(&self.clients[from], b"PONG", |line| {
            line.parameter(self.rules.server_name.as_bytes())
                .trailing(token)
        });
    }

    /// `PONG token`: that a line came was all there was to know.
    #[expect(
        clippy::unused_self,
        reason = "a command is a method, also one that does nothing"
    )]
    pub(super) fn pong(&mut self, _: ClientSlot, _: &Message<'_>) {}
}
