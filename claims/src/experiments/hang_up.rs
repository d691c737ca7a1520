//! Claim 7: `EPOLLHUP` is a hang-up, `EPOLLRDHUP` a close of the peer, and `EPOLLIN` is that too.
//!
//! Shows: what is reported for every way in which a connection or a pipe can end; that a handler
//! which looks at RDHUP first throws last words away, and one that stays interested spins.

use std::io;
use std::net::Shutdown;
use std::os::fd::AsFd;

use nix::poll::PollTimeout;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use nix::unistd::{pipe, read, write};
use socket2::Socket;

use crate::claim::{Chapter, Claim, Sentence, Verdict, place};
use crate::readiness;
use crate::report::{Finding, Report, Stop};
use crate::tcp;
use crate::words::{events, returned};

pub(crate) const CLAIM: Claim = Claim {
    number: 7,
    name: "hang-up",
    chapter: Chapter::Closing,
    sentences: &[
        Sentence {
            original: Some("EPOLLIN 表示对应的文件描述符可以读(包括对端SOCKET正常关闭)"),
            english: "EPOLLIN: the descriptor can be read (a normal close of the peer included)",
            verdict: Verdict::Imprecise,
        },
        Sentence {
            original: Some("EPOLLRDHUP：表示套接字的一端已经关闭，或者半关闭"),
            english: "EPOLLRDHUP: one end of the socket is closed, or half closed",
            verdict: Verdict::Right,
        },
        Sentence {
            original: Some("EPOLLHUP 表示对应的文件描述符被挂断"),
            english: "EPOLLHUP: the descriptor has been hung up",
            verdict: Verdict::Imprecise,
        },
    ],
    question: "The peer says 'bye' and closes. What is reported?",
    answers: &[
        "IN, and RDHUP after the word has been read",
        "IN and RDHUP in one event",
        "HUP",
    ],
    answer: 'b',
    does: "It ends connections and pipes in every way and asks epoll what they are ready for. Two \
           handlers get 'bye' together with the end: one that looks at RDHUP first, one that reads \
           first. At last a half-closed socket stays registered, level-triggered, and epoll is asked \
           1,000 times; and again when the interest in reading is taken back.",
    lesson: "RDHUP comes with the last data, so read until 0 before you close. For a socket HUP means \
             that both directions are down; after the peer's FIN alone, writing still works and \
             there is no HUP. An empty pipe without a writer is HUP and not IN, so a handler that \
             knows IN and OUT only spins on it. HUP and ERR come even if nothing is asked for. And \
             the end of a stream is a state, not an event: who has read 0 must take the interest in \
             reading back, or close.",
    code: &[
        place!(
            "epoll-loop/src/read.rs",
            "let is_ending = readiness",
            "with RDHUP, HUP or ERR it is read to the very end before anything else"
        ),
        place!(
            "epoll-loop/src/readiness.rs",
            "RDHUP comes only together with IN",
            "no interest in reading means no interest in RDHUP, or it would be reported for ever"
        ),
    ],
    sources: &[
        "epoll_ctl(2), EPOLLHUP: merely indicates that the peer closed its end of the channel; \
         subsequent reads will return 0 only after all outstanding data has been consumed",
        "poll(2), pipe(7), shutdown(2)",
    ],
    run,
};

const IN: EpollFlags = EpollFlags::EPOLLIN;
const OUT: EpollFlags = EpollFlags::EPOLLOUT;
const ERR: EpollFlags = EpollFlags::EPOLLERR;
const HUP: EpollFlags = EpollFlags::EPOLLHUP;
const RDHUP: EpollFlags = EpollFlags::EPOLLRDHUP;

fn run(report: &mut Report) -> Result<Finding, Stop> {
    report.heading("a connection");
    let (near, far) = tcp::pair()?;
    is_ready(report, "connected", OUT, &near)?;
    far.shutdown(Shutdown::Write)?;
    let half_closed = is_ready(
        report,
        "the peer shuts its writing down",
        IN | OUT | RDHUP,
        &near,
    )?;
    near.send(b"x")?;
    is_ready(report, "a byte is sent to it", IN | OUT, &far)?;
    report.exact(
        "the peer reads, bytes",
        1,
        returned(read(&far, &mut [0; 8])),
    );
    near.shutdown(Shutdown::Write)?;
    let both = IN | OUT | HUP | RDHUP;
    let both_down = is_ready(report, "this end shuts its writing down too", both, &near)?;

    report.heading("a connection whose peer sends RST");
    let (near, far) = tcp::pair()?;
    tcp::reset(far)?;
    is_ready(report, "reset", IN | OUT | ERR | HUP | RDHUP, &near)?;
    report.exact("read", "ECONNRESET", returned(read(&near, &mut [0])));
    is_ready(report, "after the error was read", both, &near)?;
    let (near, far) = tcp::pair()?;
    let epoll = registered(&near, EpollFlags::empty())?;
    tcp::reset(far)?;
    readiness::settled(&near, IN | OUT | ERR | HUP | RDHUP)?;
    report.exact(
        "reset, and nothing is asked for",
        "ERR|HUP",
        events(reported(&epoll)?),
    );

    report.heading("a pipe");
    let (read_end, write_end) = pipe()?;
    drop(write_end);
    let no_writer = is_ready(report, "empty, the writer has closed", HUP, &read_end)?;
    let (read_end, write_end) = pipe()?;
    write(&write_end, b"z")?;
    drop(write_end);
    is_ready(
        report,
        "a byte, and the writer has closed",
        IN | HUP,
        &read_end,
    )?;
    let (read_end, write_end) = pipe()?;
    drop(read_end);
    is_ready(report, "the reader has closed", OUT | ERR, &write_end)?;

    report.heading("'bye' and the end, by a handler that looks at RDHUP first");
    let (near, far) = tcp::pair()?;
    far.send(b"bye")?;
    drop(far);
    let bye_and_end = is_ready(report, "ready for", IN | OUT | RDHUP, &near)?;
    let lost = rdhup_first(&near)?;
    report.exact("heard", "nothing", lost);

    report.heading("mended: by one that reads first");
    let heard = in_first(&near)?;
    report.exact("heard", "bye", heard);

    report.heading("the end has been read, and the interest in reading stays");
    let epoll = registered(&near, IN | RDHUP)?;
    let spins = (0..1000).filter(|_| reported(&epoll).is_ok_and(|ready| ready.contains(IN)));
    report.exact("waits that were none, of 1,000", 1000, spins.count());

    report.heading("mended: the interest is taken back");
    epoll.modify(&near, &mut EpollEvent::new(EpollFlags::empty(), 0))?;
    let spins = (0..1000).filter(|_| reported(&epoll).is_ok_and(|ready| !ready.is_empty()));
    report.exact("waits that were none, of 1,000", 0, spins.count());

    let answer = match bye_and_end {
        ready if ready.contains(HUP) => 'c',
        ready if ready.contains(IN | RDHUP) => 'b',
        _ => 'a',
    };
    let verdict = |is_so, then, otherwise| if is_so { then } else { otherwise };
    // IN tells of the end of a socket, but not of that of a pipe; HUP needs both directions.
    let in_is_end = half_closed.contains(IN);
    let of_a_pipe_too = no_writer.contains(IN);
    let hup_is_half = half_closed.contains(HUP);
    Ok(Finding::new(
        answer,
        [
            verdict(
                in_is_end && of_a_pipe_too,
                Verdict::Right,
                Verdict::Imprecise,
            ),
            verdict(half_closed.contains(RDHUP), Verdict::Right, Verdict::Wrong),
            verdict(
                !hup_is_half && both_down.contains(HUP),
                Verdict::Imprecise,
                Verdict::Right,
            ),
        ],
    ))
}

/// As it is often written: the connection has ended, so close it.
fn rdhup_first(socket: &Socket) -> io::Result<String> {
    let ready = readiness::now(socket)?;
    if ready.intersects(RDHUP | HUP | ERR) {
        return Ok("nothing".to_owned());
    }
    in_first(socket)
}

/// Reads to the end, and takes it for the end when it is there.
fn in_first(socket: &Socket) -> io::Result<String> {
    let mut heard = Vec::new();
    let mut buffer = [0; 16];
    loop {
        match read(socket, &mut buffer)? {
            0 => return Ok(String::from_utf8_lossy(&heard).into_owned()),
            count => heard.extend_from_slice(&buffer[..count]),
        }
    }
}

/// An epoll instance that is asked about one descriptor, level-triggered.
fn registered(descriptor: impl AsFd, interest: EpollFlags) -> nix::Result<Epoll> {
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    epoll.add(descriptor, EpollEvent::new(interest, 0))?;
    Ok(epoll)
}

/// What it reports now.
fn reported(epoll: &Epoll) -> nix::Result<EpollFlags> {
    let mut ready = [EpollEvent::empty()];
    let count = epoll.wait(&mut ready, PollTimeout::ZERO)?;
    Ok(if count == 0 {
        EpollFlags::empty()
    } else {
        ready[0].events()
    })
}

fn is_ready(
    report: &mut Report,
    what: &str,
    wanted: EpollFlags,
    descriptor: impl AsFd,
) -> nix::Result<EpollFlags> {
    let ready = readiness::settled(descriptor, wanted)?;
    report.exact(what, events(wanted), events(ready));
    Ok(ready)
}
