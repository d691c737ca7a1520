//! A terminal of which the test is the other side: keys go in byte by byte, what is written comes
//! out as a screen.
//!
//! Shows: what tmux hides. Here a key can be sent in two halves, a terminal can stop reading or
//! hang up, and its modes can be compared before and after.
//! Leaves out: reading by itself. Nothing is read from the program but while the test waits.

use std::cell::RefCell;
use std::fmt::Debug;
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::num::NonZeroU16;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::time::Duration;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags};
use nix::pty::{grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sys::termios::{Termios, tcgetattr};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::deadline::Deadline;
use crate::{Launch, Program, TIMEOUT, tools};

/// A terminal, with whatever program the test puts on it.
pub struct Pty {
    keys: File,
    program_side: File,
    screen: RefCell<vt100::Parser<Counts>>,
    timeout: Duration,
}

/// What a terminal is set to: to be the same before a program and after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TerminalModes {
    /// What `stty` sets.
    pub line: Termios,
    /// The flags of the open file that a shell would have, `O_NONBLOCK` among them.
    pub open_file: OFlag,
    /// The screen without scrollback, which full-screen programs use.
    pub has_alternate_screen: bool,
    /// Pastes come in brackets.
    pub has_bracketed_paste: bool,
    /// No cursor is shown.
    pub hides_cursor: bool,
    /// What is written now is bold or coloured.
    pub attributes: String,
}

/// Counts what leaves nothing on the screen.
#[derive(Debug, Default)]
struct Counts {
    bells: usize,
    frames: usize,
}

impl vt100::Callbacks for Counts {
    fn audible_bell(&mut self, _: &mut vt100::Screen) {
        self.bells += 1;
    }

    fn unhandled_csi(
        &mut self,
        _: &mut vt100::Screen,
        private: Option<u8>,
        _: Option<u8>,
        parameters: &[&[u16]],
        last: char,
    ) {
        let begins = private == Some(b'?') && parameters == [&[2026]] && last == 'h';
        self.frames += usize::from(begins);
    }
}

impl Pty {
    /// A terminal of so many columns and rows.
    ///
    /// # Panics
    ///
    /// If there is none to be had.
    #[must_use]
    pub fn open((columns, rows): (u16, u16)) -> Self {
        // With O_CLOEXEC from the first moment: a program that another test starts in this one must
        // not hold the terminal open.
        let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let keys = posix_openpt(flags).unwrap_or_else(|err| panic!("posix_openpt: {err}"));
        let name = grantpt(&keys)
            .and_then(|()| unlockpt(&keys))
            .and_then(|()| ptsname_r(&keys));
        let name = name.unwrap_or_else(|err| panic!("terminal: {err}"));
        let mut options = File::options();
        options
            .read(true)
            .write(true)
            .custom_flags(OFlag::O_NOCTTY.bits());
        let program_side = options
            .open(&name)
            .unwrap_or_else(|err| panic!("{name}: {err}"));
        let pty = Self {
            keys: OwnedFd::from(keys).into(),
            program_side,
            screen: RefCell::new(vt100::Parser::new_with_callbacks(
                number(rows),
                number(columns),
                0,
                Counts::default(),
            )),
            timeout: TIMEOUT,
        };
        pty.resize((columns, rows));
        pty
    }

    /// Sets how long each wait from here on lasts at most, instead of [`TIMEOUT`].
    pub fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    /// One more descriptor of the side that a program has.
    ///
    /// # Panics
    ///
    /// If there are no more descriptors.
    #[must_use]
    pub fn program_side(&self) -> File {
        self.program_side
            .try_clone()
            .unwrap_or_else(|err| panic!("dup: {err}"))
    }

    /// Starts a program whose controlling terminal this is, and its standard input and output too;
    /// standard error is collected as always. None if setsid(1) is missing.
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    #[must_use]
    pub fn start(&self, launch: Launch) -> Option<Program> {
        tools::find("setsid")?;
        let launch = launch
            .env("TERM", "xterm-256color")
            .under("setsid", ["--ctty", "--wait"])
            .stdin(self.program_side())
            .stdout(self.program_side());
        Some(launch.start())
    }

    /// Sends bytes as keys would be.
    ///
    /// # Panics
    ///
    /// If the terminal does not take them in time.
    pub fn send(&self, bytes: impl AsRef<[u8]>) {
        let deadline = Deadline::after(self.timeout);
        let mut rest = bytes.as_ref();
        while !rest.is_empty() {
            match (&self.keys).write(rest) {
                Ok(count) => rest = &rest[count..],
                Err(err) if err.kind() == ErrorKind::Interrupted => {}
                Err(err) if err.kind() == ErrorKind::WouldBlock => {
                    let is_taken = deadline.ready(&self.keys, PollFlags::POLLOUT);
                    assert!(is_taken, "{} keys are not taken", rest.len());
                }
                Err(err) => panic!("keys: {err}"),
            }
        }
    }

    /// Changes the size; the program gets `SIGWINCH`.
    ///
    /// # Panics
    ///
    /// If the terminal refuses.
    pub fn resize(&self, (columns, rows): (u16, u16)) {
        let size = Winsize {
            ws_col: columns,
            ws_row: rows,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let mut screen = self.screen.borrow_mut();
        screen.screen_mut().set_size(number(rows), number(columns));
        tcsetwinsize(&self.keys, size).unwrap_or_else(|err| panic!("size: {err}"));
    }

    /// What the terminal is set to, as far as the program's output is read: see
    /// [`read`](Self::read).
    ///
    /// # Panics
    ///
    /// If the terminal is gone.
    #[must_use]
    pub fn modes(&self) -> TerminalModes {
        let screen = self.screen.borrow();
        let screen = screen.screen();
        let flags = fcntl(&self.program_side, FcntlArg::F_GETFL).expect("the descriptor is open");
        TerminalModes {
            line: tcgetattr(&self.program_side).unwrap_or_else(|err| panic!("modes: {err}")),
            open_file: OFlag::from_bits_truncate(flags),
            has_alternate_screen: screen.alternate_screen(),
            has_bracketed_paste: screen.bracketed_paste(),
            hides_cursor: screen.hide_cursor(),
            attributes: screen.attributes_formatted(),
        }
    }

    /// How often the bell has rung, as far as the program's output is read.
    #[must_use]
    pub fn bells(&self) -> usize {
        self.screen.borrow().callbacks().bells
    }

    /// How many frames were drawn in one go (synchronized output, mode 2026), as far as the
    /// program's output is read.
    #[must_use]
    pub fn frames(&self) -> usize {
        self.screen.borrow().callbacks().frames
    }

    /// The screen as text, one line a row without the spaces at its end, as far as the program's
    /// output is read.
    #[must_use]
    pub fn screen(&self) -> String {
        let contents = self.screen.borrow().screen().contents();
        let rows: Vec<&str> = contents.lines().map(str::trim_end).collect();
        rows.join("\n")
    }

    /// Reads what the program has written, and returns how many bytes that was.
    ///
    /// # Panics
    ///
    /// If the terminal cannot be read.
    pub fn read(&self) -> usize {
        let (mut buffer, mut total) = ([0; 16 << 10], 0);
        loop {
            match (&self.keys).read(&mut buffer) {
                Ok(0) => return total,
                Ok(count) => {
                    self.screen.borrow_mut().process(&buffer[..count]);
                    total += count;
                }
                Err(err) if err.kind() == ErrorKind::Interrupted => {}
                Err(err) if err.kind() == ErrorKind::WouldBlock => return total,
                Err(err) => panic!("terminal: {err}"),
            }
        }
    }

    /// Reads on until the screen contains `text`, and returns the screen.
    ///
    /// # Panics
    ///
    /// If it does not in time; the screen is shown.
    pub fn wait_for_screen(&self, text: &str) -> String {
        self.wait_until(&format!("with {text:?}"), |screen| {
            screen.contents().contains(text)
        })
    }

    /// Reads on until `accept` says yes to the screen, and returns it as text. `what` completes
    /// "no screen".
    ///
    /// # Panics
    ///
    /// If it does not in time; the screen is shown.
    pub fn wait_until(&self, what: &str, accept: impl Fn(&vt100::Screen) -> bool) -> String {
        let deadline = Deadline::after(self.timeout);
        loop {
            self.read();
            if accept(self.screen.borrow().screen()) {
                return self.screen();
            }
            let mut source = [PollFd::new(self.keys.as_fd(), PollFlags::POLLIN)];
            let is_ready = deadline.any_ready(&mut source);
            assert!(is_ready, "no screen {what}:\n{}\n---", self.screen());
        }
    }

    /// Waits for the end of `program`, reading on meanwhile, and returns its exit code; none if a
    /// signal has ended it.
    ///
    /// # Panics
    ///
    /// If it does not end in time.
    pub fn wait_for_exit(&self, program: &mut Program) -> Option<i32> {
        let deadline = Deadline::after(self.timeout);
        while program.is_running() {
            let mut sources = [
                PollFd::new(self.keys.as_fd(), PollFlags::POLLIN),
                PollFd::new(program.end().as_fd(), PollFlags::POLLIN),
            ];
            let is_ready = deadline.any_ready(&mut sources);
            assert!(is_ready, "it does not end:\n{}\n---", self.screen());
            self.read();
        }
        let status = program.wait();
        self.read();
        status.code()
    }
}

impl Debug for Pty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pty")
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}

fn number(size: u16) -> NonZeroU16 {
    NonZeroU16::new(size).expect("a terminal has columns and rows")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(pty: &Pty, script: &str) -> Option<Program> {
        pty.start(Launch::new("sh").args(["-c", script]))
    }

    #[test]
    fn keys_go_in_byte_by_byte_and_the_screen_comes_out() {
        let pty = Pty::open((40, 10));
        let Some(mut program) = start(
            &pty,
            "read line; printf '\\033[2J\\033[?2026h%s\\a' \"$line\"; exit 3",
        ) else {
            return;
        };
        pty.send("sl");
        pty.send("ow\r");
        assert_eq!(pty.wait_for_exit(&mut program), Some(3));
        assert_eq!(pty.screen().trim(), "slow");
        assert_eq!((pty.bells(), pty.frames()), (1, 1));
    }

    #[test]
    fn the_program_learns_the_size_and_a_change_of_it() {
        let pty = Pty::open((40, 10));
        let script = "trap 'stty size; exit 0' WINCH; stty size; while :; do read line; done";
        let Some(mut program) = start(&pty, script) else {
            return;
        };
        pty.wait_for_screen("10 40");
        pty.resize((50, 12));
        pty.wait_for_screen("12 50");
        assert_eq!(pty.wait_for_exit(&mut program), Some(0));
    }

    #[test]
    fn modes_that_a_program_leaves_changed_are_seen() {
        for (script, is_same) in [
            ("stty raw; stty -raw", false),
            ("stty -echo; stty echo", true),
            ("printf '\\033[?1049h'", false),
            ("printf '\\033[?1049h\\033[?1049l'", true),
            ("printf '\\033[?25l'", false),
            ("printf '\\033[?2004h'", false),
            ("printf '\\033[1m'", false),
        ] {
            let pty = Pty::open((40, 10));
            let before = pty.modes();
            let Some(mut program) = start(&pty, script) else {
                return;
            };
            assert_eq!(pty.wait_for_exit(&mut program), Some(0));
            assert_eq!(pty.modes() == before, is_same, "{script}");
        }
    }
}
