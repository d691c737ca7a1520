//! STATS: how long the server runs, and what it has done.

use std::fmt;
use std::time::Duration;

use chat_protocol::Message;

use crate::room::client::ClientSlot;
use crate::room::numerics::{RPL_ENDOFSTATS, RPL_STATSDEBUG, RPL_STATSUPTIME};
use crate::room::state::{Counters, State};

impl State {
    /// `STATS letter [server]`: `u` for the time since the start, `t` for the
    /// counters. Other letters, as on other servers, are answered with nothing
    /// but the end.
    pub(in crate::room) fn stats(&mut self, from: ClientSlot, message: &Message<'_>) {
        if !self.is_asked(from, message.parameters.get(1).copied()) {
            return;
        }
        let client = &self.clients[from];
        match message.parameters[0] {
            b"u" => {
                let up = self.now.wall.duration_since(self.started);
                // A clock that was put back must not fail here.
                let up = uptime(up.unwrap_or_default());
                self.mail.reply(client, RPL_STATSUPTIME, |line| {
                    line.trailing_display(format_args!("Server Up {up}"))
                });
            }
            b"t" => {
                for (count, what) in described(&self.counters()) {
                    self.mail.reply(client, RPL_STATSDEBUG, |line| {
                        line.trailing_display(format_args!("{count} {what}"))
                    });
                }
            }
            _ => {}
        }
        self.answer(from, RPL_ENDOFSTATS, &[message.parameters[0]]);
    }
}

/// `2 days 3:04:05`.
fn uptime(up: Duration) -> impl fmt::Display {
    let seconds = up.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    fmt::from_fn(move |formatter| {
        let seconds = seconds % 60;
        write!(formatter, "{days} days {hours}:{minutes:02}:{seconds:02}")
    })
}

/// Each counter in words. Whoever adds one is told by the compiler to add it
/// here.
fn described(counters: &Counters) -> [(u64, &'static str); 9] {
    let Counters {
        lines_received,
        lines_too_long,
        lines_not_utf8,
        lines_malformed,
        lines_queued,
        messages_cut,
        wrong_passwords,
        clients_guessing,
        clients_too_slow,
    } = *counters;
    [
        (lines_received, "lines received"),
        (lines_too_long, "of them too long"),
        (lines_not_utf8, "of them not UTF-8"),
        (lines_malformed, "of them no IRC message"),
        (lines_queued, "lines queued for sending"),
        (messages_cut, "messages cut to fit a line"),
        (wrong_passwords, "wrong passwords"),
        (clients_guessing, "clients put out for guessing passwords"),
        (clients_too_slow, "clients put out for reading too slowly"),
    ]
}
