//! Queues: who is to be flushed, and what becomes of slow readers.

use std::io::{self, ErrorKind, Write};

use chat_server::room::{Limits, Rules};

use crate::harness::{Room, rules};

fn small_queues(each: usize, all: usize) -> Room {
    let limits = Limits {
        send_queue_bytes: each,
        send_queues_bytes: all,
        ..Limits::default()
    };
    Room::under(Rules { limits, ..rules() })
}

#[test]
fn a_client_is_dirty_once_however_much_it_was_sent() {
    let mut room = Room::new();
    let [ann, bob] = room.people_in("#c", ["ann", "bob"]);
    let mut dirty = Vec::new();
    room.state.take_dirty(&mut dirty);
    dirty.clear();
    for _ in 0..3 {
        room.send(ann, "PRIVMSG #c :hi");
    }
    room.state.take_dirty(&mut dirty);
    assert_eq!(dirty, [bob]);
    room.state.take_dirty(&mut dirty);
    assert_eq!(dirty, [bob], "nothing came since");
    // Dirty again although the first messages are still there.
    room.send(ann, "PRIVMSG #c :hi");
    room.state.take_dirty(&mut dirty);
    assert_eq!(dirty, [bob, bob]);
}

#[test]
fn a_slot_that_was_dirty_is_not_dirty_for_the_next_client_in_it() {
    let mut room = Room::new();
    let ann = room.person("ann");
    room.send(ann, "QUIT");
    room.state.forget(ann);
    let bob = room.connect();
    assert_eq!(bob.slot(), ann.slot());
    let mut dirty = Vec::new();
    room.state.take_dirty(&mut dirty);
    assert_eq!(dirty, []);
}

#[test]
fn a_reader_that_is_too_slow_leaves_and_the_others_see_it() {
    let mut room = small_queues(4_000, 1 << 20);
    let [ann, slow, bob] = room.people_in("#c", ["ann", "slow", "bob"]);
    for _ in 0..100 {
        room.send(ann, "PRIVMSG slow :a line that fills the queue");
    }
    assert!(room.state.is_leaving(slow));
    assert_eq!(
        room.lines(slow),
        ["ERROR :Closing link: (~slow@127.0.0.1) [SendQ exceeded]"]
    );
    assert_eq!(
        room.lines(bob),
        [":slow!~slow@127.0.0.1 QUIT :SendQ exceeded"]
    );
    assert_eq!(room.state.counters().clients_too_slow, 1);
}

#[test]
fn a_line_that_was_half_written_to_a_slow_reader_is_whole_before_the_error() {
    let mut room = small_queues(4_000, 1 << 20);
    let [ann, slow] = room.people_in("#c", ["ann", "slow"]);
    room.send(ann, "PRIVMSG slow :hello");
    let mut taken = [0; 10];
    let written = room
        .state
        .flush(slow, |queue| queue.write_to(TakesNoMore(&mut taken)));
    assert!(matches!(written, Some(Ok(10))));
    while !room.state.is_leaving(slow) {
        room.send(ann, "PRIVMSG slow :a line that fills the queue");
    }
    assert_eq!(&taken, b":ann!~ann@");
    let error = "ERROR :Closing link: (~slow@127.0.0.1) [SendQ exceeded]";
    assert_eq!(room.lines(slow), ["127.0.0.1 PRIVMSG slow :hello", error]);
}

#[test]
fn what_is_sent_and_not_what_came_in_says_how_long_a_queue_may_be() {
    let mut room = Room::new();
    let names: Vec<String> = (0..100).map(|number| format!("#c{number}")).collect();
    let [ann, bob] = room.people_in("#c", ["ann", "bob"]);
    let all = names.join(",");
    room.send(bob, &format!("JOIN {all}"));
    room.state.take_dirty(&mut Vec::new());
    let before = room.state.queued(bob);
    let line = format!("JOIN {all}");
    room.send(ann, &line);
    let grown = room.state.queued(bob) - before;
    assert!(grown > 4 * line.len());
    assert!(room.state.unflushed_bytes() >= grown);
    room.state.take_dirty(&mut Vec::new());
    assert_eq!(room.state.unflushed_bytes(), 0);
}

/// A socket that takes as many bytes as there is room for.
struct TakesNoMore<'a>(&'a mut [u8]);

impl Write for TakesNoMore<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.write(bytes) {
            Ok(0) => Err(ErrorKind::WouldBlock.into()),
            result => result,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_quit_of_one_slow_reader_can_be_too_much_for_the_next() {
    let mut room = small_queues(4_000, 1 << 20);
    let [ann, one, two] = room.people_in("#c", ["ann", "one", "two"]);
    // Both have the same until one gets a little more; its QUIT is a bit longer
    // than a message, and that is what the other has no room for.
    let message = ":ann!~ann@127.0.0.1 PRIVMSG #c :x\r\n".len();
    while room.state.queued(one) + message <= 4_000 {
        room.send(ann, "PRIVMSG #c :x");
    }
    assert_eq!(room.state.queued(one), room.state.queued(two));
    room.send(ann, "PRIVMSG one :y");
    assert!(room.state.is_leaving(one) && room.state.is_leaving(two));
    assert!(!room.state.is_leaving(ann));
}

#[test]
fn when_all_queues_together_are_too_long_the_longest_goes() {
    let mut room = small_queues(1 << 20, 10_000);
    let [ann, long, short] = room.people_in("#c", ["ann", "long", "short"]);
    for _ in 0..20 {
        room.send(ann, "PRIVMSG long :x");
    }
    while !room.state.is_leaving(long) {
        room.send(ann, "PRIVMSG short,long :filling up");
    }
    assert!(!room.state.is_leaving(short));
    let waiting = room.state.queued(short) + room.state.queued(long) + room.state.queued(ann);
    assert!(waiting <= 10_000, "{waiting}");
}

#[test]
fn what_waits_for_those_who_leave_costs_nobody_else_a_place() {
    let mut room = small_queues(1 << 20, 10_000);
    let [ann, bob, leaving] = room.people_in("#c", ["ann", "bob", "leaving"]);
    while room.state.queued(leaving) < 9_500 {
        room.send(ann, "PRIVMSG leaving :x");
    }
    room.send(leaving, "QUIT");
    room.forget_lines(&[ann, bob]);
    for _ in 0..20 {
        room.send(ann, "PRIVMSG bob :more than there is room for");
    }
    assert!(!room.state.is_leaving(bob) && !room.state.is_leaving(ann));
    assert_eq!(room.lines(bob).len(), 20);
    assert_eq!(
        room.lines(leaving),
        ["ERROR :Closing link: [SendQ exceeded]"],
        "it had the longest queue"
    );
}

#[test]
fn what_is_flushed_makes_room_for_more() {
    let mut room = small_queues(4_000, 5_000);
    let [ann, bob] = room.people_in("#c", ["ann", "bob"]);
    for _ in 0..1_000 {
        room.send(ann, "PRIVMSG bob :a line that fills the queue");
        room.lines(bob);
    }
    assert!(!room.state.is_leaving(bob));
    assert_eq!(room.state.queued(bob), 0);
}

/// A socket that takes everything and counts how often it is written to.
#[derive(Default)]
struct Counting {
    taken: Vec<u8>,
    writes: usize,
}

impl Write for Counting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writes += 1;
        self.taken.write(bytes)
    }

    fn write_vectored(&mut self, slices: &[io::IoSlice<'_>]) -> io::Result<usize> {
        self.writes += 1;
        self.taken.write_vectored(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_a_batch_brings_is_one_write_for_each() {
    let mut room = Room::new();
    let [ann, bob, eve] = room.people_in("#c", ["ann", "bob", "eve"]);
    let timed = room.person_with("tim", "server-time");
    let plain = room.plain();
    room.send(timed, "JOIN #c");
    room.send(plain, "/join #c");
    room.forget_lines(&[ann, bob, eve, timed, plain]);
    let (rounds, mut expected) = (50, Vec::new());
    for number in 0..rounds {
        room.send(ann, &format!("PRIVMSG #c :from ann {number}"));
        room.send(bob, &format!("PRIVMSG #c :from bob {number}"));
        for nick in ["ann", "bob"] {
            let from = format!(":{nick}!~{nick}@127.0.0.1");
            expected.push(format!("{from} PRIVMSG #c :from {nick} {number}"));
        }
    }
    for (who, lines) in [
        (ann, rounds),
        (bob, rounds),
        (eve, 2 * rounds),
        (timed, 2 * rounds),
        (plain, 2 * rounds),
    ] {
        let mut socket = Counting::default();
        let written = room
            .state
            .flush(who, |outgoing| outgoing.write_to(&mut socket));
        assert_eq!(written.unwrap().unwrap(), socket.taken.len());
        assert_eq!(socket.writes, 1);
        let text = String::from_utf8(socket.taken).unwrap();
        assert_eq!(text.lines().count(), lines);
        if who == eve {
            assert_eq!(text.lines().collect::<Vec<_>>(), expected);
        }
    }
}
