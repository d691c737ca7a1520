//! What a callback may do: everything but start the loop that runs it.

use std::io::{self, ErrorKind, Write};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use epoll_loop::{Event, EventLoop, Interest, Readiness, Watched, WatcherId};

use crate::sockets::pair;

type Told = Vec<&'static str>;

#[test]
fn a_callback_may_add_watches_and_timers_and_end_them() {
    struct Adder {
        watches: Vec<Watched<UnixStream>>,
        far_ends: Vec<UnixStream>,
        called: usize,
    }
    impl Adder {
        /// Each one that is called adds two more, until there are a hundred;
        /// then everything is dropped.
        fn multiply(&mut self, event_loop: &mut EventLoop<Adder>, _: Event) {
            self.called += 1;
            if self.watches.len() > 100 {
                self.watches.clear();
                return;
            }
            for _ in 0..2 {
                let (near, mut far) = pair();
                far.write_all(b"go").unwrap();
                self.far_ends.push(far);
                let watch = event_loop.watch(near, Interest::READABLE, Adder::multiply);
                self.watches.push(watch.unwrap());
            }
            let timer = event_loop.after(Duration::ZERO, |_, _, _| panic!("was cancelled"));
            assert!(event_loop.cancel(timer));
        }
    }
    let mut event_loop = EventLoop::new().unwrap();
    let mut adder = Adder {
        watches: Vec::new(),
        far_ends: Vec::new(),
        called: 0,
    };
    event_loop.after(Duration::ZERO, Adder::multiply);
    event_loop.run(&mut adder).unwrap();
    assert!(
        adder.called >= 50 && adder.watches.is_empty(),
        "{}",
        adder.called
    );
}

#[test]
fn a_callback_may_use_all_methods_of_the_loop() {
    struct Busy {
        watch: Watched<UnixStream>,
        done: bool,
    }
    let mut event_loop = EventLoop::new().unwrap();
    let (near, mut far) = pair();
    far.write_all(b"hello").unwrap();
    let everything = |busy: &mut Busy, event_loop: &mut EventLoop<Busy>, event: Event| {
        let id = busy.watch.id();
        assert_eq!(event.id, id);
        let both = Interest::READABLE | Interest::WRITABLE;
        busy.watch.set_interest(event_loop, both);
        assert_eq!(busy.watch.interest(event_loop), both);
        busy.watch
            .set_timeout(event_loop, Some(Duration::from_mins(1)));
        assert!(event_loop.set_priority(id, 2));
        assert!(event_loop.feed(id, Readiness::IN));
        assert!(!event_loop.cancel(id), "a descriptor is ended by its guard");
        assert!(event_loop.now() <= std::time::Instant::now());
        let at = event_loop.now() + Duration::from_mins(1);
        let timers = [
            event_loop.after(Duration::from_mins(1), |_, _, _| {}),
            event_loop.at(at, |_, _, _| {}),
            event_loop.every(Duration::from_mins(1), |_, _, _| {}),
            event_loop.when_idle(|_, _, _| {}),
            event_loop.before_wait(|_, _, _| {}),
            event_loop.after_wait(|_, _, _| {}),
        ];
        assert!(event_loop.push_out(timers[0], Duration::from_mins(2)));
        assert!(!event_loop.push_out(timers[3], Duration::ZERO), "no timer");
        for id in timers {
            assert!(event_loop.cancel(id));
            assert!(!event_loop.cancel(id), "the id is dead");
            assert!(!event_loop.set_priority(id, 0) && !event_loop.feed(id, Readiness::IN));
        }
        drop(event_loop.waker(|_, _, _| {}).unwrap());
        event_loop.set_collect_interval(Duration::ZERO);
        event_loop.set_observer(None);
        event_loop.reify();
        assert!(event_loop.run(busy).is_err());
        event_loop.stop(Ok(()));
        busy.done = true;
    };
    let watch = event_loop
        .watch(near, Interest::READABLE, everything)
        .unwrap();
    let mut busy = Busy { watch, done: false };
    event_loop.run(&mut busy).unwrap();
    assert!(busy.done);
}

#[test]
fn run_or_turn_in_a_callback_is_an_error_and_harms_nobody() {
    let mut event_loop = EventLoop::<Told>::new().unwrap();
    event_loop.after(Duration::ZERO, |told, event_loop, _| {
        let errors = [
            event_loop.run(told).unwrap_err(),
            event_loop.turn(told, Some(Duration::ZERO)).unwrap_err(),
        ];
        assert!(errors.iter().all(|err| err.kind() == ErrorKind::Deadlock));
        assert_eq!(errors[0].to_string(), "the loop is running already");
        told.push("first");
    });
    event_loop.after(Duration::from_millis(1), |told, _, _| told.push("second"));
    let mut told = Vec::new();
    event_loop.run(&mut told).unwrap();
    assert_eq!(told, ["first", "second"]);
    event_loop.run(&mut told).unwrap();
}

#[test]
fn run_returns_what_stop_was_given() {
    let mut event_loop = EventLoop::<()>::new().unwrap();
    event_loop.when_idle(|(), event_loop, _| {
        event_loop.stop(Err(io::Error::other("the disk is full")));
    });
    let err = event_loop.run(&mut ()).unwrap_err();
    assert_eq!(err.to_string(), "the disk is full");
    let err = event_loop.turn(&mut (), None).unwrap_err();
    assert_eq!(err.to_string(), "the disk is full");
}

#[test]
fn after_stop_nobody_is_called_and_the_next_run_goes_on_where_it_was() {
    let mut event_loop = EventLoop::<Told>::new().unwrap();
    for name in [Duration::ZERO; 3] {
        event_loop.after(name, |told, event_loop, _| {
            told.push("called");
            event_loop.stop(Ok(()));
        });
    }
    let mut told = Vec::new();
    for calls in 1..=3 {
        event_loop.run(&mut told).unwrap();
        assert_eq!(told.len(), calls);
    }
}

#[test]
fn stop_outside_of_run_has_the_next_run_return_at_once() {
    let mut event_loop = EventLoop::<Told>::new().unwrap();
    event_loop.when_idle(|told, _, _| told.push("idle"));
    event_loop.stop(Ok(()));
    let mut told = Vec::new();
    event_loop.run(&mut told).unwrap();
    assert!(told.is_empty());
    event_loop.turn(&mut told, None).unwrap();
    assert_eq!(told, ["idle"]);
}

/// The state of the tests in which a callback panics.
#[derive(Default)]
struct Fragile {
    told: Told,
    panics: usize,
    watches: Vec<Watched<UnixStream>>,
}

impl Fragile {
    /// Panics as often as is left to do.
    fn falter(&mut self) {
        if self.panics > 0 {
            self.panics -= 1;
            // As panic!, but for the message, which would look like a failure.
            std::panic::resume_unwind(Box::new("a callback has panicked"));
        }
    }
}

fn run_with_panics(event_loop: &mut EventLoop<Fragile>, fragile: &mut Fragile) {
    for _ in 0..fragile.panics {
        let run = AssertUnwindSafe(|| event_loop.run(fragile));
        assert!(catch_unwind(run).is_err());
    }
    event_loop.run(fragile).unwrap();
}

#[test]
fn after_a_panic_the_loop_goes_on_with_the_callbacks_that_were_due() {
    let mut event_loop = EventLoop::new().unwrap();
    let mut fragile = Fragile {
        panics: 3,
        ..Fragile::default()
    };
    for _ in 0..5 {
        event_loop.after(Duration::ZERO, |fragile: &mut Fragile, _, _| {
            fragile.falter();
            fragile.told.push("called");
        });
    }
    run_with_panics(&mut event_loop, &mut fragile);
    assert_eq!(fragile.told.len(), 2, "five less the three that panicked");
}

#[test]
fn a_panic_in_a_before_wait_or_after_wait_watcher_ends_no_watcher() {
    let mut event_loop = EventLoop::new().unwrap();
    let mut fragile = Fragile {
        panics: 2,
        ..Fragile::default()
    };
    event_loop.before_wait(|fragile: &mut Fragile, _, _| fragile.told.push("before"));
    event_loop.before_wait(|fragile: &mut Fragile, _, _| fragile.falter());
    event_loop.after_wait(|fragile: &mut Fragile, _, _| fragile.told.push("after"));
    event_loop.after_wait(|fragile: &mut Fragile, _, _| fragile.falter());
    event_loop.after(Duration::ZERO, |fragile, _, _| fragile.told.push("timer"));
    run_with_panics(&mut event_loop, &mut fragile);
    // Twice cut short by the second before-wait watcher, then one whole turn.
    assert_eq!(
        fragile.told,
        ["before", "before", "before", "after", "timer"]
    );

    fragile.told.clear();
    fragile.panics = 1;
    event_loop.after(Duration::ZERO, |fragile, _, _| fragile.told.push("timer"));
    let first = event_loop.before_wait(|_, _, _| {});
    assert!(event_loop.cancel(first));
    run_with_panics(&mut event_loop, &mut fragile);
    assert_eq!(fragile.told, ["before", "before", "after", "timer"]);
}

#[test]
fn a_watch_dropped_by_a_panicking_callback_has_ended() {
    let mut event_loop = EventLoop::new().unwrap();
    let mut fragile = Fragile {
        panics: 1,
        ..Fragile::default()
    };
    let mut far_ends = Vec::new();
    for _ in 0..2 {
        let (near, mut far) = pair();
        far.write_all(b"hello").unwrap();
        far_ends.push(far);
        let drop_all = |fragile: &mut Fragile, _: &mut EventLoop<Fragile>, _: Event| {
            fragile.told.push("called");
            fragile.watches.clear();
            fragile.falter();
        };
        let watch = event_loop
            .watch(near, Interest::READABLE, drop_all)
            .unwrap();
        fragile.watches.push(watch);
    }
    run_with_panics(&mut event_loop, &mut fragile);
    assert_eq!(fragile.told, ["called"]);
}

#[test]
fn a_guard_dropped_by_the_panic_itself_has_ended_its_watch() {
    let mut event_loop = EventLoop::new().unwrap();
    let mut fragile = Fragile {
        panics: 1,
        ..Fragile::default()
    };
    let (near, mut far) = pair();
    far.write_all(b"hello").unwrap();
    let take_along = |fragile: &mut Fragile, _: &mut EventLoop<Fragile>, _: Event| {
        fragile.told.push("called");
        let _own = fragile.watches.pop();
        fragile.falter();
    };
    let watch = event_loop.watch(near, Interest::READABLE, take_along);
    fragile.watches.push(watch.unwrap());
    run_with_panics(&mut event_loop, &mut fragile);
    assert_eq!(fragile.told, ["called"]);
}

#[test]
fn feed_calls_a_watcher_in_the_next_turn_which_does_not_wait() {
    struct Budgeted {
        watch: Watched<UnixStream>,
        rounds: usize,
        other: WatcherId,
        told: Vec<(bool, Readiness)>,
    }
    let mut event_loop = EventLoop::new().unwrap();
    let (near, _far) = pair();
    let work = |budgeted: &mut Budgeted, event_loop: &mut EventLoop<Budgeted>, event: Event| {
        let is_own = event.id == budgeted.watch.id();
        budgeted.told.push((is_own, event.readiness));
        budgeted.rounds -= usize::from(is_own);
        if is_own && budgeted.rounds > 0 {
            event_loop.feed(event.id, Readiness::IN);
            event_loop.feed(budgeted.other, Readiness::OUT);
        }
        if budgeted.rounds == 0 {
            event_loop.stop(Ok(()));
        }
    };
    let watch = event_loop.watch(near, Interest::READABLE, work).unwrap();
    // Nothing else would ever happen to this one.
    let (near, _far) = pair();
    let other = event_loop.watch(near, Interest::NONE, work).unwrap();
    let mut budgeted = Budgeted {
        rounds: 3,
        other: other.id(),
        told: Vec::new(),
        watch,
    };
    assert!(event_loop.feed(budgeted.watch.id(), Readiness::IN | Readiness::RDHUP));
    event_loop.run(&mut budgeted).unwrap();
    let own = |readiness| (true, readiness);
    let others = (false, Readiness::OUT);
    assert_eq!(
        budgeted.told,
        [
            own(Readiness::IN | Readiness::RDHUP),
            own(Readiness::IN),
            others,
            own(Readiness::IN),
        ]
    );
}

#[test]
fn feed_joins_what_the_kernel_reports_in_one_call() {
    let mut event_loop = EventLoop::<Vec<Readiness>>::new().unwrap();
    let (near, mut far) = pair();
    far.write_all(b"hello").unwrap();
    let note = |told: &mut Vec<Readiness>, _: &mut _, event: Event| told.push(event.readiness);
    let watch = event_loop.watch(near, Interest::READABLE, note).unwrap();
    event_loop.feed(watch.id(), Readiness::OUT);
    let mut told = Vec::new();
    event_loop.turn(&mut told, None).unwrap();
    assert_eq!(told, [Readiness::IN | Readiness::OUT]);
}

#[test]
fn a_timer_that_is_fed_still_has_its_deadline() {
    let mut event_loop = EventLoop::<Vec<Readiness>>::new().unwrap();
    let timer = event_loop.after(Duration::from_millis(1), |told, _, event| {
        told.push(event.readiness);
    });
    event_loop.feed(timer, Readiness::OUT);
    let mut told = Vec::new();
    event_loop.run(&mut told).unwrap();
    let both_in_one = told == [Readiness::OUT | Readiness::TIMER];
    assert!(
        both_in_one || told == [Readiness::OUT, Readiness::TIMER],
        "{told:?}"
    );
}
