//! When to draw.
//!
//! Shows: a flag that something has changed, and a timer only while it is set
//! and the last frame is too young. The first change is on the screen at once,
//! a thousand a second are thirty frames, and while nothing changes nothing
//! wakes the program.

use std::time::{Duration, Instant};

use epoll_loop::{Event, EventLoop, WatcherId};

use crate::app::AppEvent;
use crate::terminal;

use super::ScreenMode;

/// The time between two frames: thirty a second are seen as motion.
const INTERVAL: Duration = Duration::from_millis(33);

/// What was drawn and what is to be.
#[derive(Debug, Default)]
pub(super) struct Frames {
    last: Option<Instant>,
    /// Runs until the next one may be drawn.
    timer: Option<WatcherId>,
    /// A frame is wanted though the app may have nothing new to show.
    is_wanted: bool,
}

impl ScreenMode {
    /// Draws if there is something to show, all of the last frame is written,
    /// and that is long enough ago.
    pub(super) fn draw(&mut self, event_loop: &mut EventLoop<ScreenMode>) {
        if self.is_stopped {
            return;
        }
        // ANCHOR: draw
        // First what waits: otherwise a frame would wait for an event that never
        // comes, if the terminal takes all of it now.
        self.flush(event_loop);
        // ANCHOR: is-there-anything
        let is_wanted = self.frames.is_wanted || self.app.is_dirty();
        if !is_wanted || !self.output.is_idle() || self.terminal.is_none() {
            return;
        }
        // ANCHOR_END: is-there-anything
        let now = event_loop.now();
        // ANCHOR: not-yet
        let due = self.frames.last.map_or(now, |last| last + INTERVAL);
        if now < due {
            self.frames
                .timer
                .get_or_insert_with(|| event_loop.at(due, ScreenMode::allow_frame));
            return;
        }
        // ANCHOR_END: not-yet
        if let Some(timer) = self.frames.timer.take() {
            event_loop.cancel(timer);
        }
        self.frames.last = Some(now);
        self.frames.is_wanted = false;
        let (app, session) = (&mut self.app, &self.link.session);
        self.output.draw(|frame| app.view(session, frame));
        // ANCHOR_END: draw
        self.flush(event_loop);
    }

    // ANCHOR: allow-frame
    /// The last frame is old enough: the next one is drawn before the wait.
    fn allow_frame(&mut self, _: &mut EventLoop<ScreenMode>, _: Event) {
        self.frames.timer = None;
    }
    // ANCHOR_END: allow-frame

    /// Writes what the terminal takes.
    fn flush(&mut self, event_loop: &mut EventLoop<ScreenMode>) {
        if let Some(terminal) = &self.terminal
            && self.output.flush(event_loop, terminal).is_err()
        {
            self.lose_terminal(event_loop);
        }
    }

    /// The terminal has another size.
    pub(super) fn resize(&mut self, event_loop: &mut EventLoop<ScreenMode>, _: Event) {
        self.redraw(event_loop);
    }

    /// Has every cell drawn anew, in the size that the terminal has.
    pub(super) fn redraw(&mut self, event_loop: &EventLoop<ScreenMode>) {
        let Some(terminal) = &self.terminal else {
            return;
        };
        let size = terminal::size(&**terminal);
        self.output.redraw(size);
        self.frames.is_wanted = true;
        self.update(
            event_loop,
            AppEvent::Resize {
                columns: size.width,
                rows: size.height,
            },
        );
    }
}
