//! Claim 12: edge-triggered epoll reports once, when an empty buffer gets data.
//!
//! Shows: an edge is "something has happened", not "the state has changed"; and the tail that
//! nobody is told of.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use nix::poll::PollTimeout;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};

use crate::claim::{Chapter, Claim, Sentence, Verdict, place};
use crate::report::{Finding, Report, Stop};
use crate::words::events;

pub(crate) const CLAIM: Claim = Claim {
    number: 12,
    name: "edge-events",
    chapter: Chapter::Triggering,
    sentences: &[Sentence {
        original: Some(
            "如果一直不对这个fd作IO操作(从而导致它再次变成未就绪)，内核不会发送更多的通知(only once)",
        ),
        english: "as long as nothing is read, so that it is not ready again, the kernel sends no \
                  more notifications (only once)",
        verdict: Verdict::Wrong,
    }],
    question: "A byte was reported, not read. A second one arrives.",
    answers: &[
        "Nothing is reported: the socket was readable before, and still is",
        "It is reported: something has happened",
    ],
    answer: 'b',
    does: "It registers one end of a socket pair edge-triggered and sends it bytes. After each it \
           asks epoll_wait without waiting, and reads nothing, or less than there is.",
    lesson: "An edge means that something has happened, not that the state has changed. One is \
             reported for a second byte, and none for the rest of the first two when one of them \
             was read: the tail waits until the peer sends again, which it may never do. So read \
             until EAGAIN, or count on being called again without an event.",
    code: &[place!(
        "epoll-loop/src/read.rs",
        "turn tells so; edge-triggered",
        "who stops reading early under edge triggering has to feed the watch by hand"
    )],
    sources: &[
        "epoll(7), Level-triggered and edge-triggered: multiple events can be generated upon \
         receipt of multiple chunks of data",
    ],
    run,
};

fn run(report: &mut Report) -> Result<Finding, Stop> {
    let (mut near, mut far) = UnixStream::pair()?;
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    let readable = EpollFlags::EPOLLIN | EpollFlags::EPOLLET;
    epoll.add(&near, EpollEvent::new(readable, 0))?;
    let mut byte = [0];

    report.heading("one byte after the other, and none is read");
    far.write_all(b"1")?;
    report.exact("first byte", "IN", reported(&epoll)?);
    report.exact("asked again", "nothing", reported(&epoll)?);
    far.write_all(b"2")?;
    let second = reported(&epoll)?;
    report.exact("second byte", "IN", &second);

    report.heading("one byte of the two is read");
    near.read_exact(&mut byte)?;
    report.exact("one is left", "nothing", reported(&epoll)?);
    epoll.modify(&near, &mut EpollEvent::new(readable, 0))?;
    report.exact(
        "after EPOLL_CTL_MOD with the same events",
        "IN",
        reported(&epoll)?,
    );
    near.read_exact(&mut byte)?;

    report.heading("two bytes sent before anybody asks");
    far.write_all(b"3")?;
    far.write_all(b"4")?;
    report.exact("first asked", "IN", reported(&epoll)?);
    report.exact("asked again", "nothing", reported(&epoll)?);

    report.heading("registered for IN and OUT");
    let mut both = EpollEvent::new(readable | EpollFlags::EPOLLOUT, 0);
    epoll.modify(&near, &mut both)?;
    reported(&epoll)?;
    far.write_all(b"5")?;
    report.exact("a byte arrives", "IN|OUT", reported(&epoll)?);

    Ok(if second == "IN" {
        Finding::new('b', [Verdict::Wrong])
    } else {
        Finding::new('a', [Verdict::Right])
    })
}

/// What epoll reports now, without waiting.
fn reported(epoll: &Epoll) -> nix::Result<String> {
    let mut ready = [EpollEvent::empty()];
    let count = epoll.wait(&mut ready, PollTimeout::ZERO)?;
    Ok(if count == 0 {
        "nothing".to_owned()
    } else {
        events(ready[0].events())
    })
}
