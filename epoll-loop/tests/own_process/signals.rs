//! Signals as events.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use epoll_loop::{Entry, Event, EventLoop, Interest, Readiness, Signal, Source, Watched};
use nix::sys::signal::{kill, raise};
use nix::unistd::Pid;

use crate::record::Record;
use crate::sockets::pair;

crate::harness::tests![
    a_signal_is_told_to_all_its_watchers,
    signals_of_one_kind_that_come_together_are_told_once,
    different_signals_are_told_apart,
    a_signal_that_comes_while_the_loop_waits_wakes_it,
    a_storm_of_signals_starves_nobody_and_its_last_one_is_told,
    a_signal_that_is_raised_in_its_own_callback_is_told_again,
    signals_do_not_keep_the_loop_running,
    a_turn_with_a_limit_waits_for_a_signal,
    the_last_watcher_that_is_cancelled_gives_the_signal_back,
    a_signal_that_nobody_was_told_of_does_not_kill_when_its_watcher_is_cancelled,
    a_signal_may_be_watched_again,
    a_kill_or_stop_signal_can_be_watched_by_nobody,
    a_signal_that_another_thread_leaves_unblocked_is_refused,
    a_signal_that_was_blocked_before_the_thread_began_is_accepted,
    a_signal_is_shown_to_the_observer_by_its_name,
];

type Told = Vec<&'static str>;

#[derive(Default)]
struct Count {
    signals: usize,
    echoed: usize,
}

fn a_signal_is_told_to_all_its_watchers() {
    let mut event_loop = EventLoop::<Told>::new().unwrap();
    let user = Signal::SIGUSR1;
    event_loop
        .on_signal(user, |told, _, event| {
            assert_eq!(event.readiness, Readiness::SIGNAL);
            told.push("first");
        })
        .unwrap();
    let second = event_loop
        .on_signal(user, |told, _, _| told.push("second"))
        .unwrap();
    event_loop
        .on_signal(user, |told, _, _| told.push("third"))
        .unwrap();
    let mut told = Told::new();
    raise(user).unwrap();
    event_loop.turn(&mut told, Some(Duration::ZERO)).unwrap();
    assert_eq!(told, ["first", "second", "third"]);

    assert!(event_loop.cancel(second) && !event_loop.cancel(second));
    told.clear();
    raise(user).unwrap();
    event_loop.turn(&mut told, Some(Duration::ZERO)).unwrap();
    assert_eq!(told, ["first", "third"], "who is left still hears");
}

fn signals_of_one_kind_that_come_together_are_told_once() {
    let mut event_loop = EventLoop::<u32>::new().unwrap();
    event_loop
        .on_signal(Signal::SIGUSR1, |calls, _, _| *calls += 1)
        .unwrap();
    for _ in 0..100 {
        raise(Signal::SIGUSR1).unwrap();
    }
    let mut calls = 0;
    for _ in 0..3 {
        event_loop.turn(&mut calls, Some(Duration::ZERO)).unwrap();
    }
    assert_eq!(calls, 1);
}

fn different_signals_are_told_apart() {
    let mut event_loop = EventLoop::<Told>::new().unwrap();
    event_loop
        .on_signal(Signal::SIGINT, |told, _, _| told.push("INT"))
        .unwrap();
    event_loop
        .on_signal(Signal::SIGTERM, |told, _, _| told.push("TERM"))
        .unwrap();
    event_loop
        .on_signal(Signal::SIGHUP, |told, _, _| told.push("HUP"))
        .unwrap();
    let mut told = Told::new();
    for signal in [Signal::SIGTERM, Signal::SIGHUP] {
        raise(signal).unwrap();
        event_loop.turn(&mut told, Some(Duration::ZERO)).unwrap();
    }
    assert_eq!(told, ["TERM", "HUP"]);
}

fn a_signal_that_comes_while_the_loop_waits_wakes_it() {
    let _blocked = EventLoop::block_signals(&[Signal::SIGUSR1]).unwrap();
    let mut event_loop = EventLoop::<()>::new().unwrap();
    event_loop
        .on_signal(Signal::SIGUSR1, |(), event_loop, _| event_loop.stop(Ok(())))
        .unwrap();
    event_loop.after(Duration::from_hours(1), |(), _, _| {});
    let thread = thread::spawn(|| kill(Pid::this(), Signal::SIGUSR1).unwrap());
    event_loop.run(&mut ()).unwrap();
    thread.join().unwrap();
}

/// A socket whose far end sends a byte for each that comes back.
struct Echo {
    near: Watched<UnixStream>,
    far: UnixStream,
    count: Count,
}

impl Echo {
    const ROUNDS: usize = 2_000;

    fn echo(&mut self, event_loop: &mut EventLoop<Echo>, _: Event) {
        let mut byte = [0; 1];
        (&*self.near).read_exact(&mut byte).unwrap();
        self.count.echoed += 1;
        if self.count.echoed == Echo::ROUNDS {
            event_loop.stop(Ok(()));
        } else {
            self.far.write_all(&byte).unwrap();
        }
    }
}

fn a_storm_of_signals_starves_nobody_and_its_last_one_is_told() {
    static DONE: AtomicBool = AtomicBool::new(false);
    let all: Vec<Signal> = Signal::iterator()
        .filter(|signal| !matches!(signal, Signal::SIGKILL | Signal::SIGSTOP))
        .collect();
    let blocked = EventLoop::block_signals(&all).unwrap();
    let mut event_loop = EventLoop::<Echo>::new().unwrap();
    for &signal in &all {
        event_loop
            .on_signal(signal, |echo, _, _| echo.count.signals += 1)
            .unwrap();
    }
    let (near, mut far) = pair();
    far.write_all(b"x").unwrap();
    let near = event_loop
        .watch(near, Interest::READABLE, Echo::echo)
        .unwrap();
    let mut echo = Echo {
        near,
        far,
        count: Count::default(),
    };

    let (has_begun, begun) = mpsc::channel();
    let storm = thread::spawn(move || {
        while !DONE.load(Ordering::Relaxed) {
            for &signal in &all {
                kill(Pid::this(), signal).unwrap();
            }
            // Only the first time is anybody listening.
            let _ = has_begun.send(());
        }
    });
    begun.recv().unwrap();
    drop(begun);
    event_loop.run(&mut echo).unwrap();
    DONE.store(true, Ordering::Relaxed);
    storm.join().unwrap();
    assert!(echo.count.signals > 0);

    // What is left of the storm is told, and then there is silence.
    let mut before = usize::MAX;
    while echo.count.signals != before {
        before = echo.count.signals;
        event_loop.turn(&mut echo, Some(Duration::ZERO)).unwrap();
    }
    kill(Pid::this(), Signal::SIGTERM).unwrap();
    event_loop.turn(&mut echo, Some(Duration::ZERO)).unwrap();
    assert_eq!(echo.count.signals, before + 1);
    drop(event_loop);
    drop(blocked);
}

fn a_signal_that_is_raised_in_its_own_callback_is_told_again() {
    let mut event_loop = EventLoop::<u32>::new().unwrap();
    event_loop
        .on_signal(Signal::SIGUSR1, |calls, event_loop, _| {
            *calls += 1;
            if *calls == 100 {
                event_loop.stop(Ok(()));
            } else {
                raise(Signal::SIGUSR1).unwrap();
            }
        })
        .unwrap();
    event_loop.after(Duration::from_hours(1), |_, _, _| {});
    raise(Signal::SIGUSR1).unwrap();
    let mut calls = 0;
    event_loop.run(&mut calls).unwrap();
    assert_eq!(calls, 100);
}

fn signals_do_not_keep_the_loop_running() {
    let mut event_loop = EventLoop::<()>::new().unwrap();
    event_loop
        .on_signal(Signal::SIGTERM, |(), _, _| {})
        .unwrap();
    event_loop.run(&mut ()).unwrap();
    let record = Record::of(&mut event_loop);
    event_loop.turn(&mut (), None).unwrap();
    let waits = record.take();
    let [
        Entry::Waited {
            timeout: Some(Duration::ZERO),
            ..
        },
    ] = waits[..]
    else {
        panic!("{waits:?}")
    };
}

fn a_turn_with_a_limit_waits_for_a_signal() {
    let _blocked = EventLoop::block_signals(&[Signal::SIGUSR1]).unwrap();
    let mut event_loop = EventLoop::<u32>::new().unwrap();
    event_loop
        .on_signal(Signal::SIGUSR1, |calls, _, _| *calls += 1)
        .unwrap();
    let limit = Duration::from_millis(5);
    let (begin, mut calls) = (Instant::now(), 0);
    event_loop.turn(&mut calls, Some(limit)).unwrap();
    assert!(begin.elapsed() >= limit && calls == 0);
    let thread = thread::spawn(|| kill(Pid::this(), Signal::SIGUSR1).unwrap());
    event_loop
        .turn(&mut calls, Some(Duration::from_mins(1)))
        .unwrap();
    assert_eq!(calls, 1);
    thread.join().unwrap();
}

fn the_last_watcher_that_is_cancelled_gives_the_signal_back() {
    let mut event_loop = EventLoop::<()>::new().unwrap();
    let user = Signal::SIGUSR1;
    let ids = [(); 2].map(|()| event_loop.on_signal(user, |(), _, _| {}).unwrap());
    let is_blocked = || {
        let mask = nix::sys::signal::SigSet::thread_get_mask().unwrap();
        mask.contains(user)
    };
    assert!(is_blocked());
    assert!(event_loop.cancel(ids[0]) && is_blocked());
    assert!(event_loop.cancel(ids[1]) && !is_blocked());
}

fn a_signal_that_nobody_was_told_of_does_not_kill_when_its_watcher_is_cancelled() {
    let mut event_loop = EventLoop::<Told>::new().unwrap();
    let id = event_loop.on_signal(Signal::SIGTERM, |_, _, _| {}).unwrap();
    raise(Signal::SIGTERM).unwrap();
    assert!(event_loop.cancel(id));
}

fn a_signal_may_be_watched_again() {
    let mut event_loop = EventLoop::<Told>::new().unwrap();
    let first = event_loop
        .on_signal(Signal::SIGUSR1, |told, _, _| told.push("first"))
        .unwrap();
    assert!(event_loop.cancel(first));
    event_loop
        .on_signal(Signal::SIGUSR1, |told, _, _| told.push("second"))
        .unwrap();
    raise(Signal::SIGUSR1).unwrap();
    let mut told = Told::new();
    event_loop.turn(&mut told, Some(Duration::ZERO)).unwrap();
    assert_eq!(told, ["second"]);
}

fn a_kill_or_stop_signal_can_be_watched_by_nobody() {
    let mut event_loop = EventLoop::<()>::new().unwrap();
    for signal in [Signal::SIGKILL, Signal::SIGSTOP] {
        let err = event_loop.on_signal(signal, |(), _, _| {}).unwrap_err();
        assert_eq!(err.kind(), ErrorKind::InvalidInput);
    }
}

/// Runs `test` while another thread is alive, which was started before it.
fn beside_another_thread(test: impl FnOnce()) {
    let (release, released) = mpsc::channel::<()>();
    let thread = thread::spawn(move || released.recv().unwrap_err());
    test();
    drop(release);
    thread.join().unwrap();
}

fn a_signal_that_another_thread_leaves_unblocked_is_refused() {
    beside_another_thread(|| {
        let mut event_loop = EventLoop::<()>::new().unwrap();
        let err = event_loop
            .on_signal(Signal::SIGTERM, |(), _, _| {})
            .unwrap_err();
        let message = err.to_string();
        assert!(message.contains("does not block SIGTERM"), "{message}");
        assert!(message.contains("before starting threads"), "{message}");
        let mask = nix::sys::signal::SigSet::thread_get_mask().unwrap();
        assert!(!mask.contains(Signal::SIGTERM), "and nothing is changed");
    });
    // A thread that has ended is not in the way any more, though the kernel
    // still lists it for a moment.
    let mut event_loop = EventLoop::<()>::new().unwrap();
    for _ in 0..300 {
        thread::spawn(|| {}).join().unwrap();
        let id = event_loop.on_signal(Signal::SIGTERM, |(), _, _| {});
        assert!(event_loop.cancel(id.unwrap()));
    }
}

fn a_signal_that_was_blocked_before_the_thread_began_is_accepted() {
    let _blocked = EventLoop::block_signals(&[Signal::SIGTERM]).unwrap();
    beside_another_thread(|| {
        let mut event_loop = EventLoop::<()>::new().unwrap();
        event_loop
            .on_signal(Signal::SIGTERM, |(), event_loop, _| event_loop.stop(Ok(())))
            .unwrap();
        event_loop.after(Duration::from_hours(1), |(), _, _| {});
        kill(Pid::this(), Signal::SIGTERM).unwrap();
        event_loop.run(&mut ()).unwrap();
    });
}

fn a_signal_is_shown_to_the_observer_by_its_name() {
    let mut event_loop = EventLoop::<()>::new().unwrap();
    event_loop.on_signal(Signal::SIGHUP, |(), _, _| {}).unwrap();
    let record = Record::of(&mut event_loop);
    raise(Signal::SIGHUP).unwrap();
    event_loop.turn(&mut (), Some(Duration::ZERO)).unwrap();
    let is_hup = |entry: &Entry| {
        matches!(
            entry,
            Entry::Dispatched {
                source: Source::Signal(Signal::SIGHUP),
                ..
            }
        )
    };
    assert_eq!(record.count(is_hup), 1);
}
