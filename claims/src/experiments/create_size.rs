//! Claim 3: the size given to `epoll_create(2)` limits what can be registered and reported.
//!
//! Shows: the size means nothing; how many events one wait takes, and who comes next.

use std::os::fd::{AsFd, AsRawFd};

use nix::libc;
use nix::poll::PollTimeout;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::unistd::close;

use crate::claim::{Chapter, Claim, Sentence, Verdict, place};
use crate::report::{Finding, Report, Stop};
use crate::sys;
use crate::words::{returned, succeeded};

pub(crate) const CLAIM: Claim = Claim {
    number: 3,
    name: "create-size",
    chapter: Chapter::Waiting,
    sentences: &[
        Sentence {
            original: Some("size 用来告诉内核这个监听的数目一共有多大"),
            english: "size tells the kernel how many will be watched in all",
            verdict: Verdict::Outdated,
        },
        Sentence {
            original: Some("maxevents的值不能大于创建epoll_create()时的size"),
            english: "maxevents may not be greater than the size given to epoll_create",
            verdict: Verdict::Wrong,
        },
        Sentence {
            original: Some("返回值: 若成功返回一个大于 0 的值，表示 epoll 实例"),
            english: "epoll_create returns a value greater than 0 if it succeeds",
            verdict: Verdict::Wrong,
        },
    ],
    question: "What does the size given to epoll_create limit?",
    answers: &[
        "How many descriptors can be registered",
        "How many events one epoll_wait may report",
        "Nothing; it only must not be 0",
    ],
    answer: 'c',
    does: "It calls epoll_create with size 1, registers 100 descriptors that are ready, and waits \
           with room for 200 events. Then it tries sizes and maxevents that are no good, takes three \
           ready descriptors one at a time, and calls epoll_create with descriptor 0 closed.",
    lesson: "The size was a hint of how much memory to take; since Linux 2.6.8 it is ignored. maxevents is \
             the length of the caller's array and nothing else. If more are ready than fit, the \
             next wait goes on where this one ended, so that nobody starves. And descriptor 0 is a \
             good one: a failure is -1.",
    code: &[place!(
        "epoll-loop/src/event_loop.rs",
        "const MAX_EVENTS: usize",
        "how many events one turn takes; those that do not fit come in the next"
    )],
    sources: &[
        "epoll_create(2): since Linux 2.6.8, the size argument is ignored, but must be greater than zero",
        "epoll_wait(2): successive calls will round robin through the set of ready file descriptors",
    ],
    run,
};

fn run(report: &mut Report) -> Result<Finding, Stop> {
    let epoll = sys::epoll_create(1)?;
    let ready = ready_descriptors(100)?;
    let registered = ready.iter().enumerate().filter(|(number, descriptor)| {
        let number = u64::try_from(*number).expect("below 100");
        epoll
            .add(descriptor, EpollEvent::new(EpollFlags::EPOLLIN, number))
            .is_ok()
    });
    let unlimited = report.exact("registered, with size 1", 100, registered.count());
    let mut events = [EpollEvent::empty(); 200];
    let count = returned(epoll.wait(&mut events, PollTimeout::ZERO));
    let reported = report.exact("epoll_wait, with maxevents 200", 100, count);

    let size_0 = report.exact("epoll_create(0)", "EINVAL", succeeded(sys::epoll_create(0)));
    let none = returned(epoll.wait(&mut [], PollTimeout::ZERO));
    report.exact("epoll_wait with maxevents 0", "EINVAL", none);
    let most = i32::MAX / i32::try_from(size_of::<libc::epoll_event>()).expect("a small type");
    let empty = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    let fits = returned(sys::epoll_wait_to_nowhere(&empty.0, most));
    report.exact("with all that 2 GiB have room for, none ready", 0, fits);
    let too_many = returned(sys::epoll_wait_to_nowhere(&empty.0, most + 1));
    report.exact("with one more", "EINVAL", too_many);

    let three = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    for (name, descriptor) in (1..).zip(&ready[..3]) {
        three.add(descriptor, EpollEvent::new(EpollFlags::EPOLLIN, name))?;
    }
    let mut order = Vec::new();
    for _ in 0..7 {
        three.wait(&mut events[..1], PollTimeout::ZERO)?;
        order.push(events[0].data().to_string());
    }
    report.exact(
        "three ready, taken one at a time",
        "1 2 3 1 2 3 1",
        order.join(" "),
    );

    // Standard input is not needed any more.
    close(0)?;
    let lowest = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    let number = lowest.0.as_fd().as_raw_fd();
    let can_be_0 = report.exact("epoll_create with descriptor 0 closed", 0, number);

    let verdict = |is_so| {
        if is_so {
            Verdict::Wrong
        } else {
            Verdict::Right
        }
    };
    let size = if unlimited && size_0 {
        Verdict::Outdated
    } else {
        Verdict::Right
    };
    let answer = match (unlimited, reported) {
        (false, _) => 'a',
        (true, false) => 'b',
        (true, true) => 'c',
    };
    Ok(Finding::new(
        answer,
        [size, verdict(reported), verdict(can_be_0)],
    ))
}

/// Counters that are not zero: readable for ever.
fn ready_descriptors(count: usize) -> nix::Result<Vec<EventFd>> {
    (0..count)
        .map(|_| EventFd::from_value_and_flags(1, EfdFlags::EFD_CLOEXEC))
        .collect()
}
