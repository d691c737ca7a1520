//! Claim 18: the write event is switched off when everything has been written.
//!
//! Shows: three ways to keep a processor busy with nothing, and how each is mended: interest that
//! nobody needs, a connection that cannot be accepted, and a mask that takes nothing away.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use socket2::Socket;

use crate::claim::{Chapter, Claim, Sentence, Verdict, place};
use crate::readiness;
use crate::report::{Finding, Report, Stop};
use crate::tcp;
use crate::words::errno;

pub(crate) const CLAIM: Claim = Claim {
    number: 18,
    name: "busy-loops",
    chapter: Chapter::Waiting,
    sentences: &[
        Sentence {
            original: Some("(LT下) 通常，在将数据写完后，我们会关闭句柄的写事件"),
            english: "(level-triggered) when the data has been written we usually switch the write \
                      event of the descriptor off",
            verdict: Verdict::Right,
        },
        Sentence {
            original: None,
            english: "events |= ~POLLOUT takes the interest in writing away",
            verdict: Verdict::Wrong,
        },
    ],
    question: "An idle socket is watched for OUT. What of the wait?",
    answers: &[
        "It sleeps until there is something to write",
        "It reports OUT once, and sleeps then",
        "It returns at once, every time",
    ],
    answer: 'c',
    does: "It waits 1,000 times, never longer than nothing, and counts the waits that returned an \
           event with which nothing could be done: for a socket with nothing to send that is watched \
           for OUT; for a listener when the process has no descriptor left; and for a socket whose \
           interest was taken away by a wrong expression. Then the same, mended.",
    lesson: "Level-triggered, a readiness that is not used up comes again at once, and the loop \
             runs as fast as it can, with one processor at 100%. A socket is writable nearly always: \
             ask for OUT only while something waits to be sent. A connection that cannot be accepted \
             (EMFILE) stays in the backlog: let the listener rest for a while, or keep a descriptor \
             in reserve to accept and close with. And a bit is taken away with &= ~ (&= ! in Rust), \
             while |= ~ sets all the others and leaves this one.",
    code: &[
        place!(
            "epoll-loop/src/send_queue.rs",
            "/// WRITABLE is added to the interest of `io` only while bytes are left: a",
            "the interest in writing comes with the first byte left over and goes with the last"
        ),
        place!(
            "chat-server/src/accepting.rs",
            "fn pause_listeners(",
            "without descriptors the listeners rest"
        ),
    ],
    sources: &[
        "epoll(7), Level-triggered and edge-triggered",
        "accept(2), EMFILE; poll(2)",
    ],
    run,
};

const WAITS: usize = 1000;

fn run(report: &mut Report) -> Result<Finding, Stop> {
    report.heading("a socket with nothing to send, watched for IN and OUT");
    let (near, _far) = UnixStream::pair()?;
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    let both = EpollFlags::EPOLLIN | EpollFlags::EPOLLOUT;
    epoll.add(&near, EpollEvent::new(both, 0))?;
    let always = busy(report, WAITS, || is_reported(&epoll))?;
    report.heading("mended: OUT only while something waits to be sent");
    epoll.modify(&near, &mut EpollEvent::new(EpollFlags::EPOLLIN, 0))?;
    let switched_off = busy(report, 0, || is_reported(&epoll))?;

    without_descriptors(report)?;

    report.heading("events |= ~POLLOUT");
    let asked = PollFlags::POLLIN | PollFlags::POLLOUT;
    let set = PollFlags::from_bits_retain(asked.bits() | !PollFlags::POLLOUT.bits());
    report.exact("still asks for OUT", true, set.contains(PollFlags::POLLOUT));
    let still_busy = busy(report, WAITS, || is_polled(&near, set))?;
    report.heading("mended: events &= ~POLLOUT");
    let cleared = PollFlags::from_bits_retain(asked.bits() & !PollFlags::POLLOUT.bits());
    report.exact(
        "still asks for OUT",
        false,
        cleared.contains(PollFlags::POLLOUT),
    );
    busy(report, 0, || is_polled(&near, cleared))?;

    let answer = match always {
        WAITS => 'c',
        1 => 'b',
        _ => 'a',
    };
    let must_be_switched_off = if always > switched_off {
        Verdict::Right
    } else {
        Verdict::Wrong
    };
    let takes_away = if still_busy == 0 {
        Verdict::Right
    } else {
        Verdict::Wrong
    };
    Ok(Finding::new(answer, [must_be_switched_off, takes_away]))
}

/// A client waits, and there is no descriptor for it.
fn without_descriptors(report: &mut Report) -> Result<(), Stop> {
    report.heading("a listener, and no descriptor left");
    let (listener, address) = tcp::listener(8)?;
    listener.set_nonblocking(true)?;
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    epoll.add(&listener, EpollEvent::new(EpollFlags::EPOLLIN, 0))?;
    let mut first = tcp::socket()?;
    first.connect(&address)?;
    readiness::settled(&listener, EpollFlags::EPOLLIN)?;
    let reserve = OwnedFd::from(File::open("/dev/null")?);
    let before = getrlimit(Resource::RLIMIT_NOFILE)?;
    use_all_descriptors(before.1)?;
    report.exact("accept", "EMFILE", accepted(&listener));
    busy(report, WAITS, || {
        Ok(is_reported(&epoll)? && accepted(&listener) == "EMFILE")
    })?;

    report.heading("mended: the listener rests");
    epoll.modify(&listener, &mut EpollEvent::new(EpollFlags::empty(), 0))?;
    busy(report, 0, || is_reported(&epoll))?;

    report.heading("mended: a descriptor in reserve is closed, and the client with it");
    epoll.modify(&listener, &mut EpollEvent::new(EpollFlags::EPOLLIN, 0))?;
    drop(reserve);
    report.exact(
        "accept",
        "a connection, closed at once",
        accepted(&listener),
    );
    let _reserve = OwnedFd::from(File::open("/dev/null")?);
    busy(report, 0, || is_reported(&epoll))?;
    report.exact("the client reads, bytes", 0, first.read(&mut [0])?);
    setrlimit(Resource::RLIMIT_NOFILE, before.0, before.1)?;
    Ok(())
}

/// Counts the waits that return something with which nothing can be done.
fn busy(
    report: &mut Report,
    expected: usize,
    mut is_for_nothing: impl FnMut() -> io::Result<bool>,
) -> io::Result<usize> {
    let mut count = 0;
    for _ in 0..WAITS {
        count += usize::from(is_for_nothing()?);
    }
    report.exact("waits for nothing, of 1,000", expected, count);
    Ok(count)
}

fn is_reported(epoll: &Epoll) -> io::Result<bool> {
    Ok(epoll.wait(&mut [EpollEvent::empty()], PollTimeout::ZERO)? > 0)
}

fn is_polled(descriptor: impl AsFd, events: PollFlags) -> io::Result<bool> {
    let mut entry = [PollFd::new(descriptor.as_fd(), events)];
    Ok(poll(&mut entry, PollTimeout::ZERO)? > 0)
}

fn accepted(listener: &Socket) -> String {
    match listener.accept() {
        Ok(_) => "a connection, closed at once".to_owned(),
        Err(err) => errno(&err),
    }
}

/// Lowers the limit, so that the numbers in use are all that there are.
fn use_all_descriptors(hard: u64) -> io::Result<()> {
    let next = OwnedFd::from(File::open("/dev/null")?);
    let limit = u64::try_from(next.as_raw_fd()).expect("not negative");
    setrlimit(Resource::RLIMIT_NOFILE, limit, hard)?;
    Ok(())
}
