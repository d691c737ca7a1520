//! Ctrl-Z and what a shell does about it.
//!
//! Shows: the terminal is given back before the process stops, and taken again
//! when it goes on. SIGTSTP is blocked, since it is read from a descriptor, so
//! the process group is stopped by SIGSTOP: all of it, or `cargo run` would not
//! notice that its child has stopped, nor the shell behind it.

use std::fs;

use epoll_loop::{Event, EventLoop};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, getpgid, getpgrp, getpid, getsid};

use crate::app::AppEvent;
use crate::terminal::Guard;

use super::ScreenMode;

impl ScreenMode {
    /// Somebody has sent SIGTSTP.
    pub(super) fn suspend(&mut self, event_loop: &mut EventLoop<ScreenMode>, _: Event) {
        self.stop_job(event_loop);
    }

    /// Stops the process group; this returns when it goes on.
    pub(super) fn stop_job(&mut self, event_loop: &EventLoop<ScreenMode>) {
        if !has_shell() {
            let notice = "there is no shell that could bring the program back".to_owned();
            return self.update(event_loop, AppEvent::Notice(notice));
        }
        self.is_stopped = true;
        self.output.discard();
        self.guard.suspend();
        // To one's own group it is always allowed.
        let _ = kill(Pid::from_raw(0), Signal::SIGSTOP);
    }

    /// The process goes on: after [`ScreenMode::stop_job`], or because somebody
    /// else had stopped it, with the screen as it was.
    pub(super) fn resume(&mut self, event_loop: &mut EventLoop<ScreenMode>, _: Event) {
        if self.guard.resume().is_err() {
            return self.lose_terminal(event_loop);
        }
        self.is_stopped = false;
        self.output.discard();
        self.output.push(&Guard::opening());
        self.redraw(event_loop);
    }
}

/// Whether somebody controls the jobs of this terminal: the first ancestor
/// outside of this process group is of the same session. Else the group is
/// orphaned, and nobody would continue it (`man 2 setpgid`).
fn has_shell() -> bool {
    let mut process = getpid();
    while let Some(parent) = parent(process) {
        if getpgid(Some(parent)) != Ok(getpgrp()) {
            return getsid(Some(parent)) == getsid(None);
        }
        process = parent;
    }
    false
}

fn parent(process: Pid) -> Option<Pid> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("PPid:"))?;
    let parent = line.trim().parse().ok().filter(|&parent| parent > 0)?;
    Some(Pid::from_raw(parent))
}
