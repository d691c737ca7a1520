//! What epoll watches: the open file, under a number that may have gone.

use std::fs;
use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::process::Stdio;

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use rustix::io::fcntl_dupfd_cloexec;

use crate::child::{FAR_NUMBER, Helper, Role};
use crate::steps::{Failure, Steps, either, name};

/// What marks our pipe in the events.
const OURS: u64 = 1;

pub(super) fn explain(steps: &mut Steps) -> Result<(), Failure> {
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    let (reader, mut writer) = io::pipe()?;
    let number = reader.as_raw_fd();
    epoll.add(&reader, EpollEvent::new(EpollFlags::EPOLLIN, OURS))?;
    let copy = reader.try_clone()?;
    drop(reader);
    writer.write_all(b"x")?;
    steps.say(
        "epoll",
        format_args!("watch fd {number}, dup, close fd {number}, write to it"),
    )?;
    let what = either(is_open(number.into()), "open", "not open");
    steps.answer("epoll", format_args!("fd {number} is"), "not open", what)?;
    for _ in 0..2 {
        steps.answer("epoll", "epoll_wait: events", 1, wait(&epoll)?.len())?;
    }
    steps.note(
        "epoll",
        "the open file lives by its other descriptor, and is watched",
    )?;
    let result = epoll.delete(&copy);
    steps.answer("epoll", "EPOLL_CTL_DEL of the dup", "ENOENT", name(&result))?;
    steps.note(
        "epoll",
        "it is known by number and file together, and that number is closed",
    )?;
    let again = fcntl_dupfd_cloexec(&copy, number)?;
    if again.as_raw_fd() != number {
        return Err(format!("fd {number} was taken by somebody else").into());
    }
    let result = epoll.delete(&again);
    steps.answer(
        "epoll",
        "dup back to that number, EPOLL_CTL_DEL",
        "ok",
        name(&result),
    )?;
    steps.answer("epoll", "epoll_wait: events", 0, wait(&epoll)?.len())?;
    steps.note("epoll", "so: out of the set first, then close")?;

    let shared = Stdio::from(epoll.0.try_clone()?);
    let mut child = Helper::start_with(Role::Watch, None, shared)?;
    let theirs: i32 = child.hear()?.parse()?;
    steps.say(
        "epoll",
        format_args!("a child that has the instance adds its fd {theirs}"),
    )?;
    let events = wait(&epoll)?;
    let data = events.first().map_or(0, EpollEvent::data);
    steps.answer("epoll", "epoll_wait here: data", FAR_NUMBER, data)?;
    let what = either(is_open(theirs.into()), "open", "not open");
    steps.answer(
        "epoll",
        format_args!("fd {theirs} is here"),
        "not open",
        what,
    )?;
    let info = fs::read_to_string(format!("/proc/self/fdinfo/{}", epoll.0.as_fd().as_raw_fd()))?;
    let is_listed = info.lines().any(|line| {
        let mut words = line.split_whitespace();
        words.next() == Some("tfd:") && words.next() == Some(&theirs.to_string())
    });
    steps.answer(
        "epoll",
        "the instance knows it",
        "yes",
        either(is_listed, "yes", "no"),
    )?;
    steps.note(
        "epoll",
        "one set for both processes: after a fork make a new one",
    )
}

fn wait(epoll: &Epoll) -> Result<Vec<EpollEvent>, Failure> {
    let mut events = [EpollEvent::empty(); 8];
    let count = epoll.wait(&mut events, EpollTimeout::ZERO)?;
    Ok(events[..count].to_vec())
}

/// Whether this process has something open under a number.
fn is_open(number: i64) -> bool {
    fs::symlink_metadata(format!("/proc/self/fd/{number}")).is_ok()
}
