//! A person, a server and a clock, for tests.

use std::time::{Duration, Instant};

use chapter_tests::Transcript;
use epoll_loop::SendQueue;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::Position;

use crate::address::address;
use crate::app::{App, AppEvent, AppSettings, Effect, HostNotice, LinkState, Moment};
use crate::session::{Session, Settings, Surface};

/// What happens in front of a screen.
pub(in crate::view) struct Scene {
    pub(in crate::view) app: App,
    pub(in crate::view) session: Session,
    sent: SendQueue,
    now: Moment,
    columns: u16,
    rows: u16,
}

impl Scene {
    /// Ann has started the program with these channels, at 01:16 on Saturday 21
    /// November 2026.
    pub(in crate::view) fn with(
        columns: u16,
        rows: u16,
        change: impl FnOnce(&mut AppSettings),
        channels: &[&str],
    ) -> Scene {
        let channels: Vec<String> = channels.iter().map(ToString::to_string).collect();
        let session = Session::new(Settings::new("ann", &channels, Surface::Screen));
        let mut settings = AppSettings {
            channels,
            time_zone: TimeZone::UTC,
            is_ascii: false,
            is_without_colour: false,
            scrollback_lines: 10_000,
        };
        change(&mut settings);
        let now = Moment {
            instant: Instant::now(),
            wall: "2026-11-21T01:16:00Z".parse::<Timestamp>().unwrap(),
        };
        let mut scene = Scene {
            app: App::new(settings, &session, now),
            session,
            sent: SendQueue::new(0),
            now,
            columns,
            rows,
        };
        scene.resize(columns, rows);
        scene
    }

    /// The same, and she is in #lobby with bob.
    pub(in crate::view) fn new(columns: u16, rows: u16) -> Scene {
        let mut scene = Scene::with(columns, rows, |_| {}, &["#lobby"]);
        scene.go_online();
        scene
    }

    pub(in crate::view) fn connect(&mut self) {
        let address = address("irc.example:6667").unwrap();
        self.update(AppEvent::Link(LinkState::Connecting { address }));
        self.session.connect();
    }

    /// The server lets her in, and into her channels.
    pub(in crate::view) fn go_online(&mut self) {
        self.connect();
        self.hear(":irc.example 001 ann :Welcome");
        self.update(AppEvent::Link(LinkState::Online));
        let channels: Vec<String> = self
            .session
            .channels()
            .map(|channel| channel.name().to_owned())
            .collect();
        for channel in channels {
            self.join(&channel, "@bob ann carol");
        }
    }

    pub(in crate::view) fn join(&mut self, channel: &str, names: &str) {
        self.hear(&format!(":ann!ann@host JOIN {channel}"));
        self.hear(&format!(
            ":irc.example 332 ann {channel} :Welcome to the lobby"
        ));
        self.hear(&format!(":irc.example 353 ann = {channel} :{names}"));
        self.hear(&format!(":irc.example 366 ann {channel} :End"));
        self.hear(&format!(":irc.example 324 ann {channel} +nt"));
    }

    /// A line of the server.
    pub(in crate::view) fn hear(&mut self, line: &str) {
        self.session.receive(line.as_bytes(), self.now.instant);
        self.settle();
    }

    /// Somebody says something in #lobby.
    pub(in crate::view) fn say(&mut self, nick: &str, text: &str) {
        self.hear(&format!(":{nick}!{nick}@host PRIVMSG #lobby :{text}"));
    }

    /// What the loop does between two waits.
    fn settle(&mut self) {
        self.session.fill(&mut self.sent, self.now.instant);
        for report in self.session.take_news() {
            self.update(AppEvent::Report(report));
        }
    }

    pub(in crate::view) fn update(&mut self, event: AppEvent) {
        self.app.update(&mut self.session, event, self.now);
    }

    pub(in crate::view) fn host(&mut self) {
        self.update(AppEvent::Host(HostNotice::Opened {
            commands: vec![
                "chat-client 127.0.0.1:6667".to_owned(),
                "irssi -c 127.0.0.1 -p 6667".to_owned(),
                "nc 127.0.0.1 6668".to_owned(),
            ],
            no_plain: None,
        }));
    }

    pub(in crate::view) fn go_offline(&mut self, retry: Duration, attempt: u32) {
        self.session.disconnect();
        self.update(AppEvent::Link(LinkState::Offline {
            why: "connection reset by peer".to_owned(),
            retry_at: self.now.instant + retry,
            attempt,
        }));
    }

    pub(in crate::view) fn wait(&mut self, seconds: i64) {
        self.now.instant += Duration::from_secs(seconds.unsigned_abs());
        self.now.wall += seconds.seconds();
        self.update(AppEvent::Tick);
    }

    pub(in crate::view) fn resize(&mut self, columns: u16, rows: u16) {
        (self.columns, self.rows) = (columns, rows);
        self.update(AppEvent::Resize { columns, rows });
    }

    pub(in crate::view) fn press(&mut self, code: KeyCode, modifiers: KeyModifiers) {
        self.update(AppEvent::Key(KeyEvent::new(code, modifiers)));
        self.settle();
    }

    pub(in crate::view) fn key(&mut self, code: KeyCode) {
        self.press(code, KeyModifiers::NONE);
    }

    pub(in crate::view) fn ctrl(&mut self, c: char) {
        self.press(KeyCode::Char(c), KeyModifiers::CONTROL);
    }

    pub(in crate::view) fn alt(&mut self, c: char) {
        self.press(KeyCode::Char(c), KeyModifiers::ALT);
    }

    pub(in crate::view) fn type_text(&mut self, text: &str) {
        for c in text.chars() {
            self.key(KeyCode::Char(c));
        }
    }

    pub(in crate::view) fn enter(&mut self, text: &str) {
        self.type_text(text);
        self.key(KeyCode::Enter);
    }

    pub(in crate::view) fn paste(&mut self, text: &str) {
        self.update(AppEvent::Paste(text.to_owned()));
    }

    pub(in crate::view) fn effects(&mut self) -> Vec<Effect> {
        self.app.take_effects()
    }

    /// What was sent to the server since this was last called.
    pub(in crate::view) fn take_sent(&mut self) -> String {
        let mut bytes = Vec::new();
        let count = self.sent.write_to(&mut bytes).unwrap();
        self.session.wrote(count);
        String::from_utf8(bytes).unwrap()
    }

    /// Draws the screen; returns its cells and the cursor.
    pub(in crate::view) fn draw(&mut self) -> (Buffer, Position) {
        let backend = TestBackend::new(self.columns, self.rows);
        let mut terminal = Terminal::new(backend).unwrap();
        let (app, session) = (&mut self.app, &self.session);
        terminal.draw(|frame| app.view(session, frame)).unwrap();
        let cursor = terminal.get_cursor_position().unwrap();
        (terminal.backend().buffer().clone(), cursor)
    }

    /// The screen as text, with _ in an empty cell where the cursor is.
    pub(in crate::view) fn text(&mut self) -> String {
        let (buffer, cursor) = self.draw();
        let mut text = String::new();
        for y in 0..buffer.area.height {
            let mut row = String::new();
            let mut x = 0;
            while x < buffer.area.width {
                let symbol = buffer[(x, y)].symbol();
                let is_cursor = (x, y) == (cursor.x, cursor.y) && symbol == " ";
                row.push_str(if is_cursor { "_" } else { symbol });
                x += u16::try_from(crate::wrap::columns(symbol).max(1)).unwrap();
            }
            text.push_str(row.trim_end());
            text.push('\n');
        }
        text
    }

    /// The terminal is smaller, and nobody has said so yet.
    pub(in crate::view) fn shrink(&mut self, columns: u16, rows: u16) {
        (self.columns, self.rows) = (columns, rows);
    }

    /// What stands in the log, less its last row.
    pub(in crate::view) fn log_symbols(&mut self) -> Vec<String> {
        let (buffer, _) = self.draw();
        let log = crate::view::layout(&self.app).log;
        let rows = log.rows().take(usize::from(log.height.saturating_sub(1)));
        let text = |row: ratatui::layout::Rect| {
            row.columns()
                .map(|cell| buffer[(cell.x, cell.y)].symbol())
                .collect()
        };
        rows.map(text).collect()
    }

    /// Compares the screen with `tests/screens/NAME.txt`.
    pub(in crate::view) fn compare(&mut self, name: &str) {
        Transcript::new(format!("tests/screens/{name}.txt")).compare(&self.text());
    }
}
