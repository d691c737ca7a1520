//! What happens to the screen's state, and what it asks for in return.

use std::time::Instant;

use jiff::Timestamp;
use ratatui::crossterm::event::KeyEvent;

use crate::address::Address;
use crate::session::Report;

/// The time at which something happens.
///
/// The state has no clock of its own, so that a test decides what time it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// For what lasts: a countdown.
    pub(crate) instant: Instant,
    /// For what is shown.
    pub(crate) wall: Timestamp,
}

/// Something that happens.
#[derive(Clone, Debug)]
pub(crate) enum AppEvent {
    Key(KeyEvent),
    /// Text that was pasted in one go, as it came: lines end by CR, LF or both.
    Paste(String),
    /// The terminal has this size now.
    Resize {
        columns: u16,
        rows: u16,
    },
    /// The session tells something.
    Report(Report),
    /// The connection is in another state.
    Link(LinkState),
    /// The room inside this program has something to say.
    Host(HostNotice),
    /// The loop has something to say to the person that belongs nowhere else.
    Notice(String),
    /// The time has come that [`App::wants_tick`](super::App::wants_tick) named,
    /// or something may have changed in the session that is no news: the lag,
    /// who is away.
    Tick,
}

/// How it stands with the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LinkState {
    /// The address is being resolved, connected to, or registered with.
    Connecting { address: Address },
    /// The server has let the person in.
    Online,
    /// It was lost or could not be made, and will be tried again.
    Offline {
        why: String,
        retry_at: Instant,
        /// Counted from 1.
        attempt: u32,
    },
    /// It will not be tried again by itself.
    Ended { why: String },
}

/// What the room inside this program has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HostNotice {
    /// It is open, and others join by these commands.
    Opened {
        commands: Vec<String>,
        /// Why the port for people without a client is left out, if it is.
        no_plain: Option<String>,
    },
    /// The person wants to go while so many others are in the room; to go, it
    /// must be asked for again.
    OthersAreHere(usize),
}

/// Something that the loop is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Say good-bye to the server and end the program.
    Quit { reason: String },
    /// Give the terminal back and stop the process group, as Ctrl-Z does.
    Suspend,
    /// Draw every cell anew: something else has written to the terminal.
    Redraw,
    /// Ring the terminal's bell.
    Bell,
    /// Connect now instead of when the countdown is over.
    ReconnectNow,
}
