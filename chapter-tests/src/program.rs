//! A program under test, from its start to its end.
//!
//! Shows: waiting for what a program says, for its exit and for room in its standard input, all
//! without a sleep; everything that it printed is shown when the test fails.

use std::ffi::OsStr;
use std::io::{ErrorKind, Write};
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::PollFlags;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rustix::process::{PidfdFlags, pidfd_open};

use crate::deadline::Deadline;
use crate::output::{NotPrinted, Output};
use crate::{Launch, LinePattern};

/// A running program. Dropping it kills it and collects its exit status.
///
/// Each wait that comes to nothing panics and shows what the program printed on both streams.
///
/// ```
/// use chapter_tests::{Launch, Signal};
///
/// let mut program = Launch::new("sh").args(["-c", "echo ready; exec cat"]).stdin_pipe().start();
/// program.wait_for_line("ready");
/// program.write("hello\n");
/// assert_eq!(program.wait_for_line("hel"), "hello");
/// program.signal(Signal::SIGTERM);
/// assert!(!program.wait().success());
/// ```
#[derive(Debug)]
pub struct Program {
    name: String,
    child: Child,
    /// Readable once the process has ended.
    end: OwnedFd,
    status: Option<ExitStatus>,
    stdin: Option<ChildStdin>,
    unread_stdout: Option<ChildStdout>,
    stdout: Arc<Output>,
    stderr: Arc<Output>,
    timeout: Duration,
    /// A failure of its own has shown the output already.
    shown: AtomicBool,
}

/// What is left of a program that has ended.
#[derive(Debug, Clone)]
pub struct Finished {
    /// How it ended.
    pub status: ExitStatus,
    /// All of standard output; what is not UTF-8 is replaced.
    pub stdout: String,
    /// All of standard error, likewise.
    pub stderr: String,
}

impl Finished {
    /// Refused what it was called with: exit code 2, nothing on standard output, and `said` in
    /// what stands on standard error.
    ///
    /// # Panics
    ///
    /// If it did not.
    #[track_caller]
    pub fn is_usage_error(&self, said: &str) {
        let Finished { stdout, stderr, .. } = self;
        assert_eq!(self.status.code(), Some(2), "{stdout}{stderr}");
        assert_eq!(stdout, "");
        assert!(stderr.contains(said), "no {said:?} in {stderr}");
    }
}

impl Program {
    /// Starts the program at this path, standard input from `/dev/null`; [`Launch`] offers more.
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    pub fn start<A: AsRef<OsStr>>(
        path: impl AsRef<OsStr>,
        args: impl IntoIterator<Item = A>,
    ) -> Self {
        Launch::new(path).args(args).start()
    }

    pub(crate) fn spawn(
        name: String,
        mut command: Command,
        stdout_is_unread: bool,
        timeout: Duration,
    ) -> Self {
        let mut child = command
            .spawn()
            .unwrap_or_else(|err| panic!("start {}: {err}", command.get_program().display()));
        let end = pidfd_open(
            rustix::process::Pid::from_child(&child),
            PidfdFlags::empty(),
        )
        .unwrap_or_else(|err| panic!("pidfd_open: {err}"));
        let stdin = child.stdin.take();
        if let Some(stdin) = &stdin {
            // The program's end is another open file: it stays as the program wants it.
            fcntl(stdin, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))
                .unwrap_or_else(|err| panic!("O_NONBLOCK: {err}"));
        }
        let stdout = child.stdout.take();
        let (unread_stdout, stdout) = if stdout_is_unread {
            (stdout, None)
        } else {
            (None, stdout)
        };
        let collect_stdout = stdout.map_or_else(Output::nothing, Output::collect);
        let collect_stderr = child
            .stderr
            .take()
            .map_or_else(Output::nothing, Output::collect);
        Self {
            name,
            child,
            end,
            status: None,
            stdin,
            unread_stdout,
            stdout: collect_stdout,
            stderr: collect_stderr,
            timeout,
            shown: AtomicBool::new(false),
        }
    }

    /// How long each further wait may last before the test fails.
    pub fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    /// Waits for the next line on standard output that matches, and returns it without its end.
    ///
    /// That line and those before it are used up: the next wait looks only at later ones.
    ///
    /// # Panics
    ///
    /// If the line does not come in time, or standard output ends without it.
    pub fn wait_for_line(&self, pattern: impl LinePattern) -> String {
        self.wait_for_line_in(&self.stdout, "standard output", pattern)
    }

    /// The same on standard error.
    ///
    /// # Panics
    ///
    /// If the line does not come in time, or standard error ends without it.
    pub fn wait_for_error_line(&self, pattern: impl LinePattern) -> String {
        self.wait_for_line_in(&self.stderr, "standard error", pattern)
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "a text or a closure is written in place"
    )]
    fn wait_for_line_in(&self, output: &Output, stream: &str, pattern: impl LinePattern) -> String {
        let found = output.wait_for_line(&pattern, self.deadline());
        found.unwrap_or_else(|why| {
            self.fail(&format!(
                "no line {} on {stream}: {}",
                pattern.describe(),
                self.why(why)
            ))
        })
    }

    /// The address in the first `listening on ADDR` line, which is waited for.
    ///
    /// Uses no line up, so that it can be asked for at any time.
    ///
    /// # Panics
    ///
    /// If the line does not come in time, or names no address.
    pub fn listening_on(&self) -> SocketAddr {
        let [address] = self.listening_on_all();
        address
    }

    /// The addresses in the first so many `listening on ADDR` lines, in the order of the lines.
    ///
    /// ```
    /// let program = chapter_tests::Program::start("printf", [
    ///     "listening on 127.0.0.1:6667\nlistening on 127.0.0.1:6668\n",
    /// ]);
    /// let [irc, plain] = program.listening_on_all();
    /// assert_eq!((irc.port(), plain.port()), (6667, 6668));
    /// ```
    ///
    /// # Panics
    ///
    /// If so many lines do not come in time, or one names no address.
    pub fn listening_on_all<const N: usize>(&self) -> [SocketAddr; N] {
        let found = self
            .stdout
            .wait_for_prefixed("listening on ", N, self.deadline());
        let lines = found.unwrap_or_else(|why| {
            self.fail(&format!(
                "not {N} lines \"listening on ADDR\": {}",
                self.why(why)
            ))
        });
        std::array::from_fn(|nth| {
            let address = lines[nth].split_whitespace().next().unwrap_or_default();
            address
                .parse()
                .unwrap_or_else(|_| self.fail(&format!("no address: {:?}", lines[nth])))
        })
    }

    /// Writes to standard input, all of it. Needs [`Launch::stdin_pipe`].
    ///
    /// # Panics
    ///
    /// If the program closes its end, or does not read in time.
    pub fn write(&mut self, bytes: impl AsRef<[u8]>) {
        let deadline = self.deadline();
        let mut rest = bytes.as_ref();
        while !rest.is_empty() {
            let Some(stdin) = &mut self.stdin else {
                panic!("{}: standard input is no open pipe", self.name)
            };
            match stdin.write(rest) {
                Ok(length) => rest = &rest[length..],
                Err(err) if err.kind() == ErrorKind::Interrupted => {}
                Err(err) if err.kind() == ErrorKind::WouldBlock => {
                    if !deadline.ready(&*stdin, PollFlags::POLLOUT) {
                        let left = rest.len();
                        self.fail(&format!(
                            "standard input is not read, {left} bytes are left"
                        ));
                    }
                }
                Err(err) => self.fail(&format!("standard input: {err}")),
            }
        }
    }

    /// Ends standard input; does nothing if it has ended already.
    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// The pipe behind standard output, after [`Launch::stdout_unread`]: to be read late, or not
    /// at all, or closed.
    ///
    /// # Panics
    ///
    /// If standard output is collected, or was taken before.
    pub fn take_stdout(&mut self) -> ChildStdout {
        self.unread_stdout
            .take()
            .expect("Launch::stdout_unread was called, and this only once")
    }

    /// Everything on standard output so far; what is not UTF-8 is replaced.
    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.stdout.bytes()).into_owned()
    }

    /// Everything on standard output so far, byte for byte.
    pub fn stdout_bytes(&self) -> Vec<u8> {
        self.stdout.bytes()
    }

    /// Everything on standard error so far; what is not UTF-8 is replaced.
    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.stderr.bytes()).into_owned()
    }

    /// The lines of `--trace` that stand on standard error so far.
    #[must_use]
    pub fn trace(&self) -> Vec<String> {
        let lines = self.stderr();
        let is_entry = |line: &&str| line.contains(" us  ");
        lines.lines().filter(is_entry).map(str::to_owned).collect()
    }

    /// The process, for [`process`](crate::process). Its number is not given to another before
    /// [`wait`](Self::wait).
    ///
    /// # Panics
    ///
    /// Never: a process number fits.
    pub fn pid(&self) -> Pid {
        Pid::from_raw(
            self.child
                .id()
                .try_into()
                .expect("a process number is a positive i32"),
        )
    }

    /// Sends a signal.
    ///
    /// # Panics
    ///
    /// If the program has been waited for, or the signal cannot be sent.
    pub fn signal(&self, signal: Signal) {
        assert!(
            self.status.is_none(),
            "{}: has ended, {signal} reaches nobody",
            self.name
        );
        kill(self.pid(), signal).unwrap_or_else(|err| panic!("kill: {err}"));
    }

    /// Readable once the process has ended.
    pub(crate) fn end(&self) -> &OwnedFd {
        &self.end
    }

    /// Whether it has not ended.
    pub fn is_running(&self) -> bool {
        !Deadline::after(Duration::ZERO).ready(&self.end, PollFlags::POLLIN)
    }

    /// Waits for its end, and for the end of both streams, so that everything it printed is there.
    ///
    /// Standard input is left as it is: see [`close_stdin`](Self::close_stdin).
    ///
    /// # Panics
    ///
    /// If it does not end in time, or something it has started keeps a stream open.
    pub fn wait(&mut self) -> ExitStatus {
        let deadline = self.deadline();
        if !deadline.ready(&self.end, PollFlags::POLLIN) {
            self.fail("does not end");
        }
        let status = self
            .child
            .wait()
            .unwrap_or_else(|err| panic!("wait: {err}"));
        self.status = Some(status);
        for (stream, name) in [(&self.stdout, "output"), (&self.stderr, "error")] {
            if !stream.wait_until_closed(deadline) {
                self.fail(&format!(
                    "has ended, but standard {name} is still open elsewhere"
                ));
            }
        }
        status
    }

    /// Ends standard input, waits for the program's end and gives everything it said.
    ///
    /// # Panics
    ///
    /// As [`wait`](Self::wait).
    #[must_use]
    pub fn finish(mut self) -> Finished {
        self.close_stdin();
        Finished {
            status: self.wait(),
            stdout: self.stdout(),
            stderr: self.stderr(),
        }
    }

    fn deadline(&self) -> Deadline {
        Deadline::after(self.timeout)
    }

    fn why(&self, why: NotPrinted) -> String {
        match why {
            NotPrinted::Closed => "it has ended".to_owned(),
            NotPrinted::TimedOut => format!("waited {}", chapter::show_duration(self.timeout)),
        }
    }

    fn fail(&self, why: &str) -> ! {
        self.shown.store(true, Ordering::Relaxed);
        let state = if self.is_running() {
            "is running"
        } else {
            "has ended"
        };
        panic!("{}: {why}\n{}", self.name, self.show(state));
    }

    fn show(&self, state: &str) -> String {
        let (stdout, stderr) = (&self.stdout, &self.stderr);
        format!(
            "{} {state} and has printed:\n{}{}---",
            self.name,
            stdout.show("standard output"),
            stderr.show("standard error")
        )
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let state = match self.status.or_else(|| self.child.try_wait().ok().flatten()) {
            Some(status) => format!("has ended ({status})"),
            None => "was running".to_owned(),
        };
        // Both do nothing if it has ended and was waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() && !self.shown.load(Ordering::Relaxed) {
            let last_words = Deadline::after(Duration::from_secs(1));
            self.stdout.wait_until_closed(last_words);
            self.stderr.wait_until_closed(last_words);
            eprintln!("{}", self.show(&state));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "standard output is still open elsewhere")]
    fn a_stream_held_open_by_a_grandchild_is_said_to_be() {
        // cat ends when the test closes its end of standard input.
        let script = "exec 3<&0; cat <&3 & exit 0";
        let mut program = Launch::new("sh").args(["-c", script]).stdin_pipe().start();
        assert!(program.deadline().ready(&program.end, PollFlags::POLLIN));
        program.set_timeout(Duration::from_millis(300));
        program.wait();
    }
}
