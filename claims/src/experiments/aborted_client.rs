//! Claim 8: if a client breaks off before it is accepted, a blocking accept hangs.
//!
//! Shows: Linux keeps the dead connection in the backlog and hands it out; the hang is real where
//! another process takes the connection first.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::epoll::EpollFlags;
use nix::unistd::{pipe, read};
use socket2::Socket;

use crate::claim::{Chapter, Claim, Sentence, Verdict, place};
use crate::forked::Forked;
use crate::readiness;
use crate::report::{Finding, Report, Stop};
use crate::tcp;
use crate::words::{errno, events, returned, succeeded};

pub(crate) const CLAIM: Claim = Claim {
    number: 8,
    name: "aborted-client",
    chapter: Chapter::Accepting,
    sentences: &[
        Sentence {
            original: Some(
                "如果把监听套接字设置成阻塞，当监听事件可读时候，在进行accept的时候，如果客户端断掉连接，accept就会一直阻塞",
            ),
            english: "if the listener is blocking and a client breaks off between the event and the \
                      accept, accept blocks for ever",
            verdict: Verdict::Wrong,
        },
        Sentence {
            original: Some("如果我们将监听套接字设为非阻塞，上述的情形就不会再发生"),
            english: "if the listener is non-blocking this does not happen any more",
            verdict: Verdict::Right,
        },
    ],
    question: "A client resets before accept. What does accept do?",
    answers: &[
        "It blocks until the next client comes",
        "It fails with ECONNABORTED",
        "It returns a connection that is dead already",
    ],
    answer: 'c',
    does: "A client connects and resets the connection while it waits in the backlog; then a blocking \
           listener accepts. After that two processes see one client in the same poll and both \
           accept, first on the blocking listener (with SO_RCVTIMEO, or one of them would never \
           end), then on the same listener without blocking.",
    lesson: "On BSD the connection disappears from the backlog, and from there the sentence comes. \
             Linux hands it out: getpeername fails, and the first read tells. But make a listener \
             non-blocking all the same: the client that woke you may be taken by another process or \
             thread, and then a blocking accept does hang.",
    code: &[
        place!(
            "epoll-loop/src/listener.rs",
            "No address: it was reset while it waited",
            "such a connection is dropped, and the next one tried"
        ),
        place!(
            "epoll-loop/src/listener.rs",
            "Err(Errno::AGAIN) => Accepted::Nobody",
            "another process was faster"
        ),
    ],
    sources: &[
        "accept(2), NOTES: there may not always be a connection waiting after a readability event",
        "Stevens, UNIX Network Programming, volume 1, section 16.6",
    ],
    run,
};

/// Ends an accept that would hang.
const PATIENCE: Duration = Duration::from_millis(250);

fn run(report: &mut Report) -> Result<Finding, Stop> {
    report.heading("one process, a blocking listener");
    let (listener, address) = tcp::listener(8)?;
    listener.set_read_timeout(Some(PATIENCE))?;
    let client = tcp::socket()?;
    client.connect(&address)?;
    readiness::settled(&listener, EpollFlags::EPOLLIN)?;
    tcp::reset(client)?;
    report.exact(
        "the listener after the client's RST",
        "IN",
        events(readiness::now(&listener)?),
    );
    let accepted = listener.accept();
    let outcome = accepted
        .as_ref()
        .map_or_else(errno, |_| "a connection".to_owned());
    let is_handed_out = report.exact("accept", "a connection", &outcome);
    if let Ok((accepted, _)) = accepted {
        let dead = EpollFlags::EPOLLIN
            | EpollFlags::EPOLLOUT
            | EpollFlags::EPOLLERR
            | EpollFlags::EPOLLHUP
            | EpollFlags::EPOLLRDHUP;
        let ready = readiness::settled(&accepted, dead)?;
        report.exact("it is ready for", events(dead), events(ready));
        report.exact("getpeername", "ENOTCONN", succeeded(accepted.peer_addr()));
        report.exact("read", "ECONNRESET", returned(read(&accepted, &mut [0])));
    }

    report.heading("two processes saw the same client, and the listener is blocking");
    let blocking = race(&listener)?;
    report.exact("one of them", "accepted", &blocking[0].0);
    let hangs = report.exact("the other, ended by SO_RCVTIMEO", "EAGAIN", &blocking[1].0)
        & report.relation(
            "it had waited",
            format_args!("~{} ms", blocking[1].1.as_millis()),
            "as long as SO_RCVTIMEO allows",
            blocking[1].1 >= PATIENCE,
        );

    report.heading("mended: the listener is non-blocking");
    // SO_RCVTIMEO is without meaning now: whatever comes back comes at once.
    listener.set_nonblocking(true)?;
    let mended = race(&listener)?;
    report.exact("one of them", "accepted", &mended[0].0);
    let no_hang = report.exact("the other", "EAGAIN", &mended[1].0);

    let answer = match outcome.as_str() {
        "a connection" => 'c',
        "ECONNABORTED" => 'b',
        _ => 'a',
    };
    let first = if is_handed_out {
        Verdict::Wrong
    } else {
        Verdict::Right
    };
    let second = if hangs && no_hang {
        Verdict::Right
    } else {
        Verdict::Imprecise
    };
    Ok(Finding::new(answer, [first, second]))
}

/// One client, and two processes that both see it before either accepts: what became of each
/// accept and how long it took, the successful one first.
fn race(listener: &Socket) -> io::Result<Vec<(String, Duration)>> {
    let (seen, tell_seen) = pipe()?;
    let (go, tell_go) = pipe()?;
    let child = || -> io::Result<String> {
        let mut entry = [PollFd::new(listener.as_fd(), PollFlags::POLLIN)];
        poll(&mut entry, PollTimeout::NONE)?;
        File::from(tell_seen.try_clone()?).write_all(b"s")?;
        File::from(go.try_clone()?).read_exact(&mut [0])?;
        let begin = Instant::now();
        let result = listener.accept();
        let took = begin.elapsed().as_millis();
        let result = result.map_or_else(|err| errno(&err), |_| "accepted".to_owned());
        Ok(format!("{result} {took}"))
    };
    let children = [Forked::start(child)?, Forked::start(child)?];
    let client = tcp::socket()?;
    client.connect(&listener.local_addr()?)?;
    File::from(seen).read_exact(&mut [0; 2])?;
    File::from(tell_go).write_all(b"gg")?;
    let mut results = Vec::new();
    for child in children {
        let (said, _) = child.end()?;
        let (result, took) = said.split_once(' ').unwrap_or(("nothing", "0"));
        let took = Duration::from_millis(took.parse().unwrap_or(0));
        results.push((result.to_owned(), took));
    }
    results.sort_by_key(|(result, _)| result != "accepted");
    Ok(results)
}
