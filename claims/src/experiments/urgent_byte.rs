//! Claim 14: `select` has one kind of exception, out-of-band data, which overtakes other data.
//!
//! Shows: TCP's urgent data is one byte, in its place in the stream, with a mark before it; what
//! becomes of it when it is not taken; and two exceptions that are something else.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

use nix::poll::PollTimeout;
use nix::pty::openpty;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use nix::sys::select::{FdSet, select};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::socket::sockopt::Ipv4RecvErr;
use nix::sys::socket::{MsgFlags, recv, setsockopt};
use nix::sys::termios::{FlushArg, tcflush};
use nix::sys::time::{TimeVal, TimeValLike};
use oob_data::{at_mark, own_signals, packet_mode};
use socket2::{Domain, Socket, Type};

use crate::claim::{Chapter, Claim, Sentence, Verdict, place};
use crate::readiness::{self, PATIENCE};
use crate::report::{Finding, Report, Stop};
use crate::sys::set_socket_option;
use crate::tcp;
use crate::words::{errno, events};

pub(crate) const CLAIM: Claim = Claim {
    number: 14,
    name: "urgent-byte",
    chapter: Chapter::UrgentData,
    sentences: &[
        Sentence {
            original: Some("(带外数据) 比普通数据（也叫带内数据）有更高的优先级"),
            english: "(out-of-band data) it has a higher priority than ordinary, in-band data",
            verdict: Verdict::Wrong,
        },
        Sentence {
            original: Some("网络程序中，select能处理的异常情况只有一种：socket上接收到带外数据"),
            english: "in network programs select knows one exception only: out-of-band data has \
                      come to a socket",
            verdict: Verdict::Wrong,
        },
    ],
    question: "'123', urgent 'abc', '123'. What does recv return?",
    answers: &["'123abc123'", "'123ab'", "'abc'", "'123'"],
    answer: 'b',
    does: "It sends ordinary and urgent bytes through TCP and reads them in every way: two urgent \
           sends, one left unread, SO_OOBINLINE, and one for which the peer has no room. It counts \
           SIGURG. Then it looks for other things that select calls an exception.",
    lesson: "Urgent data is no second channel: it is one byte, the last of the urgent send, in its \
             place in the stream. A read stops before it; recv with MSG_OOB takes it; who does \
             neither and reads on has lost it, and a second urgent byte turns the first into an \
             ordinary one. It does not overtake: if the peer has no room, only the news of it \
             arrives (SIGURG, and EAGAIN instead of EINVAL). New protocols should not use it (RFC 6093). And EPOLLPRI, or select's third \
             set, is also how an error queue or a terminal speaks.",
    code: &[
        place!(
            "oob-data/src/urgent.rs",
            "/// Reads what is there, up to the mark.",
            "a program about nothing but this: sent, announced, read in four ways"
        ),
        place!(
            "epoll-loop/src/readiness.rs",
            "/// TCP urgent data has arrived (`EPOLLPRI`).",
            "the interest that a program asks for which does use it"
        ),
    ],
    sources: &[
        "tcp(7): urgent data, SIOCATMARK, SO_OOBINLINE",
        "RFC 6093, section 3: how the urgent mechanism is really implemented",
        "poll(2), POLLPRI: an exceptional condition; ioctl_tty(2), TIOCPKT",
    ],
    run,
};

const IN: EpollFlags = EpollFlags::EPOLLIN;
const PRI: EpollFlags = EpollFlags::EPOLLPRI;

fn run(report: &mut Report) -> Result<Finding, Stop> {
    report.heading("'123', urgent 'abc', '123'");
    let (near, far) = tcp::pair()?;
    let ready = sent(
        &near,
        &far,
        &[("123", false), ("abc", true), ("123", false)],
    )?;
    report.exact("ready for", "IN|PRI|OUT", events(ready));
    report.exact("in select's third set", true, is_exceptional(&far)?);
    let first = received(&far);
    report.exact("recv", "'123ab'", &first);
    report.exact("at the mark", true, at_mark(&far)?);
    report.exact("recv with MSG_OOB", "'c'", urgent(&far));
    report.exact("recv", "'123'", received(&far));
    report.exact("recv with MSG_OOB", "EINVAL", urgent(&far));

    report.heading("'12', urgent 'x', urgent 'y', '34'");
    let (near, far) = tcp::pair()?;
    sent(&near, &far, &[("12", false), ("x", true)])?;
    sent(&near, &far, &[("y", true), ("34", false)])?;
    report.exact("recv with MSG_OOB", "'y'", urgent(&far));
    report.exact("recv", "'12x'", received(&far));
    report.exact("recv", "'34'", received(&far));

    report.heading("'12', urgent 'x', '34', and only recv");
    let (near, far) = tcp::pair()?;
    sent(&near, &far, &[("12", false), ("x", true), ("34", false)])?;
    report.exact("recv", "'12'", received(&far));
    report.exact("recv", "'34'", received(&far));
    report.exact("recv with MSG_OOB", "EINVAL", urgent(&far));

    report.heading("the same with SO_OOBINLINE");
    let (near, far) = tcp::pair()?;
    far.set_out_of_band_inline(true)?;
    sent(&near, &far, &[("12", false), ("x", true), ("34", false)])?;
    report.exact("recv with MSG_OOB", "EINVAL", urgent(&far));
    report.exact("recv", "'12'", received(&far));
    report.exact("recv", "'x34'", received(&far));

    let waits = waits_for_room(report)?;

    signals(report)?;

    report.heading("other things that select calls an exception");
    let queue = has_error_queue()?;
    report.exact("a socket with an error in its queue", true, queue);
    let terminal = openpty(None, None)?;
    packet_mode(&terminal.master)?;
    tcflush(&terminal.slave, FlushArg::TCIFLUSH)?;
    let flushed = is_exceptional(&terminal.master)?;
    report.exact("a terminal whose input was flushed", true, flushed);
    let (_nobody, closed) = tcp::closed_port()?;
    let refused = tcp::connecting(&closed)?;
    readiness::at_least(&refused, EpollFlags::EPOLLERR)?;
    report.exact("a connect that failed", false, is_exceptional(&refused)?);

    let answer = match first.as_str() {
        "'123abc123'" => 'a',
        "'123ab'" => 'b',
        "'abc'" => 'c',
        _ => 'd',
    };
    // What has priority would be read first, and would not wait for room.
    let overtakes = if answer == 'c' || !waits {
        Verdict::Right
    } else {
        Verdict::Wrong
    };
    let only_one = if queue || flushed {
        Verdict::Wrong
    } else {
        Verdict::Right
    };
    Ok(Finding::new(answer, [overtakes, only_one]))
}

/// An urgent byte behind more than the peer has room for; whether it has to wait as the rest does.
fn waits_for_room(report: &mut Report) -> io::Result<bool> {
    report.heading("urgent 'x' behind more than the peer has room for");
    let (listener, address) = tcp::listener(1)?;
    // Inherited by what is accepted, and in time for the first window.
    listener.set_recv_buffer_size(4096)?;
    let near = tcp::socket()?;
    near.set_send_buffer_size(256 << 10)?;
    near.connect(&address)?;
    let (far, _) = listener.accept()?;
    near.send(&[b'.'; 16 << 10])?;
    near.send_out_of_band(b"x")?;
    // EINVAL until the peer's kernel has heard of it.
    tcp::until(|| Ok(urgent(&far) != "EINVAL"))?;
    let not_there = urgent(&far);
    report.exact("ready for", "IN|OUT", events(readiness::now(&far)?));
    report.exact("recv with MSG_OOB", "EAGAIN", &not_there);
    tcp::until(|| {
        let _ = recv(far.as_raw_fd(), &mut [0; 4096], MsgFlags::MSG_DONTWAIT);
        Ok(readiness::now(&far)?.contains(PRI))
    })?;
    report.exact("what is before it is read; MSG_OOB", "'x'", urgent(&far));
    Ok(not_there == "EAGAIN")
}

/// Who gets the signal that goes with it.
fn signals(report: &mut Report) -> io::Result<()> {
    report.heading("SIGURG");
    let mut only_urgent = SigSet::empty();
    only_urgent.add(Signal::SIGURG);
    only_urgent.thread_block()?;
    let signals = SignalFd::with_flags(&only_urgent, SfdFlags::SFD_NONBLOCK)?;
    let (near, far) = tcp::pair()?;
    sent(&near, &far, &[("x", true)])?;
    report.exact("without F_SETOWN", "none", one_or_none(&signals)?);
    own_signals(&far)?;
    near.send_out_of_band(b"y")?;
    readiness::settled(&signals, IN)?;
    report.exact("with F_SETOWN", "one", one_or_none(&signals)?);
    Ok(())
}

fn one_or_none(signals: &SignalFd) -> nix::Result<&'static str> {
    let signal = signals.read_signal()?;
    Ok(signal.map_or("none", |_| "one"))
}

/// Sends the pieces, urgent or not, and waits until they are there; what the other end is ready
/// for then.
fn sent(near: &Socket, far: &Socket, pieces: &[(&str, bool)]) -> io::Result<EpollFlags> {
    for (bytes, is_urgent) in pieces {
        if *is_urgent {
            near.send_out_of_band(bytes.as_bytes())?;
        } else {
            near.send(bytes.as_bytes())?;
        }
        // Else two urgent bytes may become one before the first has left.
        tcp::acknowledged(near)?;
    }
    Ok(readiness::at_least(far, PRI)?)
}

fn received(socket: &Socket) -> String {
    bytes(socket, MsgFlags::empty())
}

fn urgent(socket: &Socket) -> String {
    bytes(socket, MsgFlags::MSG_OOB)
}

fn bytes(socket: &Socket, flags: MsgFlags) -> String {
    let mut buffer = [0; 16];
    match recv(
        socket.as_raw_fd(),
        &mut buffer,
        flags | MsgFlags::MSG_DONTWAIT,
    ) {
        Ok(count) => format!("'{}'", String::from_utf8_lossy(&buffer[..count])),
        Err(err) => errno(&err.into()),
    }
}

/// Whether a UDP socket is exceptional when a refusal stands in its error queue.
fn has_error_queue() -> io::Result<bool> {
    const SO_SELECT_ERR_QUEUE: i32 = 45;
    let closed = {
        let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
        socket.bind(
            &"127.0.0.1:0"
                .parse::<std::net::SocketAddr>()
                .expect("one")
                .into(),
        )?;
        socket.local_addr()?
    };
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    setsockopt(&socket, Ipv4RecvErr, &true)?;
    set_socket_option(&socket, SO_SELECT_ERR_QUEUE, 1)?;
    socket.connect(&closed)?;
    socket.send(b"?")?;
    // Not by `readiness`: nothing more happens to it than this one thing.
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    epoll.add(&socket, EpollEvent::new(PRI, 0))?;
    let patience = PollTimeout::try_from(PATIENCE).unwrap_or(PollTimeout::MAX);
    epoll.wait(&mut [EpollEvent::empty()], patience)?;
    Ok(is_exceptional(&socket)?)
}

/// Whether select puts it in its third set.
fn is_exceptional(descriptor: impl AsFd) -> nix::Result<bool> {
    let descriptor = descriptor.as_fd();
    let mut set = FdSet::new();
    set.insert(descriptor);
    let mut now = TimeVal::zero();
    select(None, None, None, &mut set, &mut now)?;
    Ok(set.contains(descriptor))
}
