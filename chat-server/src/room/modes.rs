//! MODE: which modes somebody or something has, and the words in which a change
//! of them is asked for and told.
//!
//! Leaves out: what each mode means (`channel_modes.rs`, `user_modes.rs`).

use chat_protocol::Message;

use super::client::ClientSlot;
use super::numerics::{ERR_NOSUCHCHANNEL, ERR_NOSUCHNICK, ERR_USERSDONTMATCH};
use super::state::State;

impl State {
    /// `MODE target [changes {parameter}]`.
    pub(super) fn mode(&mut self, from: ClientSlot, message: &Message<'_>) {
        let target = message.parameters[0];
        if target.starts_with(b"#") {
            match (self.channels.find(target), &message.parameters[1..]) {
                (None, _) => self.answer(from, ERR_NOSUCHCHANNEL, &[target]),
                (Some(channel), []) => self.send_channel_modes(from, channel),
                (Some(channel), [changes, parameters @ ..]) => {
                    self.change_channel_modes(from, channel, changes, parameters);
                }
            }
        } else {
            match (self.clients.find(target), message.parameters.get(1)) {
                (None, _) => self.answer(from, ERR_NOSUCHNICK, &[target]),
                (Some(client), _) if client != from => self.answer(from, ERR_USERSDONTMATCH, &[]),
                (Some(_), None) => self.send_user_modes(from),
                (Some(_), Some(changes)) => self.change_user_modes(from, changes),
            }
        }
    }
}

/// The letters of a mode word, each with whether it is to be set: `+a-bc` is a
/// set, b and c not. Letters before a sign are to be set.
pub(super) fn letters(word: &[u8]) -> impl Iterator<Item = (bool, char)> {
    let mut sets = true;
    // What is no UTF-8 does not get here.
    str::from_utf8(word)
        .unwrap_or_default()
        .chars()
        .filter_map(move |letter| {
            if letter == '+' || letter == '-' {
                sets = letter == '+';
                return None;
            }
            Some((sets, letter))
        })
}

/// A mode that was changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Change {
    pub(super) is_set: bool,
    pub(super) letter: char,
    pub(super) parameter: Option<Vec<u8>>,
}

/// The word for these changes: `+a-bc`.
pub(super) fn word(changes: &[Change]) -> String {
    let mut word = String::new();
    let mut sign = None;
    for change in changes {
        if sign.replace(change.is_set) != Some(change.is_set) {
            word.push(if change.is_set { '+' } else { '-' });
        }
        word.push(change.letter);
    }
    word
}
