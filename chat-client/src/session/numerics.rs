//! Numeric replies in words.
//!
//! Shows: a numeric ends in a text that a server has put into words already;
//! what stands before it is what the text is about.
//! Leaves out: what the session itself has to do about one, see `receive.rs`.
//!
//! Source: <https://modern.ircdocs.horse/#numerics>.

use chat_protocol::{neutral, neutral_with_formatting};

use super::news::News;

/// What is told of a numeric; none for those that say nothing to a person.
///
/// `parameters` are those behind the person's own nick.
pub(super) fn news_of(number: u16, parameters: &[&[u8]]) -> Option<News> {
    let at = |index: usize| neutral(parameters.get(index).copied().unwrap_or_default());
    let last = || neutral(parameters.last().copied().unwrap_or_default());
    let answer = |text: String| Some(News::Answer(text));
    match number {
        // Names of the server's limits, counts of people, ends of lists, times.
        2..=5
        | 250..=255
        | 265
        | 266
        | 315
        | 318
        | 321
        | 323
        | 329
        | 333
        | 366
        | 369
        | 375
        | 376
        | 422 => None,
        1 | 372 => Some(News::Server(last())),
        301 => answer(format!("{} is away: {}", at(0), last())),
        311 => answer(format!("{} is {}@{}: {}", at(0), at(1), at(2), last())),
        312 => answer(format!("{} is on {}: {}", at(0), at(1), last())),
        317 => answer(format!("{} has been silent for {} s", at(0), at(1))),
        319 => answer(format!("{} is in {}", at(0), last())),
        314 => answer(format!("{} was {}@{}: {}", at(0), at(1), at(2), last())),
        322 => {
            let (channel, count) = (at(0), at(1));
            let people = if count == "1" { "person" } else { "people" };
            answer(format!("{channel} has {count} {people}: {}", last()))
        }
        324 => answer(format!("{} has mode {}", at(0), at(1))),
        331 | 332 => Some(News::Topic {
            channel: at(0),
            topic: match parameters.last() {
                Some(topic) if number == 332 => neutral_with_formatting(topic),
                _ => String::new(),
            },
            by: None,
        }),
        341 => answer(format!("{} is invited to {}", at(0), at(1))),
        352 => {
            // The last parameter has the number of hops before the real name.
            let last = last();
            let name = last.split_once(' ').map_or("", |(_, name)| name);
            let (nick, user, host, flags) = (at(4), at(1), at(2), at(5));
            answer(format!("{nick} {flags} {user}@{host}: {name}"))
        }
        // Errors are those of 400 to 599, with a few that came later.
        400..=599 | 691 | 696 | 723 | 734 | 902 | 904..=908 => {
            Some(News::Refused(in_words(parameters)))
        }
        _ => answer(in_words(parameters)),
    }
}

/// `#room: Cannot join channel (+i)` for what is about something.
pub(super) fn in_words(parameters: &[&[u8]]) -> String {
    match parameters {
        [] => String::new(),
        [text] => neutral(text),
        [about @ .., text] => format!("{}: {}", neutral(&about.join(&b' ')), neutral(text)),
    }
}

#[cfg(test)]
mod tests {
    use chat_protocol::Message;

    use super::*;

    fn news(line: &str) -> Option<News> {
        let message = Message::parse(line.as_bytes()).unwrap();
        news_of(message.numeric().unwrap(), &message.parameters[1..])
    }

    #[test]
    fn answers_come_in_words() {
        for (line, words) in [
            (
                "001 ann :Welcome to the network, ann",
                "Welcome to the network, ann",
            ),
            (
                "311 ann bob b 10.0.0.1 * :Bob Builder",
                "bob is b@10.0.0.1: Bob Builder",
            ),
            (
                "312 ann bob irc.example :A server",
                "bob is on irc.example: A server",
            ),
            ("314 ann bob b 10.0.0.1 * :Bob", "bob was b@10.0.0.1: Bob"),
            ("322 ann #a 3 :news", "#a has 3 people: news"),
            ("319 ann bob :@#a #b", "bob is in @#a #b"),
            (
                "352 ann #a b 10.0.0.1 irc.example bob H@ :0 Bob",
                "bob H@ b@10.0.0.1: Bob",
            ),
            (
                "671 ann bob :is using a secure connection",
                "bob: is using a secure connection",
            ),
        ] {
            let words = words.to_owned();
            let words = if line.starts_with("001") {
                News::Server(words)
            } else {
                News::Answer(words)
            };
            assert_eq!(news(line), Some(words), "{line}");
        }
    }

    #[test]
    fn refusals_say_what_they_are_about() {
        for (line, words) in [
            (
                "401 ann bob :No such nick/channel",
                "bob: No such nick/channel",
            ),
            (
                "461 ann JOIN :Not enough parameters",
                "JOIN: Not enough parameters",
            ),
            (
                "441 ann bob #a :They aren't on that channel",
                "bob #a: They aren't on that channel",
            ),
            ("422 ann", ""),
        ] {
            let expected = (!words.is_empty()).then(|| News::Refused(words.to_owned()));
            assert_eq!(news(line), expected, "{line}");
        }
    }

    #[test]
    fn a_numeric_without_its_parameters_is_no_panic() {
        for number in 0..1_000 {
            let _ = news_of(number, &[]);
            let _ = news_of(number, &[b"x"]);
        }
    }
}
