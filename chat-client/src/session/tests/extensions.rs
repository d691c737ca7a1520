//! CAP, SASL, batches, history, echoes.

use jiff::Timestamp;

use super::*;

const NO_LINE: [&str; 0] = [];

/// A conversation that has asked what the server has.
fn begin(settings: Settings) -> Conversation {
    let mut conversation = Conversation::begin_with(settings);
    assert_eq!(conversation.sent()[0], "CAP LS 302");
    conversation
}

fn lines() -> Settings {
    Settings::new("ann", &[], Surface::Lines)
}

fn screen() -> Settings {
    Settings::new("ann", &[], Surface::Screen)
}

/// A conversation in which these are in use, and ann is in #a.
fn with(settings: Settings, capabilities: &str) -> Conversation {
    let mut conversation = begin(settings);
    conversation.server(&format!(":irc.example CAP * LS :{capabilities}"));
    conversation.server(&format!(":irc.example CAP * ACK :{capabilities}"));
    conversation.server(":irc.example 001 ann :Welcome");
    conversation.server(":ann!~guest@10.0.0.1 JOIN #a");
    conversation.sent();
    conversation.news();
    conversation
}

fn account(password: &str) -> Settings {
    Settings {
        account: Some(Account {
            name: "anna".to_owned(),
            password: Password(password.to_owned()),
        }),
        ..lines()
    }
}

#[test]
fn a_list_in_several_lines_is_awaited_and_what_is_known_is_asked_for() {
    let mut conversation = begin(lines());
    conversation.server(":irc.example CAP * LS * :multi-prefix example/unknown sasl=PLAIN");
    assert_eq!(conversation.sent(), NO_LINE);
    conversation.server(":irc.example CAP * LS :server-time echo-message tls");
    let request = "CAP REQ :echo-message multi-prefix server-time";
    assert_eq!(conversation.sent(), [request], "without an account no sasl");
    conversation.server(":irc.example CAP * ACK :echo-message multi-prefix ");
    assert_eq!(conversation.sent(), NO_LINE, "one has no answer");
    conversation.server(":irc.example CAP * ACK :server-time");
    assert_eq!(conversation.sent(), ["CAP END"]);
}

#[test]
fn a_server_without_anything_known_is_let_go_on() {
    let mut conversation = begin(lines());
    conversation.server(":irc.example CAP * LS :");
    assert_eq!(conversation.sent(), ["CAP END"]);
    for line in [
        ":irc.example 421 * CAP :Unknown command",
        ":irc.example 410 * LS :Invalid CAP command",
    ] {
        let mut conversation = begin(lines());
        conversation.server(line);
        conversation.server(":irc.example 001 ann :Welcome");
        assert!(conversation.session.is_registered(), "{line}");
        conversation.server(":irc.example CAP ann LS :");
        assert_eq!(conversation.sent(), NO_LINE);
    }
}

#[test]
fn of_several_that_are_refused_each_is_asked_for_alone() {
    let mut conversation = begin(lines());
    conversation.server(":irc.example CAP * LS :batch setname");
    assert_eq!(conversation.sent(), ["CAP REQ :batch setname"]);
    conversation.server(":irc.example CAP * NAK :batch setname");
    assert_eq!(conversation.sent(), ["CAP REQ :batch", "CAP REQ :setname"]);
    conversation.server(":irc.example CAP * NAK :batch");
    conversation.server(":irc.example CAP * ACK :setname");
    assert_eq!(conversation.sent(), ["CAP END"]);
    assert!(conversation.session.capabilities.has("setname"));
    assert!(!conversation.session.capabilities.has("batch"));
}

#[test]
fn what_a_server_offers_later_is_asked_for_and_what_it_takes_away_is_gone() {
    let mut conversation = with(lines(), "away-notify");
    conversation.server(":irc.example CAP ann NEW :echo-message sasl");
    assert_eq!(conversation.sent(), ["CAP REQ :echo-message"]);
    conversation.server(":irc.example CAP ann ACK :echo-message");
    assert_eq!(conversation.sent(), NO_LINE, "registration is over");
    assert!(conversation.session.capabilities.has("echo-message"));
    conversation.server(":irc.example CAP ann DEL :echo-message away-notify");
    conversation.server(":irc.example CAP ann NEW :away-notify");
    assert_eq!(conversation.sent(), ["CAP REQ :away-notify"]);
    assert!(!conversation.session.capabilities.has("echo-message"));
    conversation.server(":irc.example CAP ann ACK :away-notify");
    conversation.server(":irc.example CAP ann ACK :-away-notify");
    assert!(!conversation.session.capabilities.has("away-notify"));
}

#[test]
fn a_new_connection_negotiates_anew() {
    let mut conversation = with(lines(), "echo-message");
    conversation.session.disconnect();
    conversation.session.connect();
    assert!(!conversation.session.capabilities.has("echo-message"));
    assert_eq!(conversation.sent()[0], "CAP LS 302");
}

#[test]
fn cap_without_its_parameters_is_no_panic() {
    for line in [
        "CAP",
        "CAP *",
        "CAP * LS",
        "CAP * ACK",
        "CAP * NAK",
        "CAP * NEW",
        "CAP * DEL *",
    ] {
        begin(lines()).server(line);
    }
}

#[test]
fn the_password_goes_to_a_server_that_takes_it_before_the_person_is_in() {
    for offer in ["sasl", "sasl=EXTERNAL,PLAIN"] {
        let mut conversation = begin(account("secret"));
        conversation.server(&format!(":irc.example CAP * LS :{offer}"));
        assert_eq!(conversation.sent(), ["CAP REQ :sasl"]);
        conversation.server(":irc.example CAP * ACK :sasl");
        assert_eq!(conversation.sent(), ["AUTHENTICATE PLAIN"]);
        conversation.server("AUTHENTICATE +");
        // base64 of "\0anna\0secret".
        assert_eq!(conversation.sent(), ["AUTHENTICATE AGFubmEAc2VjcmV0"]);
        conversation.server("AUTHENTICATE +");
        assert_eq!(conversation.sent(), NO_LINE, "it is sent once");
        conversation.server(":irc.example 900 ann ann!a@h anna :You are now logged in as anna");
        conversation.server(":irc.example 903 ann :SASL authentication successful");
        assert_eq!(conversation.sent(), ["CAP END"]);
        conversation.server(":irc.example 001 ann :Welcome");
        assert_eq!(conversation.hints(), "");
    }
}

#[test]
fn what_the_server_asks_of_everybody_is_said_first() {
    let mut conversation = Conversation::begin_with(Settings {
        server_password: Some(Password("let me in".to_owned())),
        ..lines()
    });
    let sent = conversation.sent();
    assert_eq!(sent[..3], ["CAP LS 302", "PASS :let me in", "NICK ann"]);
}

#[test]
fn a_wrong_password_is_said_and_the_person_goes_in_without_an_account() {
    let mut conversation = begin(account("wrong"));
    conversation.server(":irc.example CAP * LS :sasl=PLAIN");
    conversation.server(":irc.example CAP * ACK :sasl");
    conversation.server("AUTHENTICATE +");
    conversation.sent();
    conversation.server(":irc.example 904 ann :SASL authentication failed");
    assert_eq!(conversation.sent(), ["CAP END"]);
    conversation.server(":irc.example 001 ann :Welcome");
    let hints = conversation.hints();
    assert_eq!(
        hints,
        "not logged in as anna: the server has refused the password"
    );
}

#[test]
fn a_server_without_plain_never_sees_the_password_and_that_is_said() {
    for offer in ["server-time", "sasl=EXTERNAL"] {
        let mut conversation = begin(account("secret"));
        conversation.server(&format!(":irc.example CAP * LS :{offer}"));
        conversation.server(":irc.example CAP * ACK :server-time");
        conversation.server("AUTHENTICATE +");
        let sent = conversation.sent();
        assert!(
            sent.iter().all(|line| !line.contains("AUTHENTICATE")),
            "{sent:?}"
        );
        assert_eq!(sent.last().unwrap(), "CAP END");
        conversation.server(":irc.example 001 ann :Welcome");
        let hints = conversation.hints();
        assert_eq!(
            hints,
            "not logged in as anna: the server does not offer SASL PLAIN"
        );
    }
}

#[test]
fn a_long_password_is_sent_in_pieces_of_which_the_last_is_short() {
    for (password_bytes, pieces) in [(200, 1), (291, 1), (292, 2), (294, 2), (400, 2), (594, 3)] {
        let mut conversation = begin(account(&"x".repeat(password_bytes)));
        conversation.server(":irc.example CAP * LS :sasl");
        conversation.server(":irc.example CAP * ACK :sasl");
        conversation.sent();
        conversation.server("AUTHENTICATE +");
        let sent = conversation.sent();
        assert_eq!(sent.len(), pieces, "{password_bytes}");
        let last = sent.last().unwrap().strip_prefix("AUTHENTICATE ").unwrap();
        assert!(last.len() < 400, "{password_bytes}");
    }
}

#[test]
fn the_password_is_in_no_debug_output() {
    let session = Session::new(Settings {
        server_password: Some(Password("secret".to_owned())),
        ..account("secret")
    });
    assert!(!format!("{session:?}").contains("secret"));
}

#[test]
fn what_the_person_says_is_told_once_with_and_without_an_echo() {
    let hello = News::Said {
        place: Place::Channel("#a".to_owned()),
        only_for: None,
        nick: "ann".to_owned(),
        manner: Manner::Text,
        text: "hello".to_owned(),
        is_own: true,
    };
    let mut conversation = with(lines(), "");
    conversation.typed("hello");
    assert_eq!(conversation.news(), std::slice::from_ref(&hello));

    let mut conversation = with(lines(), "echo-message");
    conversation.typed("hello");
    assert_eq!(conversation.news(), [], "the server will tell");
    let told = conversation.told(":ann!~guest@10.0.0.1 PRIVMSG #a :hello");
    assert_eq!(told, [hello]);
}

#[test]
fn what_the_person_says_to_another_belongs_to_the_other() {
    for capabilities in ["", "echo-message"] {
        let mut conversation = with(lines(), capabilities);
        conversation.typed("/msg Bob \u{2}hi");
        if !capabilities.is_empty() {
            conversation.server(":ann!~guest@10.0.0.1 PRIVMSG Bob :\u{2}hi");
        }
        let news = conversation.news();
        let [
            News::Said {
                place,
                text,
                is_own: true,
                ..
            },
        ] = news.as_slice()
        else {
            panic!("{news:?}");
        };
        assert_eq!(
            (place, text.as_str()),
            (&Place::Private("Bob".to_owned()), "\u{2}hi")
        );
    }
}

#[test]
fn what_the_person_says_to_himself_is_told_once() {
    for (capabilities, copies) in [("", 1), ("echo-message", 2)] {
        let mut conversation = with(lines(), capabilities);
        for _ in 0..2 {
            conversation.typed("/msg ANN note");
            for _ in 0..copies {
                conversation.server(":ann!~guest@10.0.0.1 PRIVMSG ann :note");
            }
            let news = conversation.news();
            assert!(
                matches!(news[..], [News::Said { is_own: false, .. }]),
                "{news:?}"
            );
        }
    }
}

#[test]
fn the_echo_of_a_question_is_not_answered() {
    let mut conversation = with(lines(), "echo-message");
    assert_eq!(
        conversation.told(":ann!~guest@10.0.0.1 PRIVMSG #a :\x01VERSION\x01"),
        []
    );
    assert_eq!(conversation.sent(), NO_LINE);
}

#[test]
fn the_time_of_a_message_is_the_servers() {
    let mut conversation = with(lines(), "server-time");
    conversation.server("@time=2026-11-21T01:16:00.123Z :bob!b@h PRIVMSG #a :hello");
    conversation.server("@time=yesterday :bob!b@h PRIVMSG #a :hello");
    let at: Vec<_> = conversation
        .session
        .take_news()
        .into_iter()
        .map(|report| report.at)
        .collect();
    let expected: Timestamp = "2026-11-21T01:16:00.123Z".parse().unwrap();
    assert_eq!(at, [Some(expected), None]);
}

const HISTORY: &str = "batch chathistory server-time message-tags";

#[test]
fn a_screen_asks_for_what_was_said_before_and_a_pipe_does_not() {
    let mut conversation = begin(screen());
    conversation.server(&format!(":irc.example CAP * LS :{HISTORY}"));
    conversation.server(&format!(":irc.example CAP * ACK :{HISTORY}"));
    conversation.server(":irc.example 001 ann :Welcome");
    conversation.server(":irc.example 005 ann CHATHISTORY=50 :are supported");
    conversation.sent();
    conversation.server(":ann!~guest@10.0.0.1 JOIN #a");
    assert_eq!(
        conversation.sent(),
        ["MODE #a", "CHATHISTORY LATEST #a * 50"]
    );

    let mut conversation = with(lines(), HISTORY);
    conversation.server(":ann!~guest@10.0.0.1 JOIN #b");
    assert_eq!(conversation.sent(), NO_LINE);
}

#[test]
fn history_is_told_as_history_and_changes_nothing() {
    let mut conversation = with(screen(), HISTORY);
    conversation.server(":irc.example BATCH +1 chathistory #a");
    for line in [
        "PRIVMSG #a :ann: hello",
        "PRIVMSG #a :\x01ACTION waves\x01",
        "PRIVMSG #a :\x01VERSION\x01",
        "JOIN #a",
        "KICK #a ann :behave",
    ] {
        conversation.server(&format!(
            "@batch=1;time=2026-11-21T01:16:00.000Z :bob!b@h {line}"
        ));
    }
    conversation.server("@time=2026-11-21T01:17:00.000Z :carol!c@h PRIVMSG #a :meanwhile");
    conversation.server(":irc.example BATCH -1");
    let told = conversation.session.take_news().into_iter();
    let told: Vec<(bool, String)> = told
        .map(|report| (report.is_history, report.news.to_string()))
        .collect();
    let expected = [
        (true, "#a <bob> ann: hello"),
        (true, "#a * bob waves"),
        (false, "#a <carol> meanwhile"),
    ];
    assert_eq!(
        told,
        expected.map(|(is_history, text)| (is_history, text.to_owned()))
    );
    assert_eq!(conversation.sent(), NO_LINE);
    assert!(
        conversation
            .session
            .channel("#a")
            .is_some_and(Channel::is_joined)
    );

    conversation.session.disconnect();
    conversation.session.connect();
    conversation.server(&format!(":irc.example CAP * LS :{HISTORY}"));
    conversation.server(&format!(":irc.example CAP * ACK :{HISTORY}"));
    conversation.server(":irc.example 001 ann :Welcome");
    conversation.sent();
    conversation.server(":ann!~guest@10.0.0.1 JOIN #a");
    let since = "CHATHISTORY LATEST #a timestamp=2026-11-21T01:17:00.000Z 100";
    assert_eq!(
        conversation.sent(),
        ["MODE #a", since],
        "only what was missed"
    );
}
