//! Claim 29: an accepted socket is non-blocking if its listener is.
//!
//! Shows: on Linux it inherits the options of the socket, and neither `O_NONBLOCK` nor
//! close-on-exec; `accept4` sets both in the call that makes it.

use std::io;
use std::os::fd::AsFd;

use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use rustix::net::sockopt::{set_socket_keepalive, set_tcp_nodelay, socket_keepalive, tcp_nodelay};
use rustix::net::{SocketFlags, accept, accept_with};
use socket2::Socket;

use crate::claim::{Chapter, Claim, Sentence, Verdict, place};
use crate::report::{Finding, Report, Stop};
use crate::tcp;

pub(crate) const CLAIM: Claim = Claim {
    number: 29,
    name: "inherited-flags",
    chapter: Chapter::Accepting,
    sentences: &[Sentence {
        original: None,
        english: "an accepted socket is non-blocking if its listener is",
        verdict: Verdict::Wrong,
    }],
    question: "What has a socket from a non-blocking listener?",
    answers: &[
        "O_NONBLOCK and the options, like TCP_NODELAY",
        "O_NONBLOCK, but not the options",
        "The options, but not O_NONBLOCK",
        "Neither",
    ],
    answer: 'c',
    does: "It sets everything on a listener (O_NONBLOCK, FD_CLOEXEC, TCP_NODELAY, SO_KEEPALIVE) and \
           looks what an accepted socket has of it: one from accept, and one from accept4 with the \
           two flags.",
    lesson: "On BSD, and macOS, O_NONBLOCK is inherited; on Linux it is not, so that a server whose \
             listener alone is non-blocking hangs in the first read of a slow client. The options of \
             the socket do come along, so set TCP_NODELAY once, on the listener. Use accept4 with \
             SOCK_NONBLOCK and SOCK_CLOEXEC: it needs no second call, and no other thread can start \
             a program between the two.",
    code: &[place!(
        "epoll-loop/src/listener.rs",
        "match acceptfrom_with(listener, flags) {",
        "accept4, with both flags"
    )],
    sources: &[
        "accept(2), NOTES: on Linux the new socket does not inherit file status flags",
        "accept(2): accept4, SOCK_NONBLOCK, SOCK_CLOEXEC",
    ],
    run,
};

/// What a socket has.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag or an option")]
struct Has {
    non_blocking: bool,
    closed_on_exec: bool,
    no_delay: bool,
    keep_alive: bool,
}

fn run(report: &mut Report) -> Result<Finding, Stop> {
    let (listener, address) = tcp::listener(8)?;
    fcntl(&listener, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    fcntl(&listener, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
    set_tcp_nodelay(&listener, true)?;
    set_socket_keepalive(&listener, true)?;
    report.heading("the listener");
    told(report, [true, true], &looked_at(&listener)?);

    report.heading("from accept");
    let _client = client(&listener, &address)?;
    let inherited = looked_at(accept(&listener)?)?;
    told(report, [false, false], &inherited);

    report.heading("mended: from accept4 with SOCK_NONBLOCK and SOCK_CLOEXEC");
    let _client = client(&listener, &address)?;
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    told(
        report,
        [true, true],
        &looked_at(accept_with(&listener, flags)?)?,
    );

    let verdict = if inherited.non_blocking {
        Verdict::Right
    } else {
        Verdict::Wrong
    };
    let answer = match (inherited.non_blocking, inherited.no_delay) {
        (true, true) => 'a',
        (true, false) => 'b',
        (false, true) => 'c',
        (false, false) => 'd',
    };
    Ok(Finding::new(answer, [verdict]))
}

/// A client in the backlog.
fn client(listener: &Socket, address: &socket2::SockAddr) -> io::Result<Socket> {
    let client = tcp::socket()?;
    client.connect(address)?;
    crate::readiness::settled(listener, nix::sys::epoll::EpollFlags::EPOLLIN)?;
    Ok(client)
}

/// The flags are as expected, and the options are there.
fn told(report: &mut Report, [non_blocking, closed_on_exec]: [bool; 2], has: &Has) {
    report.exact("O_NONBLOCK", non_blocking, has.non_blocking);
    report.exact("FD_CLOEXEC", closed_on_exec, has.closed_on_exec);
    report.exact("TCP_NODELAY", true, has.no_delay);
    report.exact("SO_KEEPALIVE", true, has.keep_alive);
}

fn looked_at(socket: impl AsFd) -> nix::Result<Has> {
    let socket = socket.as_fd();
    let status = OFlag::from_bits_retain(fcntl(socket, FcntlArg::F_GETFL)?);
    let own = FdFlag::from_bits_retain(fcntl(socket, FcntlArg::F_GETFD)?);
    let option = |result: rustix::io::Result<bool>| {
        result.map_err(|err| nix::errno::Errno::from_raw(err.raw_os_error()))
    };
    Ok(Has {
        non_blocking: status.contains(OFlag::O_NONBLOCK),
        closed_on_exec: own.contains(FdFlag::FD_CLOEXEC),
        no_delay: option(tcp_nodelay(socket))?,
        keep_alive: option(socket_keepalive(socket))?,
    })
}
