//! How the program ends.
//!
//! Shows: end of input is not the end of the conversation. The server may not
//! have read the last line; closing now could take it back, because a socket
//! that is closed while bytes for it arrive answers with a reset, and a reset
//! throws away what the other side has not read. So the server is asked
//! (`PING :end`), then told (`QUIT`), and then the client reads to the end.

use std::time::Duration;

use epoll_loop::{Event, EventLoop, WatcherId};

use crate::failure::Failure;

use super::LineMode;

/// How long the server may take to answer `PING :end`, and to close after QUIT.
const LAST_WORDS: Duration = Duration::from_secs(5);

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
    /// QUIT is queued behind everything else.
    Quitting,
    /// Nothing more will be sent; the server is about to close.
    Closing,
    Over,
}

impl LineMode {
    /// Standard input has ended.
    pub(super) fn finish_input(&mut self, event_loop: &mut EventLoop<LineMode>) {
        if self.ending != Ending::Open {
            return;
        }
        self.ending = Ending::Sending;
        self.session.finish();
        // A person who goes while there is no connection does not wait for one;
        // a pipe's lines do, if they are to be sent at all.
        let is_waiting = self.retry.is_some() && self.session.unsent() > 0;
        if !self.is_connected()
            && (self.input.is_terminal() || (self.retry.is_some() && !is_waiting))
        {
            self.end(event_loop);
        }
    }

    /// The person goes, or is sent away by a signal: says QUIT if that is
    /// possible. The second time it is the end at once.
    pub(super) fn leave(&mut self, event_loop: &mut EventLoop<LineMode>) {
        if self.is_connected() && !self.session.is_quitting() {
            self.session.quit("");
        } else {
            self.end(event_loop);
        }
    }

    /// Every turn: takes the next step towards the end, if it is time for it.
    pub(super) fn go_on_ending(&mut self, event_loop: &mut EventLoop<LineMode>) {
        if self.session.is_quitting() && !self.is_closing() {
            if let Ending::Asking { deadline } = self.ending {
                event_loop.cancel(deadline);
            }
            event_loop.after(LAST_WORDS, LineMode::stop_waiting);
            self.ending = Ending::Quitting;
            self.send(event_loop);
        }
        match self.ending {
            Ending::Sending if self.session.is_asked() => {
                let deadline = event_loop.after(LAST_WORDS, LineMode::stop_asking);
                self.ending = Ending::Asking { deadline };
            }
            Ending::Asking { .. } if self.session.is_confirmed() => {
                self.session.quit("");
                self.go_on_ending(event_loop);
            }
            // The connection was lost, and the lines behind it will be sent again.
            Ending::Asking { deadline } if !self.session.is_asked() => {
                event_loop.cancel(deadline);
                self.ending = Ending::Sending;
            }
            Ending::Quitting if self.has_sent_all() => {
                self.half_close();
                self.ending = Ending::Closing;
            }
            _ => {}
        }
    }

    fn is_closing(&self) -> bool {
        matches!(
            self.ending,
            Ending::Quitting | Ending::Closing | Ending::Over
        )
    }

    /// The server has not said that it has the last lines.
    fn stop_asking(&mut self, _: &mut EventLoop<LineMode>, _: Event) {
        let address = self.attempt.address().clone();
        self.failure = Some(Failure::Unconfirmed(address, LAST_WORDS));
        self.session.quit("");
    }

    /// The server has not closed after QUIT. It has been told.
    fn stop_waiting(&mut self, event_loop: &mut EventLoop<LineMode>, _: Event) {
        self.end(event_loop);
    }

    /// Ends the program as failed.
    pub(super) fn fail(&mut self, event_loop: &mut EventLoop<LineMode>, failure: Failure) {
        // Of two the first is the reason for the other.
        self.failure.get_or_insert(failure);
        self.end(event_loop);
    }

    /// Ends the program.
    pub(super) fn end(&mut self, event_loop: &mut EventLoop<LineMode>) {
        self.ending = Ending::Over;
        event_loop.stop(Ok(()));
    }
}
