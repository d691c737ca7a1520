//! The keyboard in the loop.
//!
//! Shows: reading what is there within a budget, a timer for the rest of a key
//! that may never come, and what to do when the terminal is gone: not to look at
//! it again, since its end stays readable for ever.

use epoll_loop::{Event, EventLoop, ReadEnd, read_within};

use crate::app::AppEvent;
use crate::link::Link;
use crate::terminal::{MAX_PASTE_BYTES, Typed};

use super::ScreenMode;

/// The size of one read: a terminal gives no more.
pub(super) const READ_BYTES: usize = 4096;

/// How much is read before the others have a turn. Nobody types that fast, but
/// a file may be pasted.
const READ_BUDGET_BYTES: usize = 64 * 1024;

impl ScreenMode {
    /// The terminal has keys, or takes more of a frame, or is gone.
    pub(super) fn use_terminal(&mut self, event_loop: &mut EventLoop<ScreenMode>, event: Event) {
        // That it takes more is for `draw`, which is called before the wait.
        let Some(terminal) = &self.terminal else {
            return;
        };
        if !event.readiness.is_readable() {
            return;
        }
        // ANCHOR: read-keys
        let (keys, mut typed) = (&mut self.keys, Vec::new());
        let read = read_within(
            &**terminal,
            event.readiness,
            &mut self.buffer,
            READ_BUDGET_BYTES,
            |bytes| keys.take(bytes, |one| typed.push(one)),
        );
        self.take_typed(event_loop, typed);
        match read {
            Ok(ReadEnd::Drained | ReadEnd::BudgetSpent) => self.set_key_timer(event_loop),
            Ok(ReadEnd::EndOfStream) | Err(_) => self.lose_terminal(event_loop),
        }
        // ANCHOR_END: read-keys
    }

    /// The rest of a key has not come.
    fn give_key_up(&mut self, event_loop: &mut EventLoop<ScreenMode>, _: Event) {
        self.key_timer = None;
        let mut typed = Vec::new();
        self.keys.give_up(|one| typed.push(one));
        self.take_typed(event_loop, typed);
    }

    // ANCHOR: set-key-timer
    fn set_key_timer(&mut self, event_loop: &mut EventLoop<ScreenMode>) {
        if let Some(timer) = self.key_timer.take() {
            event_loop.cancel(timer);
        }
        let patience = self.keys.patience();
        self.key_timer =
            patience.map(|patience| event_loop.after(patience, ScreenMode::give_key_up));
    }
    // ANCHOR_END: set-key-timer

    fn take_typed(&mut self, event_loop: &EventLoop<ScreenMode>, typed: Vec<Typed>) {
        for one in typed {
            match one {
                Typed::Key(key) => self.update(event_loop, AppEvent::Key(key)),
                Typed::Paste { text, is_cut } => {
                    self.update(event_loop, AppEvent::Paste(text));
                    if is_cut {
                        let notice = format!(
                            "of the paste only the first {MAX_PASTE_BYTES} bytes are taken"
                        );
                        self.update(event_loop, AppEvent::Notice(notice));
                    }
                }
            }
        }
    }

    /// Nobody will see or type anything any more.
    pub(super) fn lose_terminal(&mut self, event_loop: &mut EventLoop<ScreenMode>) {
        self.terminal = None;
        // The end of the terminal and SIGHUP are one hang-up, not two wishes to
        // leave: the second would not wait for the good-bye.
        if !self.link.session.is_quitting() {
            Link::leave(self, event_loop, "");
        }
    }

    /// SIGHUP: the terminal is gone.
    pub(super) fn hang_up(&mut self, event_loop: &mut EventLoop<ScreenMode>, _: Event) {
        self.lose_terminal(event_loop);
    }
}
