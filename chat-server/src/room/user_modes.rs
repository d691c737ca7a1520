//! The modes of a user: `i`, `o`, `w`, `B`.

use super::client::{ClientSlot, UserModes};
use super::modes::{Change, letters, word};
use super::numerics::{ERR_UMODEUNKNOWNFLAG, RPL_UMODEIS};
use super::state::State;

/// Every user mode by its letter.
const LETTERS: [(char, UserModes); 4] = [
    ('B', UserModes::BOT),
    ('i', UserModes::INVISIBLE),
    ('o', UserModes::OPERATOR),
    ('w', UserModes::WALLOPS),
];

/// The letters of all user modes.
pub(super) fn user_mode_letters() -> String {
    LETTERS.iter().map(|(letter, _)| letter).collect()
}

impl State {
    /// Sends a client its own modes.
    pub(super) fn send_user_modes(&mut self, to: ClientSlot) {
        let client = &self.clients[to];
        let set: String = LETTERS
            .iter()
            .filter(|(_, mode)| client.modes.contains(*mode))
            .map(|(letter, _)| *letter)
            .collect();
        self.mail.reply(client, RPL_UMODEIS, |line| {
            line.parameter_display(format_args!("+{set}"))
        });
    }

    /// Changes a client's modes as it asks. Being an operator can be given up
    /// like this but not got.
    pub(super) fn change_user_modes(&mut self, from: ClientSlot, changes: &[u8]) {
        let mut modes = self.clients[from].modes;
        let mut all_known = true;
        for (is_set, letter) in letters(changes) {
            match LETTERS.iter().find(|(known, _)| *known == letter) {
                Some((_, UserModes::OPERATOR)) if is_set => {}
                Some((_, mode)) => modes.set(*mode, is_set),
                None => all_known = false,
            }
        }
        if !all_known {
            self.answer(from, ERR_UMODEUNKNOWNFLAG, &[]);
        }
        self.set_user_modes(from, modes);
    }

    /// Gives a client these modes, and tells it what changed.
    pub(super) fn set_user_modes(&mut self, client: ClientSlot, modes: UserModes) {
        let before = std::mem::replace(&mut self.clients[client].modes, modes);
        let differ = before.symmetric_difference(modes);
        let census = &mut self.census;
        for (mode, count) in [
            (UserModes::INVISIBLE, &mut census.invisible),
            (UserModes::OPERATOR, &mut census.operators),
        ] {
            if differ.contains(mode) {
                *count = if modes.contains(mode) {
                    *count + 1
                } else {
                    *count - 1
                };
            }
        }
        let change_of = |&(letter, mode): &(char, UserModes)| {
            let is_set = modes.contains(mode);
            differ.contains(mode).then_some(Change {
                is_set,
                letter,
                parameter: None,
            })
        };
        let changes: Vec<Change> = LETTERS.iter().filter_map(change_of).collect();
        if !changes.is_empty() {
            let identity = &self.clients[client].identity;
            self.mail.write(|line| {
                let line = line.source(identity.as_source()).command(b"MODE");
                line.parameter(identity.nick())
                    .trailing(word(&changes).as_bytes())
            });
            self.mail.post(client);
        }
    }
}
