//! Going: PART, KICK, QUIT, and being lost.

use crate::harness::Room;

#[test]
fn part_is_seen_by_all_with_its_reason() {
    let mut room = Room::new();
    let [ann, bob] = room.people_in("#a,#b", ["ann", "bob"]);
    assert_eq!(
        room.ask(bob, "PART #A,#b :so long"),
        [
            ":bob!~bob@127.0.0.1 PART #a :so long",
            ":bob!~bob@127.0.0.1 PART #b :so long",
        ]
    );
    assert_eq!(room.lines(ann).len(), 2);
    assert_eq!(
        room.ask(bob, "PART #a"),
        [":irc.test 442 bob #a :You're not on that channel"]
    );
    assert_eq!(
        room.ask(bob, "PART #none"),
        [":irc.test 403 bob #none :No such channel"]
    );
    assert_eq!(room.ask(ann, "PART #a"), [":ann!~ann@127.0.0.1 PART #a"]);
}

#[test]
fn join_0_leaves_all_channels() {
    let mut room = Room::new();
    let [ann] = room.people_in("#a,#b", ["ann"]);
    assert_eq!(
        room.ask(ann, "JOIN 0"),
        [":ann!~ann@127.0.0.1 PART #a", ":ann!~ann@127.0.0.1 PART #b",]
    );
}

#[test]
fn kick_removes_several_people_each_in_a_line_of_its_own() {
    let mut room = Room::new();
    let [ann, bob, eve] = room.people_in("#c", ["ann", "bob", "eve"]);
    let seen = [
        ":ann!~ann@127.0.0.1 KICK #c bob :out",
        ":ann!~ann@127.0.0.1 KICK #c eve :out",
    ];
    assert_eq!(room.ask(ann, "KICK #c BOB,eve :out"), seen);
    assert_eq!(room.lines(bob), seen[..1]);
    assert_eq!(room.lines(eve), seen);
    assert_eq!(
        room.ask(bob, "PRIVMSG #c :hey"),
        [":irc.test 404 bob #c :Cannot send to channel"]
    );
}

#[test]
fn kick_from_several_channels_takes_one_nick_for_each() {
    let mut room = Room::new();
    let [ann, _, _] = room.people_in("#a,#b", ["ann", "bob", "eve"]);
    assert_eq!(
        room.ask(ann, "KICK #a,#b bob,eve"),
        [
            ":ann!~ann@127.0.0.1 KICK #a bob :ann",
            ":ann!~ann@127.0.0.1 KICK #b eve :ann",
        ]
    );
}

#[test]
fn kick_says_why_it_cannot_be_done() {
    let mut room = Room::new();
    let [ann, bob] = room.people_in("#c", ["ann", "bob"]);
    let eve = room.person("eve");
    for (from, line, refused) in [
        (
            ann,
            "KICK #c",
            ":irc.test 461 ann KICK :Not enough parameters",
        ),
        (
            ann,
            "KICK #none bob",
            ":irc.test 403 ann #none :No such channel",
        ),
        (
            eve,
            "KICK #c bob",
            ":irc.test 442 eve #c :You're not on that channel",
        ),
        (
            bob,
            "KICK #c ann",
            ":irc.test 482 bob #c :You're not channel operator",
        ),
        (
            ann,
            "KICK #c nobody",
            ":irc.test 401 ann nobody :No such nick/channel",
        ),
        (
            ann,
            "KICK #c eve",
            ":irc.test 441 ann eve #c :They aren't on that channel",
        ),
    ] {
        assert_eq!(room.ask(from, line), [refused]);
    }
    let many = "KICK #c n1,n2,n3,n4,n5,n6,n7,n8,n9,n10";
    let lines = room.ask(ann, many);
    assert_eq!(lines.len(), 9);
    assert_eq!(
        lines[8],
        ":irc.test 407 ann n9 :Too many targets, the rest is ignored"
    );
}

#[test]
fn a_long_kick_reason_is_cut_between_two_characters() {
    let mut room = Room::new();
    let [ann, _] = room.people_in("#c", ["ann", "bob"]);
    let lines = room.ask(ann, &format!("KICK #c bob :{}", "é".repeat(200)));
    let reason = lines[0]
        .strip_prefix(":ann!~ann@127.0.0.1 KICK #c bob :")
        .unwrap();
    assert_eq!(reason, "é".repeat(127));
}

#[test]
fn quit_is_seen_once_by_each_who_shares_channels_and_answered_with_error() {
    let mut room = Room::new();
    let [ann, bob] = room.people_in("#a,#b,#c", ["ann", "bob"]);
    let eve = room.person("eve");
    assert_eq!(
        room.ask(ann, "QUIT :good night"),
        ["ERROR :Closing link: (~ann@127.0.0.1) [Quit: good night]"]
    );
    assert_eq!(
        room.lines(bob),
        [":ann!~ann@127.0.0.1 QUIT :Quit: good night"]
    );
    assert_eq!(room.lines(eve), [""; 0]);
    assert!(room.state.is_leaving(ann));
    // The nick is free at once, and nobody hears a leaver.
    assert_eq!(room.ask(eve, "NICK ann"), [":eve!~eve@127.0.0.1 NICK :ann"]);
    assert_eq!(room.ask(ann, "PRIVMSG bob :boo"), [""; 0]);
    assert_eq!(room.lines(bob), [""; 0]);
}

#[test]
fn a_lost_client_quits_with_the_reason_the_loop_gives() {
    let mut room = Room::new();
    let [ann, bob] = room.people_in("#c", ["ann", "bob"]);
    room.state
        .disconnect(ann, "Ping timeout: 60 seconds", room.now);
    assert_eq!(
        room.lines(bob),
        [":ann!~ann@127.0.0.1 QUIT :Ping timeout: 60 seconds"]
    );
    assert_eq!(
        room.lines(ann),
        ["ERROR :Closing link: (~ann@127.0.0.1) [Ping timeout: 60 seconds]"]
    );
    room.state.disconnect(ann, "again", room.now);
    assert_eq!((room.lines(ann), room.lines(bob)), (Vec::new(), Vec::new()));
}

#[test]
fn an_id_kept_too_long_reaches_nobody() {
    let mut room = Room::new();
    let ann = room.person("ann");
    room.send(ann, "QUIT");
    room.state.forget(ann);
    let bob = room.person("bob");
    assert_eq!(bob.slot(), ann.slot());
    room.send(ann, "NICK mallory");
    room.state.disconnect(ann, "gone", room.now);
    room.state.forget(ann);
    assert!(room.state.flush(ann, |_| ()).is_none());
    assert!(!room.state.is_leaving(ann));
    assert!(room.state.is_registered(bob));
    assert_eq!(room.lines(bob), [""; 0]);
}

#[test]
fn forgetting_somebody_who_is_still_here_makes_it_quit() {
    let mut room = Room::new();
    let [ann, bob] = room.people_in("#c", ["ann", "bob"]);
    room.state.forget(ann);
    assert_eq!(
        room.lines(bob),
        [":ann!~ann@127.0.0.1 QUIT :Connection closed"]
    );
}

#[test]
fn at_the_shutdown_everybody_gets_an_error_and_no_quits() {
    let mut room = Room::new();
    let people = room.people_in("#c", ["ann", "bob"]);
    let newcomer = room.connect();
    room.state.shut_down(room.now);
    for (client, name) in people.into_iter().zip(["~ann", "~bob"]) {
        assert_eq!(
            room.lines(client),
            [format!(
                "ERROR :Closing link: ({name}@127.0.0.1) [Server is shutting down]"
            )]
        );
        assert!(room.state.is_leaving(client));
    }
    assert_eq!(
        room.lines(newcomer),
        ["ERROR :Closing link: (unknown@127.0.0.1) [Server is shutting down]"]
    );
}
