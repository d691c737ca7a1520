//! The other process, where one is not enough.
//!
//! Shows: what a process has inherited, and what it has not. It is this program
//! again, told by its arguments which part it plays; what it has to tell it
//! prints, a line each.

use std::env;
use std::error::Error;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;

use clap::ValueEnum;
use nix::fcntl::{FcntlArg, fcntl};
use nix::sys::epoll::{Epoll, EpollEvent, EpollFlags};
use rustix::io::fcntl_dupfd_cloexec;

use crate::explain::lock;
use crate::steps::{Failure, name};

/// A number that is free in the other process, and in nobody's way.
pub(crate) const FAR_NUMBER: u16 = 77;

/// What the other process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    /// Prints the numbers of its open descriptors.
    Descriptors,
    /// Waits for the end of standard input, and holds what it has inherited.
    Hold,
    /// Standard input is an epoll instance: adds a pipe of its own to it.
    Watch,
    /// Locks a file as it is told on standard input: set, get, wait.
    Lock,
    /// Standard input is a UNIX socket: takes a file from there, reads 5 bytes.
    Receive,
}

/// Plays the part.
pub(crate) fn run(role: Role, file: Option<PathBuf>) -> Result<(), Box<dyn Error>> {
    match role {
        Role::Descriptors => descriptors(),
        Role::Hold => Ok(io::copy(&mut io::stdin(), &mut io::sink()).map(drop)?),
        Role::Watch => watch(),
        Role::Lock => follow(&file.unwrap_or_default()),
        Role::Receive => receive(),
    }
}

fn descriptors() -> Result<(), Box<dyn Error>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir("/proc/self/fd")? {
        numbers.push(entry?.file_name().to_string_lossy().into_owned());
    }
    println!("{}", numbers.join(" "));
    Ok(())
}

/// Adds a descriptor of this process to an epoll instance that it shares.
fn watch() -> Result<(), Failure> {
    let shared = Epoll(io::stdin().as_fd().try_clone_to_owned()?);
    let (reader, mut writer) = io::pipe()?;
    let reader = fcntl_dupfd_cloexec(&reader, FAR_NUMBER.into())?;
    let event = EpollEvent::new(EpollFlags::EPOLLIN, u64::from(FAR_NUMBER));
    shared.add(&reader, event)?;
    writer.write_all(b"x")?;
    tell(reader.as_raw_fd())?;
    // Until it is killed: its end would take the pipe out of the instance.
    loop {
        thread::park();
    }
}

/// Locks, and tells what came of it, as often as it is told to.
fn follow(path: &Path) -> Result<(), Failure> {
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    for order in io::stdin().lines() {
        match order?.as_str() {
            "set" => tell(name(&fcntl(&file, FcntlArg::F_SETLK(&lock::exclusive()))))?,
            "get" => tell(lock::holder(&file)?)?,
            "wait" => {
                tell("waiting")?;
                tell(name(&fcntl(&file, FcntlArg::F_SETLKW(&lock::exclusive()))))?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Takes a file from the socket that is standard input.
fn receive() -> Result<(), Failure> {
    let socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let received = fd_passing::receive(&socket, &mut [0; 64])?;
    let [descriptor] = <[_; 1]>::try_from(received.descriptors).map_err(|_| "not one file")?;
    tell(descriptor.as_raw_fd())?;
    let mut text = [0; 5];
    File::from(descriptor).read_exact(&mut text)?;
    tell(String::from_utf8_lossy(&text))
}

/// Says a line to the process that has started this one.
fn tell(what: impl std::fmt::Display) -> Result<(), Failure> {
    let mut out = io::stdout();
    writeln!(out, "{what}")?;
    Ok(out.flush()?)
}

/// The other process, as seen from the first.
pub(crate) struct Helper {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Helper {
    /// Starts it with a pipe as its standard input.
    pub(crate) fn start(role: Role, file: Option<&Path>) -> Result<Helper, Failure> {
        Helper::start_with(role, file, Stdio::piped())
    }

    /// Starts it with something else as its standard input.
    pub(crate) fn start_with(
        role: Role,
        file: Option<&Path>,
        stdin: Stdio,
    ) -> Result<Helper, Failure> {
        let role = role.to_possible_value().ok_or("every role has a name")?;
        let mut command = Command::new(env::current_exe()?);
        command
            .args(["child", role.get_name()])
            .args(file)
            .stdin(stdin)
            .stdout(Stdio::piped());
        let mut child = epoll_loop::spawn(&mut command)?;
        let stdout = child.stdout.take().ok_or("it was asked for a pipe")?;
        Ok(Helper {
            stdin: child.stdin.take(),
            stdout: BufReader::new(stdout),
            child,
        })
    }

    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// The next line that it says; empty if it has ended.
    pub(crate) fn hear(&mut self) -> Result<String, Failure> {
        let mut line = String::new();
        self.stdout.read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    }

    /// Tells it something, and hears what it says to that.
    pub(crate) fn ask(&mut self, order: &str) -> Result<String, Failure> {
        if let Some(stdin) = &mut self.stdin {
            writeln!(stdin, "{order}")?;
        }
        self.hear()
    }

    /// Ends its standard input, and waits until it has ended.
    pub(crate) fn end(&mut self) -> Result<(), Failure> {
        self.stdin = None;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        // Both do nothing if it has ended and was waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
