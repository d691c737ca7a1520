//! What the session asks the server by itself, for a screen.
//!
//! Shows: an answer looks the same whoever has asked; so it is remembered what
//! was asked here, and its answer is not told.

use super::capabilities::HISTORY;
use super::settings::Surface;
use super::{MAX_HISTORY_LINES, Session};

/// Who is away is not asked of larger channels: the answer is a line a person.
const MAX_PEOPLE: usize = 200;

/// The most questions that wait for an answer.
const MAX_OPEN: usize = 200;

/// Questions without an answer.
#[derive(Debug, Default)]
pub(super) struct Questions {
    open: Vec<(Question, Vec<u8>)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// MODE, for the modes of a channel.
    Modes,
    /// WHO, for those in a channel who are away.
    Away,
}

impl Session {
    /// The person has entered a channel: asks for its modes, and for what was
    /// said in it since it was last heard of.
    pub(super) fn ask_about(&mut self, channel: &[u8]) {
        if self.settings.surface != Surface::Screen {
            return;
        }
        self.ask(Question::Modes, channel);
        let has_history = HISTORY.iter().any(|name| self.capabilities.has(name));
        let limit = self.isupport.history_lines.filter(|&lines| lines > 0);
        let lines = self.settings.history_lines.min(MAX_HISTORY_LINES);
        let lines = lines.min(limit.unwrap_or(lines)).to_string();
        if !has_history || !self.capabilities.has("batch") || lines == "0" {
            return;
        }
        let heard = self.channels.find(channel, &self.isupport);
        let since = match heard.and_then(|channel| channel.heard) {
            Some(heard) => format!("timestamp={heard:.3}"),
            None => "*".to_owned(),
        };
        let words = [b"LATEST", channel, since.as_bytes(), lines.as_bytes()];
        self.outbox.ask(b"CHATHISTORY", &words);
    }

    /// The server has listed who is in a channel: asks who of them is away, if
    /// it is going to say when that changes.
    pub(super) fn ask_who_is_away(&mut self, channel: &[u8]) {
        let is_new = self
            .channels
            .find_mut(channel, &self.isupport)
            .is_some_and(|channel| {
                !std::mem::replace(&mut channel.is_listed, true)
                    && channel.member_count() <= MAX_PEOPLE
            });
        let is_screen = self.settings.surface == Surface::Screen;
        if is_new && is_screen && self.capabilities.has("away-notify") {
            self.ask(Question::Away, channel);
        }
    }

    fn ask(&mut self, question: Question, channel: &[u8]) {
        if self.questions.open.len() < MAX_OPEN {
            self.questions.open.push((question, channel.to_vec()));
            let command: &[u8] = match question {
                Question::Modes => b"MODE",
                Question::Away => b"WHO",
            };
            self.outbox.ask(command, &[channel]);
        }
    }

    /// Whether this was asked here.
    pub(super) fn has_asked(&self, question: Question, channel: &[u8]) -> bool {
        let case_mapping = self.isupport.case_mapping;
        let mut open = self.questions.open.iter();
        open.any(|(open, about)| *open == question && case_mapping.eq(about, channel))
    }

    /// The answer has come to its end. Returns whether it was asked here.
    pub(super) fn end_question(&mut self, question: Question, channel: &[u8]) -> bool {
        let case_mapping = self.isupport.case_mapping;
        let mut open = self.questions.open.iter();
        let at =
            open.position(|(open, about)| *open == question && case_mapping.eq(about, channel));
        at.map(|at| self.questions.open.remove(at)).is_some()
    }
}
