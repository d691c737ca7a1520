//! AWAY.

use crate::harness::Room;

#[test]
fn away_is_confirmed_and_told_to_who_writes_or_invites() {
    let mut room = Room::new();
    let [ann] = room.people_in("#c", ["ann"]);
    let bob = room.person("bob");
    assert_eq!(
        room.ask(bob, "AWAY :at lunch"),
        [":irc.test 306 bob :You have been marked as being away"]
    );
    let is_away = ":irc.test 301 ann bob :at lunch";
    assert_eq!(room.ask(ann, "PRIVMSG bob :hi"), [is_away]);
    assert_eq!(room.ask(ann, "NOTICE bob :hi"), [""; 0]);
    assert_eq!(
        room.ask(ann, "INVITE bob #c"),
        [":irc.test 341 ann bob #c", is_away]
    );
    let back = [":irc.test 305 bob :You are no longer marked as being away"];
    assert_eq!(room.ask(bob, "AWAY")[..], back);
    assert_eq!(room.ask(bob, "AWAY :"), back);
    assert_eq!(room.ask(ann, "PRIVMSG bob :hi"), [""; 0]);
}

#[test]
fn away_notify_tells_neighbours_who_asked_when_it_changes_and_at_join() {
    let mut room = Room::new();
    let ann = room.person_with("ann", "away-notify");
    let eve = room.person("eve");
    let bob = room.person_with("bob", "away-notify");
    for person in [ann, eve, bob] {
        room.send(person, "JOIN #a,#b");
    }
    room.forget_lines(&[ann, eve, bob]);
    let gone = ":bob!~bob@127.0.0.1 AWAY :at lunch";
    for _ in 0..2 {
        room.send(bob, "AWAY :at lunch");
    }
    assert_eq!(room.lines(ann), [gone]);
    assert_eq!(room.lines(eve), [""; 0]);
    room.send(bob, "PART #a");
    room.send(bob, "JOIN #a");
    assert_eq!(room.lines(ann)[1..], [":bob!~bob@127.0.0.1 JOIN #a", gone]);
    room.send(bob, "AWAY");
    assert_eq!(room.lines(ann), [":bob!~bob@127.0.0.1 AWAY"]);
}

#[test]
fn an_away_message_is_cut_at_200_bytes() {
    let mut room = Room::new();
    let (ann, bob) = (room.person("ann"), room.person("bob"));
    room.send(bob, &format!("AWAY :{}", "x".repeat(300)));
    let told = format!(":irc.test 301 ann bob :{}", "x".repeat(200));
    assert_eq!(room.ask(ann, "PRIVMSG bob :hi"), [told]);
}
