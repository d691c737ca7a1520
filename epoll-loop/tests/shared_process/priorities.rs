//! Who is called first among those that are due in one turn.

use std::io::Write;
use std::time::Duration;

use epoll_loop::{Event, EventLoop, Interest, Watch, WatcherId};

use crate::sockets::pair;

fn note(told: &mut Vec<WatcherId>, _: &mut EventLoop<Vec<WatcherId>>, event: Event) {
    told.push(event.id);
}

#[test]
fn the_urgent_are_called_first_whatever_the_order_of_their_events() {
    let mut event_loop = EventLoop::new().unwrap();
    let mut kept = Vec::new();
    // libev's own example (claim 19): priorities 0, 2, -2, 0, and two beyond.
    let ids = [0, 2, -2, 0, -100, 100].map(|priority| {
        let (near, mut far) = pair();
        far.write_all(b"hello").unwrap();
        let watch = Watch::new(Interest::READABLE).priority(priority);
        let watch = event_loop.watch(near, watch, note).unwrap();
        let id = watch.id();
        kept.push((watch, far));
        id
    });
    let mut told = Vec::new();
    event_loop.turn(&mut told, None).unwrap();
    let [zero, two, minus_two, zero_too, minus_hundred, hundred] = ids;
    assert_eq!(
        told,
        [two, hundred, zero, zero_too, minus_two, minus_hundred]
    );
}

#[test]
fn within_one_priority_the_first_fed_is_called_first() {
    let mut event_loop = EventLoop::new().unwrap();
    let mut kept = Vec::new();
    for _ in 0..10 {
        let (near, far) = pair();
        kept.push((event_loop.watch(near, Interest::NONE, note).unwrap(), far));
    }
    let order = [3, 1, 4, 5, 9, 2, 6, 8, 7, 0].map(|index: usize| kept[index].0.id());
    for id in order {
        event_loop.feed(id, epoll_loop::Readiness::IN);
    }
    let mut told = Vec::new();
    event_loop.turn(&mut told, None).unwrap();
    assert_eq!(told, order, "libev would call the last one first");
}

#[test]
fn a_timer_or_an_idle_watcher_has_a_priority_too() {
    let mut event_loop = EventLoop::new().unwrap();
    let late = event_loop.after(Duration::ZERO, note);
    let early = event_loop.after(Duration::ZERO, note);
    assert!(event_loop.set_priority(early, 1));
    let mut told = Vec::new();
    event_loop.run(&mut told).unwrap();
    assert_eq!(told, [early, late]);
}

#[test]
fn a_priority_that_is_changed_counts_from_the_next_event_on() {
    let mut event_loop = EventLoop::new().unwrap();
    let first = event_loop.when_idle(note);
    let second = event_loop.when_idle(note);
    let mut told = Vec::new();
    event_loop.turn(&mut told, None).unwrap();
    assert_eq!(told, [first, second]);
    event_loop.set_priority(second, 2);
    event_loop.turn(&mut told, None).unwrap();
    assert_eq!(told[2..], [second, first]);
}
