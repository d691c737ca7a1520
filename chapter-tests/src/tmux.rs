//! A program on a terminal: keys go in, the screen comes out as text.
//!
//! Shows: waiting for a screen without polling it. tmux copies what the program prints into a FIFO
//! as well (`pipe-pane`); the test sleeps in poll(2) until something arrives there, and looks at
//! the screen again.
//! Leaves out: colours and attributes; several windows.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags};
use nix::sys::stat::Mode;
use nix::unistd::{Pid, mkfifo};
use rustix::process::{PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::deadline::Deadline;
use crate::{TIMEOUT, TemporaryDirectory};

/// How long a program may take to end after its terminal is gone, before it is killed.
const HANGUP_TIMEOUT: Duration = Duration::from_secs(2);

/// The channel of `tmux wait-for` on which the test says that it is ready to watch the program.
const BEGIN: &str = "begin";

/// Run by the shell in the terminal: waits for that, then becomes the program. Without the wait a
/// short program would have ended before anybody looked. `$0` is tmux, the rest is the command.
const GATE: &str = r#""$0" wait-for begin && exec env LC_ALL=C.UTF-8 "$@""#;

/// The last screen stays as it was when the program has ended; no line of status takes a row; ESC
/// is a key at once.
const CONFIGURATION: &str = "\
set-option -g remain-on-exit on
set-option -gq remain-on-exit-format ''
set-option -g status off
set-option -s escape-time 0
";

/// One program on one terminal, in a tmux server of its own. Dropping it ends both.
///
/// ```
/// # fn main() {
/// use chapter_tests::{tmux::Tmux, tools};
///
/// let Some(tmux) = tools::find("tmux") else { return };
/// let mut terminal = Tmux::start(&tmux, ["sh", "-c", "read line; echo You said $line"], (80, 24));
/// terminal.type_text("hello");
/// terminal.press("Enter");
/// terminal.wait_for_screen("You said hello");
/// # }
/// ```
#[derive(Debug)]
pub struct Tmux {
    /// The program tmux.
    path: PathBuf,
    /// Holds the server's configuration and socket, and the FIFO.
    directory: TemporaryDirectory,
    /// Carries what the program prints.
    printed: File,
    pid: Pid,
    /// Readable once the program has ended.
    end: OwnedFd,
    timeout: Duration,
}

impl Tmux {
    /// Starts `command` on a terminal of so many columns and rows. `tmux` is what
    /// [`tools::find`](crate::tools::find) returned.
    ///
    /// `command` is a program and its arguments, with no shell in between; words of the shape
    /// `NAME=VALUE` before the program go into its environment.
    ///
    /// # Panics
    ///
    /// If tmux or the program cannot be started.
    pub fn start<A: AsRef<OsStr>>(
        tmux: &Path,
        command: impl IntoIterator<Item = A>,
        (columns, rows): (u16, u16),
    ) -> Self {
        let directory = TemporaryDirectory::new();
        let fifo = directory.join("printed");
        mkfifo(&fifo, Mode::S_IRUSR | Mode::S_IWUSR).unwrap_or_else(|err| panic!("mkfifo: {err}"));
        // Not blocking: opening would wait for the writer otherwise.
        let printed = OpenOptions::new()
            .read(true)
            .custom_flags(OFlag::O_NONBLOCK.bits())
            .open(&fifo);
        let printed = printed.unwrap_or_else(|err| panic!("{}: {err}", fifo.display()));

        fs::write(directory.join("tmux.conf"), CONFIGURATION)
            .unwrap_or_else(|err| panic!("tmux.conf: {err}"));

        let (columns, rows) = (columns.to_string(), rows.to_string());
        let mut start = server(tmux, &directory);
        start.args(["new-session", "-d", "-P", "-F", "#{pane_pid}"]);
        start.args(["-x", &columns, "-y", &rows]);
        start.args(["--", "sh", "-c", GATE]).arg(tmux).args(command);
        let pid = Pid::from_raw(
            run(&mut start)
                .trim()
                .parse()
                .expect("a number was asked for"),
        );
        let end = pidfd_open(
            rustix::process::Pid::from_raw(pid.as_raw()).expect("no process has the number 0"),
            PidfdFlags::empty(),
        );
        let started = Self {
            path: tmux.to_owned(),
            end: end.unwrap_or_else(|err| panic!("pidfd_open: {err}")),
            directory,
            printed,
            pid,
            timeout: TIMEOUT,
        };
        let copy = format!("exec cat > '{}'", fifo.display());
        started.run(["pipe-pane", "-O", &copy]);
        started.run(["wait-for", "-S", BEGIN]);
        started
    }

    /// How long each further wait may last before the test fails, instead of [`TIMEOUT`].
    pub fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    /// The program's process, for [`process`](crate::process).
    #[must_use]
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Types text as it is.
    ///
    /// # Panics
    ///
    /// As all functions here, if tmux refuses, for example because the program has ended.
    pub fn type_text(&self, text: &str) {
        self.run(["send-keys", "-l", "--", text]);
    }

    /// Presses one key by tmux's name for it: `Enter`, `C-c`, `M-1`, `Up`, `PageUp`, `F1`.
    ///
    /// # Panics
    ///
    /// If tmux refuses.
    pub fn press(&self, key: &str) {
        self.run(["send-keys", "--", key]);
    }

    /// Changes the size of the terminal; the program gets `SIGWINCH`.
    ///
    /// # Panics
    ///
    /// If tmux refuses.
    pub fn resize(&self, (columns, rows): (u16, u16)) {
        self.run([
            "resize-window",
            "-x",
            &columns.to_string(),
            "-y",
            &rows.to_string(),
        ]);
    }

    /// The screen now: one line a row, without the spaces at its end.
    ///
    /// # Panics
    ///
    /// If tmux refuses.
    #[must_use]
    pub fn screen(&self) -> String {
        self.run(["capture-pane", "-p"])
    }

    /// Where the cursor stands: column and row, from 0.
    ///
    /// # Panics
    ///
    /// If tmux refuses.
    #[must_use]
    pub fn cursor(&self) -> (u16, u16) {
        let position = self.run(["display-message", "-p", "#{cursor_x} #{cursor_y}"]);
        let position = position
            .trim()
            .split_once(' ')
            .expect("two numbers were asked for");
        let number = |text: &str| text.parse().expect("tmux prints a number");
        (number(position.0), number(position.1))
    }

    /// Waits until the screen contains `text`, and returns the screen.
    ///
    /// # Panics
    ///
    /// If it does not in time, or the program ends without; the test's output shows the screen.
    pub fn wait_for_screen(&mut self, text: &str) -> String {
        self.wait_for_screen_with(&format!("{text:?}"), |screen| screen.contains(text))
    }

    /// Waits until `accept` says yes to the screen, and returns the screen. `what` names it.
    ///
    /// # Panics
    ///
    /// If it does not in time, or the program ends without; the test's output shows the screen.
    pub fn wait_for_screen_with(&mut self, what: &str, accept: impl Fn(&str) -> bool) -> String {
        let deadline = Deadline::after(self.timeout);
        let mut may_print = true;
        loop {
            let has_ended = Deadline::after(Duration::ZERO).ready(&self.end, PollFlags::POLLIN);
            if has_ended {
                // By then its last words are on the screen.
                self.wait_until_noticed();
            }
            let screen = self.screen();
            if accept(&screen) {
                return screen;
            }
            assert!(
                !has_ended,
                "the program has ended without a screen with {what}"
            );
            let mut sources = vec![PollFd::new(self.end.as_fd(), PollFlags::POLLIN)];
            if may_print {
                sources.push(PollFd::new(self.printed.as_fd(), PollFlags::POLLIN));
            }
            let timeout = chapter::show_duration(self.timeout);
            assert!(
                deadline.any_ready(&mut sources),
                "no screen with {what}, waited {timeout}"
            );
            may_print = may_print && self.drain();
        }
    }

    /// Waits for the program's end and returns its exit status; for one that a signal has ended,
    /// 128 and the signal's number, as a shell does.
    ///
    /// A program that closes its terminal some time before it exits, as cat(1) does, may get a
    /// `SIGHUP` in between: tmux takes the closing for the end.
    ///
    /// # Panics
    ///
    /// If it does not end in time.
    pub fn wait_for_exit(&mut self) -> i32 {
        let has_ended = Deadline::after(self.timeout).ready(&self.end, PollFlags::POLLIN);
        assert!(has_ended, "the program does not end");
        self.wait_until_noticed();
        let dead = self.run([
            "display-message",
            "-p",
            "#{pane_dead_signal} #{pane_dead_status}",
        ]);
        let number = |text: &str| text.parse::<i32>().ok();
        let (signal, status) = dead
            .trim_end()
            .split_once(' ')
            .unwrap_or((dead.trim_end(), ""));
        let status = number(signal)
            .map(|signal| 128 + signal)
            .or_else(|| number(status));
        status.unwrap_or_else(|| panic!("no exit status: {dead:?}"))
    }

    /// Waits until tmux knows too that the program has ended, and how.
    fn wait_until_noticed(&self) {
        // Each question is answered between two turns of tmux's own loop, so it reads on.
        let deadline = Deadline::after(self.timeout);
        while self.run(["display-message", "-p", "#{pane_dead}"]).trim() != "1" {
            let in_time = !deadline.remaining().is_zero();
            assert!(
                in_time,
                "the program has ended, but something it has started is there still"
            );
        }
        // At the end of a terminal tmux has libutempter note the logout, which for that time turns
        // SIGCHLD off: the one for our program can be lost. The end of another child makes tmux
        // ask for all that have ended.
        self.run(["run-shell", "true"]);
    }

    /// Takes what has arrived in the FIFO; false if nothing more can come.
    fn drain(&mut self) -> bool {
        let mut buffer = [0; 4 << 10];
        loop {
            match self.printed.read(&mut buffer) {
                Ok(0) => return false,
                Ok(_) => {}
                Err(err) if err.kind() == ErrorKind::Interrupted => {}
                Err(err) if err.kind() == ErrorKind::WouldBlock => return true,
                Err(err) => panic!("read: {err}"),
            }
        }
    }

    fn run<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> String {
        run(server(&self.path, &self.directory).args(args))
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        // Nothing here may panic: the test may be failing already.
        if thread::panicking() {
            let screen = server(&self.path, &self.directory)
                .args(["capture-pane", "-p"])
                .output();
            let screen = screen.map(|output| output.stdout).unwrap_or_default();
            let screen = String::from_utf8_lossy(&screen);
            eprintln!("--- the screen ---\n{}\n---", screen.trim_end());
        }
        let _ = server(&self.path, &self.directory)
            .arg("kill-server")
            .output();
        if !Deadline::after(HANGUP_TIMEOUT).ready(&self.end, PollFlags::POLLIN) {
            let _ = pidfd_send_signal(&self.end, Signal::KILL);
        }
    }
}

/// A command to the tmux server whose socket is in this directory, with our configuration alone.
fn server(tmux: &Path, directory: &Path) -> Command {
    let mut command = Command::new(tmux);
    command
        .arg("-u")
        .arg("-S")
        .arg(directory.join("socket"))
        .arg("-f");
    command.arg(directory.join("tmux.conf"));
    command.stdin(Stdio::null());
    command
}

fn run(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|err| panic!("{command:?}: {err}"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {stderr}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools;

    fn start(command: &[&str]) -> Option<Tmux> {
        Some(Tmux::start(&tools::find("tmux")?, command, (40, 10)))
    }

    #[test]
    fn keys_go_in_and_the_screen_comes_out() {
        let Some(mut terminal) = start(&["sh", "-c", "cat; exit 3"]) else {
            return;
        };
        terminal.type_text("-l $HOME; ü");
        terminal.press("Enter");
        let twice = |screen: &str| screen.matches("-l $HOME; ü\n").count() == 2;
        terminal.wait_for_screen_with("the line and its echo", twice);
        assert_eq!(terminal.cursor(), (0, 2));
        terminal.press("C-d");
        assert_eq!(terminal.wait_for_exit(), 3);
    }

    #[test]
    fn what_was_printed_before_the_first_look_is_seen() {
        let Some(mut terminal) = start(&["sh", "-c", "echo early; exec cat"]) else {
            return;
        };
        terminal.wait_for_screen("early");
    }

    #[test]
    fn the_last_screen_stays_and_the_exit_status_is_told() {
        let Some(mut terminal) = start(&["sh", "-c", "echo bye; exit 7"]) else {
            return;
        };
        assert_eq!(terminal.wait_for_exit(), 7);
        assert_eq!(terminal.wait_for_exit(), 7, "as often as it is asked for");
        assert!(terminal.wait_for_screen("bye").starts_with("bye\n"));
    }

    #[test]
    fn a_death_by_signal_is_told_as_a_shell_does() {
        let Some(mut terminal) = start(&["sh", "-c", "kill -TERM $$"]) else {
            return;
        };
        assert_eq!(terminal.wait_for_exit(), 128 + 15);
    }

    #[test]
    fn the_program_learns_the_size_and_its_change() {
        let script = "trap 'stty size' WINCH; stty size; while :; do read line; done";
        let Some(mut terminal) = start(&["sh", "-c", script]) else {
            return;
        };
        terminal.wait_for_screen("10 40");
        terminal.resize((60, 20));
        terminal.press("Enter");
        terminal.wait_for_screen("20 60");
    }

    #[test]
    fn a_variable_can_be_set_and_a_lone_word_is_no_shell_command() {
        let Some(mut terminal) = start(&["A=b", "sh", "-c", "echo a-$A; exec cat"]) else {
            return;
        };
        terminal.wait_for_screen("a-b");
        let Some(mut terminal) = start(&["echo one; echo two"]) else {
            return;
        };
        assert_eq!(terminal.wait_for_exit(), 127);
    }

    #[test]
    #[should_panic(expected = "has ended without a screen with \"never\"")]
    fn a_screen_that_cannot_come_any_more_is_not_waited_for() {
        let Some(mut terminal) = start(&["sh", "-c", "echo bye"]) else {
            panic!("has ended without a screen with \"never\": needs tmux")
        };
        terminal.wait_for_screen("never");
    }

    #[test]
    fn dropping_it_ends_even_a_program_that_ignores_the_hangup() {
        let script = "trap '' HUP TERM; echo ready; while :; do read line || :; done";
        let Some(mut terminal) = start(&["sh", "-c", script]) else {
            return;
        };
        terminal.wait_for_screen("ready");
        let end = terminal.end.try_clone().unwrap();
        let directory = terminal.directory.to_owned();
        drop(terminal);
        assert!(Deadline::after(TIMEOUT).ready(&end, PollFlags::POLLIN));
        assert!(!directory.exists());
    }
}
