//! MODE for channels.

use chat_server::room::{Limits, Rules};

use crate::harness::{NOON, Room, rules};

#[test]
fn changes_are_told_to_all_members_in_one_line_and_only_if_they_change_something() {
    let mut room = Room::new();
    let [ann, bob] = room.people_in("#c", ["ann", "bob"]);
    let seen = [":ann!~ann@127.0.0.1 MODE #c -t+kov key bob bob"];
    assert_eq!(room.ask(ann, "MODE #c +n-t+kov key BOB bob"), seen);
    assert_eq!(room.lines(bob), seen);
    assert_eq!(room.ask(ann, "MODE #c +n-t+kov key bob bob"), [""; 0]);
    assert_eq!(room.ask(ann, "MODE #c +m-m+m-m"), [""; 0]);
}

#[test]
fn mode_without_changes_lists_them_and_hides_the_key_from_outsiders() {
    let mut room = Room::new();
    let [ann] = room.people_in("#c", ["ann"]);
    let eve = room.person("eve");
    room.send(ann, "MODE #c +imskl key 12");
    assert_eq!(
        room.ask(ann, "MODE #c")[0],
        ":irc.test 324 ann #c +imnstkl key 12"
    );
    room.send(ann, "MODE #c -s");
    assert_eq!(
        room.ask(eve, "MODE #C"),
        [
            ":irc.test 324 eve #c +imntkl * 12".to_owned(),
            format!(":irc.test 329 eve #c {NOON}"),
        ]
    );
    assert_eq!(
        room.ask(eve, "MODE #none"),
        [":irc.test 403 eve #none :No such channel"]
    );
}

#[test]
fn only_operators_of_the_channel_change_it() {
    let mut room = Room::new();
    let [ann, bob] = room.people_in("#c", ["ann", "bob"]);
    let eve = room.person("eve");
    assert_eq!(
        room.ask(bob, "MODE #c +m+k key"),
        [":irc.test 482 bob #c :You're not channel operator"]
    );
    assert_eq!(
        room.ask(eve, "MODE #c +m"),
        [":irc.test 442 eve #c :You're not on that channel"]
    );
    assert_eq!(room.ask(ann, "MODE #c")[0], ":irc.test 324 ann #c +nt");
}

#[test]
fn unknown_modes_get_472_each_once_and_the_others_are_done() {
    let mut room = Room::new();
    let [ann] = room.people_in("#c", ["ann"]);
    assert_eq!(
        room.ask(ann, "MODE #c +xmxé"),
        [
            ":irc.test 472 ann x :is unknown mode char to me",
            ":irc.test 472 ann é :is unknown mode char to me",
            ":ann!~ann@127.0.0.1 MODE #c +m",
        ]
    );
}

#[test]
fn bad_parameters_get_696_or_525_and_change_nothing() {
    let mut room = Room::new();
    let [ann] = room.people_in("#c", ["ann"]);
    let bad_key = ":irc.test 525 ann #c :Key is not well-formed".to_owned();
    for (change, refused) in [
        ("+k", ":irc.test 696 ann #c k * :A key is needed".to_owned()),
        ("+k a,b", bad_key.clone()),
        ("+k :two words", bad_key.clone()),
        ("+k 123456789012345678901234", bad_key.clone()),
        (
            "+l",
            ":irc.test 696 ann #c l * :A limit is a whole number from 1".to_owned(),
        ),
        (
            "+l 0",
            ":irc.test 696 ann #c l 0 :A limit is a whole number from 1".to_owned(),
        ),
        (
            "+l -3",
            ":irc.test 696 ann #c l -3 :A limit is a whole number from 1".to_owned(),
        ),
        (
            "+l many",
            ":irc.test 696 ann #c l many :A limit is a whole number from 1".to_owned(),
        ),
        (
            "+o",
            ":irc.test 696 ann #c o * :A nick is needed".to_owned(),
        ),
        (
            "+o nobody",
            ":irc.test 401 ann nobody :No such nick/channel".to_owned(),
        ),
        (
            "+b :two words",
            ":irc.test 696 ann #c b two_words :This is no mask, or it is too long".to_owned(),
        ),
    ] {
        assert_eq!(room.ask(ann, &format!("MODE #c {change}")), [refused]);
    }
    room.person("eve");
    assert_eq!(
        room.ask(ann, "MODE #c +v eve"),
        [":irc.test 441 ann eve #c :They aren't on that channel"]
    );
    assert_eq!(room.ask(ann, "MODE #c")[0], ":irc.test 324 ann #c +nt");
}

#[test]
fn a_key_goes_away_with_any_parameter_or_none() {
    let mut room = Room::new();
    let [ann] = room.people_in("#c", ["ann"]);
    for unset in ["-k", "-k whatever"] {
        room.send(ann, "MODE #c +k key");
        assert_eq!(
            room.ask(ann, &format!("MODE #c {unset}")),
            [":ann!~ann@127.0.0.1 MODE #c -k *"]
        );
    }
    assert_eq!(room.ask(ann, "MODE #c -k"), [""; 0]);
}

#[test]
fn four_changes_with_a_parameter_are_done_and_the_fifth_is_said_to_be_too_many() {
    let mut room = Room::new();
    let [ann] = room.people_in("#c", ["ann"]);
    assert_eq!(
        room.ask(ann, "MODE #c +bbbbb a b c d e"),
        [
            ":irc.test 696 ann #c b e :Too many mode changes in one command",
            ":ann!~ann@127.0.0.1 MODE #c +bbbb a!*@* b!*@* c!*@* d!*@*",
        ]
    );
}

#[test]
fn parameters_that_are_missing_are_asked_for_four_times_and_no_more() {
    let mut room = Room::new();
    let [ann] = room.people_in("#c", ["ann"]);
    assert_eq!(
        room.ask(ann, &format!("MODE #c +{}", "k".repeat(400)))
            .len(),
        5
    );
}

#[test]
fn masks_are_completed_listed_with_setter_and_time_and_removed() {
    let mut room = Room::new();
    let [ann, bob] = room.people_in("#c", ["ann", "bob"]);
    assert_eq!(
        room.ask(ann, "MODE #c b"),
        [":irc.test 368 ann #c :End of channel ban list"]
    );
    for (letter, item, end) in [
        ("b", "367", ":irc.test 368 bob #c :End of channel ban list"),
        (
            "e",
            "348",
            ":irc.test 349 bob #c :End of channel exception list",
        ),
        (
            "I",
            "346",
            ":irc.test 347 bob #c :End of channel invite exception list",
        ),
    ] {
        assert_eq!(
            room.ask(ann, &format!("MODE #c +{letter} ~eve@10.0.0.*")),
            [format!(
                ":ann!~ann@127.0.0.1 MODE #c +{letter} *!~eve@10.0.0.*"
            )]
        );
        assert_eq!(
            room.ask(ann, &format!("MODE #c +{letter} *!~EVE@10.0.0.*")),
            [""; 0]
        );
        // Everybody may look, with or without a sign.
        for question in [
            letter.to_owned(),
            format!("+{letter}"),
            format!("{letter}{letter}"),
        ] {
            assert_eq!(
                room.ask(bob, &format!("MODE #c {question}")),
                [
                    format!(":irc.test {item} bob #c *!~eve@10.0.0.* ann {NOON}"),
                    end.to_owned(),
                ]
            );
        }
        assert_eq!(
            room.ask(ann, &format!("MODE #c -{letter} *!~EVE@10.0.0.*")),
            [format!(
                ":ann!~ann@127.0.0.1 MODE #c -{letter} *!~eve@10.0.0.*"
            )]
        );
        assert_eq!(room.ask(ann, &format!("MODE #c -{letter} nobody")), [""; 0]);
    }
}

#[test]
fn the_lists_of_a_secret_channel_are_for_members_and_operators_of_the_server() {
    let (mut room, joe) = Room::with_operator("joe");
    let [ann] = room.people_in("#c", ["ann"]);
    let eve = room.person("eve");
    room.send(ann, "MODE #c +s");
    let outside = [":irc.test 442 eve #c :You're not on that channel"];
    assert_eq!(room.ask(eve, "MODE #c b"), outside);
    assert_eq!(room.ask(eve, "MODE #c"), outside);
    assert_eq!(
        room.ask(joe, "MODE #c b"),
        [":irc.test 368 joe #c :End of channel ban list"]
    );
    assert_eq!(room.ask(joe, "MODE #c")[0], ":irc.test 324 joe #c +nst");
}

#[test]
fn a_channel_keeps_100_masks_in_all_its_lists_together() {
    let mut room = Room::new();
    let [ann] = room.people_in("#c", ["ann"]);
    for number in 0..50 {
        room.send(ann, &format!("MODE #c +be ban{number} exempt{number}"));
    }
    for list in ["b", "e", "I"] {
        assert_eq!(
            room.ask(ann, &format!("MODE #c +{list} one-more")),
            [format!(":irc.test 478 ann #c {list} :Channel list is full")]
        );
    }
    room.send(ann, "MODE #c -b ban7");
    assert_eq!(room.ask(ann, "MODE #c +b one-more").len(), 1);
}

#[test]
fn all_masks_together_have_a_limit_that_ended_channels_give_back() {
    let limits = Limits {
        list_entries_bytes: 200,
        ..Limits::default()
    };
    let mut room = Room::under(Rules { limits, ..rules() });
    let [ann] = room.people_in("#a,#b", ["ann"]);
    room.send(ann, "MODE #a +b one");
    room.send(ann, "MODE #a +b two");
    let full = ":irc.test 478 ann #b b :The lists of all channels together are full";
    room.send(ann, "MODE #a +b three");
    assert_eq!(room.ask(ann, "MODE #b +b four"), [full]);
    room.send(ann, "PART #a");
    assert_eq!(
        room.ask(ann, "MODE #b +b four"),
        [":ann!~ann@127.0.0.1 MODE #b +b four!*@*"]
    );
}

#[test]
fn long_changes_are_told_in_several_whole_lines() {
    let mut room = Room::new();
    let channel = format!("#{}", "c".repeat(49));
    let [ann] = room.people_in(&channel, [&"a".repeat(30)]);
    let masks: Vec<String> = ["w", "x", "y", "z"]
        .map(|nick| nick.repeat(95) + "!*@*")
        .into();
    let lines = room.ask(ann, &format!("MODE {channel} +mbbbb {}", masks.join(" ")));
    assert_eq!(lines.len(), 2);
    assert!(lines.iter().all(|line| line.len() <= 510));
    let words: Vec<&str> = lines
        .iter()
        .flat_map(|line| line.split(' ').skip(3))
        .collect();
    assert_eq!(
        words,
        ["+mbbb", &masks[0], &masks[1], &masks[2], "+b", &masks[3]]
    );
}
