//! Claim 26: `SIGCHLD` is ignored by default, and its handler reaps the child.
//!
//! Shows: doing nothing by default is not ignoring; ten ends may be one signal, so a handler that
//! reaps one child leaves nine.

use std::io;
use std::process;

use nix::errno::Errno;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::claim::{Chapter, Claim, Sentence, Verdict, place};
use crate::report::{Finding, Report, Stop};
use crate::run_state;
use crate::sys::{self, Handler};
use crate::tcp;
use crate::words::errno;

pub(crate) const CLAIM: Claim = Claim {
    number: 26,
    name: "zombies",
    chapter: Chapter::SignalsAndProcesses,
    sentences: &[
        Sentence {
            original: Some(
                "SIGCHLD 是子进程退出或者中断时由内核向父进程发出的信号，默认这个信号是忽略的",
            ),
            english: "SIGCHLD is sent by the kernel to the parent when a child ends or is stopped; \
                      by default it is ignored",
            verdict: Verdict::Imprecise,
        },
        Sentence {
            original: Some(
                "捕捉信号 SIGCHILD 信号，然后再在信号处理函数里调用 waitpid 函数来完成子进程资源的回收",
            ),
            english: "catch the signal and call waitpid in the handler, to give back what the child \
                      holds",
            verdict: Verdict::Imprecise,
        },
    ],
    question: "Ten children end, the handler waits once. Zombies?",
    answers: &["None: each end calls the handler", "Nine", "Ten"],
    answer: 'b',
    does: "Ten children end while SIGCHLD is blocked, as it is while its handler runs; then it is \
           unblocked, and the zombies are counted: with the default action, ignored, with a handler \
           that calls waitpid once, and with one that calls it until nobody is left.",
    lesson: "The default action of SIGCHLD is to do nothing, and the child stays a zombie until \
             somebody waits. To ignore it (SIG_IGN) is another thing: it says that nobody will, and \
             the kernel keeps no zombie. A signal is a flag and not a queue: ends that come while \
             it is set add nothing. So a handler, and a loop that reads a signalfd, waits with \
             WNOHANG until nobody is left. A pidfd for each child avoids the question.",
    code: &[place!(
        "epoll-loop/src/event_loop.rs",
        "rustix::process::pidfd_open(pid, ",
        "a descriptor for each child, ready when that child has ended"
    )],
    sources: &[
        "signal(7), Standard signals: SIGCHLD, Ign; Queueing: only one instance is queued",
        "wait(2), NOTES: SIGCHLD set to SIG_IGN",
    ],
    run,
};

const CHILDREN: usize = 10;

fn run(report: &mut Report) -> Result<Finding, Stop> {
    let by_default = ended(report, "the default action", [10, 0], "a child", || {
        sys::set_default_action(Signal::SIGCHLD)
    })?;
    let ignored = ended(report, "ignored, SIG_IGN", [0, 0], "ECHILD", || {
        sys::ignore(Signal::SIGCHLD)
    })?;
    let once = ended(report, "a handler, waitpid once", [9, 1], "a child", || {
        sys::handle(Signal::SIGCHLD, Handler::ReapOne, true)
    })?;
    let heading = "mended: a handler, waitpid until nobody is left";
    ended(report, heading, [0, 10], "ECHILD", || {
        sys::handle(Signal::SIGCHLD, Handler::ReapAll, true)
    })?;

    let answer = match once {
        0 => 'a',
        CHILDREN => 'c',
        _ => 'b',
    };
    let is_ignored = if by_default == ignored {
        Verdict::Right
    } else {
        Verdict::Imprecise
    };
    let reaps = if once == 0 {
        Verdict::Right
    } else {
        Verdict::Imprecise
    };
    Ok(Finding::new(answer, [is_ignored, reaps]))
}

/// Ten children end under an action; how many zombies are left. `expected` are those, and how many
/// the handler has reaped.
fn ended(
    report: &mut Report,
    heading: &str,
    expected: [usize; 2],
    next: &str,
    action: impl Fn() -> nix::Result<()>,
) -> Result<usize, Stop> {
    report.heading(heading);
    action()?;
    let mut child_signal = SigSet::empty();
    child_signal.add(Signal::SIGCHLD);
    child_signal.thread_block()?;
    let mut children = Vec::new();
    for _ in 0..CHILDREN {
        match sys::fork_with_one_thread()? {
            Some(child) => children.push(child),
            None => process::exit(0),
        }
    }
    // Each is a zombie, or gone where nobody waits for it.
    tcp::until(|| Ok(children.iter().all(|child| !lives(*child))))?;
    sys::reaped_by_handlers();
    // The handler runs before this returns.
    child_signal.thread_unblock()?;
    let reaped = sys::reaped_by_handlers();
    let zombies = children.iter().filter(|child| is_zombie(**child)).count();
    report.exact("zombies", expected[0], zombies);
    report.exact("reaped by the handler", expected[1], reaped);
    let waited = match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
        Ok(WaitStatus::StillAlive) => "nobody yet".to_owned(),
        Ok(_) => "a child".to_owned(),
        Err(err) => errno(&io::Error::from(err)),
    };
    report.exact("waitpid", next, waited);
    while waitpid(None, None) != Err(Errno::ECHILD) {}
    Ok(zombies)
}

fn is_zombie(pid: Pid) -> bool {
    run_state::of_process(pid) == Some('Z')
}

fn lives(pid: Pid) -> bool {
    !matches!(run_state::of_process(pid), None | Some('Z' | 'X'))
}
