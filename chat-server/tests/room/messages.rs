//! What is said, and who hears it.

use crate::harness::Room;

#[test]
fn a_channel_message_reaches_all_members_but_its_sender() {
    let mut room = Room::new();
    let [ann, bob, eve] = room.people_in("#c", ["ann", "bob", "eve"]);
    assert_eq!(room.ask(ann, "PRIVMSG #C :hello all"), [""; 0]);
    for hearer in [bob, eve] {
        assert_eq!(
            room.lines(hearer),
            [":ann!~ann@127.0.0.1 PRIVMSG #c :hello all"]
        );
    }
}
