//! What a typed line asks for.
//!
//! Shows: one table for the commands and for `/help`, so that the two cannot
//! differ.

use std::error::Error;
use std::fmt;

/// A typed line, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command<'a> {
    /// Text for the current channel.
    Say(&'a str),
    /// Channels, and keys for them in the same order.
    Join(&'a str, &'a str),
    /// A channel or none for the current one, and the last words.
    Part(Option<&'a str>, &'a str),
    Nick(&'a str),
    /// A nick or channel, and the text.
    Msg(&'a str, &'a str),
    Me(&'a str),
    Names(Option<&'a str>),
    /// A channel or none for the current one; no topic asks for it.
    Topic(Option<&'a str>, Option<&'a str>),
    Who(Option<&'a str>),
    Whois(&'a str),
    Quit(&'a str),
    Help,
}

/// Why a typed line is no command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CommandError<'a> {
    Unknown(&'a str),
    /// Something is missing; how it is written.
    Missing(&'static str),
}

/// A command as `/help` shows it: how it is written, and what it does.
struct Entry {
    usage: &'static str,
    meaning: &'static str,
}

const fn entry(usage: &'static str, meaning: &'static str) -> Entry {
    Entry { usage, meaning }
}

const JOIN: Entry = entry(
    "/join #channel [key]",
    "enter a channel; text goes there from now on",
);
const PART: Entry = entry(
    "/part [#channel] [reason]",
    "leave a channel, the current one if none is named",
);
const NICK: Entry = entry("/nick name", "take another name");
const MSG: Entry = entry(
    "/msg nick text",
    "say something to one person, or in any channel",
);
const ME: Entry = entry("/me does something", "say what you do");
const NAMES: Entry = entry("/names [#channel]", "who is in the channel");
const TOPIC: Entry = entry(
    "/topic [#channel] [text]",
    "show or set what the channel is about",
);
const WHO: Entry = entry(
    "/who [#channel or nick]",
    "the same with addresses and real names",
);
const WHOIS: Entry = entry("/whois nick", "what the server knows of a person");
const QUIT: Entry = entry("/quit [reason]", "go");
const HELP: Entry = entry("/help", "this list");
const SLASH: Entry = entry("//text", "text that begins with a slash");

const ENTRIES: [Entry; 12] = [
    JOIN, PART, NICK, MSG, ME, NAMES, TOPIC, WHO, WHOIS, QUIT, HELP, SLASH,
];

/// Every command: how it is written, and what it does.
pub(crate) fn commands() -> impl Iterator<Item = (&'static str, &'static str)> {
    ENTRIES.iter().map(|entry| (entry.usage, entry.meaning))
}

/// The lines of `/help`.
pub(crate) fn help() -> impl Iterator<Item = String> {
    let width = ENTRIES.iter().map(|entry| entry.usage.len()).max();
    let width = width.unwrap_or_default();
    ENTRIES
        .iter()
        .map(move |Entry { usage, meaning }| format!("{usage:width$}  {meaning}"))
}

impl<'a> Command<'a> {
    /// Takes a typed line apart.
    pub(crate) fn parse(line: &'a str) -> Result<Command<'a>, CommandError<'a>> {
        let Some(command) = line.strip_prefix('/') else {
            return Ok(Command::Say(line));
        };
        if command.starts_with('/') {
            return Ok(Command::Say(command));
        }
        let (name, rest) = word(command);
        let (first, second) = word(rest);
        let required = |text: &'a str, entry: &Entry| match text {
            "" => Err(CommandError::Missing(entry.usage)),
            text => Ok(text),
        };
        let optional = |text: &'a str| (!text.is_empty()).then_some(text);
        // An argument that may be left out is known by how a channel begins.
        let (channel, text) = match first {
            _ if is_channel(first) => (Some(first), second),
            _ => (None, rest),
        };
        Ok(match name.to_ascii_lowercase().as_str() {
            "join" | "j" => Command::Join(required(first, &JOIN)?, second),
            "part" | "leave" => Command::Part(channel, text),
            "nick" => Command::Nick(required(first, &NICK)?),
            "msg" | "query" => Command::Msg(required(first, &MSG)?, required(second, &MSG)?),
            "me" => Command::Me(required(rest, &ME)?),
            "names" => Command::Names(optional(first)),
            "topic" => Command::Topic(channel, optional(text)),
            "who" => Command::Who(optional(first)),
            "whois" => Command::Whois(required(first, &WHOIS)?),
            "quit" | "exit" => Command::Quit(rest),
            "help" => Command::Help,
            _ => return Err(CommandError::Unknown(name)),
        })
    }
}

/// Whether a word names a channel.
///
/// The other two prefixes of RFC 2812, `+` and `!`, are in use nowhere, but
/// stand at the beginning of what people write.
pub(crate) fn is_channel(word: &str) -> bool {
    word.starts_with(['#', '&'])
}

/// The first word, and the rest without the spaces in between.
fn word(text: &str) -> (&str, &str) {
    let text = text.trim_start_matches(' ');
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    (word, rest.trim_start_matches(' '))
}

impl fmt::Display for CommandError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CommandError::Unknown(name) => write!(
                f,
                "/{name} is no command and was not sent; /help lists them, //{name} is text"
            ),
            CommandError::Missing(usage) => write!(f, "not sent, the form is {usage}"),
        }
    }
}

impl Error for CommandError<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_read() {
        use Command::{Help, Join, Me, Msg, Names, Nick, Part, Quit, Say, Topic, Who, Whois};
        for (line, command) in [
            ("hello all", Say("hello all")),
            (" /join is text here", Say(" /join is text here")),
            ("//usr/bin", Say("/usr/bin")),
            ("/join #a", Join("#a", "")),
            ("/JOIN  #a,#b  key", Join("#a,#b", "key")),
            ("/part", Part(None, "")),
            ("/part good night", Part(None, "good night")),
            ("/part #a good night", Part(Some("#a"), "good night")),
            ("/nick ann", Nick("ann")),
            ("/msg bob  how  are you", Msg("bob", "how  are you")),
            ("/me waves to all", Me("waves to all")),
            ("/names", Names(None)),
            ("/names #a", Names(Some("#a"))),
            ("/topic", Topic(None, None)),
            ("/topic #a", Topic(Some("#a"), None)),
            (
                "/topic #a of all things",
                Topic(Some("#a"), Some("of all things")),
            ),
            ("/topic of all things", Topic(None, Some("of all things"))),
            ("/who", Who(None)),
            ("/who bob", Who(Some("bob"))),
            ("/whois bob", Whois("bob")),
            ("/quit see you", Quit("see you")),
            ("/help", Help),
        ] {
            assert_eq!(Command::parse(line), Ok(command), "{line}");
        }
    }

    #[test]
    fn what_is_missing_is_shown() {
        for line in ["/join", "/nick ", "/msg", "/msg bob ", "/me", "/whois"] {
            assert!(
                matches!(Command::parse(line), Err(CommandError::Missing(_))),
                "{line}"
            );
        }
        let err = Command::parse("/msg bob").unwrap_err();
        assert_eq!(err.to_string(), "not sent, the form is /msg nick text");
    }

    #[test]
    fn an_unknown_command_is_not_taken_for_text() {
        let err = Command::parse("/usr/bin").unwrap_err();
        assert_eq!(err, CommandError::Unknown("usr/bin"));
        assert_eq!(Command::parse("/"), Err(CommandError::Unknown("")));
    }

    #[test]
    fn help_has_a_line_for_each_command() {
        let help: Vec<String> = help().collect();
        for name in [
            "join", "part", "nick", "msg", "me", "names", "topic", "who", "whois", "quit", "help",
        ] {
            let usage = format!("/{name} ");
            assert!(help.iter().any(|line| line.starts_with(&usage)), "{name}");
        }
    }
}
