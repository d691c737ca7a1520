//! Which questions of a client are still without their answer.
//!
//! A client that asks in steps, as irssi does when it joins, stops at the first question that gets
//! no end: no later one is asked, and nothing of it is on the screen.
//!
//! Shows: the questions real clients ask, and the numeric that ends each answer.
//! Leaves out: whether the answer is right.

use chat_protocol::Message;

use crate::relay::{Line, Sender};

/// An answer that is waited for: how it begins, and what it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Expected {
    command: &'static str,
    about: Vec<u8>,
}

/// The questions in `lines` whose answer has not ended, each as "the numeric, what it is about".
pub(crate) fn unanswered(lines: &[Line]) -> Vec<String> {
    let mut open: Vec<Expected> = Vec::new();
    for line in lines {
        let message = line.message();
        match line.sender {
            Sender::Client => open.extend(expected(&message)),
            Sender::Server => {
                if let Some(index) = open.iter().position(|expected| expected.is(&message)) {
                    open.remove(index);
                }
            }
        }
    }
    open.iter()
        .map(|Expected { command, about }| format!("{command} {}", String::from_utf8_lossy(about)))
        .collect()
}

/// The refusals in `lines`: numerics from 400 to 599.
pub(crate) fn refusals(lines: &[Line]) -> Vec<String> {
    lines
        .iter()
        .filter(|line| line.sender == Sender::Server)
        .filter(|line| matches!(line.message().numeric(), Some(400..=599)))
        .map(Line::to_string)
        .collect()
}

/// What ends the answer to a question. (Modern IRC, "Numerics"; RFC 2812, section 5)
fn expected(message: &Message<'_>) -> Vec<Expected> {
    let parameters: &[&[u8]] = &message.parameters;
    let ends: &[&'static str] = match message.command.to_ascii_uppercase().as_slice() {
        b"JOIN" if !parameters.contains(&&b""[..]) => &["366"],
        b"LIST" => &["323"],
        b"MODE" => match parameters {
            [channel] if channel.starts_with(b"#") => &["324", "329"],
            [channel, b"b" | b"+b"] if channel.starts_with(b"#") => &["368"],
            _ => &[],
        },
        b"NAMES" => &["366"],
        b"PING" => &["PONG"],
        b"WHO" => &["315"],
        b"WHOIS" => &["318"],
        b"WHOWAS" => &["369"],
        _ => &[],
    };
    let about = match ends {
        ["PONG" | "318"] => parameters.last(),
        ["323"] => None,
        _ => parameters.first(),
    };
    let about = about.map(|about| about.to_vec()).unwrap_or_default();
    ends.iter()
        .map(|&command| Expected {
            command,
            about: about.clone(),
        })
        .collect()
}

impl Expected {
    fn is(&self, message: &Message<'_>) -> bool {
        message.is(self.command.as_bytes())
            && (self.about.is_empty() || message.parameters.contains(&self.about.as_slice()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<Line> {
        text.lines()
            .map(|line| {
                let (arrow, text) = line.trim().split_once(' ').unwrap();
                let sender = match arrow {
                    ">>" => Sender::Client,
                    _ => Sender::Server,
                };
                Line {
                    sender,
                    text: text.into(),
                }
            })
            .collect()
    }

    #[test]
    fn a_question_is_open_until_the_numeric_that_ends_its_answer() {
        let mut lines = lines(
            ">> WHO #lobby %tcuhnfdar,743
             << :server 354 iris 743 #lobby iris",
        );
        assert_eq!(unanswered(&lines), ["315 #lobby"]);
        lines.extend(self::lines("<< :server 315 iris #lobby :End of /WHO list"));
        assert!(unanswered(&lines).is_empty());
    }

    #[test]
    fn the_end_of_another_answer_ends_nothing() {
        let lines = lines(
            ">> mode #lobby
             >> MODE #lobby b
             << :server 324 iris #other +nt
             << :server 329 iris #lobby 1700000000
             << :server 368 iris #lobby :End of channel ban list",
        );
        assert_eq!(unanswered(&lines), ["324 #lobby"]);
    }

    #[test]
    fn a_question_asked_twice_needs_two_answers() {
        let lines = lines(
            ">> PING server
             >> PING server
             << :server PONG server :server",
        );
        assert_eq!(unanswered(&lines), ["PONG server"]);
    }

    #[test]
    fn a_refusal_is_a_numeric_of_the_server_from_400_on() {
        let lines = lines(
            "<< :server 376 iris :End of /MOTD command.
             << :server 421 iris WHO :Unknown command
             << :iris!~iris@host PRIVMSG #lobby :421",
        );
        assert_eq!(
            refusals(&lines),
            ["<< :server 421 iris WHO :Unknown command"]
        );
    }
}
