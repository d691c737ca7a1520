//! Claim 2: the kernel is compiled for 2,048 descriptors in a select, and epoll has no limit.
//!
//! Shows: which limit is whose: 1,024 is that of the C library's `fd_set`, `RLIMIT_NOFILE` that of
//! poll, and epoll has one that nobody meets.

use std::fs;
use std::os::fd::{AsFd, AsRawFd};
use std::panic;
use std::time::Duration;

use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::select::FdSet;
use nix::unistd::{pipe, write};
use rustix::io::fcntl_dupfd_cloexec;

use crate::claim::{Chapter, Claim, Sentence, Verdict, place};
use crate::report::{Finding, Report, Stop};
use crate::sys;
use crate::words::{returned, succeeded};

pub(crate) const CLAIM: Claim = Claim {
    number: 2,
    name: "fd-set-size",
    chapter: Chapter::Waiting,
    sentences: &[
        Sentence {
            original: Some(
                "所打开的FD是有一定限制的，由FD_SETSIZE设置，默认值是2048 ... 修改这个宏然后重新编译内核",
            ),
            english: "the descriptors are limited by FD_SETSIZE, 2048 by default: change this macro \
                      and compile the kernel anew",
            verdict: Verdict::Wrong,
        },
        Sentence {
            original: Some("在 Linux 系统中，select 的默认最大值为 1024"),
            english: "on Linux the default maximum of select is 1024",
            verdict: Verdict::Right,
        },
        Sentence {
            original: Some("epoll则没有这个限制，它所支持的FD上限是最大可以打开文件的数目"),
            english: "epoll has no such limit; as many as can be opened can be watched",
            verdict: Verdict::Imprecise,
        },
        Sentence {
            original: Some("int select(int maxfd, ..., const struct timeval *timeout)"),
            english: "select leaves its timeout as it is",
            verdict: Verdict::Wrong,
        },
    ],
    question: "What keeps select from watching descriptor 3000?",
    answers: &[
        "The kernel, which is compiled for FD_SETSIZE descriptors",
        "The limit of open descriptors",
        "The type fd_set of the C library; the kernel would do it",
    ],
    answer: 'c',
    does: "It gives the reading end of a pipe with a byte in it a number beyond 1,024 and asks for \
           it: the C library's fd_set, and then the kernel, with a bitmap of its own. It looks at \
           the timeout of that select, lowers its limit of descriptors and calls poll with as many \
           entries and with one more. At last it reads the limit of epoll.",
    lesson: "The kernel reads as many bits as the first argument says. The fd_set of the C library \
             has 1,024 of them, and FD_SET with a larger number writes past its end: it stops the \
             program if that was compiled with _FORTIFY_SOURCE, and corrupts its memory if not. \
             poll counts its entries against RLIMIT_NOFILE, whatever they are. epoll has a limit of \
             registrations for each user, fs.epoll.max_user_watches, in the millions. And the \
             kernel writes the time that is left into select's timeout: set it before each call.",
    code: &[place!(
        "chapter/src/descriptor_limit.rs",
        "setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?",
        "the soft limit is 1,024 for the sake of select; a program on epoll may raise it"
    )],
    sources: &[
        "select(2), BUGS: glibc's fd_set is fixed in size; the Linux kernel imposes no limit",
        "select(2), The timeout: Linux modifies it",
        "poll(2), EINVAL: the nfds value exceeds the RLIMIT_NOFILE value",
        "epoll(7), /proc/sys/fs/epoll/max_user_watches",
    ],
    run,
};

/// Beyond the `fd_set` of the C library and the 2,048 of the note.
const NUMBER: u16 = 3000;

fn run(report: &mut Report) -> Result<Finding, Stop> {
    if chapter::raise_descriptor_limit()? <= NUMBER.into() {
        return Err(Stop::Needs("descriptors"));
    }
    let (read_end, write_end) = pipe()?;
    write(&write_end, b"x")?;
    let high = fcntl_dupfd_cloexec(&read_end, NUMBER.into())?;
    report.exact("the pipe's descriptor", NUMBER, high.as_raw_fd());

    report.exact("FD_SETSIZE of the C library", 1024, libc::FD_SETSIZE);
    let bits = 8 * size_of::<libc::fd_set>();
    let is_1024 = report.exact("bits in its fd_set", 1024, bits);
    // nix asserts what FD_SET of C leaves to the caller. Its message is not for this page.
    panic::set_hook(Box::new(|_| {}));
    let taken = panic::catch_unwind(|| FdSet::new().insert(high.as_fd())).is_ok();
    let _ = panic::take_hook();
    let in_set = if taken { "taken" } else { "refused" };
    report.exact("putting the descriptor into it", "refused", in_set);

    let mut bitmap = [0_u64; 64];
    let (word, bit) = (usize::from(NUMBER) / 64, usize::from(NUMBER) % 64);
    bitmap[word] |= 1 << bit;
    let timeout = Duration::from_secs(100);
    let (count, left) = sys::select_readable(&mut bitmap, timeout)?;
    let by_kernel = report.exact("the kernel's select, with 4,096 bits", 1, count);
    report.exact("the descriptor's bit after it", 1, bitmap[word] >> bit & 1);
    let modified = report.relation(
        "timeout of 100 s after it",
        format_args!("~{:.6} s", left.as_secs_f64()),
        "less than before",
        left < timeout,
    );

    // As many entries as there may be descriptors, and all of them of the same one.
    let entries = 256;
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, entries, hard)?;
    let entry = PollFd::new(read_end.as_fd(), PollFlags::empty());
    let mut list = vec![entry; 257];
    let fits = returned(poll(&mut list[..256], PollTimeout::ZERO));
    report.exact("poll, entries: RLIMIT_NOFILE", 0, fits);
    let too_many = succeeded(poll(&mut list, PollTimeout::ZERO));
    report.exact("poll, entries: RLIMIT_NOFILE + 1", "EINVAL", too_many);

    let watches = fs::read_to_string("/proc/sys/fs/epoll/max_user_watches")?;
    let watches: u64 = watches.trim().parse().unwrap_or(0);
    let epoll_limited = report.relation(
        "fs.epoll.max_user_watches",
        format_args!("~{watches}"),
        "a limit",
        watches > 0,
    );

    let verdict = |holds, then, otherwise| if holds { then } else { otherwise };
    Ok(Finding::new(
        if by_kernel { 'c' } else { 'a' },
        [
            verdict(by_kernel, Verdict::Wrong, Verdict::Right),
            verdict(is_1024 && !taken, Verdict::Right, Verdict::Wrong),
            verdict(epoll_limited, Verdict::Imprecise, Verdict::Right),
            verdict(modified, Verdict::Wrong, Verdict::Right),
        ],
    ))
}
