//! How often the loop looks at the clock, counted by valgrind.
//!
//! A reading is no system call, since the kernel lends each process the code for it (`vdso(7)`),
//! so strace(1) does not see it. valgrind takes that code away, and lists the calls made instead.

use std::fs;
use std::time::Duration;

use chapter_tests::{TemporaryDirectory, tools};
use epoll_loop::{Event, EventLoop, Interest, Watch};

use crate::harness::{again_as, part};
use crate::sockets::pair;

crate::harness::tests![
    a_turn_without_timers_does_not_look_at_the_clock,
    a_turn_with_a_timer_looks_at_the_clock_once,
    a_turn_in_which_a_timer_is_due_looks_at_the_clock_once,
    a_turn_looks_once_more_for_a_timer_that_repeats_and_for_a_timeout_that_restarts,
];

const TURNS: u32 = 50;

/// How often this test's program, started once more under valgrind, looks at the clock in so many
/// turns with an event each; nothing if there is no valgrind.
fn readings_in_turns(set_up: fn(&mut EventLoop<u32>)) -> Option<usize> {
    // A system call that stands out, before and after what is counted.
    const MARK: &str = "here the counting begins and ends";
    if part().is_some() {
        let mut event_loop = EventLoop::<u32>::new().unwrap();
        let (near, _far) = pair();
        let count = |events: &mut u32, _: &mut EventLoop<u32>, _| *events += 1;
        let _watch = event_loop.watch(near, Interest::WRITABLE, count).unwrap();
        set_up(&mut event_loop);
        let mut events = 0;
        assert!(!fs::exists(MARK).unwrap());
        for _ in 0..TURNS {
            event_loop.turn(&mut events, None).unwrap();
        }
        assert!(!fs::exists(MARK).unwrap());
        assert_eq!(events, TURNS);
        return None;
    }
    tools::find("valgrind")?;
    let directory = TemporaryDirectory::new();
    let file = directory.join("calls");
    let log = format!("--log-file={}", file.display());
    let options = ["--tool=none", "--trace-syscalls=yes", &log];
    let finished = again_as("counted").under("valgrind", options).run();
    assert!(finished.status.success(), "{}", finished.stderr);
    let calls = fs::read_to_string(&file).unwrap();
    let counted = calls.split(MARK).nth(1).expect("the mark is in the list");
    assert!(counted.contains("epoll_"), "{counted}");
    Some(counted.matches("clock_gettime").count())
}

fn a_turn_without_timers_does_not_look_at_the_clock() {
    if let Some(readings) = readings_in_turns(|_| {}) {
        assert_eq!(readings, 0);
    }
}

/// Before the wait: how long it may take, and what is due.
fn a_turn_with_a_timer_looks_at_the_clock_once() {
    let readings = readings_in_turns(|event_loop| {
        event_loop.after(Duration::from_hours(1), |_, _, _| {});
    });
    if let Some(readings) = readings {
        assert_eq!(readings, TURNS as usize);
    }
}

/// Each of these timers starts the next, by which the clock is read once more.
fn a_turn_in_which_a_timer_is_due_looks_at_the_clock_once() {
    fn again(_: &mut u32, event_loop: &mut EventLoop<u32>, _: Event) {
        event_loop.after(Duration::ZERO, again);
    }
    let readings = readings_in_turns(|event_loop| {
        event_loop.after(Duration::ZERO, again);
    });
    if let Some(readings) = readings {
        assert_eq!(readings, 2 * TURNS as usize);
    }
}

/// Both in one turn, or one of them.
fn a_turn_looks_once_more_for_a_timer_that_repeats_and_for_a_timeout_that_restarts() {
    let readings = readings_in_turns(|event_loop| {
        let (near, far) = pair();
        let watch = Watch::new(Interest::WRITABLE).timeout(Duration::from_hours(1));
        let watch = event_loop.watch(near, watch, |_, _, _| {}).unwrap();
        std::mem::forget((watch, far));
        event_loop.every(Duration::from_millis(1), |_, _, _| {});
    });
    if let Some(readings) = readings {
        assert_eq!(readings, 2 * TURNS as usize);
    }
}
