//! Whole conversations of a session, without a socket.

mod extensions;
mod people;

use std::time::{Duration, Instant};

use chat_protocol::{MAX_BODY_BYTES, NICK_BYTES};

use super::registration::MAX_UNDERSCORES;
use super::*;

/// A session, and a server that the test plays.
struct Conversation {
    session: Session,
    queue: SendQueue,
}

impl Conversation {
    /// A session that has just connected as ann and wants to be in `channels`.
    fn begin(channels: &[&str]) -> Conversation {
        let channels: Vec<String> = channels.iter().map(|&name| name.to_owned()).collect();
        Conversation::begin_with(Settings::new("ann", &channels, Surface::Lines))
    }

    /// A session that has just connected.
    fn begin_with(settings: Settings) -> Conversation {
        let mut session = Session::new(settings);
        session.connect();
        Conversation {
            session,
            queue: SendQueue::new(0),
        }
    }

    /// A session that the server has let in.
    fn registered(channels: &[&str]) -> Conversation {
        let mut conversation = Conversation::begin(channels);
        conversation.server(":irc.example 001 ann :Welcome, ann");
        for channel in channels {
            conversation.server(&format!(":ann!~guest@10.0.0.1 JOIN {channel}"));
        }
        conversation.sent();
        conversation.session.take_news();
        conversation
    }

    fn server(&mut self, line: &str) {
        self.session.receive(line.as_bytes(), Instant::now());
    }

    fn typed(&mut self, line: &str) -> Vec<String> {
        self.session.type_line(Target::Current, line.to_owned());
        self.sent()
    }

    /// What the session has sent since this was last called.
    fn sent(&mut self) -> Vec<String> {
        self.session.fill(&mut self.queue, Instant::now());
        let mut bytes = Vec::new();
        let count = self.queue.write_to(&mut bytes).unwrap();
        self.session.wrote(count);
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.is_empty() || text.ends_with("\r\n"));
        text.split_terminator("\r\n").map(str::to_owned).collect()
    }

    /// What the session tells of `line`.
    fn told(&mut self, line: &str) -> Vec<News> {
        self.server(line);
        self.news()
    }

    /// All that the session has told since this was last called.
    fn news(&mut self) -> Vec<News> {
        let reports = self.session.take_news().into_iter();
        reports.map(|report| report.news).collect()
    }

    fn hints(&mut self) -> String {
        let news = self.news().into_iter();
        let hints = news.filter_map(|news| match news {
            News::Hint(hint) => Some(hint),
            _ => None,
        });
        hints.collect::<Vec<_>>().join("; ")
    }
}

#[test]
fn it_registers_and_joins_and_only_then_sends_what_was_typed() {
    let mut conversation = Conversation::begin(&["#a", "#b"]);
    assert_eq!(
        conversation.typed("hello"),
        ["CAP LS 302", "NICK ann", "USER guest 0 * :chat-client"]
    );
    assert_eq!(conversation.session.unsent(), 1);
    conversation.server(":irc.example 001 ann :Welcome");
    assert_eq!(
        conversation.sent(),
        ["JOIN #a", "JOIN #b", "PRIVMSG #b :hello"]
    );
    assert_eq!(conversation.session.unsent(), 0);
}

#[test]
fn a_ping_is_answered_even_before_registration() {
    let mut conversation = Conversation::begin(&[]);
    conversation.sent();
    conversation.server("PING :are you there");
    assert_eq!(conversation.sent(), ["PONG :are you there"]);
}

#[test]
fn a_nick_that_is_taken_gets_an_underscore_until_there_are_too_many() {
    let mut conversation = Conversation::begin(&["#a"]);
    conversation.sent();
    for underscores in 1..=MAX_UNDERSCORES {
        conversation.server(":irc.example 433 * ann :Nickname is already in use");
        let nick = format!("NICK ann{}", "_".repeat(underscores));
        assert_eq!(conversation.sent(), [nick]);
    }
    assert_eq!(conversation.session.denial(), None);
    conversation.server(":irc.example 433 * ann :Nickname is already in use");
    assert_eq!(conversation.sent(), [""; 0]);
    assert!(
        conversation
            .session
            .denial()
            .unwrap()
            .contains("ann is taken")
    );
}

#[test]
fn a_nick_that_is_not_the_wanted_one_is_said() {
    let mut conversation = Conversation::begin(&["#a"]);
    conversation.server(":irc.example 433 * ann :Nickname is already in use");
    conversation.server(":irc.example 001 ann_ :Welcome");
    assert_eq!(conversation.hints(), "the nick ann is taken; you are ann_");
    assert_eq!(conversation.session.nick(), "ann_");
}

#[test]
fn a_long_nick_loses_its_end_for_the_underscores() {
    let nick = "x".repeat(NICK_BYTES);
    let mut session = Session::new(Settings::new(&nick, &[], Surface::Lines));
    session.connect();
    session.receive(b"433 * x :taken", Instant::now());
    session.receive(b"433 * x :taken", Instant::now());
    assert_eq!(session.nick, format!("{}__", &nick[2..]).as_bytes());
}

#[test]
fn a_nick_that_is_taken_later_is_only_told() {
    let mut conversation = Conversation::registered(&["#a"]);
    assert_eq!(conversation.typed("/nick bob"), ["NICK bob"]);
    let news = conversation.told(":irc.example 433 ann bob :Nickname is already in use");
    assert_eq!(
        news,
        [News::Refused("bob: Nickname is already in use".to_owned())]
    );
    assert_eq!(conversation.sent(), [""; 0]);
}

#[test]
fn a_nick_that_the_server_would_cut_is_refused() {
    let mut conversation = Conversation::registered(&[]);
    conversation.server(":irc.example 005 ann NICKLEN=9 :are supported");
    assert_eq!(conversation.typed("/nick ninebytes"), ["NICK ninebytes"]);
    assert_eq!(conversation.typed("/nick tenletters"), [""; 0]);
    let hints = conversation.hints();
    assert_eq!(hints, "not sent, a nick has at most 9 bytes here");
}

#[test]
fn a_server_that_does_not_want_the_person_is_not_asked_again() {
    for line in [
        "432 * ann :Erroneous nickname",
        "464 ann :Password incorrect",
    ] {
        let mut conversation = Conversation::begin(&[]);
        conversation.server(line);
        conversation.session.disconnect();
        assert!(conversation.session.denial().is_some(), "{line}");
    }
}

#[test]
fn each_command_becomes_its_line() {
    let mut conversation = Conversation::registered(&["#a"]);
    for (typed, sent) in [
        ("hello all", "PRIVMSG #a :hello all"),
        ("//usr/bin", "PRIVMSG #a :/usr/bin"),
        ("/me waves", "PRIVMSG #a :\x01ACTION waves\x01"),
        ("/msg bob how are you", "PRIVMSG bob :how are you"),
        ("/nick anna", "NICK anna"),
        ("/names", "NAMES #a"),
        ("/topic", "TOPIC #a"),
        ("/topic of all things", "TOPIC #a :of all things"),
        ("/topic #b", "TOPIC #b"),
    ] {
        assert_eq!(conversation.typed(typed), [sent]);
    }
    let tenth = conversation.typed("/who");
    assert_eq!(tenth, ["WHO #a", "PING :check-1"], "the window is full");
    conversation.server("PONG irc.example :check-1");
    for (typed, sent) in [
        ("/whois bob", "WHOIS bob"),
        ("/part #b bye", "PART #b :bye"),
        ("/part", "PART #a"),
        ("/join b key", "JOIN #b key"),
        ("text", "PRIVMSG #b :text"),
        ("/quit see you", "QUIT :see you"),
    ] {
        assert_eq!(conversation.typed(typed), [sent]);
    }
    assert_eq!(conversation.typed("more"), [""; 0], "nothing after QUIT");
    assert_eq!(conversation.session.unsent(), 1);
}

#[test]
fn each_command_about_people_and_modes_becomes_its_line() {
    let mut conversation = Conversation::registered(&["#a"]);
    for (typed, sent) in [
        ("/notice bob beep", "NOTICE bob :beep"),
        ("/ctcp bob ping 1 2", "PRIVMSG bob :\x01PING 1 2\x01"),
        ("/whowas bob", "WHOWAS bob"),
        ("/away", "AWAY :away"),
        ("/away at lunch", "AWAY :at lunch"),
        ("/back", "AWAY"),
        ("/invite bob", "INVITE bob #a"),
        ("/kick bob be nice", "KICK #a bob :be nice"),
        ("/kick #b bob", "KICK #b bob"),
        ("/ban bob", "MODE #a +b bob!*@*"),
        ("/unban #b *!*@h", "MODE #b -b *!*@h"),
        ("/op bob carol", "MODE #a +oo bob carol"),
        ("/devoice #b bob", "MODE #b -v bob"),
        ("/mode", "MODE #a"),
        ("/mode +kl key 5", "MODE #a +kl key 5"),
        ("/mode ann +i", "MODE ann +i"),
        ("/mode ann", "MODE ann"),
        ("/list", "LIST"),
        ("/list #a*", "LIST #a*"),
        ("/motd", "MOTD"),
        ("/oper ann secret", "OPER ann secret"),
        ("/quote PING :x y", "PING :x y"),
    ] {
        let lines = conversation.typed(typed);
        assert_eq!(lines[0], sent);
        if let Some(check) = lines.get(1) {
            conversation.server(&check.replace("PING", "PONG irc.example"));
        }
    }
    let lines = conversation.typed("/voice a b c d");
    assert_eq!(lines, ["MODE #a +vvv a b c", "MODE #a +v d"]);
}

#[test]
fn a_command_about_a_channel_is_refused_where_there_is_none() {
    let mut conversation = Conversation::registered(&[]);
    for typed in [
        "/part",
        "/topic x",
        "/kick bob",
        "/op bob",
        "/mode",
        "/invite bob",
        "/who",
    ] {
        assert_eq!(conversation.typed(typed), [""; 0], "{typed}");
        assert!(conversation.hints().contains("not sent"), "{typed}");
    }
}

#[test]
fn who_is_ignored_is_not_heard_until_that_is_taken_back() {
    let mut conversation = Conversation::registered(&["#a"]);
    let heard = |conversation: &mut Conversation| {
        let news = [
            "PRIVMSG #a :hello",
            "PRIVMSG ann :\x01VERSION\x01",
            "INVITE ann #b",
        ];
        let news = news.map(|line| {
            conversation
                .told(&format!(":Bob!b@evil.example {line}"))
                .len()
        });
        (news, conversation.sent().len())
    };
    for mask in ["bob", "*!*@evil.*"] {
        conversation.typed(&format!("/ignore {mask}"));
        assert!(conversation.hints().contains("not shown"));
        assert_eq!(heard(&mut conversation), ([0, 0, 0], 0), "{mask}");
        conversation.typed("/ignore");
        assert_eq!(conversation.hints(), format!("ignored: {mask}"));
        conversation.typed(&format!("/unignore {mask}"));
        assert!(conversation.hints().contains("shown again"));
        assert_eq!(heard(&mut conversation).0, [1, 1, 1]);
    }
}

#[test]
fn help_and_mistakes_send_nothing_and_say_so() {
    let mut conversation = Conversation::registered(&["#a"]);
    assert_eq!(conversation.typed("/help"), [""; 0]);
    assert!(conversation.session.take_news().len() > 10);
    for (typed, hint) in [
        ("/usr/bin", "/usr/bin is no command"),
        ("/msg bob", "/msg nick text"),
    ] {
        assert_eq!(conversation.typed(typed), [""; 0]);
        assert!(conversation.hints().contains(hint), "{typed}");
    }
    assert_eq!(conversation.session.unsent(), 0);
}

#[test]
fn text_follows_the_person_through_the_channels() {
    let mut conversation = Conversation::registered(&["#a"]);
    assert_eq!(conversation.typed("/join #b"), ["JOIN #b"]);
    assert_eq!(conversation.typed("one"), ["PRIVMSG #b :one"]);
    conversation.server(":irc.example 473 ann #b :Cannot join channel (+i)");
    assert_eq!(conversation.hints(), "text goes to #a now");
    assert_eq!(conversation.typed("two"), ["PRIVMSG #a :two"]);
    conversation.server(":bob!b@10.0.0.2 KICK #a ANN :behave");
    assert!(conversation.hints().contains("no channel"));
    assert_eq!(conversation.typed("three"), [""; 0]);
    assert!(conversation.hints().contains("not sent"));
}

#[test]
fn no_line_that_reaches_others_is_longer_than_512_bytes_and_nothing_is_lost() {
    let text: String = (0..2_000).fold(String::new(), |text, n| text + &format!("word{n} "));
    for (typed, open, close) in [
        (text.clone(), "PRIVMSG #a :", ""),
        (format!("/me {text}"), "PRIVMSG #a :\x01ACTION ", "\x01"),
        (
            format!("/msg bob {}", "ü".repeat(5_000)),
            "PRIVMSG bob :",
            "",
        ),
    ] {
        let mut conversation = Conversation::registered(&["#a"]);
        let mut said = String::new();
        let mut lines = conversation.typed(&typed);
        while !lines.is_empty() {
            for line in lines.iter().filter(|line| !line.starts_with("PING")) {
                let relayed = format!(":ann!~guest@10.0.0.1 {line}\r\n");
                assert!(relayed.len() <= MAX_BODY_BYTES, "{}", relayed.len());
                let piece = line.strip_prefix(open).unwrap();
                said += piece.strip_suffix(close).unwrap();
            }
            let check = conversation.session.awaited_check().unwrap_or_default();
            conversation.server(&format!("PONG irc.example :check-{check}"));
            lines = conversation.sent();
        }
        assert!(typed.ends_with(&said), "{open}");
        assert!(said.len() > 9_000);
    }
}

#[test]
fn before_the_server_has_shown_it_the_prefix_is_taken_for_the_longest() {
    let mut conversation = Conversation::registered(&[]);
    let longest = format!(":ann!~guest@{} ", "h".repeat(63));
    let lines = conversation.typed(&format!("/msg bob {}", "x".repeat(1_000)));
    assert_eq!(longest.len() + lines[0].len() + 2, MAX_BODY_BYTES);
}

#[test]
fn what_cannot_be_split_is_refused_whole() {
    let mut conversation = Conversation::registered(&["#a"]);
    assert_eq!(
        conversation.typed(&format!("/topic {}", "x".repeat(600))),
        [""; 0]
    );
    assert!(conversation.hints().contains("not sent"));
    assert_eq!(
        conversation.typed(&format!("/msg {} hello", "x".repeat(500))),
        [""; 0]
    );
    assert!(conversation.hints().contains("not sent"));
}

#[test]
fn what_is_said_is_told_with_its_place_and_manner() {
    let mut conversation = Conversation::registered(&["#a"]);
    let said = |place, manner, text: &str| {
        vec![News::Said {
            place,
            only_for: None,
            is_own: false,
            nick: "bob".to_owned(),
            manner,
            text: text.to_owned(),
        }]
    };
    let channel = || Place::Channel("#a".to_owned());
    let bob = ":bob!b@10.0.0.2";
    for (line, expected) in [
        ("PRIVMSG #a :hello", said(channel(), Manner::Text, "hello")),
        (
            "PRIVMSG ann :psst",
            said(Place::Private("bob".to_owned()), Manner::Text, "psst"),
        ),
        (
            "PRIVMSG #a :\x01ACTION waves\x01",
            said(channel(), Manner::Action, "waves"),
        ),
        ("NOTICE #a :beep", said(channel(), Manner::Notice, "beep")),
        (
            "PRIVMSG #a :\x1b[2Jx\x02y",
            said(channel(), Manner::Text, "\u{FFFD}[2Jx\x02y"),
        ),
    ] {
        assert_eq!(conversation.told(&format!("{bob} {line}")), expected);
    }
}

#[test]
fn nothing_that_a_server_says_reaches_the_person_raw() {
    let evil = "\x1b]0;evil\x07\u{9B}2J\u{202E}";
    let mut conversation = Conversation::registered(&["#a"]);
    for command in [
        "PRIVMSG #a",
        "NOTICE ann",
        "JOIN",
        "PART #a",
        "KICK #a bob",
        "QUIT",
        "NICK",
        "TOPIC #a",
        "MODE #a +k",
        "INVITE ann",
        "ERROR",
        "FAIL X",
        "NOTE X",
        "WALLOPS",
        "001 ann",
        "311 ann",
        "319 ann bob",
        "332 ann #a",
        "352 ann a b c d",
        "353 ann = #a",
        "401 ann",
        "999 ann",
    ] {
        for line in [
            format!(":e{evil}!e@e {command} :{evil}"),
            format!(":e{evil}!e@e {command}{} :{evil}", evil.replace(' ', "")),
            format!(":bob!b@b {command} :\x01{evil} {evil}\x01"),
        ] {
            let mut told = format!("{:?}", conversation.told(&line));
            told += conversation.session.last_words().unwrap_or_default();
            let shown = told.replace("\\u{fffd}", "");
            for escape in ["\\u{1b}", "\\u{7}", "\\u{9b}", "\\u{202e}", "\x1b"] {
                assert!(!shown.contains(escape), "{line:?}: {told}");
            }
        }
    }
}

#[test]
fn a_question_of_a_program_is_answered_but_a_notice_never() {
    let mut conversation = Conversation::registered(&["#a"]);
    conversation.server(":bob!b@10.0.0.2 PRIVMSG ann :\x01PING 42\x01");
    assert_eq!(conversation.sent(), ["NOTICE bob :\x01PING 42\x01"]);
    conversation.server(":bob!b@10.0.0.2 NOTICE ann :\x01PING 42\x01");
    conversation.server(":bob!b@10.0.0.2 PRIVMSG ann :\x01DCC SEND x\x01");
    assert_eq!(conversation.sent(), [""; 0]);
    let later = Instant::now() + Duration::from_secs(1);
    for _ in 0..50 {
        conversation
            .session
            .receive(b":bob!b@b PRIVMSG #a :\x01VERSION\x01", later);
    }
    assert_eq!(
        conversation.sent().len(),
        2,
        "three at once, one of them above"
    );
}

#[test]
fn after_a_lost_connection_it_goes_on_where_it_was() {
    let mut conversation = Conversation::registered(&["#a", "#b"]);
    conversation.typed("/join #c key");
    conversation.typed("/nick anna");
    conversation.server(":ann!~guest@10.0.0.1 JOIN #c");
    conversation.server(":ann!~guest@10.0.0.1 NICK anna");
    conversation.server(":anna!~guest@10.0.0.1 PART #a");
    assert_eq!(
        conversation.session.disconnect(),
        2,
        "written, and not confirmed"
    );
    assert_eq!(conversation.typed("hello again"), [""; 0]);
    assert_eq!(conversation.session.unsent(), 1);
    conversation.session.connect();
    assert_eq!(conversation.sent()[1], "NICK anna");
    conversation.server(":irc.example 001 anna :Welcome");
    assert_eq!(
        conversation.sent(),
        ["JOIN #b", "JOIN #c key", "PRIVMSG #c :hello again"]
    );
}

#[test]
fn the_end_is_asked_for_again_on_the_next_connection() {
    let mut conversation = Conversation::registered(&["#a"]);
    conversation.session.finish();
    assert_eq!(conversation.sent(), ["PING :end"]);
    conversation.session.disconnect();
    conversation.session.connect();
    conversation.server(":irc.example 001 ann :Welcome");
    assert_eq!(conversation.sent()[4..], ["PING :end"]);
    conversation.server(":irc.example PONG irc.example :end");
    assert!(conversation.session.is_confirmed());
}

#[test]
fn messages_without_their_parameters_are_no_panic() {
    let mut conversation = Conversation::registered(&["#a"]);
    for command in [
        "PING", "PONG", "PRIVMSG", "NOTICE", "JOIN", "PART", "KICK", "QUIT", "NICK", "TOPIC",
        "MODE", "INVITE", "ERROR", "FAIL", "001", "433", "353", "352", "000", "@", ":", "",
    ] {
        conversation.server(command);
        conversation.server(&format!(":ann {command}"));
        conversation.server(&format!(":ann!x {command}"));
    }
}

#[test]
fn who_does_not_speak_irc_is_known_by_the_first_line() {
    for line in [
        "-- Welcome to Workshop, guest1.",
        "HTTP/1.1 400 Bad Request",
        "SSH-2.0-OpenSSH_9.2",
        "220 mail.example ESMTP",
    ] {
        let mut session = Conversation::begin(&[]).session;
        session.receive(line.as_bytes(), Instant::now());
        let expected = (!line.starts_with("220")).then_some(line);
        // An SMTP greeting looks like a numeric; then the time-out decides.
        assert_eq!(session.foreign_words(), expected);
    }
    for line in [
        "PING :x",
        "NOTICE * :Looking up",
        ":irc.example 020 * :Wait",
        "ERROR :Full",
    ] {
        let mut session = Conversation::begin(&[]).session;
        session.receive(line.as_bytes(), Instant::now());
        session.receive(b"??? what a server may say later", Instant::now());
        session.receive_unreadable();
        assert_eq!(session.foreign_words(), None, "{line}");
    }
    let mut session = Conversation::begin(&[]).session;
    session.receive_unreadable();
    assert_eq!(session.foreign_words(), Some("something unreadable"));
    session.disconnect();
    session.connect();
    assert_eq!(session.foreign_words(), None, "another connection");
}
