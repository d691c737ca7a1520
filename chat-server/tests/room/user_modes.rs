//! MODE for oneself.

use crate::harness::Room;

#[test]
fn a_client_sees_and_changes_its_own_modes() {
    let mut room = Room::new();
    let ann = room.person("ann");
    assert_eq!(room.ask(ann, "MODE ann"), [":irc.test 221 ann +"]);
    assert_eq!(
        room.ask(ann, "mode ANN +iw"),
        [":ann!~ann@127.0.0.1 MODE ann :+iw"]
    );
    assert_eq!(
        room.ask(ann, "MODE ann +B-w"),
        [":ann!~ann@127.0.0.1 MODE ann :+B-w"]
    );
    assert_eq!(room.ask(ann, "MODE ann +i"), [""; 0]);
    assert_eq!(room.ask(ann, "MODE ann"), [":irc.test 221 ann +Bi"]);
}

#[test]
fn nobody_makes_himself_operator_with_mode() {
    let mut room = Room::new();
    let ann = room.person("ann");
    assert_eq!(room.ask(ann, "MODE ann +o"), [""; 0]);
    assert_eq!(room.ask(ann, "MODE ann"), [":irc.test 221 ann +"]);
}

#[test]
fn unknown_letters_get_one_501_and_the_known_ones_are_done() {
    let mut room = Room::new();
    let ann = room.person("ann");
    assert_eq!(
        room.ask(ann, "MODE ann +xyzié"),
        [
            ":irc.test 501 ann :Unknown MODE flag",
            ":ann!~ann@127.0.0.1 MODE ann :+i",
        ]
    );
}

#[test]
fn the_modes_of_others_are_theirs_alone() {
    let mut room = Room::new();
    let ann = room.person("ann");
    room.person("bob");
    let refused = [":irc.test 502 ann :Cant change mode for other users"];
    assert_eq!(room.ask(ann, "MODE bob"), refused);
    assert_eq!(room.ask(ann, "MODE bob +i"), refused);
    assert_eq!(
        room.ask(ann, "MODE nobody"),
        [":irc.test 401 ann nobody :No such nick/channel"]
    );
}

#[test]
fn lusers_counts_visible_and_invisible_people_and_operators() {
    let mut room = Room::new();
    let ann = room.person("ann");
    room.person("bob");
    room.connect();
    room.send(ann, "MODE ann +i");
    room.send(ann, "JOIN #c");
    assert_eq!(
        room.ask(ann, "LUSERS"),
        [
            ":irc.test 251 ann :There are 1 users and 1 invisible on 1 servers",
            ":irc.test 253 ann 1 :unknown connection(s)",
            ":irc.test 254 ann 1 :channels formed",
            ":irc.test 255 ann :I have 2 clients and 0 servers",
            ":irc.test 265 ann 2 2 :Current local users 2, max 2",
            ":irc.test 266 ann 2 2 :Current global users 2, max 2",
        ]
    );
}
