//! WHOWAS: people who had a nick and have it no more.
//!
//! Shows: a history with a limit is a queue whose oldest entry makes room for
//! the newest.
//!
//! Source: <https://modern.ircdocs.horse/#whowas-message>.

use std::collections::VecDeque;
use std::time::{Duration, UNIX_EPOCH};

use chapter::{Utc, unix_seconds};
use chat_protocol::{Message, eq_ignore_case};

use super::answer::Answer;
use crate::room::client::{ClientSlot, Identity};
use crate::room::limits::MAX_REMEMBERED_NICKS;
use crate::room::numerics::{
    ERR_NONICKNAMEGIVEN, ERR_WASNOSUCHNICK, RPL_ENDOFWHOWAS, RPL_WHOISSERVER, RPL_WHOWASUSER,
};
use crate::room::state::State;

/// Somebody who had a nick.
#[derive(Debug)]
struct Formerly {
    identity: Identity,
    real_name: Box<[u8]>,
    /// When the nick was given up, in seconds since 1970.
    until: u64,
}

/// Nicks that were given up, newest first.
#[derive(Debug, Default)]
pub(in crate::room) struct NickHistory {
    entries: VecDeque<Formerly>,
}

impl NickHistory {
    /// Remembers a nick that was given up at `until`, in seconds since 1970.
    pub(in crate::room) fn add(&mut self, identity: Identity, real_name: Box<[u8]>, until: u64) {
        self.entries.truncate(MAX_REMEMBERED_NICKS - 1);
        self.entries.push_front(Formerly {
            identity,
            real_name,
            until,
        });
    }

    /// Who had a nick, the real name, and until when; newest first.
    pub(in crate::room) fn iter(&self) -> impl Iterator<Item = (&Identity, &[u8], u64)> {
        self.entries
            .iter()
            .map(|entry| (&entry.identity, &*entry.real_name, entry.until))
    }

    /// Those who had `nick`, the last of them first.
    fn holders(&self, nick: &[u8]) -> impl Iterator<Item = &Formerly> {
        self.entries
            .iter()
            .filter(move |entry| eq_ignore_case(entry.identity.nick(), nick))
    }
}

impl State {
    /// Keeps for WHOWAS that a client gives up its nick.
    pub(in crate::room) fn remember_nick(&mut self, client: ClientSlot) {
        let client = &self.clients[client];
        let identity = &client.identity;
        self.nick_history.add(
            Identity::new(identity.nick(), identity.user(), identity.host()),
            client.real_name.clone(),
            unix_seconds(self.now.wall),
        );
    }

    /// `WHOWAS nick{,nick} [count [server]]`; all there are without a count, or
    /// with one that is not positive.
    pub(in crate::room) fn whowas(&mut self, from: ClientSlot, message: &Message<'_>) {
        let parameter = |index: usize| message.parameters.get(index).copied();
        let nicks = parameter(0).unwrap_or_default();
        if nicks.is_empty() {
            return self.answer(from, ERR_NONICKNAMEGIVEN, &[]);
        }
        let count = parameter(1)
            .and_then(|count| str::from_utf8(count).ok()?.parse().ok())
            .filter(|count| *count > 0)
            .unwrap_or(usize::MAX);
        if self.is_asked(from, parameter(2)) {
            self.for_each_target(from, nicks, |state, nick| state.recall(from, nick, count));
        }
        self.answer(from, RPL_ENDOFWHOWAS, &[nicks]);
    }

    fn recall(&mut self, to: ClientSlot, nick: &[u8], count: usize) {
        if self.nick_history.holders(nick).next().is_none() {
            return self.answer(to, ERR_WASNOSUCHNICK, &[nick]);
        }
        let asker = &self.clients[to];
        let mut answer = Answer::new(&mut self.mail, asker, &self.rules.limits);
        for Formerly {
            identity,
            real_name,
            until,
        } in self.nick_history.holders(nick).take(count)
        {
            answer.line(RPL_WHOWASUSER, |line| {
                line.parameter(identity.nick())
                    .parameter(identity.user())
                    .parameter(identity.host())
                    .parameter(b"*")
                    .trailing(real_name)
            });
            answer.line(RPL_WHOISSERVER, |line| {
                let until = Utc::from(UNIX_EPOCH + Duration::from_secs(*until));
                line.parameter(identity.nick())
                    .parameter(self.rules.server_name.as_bytes())
                    .trailing_display(until)
            });
        }
        answer.close("WHOWAS");
    }
}
