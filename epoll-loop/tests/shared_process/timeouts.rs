//! The timeout of a watch: so long without an event.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use epoll_loop::{Event, EventLoop, Interest, Readiness, Watch, Watched};

use crate::sockets::pair;

const LONG: Duration = Duration::from_hours(1);

/// Calls come with the time at which they came.
struct Told {
    watch: Option<Watched<UnixStream>>,
    calls: Vec<(Readiness, Instant)>,
}

impl Told {
    fn note(&mut self, event_loop: &mut EventLoop<Told>, event: Event) {
        self.calls.push((event.readiness, Instant::now()));
        if event.readiness.intersects(Readiness::IN) {
            let stream = self.watch.as_ref().unwrap();
            let _ = (&**stream).read(&mut [0; 100]).unwrap();
        }
        if self
            .calls
            .iter()
            .filter(|(readiness, _)| readiness.is_timeout())
            .count()
            == 2
        {
            event_loop.stop(Ok(()));
        }
    }
}

fn watch_with_timeout(timeout: Duration) -> (EventLoop<Told>, Told, UnixStream) {
    let mut event_loop = EventLoop::new().unwrap();
    let (near, far) = pair();
    let watch = Watch::new(Interest::READABLE).timeout(timeout);
    let watch = event_loop.watch(near, watch, Told::note).unwrap();
    let told = Told {
        watch: Some(watch),
        calls: Vec::new(),
    };
    (event_loop, told, far)
}

#[test]
fn each_event_restarts_the_timeout_which_then_repeats() {
    let timeout = Duration::from_millis(20);
    let begin = Instant::now();
    let (mut event_loop, mut told, mut far) = watch_with_timeout(timeout);
    far.write_all(b"hello").unwrap();
    event_loop.run(&mut told).unwrap();
    let [(first, at_first), (second, at_second), (third, at_third)] = told.calls[..] else {
        panic!("{:?}", told.calls)
    };
    assert_eq!(
        [first, second, third],
        [Readiness::IN, Readiness::TIMEOUT, Readiness::TIMEOUT]
    );
    assert!(at_first >= begin && at_second >= begin + timeout);
    assert!(at_third >= begin + timeout * 2);
}

/// Sees events for four times the timeout. Each of them is there before the
/// loop looks, so that a machine that is slow makes no difference.
fn keep_busy(timeout: Duration, mut turn: impl FnMut()) {
    let end = Instant::now() + timeout * 4;
    while Instant::now() < end {
        turn();
    }
}

#[test]
fn while_events_come_the_timeout_does_not() {
    let timeout = Duration::from_millis(5);
    let (mut event_loop, mut told, mut far) = watch_with_timeout(timeout);
    keep_busy(timeout, || {
        far.write_all(b"hello").unwrap();
        event_loop.turn(&mut told, None).unwrap();
    });
    assert!(
        told.calls
            .iter()
            .all(|(readiness, _)| *readiness == Readiness::IN)
    );
}

#[test]
fn events_that_are_fed_restart_it_too() {
    let timeout = Duration::from_millis(5);
    let (mut event_loop, mut told, _far) = watch_with_timeout(timeout);
    let id = told.watch.as_ref().unwrap().id();
    keep_busy(timeout, || {
        event_loop.feed(id, Readiness::OUT);
        event_loop.turn(&mut told, None).unwrap();
    });
    assert!(
        told.calls
            .iter()
            .all(|(readiness, _)| *readiness == Readiness::OUT)
    );
}

#[test]
fn events_of_an_ordinary_file_restart_it_too() {
    let mut event_loop = EventLoop::<Vec<Readiness>>::new().unwrap();
    let null = File::open("/dev/null").unwrap();
    let timeout = Duration::from_millis(5);
    let watch = Watch::new(Interest::READABLE).timeout(timeout);
    let note = |told: &mut Vec<Readiness>, _: &mut _, event: Event| told.push(event.readiness);
    let _watch = event_loop.watch(null, watch, note).unwrap();
    let mut told = Vec::new();
    keep_busy(timeout, || event_loop.turn(&mut told, None).unwrap());
    assert!(told.iter().all(|readiness| *readiness == Readiness::IN));
}

#[test]
fn a_timeout_may_be_set_moved_and_taken_off_at_any_time() {
    let (mut event_loop, mut told, _far) = watch_with_timeout(LONG);
    let stream = told.watch.as_ref().unwrap();
    stream.set_timeout(&mut event_loop, Some(Duration::from_millis(1)));
    event_loop.turn(&mut told, None).unwrap();
    assert_eq!(told.calls.len(), 1);
    let stream = told.watch.as_ref().unwrap();
    stream.set_timeout(&mut event_loop, None);
    event_loop
        .turn(&mut told, Some(Duration::from_millis(10)))
        .unwrap();
    assert_eq!(told.calls.len(), 1);
    let stream = told.watch.as_ref().unwrap();
    stream.set_timeout(&mut event_loop, Some(Duration::from_millis(1)));
    event_loop.turn(&mut told, None).unwrap();
    assert_eq!(told.calls.len(), 2);
}

#[test]
fn a_timeout_of_no_time_is_told_a_millisecond_apart_and_does_not_stop_the_loop() {
    let begin = Instant::now();
    let (mut event_loop, mut told, _far) = watch_with_timeout(Duration::ZERO);
    event_loop.run(&mut told).unwrap();
    assert_eq!(told.calls.len(), 2);
    let stream = told.watch.as_ref().unwrap();
    stream.set_timeout(&mut event_loop, Some(Duration::ZERO));
    event_loop.turn(&mut told, None).unwrap();
    assert_eq!(told.calls.len(), 3);
    assert!(told.calls[2].1 >= begin + Duration::from_millis(3));
}

#[test]
fn a_timeout_moved_in_the_batch_in_which_it_is_due_is_not_told() {
    let (mut event_loop, mut told, _far) = watch_with_timeout(Duration::from_millis(1));
    // Due in the same turn, and called first.
    let mover = event_loop.after(Duration::from_millis(1), |told, event_loop, _| {
        let stream = told.watch.as_ref().unwrap();
        stream.set_timeout(event_loop, Some(LONG));
    });
    event_loop.set_priority(mover, 2);
    let both_due = Instant::now() + Duration::from_millis(2);
    while Instant::now() < both_due {}
    event_loop.turn(&mut told, None).unwrap();
    assert!(told.calls.is_empty(), "{:?}", told.calls);
}

#[test]
fn a_dropped_watch_has_no_timeout() {
    let (mut event_loop, mut told, _far) = watch_with_timeout(Duration::from_millis(1));
    told.watch = None;
    event_loop.run(&mut told).unwrap();
    event_loop
        .turn(&mut told, Some(Duration::from_millis(5)))
        .unwrap();
    assert!(told.calls.is_empty());
}
