//! Answers as long as the room is big.

use chat_server::room::{ClientId, Limits, Rules};

use crate::harness::{Room, rules};

const SEND_QUEUE_BYTES: usize = 16 * 1024;

/// Far more than fits into half a queue.
const CROWD: usize = 300;

/// A room with small queues and a crowd, each of which is also in a channel of
/// its own.
fn crowded_room() -> (Room, ClientId) {
    let mut room = Room::under(Rules {
        limits: Limits {
            send_queue_bytes: SEND_QUEUE_BYTES,
            max_per_address: usize::MAX,
            ..Limits::default()
        },
        ..rules()
    });
    let ann = room.person("ann");
    let mut crowd = Vec::new();
    for number in 0..CROWD {
        let person = room.person(&format!("person-of-the-crowd-{number}"));
        room.send(person, &format!("JOIN #crowd,#of-his-own-{number}"));
        // Whoever does not read what is told of those who join is put out.
        crowd.push(person);
        room.forget_lines(&crowd);
    }
    (room, ann)
}

/// How many entries a cut answer says are missing.
fn left_out(line: &str, command: &str) -> usize {
    let text = line
        .strip_prefix(&format!(":irc.test 416 ann {command} :Answer too long, "))
        .unwrap_or_else(|| panic!("{line}"));
    let (count, rest) = text.split_once(' ').unwrap();
    assert_eq!(rest, "more left out: ask for less at once");
    count.parse().unwrap()
}

#[test]
fn an_answer_is_cut_before_it_fills_the_queue_and_says_how_much_is_missing() {
    for (question, command, entry, end, entries) in [
        ("LIST", "LIST", "322", "323", CROWD + 1),
        ("WHO *", "WHO", "352", "315", CROWD + 1),
        ("WHO #crowd", "WHO", "352", "315", CROWD),
        ("WHO * %tcuihsnfdlaor,1", "WHO", "354", "315", CROWD + 1),
    ] {
        let (mut room, ann) = crowded_room();
        room.send(ann, question);
        let queued = room.state.queued(ann);
        assert!(queued > SEND_QUEUE_BYTES / 2, "{question}: {queued}");
        assert!(queued < SEND_QUEUE_BYTES * 3 / 4, "{question}: {queued}");
        assert!(!room.state.is_leaving(ann));

        let answer = room.lines(ann);
        let code = |line: &&String| line.split(' ').nth(1).unwrap() == entry;
        let told = answer.iter().filter(code).count();
        let [.., cut, last] = &answer[..] else {
            panic!("{answer:?}");
        };
        assert_eq!(told + left_out(cut, command), entries, "{question}");
        assert!(last.starts_with(&format!(":irc.test {end} ann ")), "{last}");
    }
}

#[test]
fn names_are_cut_and_counted_one_by_one() {
    let (mut room, ann) = crowded_room();
    // With whole names, since the nicks alone fit.
    room.send(ann, "CAP REQ userhost-in-names");
    for (question, people) in [("NAMES #crowd", CROWD), ("NAMES", 2 * CROWD + 1)] {
        let answer = room.ask(ann, question);
        let told: usize = answer
            .iter()
            .filter(|line| line.contains(" 353 "))
            .map(|line| line.rsplit_once(" :").unwrap().1.split(' ').count())
            .sum();
        let [.., cut, last] = &answer[..] else {
            panic!("{answer:?}");
        };
        assert_eq!(told + left_out(cut, "NAMES"), people, "{question}");
        assert!(last.contains(" 366 "), "{last}");
    }
}

#[test]
fn asking_again_and_again_without_reading_never_costs_the_connection() {
    let (mut room, ann) = crowded_room();
    for _ in 0..20 {
        room.send(ann, "LIST");
        room.send(ann, "WHO *");
        room.send(ann, "NAMES");
    }
    assert!(!room.state.is_leaving(ann));
    let answer = room.lines(ann);
    let ends = |code: &str| {
        let is_end = |line: &&String| line.split(' ').nth(1).unwrap() == code;
        answer.iter().filter(is_end).count()
    };
    assert_eq!([ends("323"), ends("315"), ends("366")], [20, 20, 20]);
}

#[test]
fn who_reads_what_was_cut_can_ask_for_less_and_get_it_all() {
    let (mut room, ann) = crowded_room();
    room.ask(ann, "LIST");
    let answer = room.ask(ann, "LIST #of-his-own-1?");
    assert_eq!(answer.len(), 10 + 2);
}

#[test]
fn joining_a_crowded_channel_does_not_cost_the_connection_either() {
    let (mut room, _) = crowded_room();
    let newcomer = room.person_with("newcomer", "userhost-in-names multi-prefix");
    room.send(newcomer, "JOIN #crowd");
    assert!(!room.state.is_leaving(newcomer));
    let answer = room.lines(newcomer);
    let [.., cut, last] = &answer[..] else {
        panic!("{answer:?}");
    };
    assert!(cut.starts_with(":irc.test 416 newcomer NAMES :"), "{cut}");
    assert_eq!(last, ":irc.test 366 newcomer #crowd :End of /NAMES list");
}
