//! A fork shares one epoll instance; `after_fork` gives the child its own.

use std::fs::File;
use std::io::Write;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, Stdio, exit};
use std::time::Duration;

use epoll_loop::{Event, EventLoop, Interest, Readiness, Signal, Watch, Watched, spawn};
use nix::sys::signal::raise;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid};

use crate::harness::{again_as, part};
use crate::sockets::{in_kernels_set, pair};

crate::harness::tests![
    a_child_that_calls_after_fork_has_its_own_epoll_and_the_parent_loses_no_event,
    a_child_that_does_not_call_it_silences_its_parent,
    after_fork_all_watches_are_as_they_were,
    after_fork_a_disarmed_watch_does_not_hear_of_a_hang_up,
    after_fork_timers_go_on_and_wakers_wake,
    after_fork_signals_are_those_of_the_child,
    after_fork_the_children_of_the_parent_are_nobodys,
    a_fork_in_a_callback_leaves_to_the_parent_what_is_pending,
    after_fork_lines_that_wait_are_the_parents_to_write,
];

/// Runs `child` in a forked process, which then ends.
#[allow(unsafe_code, reason = "fork is what these tests are about")]
fn fork(child: impl FnOnce()) -> Pid {
    // SAFETY: the child of a process with several threads may call only what is
    // async-signal-safe (`man 2 fork`). This process has one (`harness.rs`).
    match unsafe { nix::unistd::fork() }.unwrap() {
        ForkResult::Parent { child } => child,
        ForkResult::Child => {
            let ended = catch_unwind(AssertUnwindSafe(child));
            exit(i32::from(ended.is_err()));
        }
    }
}

/// Waits for a forked process, in which no assertion may have failed.
fn join(child: Pid) {
    assert_eq!(waitpid(child, None), Ok(WaitStatus::Exited(child, 0)));
}

/// A watched socket, its far end, and what was told.
struct One {
    watch: Option<Watched<UnixStream>>,
    far: UnixStream,
    told: Vec<Readiness>,
}

impl One {
    fn note(&mut self, _: &mut EventLoop<One>, event: Event) {
        self.told.push(event.readiness);
    }

    /// What is told in one turn without a wait.
    fn turn(&mut self, event_loop: &mut EventLoop<One>) -> Vec<Readiness> {
        event_loop.turn(self, Some(Duration::ZERO)).unwrap();
        std::mem::take(&mut self.told)
    }
}

fn watch_one(watch: impl Into<Watch>) -> (EventLoop<One>, One) {
    let mut event_loop = EventLoop::new().unwrap();
    let (near, far) = pair();
    let watch = event_loop.watch(near, watch, One::note).unwrap();
    let told = Vec::new();
    (
        event_loop,
        One {
            watch: Some(watch),
            far,
            told,
        },
    )
}

fn a_child_that_calls_after_fork_has_its_own_epoll_and_the_parent_loses_no_event() {
    // An edge that the child took would be lost to the parent for good.
    let (mut event_loop, mut one) = watch_one(Watch::new(Interest::READABLE).edge());
    one.far.write_all(b"to both").unwrap();
    let before = in_kernels_set(&event_loop);
    join(fork(|| {
        event_loop.after_fork().unwrap();
        assert_eq!(
            one.turn(&mut event_loop),
            [Readiness::IN],
            "the child hears too"
        );
        one.watch = None;
        event_loop.reify();
        assert!(in_kernels_set(&event_loop).is_empty());
        let (near, _far) = pair();
        let _own = event_loop
            .watch(near, Interest::WRITABLE, One::note)
            .unwrap();
        assert_eq!(one.turn(&mut event_loop), [Readiness::OUT]);
    }));
    assert_eq!(
        in_kernels_set(&event_loop),
        before,
        "what the child did is its own"
    );
    assert_eq!(one.turn(&mut event_loop), [Readiness::IN]);
    one.far.write_all(b"more").unwrap();
    assert_eq!(one.turn(&mut event_loop), [Readiness::IN]);
}

/// What the documentation warns of; nothing detects a fork.
fn a_child_that_does_not_call_it_silences_its_parent() {
    let (mut event_loop, mut one) = watch_one(Interest::READABLE);
    join(fork(|| {
        one.watch = None;
        event_loop.reify();
    }));
    one.far.write_all(b"hello?").unwrap();
    assert!(one.turn(&mut event_loop).is_empty());
    assert!(in_kernels_set(&event_loop).is_empty());
}

fn after_fork_a_disarmed_watch_does_not_hear_of_a_hang_up() {
    let mut event_loop = EventLoop::<Vec<Readiness>>::new().unwrap();
    let (near, mut far) = pair();
    far.write_all(b"hello").unwrap();
    let watch = Watch::new(Interest::READABLE).one_shot();
    let note = |told: &mut Vec<Readiness>, _: &mut EventLoop<Vec<Readiness>>, event: Event| {
        told.push(event.readiness);
    };
    let _watch = event_loop.watch(near, watch, note).unwrap();
    let mut told = Vec::new();
    event_loop.turn(&mut told, Some(Duration::ZERO)).unwrap();
    assert_eq!(told, [Readiness::IN]);
    far.shutdown(Shutdown::Both).unwrap();
    join(fork(|| {
        event_loop.after_fork().unwrap();
        event_loop.turn(&mut told, Some(Duration::ZERO)).unwrap();
        assert_eq!(told, [Readiness::IN]);
    }));
}

fn after_fork_all_watches_are_as_they_were() {
    let (mut event_loop, mut one) = watch_one(Interest::READABLE);
    let mut far_ends = Vec::new();
    let mut watch = |event_loop: &mut EventLoop<One>, watch: Watch| {
        let (near, mut far) = pair();
        far.write_all(b"hello").unwrap();
        far_ends.push(far);
        event_loop.watch(near, watch, One::note).unwrap()
    };
    let one_shot = watch(&mut event_loop, Watch::new(Interest::READABLE).one_shot());
    let paused = watch(&mut event_loop, Watch::new(Interest::NONE));
    let dropped = watch(&mut event_loop, Watch::new(Interest::READABLE));
    let null = File::open("/dev/null").unwrap();
    let null = event_loop.watch(null, Interest::NONE, One::note).unwrap();
    assert_eq!(
        one.turn(&mut event_loop),
        [Readiness::IN; 2],
        "the one-shot, and one to be dropped"
    );

    // Noted, and not told to the kernel when the fork comes.
    drop(dropped);
    null.set_interest(&mut event_loop, Interest::READABLE);
    let watch = one.watch.as_ref().unwrap();
    watch.set_interest(&mut event_loop, Interest::WRITABLE);

    let check = |event_loop: &mut EventLoop<One>, one: &mut One| {
        let mut told = one.turn(event_loop);
        told.sort_unstable_by_key(ToString::to_string);
        assert_eq!(
            told,
            [Readiness::IN, Readiness::OUT],
            "the file, and the changed one"
        );
        null.set_interest(event_loop, Interest::NONE);
        let watch = one.watch.as_ref().unwrap();
        watch.set_interest(event_loop, Interest::NONE);
        assert!(
            one.turn(event_loop).is_empty(),
            "the one-shot stays disarmed"
        );
        one_shot.set_interest(event_loop, Interest::READABLE);
        assert_eq!(one.turn(event_loop), [Readiness::IN]);
        paused.set_interest(event_loop, Interest::READABLE);
        assert_eq!(one.turn(event_loop), [Readiness::IN]);
    };
    join(fork(|| {
        event_loop.after_fork().unwrap();
        check(&mut event_loop, &mut one);
    }));
    check(&mut event_loop, &mut one);
}

fn after_fork_timers_go_on_and_wakers_wake() {
    let mut event_loop = EventLoop::<Vec<Readiness>>::new().unwrap();
    let note = |told: &mut Vec<Readiness>, _: &mut _, event: Event| told.push(event.readiness);
    let waker = event_loop.waker(note).unwrap();
    event_loop.after(Duration::from_millis(1), note);
    let mut told = Vec::new();
    let mut check = |event_loop: &mut EventLoop<_>| {
        event_loop.turn(&mut told, None).unwrap();
        assert_eq!(told, [Readiness::TIMER]);
        waker.wake();
        event_loop.turn(&mut told, None).unwrap();
        assert_eq!(told, [Readiness::TIMER, Readiness::WOKEN]);
    };
    join(fork(|| {
        event_loop.after_fork().unwrap();
        check(&mut event_loop);
    }));
    check(&mut event_loop);
    // The last waker in this process: the child's did not end the watcher here.
    drop(waker);
    event_loop.run(&mut told).unwrap();
}

fn after_fork_signals_are_those_of_the_child() {
    let mut event_loop = EventLoop::<u32>::new().unwrap();
    event_loop
        .on_signal(Signal::SIGUSR1, |calls, _, _| *calls += 1)
        .unwrap();
    let mut calls = 0;
    join(fork(|| {
        event_loop.after_fork().unwrap();
        raise(Signal::SIGUSR1).unwrap();
        event_loop.turn(&mut calls, Some(Duration::ZERO)).unwrap();
        assert_eq!(calls, 1);
    }));
    event_loop.turn(&mut calls, Some(Duration::ZERO)).unwrap();
    assert_eq!(calls, 0);
    raise(Signal::SIGUSR1).unwrap();
    event_loop.turn(&mut calls, Some(Duration::ZERO)).unwrap();
    assert_eq!(calls, 1);
}

fn after_fork_the_children_of_the_parent_are_nobodys() {
    let mut event_loop = EventLoop::<u32>::new().unwrap();
    let mut cat = spawn(Command::new("cat").stdin(Stdio::piped())).unwrap();
    let id = event_loop.on_exit(&cat, |calls, _, _| *calls += 1).unwrap();
    let mut calls = 0;
    join(fork(|| {
        event_loop.after_fork().unwrap();
        assert!(!event_loop.cancel(id));
        event_loop.run(&mut calls).unwrap();
        assert_eq!(calls, 0);
    }));
    drop(cat.stdin.take());
    event_loop.run(&mut calls).unwrap();
    assert_eq!(calls, 1);
    cat.wait().unwrap();
}

fn a_fork_in_a_callback_leaves_to_the_parent_what_is_pending() {
    /// What is told, and the process that the first to be told has forked.
    #[derive(Default)]
    struct Forking {
        told: Vec<Readiness>,
        child: Option<Pid>,
        is_child: bool,
    }
    let note = |forking: &mut Forking, _: &mut EventLoop<_>, event: Event| {
        forking.told.push(event.readiness);
    };
    let mut event_loop = EventLoop::<Forking>::new().unwrap();
    let (near, mut far) = pair();
    far.write_all(b"hello").unwrap();
    let _watch = event_loop.watch(near, Interest::READABLE, note).unwrap();
    event_loop.on_signal(Signal::SIGUSR1, note).unwrap();
    raise(Signal::SIGUSR1).unwrap();
    let forker = event_loop.after(Duration::ZERO, |forking, event_loop, _| {
        // The child goes on as this very program does.
        let child = fork_both();
        if child.is_none() {
            event_loop.after_fork().unwrap();
        }
        forking.is_child = child.is_none();
        forking.child = child;
    });
    event_loop.set_priority(forker, 2);
    let mut forking = Forking::default();
    event_loop.turn(&mut forking, Some(Duration::ZERO)).unwrap();
    if forking.is_child {
        let is_right = forking.told.is_empty() && {
            // What is still ready is reported again.
            event_loop.turn(&mut forking, Some(Duration::ZERO)).unwrap();
            forking.told == [Readiness::IN]
        };
        exit(i32::from(!is_right));
    }
    join(forking.child.unwrap());
    forking.told.sort_unstable_by_key(ToString::to_string);
    assert_eq!(forking.told, [Readiness::IN, Readiness::SIGNAL]);
}

/// A fork whose child goes on in the same place; none in the child.
#[allow(unsafe_code, reason = "fork is what these tests are about")]
fn fork_both() -> Option<Pid> {
    // SAFETY: as in `fork`: this process has one thread.
    match unsafe { nix::unistd::fork() }.unwrap() {
        ForkResult::Parent { child } => Some(child),
        ForkResult::Child => None,
    }
}

fn after_fork_lines_that_wait_are_the_parents_to_write() {
    if part().is_some() {
        let mut event_loop = EventLoop::<()>::new().unwrap();
        let output = event_loop.standard_output().unwrap();
        output.write_line(b"before the fork\n");
        join(fork(|| {
            event_loop.after_fork().unwrap();
            output.write_line(b"of the child\n");
            event_loop.turn(&mut (), Some(Duration::ZERO)).unwrap();
            output.drain(Duration::from_secs(10));
        }));
        output.drain(Duration::from_secs(10));
        return;
    }
    let finished = again_as("forking").run();
    assert!(finished.status.success(), "{}", finished.stderr);
    assert_eq!(finished.stdout, "of the child\nbefore the fork\n");
}
