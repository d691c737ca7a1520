//! WHOWAS: who had a nick.

use std::time::Duration;

use crate::harness::Room;

/// The 369 that ends the answer about `nick`.
fn end(nick: &str) -> String {
    format!(":irc.test 369 ann {nick} :End of WHOWAS")
}

/// A room with ann, after one person after another has come as `nick`, with a
/// number as user name, and gone.
fn room_after(nick: &str, people: usize) -> (Room, chat_server::room::ClientId) {
    let mut room = Room::new();
    let ann = room.person("ann");
    for number in 0..people {
        let person = room.connect();
        room.send(person, &format!("NICK {nick}"));
        room.send(person, &format!("USER {number} 0 * :Number {number}"));
        room.send(person, "QUIT");
        room.state.forget(person);
        room.now.wall += Duration::from_mins(1);
    }
    (room, ann)
}

#[test]
fn who_has_left_is_told_newest_first_with_the_time_of_leaving() {
    let (mut room, ann) = room_after("Bob", 2);
    assert_eq!(
        room.ask(ann, "WHOWAS bob"),
        [
            ":irc.test 314 ann Bob ~1 127.0.0.1 * :Number 1".to_owned(),
            ":irc.test 312 ann Bob irc.test :Thu Jan 01 2026 12:01:00 UTC".to_owned(),
            ":irc.test 314 ann Bob ~0 127.0.0.1 * :Number 0".to_owned(),
            ":irc.test 312 ann Bob irc.test :Thu Jan 01 2026 12:00:00 UTC".to_owned(),
            end("bob"),
        ]
    );
}

#[test]
fn a_count_limits_the_answer_unless_it_is_not_positive() {
    let (mut room, ann) = room_after("bob", 3);
    for (count, people) in [
        ("1", 1),
        ("2", 2),
        ("9", 3),
        ("0", 3),
        ("-1", 3),
        ("some", 3),
    ] {
        let answer = room.ask(ann, &format!("WHOWAS bob {count}"));
        assert_eq!(answer.len(), 2 * people + 1, "{count}");
        assert!(answer[0].contains(" ~2 "));
    }
}

#[test]
fn a_nick_that_was_changed_is_remembered_under_its_old_name() {
    let mut room = Room::new();
    let ann = room.person("ann");
    let bob = room.person("bob");
    room.send(bob, "NICK rob");
    assert_eq!(
        room.ask(ann, "WHOWAS bob 1")[0],
        ":irc.test 314 ann bob ~bob 127.0.0.1 * :Real bob"
    );
    assert!(room.ask(ann, "WHOWAS rob")[0].contains(" 406 "));
}

#[test]
fn a_nick_that_nobody_had_is_406_and_the_end() {
    let mut room = Room::new();
    let ann = room.person("ann");
    let early = room.connect();
    room.send(early, "NICK early");
    room.send(early, "QUIT");
    for nick in ["nobody", "ann", "early"] {
        assert_eq!(
            room.ask(ann, &format!("WHOWAS {nick} 1")),
            [
                format!(":irc.test 406 ann {nick} :There was no such nickname"),
                end(nick),
            ]
        );
    }
}

#[test]
fn without_a_nick_it_is_431() {
    let mut room = Room::new();
    let ann = room.person("ann");
    assert_eq!(
        room.ask(ann, "WHOWAS"),
        [":irc.test 431 ann :No nickname given"]
    );
}

#[test]
fn several_nicks_are_all_answered_before_one_end() {
    let (mut room, ann) = room_after("bob", 1);
    let answer = room.ask(ann, "WHOWAS nobody,bob");
    assert_eq!(answer.len(), 4);
    assert!(answer[0].contains(" 406 ann nobody ") && answer[1].contains(" 314 ann bob "));
    assert_eq!(answer[3], end("nobody,bob"));
}

#[test]
fn another_server_is_402_and_the_end() {
    let (mut room, ann) = room_after("bob", 1);
    assert_eq!(
        room.ask(ann, "WHOWAS bob 1 irc.elsewhere"),
        [
            ":irc.test 402 ann irc.elsewhere :No such server".to_owned(),
            end("bob"),
        ]
    );
    assert_eq!(room.ask(ann, "WHOWAS bob 1 irc.test").len(), 3);
}

#[test]
fn the_1000_newest_are_remembered() {
    let (mut room, ann) = room_after("bob", 1_000);
    let person = room.person("eve");
    assert!(
        room.ask(ann, "WHOWAS bob")
            .contains(&":irc.test 314 ann bob ~0 127.0.0.1 * :Number 0".to_owned())
    );
    room.send(person, "QUIT");
    let answer = room.ask(ann, "WHOWAS bob");
    assert_eq!(answer.len(), 2 * 999 + 1);
    assert!(answer[2 * 999 - 2].contains(" ~1 "));
}
