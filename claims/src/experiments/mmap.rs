//! Claim 1: epoll works by memory that the kernel and the program share.
//!
//! Shows: nothing is mapped, nothing can be, and the events are copied to where the caller says.

use std::fs;
use std::io;

use nix::poll::PollTimeout;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use nix::unistd::{pipe, write};

use crate::claim::{Chapter, Claim, Sentence, Verdict, place};
use crate::report::{Finding, Report, Stop};
use crate::sys;
use crate::words::{returned, succeeded};

pub(crate) const CLAIM: Claim = Claim {
    number: 1,
    name: "mmap",
    chapter: Chapter::Waiting,
    sentences: &[Sentence {
        original: Some("epoll是通过内核于用户空间mmap同一块内存实现的"),
        english: "epoll works by the kernel and user space mapping the same piece of memory",
        verdict: Verdict::Wrong,
    }],
    question: "How does an event get from the kernel to the program?",
    answers: &[
        "It stands in memory that both have mapped, and is not copied",
        "epoll_wait copies it into the array of the caller",
    ],
    answer: 'b',
    does: "It counts its memory mappings before and after epoll_create, epoll_ctl and an epoll_wait \
           that reports an event. Then it asks to map the epoll descriptor, and at last it calls \
           epoll_wait with an address that it has no memory at.",
    lesson: "epoll saves the scan over all descriptors and their registration anew at every call, \
             not the copy of what is ready: that is small, and grows with what happens only. \
             (The patch /dev/epoll of 2001 was mapped; what came into the kernel is not.) The interface \
             that does share its queues by mmap is io_uring.",
    code: &[place!(
        "epoll-loop/src/epoll.rs",
        "self.0.wait(events, timeout)",
        "the loop lends its own array of events, and the kernel fills it"
    )],
    sources: &[
        "epoll_wait(2): the memory area pointed to by events; EFAULT if it is not writable",
        "mmap(2): ENODEV, the file does not support memory mapping",
        "io_uring_setup(2): the rings are mapped",
    ],
    run,
};

fn run(report: &mut Report) -> Result<Finding, Stop> {
    let (read_end, write_end) = pipe()?;
    write(&write_end, b"x")?;
    // Counted once for nothing: the first count allocates the memory that counting needs.
    mappings()?;

    let before = mappings()?;
    let epoll = Epoll::new(EpollCreateFlags::empty())?;
    epoll.add(&read_end, EpollEvent::new(EpollFlags::EPOLLIN, 0))?;
    let mut events = [EpollEvent::empty(); 4];
    let count = epoll.wait(&mut events, PollTimeout::ZERO)?;
    let after = mappings()?;
    report.exact("epoll_wait, one pipe readable", 1, count);
    let none_added = report.relation(
        "mappings before and after",
        format_args!("~{before}, ~{after}"),
        "none was added",
        after == before,
    );

    let mapped = succeeded(sys::map_a_page(&epoll.0));
    report.exact("mmap of the epoll descriptor", "ENODEV", &mapped);
    let nowhere = returned(sys::epoll_wait_to_nowhere(&epoll.0, 1));
    report.exact("epoll_wait into a bad address", "EFAULT", &nowhere);

    Ok(if none_added && mapped != "ok" && nowhere == "EFAULT" {
        Finding::new('b', [Verdict::Wrong])
    } else {
        Finding::new('a', [Verdict::Right])
    })
}

/// How many pieces of memory this process has mapped.
fn mappings() -> io::Result<usize> {
    Ok(fs::read_to_string("/proc/self/maps")?.lines().count())
}
