//! Claim 22: `F_GETFL` reads the flags, `F_SETFD` sets close-on-exec among them.
//!
//! Shows: two sets of flags, of the descriptor and of the open file, which Squid mixed up without
//! anybody noticing; the same mistake the other way round is noticed.

use std::os::fd::{AsFd, OwnedFd};

use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl, open};
use nix::sys::stat::Mode;
use rustix::fs::{MemfdFlags, memfd_create};

use crate::claim::{Chapter, Claim, Sentence, Verdict, place};
use crate::report::{Finding, Report, Stop};
use crate::words::succeeded;

pub(crate) const CLAIM: Claim = Claim {
    number: 22,
    name: "descriptor-flags",
    chapter: Chapter::Descriptors,
    sentences: &[
        Sentence {
            original: Some(
                "flags = fcntl(fd, F_GETFL, dummy) ... fcntl(fd, F_SETFD, flags | FD_CLOEXEC)",
            ),
            english: "(from Squid) to have a descriptor closed on exec, get its flags with F_GETFL \
                      and set them with F_SETFD and FD_CLOEXEC",
            verdict: Verdict::Imprecise,
        },
        Sentence {
            original: Some(
                "F_SETFL设置文件描述词状态旗标，参数arg为新旗标，但只允许O_APPEND、O_NONBLOCK和O_ASYNC位的改变，其他位的改变将不受影响",
            ),
            english: "F_SETFL sets the status flags; it may change O_APPEND, O_NONBLOCK and O_ASYNC \
                      only, other bits stay as they are",
            verdict: Verdict::Imprecise,
        },
    ],
    question: "F_SETFD gets what F_GETFL gave, and FD_CLOEXEC. Then?",
    answers: &[
        "It fails with EINVAL",
        "Close-on-exec is set, and all else is ignored",
        "Close-on-exec is set, and the file is not writable any more",
    ],
    answer: 'b',
    does: "It opens /dev/null in several ways, gives F_SETFD what F_GETFL said and F_SETFL what \
           F_GETFD said, and looks what became of the flags. A duplicate shows which of them belongs \
           to the number and which to the open file behind it.",
    lesson: "FD_CLOEXEC belongs to the descriptor (F_GETFD, F_SETFD) and is the only flag there: the \
             kernel looks at that bit and ignores the rest, so the mistake works. Without the | it \
             depends on how the file was opened, since FD_CLOEXEC and O_WRONLY are both 1. The other \
             way round it takes O_APPEND away. O_NONBLOCK belongs to the open file and is shared by \
             every duplicate, in other processes too, so it is no business of a program to set it \
             on its standard input. And close-on-exec is best asked for when a descriptor is made: \
             between open and fcntl another thread may start a program.",
    code: &[
        place!(
            "epoll-loop/src/terminal.rs",
            "//! Shows: `O_NONBLOCK` belongs to the open file, which descriptors 0 to 2 share",
            "a terminal is opened anew before it is made non-blocking"
        ),
        place!(
            "epoll-loop/src/epoll.rs",
            "let cloexec = EpollCreateFlags::EPOLL_CLOEXEC;",
            "asked for when the descriptor is made"
        ),
    ],
    sources: &[
        "fcntl(2), File descriptor flags; File status flags",
        "open(2), O_CLOEXEC",
    ],
    run,
};

fn run(report: &mut Report) -> Result<Finding, Stop> {
    report.heading("F_SETFD with what F_GETFL says, and FD_CLOEXEC");
    let file = null(OFlag::O_RDWR | OFlag::O_APPEND)?;
    let mixed_up = FdFlag::from_bits_retain(status(&file)?.bits() | FdFlag::FD_CLOEXEC.bits());
    let set = fcntl(&file, FcntlArg::F_SETFD(mixed_up));
    let works = set.is_ok();
    report.exact("F_SETFD", "ok", succeeded(set));
    let is_set = closes_on_exec(&file)?;
    report.exact("closed on exec", true, is_set);
    let is_kept = status(&file)?.contains(OFlag::O_RDWR | OFlag::O_APPEND);
    report.exact("O_RDWR and O_APPEND as before", true, is_kept);

    report.heading("the same without FD_CLOEXEC, on a file opened with O_CLOEXEC");
    let mut by_chance = Vec::new();
    for (name, access, expected) in [
        ("O_RDONLY: closed on exec", OFlag::O_RDONLY, false),
        ("O_WRONLY: closed on exec", OFlag::O_WRONLY, true),
        ("O_RDWR: closed on exec", OFlag::O_RDWR, false),
    ] {
        let file = null(access | OFlag::O_CLOEXEC)?;
        let mixed_up = FdFlag::from_bits_retain(status(&file)?.bits());
        fcntl(&file, FcntlArg::F_SETFD(mixed_up))?;
        by_chance.push(closes_on_exec(&file)?);
        report.exact(name, expected, by_chance.last().expect("pushed"));
    }

    report.heading("mended: F_SETFD with what F_GETFD says, and FD_CLOEXEC");
    let file = null(OFlag::O_RDWR | OFlag::O_APPEND)?;
    let own = FdFlag::from_bits_retain(fcntl(&file, FcntlArg::F_GETFD)?);
    fcntl(&file, FcntlArg::F_SETFD(own | FdFlag::FD_CLOEXEC))?;
    report.exact("closed on exec", true, closes_on_exec(&file)?);

    report.heading("F_SETFL with what F_GETFD says, and O_NONBLOCK");
    let own = fcntl(&file, FcntlArg::F_GETFD)?;
    let mixed_up = OFlag::from_bits_retain(own) | OFlag::O_NONBLOCK;
    fcntl(&file, FcntlArg::F_SETFL(mixed_up))?;
    report.exact(
        "O_NONBLOCK",
        true,
        status(&file)?.contains(OFlag::O_NONBLOCK),
    );
    report.exact("O_APPEND", false, status(&file)?.contains(OFlag::O_APPEND));
    report.heading("mended: F_SETFL with what F_GETFL says, and O_NONBLOCK");
    let file = null(OFlag::O_RDWR | OFlag::O_APPEND)?;
    let own = status(&file)?;
    fcntl(&file, FcntlArg::F_SETFL(own | OFlag::O_NONBLOCK))?;
    report.exact(
        "O_NONBLOCK",
        true,
        status(&file)?.contains(OFlag::O_NONBLOCK),
    );
    report.exact("O_APPEND", true, status(&file)?.contains(OFlag::O_APPEND));

    report.heading("F_SETFL with one flag, and what has changed then");
    let mut changed = Vec::new();
    for (name, flag, expected) in [
        ("O_APPEND", OFlag::O_APPEND, "changed"),
        ("O_NONBLOCK", OFlag::O_NONBLOCK, "changed"),
        ("O_NOATIME", OFlag::O_NOATIME, "changed"),
        ("O_SYNC", OFlag::O_SYNC, "as before"),
        ("O_WRONLY", OFlag::O_WRONLY, "as before"),
    ] {
        // One's own, since O_NOATIME is for the owner only.
        let file = memfd_create("flags", MemfdFlags::CLOEXEC)?;
        fcntl(&file, FcntlArg::F_SETFL(flag))?;
        let is_set = status(&file)?.contains(flag);
        let outcome = if is_set { "changed" } else { "as before" };
        report.exact(name, expected, outcome);
        changed.push(is_set);
    }

    report.heading("set on a duplicate, seen on the original");
    let file = null(OFlag::O_RDONLY)?;
    let duplicate = file.try_clone()?;
    fcntl(&duplicate, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    let shared = status(&file)?.contains(OFlag::O_NONBLOCK);
    report.exact("O_NONBLOCK", true, shared);
    fcntl(&duplicate, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
    report.exact("FD_CLOEXEC", false, closes_on_exec(&file)?);

    let answer = match (works, is_kept) {
        (false, _) => 'a',
        (true, true) => 'b',
        (true, false) => 'c',
    };
    // It does what it should, but because the kernel ignores what it is not meant to be given.
    let squid = match (is_set, by_chance.contains(&false)) {
        (true, true) => Verdict::Imprecise,
        (true, false) => Verdict::Right,
        (false, _) => Verdict::Wrong,
    };
    let only_three = if changed[2] {
        Verdict::Imprecise
    } else {
        Verdict::Right
    };
    Ok(Finding::new(answer, [squid, only_three]))
}

fn null(how: OFlag) -> nix::Result<OwnedFd> {
    open("/dev/null", how, Mode::empty())
}

/// The flags of the open file.
fn status(file: impl AsFd) -> nix::Result<OFlag> {
    Ok(OFlag::from_bits_retain(fcntl(file, FcntlArg::F_GETFL)?))
}

/// The flag of the descriptor.
fn closes_on_exec(file: impl AsFd) -> nix::Result<bool> {
    let flags = FdFlag::from_bits_retain(fcntl(file, FcntlArg::F_GETFD)?);
    Ok(flags.contains(FdFlag::FD_CLOEXEC))
}
