//! NAMES: who sees whom in a channel.

use crate::harness::Room;

/// The 366 that ends the names of a channel.
fn end(nick: &str, channel: &str) -> String {
    format!(":irc.test 366 {nick} {channel} :End of /NAMES list")
}

#[test]
fn the_members_are_listed_with_their_highest_prefix() {
    let mut room = Room::new();
    let [ann, bob, _] = room.people_in("#c", ["ann", "bob", "eve"]);
    room.send(ann, "MODE #c +vv ann bob");
    assert_eq!(
        room.ask(bob, "NAMES #C"),
        [
            ":irc.test 353 bob = #c :@ann +bob eve".to_owned(),
            end("bob", "#c")
        ]
    );
}

#[test]
fn with_multi_prefix_all_prefixes_are_listed() {
    let mut room = Room::new();
    let [ann] = room.people_in("#c", ["ann"]);
    room.send(ann, "MODE #c +v ann");
    let bob = room.person_with("bob", "multi-prefix");
    assert_eq!(
        room.ask(bob, "NAMES #c")[0],
        ":irc.test 353 bob = #c :@+ann"
    );
}

#[test]
fn with_userhost_in_names_the_whole_name_is_listed() {
    let mut room = Room::new();
    let bob = room.person_with("bob", "userhost-in-names");
    room.people_in("#c", ["ann", "eve"]);
    assert_eq!(
        room.ask(bob, "NAMES #c")[0],
        ":irc.test 353 bob = #c :@ann!~ann@127.0.0.1 eve!~eve@127.0.0.1"
    );
}

#[test]
fn somebody_outside_does_not_see_invisible_members_but_a_member_does() {
    let mut room = Room::new();
    let [ann, bob] = room.people_in("#c", ["ann", "bob"]);
    let eve = room.person("eve");
    room.send(ann, "MODE ann +i");
    assert_eq!(room.ask(eve, "NAMES #c")[0], ":irc.test 353 eve = #c :bob");
    assert_eq!(
        room.ask(bob, "NAMES #c")[0],
        ":irc.test 353 bob = #c :@ann bob"
    );
    // Even if they meet elsewhere: who is in #c is for #c to know.
    room.send(ann, "JOIN #d");
    room.send(eve, "JOIN #d");
    assert_eq!(room.ask(eve, "NAMES #c")[0], ":irc.test 353 eve = #c :bob");
}

#[test]
fn a_secret_channel_looks_from_outside_like_one_that_does_not_exist() {
    let (mut room, sam) = Room::with_operator("sam");
    let [ann] = room.people_in("#Secret", ["ann"]);
    let eve = room.person("eve");
    room.send(ann, "MODE #secret +s");
    assert_eq!(room.ask(eve, "NAMES #secret"), [end("eve", "#secret")]);
    assert_eq!(room.ask(eve, "NAMES #none"), [end("eve", "#none")]);
    for (insider, nick) in [(ann, "ann"), (sam, "sam")] {
        assert_eq!(
            room.ask(insider, "NAMES #secret"),
            [
                format!(":irc.test 353 {nick} @ #Secret :@ann"),
                end(nick, "#Secret")
            ]
        );
    }
}

#[test]
fn several_channels_are_all_answered_up_to_8() {
    let mut room = Room::new();
    let [ann] = room.people_in("#c", ["ann"]);
    let nine = ["#c", "#2", "#3", "#4", "#5", "#6", "#7", "#8", "#9"];
    let answer = room.ask(ann, &format!("NAMES {}", nine.join(",")));
    let mut expected = vec![":irc.test 353 ann = #c :@ann".to_owned()];
    expected.extend(nine[..8].iter().map(|channel| end("ann", channel)));
    expected.push(":irc.test 407 ann #9 :Too many targets, the rest is ignored".to_owned());
    assert_eq!(answer, expected);
}

#[test]
fn without_a_channel_everybody_who_can_be_seen_is_listed_once() {
    let mut room = Room::new();
    let [ann] = room.people_in("#a", ["ann"]);
    let [bob] = room.people_in("#b", ["bob"]);
    let [_, dan] = ["carl", "dan"].map(|nick| room.person(nick));
    let eve = room.person("eve");
    room.send(bob, "MODE #b +s");
    room.send(dan, "MODE dan +i");
    let early = room.connect();
    room.send(early, "NICK early");
    // Bob is in no channel that eve can see, and dan cannot be seen.
    assert_eq!(
        room.ask(eve, "NAMES"),
        [
            ":irc.test 353 eve = #a :@ann".to_owned(),
            ":irc.test 353 eve * * :bob carl eve".to_owned(),
            end("eve", "*"),
        ]
    );
    // Dan sees himself, and bob his channel.
    assert_eq!(
        room.ask(dan, "NAMES")[1],
        ":irc.test 353 dan * * :bob carl dan eve"
    );
    assert_eq!(
        room.ask(bob, "NAMES")[..2],
        [
            ":irc.test 353 bob = #a :@ann",
            ":irc.test 353 bob @ #b :@bob"
        ]
    );
    room.send(ann, "MODE ann +i");
    assert_eq!(
        room.ask(eve, "NAMES"),
        [
            ":irc.test 353 eve * * :bob carl eve".to_owned(),
            end("eve", "*")
        ]
    );
}

#[test]
fn many_members_take_several_lines_and_none_is_lost_or_cut() {
    let mut room = Room::new();
    let mut expected: Vec<String> = (0..40).map(|number| format!("nick{number:0>26}")).collect();
    for nick in &expected {
        let person = room.person(nick);
        room.send(person, "JOIN #c");
    }
    expected[0].insert(0, '@');
    // Nicks of all lengths, so that the lines break at all places in a name.
    for length in 1..=30 {
        let asker = "a".repeat(length);
        let client = room.person(&asker);
        let answer = room.ask(client, "NAMES #c");
        let (last, lines) = answer.split_last().unwrap();
        assert_eq!(*last, end(&asker, "#c"));
        assert!(lines.len() > 1);
        let listed: Vec<&str> = lines
            .iter()
            .flat_map(|line| {
                assert!(line.len() <= 510, "{line}");
                let names = line.strip_prefix(&format!(":irc.test 353 {asker} = #c :"));
                names.unwrap().split(' ')
            })
            .collect();
        assert_eq!(listed, expected);
    }
}
