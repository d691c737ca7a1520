//! Becoming somebody.

use chat_server::room::Secret;

use crate::harness::{Room, rules};

#[test]
fn nick_and_user_are_answered_with_001_to_005_lusers_and_motd() {
    let mut room = Room::new();
    let ann = room.connect();
    assert_eq!(room.ask(ann, "NICK ann"), [""; 0]);
    let lines = room.ask(ann, "USER ann 0 * :Ann");
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        lines[..3],
        [
            ":irc.test 001 ann :Welcome to the Test Network, ann!~ann@127.0.0.1".to_owned(),
            format!(
                ":irc.test 002 ann :Your host is irc.test, running version chat-server-{version}"
            ),
            ":irc.test 003 ann :This server was created Thu Jan 01 2026 12:00:00 UTC".to_owned(),
        ]
    );
    let codes: Vec<&str> = lines
        .iter()
        .map(|line| line.split(' ').nth(1).unwrap())
        .collect();
    assert_eq!(
        codes[3..],
        ["004", "005", "005", "251", "255", "265", "266", "422"]
    );
}

#[test]
fn commands_before_registration_get_451_and_do_no_harm() {
    let mut room = Room::new();
    let ann = room.connect();
    assert_eq!(
        room.ask(ann, "JOIN :"),
        [":irc.test 451 * :You have not registered"]
    );
    room.send(ann, "nick ann");
    room.send(ann, "user ann 0 * :Ann");
    assert!(room.state.is_registered(ann));
}

#[test]
fn a_nick_in_use_gets_433_whatever_its_case() {
    let mut room = Room::new();
    room.person("Ann");
    let other = room.connect();
    let refused = [":irc.test 433 * aNN :Nickname is already in use"];
    assert_eq!(room.ask(other, "NICK aNN"), refused);
}

#[test]
fn the_wrong_password_gets_464_and_the_door() {
    let mut room = Room::under(chat_server::room::Rules {
        password: Some(Secret::new("open sesame")),
        ..rules()
    });
    let ann = room.connect();
    room.send(ann, "PASS :open barley");
    room.send(ann, "NICK ann");
    assert_eq!(
        room.ask(ann, "USER ann 0 * :Ann"),
        [
            ":irc.test 464 ann :Password incorrect",
            "ERROR :Closing link: (~ann@127.0.0.1) [Password incorrect]",
        ]
    );
    assert!(room.state.is_leaving(ann));
}
