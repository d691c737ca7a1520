//! How long things take: rounds in turn, and the medians of their ratios to the floor.

use std::io;
use std::time::Instant;

use chapter::{Estimate, interleave, median};

use crate::bare::{Bare, PlainEventFd, SortedMap};
use crate::calloop::{Calloop, CalloopPing, CalloopTimers};
use crate::contender::{Timing, Waking, Watching};
use crate::mio::{Mio, MioWaker};
use crate::ours::{OurTimers, OurWaker, Ours};
use crate::polling::{Polling, PollingNotifier};
use crate::ring::{Passing, Ring, Work};
use crate::timers::{arm_and_cancel, arm_due, with_standing};
use crate::wakers::{PingPong, burst};

/// Enough for an interval of the median that a few bad rounds do not widen.
const ROUNDS: usize = 41;

/// Rounds with a million timers take a second each.
const LARGE_ROUNDS: usize = 11;

const QUICK_ROUNDS: usize = 3;

/// Wake-ups before the loop looks.
const BURST: u32 = 1_000;

const LOOPS: [&str; 5] = ["bare epoll", "epoll-loop", "mio", "polling", "calloop"];

/// In nanoseconds, for each of `count`.
fn time(count: usize, work: impl FnOnce() -> io::Result<()>) -> f64 {
    let begin = Instant::now();
    work().expect("it has worked when it was set up");
    let count = u32::try_from(count).expect("a round is short");
    begin.elapsed().as_secs_f64() * 1e9 / f64::from(count)
}

/// Prints the figures of each, and their ratio to those of the first, round by round.
fn table<const N: usize>(title: &str, names: [&str; N], figures: &[Vec<f64>; N]) {
    println!("{title:<58} {:>9}  x {}", "ns", names[0]);
    for (name, own) in names.iter().zip(figures) {
        let ratio = Estimate::of_ratio(own, &figures[0]);
        println!("  {name:<56} {:>9.1}  {ratio}", median(own));
    }
    println!();
}

pub(crate) fn ring(is_quick: bool) -> io::Result<()> {
    let rings = [
        ("an event, one socket active of 100", 1, Work::PassOn),
        ("an event, 100 sockets active of 100", 100, Work::PassOn),
        (
            "... one of 100, write interest added and taken away",
            1,
            Work::ChangeInterest,
        ),
    ];
    for (title, active, work) in rings {
        let ring = Ring {
            sockets: 100,
            active,
            work,
        };
        compare_rings(title, ring, is_quick)?;
    }
    Ok(())
}

fn compare_rings(title: &str, ring: Ring, is_quick: bool) -> io::Result<()> {
    let (rounds, events) = if is_quick {
        (QUICK_ROUNDS, 200)
    } else {
        (ROUNDS, 10_000)
    };
    let mut bare: Bare<_> = ring.start()?;
    let mut ours: Ours<_> = ring.start()?;
    let mut mio: Mio<_> = ring.start()?;
    let mut polling: Polling<_> = ring.start()?;
    let mut calloop: Calloop<_> = ring.start()?;
    let figures = interleave(
        rounds,
        &mut [
            &mut || time(events, || run(&mut bare, events)),
            &mut || time(events, || run(&mut ours, events)),
            &mut || time(events, || run(&mut mio, events)),
            &mut || time(events, || run(&mut polling, events)),
            &mut || time(events, || run(&mut calloop, events)),
        ],
    );
    table(title, LOOPS, &figures);
    Ok(())
}

fn run<L: Watching<Passing>>(looped: &mut L, events: usize) -> io::Result<()> {
    looped.run(events as u64)
}

pub(crate) fn timers(is_quick: bool) -> io::Result<()> {
    let sizes: &[usize] = if is_quick {
        &[1_000]
    } else {
        &[1_000, 100_000, 1_000_000]
    };
    for &size in sizes {
        let rounds = match (is_quick, size) {
            (true, _) => QUICK_ROUNDS,
            (false, ..1_000_000) => ROUNDS,
            (false, _) => LARGE_ROUNDS,
        };
        compare_lives(size, rounds)?;
        compare_expiry(size, rounds)?;
    }
    Ok(())
}

/// calloop searches all timers for one that ends: too slow with more than these.
const CALLOOPS_LARGEST: usize = 1_000;

fn compare_lives(standing: usize, rounds: usize) -> io::Result<()> {
    let mut map: SortedMap = with_standing(standing)?;
    let mut ours: OurTimers = with_standing(standing)?;
    let mut calloop: CalloopTimers = with_standing(standing.min(CALLOOPS_LARGEST))?;
    compare_timers(
        &format!("a timer's life, {standing} armed meanwhile"),
        standing,
        rounds,
        &mut || lives(&mut map, 1_000),
        &mut || lives(&mut ours, 1_000),
        &mut || lives(&mut calloop, 10),
    );
    Ok(())
}

fn lives<T: Timing>(timing: &mut T, timers: usize) -> f64 {
    time(timers, || {
        arm_and_cancel(timing, timers);
        Ok(())
    })
}

fn compare_expiry(timers: usize, rounds: usize) -> io::Result<()> {
    let mut map = SortedMap::new()?;
    let mut ours = OurTimers::new()?;
    let mut calloop = CalloopTimers::new()?;
    compare_timers(
        &format!("a timer expires, of {timers} that are due"),
        timers,
        rounds,
        &mut || expire(&mut map, timers),
        &mut || expire(&mut ours, timers),
        &mut || expire(&mut calloop, timers),
    );
    Ok(())
}

fn compare_timers(
    title: &str,
    timers: usize,
    rounds: usize,
    map: &mut dyn FnMut() -> f64,
    ours: &mut dyn FnMut() -> f64,
    calloop: &mut dyn FnMut() -> f64,
) {
    let names = ["sorted map", "epoll-loop", "calloop"];
    if timers <= CALLOOPS_LARGEST {
        table(title, names, &interleave(rounds, &mut [map, ours, calloop]));
    } else {
        let figures = interleave(rounds, &mut [map, ours]);
        table(title, [names[0], names[1]], &figures);
    }
}

fn expire<T: Timing>(timing: &mut T, timers: usize) -> f64 {
    arm_due(timing, timers);
    time(timers, || timing.expire(timers))
}

pub(crate) fn wakers(is_quick: bool) -> io::Result<()> {
    let rounds = if is_quick { QUICK_ROUNDS } else { ROUNDS };
    let names = [
        "plain eventfd",
        "epoll-loop Waker",
        "mio Waker",
        "polling notify",
        "calloop Ping",
    ];
    let (mut bare, mut ours, mut mio, mut polling, mut calloop) = (
        PlainEventFd::new()?,
        OurWaker::new()?,
        MioWaker::new()?,
        PollingNotifier::new()?,
        CalloopPing::new()?,
    );
    let figures = interleave(
        rounds,
        &mut [
            &mut || wake_in_a_burst(&mut bare),
            &mut || wake_in_a_burst(&mut ours),
            &mut || wake_in_a_burst(&mut mio),
            &mut || wake_in_a_burst(&mut polling),
            &mut || wake_in_a_burst(&mut calloop),
        ],
    );
    table("a wake-up, 1,000 before the loop looks", names, &figures);

    let mut bare = PingPong::<PlainEventFd>::start()?;
    let mut ours = PingPong::<OurWaker>::start()?;
    let mut mio = PingPong::<MioWaker>::start()?;
    let mut polling = PingPong::<PollingNotifier>::start()?;
    let mut calloop = PingPong::<CalloopPing>::start()?;
    let trips = if is_quick { 10 } else { 2_000 };
    let figures = interleave(
        rounds,
        &mut [
            &mut || round_trips(&mut bare, trips),
            &mut || round_trips(&mut ours, trips),
            &mut || round_trips(&mut mio, trips),
            &mut || round_trips(&mut polling, trips),
            &mut || round_trips(&mut calloop, trips),
        ],
    );
    table(
        "two threads wake each other, there and back",
        names,
        &figures,
    );
    Ok(())
}

fn wake_in_a_burst<L: Waking>((looped, waker): &mut (L, L::Waker)) -> f64 {
    time(BURST as usize, || burst(looped, waker, BURST))
}

fn round_trips<L: Waking + 'static>(threads: &mut PingPong<L>, count: u32) -> f64 {
    time(count as usize, || threads.round_trips(count))
}
