//! Logging in to an account of the network: SASL PLAIN.
//!
//! Shows: a conversation within the registration, which the client must not
//! leave hanging: registration waits for its end, whatever that is.
//! Leaves out: other mechanisms. PLAIN sends the password as it is, so whoever
//! carries the connection can read it.
//!
//! Source: <https://ircv3.net/specs/extensions/sasl-3.1>, RFC 4616.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::Session;
use super::capabilities::SASL;

const MECHANISM: &[u8] = b"PLAIN";

/// The longest piece of an answer; a shorter one, or `+`, is the last.
const PIECE_BYTES: usize = 400;

/// How far it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Login {
    /// Not begun, or not wanted.
    #[default]
    Open,
    /// The mechanism is named.
    Named,
    /// The password is on its way.
    Sent,
    Done,
    Failed,
}

impl Login {
    /// Whether the server has a word to say in it.
    pub(super) fn is_under_way(self) -> bool {
        matches!(self, Login::Named | Login::Sent)
    }
}

impl Session {
    /// Whether there is an account to log in to, and the server can do it.
    pub(super) fn wants_login(&self) -> bool {
        let offer = self.capabilities.offer(SASL);
        // Older servers do not say which mechanisms they have.
        let is_offered = offer.is_some_and(|mechanisms| {
            let mut names = mechanisms.split(|&byte| byte == b',');
            mechanisms.is_empty() || names.any(|name| name.eq_ignore_ascii_case(MECHANISM))
        });
        self.settings.account.is_some() && self.login == Login::Open && is_offered
    }

    /// The server has agreed to `sasl`.
    pub(super) fn begin_login(&mut self) {
        if self.wants_login() {
            self.login = Login::Named;
            let line = self.outbox.reply().command(b"AUTHENTICATE");
            line.parameter(MECHANISM).finish();
        }
    }

    /// `AUTHENTICATE +`: the server takes the password now.
    pub(super) fn take_authenticate(&mut self, parameter: &[u8]) {
        let (Login::Named, b"+", Some(account)) =
            (self.login, parameter, self.settings.account.as_ref())
        else {
            return;
        };
        self.login = Login::Sent;
        let answer = STANDARD.encode(format!("\0{}\0{}", account.name, account.password.0));
        let mut pieces: Vec<&[u8]> = answer.as_bytes().chunks(PIECE_BYTES).collect();
        if pieces.last().is_some_and(|last| last.len() == PIECE_BYTES) {
            pieces.push(b"+");
        }
        for piece in pieces {
            let line = self.outbox.reply().command(b"AUTHENTICATE");
            line.parameter(piece).finish();
        }
    }

    /// A numeric that ends it, one way or the other.
    pub(super) fn end_login(&mut self, number: u16) {
        if !self.login.is_under_way() {
            return;
        }
        // Logged in, or logged in already.
        self.login = if matches!(number, 903 | 907) {
            Login::Done
        } else {
            Login::Failed
        };
        if self.login == Login::Failed {
            self.say_no_login("the server has refused the password");
        }
        self.go_on_negotiating();
    }

    /// The server has let the person in: says so if it was without logging in.
    pub(super) fn review_login(&mut self) {
        if self.login == Login::Open && self.settings.account.is_some() {
            self.say_no_login("the server does not offer SASL PLAIN");
        }
    }

    fn say_no_login(&mut self, why: &str) {
        if let Some(account) = &self.settings.account {
            let hint = format!("not logged in as {}: {why}", account.name);
            self.hint(hint);
        }
    }
}
