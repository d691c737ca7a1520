//! How a connection begins, up to the welcome of the server and the first joins.
//!
//! Shows: a taken nick is no reason to give up.
//!
//! Source: <https://modern.ircdocs.horse/#connection-registration>.

use chat_protocol::NICK_BYTES;

use super::{Batches, Isupport, Login, Questions, Session, Stage};

/// How often an underscore is put behind a nick that is taken.
pub(super) const MAX_UNDERSCORES: usize = 5;

impl Session {
    /// A connection stands: asks to be registered.
    pub(crate) fn connect(&mut self) {
        self.stage = Stage::Registering { underscores: 0 };
        self.isupport = Isupport::default();
        self.last_words = None;
        self.has_heard_irc = false;
        self.foreign_words = None;
        self.user_and_host = None;
        self.login = Login::default();
        self.batches = Batches::default();
        self.questions = Questions::default();
        self.said_to_oneself = None;
        self.begin_negotiation();
        if let Some(password) = &self.settings.server_password {
            let line = self.outbox.reply().command(b"PASS");
            line.trailing(password.0.as_bytes()).finish();
        }
        self.ask_for_nick();
        self.outbox
            .reply()
            .command(b"USER")
            .parameter(self.settings.user.as_bytes())
            .parameter(b"0")
            .parameter(b"*")
            .trailing(self.settings.real_name.as_bytes())
            .finish();
    }

    fn ask_for_nick(&mut self) {
        let underscores = match self.stage {
            Stage::Registering { underscores } => underscores,
            _ => 0,
        };
        let wanted = &self.settings.nick;
        let kept = wanted.len().min(NICK_BYTES - underscores);
        let nick = format!("{}{}", &wanted[..kept], "_".repeat(underscores));
        self.outbox
            .reply()
            .command(b"NICK")
            .parameter(nick.as_bytes())
            .finish();
        self.nick = nick.into_bytes();
    }

    /// The server has let the person in, by this nick.
    pub(super) fn enter(&mut self, nick: &[u8]) {
        let Stage::Registering { underscores } = self.stage else {
            return;
        };
        self.stage = Stage::Registered;
        if !nick.is_empty() {
            self.nick = nick.to_vec();
        }
        self.capabilities.close();
        let wanted = &self.settings.nick;
        if !self.is_me(wanted.as_bytes()) {
            let nick = self.nick();
            let hint = if underscores > 0 {
                format!("the nick {wanted} is taken; you are {nick}")
            } else {
                format!("the server does not know you as {wanted}; you are {nick}")
            };
            self.hint(hint);
        }
        self.review_login();
        self.join_channels();
    }

    /// Enters every channel that the person wants to be in.
    fn join_channels(&mut self) {
        for channel in self.channels.iter() {
            let line = self
                .outbox
                .reply()
                .command(b"JOIN")
                .parameter(&channel.raw_name);
            let line = match &channel.key {
                Some(key) => line.parameter(key),
                None => line,
            };
            line.finish();
        }
    }

    /// The nick is taken: one more underscore, while there is room for one.
    pub(super) fn try_next_nick(&mut self) {
        let Stage::Registering { underscores } = &mut self.stage else {
            return;
        };
        if *underscores == MAX_UNDERSCORES {
            let nick = &self.settings.nick;
            let why =
                format!("the nick {nick} is taken, with up to {MAX_UNDERSCORES} _ behind it too");
            self.stage = Stage::Denied(why);
            return;
        }
        *underscores += 1;
        self.ask_for_nick();
    }
}
