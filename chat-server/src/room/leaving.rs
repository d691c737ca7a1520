//! How a client goes: QUIT, and every other way.
//!
//! Shows: whoever shares a channel with it sees one QUIT, however many channels
//! they share; the client itself gets an ERROR, its last line.

use chat_protocol::Message;

use super::client::{ClientSlot, Stage, UserModes};
use super::state::State;

impl State {
    /// `QUIT [reason]`.
    pub(super) fn quit(&mut self, from: ClientSlot, message: &Message<'_>) {
        let reason = message.parameters.first().copied().unwrap_or_default();
        if reason.is_empty() {
            self.depart(from, b"Quit");
        } else {
            self.depart(from, &[b"Quit: ", reason].concat());
        }
    }

    /// Makes a client leave: the others see it quit with `reason`.
    pub(super) fn depart(&mut self, client: ClientSlot, reason: &[u8]) {
        if self.clients[client].is_registered() {
            let source = self.clients[client].identity.as_source();
            self.mail
                .write(|line| line.source(source).command(b"QUIT").trailing(reason));
            self.mail.skip(client);
            self.post_to_neighbours(client, |_| true);
        }
        self.dismiss(client, reason);
    }

    /// Takes a client out of all tables but that of connections and tells it
    /// why, and nobody else.
    pub(super) fn dismiss(&mut self, client: ClientSlot, reason: &[u8]) {
        let leaver = &mut self.clients[client];
        let was = std::mem::replace(&mut leaver.stage, Stage::Leaving);
        match was {
            Stage::Leaving => return,
            Stage::Registering(_) => self.census.registering -= 1,
            Stage::Registered => {
                self.remember_nick(client);
                self.census.registered -= 1;
                let leaver = &self.clients[client];
                self.census.invisible -= usize::from(leaver.modes.contains(UserModes::INVISIBLE));
                self.census.operators -= usize::from(leaver.is_operator());
                while let Some(membership) = self.clients[client].memberships.last() {
                    self.leave_channel(client, membership.channel);
                }
                self.clients.unlist(client);
            }
        }
        let leaver = &self.clients[client];
        let text = [
            b"Closing link: (",
            leaver.identity.user_at_host(),
            b") [",
            reason,
            b"]",
        ];
        self.mail
            .write(|line| line.command(b"ERROR").trailing(&text.concat()));
        self.mail.post_last(client);
    }
}
