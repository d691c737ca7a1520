//! The terminal's modes: taken, and given back whatever happens.
//!
//! Shows: one value whose drop restores the terminal, so that every way out of
//! `main` does; a panic restores it before its message is printed, so that the
//! message can be read; a panic of another thread waits with its message until
//! the screen is gone.
//! Leaves out: SIGKILL, which nobody can take. `reset` helps then.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;
use std::panic;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use ratatui::crossterm::queue;
use ratatui::crossterm::style::{Attribute, SetAttribute};
use ratatui::crossterm::terminal::{
    EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
};
use rustix::termios::{Action, OptionalActions, Termios, tcflow, tcgetattr, tcsetattr};

/// How long the terminal may take to take the few bytes that restore it. One
/// that has stopped (Ctrl-S, a dead connection) would hold the program for ever.
const PATIENCE: Duration = Duration::from_secs(1);

/// The terminal while its modes are the screen's. Dropping it restores them.
#[derive(Debug)]
pub(crate) struct Guard {
    modes: Arc<Modes>,
}

/// What the terminal was like, for whoever restores it first.
#[derive(Debug)]
struct Modes {
    terminal: File,
    /// None once they are restored.
    before: Mutex<Option<Termios>>,
    /// Panic messages of other threads, to be printed afterwards.
    messages: Mutex<Vec<String>>,
}

impl Guard {
    /// Makes the terminal raw: keys come at once, and none of them is a signal.
    /// What is to be written to it comes from [`Guard::opening`].
    ///
    /// In the background this stops the process group (`SIGTTOU`), as
    /// `tcflow(3)` does; it goes on in the foreground.
    ///
    /// # Errors
    ///
    /// `EIO` if the terminal is gone.
    pub(crate) fn new(terminal: &File) -> io::Result<Guard> {
        let modes = Arc::new(Modes {
            terminal: terminal.try_clone()?,
            before: Mutex::new(None),
            messages: Mutex::default(),
        });
        modes.make_raw()?;
        let guard = Guard { modes };
        guard.restore_on_panic();
        Ok(guard)
    }

    /// What is written to the terminal before the first frame: a screen of our
    /// own, and pastes in brackets.
    pub(crate) fn opening() -> Vec<u8> {
        let mut bytes = Vec::new();
        queue!(bytes, EnterAlternateScreen, EnableBracketedPaste)
            .expect("writing into memory does not fail");
        bytes
    }

    /// Gives the terminal back for a while. A frame that is half written does no
    /// harm: what restores begins with ESC, which ends whatever has begun.
    pub(crate) fn suspend(&self) {
        self.modes.restore();
    }

    /// Takes it again. The modes may be others than before.
    ///
    /// # Errors
    ///
    /// As [`Guard::new`].
    pub(crate) fn resume(&self) -> io::Result<()> {
        self.modes.make_raw()
    }

    // ANCHOR: restore-on-panic
    fn restore_on_panic(&self) {
        let (modes, thread) = (Arc::clone(&self.modes), thread::current().id());
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if thread::current().id() == thread {
                modes.restore();
                before(panic);
            } else if modes.before().is_some() {
                locked(&modes.messages).push(panic.to_string());
            } else {
                before(panic);
            }
        }));
    }
    // ANCHOR_END: restore-on-panic
}

// ANCHOR: drop-guard
impl Drop for Guard {
    fn drop(&mut self) {
        self.modes.restore();
        for message in locked(&self.modes.messages).drain(..) {
            eprintln!("{message}");
        }
    }
}
// ANCHOR_END: drop-guard

impl Modes {
    fn before(&self) -> MutexGuard<'_, Option<Termios>> {
        locked(&self.before)
    }

    fn make_raw(&self) -> io::Result<()> {
        // In the background this is where the process stops: the modes are read
        // when it is in front again, and are not those of the shell's own line.
        tcflow(&self.terminal, Action::OOn)?;
        // ANCHOR: make-raw
        let mut before = self.before();
        let mut modes = tcgetattr(&self.terminal)?;
        let kept = modes.clone();
        modes.make_raw();
        tcsetattr(&self.terminal, OptionalActions::Now, &modes)?;
        // Unless they are the screen's: somebody else has stopped the process.
        before.get_or_insert(kept);
        // ANCHOR_END: make-raw
        Ok(())
    }

    /// Restores the terminal, once.
    fn restore(&self) {
        // ANCHOR: restore
        let Some(modes) = self.before().take() else {
            return;
        };
        let mut bytes = Vec::new();
        let closing = queue!(
            bytes,
            EndSynchronizedUpdate,
            DisableBracketedPaste,
            SetAttribute(Attribute::Reset),
            Show,
            LeaveAlternateScreen
        );
        closing.expect("writing into memory does not fail");
        // Of a terminal that is gone or has stopped there is nothing to restore.
        write_within(&self.terminal, &bytes, PATIENCE);
        let _ = tcsetattr(&self.terminal, OptionalActions::Now, &modes);
        // ANCHOR_END: restore
    }
}

/// Writes what the terminal takes within `limit`; it blocks that long at most.
fn write_within(mut terminal: &File, mut bytes: &[u8], limit: Duration) {
    let end = Instant::now() + limit;
    while !bytes.is_empty() {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::ZERO);
        let mut asked = [PollFd::new(terminal.as_fd(), PollFlags::POLLOUT)];
        match poll(&mut asked, timeout) {
            Err(Errno::EINTR) => continue,
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        match terminal.write(bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(err) if matches!(err.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) => {}
            Err(_) => return,
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Both are whole between any two uses.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
