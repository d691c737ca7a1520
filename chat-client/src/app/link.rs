//! How it stands with the connection, as the screen says it.

use std::time::{Duration, Instant};

use crate::session::Session;

use super::App;
use super::buffers::SERVER;
use super::entry::{Entry, Kind};
use super::event::LinkState;
use super::send::NOT_CONNECTED;

/// For somebody who has never seen this.
const WELCOME: &str = "type and press Enter to talk; F1 or /help shows all keys and commands, \
                       /nick\u{a0}NAME gives you a name, /quit leaves";

impl App {
    /// The connection is in another state.
    pub(super) fn change_link(&mut self, session: &Session, link: LinkState) {
        if !std::mem::replace(&mut self.is_welcomed, true) {
            self.tell(session, WELCOME);
        }
        let (kind, text) = match &link {
            LinkState::Connecting { address } => {
                self.address = Some(address.clone());
                (Kind::Info, format!("connecting to {address}"))
            }
            LinkState::Online => {
                let again = if self.told_why.take().is_some() {
                    "connected again"
                } else {
                    "connected"
                };
                (Kind::Info, again.to_owned())
            }
            LinkState::Offline { why, .. } | LinkState::Ended { why } => {
                (Kind::Error, format!("not connected: {why}"))
            }
        };
        let is_again = text == "connected again";
        // The same reason at every attempt is said once.
        let is_new = match &link {
            LinkState::Offline { why, .. } | LinkState::Ended { why } => {
                self.told_why.replace(why.clone()).as_ref() != Some(why)
            }
            LinkState::Connecting { .. } => self.told_why.is_none(),
            LinkState::Online => true,
        };
        if is_new {
            let current = self.buffers.current_index();
            let entry = Entry::new(self.now.wall, kind, "", &text);
            if current != SERVER && (is_again || kind == Kind::Error) {
                self.add(session, Some(current), entry.clone());
            }
            self.add(session, Some(SERVER), entry);
        }
        // A person who has not pressed a key since would take it for the truth.
        if link == LinkState::Online {
            self.flash.take_if(|flash| flash.starts_with(NOT_CONNECTED));
        }
        self.link = Some(link);
    }

    /// Whether what is typed can be sent.
    pub(super) fn is_online(&self) -> bool {
        self.link == Some(LinkState::Online)
    }

    /// How many seconds the countdown shows, if there is one.
    pub(crate) fn seconds_to_retry(&self) -> Option<u64> {
        match self.link {
            Some(LinkState::Offline { retry_at, .. }) => {
                let left = retry_at.saturating_duration_since(self.now.instant);
                Some(
                    left.as_millis()
                        .div_ceil(1_000)
                        .try_into()
                        .unwrap_or(u64::MAX),
                )
            }
            _ => None,
        }
    }

    /// When an [`AppEvent::Tick`](super::AppEvent::Tick) is wanted: when the
    /// countdown is to show another number; none while there is none.
    pub(crate) fn wants_tick(&self) -> Option<Instant> {
        let Some(LinkState::Offline { retry_at, .. }) = self.link else {
            return None;
        };
        let shown = self.seconds_to_retry()?.checked_sub(1)?;
        retry_at.checked_sub(Duration::from_secs(shown))
    }
}
