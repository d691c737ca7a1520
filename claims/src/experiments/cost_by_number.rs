//! Claim 23: the cost of select and poll grows with the descriptors, that of epoll does not.
//!
//! Shows: what one call costs by the number of watched descriptors, as a chart; and that epoll is
//! the dearer one when all of them are ready.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::select::{FdSet, select};
use nix::sys::time::{TimeVal, TimeValLike};

use crate::claim::{Chapter, Claim, Sentence, Verdict, place};
use crate::report::{Bar, Finding, Report, Stop};

pub(crate) const CLAIM: Claim = Claim {
    number: 23,
    name: "cost-by-number",
    chapter: Chapter::Waiting,
    sentences: &[
        Sentence {
            original: Some(
                "select/poll每次调用都会线性扫描全部的集合，导致效率呈现线性下降。但是epoll不存在这个问题",
            ),
            english: "select and poll scan the whole set in every call, so that they get slower \
                      with its size; epoll does not have this problem",
            verdict: Verdict::Right,
        },
        Sentence {
            original: Some(
                "如果所有的socket基本上都是活跃的---比如一个高速LAN环境，epoll并不比select/poll有什么效率，相反，如果过多使用epoll_ctl,效率相比还有稍微的下降",
            ),
            english: "if nearly all sockets are active, as in a fast LAN, epoll is no more efficient than select and \
                      poll; with many epoll_ctl it is even slightly less so",
            verdict: Verdict::Imprecise,
        },
    ],
    question: "890 idle descriptors more: which call costs more?",
    answers: &[
        "All three",
        "select and poll",
        "None: nothing happens to the idle ones",
    ],
    answer: 'b',
    does: "It makes 10, 100 and 900 descriptors (select takes none above 1023), one of them ready, \
           and has select, poll and epoll say so 300 times each, without waiting. The fastest call \
           of each is drawn: what else the machine does makes calls slower, never faster. Then all \
           of them are made ready.",
    lesson: "select and poll are handed the whole set in every call and look at each; epoll knows \
             its set, and a descriptor that gets ready puts itself on a list. So epoll's cost is \
             that of what is ready. If all of them are, it has the same number to look at, with a \
             lock and a list for each and, level-triggered, back on the list: poll's array is \
             cheaper then, and by more than slightly. Most connections are idle most of the time.",
    code: &[place!(
        "epoll-loop/src/epoll.rs",
        "pub(crate) fn wait(",
        "one call for all that is ready, whatever else is watched"
    )],
    sources: &[
        "select(2), poll(2), epoll(7)",
        "Linux, fs/select.c: do_poll; fs/eventpoll.c: ep_send_events",
    ],
    run,
};

const SIZES: [usize; 3] = [10, 100, 900];
const CALLS: u32 = 300;

/// One of the times.
type Cost = fn(&Costs) -> f64;

/// The times of one set, in microseconds.
#[derive(Clone, Copy, Default)]
struct Costs {
    select: f64,
    poll: f64,
    epoll: f64,
}

fn run(report: &mut Report) -> Result<Finding, Stop> {
    let mut idle = Vec::new();
    let mut all_ready = Costs::default();
    for size in SIZES {
        let events: Vec<_> = (0..size)
            .map(|_| EventFd::from_flags(EfdFlags::EFD_CLOEXEC))
            .collect::<nix::Result<_>>()?;
        events[size - 1].write(1)?;
        idle.push(costs(&events, 1)?);
        for event in &events[..size - 1] {
            event.write(1)?;
        }
        all_ready = costs(&events, size)?;
    }
    let calls: [(&str, Cost); 3] = [
        ("select", |costs| costs.select),
        ("poll", |costs| costs.poll),
        ("epoll_wait", |costs| costs.epoll),
    ];
    let mut bars = Vec::new();
    for (name, cost) in calls {
        for (size, costs) in SIZES.iter().zip(&idle) {
            bars.push(Bar::new(format!("{name}, {size}"), cost(costs)));
        }
    }
    report.bars("one descriptor is ready, of", "us", bars);
    let last = SIZES[SIZES.len() - 1];
    let bars = calls.map(|(name, cost)| Bar::new(format!("{name}, {last}"), cost(&all_ready)));
    report.bars(
        "all descriptors are ready (on another scale), of",
        "us",
        bars.to_vec(),
    );

    report.heading("from 10 to 900 descriptors, one of them ready");
    let mut grows = [false; 3];
    for ((name, cost), grows) in calls.into_iter().zip(&mut grows) {
        let (small, large) = (cost(&idle[0]), cost(&idle[2]));
        // By far between the two: the one is 1, the other tens.
        *grows = large > small * 5.0;
        let (relation, holds) = match name {
            "epoll_wait" => ("does not grow with the number", !*grows),
            _ => ("grows with the number", *grows),
        };
        report.relation(
            name,
            format_args!("~{:.1} times", large / small),
            relation,
            holds,
        );
    }
    report.heading("900 descriptors, all ready");
    let times = all_ready.epoll / all_ready.poll;
    let dearer = times > 1.5;
    report.relation(
        "epoll_wait, compared with poll",
        format_args!("~{times:.1} times"),
        "dearer, and not slightly",
        dearer,
    );

    let (answer, idle_cost) = match grows {
        [true, true, false] => ('b', Verdict::Right),
        [_, _, true] => ('a', Verdict::Wrong),
        [_, _, false] => ('c', Verdict::Wrong),
    };
    let slightly = if dearer {
        Verdict::Imprecise
    } else {
        Verdict::Right
    };
    Ok(Finding::new(answer, [idle_cost, slightly]))
}

/// What one call costs that reports so many of these as ready.
fn costs(events: &[EventFd], ready: usize) -> Result<Costs, Stop> {
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    let mut entries = Vec::new();
    let mut set = FdSet::new();
    for event in events {
        epoll.add(event, EpollEvent::new(EpollFlags::EPOLLIN, 0))?;
        entries.push(PollFd::new(event.as_fd(), PollFlags::POLLIN));
        set.insert(event.as_fd());
    }
    let mut reported = vec![EpollEvent::empty(); events.len()];
    let highest = set
        .highest()
        .map_or(0, |last| std::os::fd::AsRawFd::as_raw_fd(&last))
        + 1;
    Ok(Costs {
        select: fastest(ready, || {
            // A program has to fill it again for every call.
            let mut set = set;
            let count = select(highest, &mut set, None, None, &mut TimeVal::zero())?;
            Ok(usize::try_from(count).unwrap_or(0))
        })?,
        poll: fastest(ready, || {
            let count = poll(&mut entries, PollTimeout::ZERO)?;
            Ok(usize::try_from(count).unwrap_or(0))
        })?,
        epoll: fastest(ready, || epoll.wait(&mut reported, PollTimeout::ZERO))?,
    })
}

/// The time of the fastest of many calls, in microseconds.
fn fastest(ready: usize, mut call: impl FnMut() -> nix::Result<usize>) -> Result<f64, Stop> {
    let mut fastest = Duration::MAX;
    for _ in 0..CALLS {
        let begin = Instant::now();
        let count = call()?;
        fastest = fastest.min(begin.elapsed());
        if count != ready {
            return Err(std::io::Error::other("not as many ready as were made ready").into());
        }
    }
    Ok(fastest.as_secs_f64() * 1e6)
}
