//! AWAY: not being there for a while.

use chat_protocol::Message;

use super::capabilities::Capabilities;
use super::client::ClientSlot;
use super::limits::{AWAY_BYTES, cut};
use super::numerics::{RPL_NOWAWAY, RPL_UNAWAY};
use super::state::State;

impl State {
    /// `AWAY [text]`; without a text the client is back.
    pub(super) fn away(&mut self, from: ClientSlot, message: &Message<'_>) {
        let text = cut(
            message.parameters.first().copied().unwrap_or_default(),
            AWAY_BYTES,
        );
        let away: Option<Box<[u8]>> = (!text.is_empty()).then(|| text.into());
        self.answer(
            from,
            if away.is_some() {
                RPL_NOWAWAY
            } else {
                RPL_UNAWAY
            },
            &[],
        );
        let client = &mut self.clients[from];
        if client.away == away {
            return;
        }
        client.away = away;
        let client = &self.clients[from];
        self.mail.write(|line| {
            let line = line.source(client.identity.as_source()).command(b"AWAY");
            client
                .away
                .iter()
                .fold(line, |line, away| line.trailing(away))
        });
        self.mail.skip(from);
        self.post_to_neighbours(from, |has| has.contains(Capabilities::AWAY_NOTIFY));
    }
}
