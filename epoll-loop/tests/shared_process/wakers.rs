//! Waking the loop from other threads.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use epoll_loop::{Event, EventLoop, Interest, Waker};

use crate::sockets::pair;

const THREADS: usize = 8;

#[test]
fn nothing_that_eight_threads_say_is_missed() {
    const MESSAGES: usize = 20_000;
    struct Inbox {
        receiver: mpsc::Receiver<(usize, usize)>,
        received: Vec<(usize, usize)>,
        calls: usize,
    }
    let (sender, receiver) = mpsc::channel();
    let mut event_loop = EventLoop::new().unwrap();
    let waker = event_loop
        .waker(|inbox: &mut Inbox, _, _| {
            inbox.calls += 1;
            inbox.received.extend(inbox.receiver.try_iter());
        })
        .unwrap();
    let threads: Vec<_> = (0..THREADS)
        .map(|thread| {
            let (sender, waker) = (sender.clone(), waker.clone());
            thread::spawn(move || {
                for number in 0..MESSAGES {
                    sender.send((thread, number)).unwrap();
                    waker.wake();
                }
            })
        })
        .collect();
    drop(waker);
    let mut inbox = Inbox {
        receiver,
        received: Vec::new(),
        calls: 0,
    };
    // It ends when the last of the threads has dropped its waker.
    event_loop.run(&mut inbox).unwrap();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(inbox.received.len(), THREADS * MESSAGES);
    let different: HashSet<_> = inbox.received.iter().collect();
    assert_eq!(different.len(), THREADS * MESSAGES);
    assert!(inbox.calls <= THREADS * MESSAGES);
}

/// One at a time, so that a wake-up that is lost hangs the test.
#[test]
fn each_wake_up_that_comes_while_the_loop_sleeps_wakes_it() {
    let (ask, asked) = mpsc::channel();
    let mut event_loop = EventLoop::<u32>::new().unwrap();
    let waker = event_loop.waker(|calls, _, _| *calls += 1).unwrap();
    let thread = thread::spawn(move || {
        while let Ok(()) = asked.recv() {
            waker.wake();
        }
    });
    let mut calls = 0;
    for round in 1..=2_000 {
        ask.send(()).unwrap();
        while calls < round {
            event_loop.turn(&mut calls, None).unwrap();
        }
        assert_eq!(calls, round);
    }
    drop(ask);
    event_loop.run(&mut calls).unwrap();
    thread.join().unwrap();
}

#[test]
fn wake_ups_before_the_loop_looks_count_as_one() {
    let mut event_loop = EventLoop::<u32>::new().unwrap();
    let waker = event_loop.waker(|calls, _, _| *calls += 1).unwrap();
    for _ in 0..1_000 {
        waker.wake();
    }
    let mut calls = 0;
    for _ in 0..2 {
        event_loop.turn(&mut calls, Some(Duration::ZERO)).unwrap();
    }
    assert_eq!(calls, 1);
    waker.wake();
    event_loop.turn(&mut calls, None).unwrap();
    assert_eq!(calls, 2);
}

#[test]
fn a_wake_up_before_run_or_inside_the_callback_is_not_lost() {
    struct Echo {
        waker: Option<Waker>,
        calls: u32,
    }
    let mut event_loop = EventLoop::new().unwrap();
    let waker = event_loop
        .waker(|echo: &mut Echo, _, _| {
            echo.calls += 1;
            match &echo.waker {
                Some(waker) if echo.calls < 5 => waker.wake(),
                _ => echo.waker = None,
            }
        })
        .unwrap();
    waker.wake();
    let mut echo = Echo {
        waker: Some(waker),
        calls: 0,
    };
    event_loop.run(&mut echo).unwrap();
    assert_eq!(echo.calls, 5);
}

#[test]
fn the_loop_runs_while_a_waker_exists_and_ends_with_the_last_one() {
    let mut event_loop = EventLoop::<u32>::new().unwrap();
    let waker = event_loop.waker(|calls, _, _| *calls += 1).unwrap();
    let (release, released) = mpsc::channel::<()>();
    let thread = thread::spawn(move || {
        let clone = waker.clone();
        drop(waker);
        // Until the loop has had a turn.
        released.recv().unwrap();
        drop(clone);
    });
    event_loop.after(Duration::ZERO, |_, _, _| {});
    let mut calls = 0;
    event_loop.turn(&mut calls, None).unwrap();
    release.send(()).unwrap();
    event_loop.run(&mut calls).unwrap();
    assert_eq!(calls, 0, "dropped and not woken");
    thread.join().unwrap();
}

#[test]
fn a_wake_up_right_before_the_last_waker_is_dropped_is_told() {
    for _ in 0..500 {
        let mut event_loop = EventLoop::<u32>::new().unwrap();
        let waker = event_loop.waker(|calls, _, _| *calls += 1).unwrap();
        let thread = thread::spawn(move || waker.wake());
        let mut calls = 0;
        event_loop.run(&mut calls).unwrap();
        thread.join().unwrap();
        assert_eq!(calls, 1);
    }
}

#[test]
fn a_waker_of_a_loop_that_has_ended_does_nothing() {
    let mut event_loop = EventLoop::<()>::new().unwrap();
    let waker = event_loop.waker(|(), _, _| {}).unwrap();
    drop(event_loop);
    waker.wake();
    waker.clone().wake();
}

#[test]
fn a_storm_of_wake_ups_starves_nobody() {
    static WAKE_UPS: AtomicUsize = AtomicUsize::new(0);
    let mut rounds = Arc::new(AtomicUsize::new(0));
    let mut event_loop = EventLoop::<Arc<AtomicUsize>>::new().unwrap();
    let woken = |_: &mut Arc<AtomicUsize>, _: &mut EventLoop<_>, _: Event| {
        WAKE_UPS.fetch_add(1, Ordering::Relaxed);
    };
    let waker = event_loop.waker(woken).unwrap();
    // The first of it, whenever the threads get to run.
    waker.wake();
    let threads = [(); THREADS].map(|()| {
        let (waker, rounds) = (waker.clone(), Arc::clone(&rounds));
        thread::spawn(move || {
            while rounds.load(Ordering::Relaxed) < 1_000 {
                waker.wake();
            }
        })
    });
    let (near, _far) = pair();
    let count = |rounds: &mut Arc<AtomicUsize>, event_loop: &mut EventLoop<_>, _: Event| {
        if rounds.fetch_add(1, Ordering::Relaxed) == 1_000 {
            event_loop.stop(Ok(()));
        }
    };
    let _watch = event_loop.watch(near, Interest::WRITABLE, count).unwrap();
    event_loop.run(&mut rounds).unwrap();
    for thread in threads {
        thread.join().unwrap();
    }
    assert!(WAKE_UPS.load(Ordering::Relaxed) > 0);
}
