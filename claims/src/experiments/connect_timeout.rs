//! Claim 4: `SO_SNDTIMEO` has no effect on connect.
//!
//! Shows: it has; and no timeout of the caller's ends the attempt itself, which goes on until the
//! socket is closed.

use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::epoll::EpollFlags;
use nix::sys::socket::{setsockopt, sockopt};
use socket2::SockAddr;

use crate::claim::{Chapter, Claim, Sentence, Verdict, place};
use crate::readiness;
use crate::report::{Finding, Report, Stop};
use crate::tcp;
use crate::words::{returned, socket_error, succeeded};

pub(crate) const CLAIM: Claim = Claim {
    number: 4,
    name: "connect-timeout",
    chapter: Chapter::Connecting,
    sentences: &[
        Sentence {
            original: Some("SO_RCVTIMEO SO_SNDTIMEO 对 connect 是不起作用的"),
            english: "SO_RCVTIMEO and SO_SNDTIMEO have no effect on connect",
            verdict: Verdict::Imprecise,
        },
        Sentence {
            original: Some(
                "如果此时使用 ev_add 增加 EV_TIMEOUT, 虽然会触发，但是 socket 的状态并不会改变",
            ),
            english: "if EV_TIMEOUT is added then, it is triggered, but the state of the socket does \
                      not change",
            verdict: Verdict::Right,
        },
    ],
    question: "A connect ran into SO_SNDTIMEO. Now the peer answers.",
    answers: &[
        "Nothing happens: the attempt has ended",
        "The connection is made all the same",
        "The socket has an error in SO_ERROR",
    ],
    answer: 'b',
    does: "It connects to a listener that answers nobody, since its backlog is full, and gives up in \
           several ways: SO_SNDTIMEO, SO_RCVTIMEO, poll with a timeout, TCP_USER_TIMEOUT. Then it \
           makes room in the backlog and waits for what becomes of the first. At last it gives up \
           in the way that ends the attempt.",
    lesson: "Such a timeout means to stop waiting, not to stop connecting: the kernel goes on \
             sending SYN. Close the socket, or a connection that nobody knows of may come about \
             later. SO_RCVTIMEO has no part in it. Two options of TCP do end the attempt: \
             TCP_USER_TIMEOUT, and TCP_SYNCNT, which counts the retransmissions (1 lasts 3 s).",
    code: &[place!(
        "nonblock-connect/src/connector.rs",
        "Only closing ends a connect: the kernel goes on",
        "the timeout of an attempt closes its socket"
    )],
    sources: &[
        "socket(7), SO_RCVTIMEO and SO_SNDTIMEO: EAGAIN, or EINPROGRESS for connect(2)",
        "connect(2): EALREADY",
        "tcp(7): TCP_USER_TIMEOUT, TCP_SYNCNT",
    ],
    run,
};

const SHORT: Duration = Duration::from_millis(50);
const LONG: Duration = Duration::from_millis(200);

fn run(report: &mut Report) -> Result<Finding, Stop> {
    let (listener, address, first) = tcp::silent_listener()?;

    report.heading("SO_RCVTIMEO 50 ms, SO_SNDTIMEO 200 ms");
    let received = tcp::socket()?;
    received.set_read_timeout(Some(SHORT))?;
    received.set_write_timeout(Some(LONG))?;
    let begin = Instant::now();
    report.exact(
        "connect",
        "EINPROGRESS",
        succeeded(received.connect(&address)),
    );
    let took = begin.elapsed();
    let by_send_timeout = report.relation(
        "after",
        format_args!("~{} ms", took.as_millis()),
        "not before SO_SNDTIMEO",
        took >= LONG,
    );
    drop(received);

    report.heading("non-blocking, and poll with a timeout of 50 ms");
    let polled = tcp::connecting(&address)?;
    let mut entry = [PollFd::new(polled.as_fd(), PollFlags::POLLOUT)];
    report.exact(
        "poll",
        0,
        returned(poll(&mut entry, PollTimeout::from(50_u8))),
    );
    let unchanged = report.exact("state", "SYN_SENT", tcp::state(&polled)?);
    let no_error = report.exact("SO_ERROR", "0", socket_error(&polled)?);
    report.exact("write", "EAGAIN", returned(polled.send(b"x")));
    drop(polled);

    report.heading("TCP_USER_TIMEOUT 300 ms");
    let limited = tcp::socket()?;
    setsockopt(&limited, sockopt::TcpUserTimeout, &300)?;
    report.exact("connect", "ETIMEDOUT", succeeded(limited.connect(&address)));
    drop(limited);

    report.heading("SO_SNDTIMEO 50 ms");
    let given_up = tcp::socket()?;
    given_up.set_write_timeout(Some(SHORT))?;
    let has_effect = report.exact(
        "connect",
        "EINPROGRESS",
        succeeded(given_up.connect(&address)),
    );
    report.exact("state", "SYN_SENT", tcp::state(&given_up)?);
    report.exact(
        "connect again",
        "EALREADY",
        succeeded(given_up.connect(&address)),
    );
    // The one that filled the backlog makes room; the next SYN is sent a second after the first.
    let _accepted = listener.accept()?;
    readiness::settled(&given_up, EpollFlags::EPOLLOUT)?;
    let state = tcp::state(&given_up)?;
    let went_on = report.exact("state when the peer answers", "ESTABLISHED", state);
    let error = socket_error(&given_up)?;
    drop((first, given_up));

    report.heading("mended: the socket is closed");
    let (_listener, address, _first) = tcp::silent_listener()?;
    let closed = tcp::connecting(&address)?;
    let own = closed.local_addr()?;
    report.exact(
        "such sockets in the kernel, before",
        1,
        sockets_between(&own, &address)?,
    );
    drop(closed);
    report.exact(
        "such sockets in the kernel, after",
        0,
        sockets_between(&own, &address)?,
    );

    let answer = match (went_on, error.as_str()) {
        (true, _) => 'b',
        (false, "0") => 'a',
        (false, _) => 'c',
    };
    let first = match (has_effect, by_send_timeout) {
        (true, true) => Verdict::Imprecise,
        (true, false) => Verdict::Wrong,
        (false, _) => Verdict::Right,
    };
    let second = if unchanged && no_error {
        Verdict::Right
    } else {
        Verdict::Wrong
    };
    Ok(Finding::new(answer, [first, second]))
}

/// How many TCP sockets the kernel has with these two ends.
fn sockets_between(own: &SockAddr, peer: &SockAddr) -> io::Result<usize> {
    let port = |address: &SockAddr| address.as_socket().map_or(0, |address| address.port());
    let (own, peer) = (
        format!(":{:04X}", port(own)),
        format!(":{:04X}", port(peer)),
    );
    let table = fs::read_to_string("/proc/net/tcp")?;
    // The second and the third column are the addresses: `0100007F:9C40`.
    let ends = table.lines().filter_map(|line| {
        let mut columns = line.split_whitespace().skip(1);
        Some((columns.next()?, columns.next()?))
    });
    Ok(ends
        .filter(|(one, other)| one.ends_with(&own) && other.ends_with(&peer))
        .count())
}
