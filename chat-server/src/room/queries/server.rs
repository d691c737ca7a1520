//! What the server says about itself: ADMIN, INFO, LINKS, TIME, VERSION.

use chapter::{Utc, unix_seconds};
use chat_protocol::{Message, mask_matches};

use crate::room::client::ClientSlot;
use crate::room::numerics::{
    ERR_NOADMININFO, RPL_ADMINEMAIL, RPL_ADMINLOC1, RPL_ADMINLOC2, RPL_ADMINME, RPL_ENDOFINFO,
    RPL_ENDOFLINKS, RPL_INFO, RPL_LINKS, RPL_TIME, RPL_VERSION,
};
use crate::room::registration::VERSION;
use crate::room::state::State;

/// What this server is, in one line.
pub(super) const DESCRIPTION: &str = "A chat room on one epoll loop";

impl State {
    /// `ADMIN [server]`: who runs the server.
    pub(in crate::room) fn admin(&mut self, from: ClientSlot, message: &Message<'_>) {
        if !self.is_asked(from, message.parameters.first().copied()) {
            return;
        }
        let client = &self.clients[from];
        let name = self.rules.server_name.as_bytes();
        if self.rules.administrator.is_empty() {
            return self
                .mail
                .reply(client, ERR_NOADMININFO, |line| line.parameter(name));
        }
        self.mail
            .reply(client, RPL_ADMINME, |line| line.parameter(name));
        let numerics = [RPL_ADMINLOC1, RPL_ADMINLOC2, RPL_ADMINEMAIL];
        for (numeric, text) in numerics.into_iter().zip(&self.rules.administrator) {
            self.mail
                .reply(client, numeric, |line| line.trailing(text.as_bytes()));
        }
    }

    /// `INFO [server]`: what the server is.
    pub(in crate::room) fn info(&mut self, from: ClientSlot, message: &Message<'_>) {
        if !self.is_asked(from, message.parameters.first().copied()) {
            return;
        }
        let started = Utc::from(self.started);
        let lines = [
            format!("{VERSION}: {DESCRIPTION}."),
            "One thread serves everybody here: it waits in epoll_wait(2) until some of".to_owned(),
            "the connections are ready, reads and writes what it can, and waits again.".to_owned(),
            "It is part of epoll-workshop, which teaches I/O multiplexing with programs".to_owned(),
            "that are meant to be read, under the MIT or the Apache 2.0 licence.".to_owned(),
            format!("Running since {started}."),
            "HELP lists the commands.".to_owned(),
        ];
        let client = &self.clients[from];
        for text in lines {
            self.mail
                .reply(client, RPL_INFO, |line| line.trailing(text.as_bytes()));
        }
        self.answer(from, RPL_ENDOFINFO, &[]);
    }

    /// `LINKS [mask]`: the servers of the network, of which there is one.
    pub(in crate::room) fn links(&mut self, from: ClientSlot, message: &Message<'_>) {
        let mask = message.parameters.last().copied().unwrap_or(b"*");
        let name = self.rules.server_name.as_bytes();
        if mask_matches(mask, name) {
            self.mail.reply(&self.clients[from], RPL_LINKS, |line| {
                line.parameter(name)
                    .parameter(name)
                    .trailing_display(format_args!("0 {DESCRIPTION}"))
            });
        }
        self.answer(from, RPL_ENDOFLINKS, &[mask]);
    }

    /// `TIME [server]`: the server's clock.
    pub(in crate::room) fn time(&mut self, from: ClientSlot, message: &Message<'_>) {
        if !self.is_asked(from, message.parameters.first().copied()) {
            return;
        }
        let now = self.now.wall;
        self.mail.reply(&self.clients[from], RPL_TIME, |line| {
            line.parameter(self.rules.server_name.as_bytes())
                .parameter_display(unix_seconds(now))
                .trailing_display(Utc::from(now))
        });
    }

    /// `VERSION [server]`: which program this is, and what it has.
    pub(in crate::room) fn version(&mut self, from: ClientSlot, message: &Message<'_>) {
        if !self.is_asked(from, message.parameters.first().copied()) {
            return;
        }
        self.mail.reply(&self.clients[from], RPL_VERSION, |line| {
            line.parameter(VERSION.as_bytes())
                .parameter(self.rules.server_name.as_bytes())
                .trailing(DESCRIPTION.as_bytes())
        });
        self.send_isupport(from);
    }
}
