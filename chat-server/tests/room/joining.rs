//! Coming into channels: JOIN, INVITE, and what stands in the way.

use std::time::Duration;

use chat_server::room::{Limits, Rules};

use crate::harness::{NOON, Room, rules};

#[test]
fn who_joins_is_seen_by_all_and_gets_topic_and_names() {
    let mut room = Room::new();
    let [ann] = room.people_in("#Café", ["ann"]);
    room.send(ann, "TOPIC #café :All about coffee");
    let bob = room.person("bob");
    room.forget_lines(&[ann]);
    assert_eq!(
        room.ask(bob, "JOIN #café"),
        [
            ":bob!~bob@127.0.0.1 JOIN #Café".to_owned(),
            ":irc.test 332 bob #Café :All about coffee".to_owned(),
            format!(":irc.test 333 bob #Café ann {NOON}"),
            ":irc.test 353 bob = #Café :@ann bob".to_owned(),
            ":irc.test 366 bob #Café :End of /NAMES list".to_owned(),
        ]
    );
    assert_eq!(room.lines(ann), [":bob!~bob@127.0.0.1 JOIN #Café"]);
}

#[test]
fn a_new_channel_is_nt_and_its_creator_operator() {
    let mut room = Room::new();
    let ann = room.person("ann");
    assert_eq!(room.ask(ann, "JOIN #c")[1], ":irc.test 353 ann = #c :@ann");
    assert_eq!(
        room.ask(ann, "MODE #c"),
        [
            ":irc.test 324 ann #c +nt".to_owned(),
            format!(":irc.test 329 ann #c {NOON}"),
        ]
    );
}

#[test]
fn several_channels_are_joined_with_their_keys_in_order() {
    let mut room = Room::new();
    let [ann] = room.people_in("#a,#b,#c", ["ann"]);
    room.send(ann, "MODE #a +k one");
    room.send(ann, "MODE #c +k three");
    let bob = room.person("bob");
    let lines = room.ask(bob, "JOIN #a,#b,#c one,,three");
    let joined: Vec<&String> = lines
        .iter()
        .filter(|line| line.contains(" JOIN "))
        .collect();
    assert_eq!(
        joined,
        [
            ":bob!~bob@127.0.0.1 JOIN #a",
            ":bob!~bob@127.0.0.1 JOIN #b",
            ":bob!~bob@127.0.0.1 JOIN #c",
        ]
    );
}

#[test]
fn joining_again_is_nothing() {
    let mut room = Room::new();
    let [ann] = room.people_in("#c", ["ann"]);
    assert_eq!(room.ask(ann, "JOIN #C"), [""; 0]);
}

#[test]
fn what_is_no_channel_name_gets_476() {
    let mut room = Room::new();
    let ann = room.person("ann");
    for name in ["c", "#", "&local", &format!("#{}", "c".repeat(50))] {
        let refused = format!(":irc.test 476 ann {name} :Bad Channel Mask");
        assert_eq!(room.ask(ann, &format!("JOIN {name}")), [refused]);
    }
    assert_eq!(
        room.ask(ann, "JOIN"),
        [":irc.test 461 ann JOIN :Not enough parameters"]
    );
    assert_eq!(
        room.ask(ann, "JOIN :"),
        [":irc.test 476 ann * :Bad Channel Mask"]
    );
}

#[test]
fn the_key_the_limit_invite_only_and_bans_keep_people_out() {
    let mut room = Room::new();
    let [ann] = room.people_in("#c", ["ann"]);
    let bob = room.person("bob");
    for (set, unset, refused) in [
        (
            "+k secret",
            "-k secret",
            ":irc.test 475 bob #c :Cannot join channel (+k)",
        ),
        (
            "+l 1",
            "-l",
            ":irc.test 471 bob #c :Cannot join channel (+l)",
        ),
        ("+i", "-i", ":irc.test 473 bob #c :Cannot join channel (+i)"),
        (
            "+b BOB",
            "-b bob",
            ":irc.test 474 bob #c :Cannot join channel (+b)",
        ),
    ] {
        room.send(ann, &format!("MODE #c {set}"));
        assert_eq!(room.ask(bob, "JOIN #c wrong"), [refused]);
        room.send(ann, &format!("MODE #c {unset}"));
    }
    assert_eq!(room.ask(bob, "JOIN #c").len(), 3);
}

#[test]
fn exemptions_open_what_bans_and_invite_only_close() {
    let mut room = Room::new();
    let [ann] = room.people_in("#c", ["ann"]);
    let bob = room.person("bob");
    room.send(ann, "MODE #c +ib *!*@127.0.0.1");
    room.send(ann, "MODE #c +I bob!*@*");
    assert_eq!(
        room.ask(bob, "JOIN #c"),
        [":irc.test 474 bob #c :Cannot join channel (+b)"]
    );
    room.send(ann, "MODE #c +e ~bob@*");
    assert_eq!(room.ask(bob, "JOIN #c")[0], ":bob!~bob@127.0.0.1 JOIN #c");
}

#[test]
fn an_invitation_opens_an_invite_only_channel_once() {
    let mut room = Room::new();
    let [ann] = room.people_in("#c", ["ann"]);
    let bob = room.person("bob");
    room.send(ann, "MODE #c +i");
    assert_eq!(room.ask(ann, "INVITE BOB #C"), [":irc.test 341 ann bob #c"]);
    assert_eq!(room.lines(bob), [":ann!~ann@127.0.0.1 INVITE bob #c"]);
    assert_eq!(
        room.ask(bob, "INVITE"),
        [
            ":irc.test 336 bob #c",
            ":irc.test 337 bob :End of /INVITE list",
        ]
    );
    assert_eq!(room.ask(bob, "JOIN #c")[0], ":bob!~bob@127.0.0.1 JOIN #c");
    room.send(bob, "PART #c");
    assert_eq!(
        room.ask(bob, "JOIN #c"),
        [":irc.test 473 bob #c :Cannot join channel (+i)"]
    );
    assert_eq!(
        room.ask(bob, "INVITE"),
        [":irc.test 337 bob :End of /INVITE list"]
    );
}

#[test]
fn an_invitation_to_a_channel_that_ended_opens_no_other_of_that_name() {
    let mut room = Room::new();
    let [ann] = room.people_in("#c", ["ann"]);
    let bob = room.person("bob");
    room.send(ann, "INVITE bob #c");
    room.send(ann, "PART #c");
    room.send(ann, "JOIN #c");
    room.send(ann, "MODE #c +i");
    assert_eq!(
        room.ask(bob, "INVITE"),
        [":irc.test 337 bob :End of /INVITE list"]
    );
    assert_eq!(
        room.ask(bob, "JOIN #c"),
        [":irc.test 473 bob #c :Cannot join channel (+i)"]
    );
}

#[test]
fn invite_says_why_it_cannot_be_done() {
    let mut room = Room::new();
    let [ann, bob] = room.people_in("#c", ["ann", "bob"]);
    let eve = room.person("eve");
    room.send(ann, "MODE #c +i");
    for (from, line, refused) in [
        (
            ann,
            "INVITE eve",
            ":irc.test 461 ann INVITE :Not enough parameters",
        ),
        (
            ann,
            "INVITE nobody #c",
            ":irc.test 401 ann nobody :No such nick/channel",
        ),
        (
            ann,
            "INVITE eve #none",
            ":irc.test 403 ann #none :No such channel",
        ),
        (
            eve,
            "INVITE eve #c",
            ":irc.test 442 eve #c :You're not on that channel",
        ),
        (
            bob,
            "INVITE eve #c",
            ":irc.test 482 bob #c :You're not channel operator",
        ),
        (
            ann,
            "INVITE bob #c",
            ":irc.test 443 ann bob #c :is already on channel",
        ),
    ] {
        assert_eq!(room.ask(from, line), [refused]);
    }
    room.send(ann, "MODE #c -i");
    assert_eq!(room.ask(bob, "INVITE eve #c"), [":irc.test 341 bob eve #c"]);
}

#[test]
fn who_is_in_100_channels_gets_405_for_the_next() {
    let mut room = Room::new();
    let ann = room.person("ann");
    for number in 0..100 {
        room.send(ann, &format!("JOIN #c{number}"));
    }
    let refused = ":irc.test 405 ann #c100 :You have joined too many channels";
    assert_eq!(room.ask(ann, "JOIN #c100"), [refused]);
}

#[test]
fn there_are_no_more_channels_than_the_limit() {
    let limits = Limits {
        max_channels: 1,
        ..Limits::default()
    };
    let mut room = Room::under(Rules { limits, ..rules() });
    let [ann] = room.people_in("#a", ["ann"]);
    let refused = ":irc.test 437 ann #b :Nick/channel is temporarily unavailable";
    assert_eq!(room.ask(ann, "JOIN #b"), [refused]);
    room.send(ann, "PART #a");
    assert_eq!(room.ask(ann, "JOIN #b")[0], ":ann!~ann@127.0.0.1 JOIN #b");
}

#[test]
fn a_channel_ends_with_its_last_member_and_the_next_is_a_new_one() {
    let mut room = Room::new();
    let [ann] = room.people_in("#c", ["ann"]);
    room.send(ann, "MODE #c +k key");
    room.send(ann, "TOPIC #c :old");
    room.send(ann, "PART #c");
    assert_eq!(
        room.ask(ann, "MODE #c"),
        [":irc.test 403 ann #c :No such channel"]
    );
    room.now.wall += Duration::from_secs(5);
    let bob = room.person("bob");
    assert_eq!(room.ask(bob, "JOIN #c")[1], ":irc.test 353 bob = #c :@bob");
    assert_eq!(
        room.ask(bob, "MODE #c")[1],
        format!(":irc.test 329 bob #c {}", NOON + 5)
    );
}

#[test]
fn names_that_fill_more_than_a_line_go_on_in_the_next() {
    let mut room = Room::new();
    let names: Vec<String> = (10..60)
        .map(|number| format!("{number}").repeat(14))
        .collect();
    for name in &names {
        let client = room.person(&format!("n{name}"));
        room.send(client, "JOIN #c");
    }
    let ann = room.person_with("ann", "userhost-in-names");
    let lines = room.ask(ann, "JOIN #c");
    assert!(lines.iter().all(|line| line.len() <= 510));
    let listed: usize = lines
        .iter()
        .filter_map(|line| line.strip_prefix(":irc.test 353 ann = #c :"))
        .map(|names| names.split(' ').count())
        .sum();
    assert_eq!(listed, names.len() + 1);
}
