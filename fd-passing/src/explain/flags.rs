//! Two sets of flags, and what happens when they are mixed up.

use std::fs::OpenOptions;
use std::path::Path;

use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};

use crate::steps::{Failure, Steps, either, name};

pub(super) fn explain(steps: &mut Steps, path: &Path) -> Result<(), Failure> {
    let open = || OpenOptions::new().read(true).append(true).open(path);
    let file = open()?;
    // As an old server has it, which means F_GETFD.
    let flags = fcntl(&file, FcntlArg::F_GETFL)?;
    let mixed = FdFlag::from_bits_retain(flags) | FdFlag::FD_CLOEXEC;
    let result = fcntl(&file, FcntlArg::F_SETFD(mixed));
    steps.answer(
        "flags",
        "F_SETFD of F_GETFL | FD_CLOEXEC",
        "ok",
        name(&result),
    )?;
    let flags = fcntl(&file, FcntlArg::F_GETFD)?;
    steps.answer("flags", "F_GETFD", 1, flags)?;
    steps.note(
        "flags",
        "it works by accident: of all those bits one is kept",
    )?;

    for (mode, flag, expected) in [
        ("O_RDONLY", OFlag::O_RDONLY, 0),
        ("O_WRONLY", OFlag::O_WRONLY, 1),
        ("O_RDWR", OFlag::O_RDWR, 0),
    ] {
        let mut options = OpenOptions::new();
        options
            .read(flag != OFlag::O_WRONLY)
            .write(flag != OFlag::O_RDONLY);
        let file = options.open(path)?;
        let flags = fcntl(&file, FcntlArg::F_GETFL)?;
        fcntl(&file, FcntlArg::F_SETFD(FdFlag::from_bits_retain(flags)))?;
        let flags = fcntl(&file, FcntlArg::F_GETFD)?;
        let what = format!("F_SETFD of F_GETFL, {mode}; F_GETFD");
        steps.answer("flags", what, expected, flags)?;
    }
    steps.note("flags", "O_WRONLY happens to be 1, and so is FD_CLOEXEC")?;

    let file = open()?;
    let flags = fcntl(&file, FcntlArg::F_GETFD)?;
    let mixed = OFlag::from_bits_retain(flags) | OFlag::O_NONBLOCK;
    fcntl(&file, FcntlArg::F_SETFL(mixed))?;
    let flags = OFlag::from_bits_retain(fcntl(&file, FcntlArg::F_GETFL)?);
    let what = either(flags.contains(OFlag::O_APPEND), "kept", "lost");
    steps.answer(
        "flags",
        "F_SETFL of F_GETFD | O_NONBLOCK; O_APPEND is",
        "lost",
        what,
    )?;
    steps.note(
        "flags",
        "now every write goes to the offset, over what is there",
    )?;

    let file = OpenOptions::new().write(true).open(path)?;
    let result = fcntl(&file, FcntlArg::F_SETFL(OFlag::O_SYNC));
    steps.answer("flags", "F_SETFL of O_SYNC", "ok", name(&result))?;
    let flags = OFlag::from_bits_retain(fcntl(&file, FcntlArg::F_GETFL)?);
    let what = either(flags.contains(OFlag::O_SYNC), "set", "not set");
    steps.answer("flags", "O_SYNC is", "not set", what)?;
    steps.note(
        "flags",
        "most flags can be set by open alone; here that is no error",
    )
}
