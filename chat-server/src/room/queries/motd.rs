//! MOTD: the message of the day.

use chat_protocol::Message;

use super::answer::Answer;
use crate::room::client::ClientSlot;
use crate::room::numerics::{ERR_NOMOTD, RPL_ENDOFMOTD, RPL_MOTD, RPL_MOTDSTART};
use crate::room::state::State;

impl State {
    /// `MOTD [server]`.
    pub(in crate::room) fn motd(&mut self, from: ClientSlot, message: &Message<'_>) {
        if self.is_asked(from, message.parameters.first().copied()) {
            self.send_motd(from);
        }
    }

    /// Sends the message of the day, as MOTD does and registration too.
    pub(in crate::room) fn send_motd(&mut self, to: ClientSlot) {
        if self.rules.motd.is_empty() {
            return self.answer(to, ERR_NOMOTD, &[]);
        }
        let server = &self.rules.server_name;
        let client = &self.clients[to];
        let mut answer = Answer::new(&mut self.mail, client, &self.rules.limits);
        answer.line(RPL_MOTDSTART, |line| {
            line.trailing_display(format_args!("- {server} Message of the day - "))
        });
        for text in &self.rules.motd {
            answer.line(RPL_MOTD, |line| {
                line.trailing_display(format_args!("- {text}"))
            });
        }
        answer.close("MOTD");
        self.answer(to, RPL_ENDOFMOTD, &[]);
    }
}
