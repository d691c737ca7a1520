//! Child processes: their end as an event, and what they inherit.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use chapter_tests::process;
use epoll_loop::{EventLoop, Readiness, Signal, WatcherId, spawn};
use nix::unistd::Pid;

crate::harness::tests![
    a_spawned_child_has_no_signal_blocked_and_one_of_command_spawn_has,
    a_child_spawned_by_another_thread_has_no_signal_blocked_either,
    a_signal_that_somebody_else_has_blocked_stays_blocked_in_a_child,
    a_child_inherits_no_descriptor_of_the_loop,
    the_end_of_a_child_is_told_once_and_waiting_does_not_block,
    a_child_that_has_ended_before_it_is_watched_is_told,
    each_of_many_children_is_told_by_its_own_watcher,
    a_running_child_keeps_the_loop_running_until_it_is_cancelled,
    a_child_that_was_waited_for_cannot_be_watched,
];

/// A child that lives until its standard input ends.
fn cat() -> Command {
    let mut command = Command::new("cat");
    command.stdin(Stdio::piped()).stdout(Stdio::null());
    command
}

fn pid(child: &Child) -> Pid {
    Pid::from_raw(child.id().cast_signed())
}

/// Ends a child made by [`cat`].
fn end(mut child: Child) {
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
}

fn a_spawned_child_has_no_signal_blocked_and_one_of_command_spawn_has() {
    let _blocked = EventLoop::block_signals(&[Signal::SIGTERM]).unwrap();
    let mut event_loop = EventLoop::<()>::new().unwrap();
    event_loop.on_signal(Signal::SIGINT, |(), _, _| {}).unwrap();

    let spawned = spawn(&mut cat()).unwrap();
    let mask = process::blocked_signals(pid(&spawned));
    assert!(mask.is_empty(), "{mask:?}");
    let inheriting = cat().spawn().unwrap();
    let mask = process::blocked_signals(pid(&inheriting));
    assert!(
        mask.contains(Signal::SIGTERM) && mask.contains(Signal::SIGINT),
        "{mask:?}"
    );

    // The parent's own mask is as it was.
    let own = process::blocked_signals(Pid::this());
    assert!(own.contains(Signal::SIGTERM) && own.contains(Signal::SIGINT));
    end(spawned);
    end(inheriting);
}

fn a_child_spawned_by_another_thread_has_no_signal_blocked_either() {
    let _blocked = EventLoop::block_signals(&[Signal::SIGTERM]).unwrap();
    let child = thread::spawn(|| spawn(&mut cat()).unwrap()).join().unwrap();
    let mask = process::blocked_signals(pid(&child));
    assert!(mask.is_empty(), "{mask:?}");
    end(child);
}

fn a_signal_that_somebody_else_has_blocked_stays_blocked_in_a_child() {
    let mut set = nix::sys::signal::SigSet::empty();
    set.add(Signal::SIGHUP);
    set.thread_block().unwrap();
    let _blocked = EventLoop::block_signals(&[Signal::SIGHUP, Signal::SIGTERM]).unwrap();
    let child = spawn(&mut cat()).unwrap();
    let mask = process::blocked_signals(pid(&child));
    assert!(
        mask.contains(Signal::SIGHUP) && !mask.contains(Signal::SIGTERM),
        "{mask:?}"
    );
    end(child);
}

/// The number of descriptors of a new child.
fn inherited() -> usize {
    let mut child = spawn(cat().stdout(Stdio::piped())).unwrap();
    // It answers, so it has closed again whatever it needed to start.
    child.stdin.as_mut().unwrap().write_all(b"x").unwrap();
    let stdout = child.stdout.as_mut().unwrap();
    stdout.read_exact(&mut [0; 1]).unwrap();
    let count = process::descriptors(pid(&child));
    end(child);
    count
}

fn a_child_inherits_no_descriptor_of_the_loop() {
    // This process has inherited some itself, maybe.
    let before = inherited();
    let mut event_loop = EventLoop::<()>::new().unwrap();
    event_loop
        .on_signal(Signal::SIGTERM, |(), _, _| {})
        .unwrap();
    let _waker = event_loop.waker(|(), _, _| {}).unwrap();
    let child = spawn(&mut cat()).unwrap();
    event_loop.on_exit(&child, |(), _, _| {}).unwrap();
    event_loop.standard_error().unwrap();
    assert_eq!(inherited(), before);
    event_loop.after_fork().unwrap();
    assert_eq!(inherited(), before);
    end(child);
}

/// The children that have not been waited for, and what was told.
#[derive(Default)]
struct Nursery {
    children: Vec<(WatcherId, Child)>,
    ended: Vec<WatcherId>,
}

impl Nursery {
    fn bury(&mut self, _: &mut EventLoop<Nursery>, event: epoll_loop::Event) {
        assert_eq!(event.readiness, Readiness::CHILD);
        self.ended.push(event.id);
        let own = self.children.iter_mut().find(|(id, _)| *id == event.id);
        let (_, child) = own.expect("told once");
        // Would be None if waiting blocked.
        assert!(child.try_wait().unwrap().unwrap().success());
    }

    fn watch(&mut self, event_loop: &mut EventLoop<Nursery>, child: Child) {
        let id = event_loop.on_exit(&child, Nursery::bury).unwrap();
        self.children.push((id, child));
    }
}

fn the_end_of_a_child_is_told_once_and_waiting_does_not_block() {
    let mut event_loop = EventLoop::new().unwrap();
    let mut nursery = Nursery::default();
    nursery.watch(&mut event_loop, spawn(&mut cat()).unwrap());
    let (id, child) = &mut nursery.children[0];
    let id = *id;
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"last words")
        .unwrap();
    event_loop.run(&mut nursery).unwrap();
    assert_eq!(nursery.ended, [id]);
    assert!(!event_loop.cancel(id));
}

fn a_child_that_has_ended_before_it_is_watched_is_told() {
    let mut child = spawn(Command::new("true").stdout(Stdio::piped())).unwrap();
    // End of file: it has ended, or is about to.
    std::io::copy(child.stdout.as_mut().unwrap(), &mut std::io::sink()).unwrap();
    let mut event_loop = EventLoop::new().unwrap();
    let mut nursery = Nursery::default();
    nursery.watch(&mut event_loop, child);
    event_loop.run(&mut nursery).unwrap();
    assert_eq!(nursery.ended.len(), 1);
}

fn each_of_many_children_is_told_by_its_own_watcher() {
    let mut event_loop = EventLoop::new().unwrap();
    let mut nursery = Nursery::default();
    for _ in 0..20 {
        nursery.watch(&mut event_loop, spawn(&mut cat()).unwrap());
    }
    for (_, child) in nursery.children.iter_mut().rev() {
        drop(child.stdin.take());
    }
    event_loop.run(&mut nursery).unwrap();
    let told: BTreeSet<WatcherId> = nursery.ended.iter().copied().collect();
    let all: BTreeSet<WatcherId> = nursery.children.iter().map(|(id, _)| *id).collect();
    assert_eq!((told, nursery.ended.len()), (all, 20));
}

fn a_running_child_keeps_the_loop_running_until_it_is_cancelled() {
    let mut event_loop = EventLoop::<u32>::new().unwrap();
    let child = spawn(&mut cat()).unwrap();
    let id = event_loop
        .on_exit(&child, |_, _, _| panic!("is cancelled"))
        .unwrap();
    event_loop.after(Duration::ZERO, |calls, _, _| *calls += 1);
    event_loop.every(Duration::from_millis(1), |calls, event_loop, event| {
        *calls += 1;
        if *calls == 3 {
            event_loop.cancel(event.id);
            event_loop.stop(Ok(()));
        }
    });
    let mut calls = 0;
    event_loop.run(&mut calls).unwrap();
    assert_eq!(calls, 3);
    assert!(event_loop.cancel(id));
    end(child);
    event_loop.run(&mut calls).unwrap();
}

fn a_child_that_was_waited_for_cannot_be_watched() {
    let mut event_loop = EventLoop::<()>::new().unwrap();
    let mut child = spawn(&mut cat()).unwrap();
    drop(child.stdin.take());
    child.wait().unwrap();
    let err = event_loop.on_exit(&child, |(), _, _| {}).unwrap_err();
    assert_eq!(err.raw_os_error(), Some(nix::errno::Errno::ESRCH as i32));
    event_loop.run(&mut ()).unwrap();
}
