//! What a typed line asks for.
//!
//! Shows: one table for the commands, for `/help` and for completion, so that
//! they cannot differ.

use std::error::Error;
use std::fmt;

/// A typed line, taken apart.
///
/// A channel that may be left out is none then: it is the one in whose buffer
/// the line was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command<'a> {
    /// Text for the channel or person at hand.
    Say(&'a str),
    /// Channels, and keys for them in the same order.
    Join(&'a str, &'a str),
    /// The channel, and the last words.
    Part(Option<&'a str>, &'a str),
    Nick(&'a str),
    /// A nick or channel, and the text.
    Msg(&'a str, &'a str),
    Notice(&'a str, &'a str),
    Me(&'a str),
    /// A nick, and a question to that person's program.
    Ctcp(&'a str, &'a str),
    Names(Option<&'a str>),
    /// No topic asks for it.
    Topic(Option<&'a str>, Option<&'a str>),
    Who(Option<&'a str>),
    Whois(&'a str),
    Whowas(&'a str),
    /// Why the person is not there.
    Away(&'a str),
    Back,
    /// A nick, and the channel.
    Invite(&'a str, Option<&'a str>),
    /// The channel, a nick, and the reason.
    Kick(Option<&'a str>, &'a str, &'a str),
    /// Sets or takes a mode that keeps somebody out: the channel, a nick or
    /// mask.
    Ban(bool, Option<&'a str>, &'a str),
    /// Sets or takes the mode by this letter: the channel, nicks.
    Rank(bool, char, Option<&'a str>, &'a str),
    /// A channel or nick, and the change; none asks for the modes.
    Mode(Option<&'a str>, &'a str),
    /// Whose words are not shown any more; nobody asks for the list.
    Ignore(Option<&'a str>),
    Unignore(&'a str),
    List(&'a str),
    Motd,
    /// A name and a password.
    Oper(&'a str, &'a str),
    /// A line for the server as it is.
    Quote(&'a str),
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

/// What stands behind the name of a command.
#[derive(Clone, Copy)]
struct Words<'a> {
    rest: &'a str,
    channel_types: &'a str,
}

impl<'a> Words<'a> {
    /// The first word, and what stands behind it.
    fn split(self) -> (&'a str, Words<'a>) {
        let (first, rest) = word(self.rest);
        (first, Words { rest, ..self })
    }

    /// A channel, if the first word is one, and what stands behind it.
    fn channel(self) -> (Option<&'a str>, Words<'a>) {
        let (first, rest) = self.split();
        if first.starts_with(|c| self.channel_types.contains(c)) {
            (Some(first), rest)
        } else {
            (None, self)
        }
    }

    fn first(self) -> Option<&'a str> {
        some(self.split().0)
    }

    /// All of it, unless it is nothing.
    fn all(self) -> Option<&'a str> {
        some(self.rest)
    }

    /// A word and a text behind it, both there.
    fn word_and_text(self) -> Option<(&'a str, &'a str)> {
        let (first, rest) = self.split();
        Some((some(first)?, rest.all()?))
    }
}

fn some(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// A command: its names, how it is written, what it does, and how it is read:
/// none if something is missing.
struct Entry {
    names: &'static [&'static str],
    usage: &'static str,
    meaning: &'static str,
    read: for<'a> fn(Words<'a>) -> Option<Command<'a>>,
}

const fn entry(
    names: &'static [&'static str],
    usage: &'static str,
    meaning: &'static str,
    read: for<'a> fn(Words<'a>) -> Option<Command<'a>>,
) -> Entry {
    Entry {
        names,
        usage,
        meaning,
        read,
    }
}

/// The commands in the order of `/help`.
const ENTRIES: &[Entry] = &[
    entry(
        &["join", "j"],
        "/join #channel [key]",
        "enter a channel",
        |words| {
            let (channels, rest) = words.split();
            Some(Command::Join(some(channels)?, rest.split().0))
        },
    ),
    entry(
        &["part", "leave"],
        "/part [#channel] [reason]",
        "leave a channel",
        |words| {
            let (channel, rest) = words.channel();
            Some(Command::Part(channel, rest.rest))
        },
    ),
    entry(&["nick"], "/nick name", "take another name", |words| {
        words.first().map(Command::Nick)
    }),
    entry(
        &["msg", "query"],
        "/msg nick text",
        "say something to one person or channel",
        |words| {
            let (receiver, text) = words.word_and_text()?;
            Some(Command::Msg(receiver, text))
        },
    ),
    entry(
        &["notice"],
        "/notice nick text",
        "the same, not to be answered by programs",
        |words| {
            let (receiver, text) = words.word_and_text()?;
            Some(Command::Notice(receiver, text))
        },
    ),
    entry(&["me"], "/me does something", "say what you do", |words| {
        words.all().map(Command::Me)
    }),
    entry(
        &["away"],
        "/away [reason]",
        "let others know that you are not there",
        |words| Some(Command::Away(words.rest)),
    ),
    entry(&["back"], "/back", "let them know that you are", |_| {
        Some(Command::Back)
    }),
    entry(
        &["names"],
        "/names [#channel]",
        "who is in the channel",
        |words| Some(Command::Names(words.first())),
    ),
    entry(
        &["who"],
        "/who [#channel or nick]",
        "the same with addresses and real names",
        |words| Some(Command::Who(words.first())),
    ),
    entry(
        &["whois"],
        "/whois nick",
        "what the server knows of a person",
        |words| words.first().map(Command::Whois),
    ),
    entry(
        &["whowas"],
        "/whowas nick",
        "what it knows of one who has left",
        |words| words.first().map(Command::Whowas),
    ),
    entry(
        &["list"],
        "/list [#channel or mask]",
        "what channels there are",
        |words| Some(Command::List(words.split().0)),
    ),
    entry(
        &["topic"],
        "/topic [#channel] [text]",
        "show or set what the channel is about",
        |words| {
            let (channel, rest) = words.channel();
            Some(Command::Topic(channel, rest.all()))
        },
    ),
    entry(
        &["invite"],
        "/invite nick [#channel]",
        "ask somebody to join",
        |words| {
            let (nick, rest) = words.split();
            Some(Command::Invite(some(nick)?, rest.first()))
        },
    ),
    entry(
        &["kick"],
        "/kick [#channel] nick [reason]",
        "throw somebody out",
        |words| {
            let (channel, rest) = words.channel();
            let (nick, reason) = rest.split();
            Some(Command::Kick(channel, some(nick)?, reason.rest))
        },
    ),
    entry(
        &["ban"],
        "/ban [#channel] nick or mask",
        "do not let somebody in again",
        |words| {
            let (channel, rest) = words.channel();
            Some(Command::Ban(true, channel, rest.first()?))
        },
    ),
    entry(
        &["unban"],
        "/unban [#channel] nick or mask",
        "let them in again",
        |words| {
            let (channel, rest) = words.channel();
            Some(Command::Ban(false, channel, rest.first()?))
        },
    ),
    entry(
        &["op"],
        "/op [#channel] nick ...",
        "make people operators",
        |words| rank(true, 'o', words),
    ),
    entry(
        &["deop"],
        "/deop [#channel] nick ...",
        "take that from them",
        |words| rank(false, 'o', words),
    ),
    entry(
        &["voice"],
        "/voice [#channel] nick ...",
        "let people speak in a moderated channel",
        |words| rank(true, 'v', words),
    ),
    entry(
        &["devoice"],
        "/devoice [#channel] nick ...",
        "take that from them",
        |words| rank(false, 'v', words),
    ),
    entry(
        &["mode"],
        "/mode [#channel or nick] [change]",
        "show or change modes, as in +t or +k secret",
        |words| {
            let (first, rest) = words.split();
            Some(if first.is_empty() || first.starts_with(['+', '-']) {
                Command::Mode(None, words.rest)
            } else {
                Command::Mode(Some(first), rest.rest)
            })
        },
    ),
    entry(
        &["ignore"],
        "/ignore [nick or mask]",
        "do not show what somebody says; who that is",
        |words| Some(Command::Ignore(words.first())),
    ),
    entry(
        &["unignore"],
        "/unignore nick or mask",
        "show it again",
        |words| words.first().map(Command::Unignore),
    ),
    entry(
        &["ctcp"],
        "/ctcp nick question",
        "ask somebody's program, as in VERSION",
        |words| {
            let (receiver, question) = words.word_and_text()?;
            Some(Command::Ctcp(receiver, question))
        },
    ),
    entry(
        &["motd"],
        "/motd",
        "the server's message of the day",
        |_| Some(Command::Motd),
    ),
    entry(
        &["oper"],
        "/oper name password",
        "become an operator of the server",
        |words| {
            let (name, rest) = words.split();
            Some(Command::Oper(some(name)?, rest.first()?))
        },
    ),
    entry(
        &["quote", "raw"],
        "/quote line",
        "send the server a line as it is",
        |words| words.all().map(Command::Quote),
    ),
    entry(&["quit", "exit"], "/quit [reason]", "go", |words| {
        Some(Command::Quit(words.rest))
    }),
    entry(&["help"], "/help", "this list", |_| Some(Command::Help)),
];

/// The last line of `/help`, which is no command.
const SLASH: (&str, &str) = ("//text", "text that begins with a slash");

fn rank(is_given: bool, mode: char, words: Words<'_>) -> Option<Command<'_>> {
    let (channel, rest) = words.channel();
    Some(Command::Rank(is_given, mode, channel, rest.all()?))
}

/// Every command: how it is written, and what it does.
pub(crate) fn commands() -> impl Iterator<Item = (&'static str, &'static str)> {
    let entries = ENTRIES.iter().map(|entry| (entry.usage, entry.meaning));
    entries.chain([SLASH])
}

/// The lines of `/help`.
pub(crate) fn help() -> impl Iterator<Item = String> {
    let width = commands().map(|(usage, _)| usage.len()).max();
    let width = width.unwrap_or_default();
    commands().map(move |(usage, meaning)| format!("{usage:width$}  {meaning}"))
}

/// How the names of channels begin if the server has not said otherwise.
///
/// The other two prefixes of RFC 2812, `+` and `!`, are in use nowhere, but
/// stand at the beginning of what people write.
pub(crate) const CHANNEL_TYPES: &str = "#&";

impl<'a> Command<'a> {
    /// Takes a typed line apart.
    pub(crate) fn parse(line: &'a str) -> Result<Command<'a>, CommandError<'a>> {
        Command::parse_for(line, CHANNEL_TYPES)
    }

    /// Takes a line apart where channels begin with one of `channel_types`.
    pub(crate) fn parse_for(
        line: &'a str,
        channel_types: &'a str,
    ) -> Result<Command<'a>, CommandError<'a>> {
        let Some(command) = line.strip_prefix('/') else {
            return Ok(Command::Say(line));
        };
        if command.starts_with('/') {
            return Ok(Command::Say(command));
        }
        let (name, rest) = word(command);
        let entry = ENTRIES.iter().find(|entry| {
            let mut names = entry.names.iter();
            names.any(|found| found.eq_ignore_ascii_case(name))
        });
        let entry = entry.ok_or(CommandError::Unknown(name))?;
        let words = Words {
            rest,
            channel_types,
        };
        (entry.read)(words).ok_or(CommandError::Missing(entry.usage))
    }
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
        use Command::*;
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
            ("/notice bob hi", Notice("bob", "hi")),
            ("/ctcp bob ping 1", Ctcp("bob", "ping 1")),
            ("/whowas bob", Whowas("bob")),
            ("/away", Away("")),
            ("/away at lunch", Away("at lunch")),
            ("/back", Back),
            ("/invite bob", Invite("bob", None)),
            ("/invite bob #a", Invite("bob", Some("#a"))),
            ("/kick bob be nice", Kick(None, "bob", "be nice")),
            ("/kick #a bob", Kick(Some("#a"), "bob", "")),
            ("/ban bob", Ban(true, None, "bob")),
            ("/unban #a *!*@h", Ban(false, Some("#a"), "*!*@h")),
            ("/op bob carol", Rank(true, 'o', None, "bob carol")),
            ("/devoice #a bob", Rank(false, 'v', Some("#a"), "bob")),
            ("/mode", Mode(None, "")),
            ("/mode +k key", Mode(None, "+k key")),
            ("/mode #a -t", Mode(Some("#a"), "-t")),
            ("/mode ann +i", Mode(Some("ann"), "+i")),
            ("/ignore", Ignore(None)),
            ("/ignore bob", Ignore(Some("bob"))),
            ("/unignore bob", Unignore("bob")),
            ("/list", List("")),
            ("/list #a*", List("#a*")),
            ("/motd", Motd),
            ("/oper ann secret", Oper("ann", "secret")),
            ("/quote PING :x y", Quote("PING :x y")),
            ("/quit see you", Quit("see you")),
            ("/help", Help),
        ] {
            assert_eq!(Command::parse(line), Ok(command), "{line}");
        }
    }

    #[test]
    fn what_is_missing_is_shown() {
        for line in [
            "/join",
            "/nick ",
            "/msg",
            "/msg bob ",
            "/me",
            "/whois",
            "/kick",
            "/kick #a",
            "/op",
            "/op #a ",
            "/ban #a",
            "/invite",
            "/oper ann",
            "/quote",
            "/ctcp bob",
            "/unignore",
        ] {
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
    fn help_has_a_line_for_each_command_and_fits_into_80_columns() {
        let help: Vec<String> = help().collect();
        for name in ENTRIES.iter().map(|entry| entry.names[0]) {
            let usage = format!("/{name} ");
            assert!(help.iter().any(|line| line.starts_with(&usage)), "{name}");
        }
        assert_eq!(help.len(), ENTRIES.len() + 1);
        assert!(help.iter().all(|line| line.len() <= 80), "{help:#?}");
    }

    #[test]
    fn what_begins_a_channel_is_the_servers_word() {
        let parsed = Command::parse_for("/part +a bye", "#+");
        assert_eq!(parsed, Ok(Command::Part(Some("+a"), "bye")));
        assert_eq!(
            Command::parse("/part +a bye"),
            Ok(Command::Part(None, "+a bye"))
        );
    }
}
