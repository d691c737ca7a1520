//! Completion of the word before the cursor.
//!
//! Shows: those who spoke last come first; who has left is not offered; pressing
//! the key again goes on to the next.

use crate::session::{Member, Session};

use super::buffer::{Buffer, Place};
use super::buffers::Buffers;
use super::commands;

/// A completion that can be gone on with.
#[derive(Debug)]
pub(crate) struct Completion {
    /// What stood there, at last.
    candidates: Vec<String>,
    /// Which of them stands there now.
    at: usize,
}

impl Completion {
    /// The ways to complete what stands before the cursor; none if there is no
    /// way.
    pub(crate) fn begin(buffers: &Buffers, session: &Session) -> Option<Completion> {
        let buffer = buffers.current();
        let before = buffer.input.before_cursor();
        let start = before.rfind(' ').map_or(0, |at| at + 1);
        let word = &before[start..];
        let mut candidates = if start == 0 && word.starts_with('/') && !word.starts_with("//") {
            command_names(word)
        } else if word.starts_with(['#', '&']) {
            channel_names(word, buffers, session)
        } else {
            let tail = if start == 0 { ": " } else { " " };
            nicks(word, buffer, session)
                .map(|nick| format!("{nick}{tail}"))
                .collect()
        };
        if candidates.is_empty() {
            return None;
        }
        candidates.push(word.to_owned());
        let at = candidates.len() - 1;
        Some(Completion { candidates, at })
    }

    /// Puts the next way, or the one before, into the line.
    pub(crate) fn step(&mut self, buffer: &mut Buffer, is_back: bool) {
        let count = self.candidates.len();
        let shown = self.candidates[self.at].len();
        let step = if is_back { count - 1 } else { 1 };
        self.at = (self.at + step) % count;
        // A single way is the end: what was typed does not come back.
        if count == 2 {
            self.at = 0;
        }
        buffer
            .input
            .replace_before_cursor(shown, &self.candidates[self.at]);
    }
}

fn command_names(word: &str) -> Vec<String> {
    let typed = word.to_ascii_lowercase();
    let mut names: Vec<String> = commands::names()
        .map(|name| format!("/{name} "))
        .filter(|name| name.starts_with(&typed))
        .collect();
    names.sort();
    names.dedup();
    names
}

fn channel_names(word: &str, buffers: &Buffers, session: &Session) -> Vec<String> {
    let typed = session.fold(word);
    let open = buffers.iter().filter_map(|buffer| match &buffer.place {
        Place::Channel(name) => Some(name.as_str()),
        _ => None,
    });
    open.filter(|name| session.fold(name).starts_with(&typed))
        .map(|name| format!("{name} "))
        .collect()
}

/// The nicks that begin so and are here: who spoke last first, then the others
/// by name, the person himself last.
fn nicks(word: &str, buffer: &Buffer, session: &Session) -> impl Iterator<Item = String> {
    let typed = session.fold(word);
    let own = session.fold(&session.nick());
    let mut here: Vec<(String, String)> = match &buffer.place {
        Place::Channel(name) => session.channel(name).map_or_else(Vec::new, |channel| {
            let members = channel.members().map(Member::nick);
            members
                .map(|nick| (session.fold(nick), nick.to_owned()))
                .collect()
        }),
        Place::Private(nick) => vec![(session.fold(nick), nick.clone())],
        Place::Server | Place::Mentions => Vec::new(),
    };
    here.retain(|(folded, _)| folded.starts_with(&typed));
    let speakers: Vec<&str> = buffer.speakers().collect();
    here.sort_by_cached_key(|(folded, _)| {
        let spoke = speakers.iter().position(|speaker| speaker == folded);
        (*folded == own, spoke.unwrap_or(usize::MAX), folded.clone())
    });
    here.into_iter().map(|(_, nick)| nick)
}
