//! People with `nc`.

use crate::harness::Room;

#[test]
fn a_plain_peer_and_an_irc_client_read_each_other() {
    let mut room = Room::new();
    let [ann] = room.people_in("#lobby", ["ann"]);
    let guest = room.plain();
    room.forget_lines(&[ann]);
    room.send(guest, "hi there");
    assert_eq!(
        room.lines(ann),
        [":guest1!~plain@127.0.0.1 PRIVMSG #lobby :hi there"]
    );
    room.send(ann, "PRIVMSG #lobby :welcome");
    assert_eq!(room.lines(guest), ["ann: welcome"]);
}
