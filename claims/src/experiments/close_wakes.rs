//! Claim 31: closing a descriptor wakes the thread that waits for it.
//!
//! Shows: neither `epoll_wait` nor a blocked `recv` notices; what does wake them.

use std::io;
use std::net::Shutdown;
use std::os::fd::AsRawFd;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use nix::poll::PollTimeout;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::unistd::gettid;

use crate::claim::{Chapter, Claim, Sentence, Verdict, place};
use crate::readiness::PATIENCE;
use crate::report::{Finding, Report, Stop};
use crate::run_state;
use crate::sys::read_number;
use crate::tcp;
use crate::words::returned;

pub(crate) const CLAIM: Claim = Claim {
    number: 31,
    name: "close-wakes",
    chapter: Chapter::Closing,
    sentences: &[Sentence {
        original: None,
        english: "closing a descriptor wakes the thread that waits for it",
        verdict: Verdict::Wrong,
    }],
    question: "A thread waits on a socket, another closes it. Then?",
    answers: &[
        "The wait ends with EBADF",
        "The wait ends as if the peer had closed",
        "The wait goes on",
    ],
    answer: 'c',
    does: "A thread waits for a socket with epoll_wait, then with read; when the kernel says that it \
           sleeps, the main thread closes the socket. A timeout ends what would go on. Then the main \
           thread does what does wake it: shutdown, and an eventfd in the same epoll.",
    lesson: "close takes a number away; the call that is under way holds the open file and goes on. \
             (And the number may have a new owner before it ends.) Nor does epoll_wait say anything \
             when a descriptor leaves its set by being closed. To end a read that another thread is \
             in, shut the connection down; to have a loop look again, wake it through something that \
             it watches; and let only its own thread close what it watches.",
    code: &[place!(
        "epoll-loop/src/waker.rs",
        "//! Waking a loop from another thread.",
        "an eventfd in the loop's own epoll"
    )],
    sources: &[
        "close(2), Multithreaded processes and close()",
        "select(2), Multithreaded applications; shutdown(2), eventfd(2)",
    ],
    run,
};

/// Ends what would go on.
const LIMIT: Duration = Duration::from_millis(300);

fn run(report: &mut Report) -> Result<Finding, Stop> {
    report.heading("closed while a thread is in epoll_wait");
    let (near, _far) = tcp::pair()?;
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    epoll.add(&near, EpollEvent::new(EpollFlags::EPOLLIN, 0))?;
    let waited = while_asleep(|| wait(&epoll, LIMIT), || drop(near))?;
    report.exact("events, when the time was over", "0", &waited);
    let no_event = waited == "0";

    report.heading("closed while a thread is in read");
    let (near, far) = tcp::pair()?;
    near.set_read_timeout(Some(LIMIT))?;
    let number = near.as_raw_fd();
    let read = while_asleep(|| returned(read_number(number, &mut [0])), || drop(near))?;
    let woken = read != "EAGAIN";
    report.exact("read, ended by SO_RCVTIMEO", "EAGAIN", &read);
    drop(far);

    report.heading("mended: shutdown while a thread is in read");
    let (near, _far) = tcp::pair()?;
    near.set_read_timeout(Some(PATIENCE))?;
    let number = near.as_raw_fd();
    let ended = while_asleep(
        || returned(read_number(number, &mut [0])),
        || drop(near.shutdown(Shutdown::Both)),
    )?;
    report.exact("read", "0", ended);

    report.heading("mended: an eventfd is written while a thread is in epoll_wait");
    let alarm = EventFd::from_flags(EfdFlags::EFD_CLOEXEC)?;
    epoll.add(&alarm, EpollEvent::new(EpollFlags::EPOLLIN, 1))?;
    let raise = || {
        let _ = alarm.write(1);
    };
    let waited = while_asleep(|| wait(&epoll, PATIENCE), raise)?;
    report.exact("events", "1", waited);

    Ok(match (no_event, woken) {
        (true, false) => Finding::new('c', [Verdict::Wrong]),
        (_, true) if read == "EBADF" => Finding::new('a', [Verdict::Right]),
        _ => Finding::new('b', [Verdict::Right]),
    })
}

fn wait(epoll: &Epoll, timeout: Duration) -> String {
    let timeout = PollTimeout::try_from(timeout).unwrap_or(PollTimeout::MAX);
    returned(epoll.wait(&mut [EpollEvent::empty()], timeout))
}

/// Has a thread call something that sleeps, and does something else meanwhile; what the call
/// returned.
fn while_asleep(
    sleeps: impl FnOnce() -> String + Send,
    meanwhile: impl FnOnce(),
) -> io::Result<String> {
    thread::scope(|scope| {
        let (tell, told) = channel();
        let thread = scope.spawn(move || {
            // Nothing between this and the call can sleep.
            let _ = tell.send(gettid());
            sleeps()
        });
        let waiting = told.recv().map_err(io::Error::other)?;
        tcp::until(|| Ok(run_state::of_thread(waiting)? == 'S'))?;
        meanwhile();
        Ok(thread.join().expect("it does not panic"))
    })
}
