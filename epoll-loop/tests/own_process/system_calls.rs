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
    a_turn_with_an_event_costs_one_epoll_wait,
];

/// What strace calls the system calls that `body` makes, one a line; nothing if
/// this machine does not let it.
///
/// `body` runs in this test's program, started once more under strace. It is
/// given a function to call where the counting is to begin.
fn system_calls_of(body: fn(begin: &dyn Fn())) -> Option<String> {
    const MARK: &str = "here the counting begins";
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
    let calls = "trace=epoll_ctl,epoll_wait,epoll_pwait,epoll_pwait2,write,/stat,/statx,access";
    let args = [
        "-f".as_ref(),
        "-e".as_ref(),
        calls.as_ref(),
        "-o".as_ref(),
        file.as_os_str(),
    ];
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

fn a_turn_with_an_event_costs_one_epoll_wait() {
    let calls = system_calls_of(|begin| {
        let mut event_loop = EventLoop::<u32>::new().unwrap();
        let (near, _far) = pair();
        let count = |calls: &mut u32, _: &mut EventLoop<u32>, _| *calls += 1;
        let _watch = event_loop.watch(near, Interest::WRITABLE, count).unwrap();
        event_loop.after(Duration::from_hours(1), |_, _, _| {});
        begin();
        let mut calls = 0;
        while calls < 100 {
            event_loop.turn(&mut calls, None).unwrap();
        }
    });
    if let Some(calls) = calls {
        let waits = count(&calls, "epoll_wait") + count(&calls, "epoll_pwait");
        assert_eq!(waits, 100, "{calls}");
    }
}
