//! HELP: that it answers in the form that clients know.

use crate::harness::Room;

#[test]
fn a_subject_is_told_as_title_empty_line_and_text() {
    let mut room = Room::new();
    let ann = room.person("ann");
    assert_eq!(
        room.ask(ann, "HELP part"),
        [
            ":irc.test 704 ann part :PART channel{,channel} [reason]",
            ":irc.test 705 ann part :",
            ":irc.test 706 ann part :Leaves channels.",
        ]
    );
}

#[test]
fn help_alone_shows_the_index() {
    let mut room = Room::new();
    let ann = room.person("ann");
    for question in ["HELP", "HELP :", "HELP *"] {
        let answer = room.ask(ann, question);
        let [first, body @ .., last] = &answer[..] else {
            panic!("{answer:?}");
        };
        assert_eq!(first, ":irc.test 704 ann * :What this server can be told");
        assert_eq!(body[0], ":irc.test 705 ann * :");
        assert!(
            body.iter()
                .all(|line| line.starts_with(":irc.test 705 ann * :"))
        );
        assert!(last.starts_with(":irc.test 706 ann * :"), "{last}");
    }
}

#[test]
fn an_unknown_subject_is_524() {
    let mut room = Room::new();
    let ann = room.person("ann");
    for (subject, told) in [("nothing", "nothing"), (":two words", "*"), ("::x", "*")] {
        assert_eq!(
            room.ask(ann, &format!("HELP {subject}")),
            [format!(
                ":irc.test 524 ann {told} :No help available on this topic"
            )]
        );
    }
}
