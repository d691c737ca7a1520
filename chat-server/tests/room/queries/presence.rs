//! ISON and USERHOST.

use chat_server::room::Kind;

use crate::harness::Room;

#[test]
fn ison_tells_who_is_here_in_the_order_of_asking() {
    let mut room = Room::new();
    let [ann, bob, _] = ["ann", "Bob", "eve"].map(|nick| room.person(nick));
    room.send(bob, "MODE bob +i");
    for question in ["ISON eve nobody bob", "ISON :eve nobody bob"] {
        assert_eq!(room.ask(ann, question), [":irc.test 303 ann :eve Bob"]);
    }
}

#[test]
fn ison_is_answered_when_nobody_is_here() {
    let mut room = Room::new();
    let ann = room.person("ann");
    assert_eq!(room.ask(ann, "ISON nobody"), [":irc.test 303 ann :"]);
    assert_eq!(
        room.ask(ann, "ISON"),
        [":irc.test 461 ann ISON :Not enough parameters"]
    );
}

#[test]
fn ison_loses_nobody_when_all_do_not_fit_into_one_line() {
    let mut room = Room::new();
    let nicks: Vec<String> = (0..16).map(|number| format!("nick{number:0>26}")).collect();
    for nick in &nicks {
        room.person(nick);
    }
    let ann = room.person("ann");
    let answer = room.ask(ann, &format!("ISON {}", nicks.join(" ")));
    let told: Vec<&str> = answer
        .iter()
        .flat_map(|line| {
            assert!(line.len() <= 510);
            line.strip_prefix(":irc.test 303 ann :").unwrap().split(' ')
        })
        .collect();
    assert_eq!(told, nicks);
}

#[test]
fn userhost_tells_where_from_and_marks_operators_and_the_away() {
    let (mut room, sam) = Room::with_operator("sam");
    let far = room.connect_from("[2001:db8::1]:50000", Kind::Irc);
    for line in ["NICK far", "USER far 0 * :Far", "AWAY :out"] {
        room.send(far, line);
    }
    assert_eq!(
        room.ask(sam, "USERHOST SAM nobody far"),
        [":irc.test 302 sam :sam*=+~sam@127.0.0.1 far=-~far@2001:db8::1"]
    );
    assert_eq!(room.ask(sam, "USERHOST nobody"), [":irc.test 302 sam :"]);
}

#[test]
fn userhost_is_for_five_people() {
    let mut room = Room::new();
    let ann = room.person("ann");
    assert_eq!(
        room.ask(ann, "USERHOST a b c d ann"),
        [":irc.test 302 ann :ann=+~ann@127.0.0.1"]
    );
    assert_eq!(
        room.ask(ann, "USERHOST a b c d e ann"),
        [":irc.test 302 ann :"]
    );
}
