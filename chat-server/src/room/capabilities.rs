//! The IRCv3 capabilities that this server really has, and CAP, by which a
//! client asks for them.
//!
//! Shows: one table that LS, REQ and LIST read; a REQ is granted as a whole or
//! not at all.
//! Leaves out: capabilities about accounts (`account-notify`, `account-tag`,
//! `sasl`) and changing hosts (`chghost`): there are none here, so offering
//! them would promise what never happens.
//!
//! Source: <https://ircv3.net/specs/extensions/capability-negotiation>.

use bitflags::bitflags;
use chat_protocol::Message;
use serde::{Deserialize, Serialize};

use super::client::{ClientSlot, Stage};
use super::limits::REQUEST_BYTES;
use super::numerics::ERR_INVALIDCAPCMD;
use super::state::State;

bitflags! {
    /// What a client has asked for with CAP REQ.
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
    #[serde(transparent)]
    pub(super) struct Capabilities: u16 {
        const AWAY_NOTIFY = 1 << 0;
        const CAP_NOTIFY = 1 << 1;
        const ECHO_MESSAGE = 1 << 2;
        const EXTENDED_JOIN = 1 << 3;
        const INVITE_NOTIFY = 1 << 4;
        const MESSAGE_TAGS = 1 << 5;
        const MULTI_PREFIX = 1 << 6;
        const SERVER_TIME = 1 << 7;
        const SETNAME = 1 << 8;
        const USERHOST_IN_NAMES = 1 << 9;
        /// Not a capability but how the client spoke of them: `CAP LS 302`,
        /// which keeps `cap-notify` on for good and allows longer answers.
        const VERSION_302 = 1 << 15;
    }
}

/// Every capability by its name, in the order in which CAP LS shows them.
const OFFERED: [(&str, Capabilities); 10] = [
    ("away-notify", Capabilities::AWAY_NOTIFY),
    ("cap-notify", Capabilities::CAP_NOTIFY),
    ("echo-message", Capabilities::ECHO_MESSAGE),
    ("extended-join", Capabilities::EXTENDED_JOIN),
    ("invite-notify", Capabilities::INVITE_NOTIFY),
    ("message-tags", Capabilities::MESSAGE_TAGS),
    ("multi-prefix", Capabilities::MULTI_PREFIX),
    ("server-time", Capabilities::SERVER_TIME),
    ("setname", Capabilities::SETNAME),
    ("userhost-in-names", Capabilities::USERHOST_IN_NAMES),
];

impl State {
    /// `CAP LS [version]`, `LIST`, `REQ :names`, `END`.
    pub(super) fn cap(&mut self, from: ClientSlot, message: &Message<'_>) {
        let argument = message.parameters.get(1).copied().unwrap_or_default();
        match message.parameters[0].to_ascii_uppercase().as_slice() {
            b"LS" => self.cap_ls(from, argument),
            b"LIST" => {
                let enabled = self.mail.capabilities(from);
                self.send_capabilities(from, b"LIST", enabled);
            }
            b"REQ" => self.cap_req(from, argument),
            b"END" => {
                if let Stage::Registering(registration) = &mut self.clients[from].stage {
                    registration.is_negotiating = false;
                    self.complete_registration(from);
                }
            }
            _ => self.answer(from, ERR_INVALIDCAPCMD, &[message.parameters[0]]),
        }
    }

    fn cap_ls(&mut self, from: ClientSlot, version: &[u8]) {
        self.hold_registration(from);
        let version = str::from_utf8(version)
            .ok()
            .and_then(|version| version.parse::<u32>().ok());
        if version.is_some_and(|version| version >= 302) {
            let implied = Capabilities::VERSION_302 | Capabilities::CAP_NOTIFY;
            self.mail
                .set_capabilities(from, self.mail.capabilities(from) | implied);
        }
        self.send_capabilities(from, b"LS", Capabilities::all());
    }

    fn cap_req(&mut self, from: ClientSlot, names: &[u8]) {
        self.hold_registration(from);
        let before = self.mail.capabilities(from);
        let mut after = (names.len() <= REQUEST_BYTES).then_some(before);
        for name in names
            .split(|&byte| byte == b' ')
            .filter(|name| !name.is_empty())
        {
            after = after.and_then(|set| changed(set, name));
        }
        let answer: &[u8] = if after.is_some() { b"ACK" } else { b"NAK" };
        self.mail.command_to(&self.clients[from], b"CAP", |line| {
            line.parameter(self.clients[from].identity.nick())
                .parameter(answer)
                .trailing(names)
        });
        // Only now: the ACK itself is in the form agreed on before it.
        self.mail.set_capabilities(from, after.unwrap_or(before));
    }

    /// CAP LS and CAP REQ say that the client wants to negotiate first.
    fn hold_registration(&mut self, client: ClientSlot) {
        if let Stage::Registering(registration) = &mut self.clients[client].stage {
            registration.is_negotiating = true;
        }
    }

    fn send_capabilities(&mut self, to: ClientSlot, subcommand: &[u8], set: Capabilities) {
        let names: Vec<&str> = OFFERED
            .iter()
            .filter(|(_, capability)| set.contains(*capability))
            .map(|(name, _)| *name)
            .collect();
        let client = &self.clients[to];
        self.mail.command_to(client, b"CAP", |line| {
            let line = line.parameter(client.identity.nick()).parameter(subcommand);
            line.trailing(names.join(" ").as_bytes())
        });
    }
}

/// `set` with the change that one word of a REQ asks for; `None` if it cannot
/// be made.
fn changed(set: Capabilities, word: &[u8]) -> Option<Capabilities> {
    let (name, is_wanted) = match word.strip_prefix(b"-") {
        Some(name) => (name, false),
        None => (word, true),
    };
    let (_, capability) = OFFERED
        .iter()
        .find(|(offered, _)| offered.as_bytes() == name)?;
    let is_fixed =
        set.contains(Capabilities::VERSION_302) && *capability == Capabilities::CAP_NOTIFY;
    match (is_wanted, is_fixed) {
        (true, _) => Some(set | *capability),
        (false, false) => Some(set - *capability),
        (false, true) => None,
    }
}
