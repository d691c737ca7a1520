//! WHOIS: all that may be known of one person.
//!
//! Leaves out: the numerics for accounts, encryption and hosts that are not the
//! address, of which there are none here.
//!
//! Source: <https://modern.ircdocs.horse/#whois-message>.

use chat_protocol::Message;

use super::answer::Answer;
use super::presence::idle_seconds;
use super::server::DESCRIPTION;
use crate::room::capabilities::Capabilities;
use crate::room::client::{ClientSlot, UserModes};
use crate::room::numerics::{
    ERR_NONICKNAMEGIVEN, ERR_NOSUCHNICK, RPL_AWAY, RPL_ENDOFWHOIS, RPL_WHOISBOT, RPL_WHOISCHANNELS,
    RPL_WHOISIDLE, RPL_WHOISOPERATOR, RPL_WHOISSERVER, RPL_WHOISUSER,
};
use crate::room::state::State;
use crate::room::view::known_channels;

impl State {
    /// `WHOIS [server] nick{,nick}`.
    pub(in crate::room) fn whois(&mut self, from: ClientSlot, message: &Message<'_>) {
        let (server, nicks) = match message.parameters[..] {
            [] => (None, &b""[..]),
            [nicks] => (None, nicks),
            [server, nicks, ..] => (Some(server), nicks),
        };
        if nicks.is_empty() {
            return self.answer(from, ERR_NONICKNAMEGIVEN, &[]);
        }
        if self.is_asked(from, server) {
            self.for_each_target(from, nicks, |state, nick| state.describe(from, nick));
        }
        // Clients wait for this one, whatever came before it.
        self.answer(from, RPL_ENDOFWHOIS, &[nicks]);
    }

    /// Sends what a client may know of the person with that nick.
    fn describe(&mut self, to: ClientSlot, nick: &[u8]) {
        let Some(found) = self.clients.find(nick) else {
            return self.answer(to, ERR_NOSUCHNICK, &[nick]);
        };
        let (asker, client) = (&self.clients[to], &self.clients[found]);
        let (identity, nick) = (&client.identity, client.identity.nick());
        let with_all_prefixes = self
            .mail
            .capabilities(to)
            .contains(Capabilities::MULTI_PREFIX);

        let mut answer = Answer::new(&mut self.mail, asker, &self.rules.limits);
        answer.line(RPL_WHOISUSER, |line| {
            line.parameter(nick)
                .parameter(identity.user())
                .parameter(identity.host())
                .parameter(b"*")
                .trailing(&client.real_name)
        });
        let channels = known_channels(asker, client, &self.channels)
            .map(|(channel, status)| [status.prefixes(with_all_prefixes), &channel.name]);
        answer.words(RPL_WHOISCHANNELS, |line| line.parameter(nick), channels);
        answer.line(RPL_WHOISSERVER, |line| {
            line.parameter(nick)
                .parameter(self.rules.server_name.as_bytes())
                .trailing(DESCRIPTION.as_bytes())
        });
        if let Some(away) = &client.away {
            answer.line(RPL_AWAY, |line| line.parameter(nick).trailing(away));
        }
        for (numeric, is_so) in [
            (RPL_WHOISOPERATOR, client.is_operator()),
            (RPL_WHOISBOT, client.modes.contains(UserModes::BOT)),
        ] {
            if is_so {
                answer.line(numeric, |line| line.parameter(nick));
            }
        }
        answer.line(RPL_WHOISIDLE, |line| {
            line.parameter(nick)
                .parameter_display(idle_seconds(client, self.now))
                .parameter_display(client.connected_at)
        });
        answer.close("WHOIS");
    }
}
