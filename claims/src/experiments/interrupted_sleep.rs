//! Claim 19: a loop's sleep is cut short by a signal, which may be a bug.
//!
//! Shows: sleeping and waiting are interrupted, whatever `SA_RESTART` says; why it does no harm to a
//! loop that asks the clock, and how the rest is slept.

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use nix::poll::PollTimeout;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use rustix::thread::{NanosleepRelativeResult, nanosleep};
use rustix::time::Timespec;

use crate::claim::{Chapter, Claim, Sentence, Verdict, place};
use crate::report::{Finding, Report, Stop};
use crate::signals::Signals;
use crate::words::{events, returned};

pub(crate) const CLAIM: Claim = Claim {
    number: 19,
    name: "interrupted-sleep",
    chapter: Chapter::SignalsAndProcesses,
    sentences: &[Sentence {
        original: Some("疑似bug：ev_sleep 休眠被EINTR中断场景"),
        english: "suspected bug (of libev): the sleep of ev_sleep is interrupted, EINTR",
        verdict: Verdict::Right,
    }],
    question: "A signal cuts the sleep of a loop short. The harm?",
    answers: &[
        "Events that come meanwhile are lost",
        "A timer fires before its time",
        "None: it only looks earlier",
    ],
    answer: 'c',
    does: "It sends itself signals and sleeps with nanosleep and with epoll_wait, without and with \
           SA_RESTART. Then it plays one turn of a loop that collects events by a sleep before the \
           wait, as libev does, with a byte that has come and a timer, while signals go on coming. \
           Last it sleeps again what is left.",
    lesson: "nanosleep and epoll_wait end at a signal with a handler; SA_RESTART does not apply to \
             them. That is harmless where a sleep is only there to collect more events: the loop \
             looks a little earlier. It does harm where the end of the sleep is taken for the time: \
             so compare a deadline with the clock, and wait again for what is left. A loop that gets \
             its signals by signalfd has no handler that interrupts it.",
    code: &[
        place!(
            "epoll-loop/src/waiting.rs",
            "// Interrupted by a signal it sleeps on for what is left.",
            "the collect interval, slept to its end"
        ),
        place!(
            "epoll-loop/src/waiting.rs",
            "Err(Errno::EINTR) => {}",
            "the wait is taken up again, with a timeout computed anew from the clock"
        ),
    ],
    sources: &[
        "signal(7), Interruption of system calls: epoll_wait and nanosleep are never restarted",
        "nanosleep(2), EINTR: the remaining time",
    ],
    run,
};

/// Longer than it takes until a signal comes.
const LONG: Duration = Duration::from_secs(5);

fn run(report: &mut Report) -> Result<Finding, Stop> {
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    let mut is_cut_short = false;
    for (restart, heading) in [
        (false, "signals come, with a handler"),
        (true, "signals come, with a handler and SA_RESTART"),
    ] {
        report.heading(heading);
        let _signals = Signals::start(restart)?;
        let (outcome, left) = slept(LONG)?;
        is_cut_short |= !left.is_zero();
        report.exact("nanosleep", "EINTR", outcome);
        report.relation(
            "left of it",
            format_args!("~{} ms", left.as_millis()),
            "more than nothing",
            !left.is_zero(),
        );
        let timeout = PollTimeout::try_from(LONG).unwrap_or(PollTimeout::MAX);
        let waited = epoll.wait(&mut [EpollEvent::empty()], timeout);
        report.exact("epoll_wait", "EINTR", returned(waited));
    }

    report.heading("a turn of a loop that collects events for 100 ms, with signals");
    let signals = Signals::start(true)?;
    let (near, mut far) = UnixStream::pair()?;
    epoll.add(&near, EpollEvent::new(EpollFlags::EPOLLIN, 0))?;
    far.write_all(b"x")?;
    let begin = Instant::now();
    let timer = begin + Duration::from_millis(150);
    slept(Duration::from_millis(100))?;
    let mut ready = [EpollEvent::empty()];
    let count = epoll.wait(&mut ready, PollTimeout::ZERO)?;
    let reported = if count > 0 {
        events(ready[0].events())
    } else {
        "nothing".to_owned()
    };
    report.exact("the byte that came", "IN", &reported);
    let nothing_lost = reported == "IN";
    epoll.delete(&near)?;
    while Instant::now() < timer {
        let left = timer.saturating_duration_since(Instant::now()) + Duration::from_millis(1);
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        // Interrupted or not: the clock decides.
        let _ = epoll.wait(&mut ready, timeout);
    }
    let fired = begin.elapsed();
    let in_time = report.relation(
        "a timer of 150 ms",
        format_args!("~{} ms", fired.as_millis()),
        "not before its time",
        fired >= Duration::from_millis(150),
    );

    report.heading("mended: what is left is slept too");
    let begin = Instant::now();
    let mut interruptions = 0;
    let mut left = Duration::from_millis(100);
    while !left.is_zero() {
        left = slept(left)?.1;
        interruptions += usize::from(!left.is_zero());
    }
    let all = begin.elapsed();
    drop(signals);
    report.relation(
        "100 ms took",
        format_args!(
            "~{} ms, interrupted ~{interruptions} times",
            all.as_millis()
        ),
        "no less",
        all >= Duration::from_millis(100),
    );

    let answer = match (nothing_lost, in_time) {
        (false, _) => 'a',
        (true, false) => 'b',
        (true, true) => 'c',
    };
    let verdict = if is_cut_short {
        Verdict::Right
    } else {
        Verdict::Wrong
    };
    Ok(Finding::new(answer, [verdict]))
}

/// Sleeps once: what came of it, and what is left.
fn slept(duration: Duration) -> Result<(&'static str, Duration), Stop> {
    let request = Timespec::try_from(duration).expect("seconds");
    match nanosleep(&request) {
        NanosleepRelativeResult::Ok => Ok(("0", Duration::ZERO)),
        NanosleepRelativeResult::Interrupted(left) => {
            Ok(("EINTR", Duration::try_from(left).unwrap_or_default()))
        }
        NanosleepRelativeResult::Err(err) => Err(err.into()),
    }
}
