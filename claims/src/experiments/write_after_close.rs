//! Claim 6: when the peer closes, the socket becomes writable and raises `SIGPIPE`.
//!
//! Shows: readiness raises no signal, a write does, and not the first; what it returns depends on
//! how the peer ended.

use std::io;
use std::net::Shutdown;

use nix::sys::epoll::EpollFlags;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::socket::{MsgFlags, recv, send};
use nix::unistd::{read, write};
use socket2::Socket;
use std::os::fd::AsRawFd;

use crate::claim::{Chapter, Claim, Sentence, Verdict, place};
use crate::readiness;
use crate::report::{Finding, Report, Stop};
use crate::sys;
use crate::tcp;
use crate::words::{events, returned};

pub(crate) const CLAIM: Claim = Claim {
    number: 6,
    name: "write-after-close",
    chapter: Chapter::Writing,
    sentences: &[
        Sentence {
            original: Some("socket读对端关闭，socket变成可写状态，产生SIGPIPE信号"),
            english: "the peer closes its reading half: the socket becomes writable, and SIGPIPE is \
                      raised",
            verdict: Verdict::Imprecise,
        },
        Sentence {
            original: Some("连接的写半边已经关闭，如果继续进行写操作将会产生 SIGPIPE 信号"),
            english: "the writing half is closed: going on writing raises SIGPIPE",
            verdict: Verdict::Right,
        },
    ],
    question: "The peer has closed; all was read. A write follows.",
    answers: &[
        "SIGPIPE is raised, before the write",
        "The write fails, with EPIPE and SIGPIPE",
        "The write works; the next one fails",
        "The write fails with ECONNRESET, without a signal",
    ],
    answer: 'c',
    does: "It gives SIGPIPE its default action again (Rust ignores it), blocks it and looks through a \
           signalfd whether it was raised. Then it lets peers end in several ways and writes, a byte \
           at a time.",
    lesson: "FIN only says that the peer will send no more: it may still read, so the first write is \
             sent. Only the answer to it (RST) tells that nobody is there, and the write after that \
             fails. A peer that closes with unread data sends RST at once. So a write that worked \
             says nothing about whether it was read; only an answer of the peer's does. Write with \
             MSG_NOSIGNAL, or ignore SIGPIPE, and treat EPIPE and ECONNRESET as the end of that \
             peer. What was ignored stays ignored in a program that is executed.",
    code: &[
        place!(
            "fd-passing/src/send.rs",
            "SendFlags::NOSIGNAL",
            "a peer that has gone is an error here, and no signal"
        ),
        place!(
            "chat-server/src/listener.rs",
            "ErrorKind::BrokenPipe, ",
            "it is the end of one connection, with words for the others"
        ),
    ],
    sources: &[
        "write(2), EPIPE; send(2), MSG_NOSIGNAL",
        "RFC 9293, section 3.6.1: a close with received data unread, and data that comes after a \
         close, are answered by RST",
        "signal(7): ignored signals stay ignored across execve(2)",
    ],
    run,
};

const ALIVE: EpollFlags = EpollFlags::EPOLLOUT;
const FIN_CAME: EpollFlags = EpollFlags::EPOLLIN
    .union(EpollFlags::EPOLLOUT)
    .union(EpollFlags::EPOLLRDHUP);
/// Also after `SO_ERROR` was taken by a write: then without ERR.
const RST_CAME: EpollFlags = FIN_CAME
    .union(EpollFlags::EPOLLERR)
    .union(EpollFlags::EPOLLHUP);

fn run(report: &mut Report) -> Result<Finding, Stop> {
    sys::set_default_action(Signal::SIGPIPE)?;
    let mut only_pipe = SigSet::empty();
    only_pipe.add(Signal::SIGPIPE);
    only_pipe.thread_block()?;
    let signals = SignalFd::with_flags(&only_pipe, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
    let write = |socket: &Socket| with_signal(&signals, write(socket, b"x"));

    report.heading("the peer closes, and has read everything");
    let (near, far) = tcp::pair()?;
    drop(far);
    is_ready(report, "ready for", FIN_CAME, &near)?;
    let raised = raised(&signals)?;
    report.exact("SIGPIPE raised by that", "no", yes_or_no(raised));
    let first = write(&near)?;
    report.exact("first write", "1", &first);
    is_ready(report, "ready for", RST_CAME, &near)?;
    let second = write(&near)?;
    report.exact("second write", "EPIPE and SIGPIPE", &second);

    report.heading("the same, but a read between");
    let (near, far) = tcp::pair()?;
    drop(far);
    readiness::settled(&near, FIN_CAME)?;
    report.exact("first write", "1", write(&near)?);
    readiness::settled(&near, RST_CAME)?;
    // The end of the stream comes before the error.
    report.exact("read", "0", returned(read(&near, &mut [0])));

    report.heading("the peer closes with unread data");
    let (near, far) = tcp::pair()?;
    near.send(b"unread")?;
    readiness::at_least(&far, EpollFlags::EPOLLIN)?;
    drop(far);
    is_ready(report, "ready for", RST_CAME, &near)?;
    report.exact("first write", "ECONNRESET", write(&near)?);
    report.exact("second write", "EPIPE and SIGPIPE", write(&near)?);

    report.heading("the peer shuts down its reading half only");
    let (near, far) = tcp::pair()?;
    far.shutdown(Shutdown::Read)?;
    report.exact("first write", "1", write(&near)?);
    tcp::acknowledged(&near)?;
    is_ready(report, "ready for", ALIVE, &near)?;
    report.exact("second write", "1", write(&near)?);
    tcp::acknowledged(&near)?;
    let received = recv(far.as_raw_fd(), &mut [0; 8], MsgFlags::MSG_DONTWAIT);
    report.exact("and the peer still reads, bytes", "2", returned(received));

    report.heading("this end has shut down its writing half");
    let (near, _far) = tcp::pair()?;
    near.shutdown(Shutdown::Write)?;
    let own_half = write(&near)?;
    let own_half = report.exact("first write", "EPIPE and SIGPIPE", own_half);

    report.heading("mended: MSG_NOSIGNAL");
    let (near, far) = tcp::pair()?;
    drop(far);
    let send = |socket: &Socket| {
        with_signal(
            &signals,
            send(socket.as_raw_fd(), b"x", MsgFlags::MSG_NOSIGNAL),
        )
    };
    readiness::settled(&near, FIN_CAME)?;
    report.exact("first send", "1", send(&near)?);
    readiness::settled(&near, RST_CAME)?;
    report.exact("second send", "EPIPE", send(&near)?);

    let answer = match (raised, first.as_str()) {
        (true, _) => 'a',
        (false, "1") => 'c',
        (false, "ECONNRESET") => 'd',
        (false, _) => 'b',
    };
    let peer_closed = match (raised, second.as_str()) {
        (true, _) => Verdict::Right,
        (false, "EPIPE and SIGPIPE") => Verdict::Imprecise,
        (false, _) => Verdict::Wrong,
    };
    let closed_here = if own_half {
        Verdict::Right
    } else {
        Verdict::Wrong
    };
    Ok(Finding::new(answer, [peer_closed, closed_here]))
}

/// What a write returned, and whether it raised SIGPIPE.
fn with_signal(signals: &SignalFd, result: nix::Result<usize>) -> io::Result<String> {
    let signal = if raised(signals)? { " and SIGPIPE" } else { "" };
    Ok(returned(result) + signal)
}

/// Whether SIGPIPE waits to be delivered; it does not any more after that.
fn raised(signals: &SignalFd) -> io::Result<bool> {
    Ok(signals.read_signal()?.is_some())
}

fn yes_or_no(is_so: bool) -> &'static str {
    if is_so { "yes" } else { "no" }
}

fn is_ready(
    report: &mut Report,
    what: &str,
    wanted: EpollFlags,
    socket: &Socket,
) -> io::Result<()> {
    report.exact(
        what,
        events(wanted),
        events(readiness::settled(socket, wanted)?),
    );
    Ok(())
}
