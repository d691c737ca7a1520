//! What the server says, and what is to be done about it.

use std::time::Instant;

use chat_protocol::{Message, Source, is_nick, neutral, neutral_with_formatting};
use jiff::Timestamp;

use super::ctcp::Ctcp;
use super::news::{Manner, News, Place, Report};
use super::numerics::{in_words, news_of};
use super::questions::Question;
use super::settings::Surface;
use super::{Session, Stage};

impl Session {
    /// Takes a line of the server, without its end. What is no message is
    /// passed over: there is nothing that a person could do about it.
    pub(crate) fn receive(&mut self, line: &[u8], now: Instant) {
        let message = Message::parse(line).ok();
        if self.is_foreign(line, message.as_ref()) {
            return;
        }
        let Some(message) = message else {
            return;
        };
        let first = self.reports.len();
        let batch = message.tags.get(b"batch").map(|batch| batch.unescape());
        let is_history = batch.is_some_and(|batch| self.batches.is_history(&batch));
        if is_history {
            self.take_history(&message);
        } else {
            self.take(&message, now);
        }
        let at = server_time(&message);
        for report in &mut self.reports[first..] {
            report.at = at;
            report.is_history = is_history;
        }
    }

    /// The server has sent a line that is longer than lines may be, or with
    /// bytes in it that none may hold.
    pub(crate) fn receive_unreadable(&mut self) {
        if self.is_foreign(b"something unreadable", None) {
            return;
        }
        self.hint("a line of the server was too long or broken, and is left out");
    }

    fn take(&mut self, message: &Message<'_>, now: Instant) {
        let parameter = |index: usize| message.parameters.get(index).copied().unwrap_or_default();
        if let Some(number) = message.numeric() {
            return self.take_numeric(number, message);
        }
        let source = message.source.unwrap_or(Source::new(b""));
        match message.command.to_ascii_uppercase().as_slice() {
            b"PING" => {
                let token = parameter(0);
                self.outbox
                    .reply()
                    .command(b"PONG")
                    .trailing(token)
                    .finish();
            }
            b"PONG" => {
                let token = message.parameters.last().copied().unwrap_or_default();
                self.outbox.pong(token, now);
            }
            b"PRIVMSG" => self.take_text(message, source, Manner::Text, now),
            b"NOTICE" => self.take_text(message, source, Manner::Notice, now),
            b"CAP" => self.take_cap(&message.parameters),
            b"AUTHENTICATE" => self.take_authenticate(parameter(0)),
            b"BATCH" => {
                let outer = message.tags.get(b"batch").map(|outer| outer.unescape());
                self.batches.take(&message.parameters, outer.as_deref());
            }
            b"CHGHOST" => self.take_new_host(source, parameter(0), parameter(1)),
            b"JOIN" => self.take_join(source, parameter(0)),
            b"PART" => self.take_part(source, parameter(0), parameter(1)),
            b"KICK" => self.take_kick(source, parameter(0), parameter(1), parameter(2)),
            b"QUIT" => self.take_quit(source, parameter(0)),
            b"NICK" => self.take_nick(source, parameter(0)),
            b"TOPIC" => self.take_topic(source, parameter(0), parameter(1)),
            b"MODE" => self.take_mode(source, &message.parameters),
            b"AWAY" => {
                let is_away = !message.parameters.is_empty();
                self.set_away(source.nick(), is_away);
            }
            b"INVITE" => self.take_invitation(source, parameter(0), parameter(1)),
            b"ERROR" => self.last_words = Some(neutral(parameter(0))),
            // Standard replies: command, code, what it is about, text.
            b"FAIL" => self.tell(News::Refused(in_words(&message.parameters))),
            b"WARN" | b"NOTE" => self.tell(News::Answer(in_words(&message.parameters))),
            b"WALLOPS" => {
                let words = format!("{}: {}", neutral(source.nick()), neutral(parameter(0)));
                self.tell(News::Server(words));
            }
            _ => {}
        }
    }

    /// Takes what happened before the person was there: what was said is told,
    /// and nothing else is to be done about it.
    fn take_history(&mut self, message: &Message<'_>) {
        let source = message.source.unwrap_or(Source::new(b""));
        if self.is_ignored(source) {
            return;
        }
        let manner = if message.is(b"PRIVMSG") {
            Manner::Text
        } else if message.is(b"NOTICE") {
            Manner::Notice
        } else if message.is(b"BATCH") {
            let outer = message.tags.get(b"batch").map(|outer| outer.unescape());
            return self.batches.take(&message.parameters, outer.as_deref());
        } else {
            return;
        };
        let text = message.parameters.get(1).copied().unwrap_or_default();
        match Ctcp::parse(text) {
            None => self.tell_text(message, source, manner, text),
            Some(ctcp) if ctcp.is(b"ACTION") && manner == Manner::Text => {
                self.tell_text(message, source, Manner::Action, ctcp.argument);
            }
            Some(_) => {}
        }
    }

    /// Whether the person himself is the source.
    pub(super) fn is_own(&self, source: Source<'_>) -> bool {
        self.is_me(source.nick())
    }

    /// Remembers what the server puts before what this person says: it counts
    /// towards the length of a line.
    fn learn_prefix(&mut self, source: Source<'_>) {
        let after_nick = source.raw().get(source.nick().len() + 1..);
        self.user_and_host = after_nick.map(<[u8]>::to_vec);
    }

    /// Somebody has another user name and host.
    fn take_new_host(&mut self, source: Source<'_>, user: &[u8], host: &[u8]) {
        if self.is_own(source) {
            self.user_and_host = Some([user, b"@", host].concat());
        }
    }

    /// The server shows another host of the person to others.
    fn learn_host(&mut self, host: &[u8]) {
        if let Some(known) = &mut self.user_and_host {
            let user = known.iter().position(|&byte| byte == b'@');
            known.truncate(user.map_or(0, |at| at + 1));
            known.extend_from_slice(host);
        }
    }

    fn take_join(&mut self, source: Source<'_>, channel: &[u8]) {
        let is_own = self.is_own(source);
        if is_own {
            self.channels.enter(channel, &self.isupport);
            self.learn_prefix(source);
        }
        self.add_member(channel, source.nick(), b"");
        self.tell(News::Joined {
            channel: neutral(channel),
            nick: neutral(source.nick()),
            is_own,
        });
        if is_own {
            self.ask_about(channel);
        }
    }

    fn take_part(&mut self, source: Source<'_>, channel: &[u8], reason: &[u8]) {
        let is_own = self.is_own(source);
        self.tell(News::Parted {
            channel: neutral(channel),
            nick: neutral(source.nick()),
            reason: neutral_with_formatting(reason),
            is_own,
        });
        self.remove_from(channel, source.nick(), is_own);
    }

    fn take_kick(&mut self, source: Source<'_>, channel: &[u8], nick: &[u8], reason: &[u8]) {
        let is_own = self.is_me(nick);
        self.tell(News::Kicked {
            channel: neutral(channel),
            nick: neutral(nick),
            by: neutral(source.nick()),
            reason: neutral_with_formatting(reason),
            is_own,
        });
        self.remove_from(channel, nick, is_own);
    }

    fn remove_from(&mut self, channel: &[u8], nick: &[u8], is_own: bool) {
        if is_own {
            self.leave(channel);
        } else if let Some(channel) = self.channels.find_mut(channel, &self.isupport) {
            channel.remove_member(nick, &self.isupport);
        }
    }

    fn take_quit(&mut self, source: Source<'_>, reason: &[u8]) {
        let mut channels = Vec::new();
        for channel in self.channels.iter_mut() {
            if channel.remove_member(source.nick(), &self.isupport) {
                channels.push(channel.name().to_owned());
            }
        }
        self.tell(News::Quit {
            nick: neutral(source.nick()),
            reason: neutral_with_formatting(reason),
            channels,
        });
    }

    /// Somebody has another nick; the person himself will ask for that one the
    /// next time.
    fn take_nick(&mut self, source: Source<'_>, to: &[u8]) {
        let is_own = self.is_own(source);
        let mut channels = Vec::new();
        for channel in self.channels.iter_mut() {
            if channel.rename_member(source.nick(), to, &self.isupport) || is_own {
                channels.push(channel.name().to_owned());
            }
        }
        if is_own {
            self.nick = to.to_vec();
            if is_nick(to) {
                self.settings.nick = String::from_utf8_lossy(to).into_owned();
            }
        }
        self.tell(News::Renamed {
            from: neutral(source.nick()),
            to: neutral(to),
            channels,
            is_own,
        });
    }

    fn take_topic(&mut self, source: Source<'_>, channel: &[u8], topic: &[u8]) {
        let topic = neutral_with_formatting(topic);
        if let Some(channel) = self.channels.find_mut(channel, &self.isupport) {
            channel.set_topic(topic.clone());
        }
        self.tell(News::Topic {
            channel: neutral(channel),
            topic,
            by: Some(neutral(source.nick())),
        });
    }

    fn take_mode(&mut self, source: Source<'_>, parameters: &[&[u8]]) {
        let Some((target, change)) = parameters.split_first() else {
            return;
        };
        if let Some(channel) = self.channels.find_mut(target, &self.isupport) {
            channel.change_modes(change, &self.isupport);
        }
        self.tell(News::Mode {
            target: neutral(target),
            change: neutral(&change.join(&b' ')),
            by: neutral(source.nick()),
        });
    }

    pub(super) fn set_away(&mut self, nick: &[u8], is_away: bool) {
        for channel in self.channels.iter_mut() {
            channel.set_away(nick, is_away, &self.isupport);
        }
    }

    fn take_invitation(&mut self, source: Source<'_>, nick: &[u8], channel: &[u8]) {
        if self.is_ignored(source) {
            return;
        }
        // With invite-notify also those that others get.
        let invited = if self.is_me(nick) {
            "you".to_owned()
        } else {
            neutral(nick)
        };
        let (by, channel) = (neutral(source.nick()), neutral(channel));
        self.tell(News::Answer(format!("{by} invites {invited} to {channel}")));
    }

    /// The person is not in the channel any more.
    fn leave(&mut self, channel: &[u8]) {
        self.channels.leave(channel, &self.isupport);
        self.say_where_text_goes();
    }

    /// In one stream of lines: says which channel is current now.
    pub(super) fn say_where_text_goes(&mut self) {
        if self.settings.surface == Surface::Lines {
            let hint = match self.channels.current() {
                Some(current) => format!("text goes to {} now", neutral(current)),
                None => "you are in no channel: /join #channel".to_owned(),
            };
            self.hint(hint);
        }
    }

    /// Somebody is in a channel, with these signs before the nick.
    fn add_member(&mut self, channel: &[u8], nick: &[u8], signs: &[u8]) {
        if !self
            .channels
            .add_member(channel, nick, signs, &self.isupport)
        {
            self.hint("too many people are here to know them all: some are not listed");
        }
    }

    /// Takes the people in a part of the answer to NAMES: signs and nick, with
    /// userhost-in-names also what is behind the nick.
    fn take_names(&mut self, channel: &[u8], names: &[u8]) {
        let mut shown = Vec::new();
        for name in names.split(|&byte| byte == b' ') {
            let (signs, nick) = self.isupport.signs_and_nick(name);
            if !nick.is_empty() {
                self.add_member(channel, nick, signs);
                shown.push(neutral(&[signs, nick].concat()));
            }
        }
        self.tell(News::Names {
            channel: neutral(channel),
            names: shown.join(" "),
        });
    }

    fn take_text(
        &mut self,
        message: &Message<'_>,
        source: Source<'_>,
        manner: Manner,
        now: Instant,
    ) {
        let text = message.parameters.get(1).copied().unwrap_or_default();
        if self.is_ignored(source) || self.is_second_copy(message, source) {
            return;
        }
        match Ctcp::parse(text) {
            None => self.tell_text(message, source, manner, text),
            Some(ctcp) if ctcp.is(b"ACTION") && manner == Manner::Text => {
                self.tell_text(message, source, Manner::Action, ctcp.argument);
            }
            Some(ctcp) => self.take_ctcp(source, ctcp, manner, now),
        }
    }

    /// Whether this is what the person has said to himself, coming a second
    /// time: with echo-message once as to anybody, once as the echo.
    fn is_second_copy(&mut self, message: &Message<'_>, source: Source<'_>) -> bool {
        let target = message.parameters.first().copied().unwrap_or_default();
        let to_oneself = self.is_own(source) && self.is_me(target);
        if !to_oneself || !self.capabilities.has("echo-message") {
            return false;
        }
        let text = message.parameters.get(1).copied().unwrap_or_default();
        let is_second = self
            .said_to_oneself
            .take()
            .is_some_and(|first| first == text);
        if !is_second {
            self.said_to_oneself = Some(text.to_vec());
        }
        is_second
    }

    /// Tells what somebody has said.
    fn tell_text(
        &mut self,
        message: &Message<'_>,
        source: Source<'_>,
        manner: Manner,
        text: &[u8],
    ) {
        let target = message.parameters.first().copied().unwrap_or_default();
        let is_own = self.is_own(source);
        let (only_for, receiver) = self.isupport.status_and_channel(target);
        let nick = neutral(source.nick());
        let place = if self.isupport.is_channel(receiver) {
            if let Some(channel) = self.channels.find_mut(receiver, &self.isupport) {
                channel.heard = server_time(message).max(channel.heard);
            }
            Place::Channel(neutral(receiver))
        } else if is_own && !self.is_me(target) {
            Place::Private(neutral(target))
        } else if source.user().is_some() {
            Place::Private(nick.clone())
        } else {
            Place::Server
        };
        self.tell(News::Said {
            is_own: is_own && place != Place::Private(nick.clone()),
            place,
            only_for,
            nick,
            manner,
            text: neutral_with_formatting(text),
        });
    }

    /// A question of a program to this one, or the answer to one.
    fn take_ctcp(&mut self, source: Source<'_>, ctcp: Ctcp<'_>, manner: Manner, now: Instant) {
        // The echo of the person's own question.
        if self.is_own(source) && self.capabilities.has("echo-message") {
            return;
        }
        let (nick, command) = (neutral(source.nick()), neutral(ctcp.command));
        if manner == Manner::Notice {
            // Never answered: two programs would go on for ever.
            let argument = neutral(ctcp.argument);
            let words = format!("{nick} answers {command}: {argument}");
            return self.tell(News::Answer(words));
        }
        let answer = ctcp.answer().filter(|_| self.allowance.take(now));
        let outcome = if answer.is_some() {
            ""
        } else {
            ", not answered"
        };
        if let Some(answer) = answer {
            self.outbox
                .reply()
                .command(b"NOTICE")
                .parameter(source.nick())
                .trailing(&answer)
                .finish();
        }
        self.tell(News::Answer(format!("{nick} asks for {command}{outcome}")));
    }

    pub(super) fn take_numeric(&mut self, number: u16, message: &Message<'_>) {
        let own_nick = message.parameters.first().copied().unwrap_or_default();
        let behind_nick = message.parameters.get(1..).unwrap_or_default();
        let at = |index: usize| behind_nick.get(index).copied().unwrap_or_default();
        let last = behind_nick.last().copied().unwrap_or_default();
        let is_registering = matches!(self.stage, Stage::Registering { .. });
        match number {
            1 => {
                self.server = message.source.map(|source| neutral(source.raw()));
                if is_registering {
                    self.enter(own_nick);
                }
            }
            5 => self.take_isupport(behind_nick),
            324 => {
                if let Some(channel) = self.channels.find_mut(at(0), &self.isupport) {
                    channel.set_modes(at(1));
                }
                if self.end_question(Question::Modes, at(0)) {
                    return;
                }
            }
            331 | 332 => {
                if let Some(channel) = self.channels.find_mut(at(0), &self.isupport) {
                    let topic = if number == 332 { last } else { b"" };
                    channel.set_topic(neutral_with_formatting(topic));
                }
            }
            301 => self.set_away(at(0), true),
            305 | 306 => self.set_away(own_nick, number == 306),
            315 => {
                self.end_question(Question::Away, at(0));
            }
            352 => {
                // Gone or here: the first of the flags.
                self.set_away(at(4), at(5).first() == Some(&b'G'));
                if self.has_asked(Question::Away, at(0)) {
                    return;
                }
            }
            353 => return self.take_names(at(1), last),
            366 => self.ask_who_is_away(at(0)),
            // The person's own host is shown as another.
            396 if at(0).contains(&b'@') => self.user_and_host = Some(at(0).to_vec()),
            396 => self.learn_host(at(0)),
            902..=907 => self.end_login(number),
            // CAP is not known here, or not so.
            410 | 421 if is_registering => self.capabilities.close(),
            // Taken, taken elsewhere, held for somebody.
            433 | 436 | 437 if is_registering => return self.try_next_nick(),
            // No valid nick; an address that may not connect, a wrong password, banned.
            432 | 463..=465 if is_registering => {
                self.stage = Stage::Denied(in_words(behind_nick));
                return;
            }
            _ => {}
        }
        if let Some(news) = news_of(number, behind_nick) {
            self.tell(news);
        }
        // No such channel, too many channels, and the reasons not to be let in.
        if matches!(number, 403 | 405 | 437 | 471 | 473..=477 | 480 | 489)
            && self.channels.refuse(at(0), &self.isupport)
        {
            self.say_where_text_goes();
        }
    }

    /// The server says what it is like; the last parameter is only words.
    fn take_isupport(&mut self, parameters: &[&[u8]]) {
        let tokens = parameters
            .split_last()
            .map_or(&[][..], |(_, tokens)| tokens);
        for token in tokens {
            self.isupport.take(token);
        }
        self.channels.sort_again(&self.isupport);
    }

    /// Something has happened just now.
    pub(super) fn tell(&mut self, news: News) {
        self.reports.push(Report {
            at: None,
            is_history: false,
            news,
        });
    }
}

/// When the server says that it was. (`IRCv3` server-time)
fn server_time(message: &Message<'_>) -> Option<Timestamp> {
    let time = message.tags.get(b"time")?.unescape();
    std::str::from_utf8(&time).ok()?.parse().ok()
}
