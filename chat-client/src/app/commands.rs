//! The commands that the screen itself carries out; all others go to the
//! session.
//!
//! Shows: one table for carrying out, completing and helping.

use crate::session;

/// A command of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ScreenCommand<'a> {
    Help(&'a str),
    /// A number, a name, `next` or `previous`.
    Buffer(&'a str),
    NextUnread,
    UnreadLine,
    Mentions,
    Query(&'a str, &'a str),
    Close,
    Clear,
    Search(&'a str),
    ToggleBuffers,
    ToggleNicks,
    CopyMode,
    Redraw,
    Reconnect,
    Quit(&'a str),
}

/// A command as the help shows it.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// The first is the one that is shown.
    names: &'static [&'static str],
    /// What stands behind the name.
    arguments: &'static str,
    meaning: &'static str,
}

const fn entry(
    names: &'static [&'static str],
    arguments: &'static str,
    meaning: &'static str,
) -> Entry {
    Entry {
        names,
        arguments,
        meaning,
    }
}

const ENTRIES: &[Entry] = &[
    entry(
        &["help", "h"],
        "[command]",
        "this help, or one line on a command",
    ),
    entry(&["quit", "exit", "q"], "[reason]", "leave"),
    entry(
        &["buffer", "b", "win", "window"],
        "number or name",
        "show that buffer; also next and previous",
    ),
    entry(&["next"], "", "the next buffer with something unread"),
    entry(&["unread"], "", "to the first unread message"),
    entry(
        &["mentions"],
        "",
        "all messages that name you, in one place",
    ),
    entry(
        &["query"],
        "nick [text]",
        "open a buffer to talk with one person",
    ),
    entry(
        &["close", "wc"],
        "",
        "close this buffer, and leave if it is a channel",
    ),
    entry(&["clear"], "", "empty this buffer"),
    entry(&["search"], "[text]", "search this buffer"),
    entry(&["buffers"], "", "show or hide the list of buffers"),
    entry(&["nicks"], "", "show or hide the list of nicks"),
    entry(&["copy"], "", "nothing but text, to select and copy"),
    entry(&["redraw"], "", "draw the screen anew"),
    entry(&["reconnect"], "", "connect again now"),
];

impl<'a> ScreenCommand<'a> {
    /// Takes a typed line apart; none if it is text, or a command of the session.
    pub(crate) fn parse(line: &'a str) -> Option<ScreenCommand<'a>> {
        let command = line
            .strip_prefix('/')
            .filter(|rest| !rest.starts_with('/'))?;
        let (name, rest) = command.split_once(' ').unwrap_or((command, ""));
        let rest = rest.trim();
        let name = name.to_ascii_lowercase();
        let entry = ENTRIES
            .iter()
            .find(|entry| entry.names.contains(&name.as_str()))?;
        Some(match entry.names[0] {
            "help" => ScreenCommand::Help(rest),
            "quit" => ScreenCommand::Quit(rest),
            "buffer" => ScreenCommand::Buffer(rest),
            "next" => ScreenCommand::NextUnread,
            "unread" => ScreenCommand::UnreadLine,
            "mentions" => ScreenCommand::Mentions,
            "query" => {
                let (nick, text) = rest.split_once(' ').unwrap_or((rest, ""));
                ScreenCommand::Query(nick, text.trim_start())
            }
            "close" => ScreenCommand::Close,
            "clear" => ScreenCommand::Clear,
            "search" => ScreenCommand::Search(rest),
            "buffers" => ScreenCommand::ToggleBuffers,
            "nicks" => ScreenCommand::ToggleNicks,
            "copy" => ScreenCommand::CopyMode,
            "redraw" => ScreenCommand::Redraw,
            "reconnect" => ScreenCommand::Reconnect,
            other => unreachable!("{other} stands in the table and not here"),
        })
    }
}

/// The commands as the help shows them: how one is written, and what it does.
pub(crate) fn help() -> Vec<(String, String)> {
    let ours = ENTRIES.iter().map(|entry| {
        let usage = format!("/{} {}", entry.names[0], entry.arguments);
        (usage.trim_end().to_owned(), entry.meaning.to_owned())
    });
    let is_ours = |usage: &str| {
        let name = usage.trim_start_matches('/').split(' ').next();
        name.is_some_and(|name| ENTRIES.iter().any(|entry| entry.names.contains(&name)))
    };
    let theirs = session::commands().filter(|(usage, _)| !is_ours(usage));
    let theirs = theirs.map(|(usage, meaning)| (usage.to_owned(), meaning.to_owned()));
    let mut all: Vec<_> = ours.take(2).collect();
    all.extend(theirs);
    all.extend(ENTRIES[2..].iter().map(|entry| {
        let usage = format!("/{} {}", entry.names[0], entry.arguments);
        (usage.trim_end().to_owned(), entry.meaning.to_owned())
    }));
    all
}

/// The names of all commands, without their slash.
pub(crate) fn names() -> impl Iterator<Item = String> {
    let usages = help().into_iter().map(|(usage, _)| usage);
    usages.filter_map(|usage| {
        let name = usage.strip_prefix('/')?.split(' ').next()?.to_owned();
        (!name.starts_with('/')).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_in_the_table_is_carried_out() {
        for name in ENTRIES.iter().flat_map(|entry| entry.names) {
            assert!(
                ScreenCommand::parse(&format!("/{name}")).is_some(),
                "{name}"
            );
            assert!(ScreenCommand::parse(&format!("/{}", name.to_uppercase())).is_some());
        }
    }

    #[test]
    fn text_and_the_sessions_commands_are_left_to_the_session() {
        for line in ["hello", "//quit", "/join #a", "/", " /quit"] {
            assert_eq!(ScreenCommand::parse(line), None, "{line}");
        }
    }

    #[test]
    fn arguments_are_taken() {
        assert_eq!(
            ScreenCommand::parse("/query bob  hello there"),
            Some(ScreenCommand::Query("bob", "hello there"))
        );
        assert_eq!(
            ScreenCommand::parse("/quit see you"),
            Some(ScreenCommand::Quit("see you"))
        );
    }

    #[test]
    fn the_help_names_each_command_once() {
        let mut names: Vec<String> = names().collect();
        for name in ["quit", "join", "nick", "msg", "me", "buffer", "mentions"] {
            assert!(names.iter().any(|known| known == name), "{name}");
        }
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
