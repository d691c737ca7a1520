//! The modes of a channel by their letters, and of which kind each is.
//!
//! Shows: one table from which commands are carried out, answers are written
//! and clients are told in 004 and 005 what there is.

use super::channel::{ChannelModes, Status};
use super::mask_lists::MaskList;

/// Every channel mode by its letter.
const MODES: [(char, Mode); 12] = [
    ('b', Mode::Masks(MaskList::Ban)),
    ('e', Mode::Masks(MaskList::BanExemption)),
    ('I', Mode::Masks(MaskList::InviteExemption)),
    ('i', Mode::Flag(ChannelModes::INVITE_ONLY)),
    ('k', Mode::Key),
    ('l', Mode::Limit),
    ('m', Mode::Flag(ChannelModes::MODERATED)),
    ('n', Mode::Flag(ChannelModes::NO_EXTERNAL)),
    ('o', Mode::Member(Status::OPERATOR)),
    ('s', Mode::Flag(ChannelModes::SECRET)),
    ('t', Mode::Flag(ChannelModes::TOPIC_LOCK)),
    ('v', Mode::Member(Status::VOICE)),
];

/// What a letter stands for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Mode {
    /// On or off.
    Flag(ChannelModes),
    Key,
    Limit,
    /// What a member is.
    Member(Status),
    /// An entry of a list.
    Masks(MaskList),
}

impl Mode {
    pub(super) fn from_letter(letter: char) -> Option<Mode> {
        let known = MODES.iter().find(|(known, _)| *known == letter)?;
        Some(known.1)
    }

    pub(super) fn takes_parameter(self, is_set: bool) -> bool {
        match self {
            Mode::Flag(_) => false,
            Mode::Limit => is_set,
            Mode::Key | Mode::Member(_) | Mode::Masks(_) => true,
        }
    }
}

/// The letters of the modes that `are_meant`, in the order of the table.
pub(super) fn mode_letters(are_meant: impl Fn(Mode) -> bool) -> String {
    let meant = MODES.iter().filter(|(_, mode)| are_meant(*mode));
    meant.map(|(letter, _)| letter).collect()
}

/// The modes without a parameter by their letters.
pub(super) fn flag_modes() -> impl Iterator<Item = (char, ChannelModes)> {
    MODES.iter().filter_map(|&(letter, mode)| match mode {
        Mode::Flag(flag) => Some((letter, flag)),
        _ => None,
    })
}
