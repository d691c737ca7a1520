//! The state behind the screen: what was said, what is being typed.
//!
//! Shows: state, an `update` that takes one event, a list of effects for the
//! loop, and a `view` that draws. No descriptor, no clock: a test feeds events
//! and compares what is drawn.
//! Leaves out: the terminal and the socket, which are the loop's.

mod event;

use std::time::Instant;

use jiff::tz::TimeZone;
use ratatui::Frame;
use ratatui::crossterm::event::{KeyCode, KeyModifiers};
use ratatui::layout::Position;

use crate::session::{Session, Target};

pub(crate) use event::{AppEvent, Effect, HostNotice, LinkState, Moment};

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
    /// Lines kept in each buffer.
    pub(crate) scrollback_lines: usize,
}

/// The state of the screen.
#[derive(Debug)]
pub(crate) struct App {
    settings: AppSettings,
    link: Option<LinkState>,
    lines: Vec<String>,
    input: String,
    size: (u16, u16),
    effects: Vec<Effect>,
    is_dirty: bool,
}

impl App {
    /// The state before anything has happened, on a terminal of 80x24.
    pub(crate) fn new(settings: AppSettings) -> App {
        App {
            settings,
            link: None,
            lines: Vec::new(),
            input: String::new(),
            size: (80, 24),
            effects: Vec::new(),
            is_dirty: true,
        }
    }

    /// Takes what has happened. What the person types goes to `session`.
    pub(crate) fn update(&mut self, session: &mut Session, event: AppEvent, now: Moment) {
        let _ = now;
        self.is_dirty = true;
        match event {
            AppEvent::Key(key) => match key.code {
                KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => {
                    self.effects.push(Effect::Quit {
                        reason: String::new(),
                    });
                }
                KeyCode::Char(c) => self.input.push(c),
                KeyCode::Backspace => {
                    self.input.pop();
                }
                KeyCode::Enter => {
                    session.type_line(Target::Current, std::mem::take(&mut self.input));
                }
                _ => {}
            },
            AppEvent::Paste(text) => self.input.push_str(&text),
            AppEvent::Resize { columns, rows } => self.size = (columns, rows),
            AppEvent::Report(report) => self.lines.push(report.news.to_string()),
            AppEvent::Link(link) => self.link = Some(link),
            AppEvent::Host(notice) => self.lines.push(format!("{notice:?}")),
            AppEvent::Notice(text) => self.lines.push(text),
            AppEvent::Tick => {}
        }
    }

    /// What the loop is to do, in order.
    pub(crate) fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// Whether something has changed since the last [`App::view`].
    pub(crate) fn is_dirty(&self) -> bool {
        self.is_dirty
    }

    /// When an [`AppEvent::Tick`] is wanted: at the next second of a countdown;
    /// none while there is none.
    pub(crate) fn wants_tick(&self) -> Option<Instant> {
        match self.link {
            Some(LinkState::Offline { retry_at, .. }) => Some(retry_at),
            _ => None,
        }
    }

    /// Draws the screen.
    pub(crate) fn view(&mut self, _session: &Session, frame: &mut Frame<'_>) {
        self.is_dirty = false;
        let area = frame.area();
        let buffer = frame.buffer_mut();
        let rows = usize::from(area.height.saturating_sub(1));
        let first = self.lines.len().saturating_sub(rows);
        for (y, line) in (area.y..).zip(&self.lines[first..]) {
            let style = ratatui::style::Style::new();
            buffer.set_stringn(area.x, y, line, usize::from(area.width), style);
        }
        if let Some(y) = area.bottom().checked_sub(1) {
            let style = ratatui::style::Style::new();
            let (x, y) = buffer.set_stringn(area.x, y, &self.input, usize::from(area.width), style);
            frame.set_cursor_position(Position { x, y });
        }
    }
}
