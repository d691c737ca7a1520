//! Claim 10: only level-triggered epoll wakes the whole herd.
//!
//! Shows: how many of eight workers one connection wakes, in eight arrangements; and why a machine
//! with nothing else to do hides it.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};

use nix::poll::PollTimeout;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use nix::unistd::pipe;
use rustix::io::ioctl_fionread;
use socket2::{SockAddr, Socket};

use crate::claim::{Chapter, Claim, Sentence, Verdict, place};
use crate::forked::Forked;
use crate::report::{Finding, Report, Stop};
use crate::run_state;
use crate::tcp;
use crate::words::succeeded;

pub(crate) const CLAIM: Claim = Claim {
    number: 10,
    name: "thundering-herd",
    chapter: Chapter::Accepting,
    sentences: &[
        Sentence {
            original: Some("在linux2.6版本以后，linux内核已经解决了accept()函数的“惊群”现象"),
            english: "since Linux 2.6 the kernel has solved the thundering herd of accept",
            verdict: Verdict::Right,
        },
        Sentence {
            original: Some("epoll惊群只会在水平模式下才会发生"),
            english: "the thundering herd of epoll happens in level-triggered mode only",
            verdict: Verdict::Wrong,
        },
    ],
    question: "Eight workers watch a listener by ET. Who wakes?",
    answers: &[
        "One: that is what edge-triggered is for",
        "All of them, if each has an epoll of its own",
        "All of them, in any case",
    ],
    answer: 'b',
    does: "Eight processes wait for connections to one port, in eight arrangements; six connections \
           come, one after the other. A worker that was woken waits at a gate, which is opened when \
           all that were woken stand before it and the others sleep; only then they accept. Beside \
           it stands what is seen without a gate.",
    lesson: "With an epoll for each worker (as in nginx) the mode does not matter: the listener wakes \
             every epoll that watches it. Level-triggered makes a herd, edge-triggered does not, \
             only where all share one epoll, as after a fork. What mends it: EPOLLEXCLUSIVE, which \
             wakes one, and mostly the same one; or SO_REUSEPORT, a backlog for each worker, which \
             shares the work out. Without the gate the first worker has often accepted before the \
             others look, and they find nothing and sleep on without returning from epoll_wait: the \
             herd costs their wake-ups, but the program does not see it.",
    code: &[place!(
        "epoll-loop/src/listener.rs",
        "/// The backlog is empty.",
        "who is woken and finds nobody goes back to the loop; our server has one thread for this"
    )],
    sources: &[
        "epoll_ctl(2), EPOLLEXCLUSIVE: EINVAL with EPOLL_CTL_MOD and with EPOLLONESHOT",
        "epoll(7): if multiple threads are blocked in epoll_wait on the same epoll and it is \
         edge-triggered, just one is awoken",
        "socket(7), SO_REUSEPORT",
    ],
    run,
};

const WORKERS: u8 = 8;
const CONNECTIONS: usize = 6;

/// How the workers wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Arrangement {
    BlockingAccept,
    OwnEpoll(EpollFlags),
    SharedEpoll(EpollFlags),
    ReusePort,
}

use Arrangement::{BlockingAccept, OwnEpoll, ReusePort, SharedEpoll};

const LEVEL: EpollFlags = EpollFlags::empty();
const EDGE: EpollFlags = EpollFlags::EPOLLET;
const EXCLUSIVE: EpollFlags = EpollFlags::EPOLLEXCLUSIVE;
const ONE_SHOT: EpollFlags = EpollFlags::EPOLLONESHOT;

impl fmt::Display for Arrangement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = |flags| match flags {
            EDGE => "ET",
            EXCLUSIVE => "LT|EXCLUSIVE",
            ONE_SHOT => "LT|ONESHOT",
            _ => "LT",
        };
        match self {
            BlockingAccept => write!(f, "blocking accept, one listener"),
            OwnEpoll(of) => write!(f, "an epoll each, {}", flags(*of)),
            SharedEpoll(of) => write!(f, "one epoll for all, {}", flags(*of)),
            ReusePort => write!(f, "a SO_REUSEPORT listener and an epoll each"),
        }
    }
}

fn run(report: &mut Report) -> Result<Finding, Stop> {
    report.heading("workers that one connection wakes");
    let accept_solved = wakes_one(report, BlockingAccept)?;
    let own_level = wakes_more(report, OwnEpoll(LEVEL))?;
    let own_edge = wakes_more(report, OwnEpoll(EDGE))?;
    wakes_more(report, SharedEpoll(LEVEL))?;
    let shared_edge = wakes_one(report, SharedEpoll(EDGE))?;

    report.heading("mended");
    wakes_one(report, OwnEpoll(EXCLUSIVE))?;
    wakes_one(report, ReusePort)?;
    wakes_one(report, SharedEpoll(ONE_SHOT))?;

    report.heading("workers to which six connections went");
    for arrangement in [OwnEpoll(EXCLUSIVE), ReusePort] {
        let different = woken(arrangement, true)?.different;
        report.figure(arrangement, format_args!("~{different}"));
    }

    report.heading("what EPOLLEXCLUSIVE does not go together with");
    let (listener, _) = tcp::listener(1)?;
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    epoll.add(
        &listener,
        EpollEvent::new(EpollFlags::EPOLLIN | EXCLUSIVE, 0),
    )?;
    let modified = epoll.modify(&listener, &mut EpollEvent::new(EpollFlags::EPOLLIN, 0));
    report.exact("EPOLL_CTL_MOD", "EINVAL", succeeded(modified));
    let other = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    let both = EpollEvent::new(EpollFlags::EPOLLIN | EXCLUSIVE | ONE_SHOT, 0);
    report.exact(
        "EPOLLONESHOT",
        "EINVAL",
        succeeded(other.add(&listener, both)),
    );

    let answer = match (own_edge, shared_edge) {
        (false, _) => 'a',
        (true, true) => 'b',
        (true, false) => 'c',
    };
    let accept = if accept_solved {
        Verdict::Right
    } else {
        Verdict::Wrong
    };
    let only_level = if own_level && own_edge {
        Verdict::Wrong
    } else {
        Verdict::Right
    };
    Ok(Finding::new(answer, [accept, only_level]))
}

fn wakes_one(report: &mut Report, arrangement: Arrangement) -> io::Result<bool> {
    let (gated, open) = (woken(arrangement, true)?, woken(arrangement, false)?);
    let figures = format!("{:.1}, without a gate ~{:.1}", gated.average, open.average);
    let is_one = (gated.average - 1.0).abs() < 0.01;
    Ok(report.relation(arrangement, figures, "one", is_one))
}

fn wakes_more(report: &mut Report, arrangement: Arrangement) -> io::Result<bool> {
    let (gated, open) = (woken(arrangement, true)?, woken(arrangement, false)?);
    let figures = format!("~{:.1}, without a gate ~{:.1}", gated.average, open.average);
    Ok(report.relation(arrangement, figures, "a herd", gated.average > 1.01))
}

/// Who was woken by the connections.
struct Woken {
    /// How many by each, on average.
    average: f64,
    /// How many at all.
    different: usize,
}

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn woken(arrangement: Arrangement, with_gate: bool) -> io::Result<Woken> {
    let mut herd = Herd::start(arrangement, with_gate)?;
    let mut woken = Vec::new();
    for _ in 0..CONNECTIONS {
        woken.extend(herd.meets_a_connection()?);
    }
    let average = woken.len() as f64 / CONNECTIONS as f64;
    woken.sort_unstable();
    woken.dedup();
    Ok(Woken {
        average,
        different: woken.len(),
    })
}

/// Eight workers, and the pipes by which their parent knows what they do.
struct Herd {
    workers: Vec<Forked>,
    address: SockAddr,
    /// A worker writes its number when it has been woken.
    awake: File,
    /// It takes a byte before it accepts. Nothing without a gate.
    gate: Option<File>,
}

impl Herd {
    fn start(arrangement: Arrangement, with_gate: bool) -> io::Result<Self> {
        let listeners = listeners(arrangement)?;
        let address = listeners[0].local_addr()?;
        let shared = match arrangement {
            SharedEpoll(flags) => Some(epoll(&listeners[0], flags)?),
            _ => None,
        };
        let (awake, tell_awake) = pipe()?;
        let (pass, gate) = pipe()?;
        let (awake, mut tell_awake) = (File::from(awake), File::from(tell_awake));
        let (mut pass, gate) = (File::from(pass), File::from(gate));
        // Accepting is what tells of the wake-up where nothing is waited for before.
        let with_gate = with_gate && arrangement != BlockingAccept;
        let mut workers = Vec::new();
        for number in 0..WORKERS {
            let listener = listeners.get(usize::from(number)).unwrap_or(&listeners[0]);
            workers.push(Forked::start(|| {
                let own = match arrangement {
                    OwnEpoll(flags) => Some(epoll(listener, flags)?),
                    ReusePort => Some(epoll(listener, LEVEL)?),
                    BlockingAccept | SharedEpoll(_) => None,
                };
                let epoll = own.as_ref().or(shared.as_ref());
                loop {
                    if let Some(epoll) = epoll {
                        epoll.wait(&mut [EpollEvent::empty()], PollTimeout::NONE)?;
                        tell_awake.write_all(&[number])?;
                    }
                    if with_gate {
                        pass.read_exact(&mut [0])?;
                    }
                    match listener.accept() {
                        Ok(_) if epoll.is_none() => tell_awake.write_all(&[number])?,
                        Ok(_) => {}
                        Err(err) if err.kind() == io::ErrorKind::WouldBlock => {}
                        Err(err) => return Err(err),
                    }
                    if let (SharedEpoll(ONE_SHOT), Some(epoll)) = (arrangement, epoll) {
                        epoll.modify(listener, &mut event(ONE_SHOT))?;
                    }
                }
            })?);
        }
        let gate = with_gate.then_some(gate);
        Ok(Self {
            workers,
            address,
            awake,
            gate,
        })
    }

    /// Lets one client come; the workers that are woken by it.
    fn meets_a_connection(&mut self) -> io::Result<Vec<u8>> {
        self.waits_until_still()?;
        let client = tcp::socket()?;
        client.connect(&self.address)?;
        tcp::until(|| Ok(self.woken()? > 0))?;
        let mut passed = 0;
        loop {
            self.waits_until_still()?;
            let woken = self.woken()?;
            match &mut self.gate {
                Some(gate) if passed < woken => gate.write_all(&vec![b'.'; woken - passed])?,
                _ => {
                    let mut numbers = vec![0; woken];
                    self.awake.read_exact(&mut numbers)?;
                    return Ok(numbers);
                }
            }
            passed = woken;
        }
    }

    /// How many have said that they were woken.
    fn woken(&self) -> io::Result<usize> {
        let bytes = ioctl_fionread(&self.awake)?;
        Ok(usize::try_from(bytes).expect("a pipe is small"))
    }

    /// Waits until every worker sleeps, in its wait or before the gate, and goes on doing so: a
    /// worker that has been woken is running, or would if it had a processor.
    fn waits_until_still(&self) -> io::Result<()> {
        const LOOKS: usize = 4;
        let (mut looks, mut before) = (0, 0);
        tcp::until(|| {
            let woken = self.woken()?;
            let mut sleeping = true;
            for worker in &self.workers {
                sleeping &= run_state::of_process(worker.pid()) == Some('S');
            }
            looks = if sleeping && woken == before {
                looks + 1
            } else {
                0
            };
            before = woken;
            Ok(looks == LOOKS)
        })
    }
}

/// One listener for all, or with `SO_REUSEPORT` one for each.
fn listeners(arrangement: Arrangement) -> io::Result<Vec<Socket>> {
    let mut address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into();
    let count = if arrangement == ReusePort { WORKERS } else { 1 };
    let mut listeners = Vec::new();
    for _ in 0..count {
        let listener = tcp::socket()?;
        listener.set_reuse_port(arrangement == ReusePort)?;
        listener.set_nonblocking(arrangement != BlockingAccept)?;
        listener.bind(&address)?;
        listener.listen(64)?;
        address = listener.local_addr()?;
        listeners.push(listener);
    }
    Ok(listeners)
}

fn epoll(listener: &Socket, flags: EpollFlags) -> nix::Result<Epoll> {
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    epoll.add(listener, event(flags))?;
    Ok(epoll)
}

fn event(flags: EpollFlags) -> EpollEvent {
    EpollEvent::new(EpollFlags::EPOLLIN | flags, 0)
}
