//! Claim 13: with an edge-triggered listener some clients cannot connect.
//!
//! Shows: they do connect, since the kernel does that by itself; nobody serves them, because one
//! edge was reported for all, and one of them accepted.

use std::fmt;
use std::io;

use nix::poll::PollTimeout;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use socket2::{SockAddr, Socket};

use crate::claim::{Chapter, Claim, Sentence, Verdict, place};
use crate::report::{Finding, Report, Stop};
use crate::sys::tcp_info;
use crate::tcp;

pub(crate) const CLAIM: Claim = Claim {
    number: 13,
    name: "edge-listener",
    chapter: Chapter::Accepting,
    sentences: &[Sentence {
        original: Some(
            "对于监听的sockfd，最好使用水平触发模式，边缘触发模式会导致高并发情况下，有的客户端会连接不上",
        ),
        english: "for a listening socket level-triggered is best; edge-triggered, with many clients \
                  at once, some cannot connect",
        verdict: Verdict::Imprecise,
    }],
    question: "Ten clients, one edge, one accept. The other nine?",
    answers: &[
        "They cannot connect",
        "They are connected, and nobody serves them",
        "The next epoll_wait reports the listener again",
    ],
    answer: 'b',
    does: "Ten clients connect to a listener before the server looks. Then the server waits and \
           accepts until epoll reports nothing more: edge-triggered with one accept for each event, \
           and an eleventh client comes; edge-triggered, accepting until EAGAIN; level-triggered \
           with one accept for each event.",
    lesson: "connect succeeds when the handshake is done, and the kernel does that without the \
             program. What is lost is the notice: one edge told of all ten. The rest wait in the \
             backlog, and each later client brings one of them in, so that the server is always \
             nine behind. Accept until EAGAIN, or stay level-triggered; then a limit for each turn \
             is allowed too.",
    code: &[place!(
        "chat-server/src/accepting.rs",
        "match epoll_loop::accept(&*door.listener) {",
        "accepts until nobody is left or the limit is reached; level-triggered, so the rest is \
         reported again"
    )],
    sources: &[
        "epoll(7), Level-triggered and edge-triggered: non-blocking, and waiting only after EAGAIN",
        "listen(2): the backlog holds connections that are complete",
    ],
    run,
};

const CLIENTS: u32 = 10;

/// How the server is told, and how much it accepts then.
#[derive(Clone, Copy)]
struct Server {
    trigger: EpollFlags,
    until_nobody: bool,
}

/// What came of one.
struct Served {
    wakeups: u32,
    accepted: u32,
}

impl fmt::Display for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { wakeups, accepted } = self;
        write!(f, "events {wakeups}, accepted {accepted}")
    }
}

fn run(report: &mut Report) -> Result<Finding, Stop> {
    report.heading("as it is often written: edge-triggered, one accept for each event");
    let one_each = Server {
        trigger: EpollFlags::EPOLLET,
        until_nobody: false,
    };
    let (listener, address) = listener()?;
    let epoll = registered(&listener, one_each)?;
    let mut clients = connected(&listener, &address, CLIENTS)?;
    report.exact("clients whose connect succeeded", 10, clients.len());
    let served = serve(&listener, &epoll, one_each)?;
    report.exact("ten clients", "events 1, accepted 1", &served);
    report.exact("still in the backlog", 9, waiting(&listener)?);
    clients.extend(connected(&listener, &address, 1)?);
    let eleventh = serve(&listener, &epoll, one_each)?;
    report.exact("an eleventh connects", "events 1, accepted 1", eleventh);
    report.exact("still in the backlog", 9, waiting(&listener)?);

    let mended = [
        (
            "mended: edge-triggered, accepting until EAGAIN",
            Server {
                trigger: EpollFlags::EPOLLET,
                until_nobody: true,
            },
            "events 1, accepted 10",
        ),
        (
            "mended: level-triggered, one accept for each event",
            Server {
                trigger: EpollFlags::empty(),
                until_nobody: false,
            },
            "events 10, accepted 10",
        ),
    ];
    let mut all_served = true;
    for (heading, server, expected) in mended {
        report.heading(heading);
        let (listener, address) = self::listener()?;
        let epoll = registered(&listener, server)?;
        let _clients = connected(&listener, &address, CLIENTS)?;
        let served = serve(&listener, &epoll, server)?;
        report.exact("ten clients", expected, &served);
        report.exact("still in the backlog", 0, waiting(&listener)?);
        all_served &= served.accepted == CLIENTS;
    }

    Ok(if clients.len() < 11 {
        Finding::new('a', [Verdict::Right])
    } else if served.accepted == CLIENTS || !all_served {
        Finding::new('c', [Verdict::Wrong])
    } else {
        Finding::new('b', [Verdict::Imprecise])
    })
}

fn listener() -> io::Result<(Socket, SockAddr)> {
    let (listener, address) = tcp::listener(64)?;
    listener.set_nonblocking(true)?;
    Ok((listener, address))
}

fn registered(listener: &Socket, server: Server) -> nix::Result<Epoll> {
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    let interest = EpollFlags::EPOLLIN | server.trigger;
    epoll.add(listener, EpollEvent::new(interest, 0))?;
    Ok(epoll)
}

/// So many more clients; when this returns they are all in the backlog.
fn connected(listener: &Socket, address: &SockAddr, count: u32) -> io::Result<Vec<Socket>> {
    let wanted = waiting(listener)? + count;
    let mut clients = Vec::new();
    for _ in 0..count {
        let client = tcp::socket()?;
        client.connect(address)?;
        clients.push(client);
    }
    tcp::until(|| Ok(waiting(listener)? == wanted))?;
    Ok(clients)
}

/// How many connections wait to be accepted.
fn waiting(listener: &Socket) -> io::Result<u32> {
    Ok(tcp_info(listener)?.tcpi_unacked)
}

/// Waits and accepts until nothing more is reported.
fn serve(listener: &Socket, epoll: &Epoll, server: Server) -> io::Result<Served> {
    let mut done = Served {
        wakeups: 0,
        accepted: 0,
    };
    while epoll.wait(&mut [EpollEvent::empty()], PollTimeout::ZERO)? > 0 {
        done.wakeups += 1;
        while listener.accept().is_ok() {
            done.accepted += 1;
            if !server.until_nobody {
                break;
            }
        }
    }
    Ok(done)
}
