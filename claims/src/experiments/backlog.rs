//! Claim 9: a client can connect without an accept; the backlog is the length of the queue.
//!
//! Shows: the kernel completes connections by itself, one more than the backlog says, and does not
//! answer the rest.

use std::fs;
use std::io;
use std::process;
use std::time::Instant;

use nix::sys::epoll::EpollFlags;
use nix::unistd::read;
use socket2::{Domain, SockAddr, Socket, Type};

use crate::claim::{Chapter, Claim, Sentence, Verdict, place};
use crate::readiness;
use crate::report::{Finding, Report, Stop};
use crate::sys;
use crate::tcp;
use crate::words::{returned, succeeded};

pub(crate) const CLAIM: Claim = Claim {
    number: 9,
    name: "backlog",
    chapter: Chapter::Accepting,
    sentences: &[
        Sentence {
            original: Some("服务端一旦处于 listen 状态，不用 accept，客户端也能发起连接"),
            english: "as soon as the server listens, a client can connect without an accept",
            verdict: Verdict::Right,
        },
        Sentence {
            original: Some("listen函数的第2个参数(TCP完成3次握手的数据包队列长度)"),
            english: "the second argument of listen is the length of the queue of connections that \
                      have completed the three-way handshake",
            verdict: Verdict::Imprecise,
        },
    ],
    question: "listen(2), and nobody accepts: how many can connect?",
    answers: &["None", "2", "3", "As many as want to"],
    answer: 'c',
    does: "It listens with several backlogs, accepts nobody, and lets three clients more than the \
           backlog connect. One of them writes before it is accepted. Then it fills a backlog, \
           accepts one and waits for the next; asks for a backlog of a million; fills that of a \
           Unix socket; and closes a listener with a client in its backlog.",
    lesson: "accept takes a connection that is there already; the client may have written long \
             before. The queue holds one more than the backlog, since it counts as full only beyond \
             it. When it is full SYN is dropped without an answer, so that a client waits for \
             its own retransmission a second later, or for its timeout: a silent peer for tests. \
             net.core.somaxconn cuts whatever is asked for. A Unix socket says EAGAIN instead, not \
             EINPROGRESS: there is nothing to wait for.",
    code: &[
        place!(
            "epoll-loop/src/listener.rs",
            "const BACKLOG: i32",
            "as much as somaxconn allows, so that a burst of clients is not made to wait a second"
        ),
        place!(
            "nonblock-connect/src/silent.rs",
            "listener.listen(0)",
            "a full backlog is the peer that never answers"
        ),
    ],
    sources: &[
        "listen(2): backlog, and /proc/sys/net/core/somaxconn",
        "connect(2), EAGAIN: for nonblocking UNIX domain sockets",
        "RFC 6298, section 2.1: the first retransmission comes after 1 s",
    ],
    run,
};

fn run(report: &mut Report) -> Result<Finding, Stop> {
    let mut one_more = true;
    for backlog in [0_u8, 1, 2, 5] {
        report.heading(format_args!("listen({backlog}), {} clients", backlog + 4));
        let (connected, silent) = connect_without_accept(backlog)?;
        report.exact("ESTABLISHED", backlog + 1, connected);
        report.exact("SYN_SENT", 3, silent);
        one_more &= connected == usize::from(backlog) + 1;
    }

    report.heading("written before it is accepted");
    let (listener, address) = tcp::listener(8)?;
    let client = tcp::socket()?;
    let connects = succeeded(client.connect(&address));
    report.exact("connect", "ok", &connects);
    report.exact("write", 5, returned(client.send(b"hello")));
    let (accepted, _) = listener.accept()?;
    let mut heard = [0; 16];
    let count = read(&accepted, &mut heard)?;
    report.exact(
        "accept, and read",
        "hello",
        String::from_utf8_lossy(&heard[..count]),
    );

    report.heading("a full backlog, and then one accept");
    let (listener, address, _first) = tcp::silent_listener()?;
    let waiting = tcp::connecting(&address)?;
    report.exact("the next client", "SYN_SENT", tcp::state(&waiting)?);
    let begin = Instant::now();
    let _accepted = listener.accept()?;
    readiness::settled(&waiting, EpollFlags::EPOLLOUT)?;
    report.exact(
        "the next client at last",
        "ESTABLISHED",
        tcp::state(&waiting)?,
    );
    report.figure(
        "after",
        format_args!("~{:.2} s", begin.elapsed().as_secs_f64()),
    );

    report.heading("other backlogs");
    let (listener, _) = tcp::listener(1 << 20)?;
    let allowed = fs::read_to_string("/proc/sys/net/core/somaxconn")?;
    let length = sys::tcp_info(&listener)?.tcpi_sacked;
    report.relation(
        "listen(1048576) gives",
        format_args!("~{length}"),
        "net.core.somaxconn",
        allowed.trim() == length.to_string(),
    );
    let (_listener, _clients, answers) = unix_connects()?;
    report.exact(
        "listen(0), three clients of a Unix socket",
        "ok EAGAIN EAGAIN",
        answers,
    );
    let (listener, address) = tcp::listener(8)?;
    let client = tcp::socket()?;
    client.connect(&address)?;
    tcp::until(|| Ok(sys::tcp_info(&listener)?.tcpi_unacked == 1))?;
    drop(listener);
    let end = returned(read(&client, &mut [0]));
    report.exact(
        "read of a client whose listener has closed",
        "ECONNRESET",
        end,
    );

    let connects = connects == "ok";
    let answer = match (connects, one_more) {
        (true, true) => 'c',
        (true, false) => 'b',
        (false, _) => 'a',
    };
    let first = if connects {
        Verdict::Right
    } else {
        Verdict::Wrong
    };
    let second = if one_more {
        Verdict::Imprecise
    } else {
        Verdict::Right
    };
    Ok(Finding::new(answer, [first, second]))
}

/// Three clients more than a backlog lets in: how many are connected, how many still try.
fn connect_without_accept(backlog: u8) -> io::Result<(usize, usize)> {
    let (listener, address) = tcp::listener(backlog.into())?;
    let mut clients = Vec::new();
    for number in 1..=u32::from(backlog) + 4 {
        clients.push(tcp::connecting(&address)?);
        // One after the other: a connection counts in the queue when its handshake is over, so of
        // a crowd some would find room that is taken a moment later.
        if number <= u32::from(backlog) + 1 {
            tcp::until(|| Ok(sys::tcp_info(&listener)?.tcpi_unacked >= number))?;
        }
    }
    let mut counts = (0, 0);
    for client in &clients {
        match tcp::state(client)? {
            "ESTABLISHED" => counts.0 += 1,
            "SYN_SENT" => counts.1 += 1,
            _ => {}
        }
    }
    Ok(counts)
}

/// What three clients of a Unix listener with backlog 0 get to hear.
fn unix_connects() -> io::Result<(Socket, Vec<Socket>, String)> {
    // A name that is in no file system (`unix(7)`, abstract).
    let address = SockAddr::unix(format!("\0claims-backlog-{}", process::id()))?;
    let listener = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    listener.bind(&address)?;
    listener.listen(0)?;
    let (mut clients, mut answers) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        let client = Socket::new(Domain::UNIX, Type::STREAM.nonblocking(), None)?;
        answers.push(succeeded(client.connect(&address)));
        clients.push(client);
    }
    Ok((listener, clients, answers.join(" ")))
}
