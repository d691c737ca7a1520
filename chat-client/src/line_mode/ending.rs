//! How the program ends.
//!
//! Shows: end of input is not the end of the conversation. The server may not
//! have read the last line, and closing now could take it back. So the server
//! is asked (`PING :end`), and only then told (`QUIT`).

use epoll_loop::{Event, EventLoop, WatcherId};

use crate::failure::Failure;
use crate::link::{LAST_WORDS, Link};

use super::LineMode;

/// How far the end is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// It is not near.
    Open,
    /// Standard input has ended; what was typed is being sent.
    Sending,
    /// `PING :end` is on its way.
    Asking {
        deadline: WatcherId,
    },
    /// QUIT is on its way.
    Leaving,
    Over,
}

impl LineMode {
    /// Standard input has ended.
    pub(super) fn finish_input(&mut self, event_loop: &mut EventLoop<LineMode>) {
        if self.ending != Ending::Open {
            return;
        }
        self.ending = Ending::Sending;
        self.link.session.finish();
        // A person who goes while there is no connection does not wait for one;
        // a pipe's lines do, if they are to be sent at all.
        let is_waiting = self.link.is_waiting();
        let has_lines = self.link.session.unsent() > 0;
        if !self.link.is_connected() && (self.input.is_terminal() || (is_waiting && !has_lines)) {
            self.end(event_loop);
        }
    }

    /// Every turn: takes the next step towards the end, if it is time for it.
    pub(super) fn go_on_ending(&mut self, event_loop: &mut EventLoop<LineMode>) {
        if self.link.is_leaving() && self.ending != Ending::Over {
            if let Ending::Asking { deadline } = self.ending {
                event_loop.cancel(deadline);
            }
            self.ending = Ending::Leaving;
        }
        // ANCHOR: ending
        match self.ending {
            Ending::Sending if self.link.session.is_asked() => {
                let deadline = event_loop.after(LAST_WORDS, LineMode::stop_asking);
                self.ending = Ending::Asking { deadline };
            }
            Ending::Asking { .. } if self.link.session.is_confirmed() => {
                self.link.session.quit("");
                Link::settle(self, event_loop);
                self.go_on_ending(event_loop);
            }
            // The connection was lost, and the lines behind it will be sent again.
            Ending::Asking { deadline } if !self.link.session.is_asked() => {
                event_loop.cancel(deadline);
                self.ending = Ending::Sending;
            }
            _ => {}
        }
        // ANCHOR_END: ending
    }

    /// The server has not said that it has the last lines.
    fn stop_asking(&mut self, _: &mut EventLoop<LineMode>, _: Event) {
        let address = self.link.address().clone();
        self.failure = Some(Failure::Unconfirmed(address, LAST_WORDS));
        self.link.session.quit("");
    }

    /// Ends the program.
    pub(super) fn end(&mut self, event_loop: &mut EventLoop<LineMode>) {
        self.ending = Ending::Over;
        event_loop.stop(Ok(()));
    }
}
