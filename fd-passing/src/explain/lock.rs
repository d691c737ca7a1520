//! Locks of `fcntl`, which belong to a process and not to a descriptor.

use std::fs::{File, OpenOptions};
use std::path::Path;

use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;

use crate::child::{Helper, Role};
use crate::steps::{Failure, Steps, name};

/// The first ten bytes, for this process alone.
pub(crate) fn exclusive() -> libc::flock {
    flock(libc::F_WRLCK)
}

fn flock(kind: libc::c_int) -> libc::flock {
    #[expect(clippy::cast_possible_truncation, reason = "both are among 0 to 2")]
    libc::flock {
        l_type: kind as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: 0,
        l_len: 10,
        l_pid: 0,
    }
}

/// Who keeps this process from having the lock: `pid N`, or `nobody`.
pub(crate) fn holder(file: &File) -> Result<String, Failure> {
    let mut lock = exclusive();
    fcntl(file, FcntlArg::F_GETLK(&mut lock))?;
    if i32::from(lock.l_type) == libc::F_UNLCK {
        return Ok("nobody".to_owned());
    }
    Ok(format!("pid {}", lock.l_pid))
}

pub(super) fn explain(steps: &mut Steps, path: &Path) -> Result<(), Failure> {
    let open = || OpenOptions::new().read(true).write(true).open(path);
    let file = open()?;
    let result = fcntl(&file, FcntlArg::F_SETLK(&exclusive()));
    steps.answer("lock", "F_SETLK, bytes 0 to 9", "ok", name(&result))?;
    let mut child = Helper::start(Role::Lock, Some(path))?;
    let ours = format!("pid {}", std::process::id());
    steps.answer("lock", "F_SETLK by a child", "EAGAIN", child.ask("set")?)?;
    steps.answer(
        "lock",
        "F_GETLK by the child: held by",
        ours,
        child.ask("get")?,
    )?;
    let what = "waiting";
    steps.answer("lock", "F_SETLKW by the child", what, child.ask("wait")?)?;
    fcntl(&file, FcntlArg::F_SETLK(&flock(libc::F_UNLCK)))?;
    steps.answer(
        "lock",
        "we unlock: F_SETLKW of the child",
        "ok",
        child.hear()?,
    )?;
    let theirs = format!("pid {}", child.process());
    steps.answer("lock", "F_GETLK by us: held by", theirs, holder(&file)?)?;
    child.end()?;
    steps.answer(
        "lock",
        "the child has exited; held by",
        "nobody",
        holder(&file)?,
    )?;

    fcntl(&file, FcntlArg::F_SETLK(&exclusive()))?;
    steps.say(
        "lock",
        "F_SETLK once more, then open the file again and close that",
    )?;
    drop(open()?);
    let mut child = Helper::start(Role::Lock, Some(path))?;
    steps.answer(
        "lock",
        "F_GETLK by a child: held by",
        "nobody",
        child.ask("get")?,
    )?;
    child.end()?;
    steps.note(
        "lock",
        "any close of the file drops the process's locks: use F_OFD_SETLK",
    )
}
