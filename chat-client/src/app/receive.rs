//! News of the session find their buffers.
//!
//! Shows: what is said in a place goes there; what answers the person goes to
//! where the person is, not to a window nobody looks at; comings and goings are
//! folded, and open no buffer.

use std::time::Duration;

use crate::formatting;
use crate::session::{Manner, News, Place as Said, Report, Session};

use super::App;
use super::buffer::Place;
use super::buffers::SERVER;
use super::entry::{Entry, Kind, Marks};
use super::event::{Effect, Moment};
use super::mentions::mentions;
use super::presence::Change;

/// How long an answer of the server is taken to belong to what was typed last.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// The bell rings at most once in so long.
const BELL_PAUSE: Duration = Duration::from_secs(1);

impl App {
    /// Takes a piece of news.
    pub(super) fn receive(&mut self, session: &Session, report: Report, now: Moment) {
        let Report {
            at,
            is_history,
            news,
        } = report;
        let at = at.unwrap_or(now.wall);
        let event = |text: String| Entry::new(at, Kind::Event, "", &text);
        match news {
            News::Said { .. } => self.receive_message(session, at, is_history, news, now),
            News::Joined { .. }
            | News::Parted { .. }
            | News::Kicked { .. }
            | News::Quit { .. }
            | News::Renamed { .. } => self.receive_coming(session, at, news),
            News::Topic { channel, topic, by } => {
                let text = match (by, topic.as_str()) {
                    (None, "") => "there is no topic".to_owned(),
                    (None, topic) => format!("the topic is: {topic}"),
                    (Some(by), "") => format!("{by} took the topic away"),
                    (Some(by), topic) => format!("{by} set the topic: {topic}"),
                };
                let index = self.place_index(session, &Place::Channel(channel));
                self.add(session, index, event(text));
            }
            // At a join they come unasked, and the list of nicks shows them.
            News::Names { .. } if !self.has_asked_names => {}
            News::Names { channel, names } => {
                let index = self.place_index(session, &Place::Channel(channel));
                let text = format!("here: {names}");
                self.add(session, index, Entry::new(at, Kind::Info, "", &text));
            }
            News::Mode { target, change, by } => {
                let index = self.place_index(session, &Place::Channel(target.clone()));
                let text = match index {
                    Some(_) => format!("{by} set mode {change}"),
                    None => format!("{by} set mode {change} for {target}"),
                };
                self.add(session, index.or(Some(SERVER)), event(text));
            }
            News::Server(words) => {
                self.add(
                    session,
                    Some(SERVER),
                    Entry::new(at, Kind::Info, "", &words),
                );
            }
            News::Answer(words) | News::Help(words) => {
                let index = self.answer_index(session, now).unwrap_or(SERVER);
                self.add(session, Some(index), Entry::new(at, Kind::Info, "", &words));
            }
            News::Hint(words) => {
                let index = self.word_index(session, now);
                self.add(session, Some(index), Entry::new(at, Kind::Info, "", &words));
            }
            News::Refused(words) => {
                let index = self.word_index(session, now);
                self.add(
                    session,
                    Some(index),
                    Entry::new(at, Kind::Error, "", &words),
                );
            }
        }
    }

    /// Somebody comes, goes, or is called something else.
    fn receive_coming(&mut self, session: &Session, at: jiff::Timestamp, news: News) {
        let event = |text: String| Entry::new(at, Kind::Event, "", &text);
        match news {
            News::Joined {
                channel,
                nick,
                is_own,
            } => {
                let place = Place::Channel(channel);
                let index = if is_own {
                    Some(self.enter_channel(session, place))
                } else {
                    self.place_index(session, &place)
                };
                self.change(session, index, at, Change::Joined(nick.into()));
            }
            News::Parted {
                channel,
                nick,
                reason,
                is_own,
            } => {
                let index = self.place_index(session, &Place::Channel(channel));
                if is_own {
                    let text = format!("you have left{}; /join brings you back", because(&reason));
                    self.add(session, index, event(text));
                } else {
                    self.change(session, index, at, Change::Left(nick.into(), reason.into()));
                }
            }
            News::Kicked {
                channel,
                nick,
                by,
                reason,
                is_own,
            } => {
                let index = self.place_index(session, &Place::Channel(channel));
                let reason = because(&reason);
                if is_own {
                    let text = format!("{by} has thrown you out{reason}");
                    self.add(session, index, Entry::new(at, Kind::Error, "", &text));
                } else {
                    self.add(
                        session,
                        index,
                        event(format!("{by} has thrown {nick} out{reason}")),
                    );
                }
            }
            News::Quit {
                nick,
                reason,
                channels,
            } => {
                for index in self.where_met(session, &nick, channels) {
                    let change = Change::Left(nick.as_str().into(), reason.as_str().into());
                    self.change(session, Some(index), at, change);
                }
            }
            News::Renamed {
                from,
                to,
                channels,
                is_own,
            } => {
                if is_own {
                    let text = format!("you are {to} now");
                    let index = self.buffers.current_index();
                    self.add(session, Some(index), event(text));
                }
                let places = self.where_met(session, &from, channels);
                self.rename_private(session, &from, &to);
                for index in places {
                    self.buffers
                        .get_mut(index)
                        .rename_speaker(&from, &to, session);
                    if !is_own {
                        let change = Change::Renamed(from.as_str().into(), to.as_str().into());
                        self.change(session, Some(index), at, change);
                    }
                }
            }
            _ => {}
        }
    }

    fn receive_message(
        &mut self,
        session: &Session,
        at: jiff::Timestamp,
        is_history: bool,
        news: News,
        now: Moment,
    ) {
        let News::Said {
            place,
            only_for,
            nick,
            manner,
            text,
            is_own,
        } = news
        else {
            return;
        };
        let is_private = matches!(place, Said::Private(_));
        let index = match place {
            Said::Channel(name) => self.buffers.open(Place::Channel(name), session),
            // The notices of services belong to what they answer.
            Said::Private(nick) if manner == Manner::Notice => self
                .place_index(session, &Place::Private(nick))
                .or_else(|| self.answer_index(session, now))
                .unwrap_or(SERVER),
            Said::Private(nick) => self.buffers.open(Place::Private(nick), session),
            Said::Server => SERVER,
        };
        let text = match only_for {
            Some(sign) => format!("[only for {sign}] {text}"),
            None => text,
        };
        let (kind, text) = match manner {
            Manner::Text => (Kind::Text, text),
            Manner::Action => (Kind::Action, text),
            Manner::Notice if index == SERVER && !is_private => (Kind::Info, text),
            Manner::Notice => (Kind::Notice, text),
        };
        let mut entry = if kind == Kind::Info {
            Entry::new(at, kind, "", &text)
        } else {
            Entry::new(at, kind, &nick, &text)
        };
        let is_new = !is_own && !is_history;
        let is_mention =
            is_new && manner != Manner::Notice && (is_private || names_me(session, &text));
        entry.marks = Marks {
            is_own,
            is_mention,
            is_history,
        };
        if is_history && self.buffers.get_mut(index).log.knows(&entry) {
            return;
        }
        if is_mention {
            self.ring(now);
            if !is_private {
                self.collect_mention(session, &entry, index);
            }
        }
        self.add(session, Some(index), entry);
    }

    /// Adds an entry to the buffer with this index, if there is one.
    pub(super) fn add(&mut self, session: &Session, index: Option<usize>, entry: Entry) {
        if let Some(index) = index {
            let is_shown = index == self.buffers.current_index();
            let is_history = entry.marks.is_history;
            self.buffers.get_mut(index).add(entry, is_shown, session);
            if is_shown && let Some(search) = &mut self.search {
                let log = &self.buffers.current().log;
                if is_history {
                    // It may stand before what was found.
                    search.search_again(log);
                } else {
                    search.go_on(log);
                }
            }
        }
    }

    fn change(
        &mut self,
        session: &Session,
        index: Option<usize>,
        at: jiff::Timestamp,
        change: Change,
    ) {
        if let Some(index) = index {
            let is_shown = index == self.buffers.current_index();
            let buffer = self.buffers.get_mut(index);
            buffer.add_change(at, change, is_shown, session);
        }
    }

    fn place_index(&self, session: &Session, place: &Place) -> Option<usize> {
        self.buffers.position(place, session)
    }

    /// The buffers in which one meets a person: channels, and the private one.
    fn where_met(&self, session: &Session, nick: &str, channels: Vec<String>) -> Vec<usize> {
        let places = channels.into_iter().map(Place::Channel);
        let private = Place::Private(nick.to_owned());
        places
            .chain([private])
            .filter_map(|place| self.place_index(session, &place))
            .collect()
    }

    /// Where an answer goes: to where it was asked, if that was just now.
    fn answer_index(&self, session: &Session, now: Moment) -> Option<usize> {
        let asked = self
            .asked
            .as_ref()
            .filter(|(_, since)| now.instant.saturating_duration_since(*since) < ANSWER_TIMEOUT);
        asked.and_then(|(place, _)| self.place_index(session, place))
    }

    /// Where a refusal or a hint goes. Nobody may have asked, as for another
    /// nick than the one that was taken: then it is said where the person looks.
    fn word_index(&self, session: &Session, now: Moment) -> usize {
        let asked = self.answer_index(session, now);
        asked.unwrap_or_else(|| self.buffers.current_index())
    }

    /// The server has let the person into a channel: it is shown if it was asked
    /// for here, or if there was nothing to see before.
    fn enter_channel(&mut self, session: &Session, place: Place) -> usize {
        let folded = match &place {
            Place::Channel(name) => session.fold(name),
            _ => String::new(),
        };
        let wanted = self.wanted_joins.iter().position(|name| *name == folded);
        let index = self.buffers.open(place, session);
        if let Some(at) = wanted {
            self.wanted_joins.remove(at);
            self.show(index);
        }
        index
    }

    fn rename_private(&mut self, session: &Session, from: &str, to: &str) {
        let taken = self.place_index(session, &Place::Private(to.to_owned()));
        let index = self.place_index(session, &Place::Private(from.to_owned()));
        if let Some(index) = index
            && (taken.is_none() || taken == Some(index))
        {
            self.buffers.get_mut(index).place = Place::Private(to.to_owned());
        }
    }

    fn collect_mention(&mut self, session: &Session, entry: &Entry, index: usize) {
        let name = self.buffers.get_mut(index).name().to_owned();
        let kept = self.mentions.keep(entry, &name);
        let index = self.place_index(session, &Place::Mentions);
        self.add(session, index, kept);
    }

    fn ring(&mut self, now: Moment) {
        let is_soon = self
            .rung
            .is_some_and(|rung| now.instant.saturating_duration_since(rung) < BELL_PAUSE);
        if !is_soon {
            self.rung = Some(now.instant);
            self.effects.push(Effect::Bell);
        }
    }
}

fn names_me(session: &Session, text: &str) -> bool {
    let own = session.fold(&session.nick());
    let fold = |word: &str| session.fold(word);
    if formatting::has_codes(text) {
        mentions(&formatting::parse(text).text, &own, fold)
    } else {
        mentions(text, &own, fold)
    }
}

/// A reason in brackets, if there is one.
fn because(reason: &str) -> String {
    if reason.is_empty() {
        String::new()
    } else {
        format!(" ({reason})")
    }
}
