//! What operators of the server do: OPER, KILL, WALLOPS.

use chat_protocol::Message;

use super::client::{ClientSlot, UserModes};
use super::limits::MAX_WRONG_GUESSES;
use super::numerics::{
    ERR_CANTKILLSERVER, ERR_NOOPERHOST, ERR_NOPRIVILEGES, ERR_NOSUCHNICK, ERR_PASSWDMISMATCH,
    RPL_YOUREOPER,
};
use super::state::State;

impl State {
    /// `OPER name password`. Only so many wrong ones are heard from a client.
    pub(super) fn oper(&mut self, from: ClientSlot, message: &Message<'_>) {
        let (name, password) = (message.parameters[0], message.parameters[1]);
        if self.rules.operators.is_empty() {
            return self.answer(from, ERR_NOOPERHOST, &[]);
        }
        // A wrong name and a wrong password look the same from outside.
        let operator = self
            .rules
            .operators
            .iter()
            .find(|known| known.name.as_bytes() == name);
        if !operator.is_some_and(|operator| operator.password.matches(password)) {
            self.counters.wrong_passwords += 1;
            self.answer(from, ERR_PASSWDMISMATCH, &[]);
            return self.note_wrong_guess(from);
        }
        self.answer(from, RPL_YOUREOPER, &[]);
        self.set_user_modes(from, self.clients[from].modes | UserModes::OPERATOR);
    }

    /// Counts a wrong password against a client, and puts it out if it goes on:
    /// it is then a program that guesses, or a person who has to look it up.
    fn note_wrong_guess(&mut self, client: ClientSlot) {
        let guesses = &mut self.clients[client].wrong_guesses;
        *guesses += 1;
        if *guesses == MAX_WRONG_GUESSES {
            self.counters.clients_guessing += 1;
            self.depart(client, b"Too many wrong passwords");
        }
    }

    /// `KILL nick reason`.
    pub(super) fn kill(&mut self, from: ClientSlot, message: &Message<'_>) {
        let (nick, reason) = (message.parameters[0], message.parameters[1]);
        if !self.clients[from].is_operator() {
            return self.answer(from, ERR_NOPRIVILEGES, &[]);
        }
        let Some(victim) = self.clients.find(nick) else {
            if nick == self.rules.server_name.as_bytes() {
                return self.answer(from, ERR_CANTKILLSERVER, &[]);
            }
            return self.answer(from, ERR_NOSUCHNICK, &[nick]);
        };
        let killer = &self.clients[from].identity;
        self.mail.write(|line| {
            let line = line.source(killer.as_source()).command(b"KILL");
            line.parameter(self.clients[victim].identity.nick())
                .trailing(reason)
        });
        self.mail.post(victim);
        let why = [b"Killed (", killer.nick(), b" (", reason, b"))"].concat();
        self.depart(victim, &why);
    }

    /// `WALLOPS :text`, to everybody who has user mode `w`.
    pub(super) fn wallops(&mut self, from: ClientSlot, message: &Message<'_>) {
        if !self.clients[from].is_operator() {
            return self.answer(from, ERR_NOPRIVILEGES, &[]);
        }
        let source = self.clients[from].identity.as_source();
        self.mail.write(|line| {
            line.source(source)
                .command(b"WALLOPS")
                .trailing(message.parameters[0])
        });
        for client in self.clients.iter() {
            if client.is_registered() && client.modes.contains(UserModes::WALLOPS) {
                self.mail.post(client.slot);
            }
        }
    }
}
