//! WHO, in the old form and with chosen fields.

use std::time::Duration;

use chat_server::room::Kind;

use crate::harness::Room;

/// The 315 that ends the answer to `mask`.
fn end(nick: &str, mask: &str) -> String {
    format!(":irc.test 315 {nick} {mask} :End of WHO list")
}

/// The nicks in an answer, in order, and that it ends with 315.
fn nicks(answer: &[String]) -> Vec<&str> {
    let (last, rows) = answer.split_last().unwrap();
    assert!(last.starts_with(":irc.test 315 "), "{last}");
    rows.iter()
        .map(|row| {
            assert!(row.starts_with(":irc.test 352 "), "{row}");
            row.split(' ').nth(7).unwrap()
        })
        .collect()
}

#[test]
fn a_channel_is_answered_with_its_members() {
    let mut room = Room::new();
    let [ann, bob] = room.people_in("#c", ["ann", "bob"]);
    room.send(bob, "AWAY :lunch");
    assert_eq!(
        room.ask(ann, "who #C"),
        [
            ":irc.test 352 ann #c ~ann 127.0.0.1 irc.test ann H@ :0 Real ann".to_owned(),
            ":irc.test 352 ann #c ~bob 127.0.0.1 irc.test bob G :0 Real bob".to_owned(),
            end("ann", "#C"),
        ]
    );
}

#[test]
fn each_channel_is_answered_with_what_its_members_are_there() {
    let mut room = Room::new();
    let [ann, bob] = room.people_in("#first", ["ann", "bob"]);
    room.send(bob, "JOIN #second");
    room.send(ann, "JOIN #second");
    for (channel, rows) in [
        ("#first", ["#first ~ann H@", "#first ~bob H"]),
        ("#second", ["#second ~bob H@", "#second ~ann H"]),
    ] {
        let answer = room.ask(ann, &format!("WHO {channel} %cuf"));
        let rows = rows.map(|row| format!(":irc.test 354 ann {row}"));
        assert_eq!(answer[..2], rows);
    }
}

#[test]
fn the_flags_tell_away_operator_status_and_bot_in_that_order() {
    let (mut room, sam) = Room::with_operator("sam");
    room.send(sam, "JOIN #c");
    room.send(sam, "MODE #c +v sam");
    room.send(sam, "MODE sam +B");
    room.send(sam, "AWAY :zzz");
    let flags_seen_by = |room: &mut Room, asker| {
        let answer = room.ask(asker, "WHO #c");
        answer[0].split(' ').nth(8).unwrap().to_owned()
    };
    let ann = room.person("ann");
    assert_eq!(flags_seen_by(&mut room, ann), "G*@B");
    let bob = room.person_with("bob", "multi-prefix");
    assert_eq!(flags_seen_by(&mut room, bob), "G*@+B");
    room.send(sam, "AWAY");
    assert_eq!(flags_seen_by(&mut room, bob), "H*@+B");
}

#[test]
fn an_exact_nick_is_answered_even_if_it_is_invisible() {
    let mut room = Room::new();
    let (ann, bob) = (room.person("ann"), room.person("Bob"));
    room.send(bob, "MODE bob +i");
    assert_eq!(
        room.ask(ann, "WHO bOB"),
        [
            ":irc.test 352 ann * ~Bob 127.0.0.1 irc.test Bob H :0 Real Bob".to_owned(),
            end("ann", "bOB"),
        ]
    );
}

#[test]
fn what_nobody_fits_is_answered_with_the_end_alone() {
    let mut room = Room::new();
    let ann = room.person("ann");
    room.send(ann, "SETNAME #none");
    for mask in ["nobody", "#none", "x*", "nobody!*@*"] {
        assert_eq!(room.ask(ann, &format!("WHO {mask}")), [end("ann", mask)]);
    }
}

#[test]
fn a_mask_finds_invisible_people_only_for_those_who_share_a_channel() {
    let (mut room, sam) = Room::with_operator("sam");
    let [ann, bob] = room.people_in("#c", ["ann", "bob"]);
    let eve = room.person("eve");
    for person in [ann, bob, eve] {
        room.send(person, "MODE ann +i");
        room.send(person, "MODE bob +i");
        room.send(person, "MODE eve +i");
    }
    assert_eq!(nicks(&room.ask(ann, "WHO *")), ["sam", "ann", "bob"]);
    assert_eq!(nicks(&room.ask(eve, "WHO *")), ["sam", "eve"]);
    assert_eq!(nicks(&room.ask(eve, "WHO b?b")), [""; 0]);
    assert_eq!(nicks(&room.ask(sam, "WHO *")), ["sam", "ann", "bob", "eve"]);
}

#[test]
fn a_mask_is_compared_with_nick_user_host_server_and_real_name() {
    let mut room = Room::new();
    let ann = room.person("ann");
    let far = room.connect_from("192.0.2.7:50000", Kind::Irc);
    for line in ["NICK far", "USER away 0 * :Somebody Else"] {
        room.send(far, line);
    }
    for mask in [
        "f?r",
        "~aw*",
        "192.0.2.*",
        "192.0.2.7",
        "some*",
        ":Somebody E*",
        "*!~away@*",
        "far!*",
        "~away@192.*",
    ] {
        assert_eq!(
            nicks(&room.ask(ann, &format!("WHO {mask}"))),
            ["far"],
            "{mask}"
        );
    }
    assert_eq!(nicks(&room.ask(ann, "WHO irc.*")), ["ann", "far"]);
}

#[test]
fn without_a_mask_or_with_0_everybody_is_meant() {
    let mut room = Room::new();
    let [ann, _] = ["ann", "bob"].map(|nick| room.person(nick));
    room.connect();
    for (question, told) in [("WHO", "*"), ("WHO *", "*"), ("WHO 0", "0"), ("WHO :", "*")] {
        let answer = room.ask(ann, question);
        assert_eq!(nicks(&answer), ["ann", "bob"], "{question}");
        assert_eq!(answer[2], end("ann", told));
    }
}

#[test]
fn with_o_only_operators_are_told() {
    let (mut room, _) = Room::with_operator("sam");
    let ann = room.person("ann");
    assert_eq!(nicks(&room.ask(ann, "WHO * o")), ["sam"]);
    assert_eq!(nicks(&room.ask(ann, "WHO ann o")), [""; 0]);
    assert_eq!(
        room.ask(ann, "WHO * o%n")[0],
        ":irc.test 354 ann sam",
        "with fields as well"
    );
}

#[test]
fn the_channel_in_an_answer_is_one_that_the_asker_may_know_of() {
    let mut room = Room::new();
    let [ann] = room.people_in("#secret", ["ann"]);
    let eve = room.person("eve");
    room.send(ann, "MODE #secret +s");
    let channel_seen_by = |room: &mut Room, asker| {
        let answer = room.ask(asker, "WHO ann");
        answer[0].split(' ').nth(3).unwrap().to_owned()
    };
    assert_eq!(channel_seen_by(&mut room, eve), "*");
    assert_eq!(channel_seen_by(&mut room, ann), "#secret");
    room.send(ann, "JOIN #open");
    assert_eq!(channel_seen_by(&mut room, eve), "#open");
    room.send(ann, "MODE ann +i");
    assert_eq!(channel_seen_by(&mut room, eve), "*");
    room.send(eve, "JOIN #open");
    assert_eq!(channel_seen_by(&mut room, eve), "#open");
}

#[test]
fn the_members_of_a_secret_channel_are_told_to_members_and_operators_only() {
    let (mut room, sam) = Room::with_operator("sam");
    let [ann] = room.people_in("#secret", ["ann"]);
    let eve = room.person("eve");
    room.send(ann, "MODE #secret +s");
    assert_eq!(room.ask(eve, "WHO #secret"), [end("eve", "#secret")]);
    assert_eq!(nicks(&room.ask(ann, "WHO #secret")), ["ann"]);
    assert_eq!(nicks(&room.ask(sam, "WHO #secret")), ["ann"]);
}

#[test]
fn somebody_outside_is_not_told_the_invisible_members_of_a_channel() {
    let mut room = Room::new();
    let [ann, _] = room.people_in("#c", ["ann", "bob"]);
    let eve = room.person("eve");
    room.send(ann, "MODE ann +i");
    assert_eq!(nicks(&room.ask(eve, "WHO #c")), ["bob"]);
}

#[test]
fn chosen_fields_come_in_one_order_whatever_the_order_of_asking() {
    let mut room = Room::new();
    let [ann] = room.people_in("#c", ["ann"]);
    room.now.instant += Duration::from_secs(75);
    let all =
        ":irc.test 354 ann 743 #c ~ann 127.0.0.1 127.0.0.1 irc.test ann H@ 0 75 0 n/a :Real ann";
    for fields in ["tcuihsnfdlaor", "roaldfnshiuct"] {
        assert_eq!(
            room.ask(ann, &format!("WHO #c %{fields},743")),
            [all.to_owned(), end("ann", "#c")]
        );
    }
}

#[test]
fn irssi_and_weechat_get_the_fields_they_ask_for() {
    let mut room = Room::new();
    let [ann] = room.people_in("#c", ["ann"]);
    assert_eq!(
        room.ask(ann, "WHO #c %tcuhnfdar,743"),
        [
            ":irc.test 354 ann 743 #c ~ann 127.0.0.1 ann H@ 0 0 :Real ann".to_owned(),
            end("ann", "#c"),
        ]
    );
    assert_eq!(
        room.ask(ann, "WHO #c %cuhsnfdar"),
        [
            ":irc.test 354 ann #c ~ann 127.0.0.1 irc.test ann H@ 0 0 :Real ann".to_owned(),
            end("ann", "#c"),
        ]
    );
}

#[test]
fn unknown_fields_are_passed_over_and_a_token_that_is_none_becomes_0() {
    let mut room = Room::new();
    let ann = room.person("ann");
    assert_eq!(
        room.ask(ann, "WHO ann %tnXYZ,12345")[0],
        ":irc.test 354 ann 0 ann"
    );
}
