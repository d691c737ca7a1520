//! LIST: which channels are told of, to whom, under which conditions.

use std::time::Duration;

use crate::harness::Room;

const START: &str = ":irc.test 321 ann Channel :Users  Name";
const END: &str = ":irc.test 323 ann :End of /LIST";

/// The channels in an answer to ann, in order, and that it begins and ends as
/// it has to.
fn channels(answer: &[String]) -> Vec<&str> {
    let [first, entries @ .., last] = answer else {
        panic!("{answer:?}");
    };
    assert_eq!([first, last], [START, END]);
    entries
        .iter()
        .map(|entry| {
            let entry = entry.strip_prefix(":irc.test 322 ann ").unwrap();
            entry.split(' ').next().unwrap()
        })
        .collect()
}

#[test]
fn each_channel_is_told_with_members_and_topic() {
    let mut room = Room::new();
    let [ann, _] = room.people_in("#Talk", ["ann", "bob"]);
    room.people_in("#b", ["eve"]);
    room.send(ann, "TOPIC #talk :about this and that");
    assert_eq!(
        room.ask(ann, "LIST"),
        [
            START,
            ":irc.test 322 ann #Talk 2 :about this and that",
            ":irc.test 322 ann #b 1 :",
            END,
        ]
    );
}

#[test]
fn without_channels_the_list_is_empty_but_not_missing() {
    let mut room = Room::new();
    let ann = room.person("ann");
    assert_eq!(room.ask(ann, "LIST"), [START, END]);
    assert_eq!(room.ask(ann, "LIST #none"), [START, END]);
}

#[test]
fn a_secret_channel_is_told_only_to_members_and_operators() {
    let (mut room, sam) = Room::with_operator("sam");
    let ann = room.person("ann");
    let [bob] = room.people_in("#secret", ["bob"]);
    room.send(bob, "MODE #secret +s");
    for question in ["LIST", "LIST #secret", "LIST #sec*"] {
        assert_eq!(channels(&room.ask(ann, question)), [""; 0]);
    }
    for insider in [bob, sam] {
        assert!(room.ask(insider, "LIST")[1].ends_with(" #secret 1 :"));
    }
}

#[test]
fn names_and_masks_choose_and_negative_masks_exclude() {
    let mut room = Room::new();
    let ann = room.person("ann");
    for channel in ["#rust", "#rust-help", "#linux", "#Go"] {
        room.send(ann, &format!("JOIN {channel}"));
    }
    for (question, told) in [
        ("LIST #linux", vec!["#linux"]),
        ("LIST #LINUX,#go", vec!["#linux", "#Go"]),
        ("LIST #rust*", vec!["#rust", "#rust-help"]),
        ("LIST *u*", vec!["#rust", "#rust-help", "#linux"]),
        ("LIST !#rust*", vec!["#linux", "#Go"]),
        ("LIST *u*,!*-*", vec!["#rust", "#linux"]),
        ("LIST *u* !*-*", vec!["#rust", "#linux"]),
        ("LIST !*u*,!*g*", vec![]),
    ] {
        assert_eq!(channels(&room.ask(ann, question)), told, "{question}");
    }
}

#[test]
fn the_number_of_members_is_a_condition() {
    let mut room = Room::new();
    let [ann, bob, eve] = ["ann", "bob", "eve"].map(|nick| room.person(nick));
    for (channel, members) in [
        ("#one", vec![ann]),
        ("#two", vec![ann, bob]),
        ("#three", vec![ann, bob, eve]),
    ] {
        for member in members {
            room.send(member, &format!("JOIN {channel}"));
        }
    }
    for (question, told) in [
        ("LIST >1", vec!["#two", "#three"]),
        ("LIST <3", vec!["#one", "#two"]),
        ("LIST >1,<3", vec!["#two"]),
        ("LIST >1,#t*,!*three", vec!["#two"]),
        ("LIST #one >1", vec![]),
        ("LIST >3", vec![]),
    ] {
        assert_eq!(channels(&room.ask(ann, question)), told, "{question}");
    }
}

#[test]
fn the_age_of_channel_and_topic_are_conditions_in_minutes() {
    let mut room = Room::new();
    let ann = room.person("ann");
    room.send(ann, "JOIN #old");
    room.send(ann, "TOPIC #old :old topic");
    room.send(ann, "JOIN #mended");
    room.now.wall += Duration::from_mins(10);
    room.send(ann, "TOPIC #mended :new topic");
    room.send(ann, "JOIN #new");
    room.now.wall += Duration::from_mins(5);
    for (question, told) in [
        ("LIST C<6", vec!["#new"]),
        ("LIST C<5", vec![]),
        ("LIST C>5", vec!["#old", "#mended"]),
        ("LIST c>14", vec!["#old", "#mended"]),
        ("LIST C>15", vec![]),
        ("LIST T<6", vec!["#mended"]),
        ("LIST t>6", vec!["#old"]),
        // A channel without a topic has none that is old or new.
        ("LIST T>0", vec!["#old", "#mended"]),
        ("LIST C>6,T<6", vec!["#mended"]),
    ] {
        assert_eq!(channels(&room.ask(ann, question)), told, "{question}");
    }
}

#[test]
fn more_than_8_conditions_are_too_many() {
    let mut room = Room::new();
    let [ann] = room.people_in("#9", ["ann"]);
    let names: Vec<String> = (1..=9).map(|number| format!("#{number}")).collect();
    let answer = room.ask(ann, &format!("LIST {}", names.join(",")));
    assert_eq!(
        answer,
        [
            ":irc.test 407 ann #9 :Too many targets, the rest is ignored",
            START,
            END
        ]
    );
}
