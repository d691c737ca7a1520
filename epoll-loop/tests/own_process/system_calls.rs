//! What the loop costs in system calls, counted by strace(1).

use std::fs;
use std::time::Duration;

use chapter_tests::{TemporaryDirectory, tools};
use epoll_loop::{EventLoop, Interest};

use crate::harness::{again_as, part};
use crate::sockets::pair;

crate::harness::tests![
    an_interest_changed_and_changed_back_costs_no_epoll_ctl,
    a_thousand_wake_ups_cost_one_write,
    a_turn_with_an_event_is_one_epoll_wait_and_nothing_else,
];

/// What stands in the trace where the counting is to begin.
const MARK: &str = "here the counting begins";

/// What strace calls the system calls that `body` makes, one a line; nothing if
/// this machine does not let it.
///
/// `body` runs in this test's program, started once more under strace. It is
/// given a function to call where the counting is to begin.
fn system_calls_of(body: fn(begin: &dyn Fn())) -> Option<String> {
    if part().is_some() {
        // A system call that stands out.
        body(&|| assert!(!fs::exists(MARK).unwrap()));
        return None;
    }
    if !tools::ptrace_allowed() {
        return None;
    }
    let directory = TemporaryDirectory::new();
    let file = directory.join("calls");
    let args = ["-f".as_ref(), "-o".as_ref(), file.as_os_str()];
    let finished = again_as("traced").under("strace", args).run();
    assert!(finished.status.success(), "{}", finished.stderr);
    let text = fs::read_to_string(&file).unwrap();
    let (_, counted) = text.split_once(MARK).expect("the mark is in the trace");
    Some(counted.to_owned())
}

fn count(calls: &str, name: &str) -> usize {
    let opening = format!("{name}(");
    calls.lines().filter(|line| line.contains(&opening)).count()
}

fn an_interest_changed_and_changed_back_costs_no_epoll_ctl() {
    let calls = system_calls_of(|begin| {
        let mut event_loop = EventLoop::<()>::new().unwrap();
        let (near, _far) = pair();
        let watch = event_loop
            .watch(near, Interest::READABLE, |(), _, _| {})
            .unwrap();
        event_loop.turn(&mut (), Some(Duration::ZERO)).unwrap();
        begin();
        for _ in 0..100 {
            watch.set_interest(&mut event_loop, Interest::WRITABLE);
            watch.set_interest(&mut event_loop, Interest::READABLE);
            event_loop.turn(&mut (), Some(Duration::ZERO)).unwrap();
        }
        // One that stays changed, so that a trace of nothing is no success.
        watch.set_interest(&mut event_loop, Interest::NONE);
        event_loop.turn(&mut (), Some(Duration::ZERO)).unwrap();
    });
    if let Some(calls) = calls {
        assert_eq!(count(&calls, "epoll_ctl"), 1, "{calls}");
    }
}

fn a_thousand_wake_ups_cost_one_write() {
    let calls = system_calls_of(|begin| {
        let mut event_loop = EventLoop::<u32>::new().unwrap();
        let waker = event_loop.waker(|calls, _, _| *calls += 1).unwrap();
        begin();
        for _ in 0..1_000 {
            waker.wake();
        }
        let mut calls = 0;
        event_loop.turn(&mut calls, None).unwrap();
        assert_eq!(calls, 1);
    });
    if let Some(calls) = calls {
        // Not the one by which the loop learns that the last waker is dropped.
        let (before_the_wait, _) = calls.split_once("epoll_wait").unwrap();
        assert_eq!(count(before_the_wait, "write"), 1, "{calls}");
    }
}

fn a_turn_with_an_event_is_one_epoll_wait_and_nothing_else() {
    let calls = system_calls_of(|mark| {
        let mut event_loop = EventLoop::<u32>::new().unwrap();
        let (near, _far) = pair();
        let count = |calls: &mut u32, _: &mut EventLoop<u32>, _| *calls += 1;
        let _watch = event_loop.watch(near, Interest::WRITABLE, count).unwrap();
        event_loop.after(Duration::from_hours(1), |_, _, _| {});
        // Once more: the first time, std asks whether there is a statx(2) at all.
        mark();
        mark();
        let mut calls = 0;
        while calls < 100 {
            event_loop.turn(&mut calls, None).unwrap();
        }
        mark();
    });
    if let Some(calls) = calls {
        let counted = calls.split(MARK).nth(1).expect("two more marks");
        // Without the rest of the line of the mark, and the beginning of the next one's.
        let lines: Vec<&str> = counted.lines().skip(1).collect();
        let (_, turns) = lines.split_last().expect("the mark");
        let is_wait = |line: &&&str| line.contains("epoll_wait(") || line.contains("epoll_pwait(");
        assert_eq!(
            (turns.iter().filter(is_wait).count(), turns.len()),
            (100, 100),
            "{calls}"
        );
    }
}
