//! One open file under several numbers.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use rustix::io::{dup, dup2, fcntl_dupfd_cloexec};

use crate::steps::{Failure, Steps, either};

pub(super) fn explain(steps: &mut Steps, path: &Path) -> Result<(), Failure> {
    let mut one = OpenOptions::new().read(true).append(true).open(path)?;
    let mut other = File::from(dup(&one)?);
    steps.say("dup", "open a file of 10 bytes, dup")?;
    let what = either(one.as_raw_fd() == other.as_raw_fd(), "the same", "another");
    steps.answer("dup", "its number", "another", what)?;
    one.read_exact(&mut [0; 3])?;
    let offset = other.stream_position()?;
    steps.answer(
        "dup",
        "read 3 bytes by the one; offset of the other",
        3,
        offset,
    )?;
    let mut again = File::open(path)?;
    let offset = again.stream_position()?;
    steps.answer("dup", "open it again; offset", 0, offset)?;
    steps.note("dup", "dup is the same open file, open makes another")?;

    fcntl(&one, FcntlArg::F_SETFL(OFlag::O_APPEND | OFlag::O_NONBLOCK))?;
    let flags = OFlag::from_bits_retain(fcntl(&other, FcntlArg::F_GETFL)?);
    let what = either(flags.contains(OFlag::O_NONBLOCK), "set", "not set");
    steps.answer(
        "dup",
        "set O_NONBLOCK by the one; of the other",
        "set",
        what,
    )?;
    steps.note(
        "dup",
        "a shell's terminal is shared like that: leave its flags alone",
    )?;
    for (which, file, expected) in [("the one", &one, "FD_CLOEXEC"), ("the other", &other, "0")] {
        let flags = FdFlag::from_bits_retain(fcntl(file, FcntlArg::F_GETFD)?);
        let what = either(flags.contains(FdFlag::FD_CLOEXEC), "FD_CLOEXEC", "0");
        steps.answer("dup", format_args!("F_GETFD of {which}"), expected, what)?;
    }
    steps.note(
        "dup",
        "that flag is the descriptor's own, and dup clears it",
    )?;

    let far = fcntl_dupfd_cloexec(&one, 50)?;
    let number = far.as_raw_fd();
    steps.answer("dup", "F_DUPFD_CLOEXEC, 50 or above", 50, number)?;
    let mut target = OwnedFd::from(again);
    let before = target.as_raw_fd();
    dup2(&one, &mut target)?;
    again = File::from(target);
    let what = either(again.as_raw_fd() == before, "the same", "another");
    steps.answer(
        "dup",
        "dup2 onto the second open; its number",
        "the same",
        what,
    )?;
    let offset = again.stream_position()?;
    steps.answer("dup", "and its offset", 3, offset)?;
    steps.note(
        "dup",
        "what was open under that number is closed, without an error",
    )
}
