//! SETNAME: another real name.

use chat_protocol::Message;

use super::capabilities::Capabilities;
use super::client::ClientSlot;
use super::limits::{REAL_NAME_BYTES, cut};
use super::numerics::ERR_NEEDMOREPARAMS;
use super::state::State;

impl State {
    /// `SETNAME :real name`.
    pub(super) fn set_real_name(&mut self, from: ClientSlot, message: &Message<'_>) {
        let name = cut(message.parameters[0], REAL_NAME_BYTES);
        if name.is_empty() {
            return self.answer(from, ERR_NEEDMOREPARAMS, &[b"SETNAME"]);
        }
        self.clients[from].real_name = name.into();
        let identity = &self.clients[from].identity;
        self.mail.write(|line| {
            line.source(identity.as_source())
                .command(b"SETNAME")
                .trailing(name)
        });
        if self.mail.capabilities(from).contains(Capabilities::SETNAME) {
            self.mail.post(from);
        }
        self.post_to_neighbours(from, |has| has.contains(Capabilities::SETNAME));
    }
}
