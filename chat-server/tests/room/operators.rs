//! OPER, KILL, WALLOPS.

use crate::harness::Room;

#[test]
fn a_wrong_name_and_a_wrong_password_look_the_same() {
    let (mut room, _) = Room::with_operator("ann");
    let eve = room.person("eve");
    let refused = [":irc.test 464 eve :Password incorrect"];
    assert_eq!(room.ask(eve, "OPER root guess"), refused);
    assert_eq!(room.ask(eve, "OPER toor swordfish"), refused);
    assert_eq!(room.state.counters().wrong_passwords, 2);
    assert_eq!(
        room.ask(eve, "OPER root"),
        [":irc.test 461 eve OPER :Not enough parameters"]
    );
}

#[test]
fn without_operators_nobody_can_become_one() {
    let mut room = Room::new();
    let eve = room.person("eve");
    assert_eq!(
        room.ask(eve, "OPER root guess"),
        [":irc.test 491 eve :No O-lines for your host"]
    );
}

#[test]
fn the_third_wrong_password_puts_the_client_out() {
    let (mut room, _) = Room::with_operator("ann");
    let [eve, bob] = room.people_in("#c", ["eve", "bob"]);
    let refused = ":irc.test 464 eve :Password incorrect";
    assert_eq!(room.ask(eve, "OPER root one"), [refused]);
    assert_eq!(room.ask(eve, "OPER root two"), [refused]);
    assert_eq!(
        room.ask(eve, "OPER root three"),
        [
            refused,
            "ERROR :Closing link: (~eve@127.0.0.1) [Too many wrong passwords]",
        ]
    );
    assert!(room.state.is_leaving(eve));
    assert_eq!(
        room.lines(bob),
        [":eve!~eve@127.0.0.1 QUIT :Too many wrong passwords"]
    );
    assert_eq!(room.state.counters().clients_guessing, 1);
    // What has come in behind it is not answered.
    assert_eq!(room.ask(eve, "OPER root swordfish"), [""; 0]);
}

#[test]
fn being_operator_can_be_given_up() {
    let (mut room, ann) = Room::with_operator("ann");
    assert_eq!(
        room.ask(ann, "LUSERS")[1],
        ":irc.test 252 ann 1 :operator(s) online"
    );
    assert_eq!(
        room.ask(ann, "MODE ann -o"),
        [":ann!~ann@127.0.0.1 MODE ann :-o"]
    );
    assert_eq!(
        room.ask(ann, "KILL ann :x"),
        [":irc.test 481 ann :Permission Denied- You're not an IRC operator"]
    );
}

#[test]
fn kill_puts_somebody_out_and_everybody_sees_why() {
    let (mut room, ann) = Room::with_operator("ann");
    let [bob, eve] = room.people_in("#c", ["bob", "eve"]);
    assert_eq!(room.ask(ann, "KILL EVE :spamming"), [""; 0]);
    assert_eq!(
        room.lines(eve),
        [
            ":ann!~ann@127.0.0.1 KILL eve :spamming",
            "ERROR :Closing link: (~eve@127.0.0.1) [Killed (ann (spamming))]",
        ]
    );
    assert_eq!(
        room.lines(bob),
        [":eve!~eve@127.0.0.1 QUIT :Killed (ann (spamming))"]
    );
    assert!(room.state.is_leaving(eve));
}

#[test]
fn kill_says_why_it_cannot_be_done() {
    let (mut room, ann) = Room::with_operator("ann");
    let bob = room.person("bob");
    for (from, line, refused) in [
        (
            bob,
            "KILL ann :x",
            ":irc.test 481 bob :Permission Denied- You're not an IRC operator",
        ),
        (
            ann,
            "KILL bob",
            ":irc.test 461 ann KILL :Not enough parameters",
        ),
        (
            ann,
            "KILL nobody :x",
            ":irc.test 401 ann nobody :No such nick/channel",
        ),
        (
            ann,
            "KILL irc.test :x",
            ":irc.test 483 ann :You cant kill a server!",
        ),
    ] {
        assert_eq!(room.ask(from, line), [refused]);
    }
}

#[test]
fn wallops_reach_those_with_mode_w() {
    let (mut room, ann) = Room::with_operator("ann");
    let (bob, eve) = (room.person("bob"), room.person("eve"));
    room.ask(bob, "MODE bob +w");
    room.send(ann, "WALLOPS :maintenance at six");
    assert_eq!(
        room.lines(bob),
        [":ann!~ann@127.0.0.1 WALLOPS :maintenance at six"]
    );
    assert_eq!(room.lines(eve), [""; 0]);
    assert_eq!(
        room.ask(bob, "WALLOPS :me too"),
        [":irc.test 481 bob :Permission Denied- You're not an IRC operator"]
    );
}
