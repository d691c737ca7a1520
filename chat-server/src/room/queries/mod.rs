//! Questions that clients ask about the server and about each other.
//!
//! Shows: what somebody may know is decided in one place (`view.rs`, beside
//! this folder), and how much of it fits into a queue in another (`answer.rs`); the commands between
//! them only say what to look for.
//! Leaves out: questions that a command also changes something with (MODE,
//! TOPIC, INVITE); they are with their families.

mod answer;
mod help;
mod list;
mod lusers;
mod motd;
mod names;
mod presence;
mod server;
mod stats;
mod who;
mod whois;
mod whowas;

pub(in crate::room) use whowas::NickHistory;

use chat_protocol::mask_matches;

use crate::room::client::ClientSlot;
use crate::room::limits::MAX_TARGETS;
use crate::room::numerics::{ERR_NOSUCHSERVER, ERR_TOOMANYTARGETS};
use crate::room::state::State;

impl State {
    /// Whether a question that may name a server is for this one; if it is not,
    /// the client is told that there is no such server. A server is named by a
    /// mask, or by the nick of somebody who is on it.
    fn is_asked(&mut self, from: ClientSlot, server: Option<&[u8]>) -> bool {
        let Some(server) = server.filter(|server| !server.is_empty()) else {
            return true;
        };
        let own_name = self.rules.server_name.as_bytes();
        let is_this = mask_matches(server, own_name) || self.clients.find(server).is_some();
        if !is_this {
            self.answer(from, ERR_NOSUCHSERVER, &[server]);
        }
        is_this
    }

    /// Calls `each` for the names in a list with commas, and says so if there
    /// are more than one command may have.
    fn for_each_target(
        &mut self,
        from: ClientSlot,
        targets: &[u8],
        mut each: impl FnMut(&mut State, &[u8]),
    ) {
        let mut targets = targets.split(|&byte| byte == b',');
        for target in targets.by_ref().take(MAX_TARGETS) {
            each(self, target);
        }
        if let Some(excess) = targets.next() {
            self.answer(from, ERR_TOOMANYTARGETS, &[excess]);
        }
    }
}
