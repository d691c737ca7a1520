//! IRC messages as text for people with `nc` or `telnet`.
//!
//! Shows: one translation from the line that IRC clients get, so that nothing
//! that is sent has to be written twice.
//! Leaves out: what plain peers type; that is in `plain.rs`.

use std::fmt::{self, Display};

use chat_protocol::{Message, neutral};

/// Appends `line`, a message with CR LF, to `out` as a line of text; nothing if
/// it holds nothing for a person.
///
/// Returns how many bytes at the start say in which room it was said, which
/// those who are in that room do not need.
pub(super) fn translate(line: &[u8], out: &mut Vec<u8>) -> usize {
    let Ok(message) = Message::parse(line.strip_suffix(b"\r\n").unwrap_or(line)) else {
        return 0;
    };
    let heard = Heard::new(&message);
    let Some(text) = heard.text() else { return 0 };
    let room = heard.room();
    out.extend_from_slice(room.as_bytes());
    // A terminal acts on control characters; only the line's end is to have an
    // effect.
    out.extend_from_slice(neutral(text.as_bytes()).as_bytes());
    out.extend_from_slice(b"\r\n");
    room.len()
}

/// A message, as its parts are needed to tell a person about it.
struct Heard<'a> {
    command: &'a [u8],
    /// Nick, or name of the server.
    from: &'a str,
    is_from_server: bool,
    parameters: Vec<&'a str>,
}

impl<'a> Heard<'a> {
    fn new(message: &Message<'a>) -> Heard<'a> {
        // Only UTF-8 is relayed.
        let text = |bytes: &'a [u8]| str::from_utf8(bytes).unwrap_or_default();
        let source = text(
            message
                .source
                .map(|source| source.raw())
                .unwrap_or_default(),
        );
        let (from, is_from_server) = match source.split_once('!') {
            Some((nick, _)) => (nick, false),
            None => (source, true),
        };
        let parameters = message
            .parameters
            .iter()
            .map(|parameter| text(parameter))
            .collect();
        Heard {
            command: message.command,
            from,
            is_from_server,
            parameters,
        }
    }

    fn parameter(&self, index: usize) -> &'a str {
        self.parameters.get(index).copied().unwrap_or_default()
    }

    fn last(&self) -> &'a str {
        self.parameters.last().copied().unwrap_or_default()
    }

    /// `[#room] ` if it was said to a room, or to some of those in it.
    fn room(&self) -> String {
        let target = self.parameter(0);
        let name = target.strip_prefix(['@', '+']).unwrap_or(target);
        let is_said = matches!(self.command, b"PRIVMSG" | b"NOTICE");
        if is_said && name.starts_with('#') {
            format!("[{target}] ")
        } else {
            String::new()
        }
    }

    fn text(&self) -> Option<String> {
        let (from, first, second, last) =
            (self.from, self.parameter(0), self.parameter(1), self.last());
        Some(match self.command {
            b"PRIVMSG" => self.said()?,
            b"NOTICE" if !self.is_from_server => format!("-{from}- {last}"),
            b"NOTICE" | b"ERROR" => format!("-- {last}"),
            b"WALLOPS" => format!("-- {from} to all: {last}"),
            b"JOIN" => format!("-- {from} has joined {first}"),
            b"PART" => format!("-- {from} has left {first}{}", Because(second)),
            b"KICK" => {
                let why = Because(self.parameter(2));
                format!("-- {from} has kicked {second} from {first}{why}")
            }
            b"QUIT" => format!("-- {from} has quit{}", Because(last)),
            b"NICK" => format!("-- {from} is now {last}"),
            b"TOPIC" if last.is_empty() => format!("-- {from} has cleared the topic of {first}"),
            b"TOPIC" => format!("-- {from} has set the topic of {first}: {last}"),
            b"INVITE" => format!("-- {from} invites you: /join {last}"),
            b"MODE" => format!(
                "-- {from} has set {} on {first}",
                self.parameters[1..].join(" ")
            ),
            b"301" => format!("-- {second} is away: {last}"),
            b"331" => format!("-- {second} has no topic"),
            b"332" => format!("-- {second} is about: {last}"),
            b"353" => format!("-- In {}: {last}", self.parameter(2)),
            // Errors: what they are about, then the reason.
            [b'4'..=b'6', _, _] => match self.parameters.as_slice() {
                [_, about @ .., why] if !about.is_empty() => {
                    format!("-- {}: {why}", about.join(" "))
                }
                _ => format!("-- {last}"),
            },
            _ => return None,
        })
    }

    /// A PRIVMSG: words, an action, or a question to a client (CTCP), which
    /// here is a person; `None` if nothing is asked.
    fn said(&self) -> Option<String> {
        let (from, said) = (self.from, self.last());
        let private = if self.room().is_empty() {
            " (to you)"
        } else {
            ""
        };
        let Some(asked) = said.strip_prefix('\x01') else {
            return Some(format!("{from}{private}: {said}"));
        };
        let asked = asked.trim_end_matches('\x01').trim_end();
        match asked.split_once(' ').unwrap_or((asked, "")) {
            ("" | "ACTION", "") => None,
            ("ACTION", does) => Some(format!("* {from}{private} {does}")),
            _ => Some(format!("-- {from} asks your client: {asked}")),
        }
    }
}

/// A reason in brackets, or nothing if there is none.
struct Because<'a>(&'a str);

impl Display for Because<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            Ok(())
        } else {
            write!(formatter, " ({})", self.0)
        }
    }
}
