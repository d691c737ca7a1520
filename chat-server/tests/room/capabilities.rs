//! CAP, and what the capabilities change.

use crate::harness::Room;

const ALL: &str = "away-notify cap-notify echo-message extended-join invite-notify message-tags \
                   multi-prefix server-time setname userhost-in-names";

#[test]
fn cap_ls_holds_registration_until_cap_end() {
    let mut room = Room::new();
    let ann = room.connect();
    assert_eq!(
        room.ask(ann, "CAP LS 302"),
        [format!(":irc.test CAP * LS :{ALL}")]
    );
    room.send(ann, "NICK ann");
    room.send(ann, "USER ann 0 * :Ann");
    assert!(!room.state.is_registered(ann));
    assert_eq!(
        room.ask(ann, "CAP REQ :server-time"),
        [":irc.test CAP ann ACK :server-time"]
    );
    let lines = room.ask(ann, "CAP END");
    assert!(
        lines[0].starts_with("@time=2026-01-01T12:00:00.000Z :irc.test 001 "),
        "{}",
        lines[0]
    );
}

#[test]
fn a_request_is_granted_as_a_whole_or_not_at_all() {
    let mut room = Room::new();
    let ann = room.connect();
    assert_eq!(
        room.ask(ann, "CAP REQ :setname sasl away-notify"),
        [":irc.test CAP * NAK :setname sasl away-notify"]
    );
    assert_eq!(room.ask(ann, "CAP LIST"), [":irc.test CAP * LIST :"]);
    assert_eq!(
        room.ask(ann, "CAP REQ :setname away-notify"),
        [":irc.test CAP * ACK :setname away-notify"]
    );
    assert_eq!(
        room.ask(ann, "CAP LIST"),
        [":irc.test CAP * LIST :away-notify setname"]
    );
    assert_eq!(
        room.ask(ann, "CAP REQ :-setname -multi-prefix"),
        [":irc.test CAP * ACK :-setname -multi-prefix"]
    );
    assert_eq!(
        room.ask(ann, "CAP LIST"),
        [":irc.test CAP * LIST :away-notify"]
    );
}

#[test]
fn cap_works_after_registration_and_end_is_then_ignored() {
    let mut room = Room::new();
    let ann = room.person("ann");
    assert_eq!(
        room.ask(ann, "CAP REQ echo-message"),
        [":irc.test CAP ann ACK :echo-message"]
    );
    assert_eq!(room.ask(ann, "CAP END"), [""; 0]);
    assert_eq!(
        room.ask(ann, "CAP frob"),
        [":irc.test 410 ann frob :Invalid CAP command"]
    );
    assert_eq!(
        room.ask(ann, "CAP"),
        [":irc.test 461 ann CAP :Not enough parameters"]
    );
}

#[test]
fn cap_notify_comes_with_302_and_cannot_be_given_back_then() {
    let mut room = Room::new();
    let modern = room.connect();
    room.ask(modern, "CAP LS 307");
    assert_eq!(
        room.ask(modern, "CAP LIST"),
        [":irc.test CAP * LIST :cap-notify"]
    );
    assert_eq!(
        room.ask(modern, "CAP REQ :-cap-notify"),
        [":irc.test CAP * NAK :-cap-notify"]
    );
    assert_eq!(
        room.ask(modern, "CAP REQ :cap-notify"),
        [":irc.test CAP * ACK :cap-notify"]
    );

    let old = room.connect();
    room.ask(old, "CAP LS");
    assert_eq!(room.ask(old, "CAP LIST"), [":irc.test CAP * LIST :"]);
    room.ask(old, "CAP REQ :cap-notify");
    assert_eq!(
        room.ask(old, "CAP REQ :-cap-notify"),
        [":irc.test CAP * ACK :-cap-notify"]
    );
}

#[test]
fn a_request_too_long_to_be_repeated_is_refused() {
    let mut room = Room::new();
    let ann = room.connect();
    let lines = room.ask(ann, &format!("CAP REQ :{}", "setname ".repeat(60)));
    assert!(lines[0].contains(" NAK "), "{}", lines[0]);
    assert_eq!(room.ask(ann, "CAP LIST"), [":irc.test CAP * LIST :"]);
}

#[test]
fn server_time_is_on_everything_for_those_who_asked_and_on_nothing_else() {
    let mut room = Room::new();
    let ann = room.person_with("ann", "server-time");
    let bob = room.person("bob");
    let time = "@time=2026-01-01T12:00:00.000Z";
    assert_eq!(
        room.ask(ann, "JOIN #c"),
        [
            format!("{time} :ann!~ann@127.0.0.1 JOIN #c"),
            format!("{time} :irc.test 353 ann = #c :@ann"),
            format!("{time} :irc.test 366 ann #c :End of /NAMES list"),
        ]
    );
    room.send(bob, "JOIN #c");
    assert!(room.lines(bob).iter().all(|line| !line.starts_with('@')));
}

#[test]
fn extended_join_adds_account_and_real_name_for_those_who_asked() {
    let mut room = Room::new();
    let [ann] = room.people_in("#c", ["ann"]);
    let bob = room.person_with("bob", "extended-join");
    assert_eq!(
        room.ask(bob, "JOIN #c")[0],
        ":bob!~bob@127.0.0.1 JOIN #c * :Real bob"
    );
    assert_eq!(room.lines(ann), [":bob!~bob@127.0.0.1 JOIN #c"]);
}

#[test]
fn multi_prefix_and_userhost_in_names_change_353() {
    let mut room = Room::new();
    let [ann] = room.people_in("#c", ["ann"]);
    room.send(ann, "MODE #c +v ann");
    let bob = room.person_with("bob", "multi-prefix userhost-in-names");
    assert_eq!(room.ask(bob, "JOIN #c")[1], {
        ":irc.test 353 bob = #c :@+ann!~ann@127.0.0.1 bob!~bob@127.0.0.1"
    });
    let eve = room.person("eve");
    assert_eq!(
        room.ask(eve, "JOIN #c")[1],
        ":irc.test 353 eve = #c :@ann bob eve"
    );
}

#[test]
fn setname_is_told_to_those_who_asked() {
    let mut room = Room::new();
    let ann = room.person_with("ann", "setname");
    let bob = room.person_with("bob", "setname");
    let eve = room.person("eve");
    for person in [ann, bob, eve] {
        room.send(person, "JOIN #c");
    }
    room.forget_lines(&[ann, bob, eve]);
    room.send(ann, "SETNAME :Queen Ann");
    for witness in [ann, bob] {
        assert_eq!(
            room.lines(witness),
            [":ann!~ann@127.0.0.1 SETNAME :Queen Ann"]
        );
    }
    assert_eq!(room.lines(eve), [""; 0]);
    assert_eq!(
        room.ask(ann, "SETNAME :"),
        [":irc.test 461 ann SETNAME :Not enough parameters"]
    );
    let long = "x".repeat(200);
    let told = format!(":ann!~ann@127.0.0.1 SETNAME :{}", "x".repeat(150));
    assert_eq!(room.ask(ann, &format!("SETNAME :{long}")), [told]);
}

#[test]
fn invite_notify_tells_members_who_asked() {
    let mut room = Room::new();
    let [ann, bob] = room.people_in("#c", ["ann", "bob"]);
    let eve = room.person_with("eve", "invite-notify");
    room.send(eve, "JOIN #c");
    let guest = room.person("guest");
    room.forget_lines(&[ann, bob, eve]);
    assert_eq!(
        room.ask(ann, "INVITE guest #c"),
        [":irc.test 341 ann guest #c"]
    );
    for told in [guest, eve] {
        assert_eq!(room.lines(told), [":ann!~ann@127.0.0.1 INVITE guest #c"]);
    }
    assert_eq!(room.lines(bob), [""; 0]);
}
