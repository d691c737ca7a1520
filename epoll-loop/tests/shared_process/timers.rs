//! Timers: never early, never a busy wait, and cheap to push out.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use epoll_loop::{
    Callback, Entry, Event, EventLoop, Interest, Readiness, WaitReason, Watch, WatcherId,
};

use crate::record::Record;
use crate::sockets::pair;

const LONG: Duration = Duration::from_hours(1);

fn is_wait(entry: &Entry) -> bool {
    matches!(entry, Entry::Waited { .. })
}

/// Uses up time, as a long callback does.
fn burn(duration: Duration) {
    let end = Instant::now() + duration;
    while Instant::now() < end {}
}

/// Delays that are no whole milliseconds, and some that are.
const DELAYS: [Duration; 8] = [
    Duration::ZERO,
    Duration::from_nanos(1),
    Duration::from_micros(1),
    Duration::from_micros(999),
    Duration::from_millis(1),
    Duration::from_micros(1_001),
    Duration::from_micros(2_700),
    Duration::from_nanos(20_300_001),
];

/// When a timer was called.
type Fired = Option<Instant>;

/// Sets a timer for each of the [`DELAYS`], in a loop of its own, by `set`.
fn fires_late_enough_after_one_wait(
    set: fn(&mut EventLoop<Fired>, Duration, Callback<Fired>) -> WatcherId,
) {
    for delay in DELAYS {
        let mut event_loop = EventLoop::new().unwrap();
        let record = Record::of(&mut event_loop);
        let deadline = Instant::now() + delay;
        set(&mut event_loop, delay, |fired, _, _| {
            *fired = Some(Instant::now());
        });
        let mut fired = None;
        event_loop.run(&mut fired).unwrap();
        assert!(fired.unwrap() >= deadline, "{delay:?}");
        assert_eq!(record.count(is_wait), 1, "{delay:?}: one wait is enough");
    }
}

#[test]
fn a_timer_never_fires_early_and_the_wait_never_spins_towards_its_deadline() {
    fires_late_enough_after_one_wait(EventLoop::after);
}

#[test]
fn an_absolute_deadline_is_never_early_either() {
    fires_late_enough_after_one_wait(|event_loop, delay, callback| {
        event_loop.at(Instant::now() + delay, callback)
    });
}

#[test]
fn a_deadline_that_has_passed_is_due_at_once() {
    let mut event_loop = EventLoop::<u32>::new().unwrap();
    // Before the loop was made, if the clock goes back that far.
    let past = Instant::now()
        .checked_sub(Duration::from_millis(1))
        .unwrap();
    event_loop.at(past, |calls, _, _| *calls += 1);
    let mut calls = 0;
    event_loop.turn(&mut calls, None).unwrap();
    assert_eq!(calls, 1);
}

#[test]
fn a_delay_counts_from_the_call_and_not_from_the_beginning_of_the_turn() {
    let mut event_loop = EventLoop::<Option<Instant>>::new().unwrap();
    event_loop.after(Duration::ZERO, |deadline, event_loop, _| {
        event_loop.now();
        burn(Duration::from_millis(5));
        let delay = Duration::from_millis(2);
        *deadline = Some(Instant::now() + delay);
        event_loop.after(delay, |deadline, _, _| {
            assert!(Instant::now() >= deadline.unwrap());
        });
    });
    event_loop.run(&mut None).unwrap();
}

#[test]
fn now_is_read_once_a_turn() {
    let mut event_loop = EventLoop::<Vec<Instant>>::new().unwrap();
    for _ in 0..2 {
        event_loop.after(Duration::ZERO, |times, event_loop, _| {
            times.push(event_loop.now());
            burn(Duration::from_micros(10));
            // Only now, so that it is not due in this turn.
            event_loop.after(Duration::from_millis(1), |times, event_loop, _| {
                times.push(event_loop.now());
            });
        });
    }
    let mut times = Vec::new();
    event_loop.run(&mut times).unwrap();
    assert_eq!(times[0], times[1]);
    assert!(times[2] > times[1] && times[2] <= Instant::now());
}

#[test]
fn timers_are_called_in_the_order_of_their_deadlines() {
    let mut event_loop = EventLoop::<Vec<WatcherId>>::new().unwrap();
    let begin = Instant::now();
    let mut expected = Vec::new();
    for millisecond in [5, 1, 4, 1, 3, 0, 2, 5] {
        let deadline = begin + Duration::from_millis(millisecond);
        let id = event_loop.at(deadline, |called, _, event| called.push(event.id));
        expected.push((millisecond, id));
    }
    let mut called = Vec::new();
    event_loop.run(&mut called).unwrap();
    let position = |id| expected.iter().find(|(_, other)| *other == id).unwrap().0;
    let order: Vec<u64> = called.into_iter().map(position).collect();
    assert_eq!(order, [0, 1, 1, 2, 3, 4, 5, 5]);
}

#[test]
fn a_timer_close_behind_another_is_not_called_together_with_it() {
    let mut event_loop = EventLoop::<BTreeMap<WatcherId, Instant>>::new().unwrap();
    let mut deadlines = BTreeMap::new();
    for step in 1..=40 {
        let deadline = Instant::now() + Duration::from_micros(300) * step;
        let id = event_loop.at(deadline, |deadlines, _, event| {
            assert!(Instant::now() >= deadlines[&event.id]);
            deadlines.remove(&event.id);
        });
        deadlines.insert(id, deadline);
    }
    event_loop.run(&mut deadlines).unwrap();
    assert!(deadlines.is_empty());
}

#[test]
fn a_cancelled_timer_is_not_called_even_in_the_batch_in_which_it_is_due() {
    struct Rivals {
        ids: Vec<WatcherId>,
        calls: u32,
    }
    let mut event_loop = EventLoop::new().unwrap();
    let cancel_the_others = |rivals: &mut Rivals, event_loop: &mut EventLoop<_>, event: Event| {
        rivals.calls += 1;
        for id in rivals.ids.drain(..).filter(|&id| id != event.id) {
            assert!(event_loop.cancel(id));
        }
        assert!(!event_loop.cancel(event.id), "one that is called has ended");
    };
    let ids = [(); 3].map(|()| event_loop.after(Duration::ZERO, cancel_the_others));
    let mut rivals = Rivals {
        ids: ids.to_vec(),
        calls: 0,
    };
    event_loop.run(&mut rivals).unwrap();
    assert_eq!(rivals.calls, 1);
}

#[test]
fn the_id_of_an_ended_timer_does_not_touch_its_successor() {
    let mut event_loop = EventLoop::<u32>::new().unwrap();
    let ended = event_loop.after(LONG, |_, _, _| {});
    assert!(event_loop.cancel(ended));
    let successor = event_loop.after(Duration::ZERO, |calls, _, _| *calls += 1);
    assert_eq!(successor.slot(), ended.slot());
    assert!(!event_loop.cancel(ended) && !event_loop.push_out(ended, LONG));
    let mut calls = 0;
    event_loop.run(&mut calls).unwrap();
    assert_eq!(calls, 1);
}

#[test]
fn a_timer_that_is_pushed_out_is_called_once_at_its_last_deadline() {
    let mut event_loop = EventLoop::<Vec<Instant>>::new().unwrap();
    let timer = event_loop.after(Duration::from_millis(1), |fired, _, _| {
        fired.push(Instant::now());
    });
    let mut deadline = Instant::now();
    for milliseconds in [2, 5, 10] {
        let delay = Duration::from_millis(milliseconds);
        deadline = event_loop.now() + delay;
        assert!(event_loop.push_out(timer, delay));
    }
    let mut fired = Vec::new();
    event_loop.run(&mut fired).unwrap();
    assert!(fired.len() == 1 && fired[0] >= deadline);
}

#[test]
fn what_remains_of_a_timer_is_known_until_it_has_ended() {
    let mut event_loop = EventLoop::<Option<Duration>>::new().unwrap();
    let timer = event_loop.after(LONG, |_, _, _| {});
    let remaining = event_loop.remaining(timer).unwrap();
    assert!((LONG / 2..2 * LONG).contains(&remaining), "{remaining:?}");
    event_loop.push_out(timer, 2 * LONG);
    assert_eq!(event_loop.remaining(timer), Some(2 * LONG));
    event_loop.cancel(timer);
    assert_eq!(event_loop.remaining(timer), None);

    // Due in the same batch as the one that asks, and not called yet.
    let first = event_loop.after(Duration::ZERO, |_, _, _| {});
    event_loop.set_priority(first, -1);
    let asks = event_loop.before_wait(|_, _, _| {});
    assert_eq!(event_loop.remaining(asks), None, "no timer");
    event_loop.cancel(first);
}

#[test]
fn a_timer_can_be_moved_forward_too() {
    let mut event_loop = EventLoop::<u32>::new().unwrap();
    let timer = event_loop.after(LONG, |calls, _, _| *calls += 1);
    event_loop.push_out(timer, Duration::ZERO);
    let mut calls = 0;
    event_loop.run(&mut calls).unwrap();
    assert_eq!(calls, 1);
}

/// The idle pattern: the peer has spoken in the very batch in which its timer
/// was due.
#[test]
fn a_timer_pushed_out_in_the_batch_in_which_it_is_due_is_not_called_then() {
    struct Peer {
        idle_timer: WatcherId,
        closed: bool,
    }
    let mut event_loop = EventLoop::new().unwrap();
    event_loop.after(Duration::ZERO, |peer: &mut Peer, event_loop, _| {
        assert!(event_loop.push_out(peer.idle_timer, LONG));
    });
    let close = |peer: &mut Peer, _: &mut EventLoop<Peer>, _: Event| peer.closed = true;
    let idle_timer = event_loop.after(Duration::ZERO, close);
    let mut peer = Peer {
        idle_timer,
        closed: false,
    };
    event_loop.turn(&mut peer, None).unwrap();
    assert!(!peer.closed);
    event_loop.push_out(idle_timer, Duration::ZERO);
    event_loop.run(&mut peer).unwrap();
    assert!(peer.closed);
}

/// Two milliseconds, and in the third call five times as long.
const PERIOD: Duration = Duration::from_millis(2);

#[test]
fn a_repeating_timer_leaves_out_what_it_missed() {
    let mut event_loop = EventLoop::<Vec<Instant>>::new().unwrap();
    let begin = Instant::now();
    event_loop.every(PERIOD, |calls, event_loop, _| {
        calls.push(Instant::now());
        match calls.len() {
            3 => burn(PERIOD * 5),
            10 => event_loop.stop(Ok(())),
            _ => {}
        }
    });
    let mut calls = Vec::new();
    event_loop.run(&mut calls).unwrap();
    for (number, &call) in (1..).zip(&calls[..3]) {
        assert!(call >= begin + PERIOD * number);
    }
    // The fourth is late; the fifth is the first after it and not made up for.
    for (number, &call) in (9..).zip(&calls[4..]) {
        assert!(call >= begin + PERIOD * number, "{number}");
    }
}

#[test]
fn a_repeating_timer_whose_wait_was_too_long_is_called_once_for_it() {
    // Long beside what a machine with other work may keep the test waiting.
    let period = Duration::from_millis(30);
    let mut event_loop = EventLoop::<Vec<Instant>>::new().unwrap();
    let begin = Instant::now();
    // A process that gets no processor for five periods after its first wait.
    let mut stands_still = period * 5;
    let observer = move |entry: &Entry| {
        if is_wait(entry) {
            burn(std::mem::take(&mut stands_still));
        }
    };
    event_loop.set_observer(Some(Box::new(observer)));
    event_loop.every(period, |calls, event_loop, _| {
        calls.push(Instant::now());
        if calls.len() == 2 {
            event_loop.stop(Ok(()));
        }
    });
    let mut calls = Vec::new();
    event_loop.run(&mut calls).unwrap();
    assert!(calls[0] >= begin + period * 6);
    assert!(calls[1] >= begin + period * 7);
}

#[test]
fn an_event_that_ends_the_wait_does_not_make_a_timer_due() {
    let mut event_loop = EventLoop::<u32>::new().unwrap();
    let (near, mut far) = pair();
    far.write_all(b"never read").unwrap();
    let count = |events: &mut u32, _: &mut EventLoop<u32>, event: Event| {
        assert_eq!(event.readiness, Readiness::IN);
        *events += 1;
    };
    let _watch = event_loop.watch(near, Interest::READABLE, count).unwrap();
    let never = |_: &mut u32, _: &mut EventLoop<u32>, _| panic!("not within an hour");
    let (silent, _far) = pair();
    let watch = Watch::new(Interest::READABLE).timeout(LONG);
    let _silent = event_loop.watch(silent, watch, never).unwrap();
    let timer = event_loop.after(LONG, never);
    event_loop.every(LONG, never);
    let mut events = 0;
    while events < 10 {
        event_loop.turn(&mut events, None).unwrap();
    }
    assert!(event_loop.remaining(timer).unwrap() > LONG / 2);
}

#[test]
fn an_observer_that_panics_costs_no_timer_its_call() {
    const TIMERS: usize = 10;
    let mut event_loop = EventLoop::<usize>::new().unwrap();
    let mut has_panicked = false;
    let observer = move |entry: &Entry| {
        if matches!(entry, Entry::TimerFired { .. }) && !has_panicked {
            has_panicked = true;
            panic!("as an observer may");
        }
    };
    event_loop.set_observer(Some(Box::new(observer)));
    for _ in 0..TIMERS {
        event_loop.after(Duration::ZERO, |called, _, _| *called += 1);
    }
    let mut called = 0;
    let mut turn = || event_loop.turn(&mut called, Some(Duration::ZERO));
    catch_unwind(AssertUnwindSafe(&mut turn)).unwrap_err();
    turn().unwrap();
    assert_eq!(called, TIMERS);
}

/// Whether a timer of two milliseconds is called in a loop whose turns do not
/// wait, within as many turns as there are in ten seconds.
fn is_called_in_a_busy_loop(keep_busy: fn(&mut EventLoop<bool>)) -> bool {
    let mut event_loop = EventLoop::new().unwrap();
    keep_busy(&mut event_loop);
    event_loop.after(Duration::from_millis(2), |is_called, _, _| {
        *is_called = true;
    });
    let mut is_called = false;
    let end = Instant::now() + Duration::from_secs(10);
    while !is_called && Instant::now() < end {
        event_loop.turn(&mut is_called, None).unwrap();
    }
    is_called
}

#[test]
fn a_timer_is_called_although_the_loop_has_something_to_do_in_every_turn() {
    assert!(is_called_in_a_busy_loop(|event_loop| {
        event_loop.when_idle(|_, _, _| {});
    }));
    assert!(is_called_in_a_busy_loop(|event_loop| {
        let null = File::open("/dev/null").unwrap();
        let watch = event_loop.watch(null, Interest::READABLE, |_, _, _| {});
        std::mem::forget(watch.unwrap());
    }));
    assert!(is_called_in_a_busy_loop(|event_loop| {
        let (near, far) = pair();
        let watch = event_loop.watch(near, Interest::WRITABLE, |_, _, _| {});
        std::mem::forget((watch.unwrap(), far));
    }));
    assert!(is_called_in_a_busy_loop(|event_loop| {
        let feeding = |_: &mut bool, event_loop: &mut EventLoop<bool>, event: Event| {
            event_loop.feed(event.id, event.readiness);
        };
        let timer = event_loop.after(LONG, feeding);
        event_loop.feed(timer, Readiness::IN);
    }));
}

#[test]
fn the_deadlines_of_a_repeating_timer_do_not_drift() {
    let mut event_loop = EventLoop::<Vec<Instant>>::new().unwrap();
    let record = Record::of(&mut event_loop);
    event_loop.every(PERIOD, |times, event_loop, _| {
        times.push(event_loop.now());
        burn(Duration::from_micros(700));
        if times.len() == 10 {
            event_loop.stop(Ok(()));
        }
    });
    let mut times = Vec::new();
    event_loop.run(&mut times).unwrap();
    let entries = record.take();
    let late = entries.iter().filter_map(|entry| match entry {
        Entry::TimerFired { late, .. } => Some(*late),
        _ => None,
    });
    let deadlines: Vec<Instant> = times
        .iter()
        .zip(late)
        .map(|(&now, late)| now.checked_sub(late).unwrap())
        .collect();
    assert_eq!(deadlines.len(), 10);
    for &deadline in &deadlines {
        let since_first = (deadline - deadlines[0]).as_nanos();
        assert_eq!(since_first % PERIOD.as_nanos(), 0, "{deadlines:?}");
    }
}

#[test]
fn a_repeating_timer_may_end_itself() {
    let mut event_loop = EventLoop::<u32>::new().unwrap();
    event_loop.every(Duration::ZERO, |calls, event_loop, event| {
        *calls += 1;
        if *calls == 3 {
            assert!(event_loop.cancel(event.id));
        }
    });
    let mut calls = 0;
    event_loop.run(&mut calls).unwrap();
    assert_eq!(calls, 3);
}

#[test]
fn a_wait_is_as_long_as_epoll_wait_takes_and_no_longer() {
    let mut event_loop = EventLoop::<()>::new().unwrap();
    let record = Record::of(&mut event_loop);
    let (near, _far) = pair();
    let _watch = event_loop
        .watch(near, Interest::WRITABLE, |(), _, _| {})
        .unwrap();
    for delay in [Duration::MAX, Duration::from_hours(100 * 24)] {
        let timer = event_loop.after(delay, |(), _, _| panic!("not in this century"));
        record.take();
        event_loop.turn(&mut (), None).unwrap();
        let timeouts: Vec<_> = record
            .take()
            .into_iter()
            .filter_map(|entry| match entry {
                Entry::Waited {
                    timeout, reason, ..
                } => Some((timeout, reason)),
                _ => None,
            })
            .collect();
        let longest = Duration::from_millis(i32::MAX.unsigned_abs().into());
        assert_eq!(timeouts, [(Some(longest), WaitReason::Timer(timer))]);
        event_loop.cancel(timer);
    }
}

#[test]
fn the_collect_interval_keeps_events_waiting_but_no_timer() {
    struct Seen {
        io: Vec<Instant>,
        timer: Option<Instant>,
    }
    let interval = Duration::from_millis(50);
    let mut event_loop = EventLoop::new().unwrap();
    event_loop.set_collect_interval(interval);
    let (near, _far) = pair();
    let note = |seen: &mut Seen, _: &mut EventLoop<Seen>, _: Event| seen.io.push(Instant::now());
    let _watch = event_loop.watch(near, Interest::WRITABLE, note).unwrap();
    let record = Record::of(&mut event_loop);
    let mut seen = Seen {
        io: Vec::new(),
        timer: None,
    };
    let begin = Instant::now();
    for _ in 0..3 {
        event_loop.turn(&mut seen, None).unwrap();
    }
    assert!(
        is_wait(&record.take()[0]),
        "the first look is not kept waiting"
    );
    for (number, &call) in (0..).zip(&seen.io) {
        assert!(call >= begin + interval * number);
    }

    // An interval that never ends does not keep a timer waiting.
    event_loop.set_collect_interval(LONG);
    let deadline = Instant::now() + Duration::from_millis(5);
    event_loop.at(deadline, |seen: &mut Seen, event_loop, _| {
        seen.timer = Some(Instant::now());
        event_loop.stop(Ok(()));
    });
    event_loop.run(&mut seen).unwrap();
    assert!(seen.timer.unwrap() >= deadline);
}
