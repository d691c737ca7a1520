//! What is typed goes to the session, or is carried out here.
//!
//! Shows: what cannot be sent stays in the line; a command that the screen does
//! not know is the session's.

use crate::session::{Channel, Session, Target};

use super::App;
use super::buffer::Place;
use super::commands::{self, ScreenCommand};
use super::event::Effect;
use super::help::Help;
use super::paste::{Paste, Pasted};
use super::search::Search;

/// The beginning of what is said to who sends while there is no connection.
pub(super) const NOT_CONNECTED: &str = "not connected; your text is kept";

impl App {
    /// Enter was pressed.
    pub(super) fn send(&mut self, session: &mut Session) {
        let text = self.buffers.current().input.text().to_owned();
        self.help = None;
        if text.trim().is_empty() {
            return;
        }
        if let Some(command) = ScreenCommand::parse(&text) {
            self.buffers.current_mut().input.take();
            self.history.add(&text);
            return self.carry_out(session, command);
        }
        if let Some(why) = self.why_not(session, &text) {
            self.flash = Some(why);
            return;
        }
        self.note_joins(session, &text);
        self.history.add(&text);
        let buffer = self.buffers.current_mut();
        buffer.input.take();
        buffer.unread_from = None;
        buffer.follow();
        self.has_spoken |= !text.starts_with('/');
        self.type_line(session, text.clone());
        self.explain_mistake(session, &text);
    }

    /// Hands a line to the session, as typed in the buffer that is shown.
    fn type_line(&mut self, session: &mut Session, text: String) {
        let buffer = self.buffers.current();
        self.asked = Some((buffer.place.clone(), self.now.instant));
        self.has_asked_names = text.to_ascii_lowercase().starts_with("/names");
        let target = match buffer.target() {
            Some(name) => Target::Named(name.to_owned()),
            None => Target::Server,
        };
        session.type_line(target, text);
    }

    /// Why a line cannot be sent now; it stays where it is.
    fn why_not(&self, session: &Session, text: &str) -> Option<String> {
        if !self.is_online() {
            return Some(format!("{NOT_CONNECTED}, press Enter when you are"));
        }
        if session.is_full() {
            return Some("too much waits to be sent; your text is kept".to_owned());
        }
        if text.starts_with('/') && !text.starts_with("//") {
            return None;
        }
        match &self.buffers.current().place {
            Place::Server | Place::Mentions => Some(
                "nobody hears you here: /join #channel, or Ctrl-N for another buffer".to_owned(),
            ),
            Place::Channel(name) => {
                let is_joined = session.channel(name).is_some_and(Channel::is_joined);
                (!is_joined).then(|| format!("you are not in {name}: /join {name}"))
            }
            Place::Private(_) => None,
        }
    }

    /// Channels that are asked for here are shown when they are joined.
    fn note_joins(&mut self, session: &Session, text: &str) {
        let mut words = text.split_ascii_whitespace();
        let command = words.next().unwrap_or_default();
        if !["/join", "/j"]
            .iter()
            .any(|join| command.eq_ignore_ascii_case(join))
        {
            return;
        }
        for name in words.next().unwrap_or_default().split(',') {
            let name = crate::session::channel_name(name);
            match self
                .buffers
                .position(&Place::Channel(name.clone()), session)
            {
                Some(index) if session.channel(&name).is_some_and(Channel::is_joined) => {
                    self.show(index);
                }
                _ => {
                    // Only the last few are waited for: a join may be refused.
                    if self.wanted_joins.len() >= 10 {
                        self.wanted_joins.remove(0);
                    }
                    self.wanted_joins.push(session.fold(&name));
                }
            }
        }
    }

    /// Somebody who has never seen this tries the words of other programs.
    fn explain_mistake(&mut self, session: &Session, text: &str) {
        let hint = match text.trim().to_ascii_lowercase().as_str() {
            "quit" | "exit" | ":q" | ":q!" | ":wq" | "bye" => "that was said; to leave, type /quit",
            "help" | "?" => "that was said; for help press F1 or type /help",
            _ => return,
        };
        self.tell(session, hint);
    }

    fn carry_out(&mut self, session: &mut Session, command: ScreenCommand<'_>) {
        match command {
            ScreenCommand::Help("") => self.help = Some(Help::default()),
            ScreenCommand::Help(name) => self.explain(session, name),
            ScreenCommand::Buffer("next" | "") => self.show_neighbour(false),
            ScreenCommand::Buffer("previous" | "prev" | "back") => self.show_neighbour(true),
            ScreenCommand::Buffer(wanted) => match self.buffers.find(wanted, session) {
                Some(index) => self.show(index),
                None => self.flash = Some(format!("there is no buffer {wanted}")),
            },
            ScreenCommand::NextUnread => self.show_next_unread(session),
            ScreenCommand::UnreadLine => self.show_unread(session),
            ScreenCommand::Mentions => self.show_mentions(session),
            ScreenCommand::Query(nick, text) => self.query(session, nick, text),
            ScreenCommand::Close => self.close(session),
            ScreenCommand::Clear => {
                let buffer = self.buffers.current_mut();
                buffer.log.clear();
                buffer.laid.forget_all();
                buffer.unread_from = None;
                buffer.follow();
            }
            ScreenCommand::Search(text) => self.begin_search(session, text),
            ScreenCommand::ToggleBuffers => self.toggle_buffers(),
            ScreenCommand::ToggleNicks => self.toggle_nicks(),
            ScreenCommand::CopyMode => self.toggle_copy_mode(session),
            ScreenCommand::Redraw => self.effects.push(Effect::Redraw),
            ScreenCommand::Reconnect => {
                if self.is_online() {
                    self.flash = Some("connected already".to_owned());
                } else {
                    self.effects.push(Effect::ReconnectNow);
                }
            }
            ScreenCommand::Quit(reason) => self.effects.push(Effect::Quit {
                reason: reason.to_owned(),
            }),
        }
    }

    /// One line on a command, where it was asked.
    fn explain(&mut self, session: &Session, name: &str) {
        let name = format!("/{}", name.trim_start_matches('/'));
        let help = commands::help();
        let is_meant = |usage: &str| usage.split(' ').next() == Some(name.as_str());
        match help.iter().find(|(usage, _)| is_meant(usage)) {
            Some((usage, meaning)) => {
                let text = format!("{usage}: {meaning}");
                self.tell(session, &text);
            }
            None => self.flash = Some(format!("{name} is no command; F1 lists them")),
        }
    }

    fn query(&mut self, session: &mut Session, nick: &str, text: &str) {
        if nick.is_empty() || session.is_channel(nick) {
            self.flash = Some("the form is /query nick".to_owned());
            return;
        }
        let index = self.buffers.open(Place::Private(nick.to_owned()), session);
        self.show(index);
        if text.is_empty() {
            return;
        }
        if self.is_online() {
            let escaped = escaped(text);
            self.type_line(session, escaped);
        } else {
            self.buffers.current_mut().input.set(text.to_owned());
            self.flash = Some(NOT_CONNECTED.to_owned());
        }
    }

    fn close(&mut self, session: &mut Session) {
        let index = self.buffers.current_index();
        match self.buffers.current().place.clone() {
            Place::Server => {
                self.flash = Some("the server's buffer stays; /quit leaves".to_owned());
                return;
            }
            Place::Channel(name) if session.channel(&name).is_some() => {
                self.type_line(session, format!("/part {name}"));
            }
            _ => {}
        }
        self.search = None;
        self.completion = None;
        self.buffers.close(index, session);
    }

    pub(super) fn begin_search(&mut self, session: &Session, text: &str) {
        let mut search = Search::default();
        search.add(text, &self.buffers.current().log);
        search.is_settled = !text.is_empty();
        self.help = None;
        self.search = Some(search);
        self.show_found(session);
    }

    /// Shows the match that is the current one.
    pub(super) fn show_found(&mut self, session: &Session) {
        let Some(search) = &self.search else {
            return;
        };
        if let Some(entry) = search.current() {
            let query = search.query().to_owned();
            self.show_entry(session, entry, &query);
        }
    }

    /// Text was pasted.
    pub(super) fn paste(&mut self, text: &str) {
        self.flash = None;
        self.is_leaving = false;
        let pasted = Paste::read(text);
        if let Some(paste) = &mut self.paste {
            // A second paste before the first is answered belongs to it.
            match pasted {
                Pasted::Nothing => {}
                Pasted::Text(text) => paste.lines.push(text),
                Pasted::Lines(more) => paste.lines.extend(more.lines),
            }
            return;
        }
        match pasted {
            Pasted::Nothing => {}
            Pasted::Text(text) => self.insert(&text),
            Pasted::Lines(paste) if self.search.is_some() => self.insert(&paste.joined()),
            Pasted::Lines(paste) => self.paste = Some(paste),
        }
    }

    /// Puts text where one is typing.
    pub(super) fn insert(&mut self, text: &str) {
        let is_taken = match &mut self.search {
            Some(search) => search.add(text, &self.buffers.current().log),
            None => self.buffers.current_mut().input.insert(text),
        };
        if !is_taken {
            self.flash = Some("that is too long, and was left out".to_owned());
        }
    }

    /// Sends what was pasted, as text: a pasted line is never a command.
    pub(super) fn send_paste(&mut self, session: &mut Session) {
        let Some(mut paste) = self.paste.take() else {
            return;
        };
        let mut lines = std::mem::take(&mut paste.lines).into_iter();
        while let Some(line) = lines.next() {
            let line = super::input::typeable(&line);
            if line.trim().is_empty() {
                continue;
            }
            if let Some(why) = self.why_not(session, "text") {
                self.flash = Some(why.replace("press Enter", "answer"));
                paste.lines = std::iter::once(line).chain(lines).collect();
                self.paste = Some(paste);
                return;
            }
            self.type_line(session, escaped(&line));
        }
        self.has_spoken = true;
        let buffer = self.buffers.current_mut();
        buffer.unread_from = None;
        buffer.follow();
    }
}

/// A text as it must be typed so that it is no command.
fn escaped(text: &str) -> String {
    if text.starts_with('/') {
        format!("/{text}")
    } else {
        text.to_owned()
    }
}
