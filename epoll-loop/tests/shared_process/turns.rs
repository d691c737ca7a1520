//! The steps of a turn, and when the turns end.

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use chapter_tests::limits;
use epoll_loop::{Entry, Event, EventLoop, Interest, Readiness, WaitReason, Watched, WatcherId};

use crate::record::Record;
use crate::sockets::pair;

type Told = Vec<Readiness>;

fn note(told: &mut Told, _: &mut EventLoop<Told>, event: Event) {
    told.push(event.readiness);
}

#[test]
fn run_ends_when_nothing_is_alive() {
    let mut event_loop = EventLoop::new().unwrap();
    let mut told = Told::new();
    event_loop.run(&mut told).unwrap();
    event_loop.before_wait(note);
    event_loop.after_wait(note);
    event_loop.run(&mut told).unwrap();
    assert!(told.is_empty(), "they do not keep it running");
    event_loop.after(Duration::ZERO, note);
    event_loop.run(&mut told).unwrap();
    assert_eq!(
        told,
        [
            Readiness::BEFORE_WAIT,
            Readiness::AFTER_WAIT,
            Readiness::TIMER
        ]
    );
}

#[test]
fn run_goes_on_while_anything_is_alive() {
    let mut event_loop = EventLoop::<u32>::new().unwrap();
    let (near, _far) = pair();
    let watch = event_loop
        .watch(near, Interest::NONE, |_, _, _| {})
        .unwrap();
    let idle = event_loop.when_idle(|turns, _, _| *turns += 1);
    let timer = event_loop.every(Duration::from_mins(1), |_, _, _| {});
    let waker = event_loop.waker(|_, _, _| {}).unwrap();
    let mut turns = 0;
    event_loop.turn(&mut turns, None).unwrap();
    assert!(event_loop.cancel(idle));
    drop((watch, waker));
    assert!(event_loop.cancel(timer));
    event_loop.run(&mut turns).unwrap();
    assert_eq!(turns, 1);
}

#[test]
fn run_ends_when_a_before_wait_watcher_ends_the_last_watch() {
    let mut event_loop = EventLoop::new().unwrap();
    let (near, far) = pair();
    let watch = event_loop
        .watch(near, Interest::READABLE, |_, _, _| {})
        .unwrap();
    let mut state: Option<Watched<UnixStream>> = Some(watch);
    event_loop.before_wait(|state, _, _| *state = None);
    event_loop.run(&mut state).unwrap();
    drop(far);
}

#[test]
fn run_ends_when_a_before_wait_watcher_cancels_the_last_timer() {
    let mut event_loop = EventLoop::<Option<WatcherId>>::new().unwrap();
    let timer = event_loop.after(Duration::from_hours(1), |_, _, _| {});
    event_loop.before_wait(|timer, event_loop, _| {
        if let Some(timer) = timer.take() {
            event_loop.cancel(timer);
        }
    });
    event_loop.run(&mut Some(timer)).unwrap();
}

#[test]
fn when_run_ends_by_itself_everything_dropped_is_closed() {
    let mut event_loop = EventLoop::new().unwrap();
    let (near, mut far) = pair();
    far.write_all(b"hello").unwrap();
    let finish = |state: &mut Option<Watched<UnixStream>>, _: &mut _, _| *state = None;
    let watch = event_loop.watch(near, Interest::READABLE, finish).unwrap();
    event_loop.run(&mut Some(watch)).unwrap();
    let err = far.write(b"x").unwrap_err();
    assert_eq!(err.kind(), std::io::ErrorKind::BrokenPipe);
}

#[test]
fn the_steps_of_a_turn_come_in_their_order() {
    let mut event_loop = EventLoop::new().unwrap();
    let (near, mut far) = pair();
    far.write_all(b"hello").unwrap();
    let _watch = event_loop.watch(near, Interest::READABLE, note).unwrap();
    event_loop.after_wait(note);
    event_loop.before_wait(note);
    event_loop.when_idle(note);
    event_loop.after(Duration::ZERO, note);
    let mut told = Told::new();
    event_loop.turn(&mut told, None).unwrap();
    assert_eq!(
        told,
        [
            Readiness::BEFORE_WAIT,
            Readiness::AFTER_WAIT,
            Readiness::IN,
            Readiness::TIMER
        ],
        "and an idle watcher has no turn while others have"
    );
}

#[test]
fn an_idle_watcher_is_called_in_every_turn_that_has_nothing_else_to_do() {
    let mut event_loop = EventLoop::new().unwrap();
    let (near, mut far) = pair();
    let _watch = event_loop.watch(near, Interest::READABLE, note).unwrap();
    event_loop.when_idle(note);
    let mut told = Told::new();
    event_loop.turn(&mut told, None).unwrap();
    event_loop.turn(&mut told, None).unwrap();
    far.write_all(b"hello").unwrap();
    event_loop.turn(&mut told, None).unwrap();
    assert_eq!(told, [Readiness::IDLE, Readiness::IDLE, Readiness::IN]);
}

#[test]
fn before_wait_watchers_may_come_and_go_while_they_are_called() {
    struct List {
        told: Vec<&'static str>,
        second: Option<WatcherId>,
    }
    let mut event_loop = EventLoop::new().unwrap();
    let first = |list: &mut List, event_loop: &mut EventLoop<List>, event: Event| {
        list.told.push("first");
        event_loop.before_wait(|list, _, _| list.told.push("new"));
        event_loop.cancel(list.second.take().unwrap());
        event_loop.cancel(event.id);
    };
    event_loop.before_wait(first);
    let second = event_loop.before_wait(|list, _, _| list.told.push("second"));
    event_loop.before_wait(|list, _, _| list.told.push("third"));
    let mut list = List {
        told: Vec::new(),
        second: Some(second),
    };
    for _ in 0..2 {
        event_loop.turn(&mut list, Some(Duration::ZERO)).unwrap();
    }
    assert_eq!(list.told, ["first", "third", "third", "new"]);
}

#[test]
fn what_a_before_wait_watcher_changes_is_told_to_the_kernel_before_this_wait() {
    struct Armed {
        watch: Watched<UnixStream>,
        told: Told,
    }
    let mut event_loop = EventLoop::new().unwrap();
    let (near, mut far) = pair();
    far.write_all(b"hello").unwrap();
    let note = |armed: &mut Armed, _: &mut EventLoop<Armed>, event: Event| {
        armed.told.push(event.readiness);
    };
    let watch = event_loop.watch(near, Interest::NONE, note).unwrap();
    event_loop.before_wait(|armed: &mut Armed, event_loop, _| {
        armed.watch.set_interest(event_loop, Interest::READABLE);
    });
    let mut armed = Armed {
        watch,
        told: Told::new(),
    };
    event_loop.turn(&mut armed, Some(Duration::ZERO)).unwrap();
    assert_eq!(armed.told, [Readiness::IN]);
}

#[test]
fn a_turn_waits_no_longer_than_its_limit_and_no_shorter() {
    let mut event_loop = EventLoop::<()>::new().unwrap();
    let (near, _far) = pair();
    let _watch = event_loop
        .watch(near, Interest::READABLE, |(), _, _| {})
        .unwrap();
    event_loop.after(Duration::from_hours(1), |(), _, _| {});
    for limit in [Duration::ZERO, Duration::from_micros(10_300)] {
        let begin = Instant::now();
        event_loop.turn(&mut (), Some(limit)).unwrap();
        assert!(begin.elapsed() >= limit);
    }
}

#[test]
fn a_turn_with_a_limit_waits_although_nothing_is_watched() {
    let mut event_loop = EventLoop::<()>::new().unwrap();
    let record = Record::of(&mut event_loop);
    let limit = Duration::from_millis(5);
    let begin = Instant::now();
    event_loop.turn(&mut (), Some(limit)).unwrap();
    assert!(begin.elapsed() >= limit);
    assert!(matches!(
        record.take()[..],
        [Entry::Waited {
            reason: WaitReason::Limit,
            ..
        }]
    ));
}

#[test]
fn a_turn_without_a_limit_does_not_wait_for_what_can_never_come() {
    let mut event_loop = EventLoop::<()>::new().unwrap();
    let record = Record::of(&mut event_loop);
    event_loop.turn(&mut (), None).unwrap();
    let [
        Entry::Waited {
            timeout,
            reason,
            events,
            ..
        },
    ] = record.take()[..]
    else {
        panic!("one wait")
    };
    assert_eq!((timeout, events), (Some(Duration::ZERO), 0));
    assert_eq!(reason, WaitReason::Nothing);
}

#[test]
fn more_events_than_one_batch_holds_are_told_in_the_next() {
    let mut event_loop = EventLoop::<Vec<WatcherId>>::new().unwrap();
    let note = |told: &mut Vec<WatcherId>, _: &mut _, event: Event| told.push(event.id);
    // One socket under many descriptors.
    let (near, mut far) = pair();
    far.write_all(b"hello").unwrap();
    let count = limits::idle_clients().min(1_024 + 500);
    let watches: Vec<_> = (0..count)
        .map(|_| {
            let duplicate = near.try_clone().unwrap();
            event_loop
                .watch(duplicate, Interest::READABLE, note)
                .unwrap()
        })
        .collect();
    let mut told = Vec::new();
    for _ in 0..2 {
        event_loop.turn(&mut told, Some(Duration::ZERO)).unwrap();
    }
    told.sort_unstable();
    told.dedup();
    assert_eq!(told.len(), watches.len(), "nobody is left out");
}
