//! TOPIC.

use crate::harness::{NOON, Room};

#[test]
fn a_topic_is_set_shown_and_cleared() {
    let mut room = Room::new();
    let [ann, bob] = room.people_in("#c", ["ann", "bob"]);
    assert_eq!(
        room.ask(bob, "TOPIC #c"),
        [":irc.test 331 bob #c :No topic is set"]
    );
    let set = [":ann!~ann@127.0.0.1 TOPIC #c :tea, please"];
    assert_eq!(room.ask(ann, "TOPIC #C :tea, please"), set);
    assert_eq!(room.lines(bob), set);
    assert_eq!(
        room.ask(bob, "TOPIC #c"),
        [
            ":irc.test 332 bob #c :tea, please".to_owned(),
            format!(":irc.test 333 bob #c ann {NOON}"),
        ]
    );
    assert_eq!(
        room.ask(ann, "TOPIC #c :"),
        [":ann!~ann@127.0.0.1 TOPIC #c :"]
    );
    assert_eq!(
        room.ask(ann, "TOPIC #c"),
        [":irc.test 331 ann #c :No topic is set"]
    );
}

#[test]
fn plus_t_leaves_the_topic_to_operators() {
    let mut room = Room::new();
    let [ann, bob] = room.people_in("#c", ["ann", "bob"]);
    assert_eq!(
        room.ask(bob, "TOPIC #c :mine"),
        [":irc.test 482 bob #c :You're not channel operator"]
    );
    room.send(ann, "MODE #c -t");
    assert_eq!(
        room.ask(bob, "TOPIC #c :mine"),
        [":bob!~bob@127.0.0.1 TOPIC #c :mine"]
    );
}

#[test]
fn outsiders_can_read_a_topic_unless_the_channel_is_secret_and_never_set_it() {
    let mut room = Room::new();
    let [ann] = room.people_in("#c", ["ann"]);
    let eve = room.person("eve");
    room.send(ann, "TOPIC #c :tea");
    assert_eq!(room.ask(eve, "TOPIC #c")[0], ":irc.test 332 eve #c :tea");
    let outside = [":irc.test 442 eve #c :You're not on that channel"];
    assert_eq!(room.ask(eve, "TOPIC #c :coffee"), outside);
    room.send(ann, "MODE #c +s");
    assert_eq!(room.ask(eve, "TOPIC #c"), outside);
    assert_eq!(
        room.ask(eve, "TOPIC #none"),
        [":irc.test 403 eve #none :No such channel"]
    );
}

#[test]
fn an_operator_of_the_server_may_read_every_topic() {
    let (mut room, ann) = Room::with_operator("ann");
    let [bob] = room.people_in("#c", ["bob"]);
    room.send(bob, "TOPIC #c :tea");
    room.send(bob, "MODE #c +s");
    assert_eq!(room.ask(ann, "TOPIC #c")[0], ":irc.test 332 ann #c :tea");
}

#[test]
fn a_topic_is_cut_at_390_bytes_between_two_characters() {
    let mut room = Room::new();
    let [ann] = room.people_in("#c", ["ann"]);
    let lines = room.ask(ann, &format!("TOPIC #c :x{}", "é".repeat(220)));
    let kept = lines[0]
        .strip_prefix(":ann!~ann@127.0.0.1 TOPIC #c :")
        .unwrap();
    assert_eq!(kept.len(), 389);
}
