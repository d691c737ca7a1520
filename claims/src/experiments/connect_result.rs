//! Claim 5: readable and writable means that a non-blocking connect failed.
//!
//! Shows: the same readiness for a refusal and for a success with an early banner; `SO_ERROR`,
//! asked once, tells them apart.

use std::io;

use nix::sys::epoll::EpollFlags;
use socket2::Socket;

use crate::claim::{Chapter, Claim, Sentence, Verdict, place};
use crate::readiness;
use crate::report::{Finding, Report, Stop};
use crate::tcp;
use crate::words::{events, socket_error, succeeded};

pub(crate) const CLAIM: Claim = Claim {
    number: 5,
    name: "connect-result",
    chapter: Chapter::Connecting,
    sentences: &[
        Sentence {
            original: Some("非阻塞connect连接出错会导致socket变成可读可写状态"),
            english: "an error of a non-blocking connect makes the socket readable and writable",
            verdict: Verdict::Imprecise,
        },
        Sentence {
            original: Some(
                "socket connect 非阻塞的时候，当连接成功或者失败的时候，首先触发的是 EV_WRITE 事件",
            ),
            english: "when a non-blocking connect has succeeded or failed, EV_WRITE is triggered first",
            verdict: Verdict::Right,
        },
    ],
    question: "A connecting socket is readable and writable: why?",
    answers: &[
        "The connect failed",
        "The connect succeeded",
        "That cannot be said without asking SO_ERROR",
    ],
    answer: 'c',
    does: "It lets non-blocking connects end in three ways: accepted, accepted by a server that \
           speaks first, and refused, and notes what epoll reports for each; beside them stands a \
           socket that was never connected. Then two rules judge the three: the one in the notes, \
           and SO_ERROR.",
    lesson: "Wait until the socket is writable, then ask SO_ERROR, once: asking takes the error \
             away. Whether it is readable says nothing, since a server that speaks first (SMTP, SSH, \
             FTP) makes a good connection readable too. Connect first and register after: a \
             socket that was never connected reports OUT|HUP. Even a closed port of this machine \
             answers EINPROGRESS first, so the refusal comes as an event.",
    code: &[place!(
        "nonblock-connect/src/connect.rs",
        "take_error()",
        "a writable socket has connected only if it has no error to take"
    )],
    sources: &[
        "connect(2), EINPROGRESS: after select(2) indicates writability, use getsockopt(2) to read SO_ERROR",
        "socket(7): SO_ERROR, get and clear the pending socket error",
    ],
    run,
};

const IN_OUT: EpollFlags = EpollFlags::EPOLLIN.union(EpollFlags::EPOLLOUT);
const HUNG_UP: EpollFlags = EpollFlags::EPOLLOUT.union(EpollFlags::EPOLLHUP);
const REFUSED: EpollFlags = IN_OUT
    .union(EpollFlags::EPOLLERR)
    .union(EpollFlags::EPOLLHUP)
    .union(EpollFlags::EPOLLRDHUP);

fn run(report: &mut Report) -> Result<Finding, Stop> {
    let (listener, address) = tcp::listener(8)?;

    report.exact(
        "never connected",
        events(HUNG_UP),
        events(readiness::now(&tcp::socket()?)?),
    );

    let accepted = tcp::connecting(&address)?;
    let over = ended(report, "accepted", EpollFlags::EPOLLOUT, &accepted)?;
    let (_kept_open, _) = listener.accept()?;

    let greeted = tcp::connecting(&address)?;
    let (server, _) = listener.accept()?;
    server.send(b"220 welcome\r\n")?;
    let over_and_greeted = ended(
        report,
        "accepted, and the server speaks first",
        IN_OUT,
        &greeted,
    )?;

    let (_nobody, closed) = tcp::closed_port()?;
    let refused = tcp::socket()?;
    refused.set_nonblocking(true)?;
    let answer = succeeded(refused.connect(&closed));
    report.exact(
        "connect to a closed port of this machine",
        "EINPROGRESS",
        answer,
    );
    let over_and_refused = ended(report, "refused", REFUSED, &refused)?;

    report.heading("by the rule of the notes: readable and writable means failed");
    let sockets = [&accepted, &greeted, &refused];
    let mut by_readiness = Vec::new();
    for (socket, (name, expected)) in sockets.into_iter().zip([
        ("accepted", "connected"),
        ("accepted, and the server speaks first", "failed"),
        ("refused", "failed"),
    ]) {
        let failed = readiness::now(socket)?.contains(IN_OUT);
        by_readiness.push(report.exact(name, expected, judged(failed)));
    }

    report.heading("mended: it has failed if SO_ERROR is not 0");
    let mut by_error = Vec::new();
    for (socket, (name, expected)) in sockets.into_iter().zip([
        ("accepted", "0, connected"),
        ("accepted, and the server speaks first", "0, connected"),
        ("refused", "ECONNREFUSED, failed"),
    ]) {
        let error = socket_error(socket)?;
        let judged = judged(error != "0");
        by_error.push(report.exact(name, expected, format_args!("{error}, {judged}")));
    }
    report.exact(
        "refused, and SO_ERROR asked again",
        "0",
        socket_error(&refused)?,
    );

    let [own_readiness, same_as_refused, is_refused] = by_readiness[..] else {
        unreachable!("three sockets were judged");
    };
    let writable = [over, over_and_greeted, over_and_refused]
        .into_iter()
        .all(|as_expected| as_expected);
    let told_apart_by_error = by_error.iter().all(|as_expected| *as_expected);
    let first = match (is_refused, same_as_refused) {
        (true, true) => Verdict::Imprecise,
        (true, false) => Verdict::Right,
        (false, _) => Verdict::Wrong,
    };
    let second = if writable {
        Verdict::Right
    } else {
        Verdict::Wrong
    };
    let answer = match first {
        Verdict::Imprecise if own_readiness && told_apart_by_error => 'c',
        Verdict::Wrong => 'b',
        _ => 'a',
    };
    Ok(Finding::new(answer, [first, second]))
}

/// A connect has ended: whether epoll reports of the socket what it should.
fn ended(report: &mut Report, how: &str, wanted: EpollFlags, socket: &Socket) -> io::Result<bool> {
    let ready = readiness::settled(socket, wanted)?;
    Ok(report.exact(how, events(wanted), events(ready)))
}

fn judged(failed: bool) -> &'static str {
    if failed { "failed" } else { "connected" }
}
