//! What another process inherits.

use std::io::{ErrorKind, Read};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use rustix::io::fcntl_dupfd_cloexec;

use crate::child::{Helper, Role};
use crate::steps::{Failure, Steps, either};

/// Numbers that nobody else uses.
const CLOSED: u16 = 60;
const KEPT: u16 = 61;

/// `FD_CLOEXEC`: whether a descriptor survives exec.
pub(super) fn explain_exec(steps: &mut Steps) -> Result<(), Failure> {
    let (socket, _other) = UnixStream::pair()?;
    let closed = fcntl_dupfd_cloexec(&socket, CLOSED.into())?;
    let kept = fcntl_dupfd_cloexec(&socket, KEPT.into())?;
    fcntl(&kept, FcntlArg::F_SETFD(FdFlag::empty()))?;
    steps.say(
        "exec",
        format_args!("fd {CLOSED} has FD_CLOEXEC, fd {KEPT} has not"),
    )?;
    let mut child = Helper::start(Role::Descriptors, None)?;
    let open = child.hear()?;
    child.end()?;
    let open: Vec<&str> = open.split(' ').collect();
    for (number, expected) in [(CLOSED, "closed"), (KEPT, "open")] {
        let is_open = open.contains(&number.to_string().as_str());
        let what = format!("in a program that is started, {number} is");
        steps.answer("exec", what, expected, either(is_open, "open", "closed"))?;
    }
    drop((closed, kept));
    steps.note(
        "exec",
        "it can use what it does not know of: a leak, and a right",
    )
}

/// A copy of a descriptor keeps the file open.
pub(super) fn explain_fork(steps: &mut Steps) -> Result<(), Failure> {
    let (mut client, server) = UnixStream::pair()?;
    client.set_nonblocking(true)?;
    fcntl(&server, FcntlArg::F_SETFD(FdFlag::empty()))?;
    let mut child = Helper::start(Role::Hold, None)?;
    drop(server);
    steps.say(
        "fork",
        "start a child, which has a copy of a socket; close ours",
    )?;
    let read = client.read(&mut [0]);
    let what = match &read {
        Ok(0) => "the end",
        Err(err) if err.kind() == ErrorKind::WouldBlock => "EAGAIN",
        _ => "something",
    };
    steps.answer("fork", "the client reads", "EAGAIN", what)?;
    steps.note("fork", "no end of file: the child has the socket open")?;
    child.end()?;
    let what = either(client.read(&mut [0])? == 0, "the end", "something");
    steps.answer(
        "fork",
        "the child has exited; the client reads",
        "the end",
        what,
    )?;

    let (mut client, server) = UnixStream::pair()?;
    client.set_nonblocking(true)?;
    fcntl(&server, FcntlArg::F_SETFD(FdFlag::empty()))?;
    let _child = Helper::start(Role::Hold, None)?;
    server.shutdown(Shutdown::Both)?;
    let what = either(client.read(&mut [0])? == 0, "the end", "something");
    steps.answer(
        "fork",
        "again, but shutdown before close; the client reads",
        "the end",
        what,
    )?;
    steps.note(
        "fork",
        "shutdown ends the conversation, close one of its descriptors",
    )
}
