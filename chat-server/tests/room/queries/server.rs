//! What the server says about itself.

use std::time::Duration;

use chat_server::room::Rules;

use crate::harness::{NOON, Room, rules};

#[test]
fn a_question_to_another_server_is_402() {
    let mut room = Room::new();
    let ann = room.person("ann");
    for question in ["ADMIN", "INFO", "MOTD", "TIME", "VERSION", "STATS u"] {
        assert_eq!(
            room.ask(ann, &format!("{question} irc.elsewhere")),
            [":irc.test 402 ann irc.elsewhere :No such server"]
        );
        let answer = room.ask(ann, question);
        assert_eq!(room.ask(ann, &format!("{question} irc.test")), answer);
        assert_eq!(room.ask(ann, &format!("{question} *.TEST")), answer);
        assert_eq!(room.ask(ann, &format!("{question} ann")), answer);
        assert_eq!(room.ask(ann, &format!("{question} :")), answer);
    }
}

#[test]
fn admin_tells_what_the_rules_say() {
    let administrator = ["Somewhere", "Some institution", "<root@irc.test>"];
    let mut room = Room::under(Rules {
        administrator: administrator.map(str::to_owned).to_vec(),
        ..rules()
    });
    let ann = room.person("ann");
    assert_eq!(
        room.ask(ann, "ADMIN"),
        [
            ":irc.test 256 ann irc.test :Administrative info",
            ":irc.test 257 ann :Somewhere",
            ":irc.test 258 ann :Some institution",
            ":irc.test 259 ann :<root@irc.test>",
        ]
    );
}

#[test]
fn admin_is_423_if_there_is_nothing_to_tell() {
    let mut room = Room::new();
    let ann = room.person("ann");
    assert_eq!(
        room.ask(ann, "ADMIN"),
        [":irc.test 423 ann irc.test :No administrative info available"]
    );
}

#[test]
fn info_tells_what_this_is_and_since_when_it_runs() {
    let mut room = Room::new();
    let ann = room.person("ann");
    let answer = room.ask(ann, "INFO");
    let (last, lines) = answer.split_last().unwrap();
    assert_eq!(last, ":irc.test 374 ann :End of INFO list");
    assert!(
        lines
            .iter()
            .all(|line| line.starts_with(":irc.test 371 ann :"))
    );
    let version = env!("CARGO_PKG_VERSION");
    let first = format!(":irc.test 371 ann :chat-server-{version}: A chat room on one epoll loop.");
    assert_eq!(lines[0], first);
    let since = ":irc.test 371 ann :Running since Thu Jan 01 2026 12:00:00 UTC.";
    assert!(lines.iter().any(|line| line == since));
}

#[test]
fn links_tells_of_this_server_alone() {
    let mut room = Room::new();
    let ann = room.person("ann");
    assert_eq!(
        room.ask(ann, "LINKS"),
        [
            ":irc.test 364 ann irc.test irc.test :0 A chat room on one epoll loop",
            ":irc.test 365 ann * :End of /LINKS list",
        ]
    );
    assert_eq!(room.ask(ann, "LINKS irc.*").len(), 2);
    assert_eq!(
        room.ask(ann, "LINKS *.org"),
        [":irc.test 365 ann *.org :End of /LINKS list"]
    );
}

#[test]
fn time_is_told_in_seconds_and_in_words() {
    let mut room = Room::new();
    let ann = room.person("ann");
    room.now.wall += Duration::from_secs(61);
    let seconds = NOON + 61;
    assert_eq!(
        room.ask(ann, "TIME"),
        [format!(
            ":irc.test 391 ann irc.test {seconds} :Thu Jan 01 2026 12:01:01 UTC"
        )]
    );
}

#[test]
fn version_is_told_with_all_of_005() {
    let mut room = Room::new();
    let ann = room.person("ann");
    let answer = room.ask(ann, "VERSION");
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        answer[0],
        format!(":irc.test 351 ann chat-server-{version} irc.test :A chat room on one epoll loop")
    );
    assert!(answer.len() > 1);
    for line in &answer[1..] {
        assert!(line.starts_with(":irc.test 005 ann "), "{line}");
        assert!(line.ends_with(" :are supported by this server"), "{line}");
    }
    let tokens = answer[1..].join(" ");
    for token in ["ELIST=CMNTU", "SAFELIST", "WHOX"] {
        assert!(tokens.split(' ').any(|found| found == token), "{token}");
    }
}

#[test]
fn stats_u_tells_how_long_the_server_is_up() {
    let mut room = Room::new();
    let ann = room.person("ann");
    let end = ":irc.test 219 ann u :End of /STATS report";
    for (seconds, up) in [
        (0, "0 days 0:00:00"),
        (59, "0 days 0:00:59"),
        (2 * 86_400 + 3 * 3_600 + 4 * 60 + 5, "2 days 3:04:05"),
    ] {
        let before = room.now.wall;
        room.now.wall += Duration::from_secs(seconds);
        assert_eq!(
            room.ask(ann, "STATS u"),
            [format!(":irc.test 242 ann :Server Up {up}"), end.to_owned()]
        );
        room.now.wall = before;
    }
    // The clock was put back.
    room.now.wall -= Duration::from_secs(5);
    assert_eq!(
        room.ask(ann, "STATS u")[0],
        ":irc.test 242 ann :Server Up 0 days 0:00:00"
    );
}

#[test]
fn stats_t_tells_the_counters() {
    let mut room = Room::new();
    let ann = room.person("ann");
    let before = room.state.counters();
    room.state.line_too_long(ann, room.now);
    let answer = room.ask(ann, "STATS t");
    let (last, lines) = answer.split_last().unwrap();
    assert_eq!(last, ":irc.test 219 ann t :End of /STATS report");
    let received = before.lines_received + 1;
    assert_eq!(
        lines[..2],
        [
            format!(":irc.test 249 ann :{received} lines received"),
            ":irc.test 249 ann :1 of them too long".to_owned(),
        ]
    );
}

#[test]
fn other_stats_are_empty_but_end() {
    let mut room = Room::new();
    let ann = room.person("ann");
    assert_eq!(
        room.ask(ann, "STATS x"),
        [":irc.test 219 ann x :End of /STATS report"]
    );
    assert_eq!(
        room.ask(ann, "STATS"),
        [":irc.test 461 ann STATS :Not enough parameters"]
    );
}

#[test]
fn lusers_counts_people_operators_strangers_and_channels() {
    let (mut room, sam) = Room::with_operator("sam");
    let [ann, _] = room.people_in("#c", ["ann", "bob"]);
    room.send(ann, "MODE ann +i");
    let gone = room.person("gone");
    room.send(gone, "QUIT");
    room.connect();
    assert_eq!(
        room.ask(sam, "LUSERS"),
        [
            ":irc.test 251 sam :There are 2 users and 1 invisible on 1 servers",
            ":irc.test 252 sam 1 :operator(s) online",
            ":irc.test 253 sam 1 :unknown connection(s)",
            ":irc.test 254 sam 1 :channels formed",
            ":irc.test 255 sam :I have 3 clients and 0 servers",
            ":irc.test 265 sam 3 4 :Current local users 3, max 4",
            ":irc.test 266 sam 3 4 :Current global users 3, max 4",
        ]
    );
}

#[test]
fn the_message_of_the_day_is_told_line_by_line_and_422_if_there_is_none() {
    let mut room = Room::new();
    let ann = room.person("ann");
    assert_eq!(
        room.ask(ann, "MOTD"),
        [":irc.test 422 ann :MOTD File is missing"]
    );
    room.state
        .replace_motd(vec!["Hello,".into(), String::new(), "world".into()]);
    assert_eq!(
        room.ask(ann, "MOTD"),
        [
            ":irc.test 375 ann :- irc.test Message of the day - ",
            ":irc.test 372 ann :- Hello,",
            ":irc.test 372 ann :- ",
            ":irc.test 372 ann :- world",
            ":irc.test 376 ann :End of /MOTD command.",
        ]
    );
}
