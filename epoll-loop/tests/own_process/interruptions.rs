//! A signal with a handler interrupts the wait (EINTR), whatever `SA_RESTART`
//! says; the loop goes on waiting.

use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use epoll_loop::{Entry, Event, EventLoop, Interest, Watched};
use nix::sys::signal::{SigEvent, SigevNotify, Signal};
use nix::sys::timer::{Expiration, Timer, TimerSetTimeFlags};
use nix::time::ClockId;

use crate::record::Record;
use crate::sockets::pair;

crate::harness::tests![
    an_interrupted_wait_goes_on_to_its_deadline,
    an_interrupted_turn_lasts_as_long_as_its_limit,
    an_interruption_is_no_event_and_ends_nothing,
    an_interrupted_sleep_does_not_shorten_the_collect_interval,
    an_interruption_does_not_delay_a_timer,
];

/// A signal that arrives each millisecond, and a handler that notes it.
struct Interruptions {
    has_run: Arc<AtomicBool>,
    _timer: Timer,
}

impl Interruptions {
    fn start() -> Interruptions {
        let has_run = Arc::new(AtomicBool::new(false));
        // Installed with SA_RESTART.
        signal_hook::flag::register(Signal::SIGALRM as i32, Arc::clone(&has_run)).unwrap();
        let notify = SigevNotify::SigevSignal {
            signal: Signal::SIGALRM,
            si_value: 0,
        };
        let mut timer = Timer::new(ClockId::CLOCK_MONOTONIC, SigEvent::new(notify)).unwrap();
        let each = Expiration::Interval(Duration::from_millis(1).into());
        timer.set(each, TimerSetTimeFlags::empty()).unwrap();
        Interruptions {
            has_run,
            _timer: timer,
        }
    }

    /// Asserts that the handler ran, so that a test that interrupts nothing
    /// fails. Once is enough: on a busy machine signals merge.
    fn check(&self) {
        assert!(self.has_run.load(Ordering::Relaxed));
    }
}

fn an_interrupted_wait_goes_on_to_its_deadline() {
    let interruptions = Interruptions::start();
    let mut event_loop = EventLoop::<Vec<Instant>>::new().unwrap();
    let record = Record::of(&mut event_loop);
    let mut called = Vec::new();
    let begin = Instant::now();
    for delay in [10, 20, 30] {
        event_loop.after(Duration::from_millis(delay), |called, _, _| {
            called.push(Instant::now());
        });
    }
    event_loop.run(&mut called).unwrap();
    for (delay, &at) in [10, 20, 30].into_iter().zip(&called) {
        assert!(at >= begin + Duration::from_millis(delay));
    }
    assert_eq!(called.len(), 3);
    let waits = record.count(|entry| matches!(entry, Entry::Waited { .. }));
    assert!(waits <= 3, "an interruption ends no turn: {waits}");
    interruptions.check();
}

fn an_interrupted_turn_lasts_as_long_as_its_limit() {
    let interruptions = Interruptions::start();
    let mut event_loop = EventLoop::<()>::new().unwrap();
    let (near, _far) = pair();
    let _watch = event_loop
        .watch(near, Interest::READABLE, |(), _, _| {})
        .unwrap();
    let limit = Duration::from_millis(30);
    let begin = Instant::now();
    event_loop.turn(&mut (), Some(limit)).unwrap();
    assert!(begin.elapsed() >= limit);
    interruptions.check();
}

fn an_interruption_is_no_event_and_ends_nothing() {
    let interruptions = Interruptions::start();
    let mut event_loop = EventLoop::<()>::new().unwrap();
    let (near, _far) = pair();
    let silent = |(): &mut (), _: &mut EventLoop<()>, _: Event| panic!("nothing is ready");
    let _watch = event_loop.watch(near, Interest::READABLE, silent).unwrap();
    event_loop.after(Duration::from_millis(20), |(), event_loop, _| {
        event_loop.stop(Ok(()));
    });
    event_loop.run(&mut ()).unwrap();
    interruptions.check();
}

/// Claim 19: libev's sleep ends when a signal comes, and its callbacks run
/// sooner than the interval allows.
fn an_interrupted_sleep_does_not_shorten_the_collect_interval() {
    struct Seen {
        watch: Watched<UnixStream>,
        at: Vec<Instant>,
    }
    let interval = Duration::from_millis(30);
    let mut event_loop = EventLoop::new().unwrap();
    event_loop.set_collect_interval(interval);
    let (near, _far) = pair();
    let note = |seen: &mut Seen, event_loop: &mut EventLoop<Seen>, _: Event| {
        seen.at.push(Instant::now());
        if seen.at.len() == 4 {
            seen.watch.set_interest(event_loop, Interest::NONE);
            event_loop.stop(Ok(()));
        }
    };
    // Ready at any time, so that nothing but the interval keeps it waiting.
    let watch = event_loop.watch(near, Interest::WRITABLE, note).unwrap();
    let interruptions = Interruptions::start();
    let begin = Instant::now();
    let mut seen = Seen {
        watch,
        at: Vec::new(),
    };
    event_loop.run(&mut seen).unwrap();
    for (number, &at) in (0..).zip(&seen.at) {
        assert!(
            at >= begin + interval * number,
            "{number}: {:?}",
            at - begin
        );
    }
    interruptions.check();
}

fn an_interruption_does_not_delay_a_timer() {
    let interruptions = Interruptions::start();
    let mut event_loop = EventLoop::<Option<Instant>>::new().unwrap();
    // So long that a timer which had to wait for it would hang the test.
    event_loop.set_collect_interval(Duration::from_hours(1));
    let begin = Instant::now();
    event_loop.turn(&mut None, Some(Duration::ZERO)).unwrap();
    event_loop.after(Duration::from_millis(20), |fired, _, _| {
        *fired = Some(Instant::now());
    });
    let mut fired = None;
    event_loop.run(&mut fired).unwrap();
    assert!(fired.unwrap() >= begin + Duration::from_millis(20));
    interruptions.check();
}
