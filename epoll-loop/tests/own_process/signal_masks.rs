//! The signal mask is given back as it was, however a loop ends.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use epoll_loop::{EventLoop, Signal};
use nix::sys::signal::{SigSet, raise};

crate::harness::tests![
    a_panic_in_a_callback_leaves_the_signal_mask_restored_by_drop,
    the_mask_is_restored_when_the_loop_is_dropped,
    a_signal_that_was_blocked_before_stays_blocked,
    guards_may_be_dropped_in_any_order,
    a_loop_that_outlives_the_guard_keeps_its_signal,
    a_signal_that_nobody_was_told_of_does_not_kill_when_the_loop_is_dropped,
    two_loops_may_watch_the_same_signal,
];

fn mask() -> Vec<Signal> {
    let mask = SigSet::thread_get_mask().unwrap();
    mask.iter().collect()
}

fn block(signals: &[Signal]) -> epoll_loop::BlockedSignals {
    EventLoop::block_signals(signals).unwrap()
}

fn a_panic_in_a_callback_leaves_the_signal_mask_restored_by_drop() {
    assert_eq!(mask(), []);
    let run = || {
        let _blocked = block(&[Signal::SIGINT]);
        let mut event_loop = EventLoop::<()>::new().unwrap();
        event_loop
            .on_signal(Signal::SIGTERM, |(), _, _| {})
            .unwrap();
        event_loop.after(Duration::ZERO, |(), _, _| {
            assert_eq!(mask(), [Signal::SIGINT, Signal::SIGTERM]);
            resume_unwind(Box::new("a callback has panicked"));
        });
        let _ = event_loop.run(&mut ());
    };
    assert!(catch_unwind(AssertUnwindSafe(run)).is_err());
    assert_eq!(mask(), []);
}

fn the_mask_is_restored_when_the_loop_is_dropped() {
    let mut event_loop = EventLoop::<()>::new().unwrap();
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGTERM] {
        event_loop.on_signal(signal, |(), _, _| {}).unwrap();
    }
    assert_eq!(mask(), [Signal::SIGINT, Signal::SIGTERM]);
    drop(event_loop);
    assert_eq!(mask(), []);
}

fn a_signal_that_was_blocked_before_stays_blocked() {
    let mut set = SigSet::empty();
    set.add(Signal::SIGHUP);
    set.thread_block().unwrap();
    let mut event_loop = EventLoop::<()>::new().unwrap();
    event_loop.on_signal(Signal::SIGHUP, |(), _, _| {}).unwrap();
    drop(block(&[Signal::SIGHUP, Signal::SIGINT]));
    drop(event_loop);
    assert_eq!(mask(), [Signal::SIGHUP]);
}

fn guards_may_be_dropped_in_any_order() {
    let orders = [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ];
    for order in orders {
        let mut guards = [
            Some(block(&[Signal::SIGINT])),
            Some(block(&[Signal::SIGINT, Signal::SIGTERM])),
            Some(block(&[Signal::SIGTERM, Signal::SIGINT])),
        ];
        for (dropped, index) in (1..).zip(order) {
            guards[index] = None;
            assert_eq!(mask().contains(&Signal::SIGINT), dropped < 3, "{order:?}");
            let holds_term = guards[1].is_some() || guards[2].is_some();
            assert_eq!(mask().contains(&Signal::SIGTERM), holds_term, "{order:?}");
        }
    }
}

/// Otherwise the signal would kill the process: the loop still waits for it.
fn a_loop_that_outlives_the_guard_keeps_its_signal() {
    let blocked = block(&[Signal::SIGTERM]);
    let mut event_loop = EventLoop::<u32>::new().unwrap();
    event_loop
        .on_signal(Signal::SIGTERM, |calls, _, _| *calls += 1)
        .unwrap();
    drop(blocked);
    assert_eq!(mask(), [Signal::SIGTERM]);
    raise(Signal::SIGTERM).unwrap();
    let mut calls = 0;
    event_loop.turn(&mut calls, Some(Duration::ZERO)).unwrap();
    assert_eq!(calls, 1);
    drop(event_loop);
    assert_eq!(mask(), []);
}

fn a_signal_that_nobody_was_told_of_does_not_kill_when_the_loop_is_dropped() {
    let mut event_loop = EventLoop::<()>::new().unwrap();
    event_loop
        .on_signal(Signal::SIGTERM, |(), _, _| {})
        .unwrap();
    raise(Signal::SIGTERM).unwrap();
    drop(event_loop);
    assert_eq!(mask(), []);
}

fn two_loops_may_watch_the_same_signal() {
    let mut first = EventLoop::<u32>::new().unwrap();
    first
        .on_signal(Signal::SIGUSR1, |calls, _, _| *calls += 1)
        .unwrap();
    let mut second = EventLoop::<u32>::new().unwrap();
    second
        .on_signal(Signal::SIGUSR1, |calls, _, _| *calls += 1)
        .unwrap();
    // The kernel gives it to who reads first.
    raise(Signal::SIGUSR1).unwrap();
    let mut calls = 0;
    for event_loop in [&mut first, &mut second] {
        event_loop.turn(&mut calls, Some(Duration::ZERO)).unwrap();
    }
    assert_eq!(calls, 1);
    raise(Signal::SIGUSR1).unwrap();
    drop(first);
    assert_eq!(mask(), [Signal::SIGUSR1], "the second still watches");
    second.turn(&mut calls, Some(Duration::ZERO)).unwrap();
    assert_eq!(calls, 2, "nor was its signal taken away");
    drop(second);
    assert_eq!(mask(), []);
}
