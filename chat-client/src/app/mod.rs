//! The state behind the screen: what was said, what is being typed.
//!
//! Shows: state, an `update` that takes one event, a list of effects for the
//! loop, and a `view` that draws. No descriptor, no clock: a test feeds events
//! and compares what is drawn.
//! Leaves out: the terminal and the socket, which are the loop's.

pub(crate) mod buffer;
pub(crate) mod buffers;
mod commands;
mod complete;
pub(crate) mod entry;
mod event;
pub(crate) mod help;
mod history;
pub(crate) mod input;
mod keymap;
mod keys;
pub(crate) mod laid;
mod link;
pub(crate) mod log;
mod mentions;
mod movement;
mod paste;
mod presence;
mod receive;
pub(crate) mod scroll;
pub(crate) mod search;
mod send;

use std::time::Instant;

use jiff::tz::TimeZone;
use ratatui::Frame;

use crate::address::Address;
use crate::session::Session;
use crate::theme::Theme;
use crate::view;

use buffer::Place;
use buffers::Buffers;
use complete::Completion;
use entry::{Entry, Kind};
pub(crate) use event::{AppEvent, Effect, HostNotice, LinkState, Moment};
use help::Help;
use history::History;
use input::Killed;
use mentions::Mentions;
pub(crate) use movement::bottom;
use paste::Paste;
use search::Search;

/// The longest command that is kept in one piece, in characters: it fits a row of 60 columns.
const WHOLE_COMMAND_CHARS: usize = 40;

/// Lines kept in each buffer, unless the person chooses otherwise.
pub(crate) const SCROLLBACK_LINES: usize = 10_000;

/// How the screen is to look, and what is there from the start.
#[derive(Clone, Debug)]
pub(crate) struct AppSettings {
    /// Channels that the session will join; a buffer for each is there at once,
    /// and the last one is shown.
    pub(crate) channels: Vec<String>,
    /// The zone that times are shown in.
    pub(crate) time_zone: TimeZone,
    /// No character outside ASCII is drawn.
    pub(crate) is_ascii: bool,
    /// No colour is used; bold, underlined and reversed text remain.
    pub(crate) is_without_colour: bool,
    /// Lines kept in each buffer, one at least.
    pub(crate) scrollback_lines: usize,
}

/// The state of the screen.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct App {
    pub(crate) theme: Theme,
    pub(crate) zone: TimeZone,
    pub(crate) buffers: Buffers,
    mentions: Mentions,
    /// The state of the connection, and where it goes.
    pub(crate) link: Option<LinkState>,
    pub(crate) address: Option<Address>,
    /// Why it was lost, as far as that was said in a buffer.
    told_why: Option<String>,
    /// Whether the line that helps a beginner was shown.
    is_welcomed: bool,
    pub(crate) columns: u16,
    pub(crate) rows: u16,
    killed: Killed,
    history: History,
    completion: Option<Completion>,
    pub(crate) paste: Option<Paste>,
    pub(crate) search: Option<Search>,
    pub(crate) help: Option<Help>,
    /// Said in the last row of the log until the next key.
    pub(crate) flash: Option<String>,
    pub(crate) is_copying: bool,
    /// What the person has chosen for the two lists; none leaves it to the width.
    pub(crate) wants_buffers: Option<bool>,
    pub(crate) wants_nicks: Option<bool>,
    /// Whether the key that leaves was pressed once.
    is_leaving: bool,
    /// Whether anything was said yet: until then the empty line says how.
    pub(crate) has_spoken: bool,
    /// Where the walk through what is unread began.
    walk_start: Option<Place>,
    /// Where the last line was typed that may be answered.
    asked: Option<(Place, Instant)>,
    /// Channels that are shown when the server lets the person in, folded.
    wanted_joins: Vec<String>,
    /// Whether the last line that was typed has asked who is there.
    has_asked_names: bool,
    rung: Option<Instant>,
    pub(crate) now: Moment,
    shown_lag: Option<u128>,
    effects: Vec<Effect>,
    is_dirty: bool,
}

impl App {
    /// The state before anything has happened, on a terminal of 80x24.
    pub(crate) fn new(settings: AppSettings, session: &Session, now: Moment) -> App {
        let mut buffers = Buffers::new(settings.scrollback_lines);
        for channel in &settings.channels {
            let index = buffers.open(Place::Channel(channel.clone()), session);
            buffers.show(index);
        }
        App {
            theme: Theme::new(!settings.is_without_colour, settings.is_ascii),
            zone: settings.time_zone,
            buffers,
            mentions: Mentions::default(),
            link: None,
            address: None,
            told_why: None,
            is_welcomed: false,
            columns: 80,
            rows: 24,
            killed: Killed::default(),
            history: History::default(),
            completion: None,
            paste: None,
            search: None,
            help: None,
            flash: None,
            is_copying: false,
            wants_buffers: None,
            wants_nicks: None,
            is_leaving: false,
            has_spoken: false,
            walk_start: None,
            asked: None,
            wanted_joins: Vec::new(),
            has_asked_names: false,
            rung: None,
            now,
            shown_lag: None,
            effects: Vec::new(),
            is_dirty: true,
        }
    }

    /// Takes what has happened. What the person types goes to `session`.
    pub(crate) fn update(&mut self, session: &mut Session, event: AppEvent, now: Moment) {
        self.now = now;
        match event {
            AppEvent::Key(key) => self.press(session, key),
            AppEvent::Paste(text) => self.paste(&text),
            AppEvent::Resize { columns, rows } => (self.columns, self.rows) = (columns, rows),
            AppEvent::Report(report) => self.receive(session, report, now),
            AppEvent::Link(link) => self.change_link(session, link),
            AppEvent::Host(notice) => self.tell_host_notice(session, &notice),
            AppEvent::Notice(text) => self.tell(session, &text),
            AppEvent::Tick => {
                let lag = session.lag().map(|lag| lag.as_millis());
                if lag == self.shown_lag && !matches!(self.link, Some(LinkState::Offline { .. })) {
                    return;
                }
                self.shown_lag = lag;
            }
        }
        self.is_dirty = true;
    }

    /// What the loop is to do, in order.
    pub(crate) fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// Whether something has changed since the last [`App::view`].
    pub(crate) fn is_dirty(&self) -> bool {
        self.is_dirty
    }

    /// Draws the screen. The area of the frame should be what the last
    /// [`AppEvent::Resize`] has said.
    pub(crate) fn view(&mut self, session: &Session, frame: &mut Frame<'_>) {
        self.is_dirty = false;
        view::draw(self, session, frame);
    }

    /// Says something of the client's own in the buffer that is shown.
    fn tell(&mut self, session: &Session, text: &str) {
        let index = self.buffers.current_index();
        let entry = Entry::new(self.now.wall, Kind::Info, "", text);
        self.add(session, Some(index), entry);
    }

    fn tell_host_notice(&mut self, session: &Session, notice: &HostNotice) {
        match notice {
            HostNotice::Opened { commands, no_plain } => {
                // A command is not parted at the end of a row; one with a long path in it would
                // fill the row and be cut in the middle of a word.
                let keep_whole = |command: &String| {
                    if command.chars().count() <= WHOLE_COMMAND_CHARS {
                        command.replace(' ', "\u{a0}")
                    } else {
                        command.clone()
                    }
                };
                let commands: Vec<String> = commands.iter().map(keep_whole).collect();
                let text = format!(
                    "this room is on your computer, open until you leave; others on it join with  {}",
                    commands.join("  or  ")
                );
                self.tell(session, &text);
                if let Some(why) = no_plain {
                    self.tell(session, why);
                }
            }
            HostNotice::OthersAreHere(count) => {
                let are = if *count == 1 {
                    "person is"
                } else {
                    "people are"
                };
                self.flash = Some(format!(
                    "{count} more {are} here, and the room closes when you go; /quit again to close it"
                ));
            }
        }
    }

    /// Shows a buffer.
    pub(crate) fn show(&mut self, index: usize) {
        self.search = None;
        self.completion = None;
        self.history.leave();
        self.buffers.show(index);
    }
}
