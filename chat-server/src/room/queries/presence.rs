//! Whether people are here, and how much: ISON, USERHOST, idle time.

use chat_protocol::Message;

use super::answer::Answer;
use crate::room::client::{Client, ClientSlot};
use crate::room::limits::MAX_USERHOST_NICKS;
use crate::room::numerics::{Numeric, RPL_ISON, RPL_USERHOST};
use crate::room::state::{Now, State};

/// Seconds since a client last said something.
pub(super) fn idle_seconds(client: &Client, now: Now) -> u64 {
    let idle = now.instant.saturating_duration_since(client.last_spoke);
    idle.as_secs()
}

impl State {
    /// `ISON nick{ nick}`: those of them who are here.
    pub(in crate::room) fn ison(&mut self, from: ClientSlot, message: &Message<'_>) {
        // All of them in one last parameter is as good as one parameter each.
        let nicks = message.parameters.iter();
        let nicks = nicks.flat_map(|nicks| nicks.split(|&byte| byte == b' '));
        self.send_present(from, "ISON", RPL_ISON, nicks, |client| {
            [client.identity.nick()]
        });
    }

    /// `USERHOST nick{ nick}`: where they are from, and whether they are away.
    pub(in crate::room) fn userhost(&mut self, from: ClientSlot, message: &Message<'_>) {
        let nicks = message.parameters.iter().take(MAX_USERHOST_NICKS).copied();
        self.send_present(from, "USERHOST", RPL_USERHOST, nicks, |client| {
            [
                client.identity.nick(),
                if client.is_operator() { b"*" } else { b"" },
                if client.away.is_some() { b"=-" } else { b"=+" },
                client.identity.user_at_host(),
            ]
        });
    }

    /// Sends one word, in pieces, for each of these nicks that is here.
    fn send_present<'n, const PIECES: usize>(
        &mut self,
        to: ClientSlot,
        command: &str,
        numeric: Numeric,
        nicks: impl Iterator<Item = &'n [u8]>,
        word: impl for<'c> Fn(&'c Client) -> [&'c [u8]; PIECES],
    ) {
        let present = nicks.filter_map(|nick| self.clients.find(nick));
        let mut words = present.map(|client| word(&self.clients[client])).peekable();
        let client = &self.clients[to];
        if words.peek().is_none() {
            // The one answer of these that is sent also when it is empty.
            self.mail.reply(client, numeric, |line| line.trailing(b""));
        } else {
            let mut answer = Answer::new(&mut self.mail, client, &self.rules.limits);
            answer.words(numeric, |line| line, words);
            answer.close(command);
        }
    }
}
