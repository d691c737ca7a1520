//! Good-bye to the server.
//!
//! Shows: a socket that is closed while bytes for it arrive answers with a
//! reset, and a reset throws away what the other side has not read. So QUIT is
//! sent, then no more is sent, and then the client reads to the end.

use std::time::Duration;

use epoll_loop::{Event, EventLoop};

use super::{Link, Linked};

/// How long the server may take to close after QUIT.
pub(crate) const LAST_WORDS: Duration = Duration::from_secs(5);

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leaving {
    No,
    /// QUIT is queued behind everything else.
    Sending,
    /// Nothing more will be sent; the server is about to close.
    Closing,
}

impl Link {
    /// The person goes, or is sent away by a signal: says QUIT if that is
    /// possible. The second time it is the end at once.
    pub(crate) fn leave<S: Linked>(state: &mut S, event_loop: &mut EventLoop<S>, reason: &str) {
        let link = state.link();
        if link.is_connected() && !link.session.is_quitting() {
            link.session.quit(reason);
        } else {
            state.left(event_loop);
        }
    }

    /// Whether QUIT is on its way or has gone out.
    pub(crate) fn is_leaving(&self) -> bool {
        self.leaving != Leaving::No
    }

    pub(super) fn go_on_leaving<S: Linked>(state: &mut S, event_loop: &mut EventLoop<S>) {
        if state.link().session.is_quitting() && !state.link().is_leaving() {
            event_loop.after(LAST_WORDS, Self::stop_waiting::<S>);
            state.link().leaving = Leaving::Sending;
            Self::send(state, event_loop);
        }
        let link = state.link();
        if link.leaving == Leaving::Sending && link.has_sent_all() {
            link.half_close();
            link.leaving = Leaving::Closing;
        }
    }

    /// The server has not closed after QUIT. It has been told.
    fn stop_waiting<S: Linked>(state: &mut S, event_loop: &mut EventLoop<S>, _: Event) {
        state.left(event_loop);
    }
}
