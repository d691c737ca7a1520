//! Claim 21: asynchronous I/O is for disks, and sockets do not support it.
//!
//! Shows: with `io_uring` the kernel accepts and receives while the program does something else, and
//! says so when it is done; POSIX AIO works too, by a thread of the C library.

use std::fs;
use std::os::fd::AsFd;
use std::pin::pin;

use nix::errno::Errno;
use nix::sys::aio::{Aio, AioRead, aio_suspend};
use nix::sys::signal::SigevNotify;
use nix::sys::time::TimeSpec;

use crate::claim::{Chapter, Claim, Sentence, Verdict, place};
use crate::readiness::PATIENCE;
use crate::report::{Finding, Report, Stop};
use crate::sys::Uring;
use crate::tcp;
use crate::words::{errno, returned, succeeded};

pub(crate) const CLAIM: Claim = Claim {
    number: 21,
    name: "async-sockets",
    chapter: Chapter::Waiting,
    sentences: &[Sentence {
        original: Some("(异步I/O) Linux下 仅仅针对磁盘类 I/O，套接字 I/O 不支持"),
        english: "(asynchronous I/O) on Linux it is for disk I/O only; sockets do not support it",
        verdict: Verdict::Outdated,
    }],
    question: "Can the kernel receive while the program goes on?",
    answers: &[
        "No: for sockets there is readiness only",
        "Yes, and it tells when the buffer is filled",
        "Only by a thread that the C library starts",
    ],
    answer: 'b',
    does: "It hands an accept to io_uring, then a receive, and looks each time whether the call \
           returned before there was anything; then the other end does its part. After that it \
           starts a POSIX aio_read on a socket and counts its own threads.",
    lesson: "With readiness (select, poll, epoll) the kernel says that a read would not block, and \
             the program reads. With completion (io_uring; accept since Linux 5.5) the program hands \
             over the buffer, and the kernel says how much is in it. The price is that the buffer \
             belongs to the kernel until then. POSIX AIO on Linux is a thread of the C library \
             that calls read. Containers often forbid io_uring, so a program needs another way.",
    code: &[place!(
        "epoll-loop/src/waiting.rs",
        "self.epoll.wait(&mut self.events, timeout)",
        "our loop is one of readiness; the callbacks read and write"
    )],
    sources: &[
        "io_uring_enter(2): IORING_OP_ACCEPT (5.5), IORING_OP_RECV (5.6)",
        "aio(7), NOTES: the current Linux POSIX AIO implementation is in user space by glibc",
        "docs.kernel.org/admin-guide/sysctl/kernel: io_uring_disabled",
    ],
    run,
};

fn run(report: &mut Report) -> Result<Finding, Stop> {
    let mut uring = match Uring::new() {
        Ok(uring) => uring,
        // Not compiled in; switched off by the administrator, or filtered by a container.
        Err(err) if matches!(errno(&err).as_str(), "ENOSYS" | "EPERM") => {
            return Err(Stop::Needs("io_uring"));
        }
        Err(err) => return Err(err.into()),
    };

    report.heading("io_uring");
    let (listener, address) = tcp::listener(1)?;
    uring.submit_accept(&listener)?;
    let returned_at_once = report.exact("accept handed over, completed", 0, uring.completed());
    let client = tcp::socket()?;
    client.connect(&address)?;
    let accepted = uring.wait_for_accept(PATIENCE);
    let outcome = accepted
        .as_ref()
        .map_or_else(errno, |_| "a socket".to_owned());
    let is_accepted = report.exact("a client connects, result", "a socket", outcome);
    let accepted = accepted?;
    uring.submit_receive(&accepted)?;
    report.exact("receive handed over, completed", 0, uring.completed());
    client.send(b"hello")?;
    let bytes = uring.wait_for_bytes(PATIENCE)?;
    let text = String::from_utf8_lossy(&bytes);
    let is_filled = report.exact("the client writes, the buffer has", "hello", text);

    report.heading("POSIX aio_read on a socket");
    let (near, far) = tcp::pair()?;
    let mut buffer = [0; 16];
    let mut read = pin!(AioRead::new(
        near.as_fd(),
        0,
        &mut buffer,
        0,
        SigevNotify::SigevNone
    ));
    report.exact("aio_read", "ok", succeeded(read.as_mut().submit()));
    report.exact("aio_error", "EINPROGRESS", succeeded(read.as_mut().error()));
    let threads = fs::read_dir("/proc/self/task")?.count();
    report.relation(
        "threads of this process",
        format_args!("~{threads}"),
        "more than it started with",
        threads > 1,
    );
    far.send(b"hello")?;
    while read.as_mut().error() == Err(Errno::EINPROGRESS) {
        aio_suspend(&[&*read], Some(TimeSpec::from_duration(PATIENCE)))?;
    }
    report.exact(
        "the other end writes, aio_return",
        5,
        returned(read.as_mut().aio_return()),
    );

    Ok(if returned_at_once && is_accepted && is_filled {
        Finding::new('b', [Verdict::Outdated])
    } else {
        Finding::new('a', [Verdict::Right])
    })
}
