//! What is said, and who hears it.

use crate::harness::Room;

const CANNOT: &str = "Cannot send to channel";

#[test]
fn a_channel_message_reaches_all_members_but_its_sender() {
    let mut room = Room::new();
    let [ann, bob, eve] = room.people_in("#c", ["ann", "bob", "eve"]);
    assert_eq!(room.ask(ann, "PRIVMSG #C :hello all"), [""; 0]);
    for hearer in [bob, eve] {
        assert_eq!(
            room.lines(hearer),
            [":ann!~ann@127.0.0.1 PRIVMSG #c :hello all"]
        );
    }
}

#[test]
fn a_private_message_reaches_its_receiver_under_the_nick_as_it_is_written() {
    let mut room = Room::new();
    let (ann, bob) = (room.person("ann"), room.person("Bob"));
    assert_eq!(room.ask(ann, "privmsg bob hello"), [""; 0]);
    assert_eq!(room.lines(bob), [":ann!~ann@127.0.0.1 PRIVMSG Bob :hello"]);
    assert_eq!(
        room.ask(ann, "PRIVMSG ann :note to self"),
        [":ann!~ann@127.0.0.1 PRIVMSG ann :note to self"]
    );
}

#[test]
fn several_targets_are_all_served_up_to_8() {
    let mut room = Room::new();
    let [ann, bob] = room.people_in("#c", ["ann", "bob"]);
    assert_eq!(
        room.ask(ann, "PRIVMSG bob,#c,nobody,bob :hi"),
        [":irc.test 401 ann nobody :No such nick/channel"]
    );
    assert_eq!(
        room.lines(bob),
        [
            ":ann!~ann@127.0.0.1 PRIVMSG bob :hi",
            ":ann!~ann@127.0.0.1 PRIVMSG #c :hi",
        ]
    );
    for number in 1..8 {
        let nick = format!("eve{number}");
        room.person(&nick);
    }
    assert_eq!(
        room.ask(ann, "PRIVMSG eve1,eve2,eve3,eve4,eve5,eve6,eve7,#c,bob :hi"),
        [":irc.test 407 ann bob :Too many targets, the rest is ignored"]
    );
    assert_eq!(room.lines(bob).len(), 1);
}

#[test]
fn who_is_named_twice_is_told_once() {
    let mut room = Room::new();
    let [ann, bob] = room.people_in("#c", ["ann", "bob"]);
    assert_eq!(
        room.ask(ann, "PRIVMSG bob,BOB,bob,bob,bob,bob,bob,bob,bob,#C,#c :hi"),
        [""; 0]
    );
    assert_eq!(
        room.lines(bob),
        [
            ":ann!~ann@127.0.0.1 PRIVMSG bob :hi",
            ":ann!~ann@127.0.0.1 PRIVMSG #c :hi",
        ]
    );
    // Nor does it get the same error twice.
    assert_eq!(room.ask(ann, "PRIVMSG nobody,nobody :hi").len(), 1);
}

#[test]
fn who_says_more_than_a_line_holds_is_told_that_its_end_is_lost() {
    let mut room = Room::new();
    let [ann, bob] = room.people_in("#c", ["ann", "bob"]);
    // `:ann!~ann@127.0.0.1 PRIVMSG #c :` is 32 bytes long.
    let longest = "x".repeat(510 - 32);
    assert_eq!(room.ask(ann, &format!("PRIVMSG #c :{longest}")), [""; 0]);
    assert!(room.lines(bob)[0].ends_with(&longest));
    let notice = |target| {
        let cut = "was cut: with your name and address in front it was too long for a line";
        format!(":irc.test NOTICE ann :Your message to {target} {cut}")
    };
    for (command, target) in [("PRIVMSG", "#c"), ("NOTICE", "#c"), ("PRIVMSG", "bob")] {
        let line = format!("{command} {target} :{longest}yz");
        assert_eq!(room.ask(ann, &line), [notice(target)]);
        let heard = room.lines(bob);
        assert!(heard.len() == 1 && heard[0].len() == 510, "{heard:?}");
    }
    assert_eq!(room.state.counters().messages_cut, 3);
}

#[test]
fn without_target_or_text_there_is_411_or_412_but_never_for_a_notice() {
    let mut room = Room::new();
    let ann = room.person("ann");
    assert_eq!(
        room.ask(ann, "PRIVMSG"),
        [":irc.test 411 ann :No recipient given (PRIVMSG)"]
    );
    assert_eq!(
        room.ask(ann, "PRIVMSG ann"),
        [":irc.test 412 ann :No text to send"]
    );
    assert_eq!(
        room.ask(ann, "PRIVMSG ann :"),
        [":irc.test 412 ann :No text to send"]
    );
    assert_eq!(
        room.ask(ann, "PRIVMSG #none :hi"),
        [":irc.test 401 ann #none :No such nick/channel"]
    );
    for notice in [
        "NOTICE",
        "NOTICE ann",
        "NOTICE ann :",
        "NOTICE nobody,#none :hi",
    ] {
        assert_eq!(room.ask(ann, notice), [""; 0]);
    }
}

#[test]
fn an_unmoderated_channel_without_n_hears_outsiders() {
    let mut room = Room::new();
    let [ann] = room.people_in("#c", ["ann"]);
    let eve = room.person("eve");
    assert_eq!(
        room.ask(eve, "PRIVMSG #c :hi"),
        [format!(":irc.test 404 eve #c :{CANNOT}")]
    );
    room.send(ann, "MODE #c -n");
    room.lines(ann);
    assert_eq!(room.ask(eve, "PRIVMSG #c :hi"), [""; 0]);
    assert_eq!(room.lines(ann), [":eve!~eve@127.0.0.1 PRIVMSG #c :hi"]);
    room.send(ann, "MODE #c +m");
    assert_eq!(
        room.ask(eve, "PRIVMSG #c :hi"),
        [format!(":irc.test 404 eve #c :{CANNOT}")]
    );
    room.send(ann, "MODE #c -m+b eve");
    assert_eq!(
        room.ask(eve, "PRIVMSG #c :hi"),
        [format!(":irc.test 404 eve #c :{CANNOT}")]
    );
}

#[test]
fn moderation_and_bans_silence_members_without_voice() {
    let mut room = Room::new();
    let [ann, bob] = room.people_in("#c", ["ann", "bob"]);
    for (silence, exemption) in [("+m", "+v bob"), ("+b bob", "+e bob"), ("+b bob", "+o bob")] {
        room.send(ann, &format!("MODE #c {silence}"));
        assert_eq!(
            room.ask(bob, "PRIVMSG #c :hi"),
            [format!(":irc.test 404 bob #c :{CANNOT}")]
        );
        assert_eq!(room.ask(bob, "NOTICE #c :hi"), [""; 0]);
        room.send(ann, &format!("MODE #c {exemption}"));
        assert_eq!(room.ask(bob, "PRIVMSG #c :hi")[..], [""; 0]);
        room.send(ann, "MODE #c -v-o bob bob");
        room.send(ann, "MODE #c -m-e-b bob bob");
        room.lines(bob);
    }
}

#[test]
fn a_status_message_reaches_that_status_and_higher() {
    let mut room = Room::new();
    let [ann, bob, eve] = room.people_in("#c", ["ann", "bob", "eve"]);
    room.send(ann, "MODE #c +v bob");
    room.forget_lines(&[ann, bob, eve]);
    for (target, told, hearers) in [
        ("@#C", "@#c", vec![ann]),
        ("+#c", "+#c", vec![ann, bob]),
        ("@+#c", "+#c", vec![ann, bob]),
    ] {
        room.send(eve, &format!("PRIVMSG {target} :psst"));
        for person in [ann, bob, eve] {
            let heard = room.lines(person);
            if hearers.contains(&person) {
                assert_eq!(heard, [format!(":eve!~eve@127.0.0.1 PRIVMSG {told} :psst")]);
            } else {
                assert_eq!(heard, [""; 0]);
            }
        }
    }
}

#[test]
fn echo_message_returns_what_was_said_as_the_others_see_it() {
    let mut room = Room::new();
    let ann = room.person_with("ann", "echo-message server-time");
    let bob = room.person("bob");
    room.send(ann, "JOIN #c");
    let time = "@time=2026-01-01T12:00:00.000Z";
    for line in ["PRIVMSG #c :hi", "NOTICE bob :hi"] {
        let echo = [format!("{time} :ann!~ann@127.0.0.1 {line}")];
        assert_eq!(room.ask(ann, line), echo);
    }
    assert_eq!(room.lines(bob), [":ann!~ann@127.0.0.1 NOTICE bob :hi"]);
    // To oneself: once as receiver, once as sender.
    assert_eq!(room.ask(ann, "PRIVMSG ann :hi").len(), 2);
}

#[test]
fn client_tags_reach_those_who_know_tags_and_nothing_else_does() {
    let mut room = Room::new();
    let ann = room.person_with("ann", "message-tags");
    let bob = room.person_with("bob", "message-tags server-time");
    let eve = room.person_with("eve", "server-time");
    let old = room.person("old");
    for person in [ann, bob, eve, old] {
        room.send(person, "JOIN #c");
    }
    room.forget_lines(&[ann, bob, eve, old]);
    room.send(
        ann,
        "@+a=1;msgid=forged;+example.com/b;time=0 PRIVMSG #c :hi",
    );
    let time = "time=2026-01-01T12:00:00.000Z";
    let said = ":ann!~ann@127.0.0.1 PRIVMSG #c :hi";
    assert_eq!(
        room.lines(bob),
        [format!("@{time};+a=1;+example.com/b {said}")]
    );
    assert_eq!(room.lines(eve), [format!("@{time} {said}")]);
    assert_eq!(room.lines(old), [said]);
    // Tags of somebody who did not ask for them are not passed on.
    room.send(old, "@+a=1 PRIVMSG bob :hi");
    assert_eq!(
        room.lines(bob),
        [format!("@{time} :old!~old@127.0.0.1 PRIVMSG bob :hi")]
    );
}

#[test]
fn tagmsg_reaches_only_those_who_know_tags() {
    let mut room = Room::new();
    let ann = room.person_with("ann", "message-tags echo-message");
    let bob = room.person_with("bob", "message-tags");
    let old = room.person("old");
    for person in [ann, bob, old] {
        room.send(person, "JOIN #c");
    }
    room.forget_lines(&[ann, bob, old]);
    let typing = "@+typing=active :ann!~ann@127.0.0.1 TAGMSG #c";
    assert_eq!(room.ask(ann, "@+typing=active TAGMSG #c"), [typing]);
    assert_eq!(room.lines(bob), [typing]);
    assert_eq!(room.lines(old), [""; 0]);
    assert_eq!(
        room.ask(ann, "TAGMSG"),
        [":irc.test 411 ann :No recipient given (TAGMSG)"]
    );
    assert_eq!(
        room.ask(old, "TAGMSG #c"),
        [":irc.test 421 old TAGMSG :Unknown command"]
    );
}

#[test]
fn a_message_that_grows_too_long_by_its_source_is_cut_between_two_characters() {
    let mut room = Room::new();
    let [ann, bob] = room.people_in("#c", ["ann", "bob"]);
    room.send(ann, &format!("PRIVMSG #c :{}", "é".repeat(249)));
    let heard = room.lines(bob);
    assert!((509..=510).contains(&heard[0].len()), "{}", heard[0].len());
    assert!(heard[0].ends_with('é'));
}

#[test]
fn each_receiver_sees_one_senders_messages_in_order() {
    let mut room = Room::new();
    let [ann, bob] = room.people_in("#c", ["ann", "bob"]);
    for number in 0..100 {
        let target = if number % 2 == 0 { "#c" } else { "bob" };
        room.send(ann, &format!("PRIVMSG {target} :{number}"));
    }
    let heard: Vec<usize> = room
        .lines(bob)
        .iter()
        .map(|line| line.rsplit(':').next().unwrap().parse().unwrap())
        .collect();
    assert_eq!(heard, (0..100).collect::<Vec<_>>());
}
