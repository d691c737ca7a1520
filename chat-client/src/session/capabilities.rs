//! Which extensions of the protocol are in use on this connection.
//!
//! Shows: CAP: the server lists what it has, the client asks for what it knows,
//! and registration waits until both are done. A server that has never heard of
//! it lets the client in without, and everything works all the same.
//! Leaves out: `labeled-response` and what else would only pay for itself if
//! the client relied on it.
//!
//! Source: <https://ircv3.net/specs/extensions/capability-negotiation>.

use std::collections::{BTreeMap, BTreeSet};

use super::Session;

/// Prior messages of a channel, by both of its names.
pub(super) const HISTORY: [&str; 2] = ["chathistory", "draft/chathistory"];

pub(super) const SASL: &str = "sasl";

/// Everything that is asked for where it is offered.
const WANTED: [&str; 17] = [
    "account-notify",
    "away-notify",
    "batch",
    "cap-notify",
    HISTORY[0],
    HISTORY[1],
    "chghost",
    "echo-message",
    "extended-join",
    "invite-notify",
    "message-tags",
    "multi-prefix",
    SASL,
    "server-time",
    "setname",
    "standard-replies",
    "userhost-in-names",
];

/// The state of the negotiation, and what it has brought.
#[derive(Debug, Default)]
pub(super) struct Capabilities {
    /// Those of [`WANTED`] that the server has, with what it says of each.
    offered: BTreeMap<&'static str, Vec<u8>>,
    /// Asked for, and not answered.
    asked: Vec<&'static str>,
    enabled: BTreeSet<&'static str>,
    /// Whether the list of the server is still being sent.
    is_listing: bool,
    /// Whether the server waits for `CAP END` before it lets the client in.
    is_open: bool,
}

impl Capabilities {
    pub(super) fn has(&self, name: &str) -> bool {
        self.enabled.contains(name)
    }

    /// What the server says of a capability that it offers.
    pub(super) fn offer(&self, name: &str) -> Option<&[u8]> {
        self.offered.get(name).map(Vec::as_slice)
    }

    /// The server has let the client in, and waits for nothing.
    pub(super) fn close(&mut self) {
        self.is_open = false;
    }
}

impl Session {
    /// Asks the server what it has.
    pub(super) fn begin_negotiation(&mut self) {
        self.capabilities = Capabilities {
            is_listing: true,
            is_open: true,
            ..Capabilities::default()
        };
        let line = self.outbox.reply().command(b"CAP");
        line.parameter(b"LS").parameter(b"302").finish();
    }

    /// `CAP nick LS|NEW|DEL|ACK|NAK [*] :names`.
    pub(super) fn take_cap(&mut self, parameters: &[&[u8]]) {
        let Some((command, rest)) = parameters.get(1..).and_then(<[_]>::split_first) else {
            return;
        };
        let goes_on = rest.len() > 1 && rest[0] == b"*";
        let names = rest.last().copied().unwrap_or_default();
        let names = names.split(|&byte| byte == b' ');
        match command.to_ascii_uppercase().as_slice() {
            b"LS" if self.capabilities.is_listing => {
                self.note_offers(names);
                if !goes_on {
                    self.capabilities.is_listing = false;
                    self.request();
                }
            }
            b"NEW" => {
                self.note_offers(names);
                self.request();
            }
            b"DEL" => {
                for name in names.filter_map(wanted) {
                    self.capabilities.offered.remove(name);
                    self.capabilities.enabled.remove(name);
                }
            }
            b"ACK" => {
                for name in names {
                    self.grant(name);
                }
                self.go_on_negotiating();
            }
            b"NAK" => {
                // All or nothing: one of several may still be had alone.
                let refused: Vec<&str> = names.filter_map(wanted).collect();
                let capabilities = &mut self.capabilities;
                capabilities.asked.retain(|name| !refused.contains(name));
                if refused.len() > 1 {
                    for name in refused {
                        self.ask_for(&[name]);
                    }
                }
                self.go_on_negotiating();
            }
            _ => {}
        }
    }

    fn note_offers<'a>(&mut self, offers: impl Iterator<Item = &'a [u8]>) {
        for offer in offers {
            let at = offer.iter().position(|&byte| byte == b'=');
            let (name, value) = offer.split_at(at.unwrap_or(offer.len()));
            if let Some(name) = wanted(name) {
                let value = value.get(1..).unwrap_or_default().to_vec();
                self.capabilities.offered.insert(name, value);
            }
        }
    }

    /// Asks for everything that is offered and not there.
    fn request(&mut self) {
        let capabilities = &self.capabilities;
        let names: Vec<&str> = capabilities
            .offered
            .keys()
            .copied()
            .filter(|name| !capabilities.has(name) && !capabilities.asked.contains(name))
            .filter(|&name| name != SASL || self.wants_login())
            .collect();
        if !names.is_empty() {
            self.ask_for(&names);
        }
        self.go_on_negotiating();
    }

    fn ask_for(&mut self, names: &[&'static str]) {
        self.capabilities.asked.extend(names);
        let line = self.outbox.reply().command(b"CAP").parameter(b"REQ");
        line.trailing(names.join(" ").as_bytes()).finish();
    }

    /// The server agrees; with a minus before the name it takes it away.
    fn grant(&mut self, name: &[u8]) {
        let (is_taken, name) = match name.strip_prefix(b"-") {
            Some(name) => (true, name),
            None => (false, name),
        };
        let Some(name) = wanted(name) else {
            return;
        };
        let capabilities = &mut self.capabilities;
        capabilities.asked.retain(|&asked| asked != name);
        if is_taken {
            capabilities.enabled.remove(name);
        } else {
            capabilities.enabled.insert(name);
            if name == SASL {
                self.begin_login();
            }
        }
    }

    /// Lets the server let the client in, once nothing more is to be settled.
    pub(super) fn go_on_negotiating(&mut self) {
        let capabilities = &mut self.capabilities;
        let is_settled = !capabilities.is_listing && capabilities.asked.is_empty();
        if capabilities.is_open && is_settled && !self.login.is_under_way() {
            capabilities.is_open = false;
            let line = self.outbox.reply().command(b"CAP");
            line.parameter(b"END").finish();
        }
    }
}

/// The name of a capability that is wanted.
fn wanted(name: &[u8]) -> Option<&'static str> {
    WANTED.into_iter().find(|wanted| wanted.as_bytes() == name)
}
