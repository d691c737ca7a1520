//! A key is pressed.
//!
//! Shows: whatever asks a question gets the key first: a paste, a search; then
//! the table; then it is a character.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind};

use crate::session::Session;
use crate::view;

use super::App;
use super::complete::Completion;
use super::event::Effect;
use super::help::Help;
use super::input::Edit;
use super::keymap::{Action, action, typed};
use super::scroll::Scroll;

impl App {
    pub(super) fn press(&mut self, session: &mut Session, key: KeyEvent) {
        if key.kind == KeyEventKind::Release {
            return;
        }
        self.flash = None;
        let action = action(key);
        if !matches!(action, Some(Action::Leave | Action::EraseOrLeave)) {
            self.is_leaving = false;
        }
        if !matches!(action, Some(Action::Complete | Action::CompleteBack)) {
            self.completion = None;
        }
        if !matches!(action, Some(Action::NextUnread)) {
            self.walk_start = None;
        }
        if self.paste.is_some() {
            self.answer_paste(session, key);
        } else if self.search.is_some() && self.press_in_search(session, key, action) {
        } else if let Some(action) = action {
            self.act(session, action);
        } else if let Some(c) = typed(key) {
            self.killed.pause();
            self.insert(c.encode_utf8(&mut [0; 4]));
        }
    }

    fn answer_paste(&mut self, session: &mut Session, key: KeyEvent) {
        match key.code {
            KeyCode::Char('s' | 'S') => self.send_paste(session),
            KeyCode::Char('j' | 'J') => {
                if let Some(paste) = self.paste.take() {
                    self.insert(&paste.joined());
                }
            }
            KeyCode::Esc => self.paste = None,
            // Whoever wants to leave does not want to paste.
            KeyCode::Char('c') if action(key) == Some(Action::Leave) => self.paste = None,
            _ => {}
        }
    }

    /// Returns whether the key was for the search.
    fn press_in_search(
        &mut self,
        session: &Session,
        key: KeyEvent,
        action: Option<Action>,
    ) -> bool {
        let Some(search) = &mut self.search else {
            return false;
        };
        let log = &self.buffers.current().log;
        match (action, typed(key)) {
            (Some(Action::Escape | Action::Leave), _) => {
                self.search = None;
                return true;
            }
            (Some(Action::Send), _) if search.is_settled || search.current().is_none() => {
                self.search = None;
                return true;
            }
            (Some(Action::Send), _) => search.is_settled = true,
            (Some(Action::Search | Action::HistoryOlder), _) => search.step(false),
            (Some(Action::HistoryNewer), _) => search.step(true),
            (None, Some('n')) if search.is_settled => search.step(false),
            (None, Some('N')) if search.is_settled => search.step(true),
            (None, Some(c)) if !search.is_settled => {
                search.add(c.encode_utf8(&mut [0; 4]), log);
            }
            (Some(Action::Edit(Edit::EraseLeft)), _) => {
                search.is_settled = false;
                search.erase(false, log);
            }
            (Some(Action::Edit(Edit::KillToStart | Edit::KillWordLeft)), _) => {
                search.is_settled = false;
                search.erase(true, log);
            }
            (Some(Action::PageUp | Action::PageDown | Action::Redraw | Action::Suspend), _) => {
                return false;
            }
            // Anything else is meant for the line again.
            _ => {
                self.search = None;
                return false;
            }
        }
        self.show_found(session);
        true
    }

    fn act(&mut self, session: &mut Session, action: Action) {
        match action {
            Action::Edit(edit) => {
                let input = &mut self.buffers.current_mut().input;
                input.edit(edit, &mut self.killed);
            }
            Action::Send => self.send(session),
            Action::Complete => self.complete(session, false),
            Action::CompleteBack => self.complete(session, true),
            Action::HistoryOlder if self.help.is_some() => self.scroll_help(-1),
            Action::HistoryNewer if self.help.is_some() => self.scroll_help(1),
            Action::HistoryOlder => {
                let input = &mut self.buffers.current_mut().input;
                if let Some(line) = self.history.older(input.text()) {
                    input.set(line.to_owned());
                }
            }
            Action::HistoryNewer => {
                if let Some(line) = self.history.newer() {
                    let line = line.to_owned();
                    self.buffers.current_mut().input.set(line);
                }
            }
            Action::Buffer(number) => {
                if number <= self.buffers.len() {
                    self.show(number - 1);
                } else {
                    self.flash = Some(format!("there is no buffer {number}"));
                }
            }
            Action::NextBuffer => self.show_neighbour(false),
            Action::PreviousBuffer => self.show_neighbour(true),
            Action::NextUnread => self.show_next_unread(session),
            Action::UnreadLine => self.show_unread(session),
            Action::Mentions => self.show_mentions(session),
            Action::PageUp if self.help.is_some() => self.scroll_help_page(true),
            Action::PageDown if self.help.is_some() => self.scroll_help_page(false),
            Action::PageUp => self.page_up(session),
            Action::PageDown => self.page_down(session),
            Action::Home | Action::End => self.go_to_end(session, action == Action::Home),
            Action::Search => self.begin_search(session, ""),
            Action::Help => self.help = self.help.take().xor(Some(Help::default())),
            Action::ToggleBuffers => self.toggle_buffers(),
            Action::ToggleNicks => self.toggle_nicks(),
            Action::CopyMode => self.toggle_copy_mode(session),
            Action::Redraw => self.effects.push(Effect::Redraw),
            Action::Suspend => self.effects.push(Effect::Suspend),
            Action::Leave => self.leave("Ctrl-C"),
            Action::EraseOrLeave if self.buffers.current().input.is_empty() => self.leave("Ctrl-D"),
            Action::EraseOrLeave => {
                let input = &mut self.buffers.current_mut().input;
                input.edit(Edit::EraseRight, &mut self.killed);
            }
            Action::Escape => {
                if self.help.take().is_none() && self.is_copying {
                    self.toggle_copy_mode(session);
                }
            }
        }
    }

    fn leave(&mut self, key: &str) {
        if std::mem::replace(&mut self.is_leaving, true) {
            self.effects.push(Effect::Quit {
                reason: String::new(),
            });
        } else {
            self.flash = Some(format!("press {key} again to leave"));
        }
    }

    /// Home or End: in the line, or in the log if the line is empty.
    fn go_to_end(&mut self, session: &Session, is_start: bool) {
        let buffer = self.buffers.current_mut();
        if !buffer.input.is_empty() {
            let edit = if is_start { Edit::Start } else { Edit::End };
            return buffer.input.edit(edit, &mut self.killed);
        }
        match (&mut self.help, is_start) {
            (Some(help), true) => help.top = 0,
            (Some(help), false) => {
                help.top = usize::MAX;
                self.scroll_help(0);
            }
            (None, true) => self.scroll_to_start(session),
            (None, false) => buffer.follow(),
        }
    }

    fn complete(&mut self, session: &Session, is_back: bool) {
        if self.completion.is_none() {
            self.completion = Completion::begin(&self.buffers, session);
        }
        if let Some(completion) = &mut self.completion {
            completion.step(self.buffers.current_mut(), is_back);
        }
    }

    pub(super) fn toggle_buffers(&mut self) {
        let is_shown = view::layout(self).buffers.is_some();
        self.wants_buffers = Some(!is_shown);
    }

    pub(super) fn toggle_nicks(&mut self) {
        let is_shown = view::layout(self).nicks.is_some();
        self.wants_nicks = Some(!is_shown);
    }

    /// In copy mode the log stands still, so that what is selected does not
    /// move.
    pub(super) fn toggle_copy_mode(&mut self, session: &Session) {
        self.is_copying = !self.is_copying;
        if !self.is_copying {
            return self.buffers.current_mut().follow();
        }
        if self.buffers.current().scroll == Scroll::Following {
            let (mut rows, _) = self.rows(session);
            if let Some(last) = rows.last() {
                self.buffers.current_mut().scroll = Scroll::Held(last);
            }
        }
    }

    fn scroll_help_page(&mut self, is_up: bool) {
        let height = isize::try_from(view::layout(self).log.height).unwrap_or(1);
        let page = (height - 2).max(1);
        self.scroll_help(if is_up { -page } else { page });
    }

    fn scroll_help(&mut self, rows: isize) {
        let log = view::layout(self).log;
        if let Some(help) = &mut self.help {
            help.scroll(rows, usize::from(log.width), usize::from(log.height));
        }
    }
}
