//! Interest is state: only the difference is told to the kernel, and only
//! before the wait.

use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use epoll_loop::{Entry, Event, EventLoop, Interest, Operation, Readiness, Watched};

use crate::record::Record;
use crate::sockets::{in_kernels_set, pair};

/// One watched socket, its far end, and what was told.
struct One {
    watch: Watched<UnixStream>,
    far: UnixStream,
    told: Vec<Readiness>,
}

impl One {
    fn note(&mut self, _: &mut EventLoop<One>, event: Event) {
        self.told.push(event.readiness);
    }
}

fn watch_one(interest: Interest) -> (EventLoop<One>, One, Record) {
    let mut event_loop = EventLoop::new().unwrap();
    let (near, far) = pair();
    let watch = event_loop.watch(near, interest, One::note).unwrap();
    let record = Record::of(&mut event_loop);
    let one = One {
        watch,
        far,
        told: Vec::new(),
    };
    (event_loop, one, record)
}

fn turn(event_loop: &mut EventLoop<One>, one: &mut One) -> Vec<Readiness> {
    event_loop.turn(one, Some(Duration::ZERO)).unwrap();
    std::mem::take(&mut one.told)
}

/// The operations that were told to the kernel, one system call each.
fn system_calls(record: &Record) -> Vec<(Operation, Interest)> {
    let applied = |entry: &Entry| match entry {
        &Entry::ChangeApplied {
            operation,
            interest,
            ..
        } => Some((operation, interest)),
        _ => None,
    };
    record.take().iter().filter_map(applied).collect()
}

#[test]
fn an_interest_changed_and_changed_back_costs_no_system_call() {
    let (mut event_loop, mut one, record) = watch_one(Interest::READABLE);
    let both = Interest::READABLE | Interest::WRITABLE;
    for interest in [both, Interest::NONE, Interest::WRITABLE, Interest::READABLE] {
        one.watch.set_interest(&mut event_loop, interest);
    }
    turn(&mut event_loop, &mut one);
    let entries = record.take();
    let noted = entries
        .iter()
        .filter(|entry| matches!(entry, Entry::ChangeNoted { .. }));
    assert_eq!(noted.count(), 4);
    let told = entries
        .iter()
        .filter(|entry| matches!(entry, Entry::ChangeApplied { .. }));
    assert_eq!(told.count(), 0);
    let saved = entries
        .iter()
        .filter(|entry| matches!(entry, Entry::ChangeSaved { .. }));
    assert_eq!(saved.count(), 1);
}

#[test]
fn many_changes_in_one_turn_cost_one_system_call() {
    let (mut event_loop, mut one, record) = watch_one(Interest::READABLE);
    let both = Interest::READABLE | Interest::WRITABLE;
    for interest in [Interest::NONE, Interest::WRITABLE, Interest::READABLE, both] {
        one.watch.set_interest(&mut event_loop, interest);
    }
    assert!(system_calls(&record).is_empty(), "not before the wait");
    assert_eq!(turn(&mut event_loop, &mut one), [Readiness::OUT]);
    assert_eq!(system_calls(&record), [(Operation::Modify, both)]);
}

#[test]
fn an_interest_that_stays_as_it_is_costs_nothing_at_all() {
    let (mut event_loop, one, record) = watch_one(Interest::READABLE);
    one.watch.set_interest(&mut event_loop, Interest::READABLE);
    assert!(record.take().is_empty());
}

#[test]
fn a_changed_interest_of_a_dropped_watch_costs_no_call_of_its_own() {
    let (mut event_loop, one, record) = watch_one(Interest::READABLE);
    one.watch.set_interest(&mut event_loop, Interest::WRITABLE);
    drop(one);
    event_loop.reify();
    assert_eq!(system_calls(&record), [(Operation::Delete, Interest::NONE)]);
}

#[test]
fn interest_none_takes_the_descriptor_out_of_the_kernels_set() {
    let (mut event_loop, mut one, record) = watch_one(Interest::READABLE);
    let number = one.watch.as_raw_fd();
    one.far.write_all(b"hello").unwrap();
    one.watch.set_interest(&mut event_loop, Interest::NONE);
    assert_eq!(one.watch.interest(&event_loop), Interest::NONE);
    assert!(turn(&mut event_loop, &mut one).is_empty());
    assert!(in_kernels_set(&event_loop).is_empty());

    one.watch.set_interest(&mut event_loop, Interest::READABLE);
    assert_eq!(turn(&mut event_loop, &mut one), [Readiness::IN]);
    assert_eq!(in_kernels_set(&event_loop), [number]);
    assert_eq!(
        system_calls(&record),
        [
            (Operation::Delete, Interest::NONE),
            (Operation::Add, Interest::READABLE)
        ]
    );
}

#[test]
fn a_watch_that_asks_for_nothing_costs_no_system_call_from_beginning_to_end() {
    let (mut event_loop, mut one, record) = watch_one(Interest::NONE);
    assert!(in_kernels_set(&event_loop).is_empty());
    assert!(turn(&mut event_loop, &mut one).is_empty());
    drop(one);
    event_loop.reify();
    assert!(system_calls(&record).is_empty());
}

#[test]
fn an_event_reported_before_the_interest_was_changed_is_told_all_the_same() {
    struct Two {
        watches: Vec<Watched<UnixStream>>,
        calls: u32,
    }
    let mut event_loop = EventLoop::new().unwrap();
    let mut far_ends = Vec::new();
    let pause_all = |two: &mut Two, event_loop: &mut EventLoop<Two>, _: Event| {
        two.calls += 1;
        for watch in &two.watches {
            watch.set_interest(event_loop, Interest::NONE);
        }
    };
    let watches = (0..2).map(|_| {
        let (near, mut far) = pair();
        far.write_all(b"hello").unwrap();
        far_ends.push(far);
        event_loop
            .watch(near, Interest::READABLE, pause_all)
            .unwrap()
    });
    let mut two = Two {
        watches: watches.collect(),
        calls: 0,
    };
    for _ in 0..2 {
        event_loop.turn(&mut two, Some(Duration::ZERO)).unwrap();
    }
    assert_eq!(two.calls, 2, "both of the first batch, none of the second");
}
