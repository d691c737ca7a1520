//! Builds the book anew when one of its files has changed.
//!
//! Shows: inotify's descriptor in the same loop as the sockets; a change is followed by a short
//! rest, since an editor writes several files at once; the build is a process of its own, so that
//! the loop goes on meanwhile, and its end and its last words are events like others.

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use epoll_loop::{
    Event, EventLoop, Interest, Output, ReadEnd, Readiness, Watch, Watched, WatcherId, read_within,
};
use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

use super::{Server, say};
use crate::build::unfinished;
use crate::workspace::{has_ending, is_made};

/// How long nothing may change before a build begins.
const REST: Duration = Duration::from_millis(150);

/// How long it is put off at most if something changes all the time.
const MAX_REST: Duration = Duration::from_secs(2);

/// A build that takes longer is ended.
const BUILD_TIME: Duration = Duration::from_mins(1);

/// What is kept of a build's errors.
const MAX_ERROR_BYTES: usize = 16 * 1024;

/// Directories that are watched at most; a workspace has about a hundred.
const MAX_DIRECTORIES: usize = 4096;

/// What a book is made of.
const ENDINGS: [&str; 8] = ["md", "svg", "rs", "toml", "txt", "css", "js", "hbs"];

#[derive(Debug)]
pub(super) struct Rebuild {
    root: PathBuf,
    destination: PathBuf,
    inotify: Watched<Inotify>,
    /// Something has changed since the last build began: since when, and the timer that is to begin
    /// the next.
    rest: Option<(Instant, WatcherId)>,
    build: Option<Build>,
    log: Output,
}

/// A build that is under way.
#[derive(Debug)]
struct Build {
    child: Child,
    stderr: Option<Watched<ChildStderr>>,
    errors: Vec<u8>,
    limit: WatcherId,
    is_too_long: bool,
    /// Something has changed meanwhile.
    is_stale: bool,
}

impl Rebuild {
    pub(super) fn new(
        event_loop: &mut EventLoop<Server>,
        root: &Path,
        destination: &Path,
        log: &Output,
    ) -> io::Result<Self> {
        let inotify = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)?;
        watch_directories(&inotify, root, log)?;
        let watch = Watch::new(Interest::READABLE).label("inotify");
        let inotify = event_loop.watch(inotify, watch, Server::see_changes)?;
        Ok(Self {
            root: root.to_owned(),
            destination: destination.to_owned(),
            inotify,
            rest: None,
            build: None,
            log: log.clone(),
        })
    }

    /// Reads what has changed; true if that is a part of the book.
    fn read_changes(&self) -> io::Result<bool> {
        let mut is_ours = false;
        let mut has_new_directory = false;
        loop {
            let events = match self.inotify.read_events() {
                Ok(events) => events,
                Err(Errno::EAGAIN) => break,
                Err(Errno::EINTR) => continue,
                Err(err) => return Err(err.into()),
            };
            for event in events {
                if event.mask.contains(AddWatchFlags::IN_Q_OVERFLOW) {
                    // Some were lost: ours may have been among them.
                    is_ours = true;
                    has_new_directory = true;
                }
                let is_directory = event.mask.contains(AddWatchFlags::IN_ISDIR);
                has_new_directory |= is_directory;
                let name = event.name.as_ref().and_then(|name| name.to_str());
                is_ours |= !is_directory
                    && name
                        .is_some_and(|name| !name.starts_with('.') && has_ending(name, &ENDINGS));
            }
        }
        if has_new_directory {
            watch_directories(&self.inotify, &self.root, &self.log)?;
            // Its files may have been there before it was watched.
            is_ours = true;
        }
        Ok(is_ours)
    }

    fn start(&mut self, event_loop: &mut EventLoop<Server>) -> io::Result<()> {
        // This very program, even if its file has been replaced since.
        let mut command = Command::new("/proc/self/exe");
        command
            .arg("--root")
            .arg(&self.root)
            .args(["build", "--live-reload", "--dest"])
            .arg(&self.destination)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = epoll_loop::spawn(&mut command)?;
        let stderr = child.stderr.take().expect("it was given a pipe");
        let watched = nonblocking(stderr).and_then(|stderr| {
            event_loop.on_exit(&child, Server::end_build)?;
            let watch = Watch::new(Interest::READABLE).label("build");
            event_loop.watch(stderr, watch, Server::read_errors)
        });
        let stderr = match watched {
            Ok(stderr) => stderr,
            Err(err) => {
                child.kill()?;
                child.wait()?;
                return Err(err);
            }
        };
        self.build = Some(Build {
            child,
            stderr: Some(stderr),
            errors: Vec::new(),
            limit: event_loop.after(BUILD_TIME, Server::end_long_build),
            is_too_long: false,
            is_stale: false,
        });
        Ok(())
    }
}

impl Build {
    /// Waits for the process, and removes what it leaves if it was killed.
    fn end(&mut self, destination: &Path) -> io::Result<ExitStatus> {
        let status = self.child.wait()?;
        // Most often there is nothing, since a build that fails removes its own.
        let _ = fs::remove_dir_all(unfinished(destination, self.child.id()));
        Ok(status)
    }

    /// Reads what the build says; what is too much is read and forgotten, so that it can go on.
    fn read(&mut self, readiness: Readiness) {
        let Some(stderr) = &self.stderr else { return };
        let errors = &mut self.errors;
        let take = |bytes: &[u8]| {
            let room = MAX_ERROR_BYTES - errors.len();
            errors.extend_from_slice(&bytes[..bytes.len().min(room)]);
        };
        let end = read_within(Pipe(stderr), readiness, &mut [0; 4096], 1 << 20, take);
        if !matches!(end, Ok(ReadEnd::Drained | ReadEnd::BudgetSpent)) {
            self.stderr = None;
        }
    }
}

/// `ChildStderr` reads by `&mut`, and a watched one is shared.
struct Pipe<'a>(&'a Watched<ChildStderr>);

impl io::Read for Pipe<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(nix::unistd::read(&**self.0, buffer)?)
    }
}

fn nonblocking(stderr: ChildStderr) -> io::Result<ChildStderr> {
    use nix::fcntl::{FcntlArg, OFlag, fcntl};
    // Our end of the pipe; the child's is an open file of its own.
    fcntl(&stderr, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    Ok(ChildStderr::from(OwnedFd::from(stderr)))
}

/// Watches all directories below `root` but hidden ones and what cargo makes; to watch one again
/// changes nothing.
fn watch_directories(inotify: &Inotify, root: &Path, log: &Output) -> io::Result<()> {
    let what = AddWatchFlags::IN_CLOSE_WRITE
        | AddWatchFlags::IN_CREATE
        | AddWatchFlags::IN_DELETE
        | AddWatchFlags::IN_MOVED_FROM
        | AddWatchFlags::IN_MOVED_TO
        | AddWatchFlags::IN_ONLYDIR;
    let mut directories = VecDeque::from([root.to_owned()]);
    let mut count = 0;
    while let Some(directory) = directories.pop_front() {
        count += 1;
        if count > MAX_DIRECTORIES {
            let what = format!("{MAX_DIRECTORIES} directories are watched, and no more");
            say(log, &what);
            break;
        }
        match inotify.add_watch(&directory, what) {
            Ok(_) => {}
            // It has gone again.
            Err(Errno::ENOENT | Errno::ENOTDIR) => continue,
            Err(err) => {
                let what = format!("{}: {}", directory.display(), chapter::why(&err.into()));
                return Err(io::Error::other(what));
            }
        }
        let Ok(entries) = fs::read_dir(&directory) else {
            continue;
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let is_hidden = name.to_str().is_none_or(|name| name.starts_with('.'));
            let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_directory && !is_hidden && !is_made(&entry.path()) {
                directories.push_back(entry.path());
            }
        }
    }
    Ok(())
}

impl Server {
    /// Files have changed.
    fn see_changes(&mut self, event_loop: &mut EventLoop<Server>, _: Event) {
        match self.rebuild.read_changes() {
            Ok(true) => self.rest(event_loop),
            Ok(false) => {}
            Err(err) => self.say(&format!("inotify: {}", chapter::why(&err))),
        }
    }

    /// Puts the next build off until nothing changes any more, but not for ever.
    fn rest(&mut self, event_loop: &mut EventLoop<Server>) {
        let now = event_loop.now();
        match self.rebuild.rest {
            None => {
                let timer = event_loop.after(REST, Server::begin_build);
                self.rebuild.rest = Some((now, timer));
            }
            Some((since, timer)) if now.duration_since(since) + REST < MAX_REST => {
                event_loop.push_out(timer, REST);
            }
            Some(_) => {}
        }
    }

    fn begin_build(&mut self, event_loop: &mut EventLoop<Server>, _: Event) {
        self.rebuild.rest = None;
        if let Some(build) = &mut self.rebuild.build {
            // One after the other.
            build.is_stale = true;
            return;
        }
        if let Err(err) = self.rebuild.start(event_loop) {
            self.fail(event_loop, &format!("build: {}", chapter::why(&err)));
        }
    }

    fn read_errors(&mut self, _: &mut EventLoop<Server>, event: Event) {
        if let Some(build) = &mut self.rebuild.build {
            build.read(event.readiness);
        }
    }

    fn end_long_build(&mut self, _: &mut EventLoop<Server>, _: Event) {
        if let Some(build) = &mut self.rebuild.build {
            build.is_too_long = true;
            // Its end is told as any other.
            let _ = build.child.kill();
        }
    }

    fn end_build(&mut self, event_loop: &mut EventLoop<Server>, _: Event) {
        let Some(mut build) = self.rebuild.build.take() else {
            return;
        };
        event_loop.cancel(build.limit);
        build.read(Readiness::HUP);
        let status = build.end(&self.rebuild.destination);
        let errors = String::from_utf8_lossy(&build.errors);
        match status {
            Ok(status) if status.success() => self.succeed(event_loop),
            Ok(_) if build.is_too_long => {
                let limit = chapter::show_duration(BUILD_TIME);
                self.fail(event_loop, &format!("build: not done after {limit}"));
            }
            Ok(status) if errors.is_empty() => self.fail(event_loop, &format!("build: {status}")),
            Ok(_) => self.fail(event_loop, errors.trim_end()),
            Err(err) => self.fail(event_loop, &format!("build: {}", chapter::why(&err))),
        }
        if build.is_stale {
            self.rest(event_loop);
        }
    }
}

impl Drop for Rebuild {
    fn drop(&mut self) {
        if let Some(build) = &mut self.build {
            let _ = build.child.kill();
            let _ = build.end(&self.destination);
        }
    }
}
