//! Claim 30: epoll watches whatever poll watches.
//!
//! Shows: a regular file, a directory and `/dev/null` are ready at all times for poll, and refused
//! by epoll: standard input may be one of them.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use nix::unistd::pipe;
use rustix::fs::{MemfdFlags, memfd_create};

use crate::claim::{Chapter, Claim, Sentence, Verdict, place};
use crate::report::{Finding, Report, Stop};
use crate::words::{events, succeeded};

pub(crate) const CLAIM: Claim = Claim {
    number: 30,
    name: "regular-file",
    chapter: Chapter::Waiting,
    sentences: &[
        Sentence {
            original: Some("读常规文件是不会阻塞的，不管读多少字节，read一定会在有限的时间内返回"),
            english: "reading a regular file does not block: read returns in finite time, however \
                      many bytes are read",
            verdict: Verdict::Right,
        },
        Sentence {
            original: None,
            english: "epoll watches whatever poll watches",
            verdict: Verdict::Wrong,
        },
    ],
    question: "program < file: what does epoll say to its input?",
    answers: &[
        "It is ready at once, and at its end too",
        "It is ready until its end is reached",
        "EPERM: it cannot be watched",
    ],
    answer: 'c',
    does: "It asks poll about a pipe, a regular file, a directory and /dev/null, each for reading \
           and writing, and adds each to epoll. Then it watches them in a way that mends it.",
    lesson: "A regular file has nothing to wait for, as far as the kernel is concerned: poll calls \
             it ready, and O_NONBLOCK has no meaning for it, even if the disk takes its time. \
             epoll refuses what has no queue of waiters. So a client that watches its standard input \
             works with a terminal and a pipe, and fails with < file, in cron and under CI, where it \
             is /dev/null. EPERM means: always ready.",
    code: &[place!(
        "epoll-loop/src/changes.rs",
        "Err(Errno::EPERM) => always_ready = true,",
        "such a watch is called in every turn"
    )],
    sources: &[
        "epoll_ctl(2), EPERM: the target file does not support epoll",
        "POSIX.1-2024, poll: regular files always poll true for reading and writing",
    ],
    run,
};

fn run(report: &mut Report) -> Result<Finding, Stop> {
    let (_read_end, write_end) = pipe()?;
    let files = [
        ("a pipe", write_end),
        ("a regular file", memfd_create("file", MemfdFlags::CLOEXEC)?),
        ("a directory", OwnedFd::from(File::open("/")?)),
        ("/dev/null", OwnedFd::from(File::open("/dev/null")?)),
    ];
    report.heading("by poll");
    let mut always_ready = true;
    for (name, file) in &files {
        let expected = if *name == "a pipe" { "OUT" } else { "IN|OUT" };
        let ready = polled(file)?;
        always_ready &= ready.contains(EpollFlags::EPOLLOUT);
        report.exact(name, expected, events(ready));
    }
    report.heading("by EPOLL_CTL_ADD");
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    let mut refused = 0;
    for (name, file) in &files {
        let expected = if *name == "a pipe" { "ok" } else { "EPERM" };
        let interest = EpollFlags::EPOLLIN | EpollFlags::EPOLLOUT;
        let added = epoll.add(file, EpollEvent::new(interest, 0));
        refused += usize::from(added.is_err());
        report.exact(name, expected, succeeded(added));
    }
    report.heading("mended: EPERM is taken for \"always ready\"");
    for (name, file) in &files {
        let expected = if *name == "a pipe" { "OUT" } else { "IN|OUT" };
        report.exact(name, expected, events(watched(file)?));
    }

    let reading = if always_ready {
        Verdict::Right
    } else {
        Verdict::Wrong
    };
    Ok(if refused > 0 {
        Finding::new('c', [reading, Verdict::Wrong])
    } else {
        Finding::new('a', [reading, Verdict::Right])
    })
}

fn polled(file: impl AsFd) -> io::Result<EpollFlags> {
    let both = PollFlags::POLLIN | PollFlags::POLLOUT;
    let mut entry = [PollFd::new(file.as_fd(), both)];
    poll(&mut entry, PollTimeout::ZERO)?;
    let ready = entry[0].revents().unwrap_or(PollFlags::empty());
    // The numbers are the same.
    Ok(EpollFlags::from_bits_truncate(ready.bits().into()))
}

/// What a loop makes of it that knows EPERM.
fn watched(file: impl AsFd) -> io::Result<EpollFlags> {
    let both = EpollFlags::EPOLLIN | EpollFlags::EPOLLOUT;
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    match epoll.add(file, EpollEvent::new(both, 0)) {
        Err(nix::Error::EPERM) => return Ok(both),
        result => result?,
    }
    let mut ready = [EpollEvent::empty()];
    let count = epoll.wait(&mut ready, PollTimeout::ZERO)?;
    Ok(if count > 0 {
        ready[0].events()
    } else {
        EpollFlags::empty()
    })
}
