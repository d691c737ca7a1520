//! HELP: what the commands are for, in words.
//!
//! Shows: the texts are one file for people, `help.txt`, compiled in. A subject
//! begins with a line `= NAME`; the first line after that is its title.

use chat_protocol::Message;

use crate::room::client::ClientSlot;
use crate::room::numerics::{ERR_HELPNOTFOUND, RPL_ENDOFHELP, RPL_HELPSTART, RPL_HELPTXT};
use crate::room::state::State;

const TEXTS: &str = include_str!("help.txt");

/// What stands before the name of a subject.
const MARK: &str = "= ";

/// The subject that is shown when none is named.
const INDEX: &str = "INDEX";

/// The lines on a subject, in whatever case it is written, without those that
/// are empty at the end; none if there is no such subject.
fn lines_on(subject: &[u8]) -> Vec<&'static str> {
    let is_name = |line: &str| {
        line.strip_prefix(MARK)
            .is_some_and(|name| name.as_bytes().eq_ignore_ascii_case(subject))
    };
    let mut lines: Vec<&str> = TEXTS
        .lines()
        .skip_while(|line| !is_name(line))
        .skip(1)
        .take_while(|line| !line.starts_with(MARK))
        .collect();
    while lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    lines
}

impl State {
    /// `HELP [subject]`.
    pub(in crate::room) fn help(&mut self, from: ClientSlot, message: &Message<'_>) {
        let wanted = message.parameters.first().copied().unwrap_or_default();
        let is_index = wanted.is_empty() || wanted == b"*";
        let subject = if is_index { INDEX.as_bytes() } else { wanted };
        // What cannot stand in the middle of a message is not repeated there.
        let can_be_told = !is_index && !wanted.contains(&b' ') && !wanted.starts_with(b":");
        let told = if can_be_told { wanted } else { b"*" };

        let lines = lines_on(subject);
        let [title, body @ .., last] = &lines[..] else {
            return self.answer(from, ERR_HELPNOTFOUND, &[told]);
        };
        let body = body.iter().map(|text| (RPL_HELPTXT, text));
        let all = std::iter::once((RPL_HELPSTART, title))
            .chain(body)
            .chain([(RPL_ENDOFHELP, last)]);
        let client = &self.clients[from];
        for (numeric, text) in all {
            self.mail.reply(client, numeric, |line| {
                line.parameter(told).trailing(text.as_bytes())
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::room::dispatch::COMMANDS;

    /// Columns of a narrow terminal, with room for what clients put in front.
    const MAX_COLUMNS: usize = 72;

    fn subjects() -> impl Iterator<Item = &'static str> {
        TEXTS.lines().filter_map(|line| line.strip_prefix(MARK))
    }

    #[test]
    fn every_command_is_explained() {
        for command in &COMMANDS {
            let lines = lines_on(command.name.as_bytes());
            assert!(lines.len() >= 3, "{} is not", command.name);
            assert!(lines[0].starts_with(command.name), "{}", lines[0]);
        }
    }

    #[test]
    fn the_index_names_every_subject_and_nothing_else() {
        let index = lines_on(b"INDEX")[4..].join(" ");
        let mut named: Vec<&str> = index
            .split_whitespace()
            .filter(|word| !word.ends_with(':'))
            .collect();
        named.sort_unstable();
        named.dedup();
        let mut explained: Vec<&str> = subjects().filter(|name| *name != INDEX).collect();
        explained.sort_unstable();
        assert_eq!(named, explained);
    }

    #[test]
    fn subjects_are_in_order_so_that_they_are_found_in_the_file() {
        let subjects: Vec<&str> = subjects().skip(1).collect();
        assert!(subjects.is_sorted(), "{subjects:?}");
    }

    #[test]
    fn the_second_line_is_empty_and_no_line_is_too_long() {
        for subject in subjects() {
            let lines = lines_on(subject.as_bytes());
            assert!(lines[1].is_empty(), "{subject}");
            for line in lines {
                assert!(line.len() <= MAX_COLUMNS, "{line}");
            }
        }
    }
}
