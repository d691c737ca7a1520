//! Claim 11: edge-triggered is the fast mode, because `epoll_wait` returns less often.
//!
//! Shows: how many system calls each mode needs for the same bytes; who saves a wait has to pay
//! with a read, and which is more depends on the bytes.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;

use nix::poll::PollTimeout;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};

use crate::claim::{Chapter, Claim, Sentence, Verdict, place};
use crate::report::{Finding, Report, Stop};
use crate::words::succeeded;

pub(crate) const CLAIM: Claim = Claim {
    number: 11,
    name: "edge-calls",
    chapter: Chapter::Triggering,
    sentences: &[
        Sentence {
            original: Some("(边缘触发) 比起LT更加高效，因为epoll_wait返回的次数少了很多"),
            english: "(edge-triggered) it is more efficient than LT, because epoll_wait returns \
                      far less often",
            verdict: Verdict::Imprecise,
        },
        Sentence {
            original: Some("ET (edge-triggered)是高速工作方式，只支持no-block socket"),
            english: "ET (edge-triggered) is the high-speed mode; it supports non-blocking sockets \
                      only",
            verdict: Verdict::Imprecise,
        },
    ],
    question: "1,000 small messages: which mode makes fewer calls?",
    answers: &[
        "Edge-triggered, reading until EAGAIN",
        "Level-triggered, one read for each event",
        "Both make the same number",
    ],
    answer: 'b',
    does: "It sends the same bytes to three readers and counts the calls of epoll_wait and read \
           until all has been read: one is level-triggered and reads once for each event, one is \
           edge-triggered and reads until EAGAIN, one is edge-triggered and stops when a read did \
           not fill its buffer. All read 4,096 bytes at a time.",
    lesson: "Edge-triggered saves a wait only where one event brings more than one read takes. With \
             small messages it costs a call more for each, the read that finds nothing. Stopping \
             after a read that did not fill the buffer saves that one, on sockets and pipes; but \
             then the end of the stream or an error that came meanwhile may have no edge of its own \
             any more. The kernel takes a blocking socket edge-triggered too; it is the reading \
             until EAGAIN that needs a non-blocking one.",
    code: &[place!(
        "epoll-loop/src/watch.rs",
        "/// Level-triggered: the callback runs in every turn until",
        "the default: what a callback leaves unread is reported again"
    )],
    sources: &[
        "epoll(7), Questions and answers: for stream-oriented files the condition that the read \
         space is exhausted can also be detected by the amount of data read",
    ],
    run,
};

/// How a reader is told, and how long it reads then.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reader {
    Level,
    EdgeUntilEagain,
    EdgeUntilShort,
}

const READERS: [Reader; 3] = [
    Reader::Level,
    Reader::EdgeUntilEagain,
    Reader::EdgeUntilShort,
];

const BUFFER_BYTES: usize = 4096;

impl fmt::Display for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Level => "level-triggered, one read",
            Self::EdgeUntilEagain => "edge-triggered, until EAGAIN",
            Self::EdgeUntilShort => "edge-triggered, until a short read",
        })
    }
}

fn run(report: &mut Report) -> Result<Finding, Stop> {
    report.heading("1,000 messages of 64 bytes, each read before the next is sent");
    let small = counted(report, 1000, 64, [(1000, 1000), (1000, 2000), (1000, 1000)])?;
    report.heading("one message of 100,000 bytes");
    let large = counted(report, 1, 100_000, [(25, 25), (1, 26), (1, 25)])?;

    report.heading("a blocking socket");
    let (near, _far) = UnixStream::pair()?;
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    let edge = EpollEvent::new(EpollFlags::EPOLLIN | EpollFlags::EPOLLET, 0);
    let added = epoll.add(&near, edge);
    let takes_blocking = added.is_ok();
    report.exact("EPOLL_CTL_ADD with EPOLLET", "ok", succeeded(added));

    let [level, edge, _] = small;
    let answer = match level.cmp(&edge) {
        std::cmp::Ordering::Less => 'b',
        std::cmp::Ordering::Equal => 'c',
        std::cmp::Ordering::Greater => 'a',
    };
    let saves_when_large = large[1] < large[0];
    let efficient = match (level < edge, saves_when_large) {
        (true, true) => Verdict::Imprecise,
        (true, false) => Verdict::Wrong,
        (false, _) => Verdict::Right,
    };
    let non_blocking_only = if takes_blocking {
        Verdict::Imprecise
    } else {
        Verdict::Right
    };
    Ok(Finding::new(answer, [efficient, non_blocking_only]))
}

/// The calls of each reader, all together; `expected` are the waits and reads of each.
fn counted(
    report: &mut Report,
    messages: usize,
    bytes: usize,
    expected: [(usize, usize); 3],
) -> io::Result<[usize; 3]> {
    let line = |(waits, reads): (usize, usize)| {
        let plural = if waits == 1 { "" } else { "s" };
        format!("{waits} wait{plural} + {reads} reads = {}", waits + reads)
    };
    let mut calls = [0; 3];
    for ((reader, expected), calls) in READERS.into_iter().zip(expected).zip(&mut calls) {
        let (waits, reads) = calls_of(reader, messages, bytes)?;
        report.exact(reader, line(expected), line((waits, reads)));
        *calls = waits + reads;
    }
    Ok(calls)
}

/// How often a reader waits and reads until it has all messages.
fn calls_of(reader: Reader, messages: usize, bytes: usize) -> io::Result<(usize, usize)> {
    let (mut near, mut far) = UnixStream::pair()?;
    near.set_nonblocking(true)?;
    let trigger = match reader {
        Reader::Level => EpollFlags::empty(),
        Reader::EdgeUntilEagain | Reader::EdgeUntilShort => EpollFlags::EPOLLET,
    };
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    epoll.add(&near, EpollEvent::new(EpollFlags::EPOLLIN | trigger, 0))?;
    let message = vec![b'x'; bytes];
    let mut buffer = [0; BUFFER_BYTES];
    let (mut waits, mut reads) = (0, 0);
    for _ in 0..messages {
        far.write_all(&message)?;
        let mut left = bytes;
        while left > 0 {
            waits += 1;
            if epoll.wait(&mut [EpollEvent::empty()], PollTimeout::ZERO)? == 0 {
                return Err(io::Error::other("bytes that nobody was told of"));
            }
            loop {
                reads += 1;
                let count = match near.read(&mut buffer) {
                    Ok(count) => count,
                    Err(err) if err.kind() == ErrorKind::WouldBlock => break,
                    Err(err) => return Err(err),
                };
                left -= count;
                let is_short = count < BUFFER_BYTES;
                match reader {
                    Reader::Level => break,
                    Reader::EdgeUntilShort if is_short => break,
                    Reader::EdgeUntilEagain | Reader::EdgeUntilShort => {}
                }
            }
        }
    }
    Ok((waits, reads))
}
