//! News as lines of text.
//!
//! Shows: the first word says where, the second who and how, so that `grep` and
//! `awk` can tell them apart, and nobody can make one line look like another:
//! no nick has a space in it, or begins with `<`, `*`, `-`.

use std::fmt;

use chat_protocol::neutral;

use crate::session::{Manner, News, Place};

impl fmt::Display for News {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            News::Said {
                place,
                only_for,
                nick,
                manner,
                text,
                ..
            } => {
                match (place, only_for) {
                    (Place::Channel(channel), Some(sign)) => write!(f, "{sign}{channel} ")?,
                    (Place::Channel(channel), None) => write!(f, "{channel} ")?,
                    (Place::Private(_), _) => f.write_str("private ")?,
                    (Place::Server, _) => {}
                }
                let text = Plain(text);
                match manner {
                    Manner::Text => write!(f, "<{nick}> {text}"),
                    Manner::Action => write!(f, "* {nick} {text}"),
                    Manner::Notice => write!(f, "-{nick}- {text}"),
                }
            }
            News::Joined { channel, nick, .. } => write!(f, "{channel} --> {nick} joined"),
            News::Parted {
                channel,
                nick,
                reason,
                ..
            } => write!(f, "{channel} <-- {nick} left{}", Because(reason)),
            News::Kicked {
                channel,
                nick,
                by,
                reason,
                ..
            } => write!(
                f,
                "{channel} <-- {nick} was thrown out by {by}{}",
                Because(reason)
            ),
            News::Quit { nick, reason, .. } => write!(f, "<-- {nick} quit{}", Because(reason)),
            News::Renamed { from, to, .. } => write!(f, "-- {from} is now {to}"),
            News::Topic { channel, topic, by } => {
                write!(f, "{channel} -- ")?;
                match (by, topic.as_str()) {
                    (None, "") => write!(f, "there is no topic"),
                    (None, topic) => write!(f, "the topic is: {}", Plain(topic)),
                    (Some(by), "") => write!(f, "{by} took the topic away"),
                    (Some(by), topic) => write!(f, "{by} set the topic: {}", Plain(topic)),
                }
            }
            News::Names { channel, names } => write!(f, "{channel} -- here: {names}"),
            News::Mode { target, change, by } => write!(f, "{target} -- {by} set mode {change}"),
            News::Server(words) | News::Answer(words) => write!(f, "-- {words}"),
            News::Refused(words) => write!(f, "-- error: {words}"),
            News::Help(line) => f.write_str(line),
            News::Hint(words) => write!(f, "chat-client: {words}"),
        }
    }
}

/// A reason in brackets, if there is one.
struct Because<'a>(&'a str);

impl fmt::Display for Because<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            Ok(())
        } else {
            write!(f, " ({})", Plain(self.0))
        }
    }
}

/// Text without IRC's formatting, which in a pipe is only noise.
struct Plain<'a>(&'a str);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&neutral(self.0.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use crate::session::{Session, Settings, Surface};

    /// What is printed of one line of a server.
    fn printed(line: &str) -> String {
        let mut session = Session::new(Settings::new("ann", &[], Surface::Lines));
        session.receive(line.as_bytes(), Instant::now());
        let lines = session.take_news();
        let lines: Vec<String> = lines.iter().map(|report| report.news.to_string()).collect();
        lines.join("|")
    }

    #[test]
    fn each_thing_that_happens_is_one_line() {
        for (line, text) in [
            (":bob!b@h PRIVMSG #a :hello", "#a <bob> hello"),
            (":bob!b@h PRIVMSG #a :\x02hel\x0304lo", "#a <bob> hello"),
            (":bob!b@h PRIVMSG ann :hello", "private <bob> hello"),
            (
                ":bob!b@h PRIVMSG #a :\x01ACTION waves\x01",
                "#a * bob waves",
            ),
            (":bob!b@h NOTICE #a :beep", "#a -bob- beep"),
            (
                ":irc.example NOTICE * :Looking up",
                "-irc.example- Looking up",
            ),
            (":bob!b@h JOIN #a", "#a --> bob joined"),
            (":bob!b@h PART #a", "#a <-- bob left"),
            (
                ":bob!b@h PART #a :good night",
                "#a <-- bob left (good night)",
            ),
            (
                ":carol!c@h KICK #a bob :behave",
                "#a <-- bob was thrown out by carol (behave)",
            ),
            (":bob!b@h QUIT :gone", "<-- bob quit (gone)"),
            (":bob!b@h NICK robert", "-- bob is now robert"),
            (":bob!b@h TOPIC #a :news", "#a -- bob set the topic: news"),
            (":bob!b@h TOPIC #a :", "#a -- bob took the topic away"),
            ("332 ann #a :news", "#a -- the topic is: news"),
            ("331 ann #a :No topic is set", "#a -- there is no topic"),
            ("353 ann = #a :@bob ann", "#a -- here: @bob ann"),
            (":bob!b@h MODE #a +o ann", "#a -- bob set mode +o ann"),
            (":bob!b@h INVITE ann #b", "-- bob invites you to #b"),
            (
                "401 ann carol :No such nick",
                "-- error: carol: No such nick",
            ),
        ] {
            assert_eq!(printed(line), text);
        }
    }
}
