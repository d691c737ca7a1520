//! What the server says, and what is to be done about it.

use std::time::Instant;

use chat_protocol::{Message, Source, eq_ignore_case, is_nick, neutral};

use super::command::is_channel;
use super::ctcp::Ctcp;
use super::news::{Manner, News, Place};
use super::numerics::{in_words, news_of};
use super::{MAX_UNDERSCORES, Session, Stage};

impl Session {
    /// Takes a line of the server, without its end. What is no message is
    /// passed over: there is nothing that a person could do about it.
    pub(crate) fn receive(&mut self, line: &[u8], now: Instant) {
        if let Ok(message) = Message::parse(line) {
            self.take(&message, now);
        }
    }

    /// The server has sent a line that is longer than lines may be, or with
    /// bytes in it that none may hold.
    pub(crate) fn receive_unreadable(&mut self) {
        self.hint("a line of the server was too long or broken, and is left out");
    }

    fn take(&mut self, message: &Message<'_>, now: Instant) {
        let parameter = |index: usize| message.parameters.get(index).copied().unwrap_or_default();
        if let Some(number) = message.numeric() {
            return self.take_numeric(number, message);
        }
        let source = message.source.unwrap_or(Source::new(b""));
        let (nick, is_own) = (neutral(source.nick()), self.is_own(source));
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
                self.outbox.pong(token);
            }
            b"PRIVMSG" => self.take_text(source, parameter(0), parameter(1), Manner::Text, now),
            b"NOTICE" => self.take_text(source, parameter(0), parameter(1), Manner::Notice, now),
            b"JOIN" => {
                if is_own {
                    self.channels.enter(parameter(0));
                    self.learn_prefix(source);
                }
                let channel = neutral(parameter(0));
                self.news.push(News::Joined { channel, nick });
            }
            b"PART" => {
                if is_own {
                    self.leave(parameter(0));
                }
                let (channel, reason) = (neutral(parameter(0)), neutral(parameter(1)));
                self.news.push(News::Parted {
                    channel,
                    nick,
                    reason,
                });
            }
            b"KICK" => {
                self.news.push(News::Kicked {
                    channel: neutral(parameter(0)),
                    nick: neutral(parameter(1)),
                    by: nick,
                    reason: neutral(parameter(2)),
                });
                if eq_ignore_case(parameter(1), &self.nick) {
                    self.leave(parameter(0));
                }
            }
            b"QUIT" => {
                let reason = neutral(parameter(0));
                self.news.push(News::Quit { nick, reason });
            }
            b"NICK" => {
                if is_own {
                    self.rename(parameter(0));
                }
                let to = neutral(parameter(0));
                self.news.push(News::Renamed { from: nick, to });
            }
            b"TOPIC" => self.news.push(News::Topic {
                channel: neutral(parameter(0)),
                topic: neutral(parameter(1)),
                by: Some(nick),
            }),
            b"MODE" => {
                let change = message.parameters.get(1..).unwrap_or_default();
                self.news.push(News::Mode {
                    target: neutral(parameter(0)),
                    change: neutral(&change.join(&b' ')),
                    by: nick,
                });
            }
            b"INVITE" => {
                let invitation = format!("{nick} invites you to {}", neutral(parameter(1)));
                self.news.push(News::Answer(invitation));
            }
            b"ERROR" => self.last_words = Some(neutral(parameter(0))),
            // Standard replies: command, code, what it is about, text.
            b"FAIL" => self.news.push(News::Refused(in_words(&message.parameters))),
            b"WARN" | b"NOTE" | b"WALLOPS" => {
                let words = in_words(&message.parameters);
                self.news.push(News::Answer(words));
            }
            _ => {}
        }
    }

    /// Whether the person himself is the source.
    fn is_own(&self, source: Source<'_>) -> bool {
        eq_ignore_case(source.nick(), &self.nick)
    }

    /// Remembers what the server puts before what this person says: it counts
    /// towards the length of a line.
    fn learn_prefix(&mut self, source: Source<'_>) {
        let after_nick = source.raw().get(source.nick().len() + 1..);
        self.user_and_host = after_nick.map(<[u8]>::to_vec);
    }

    /// The person has another nick, and will ask for that one the next time.
    fn rename(&mut self, nick: &[u8]) {
        self.nick = nick.to_vec();
        if is_nick(nick) {
            self.wanted_nick = String::from_utf8_lossy(nick).into_owned();
        }
    }

    fn leave(&mut self, channel: &[u8]) {
        self.channels.leave(channel);
        self.say_where_text_goes();
    }

    fn say_where_text_goes(&mut self) {
        let hint = match self.channels.current() {
            Some(current) => format!("text goes to {} now", neutral(current)),
            None => "you are in no channel: /join #channel".to_owned(),
        };
        self.hint(hint);
    }

    fn take_text(
        &mut self,
        source: Source<'_>,
        target: &[u8],
        text: &[u8],
        manner: Manner,
        now: Instant,
    ) {
        let ctcp = Ctcp::parse(text);
        let (manner, text) = match ctcp {
            None => (manner, neutral(text)),
            Some(ctcp) if ctcp.is(b"ACTION") && manner == Manner::Text => {
                (Manner::Action, neutral(ctcp.argument))
            }
            Some(ctcp) => return self.take_ctcp(source, ctcp, manner, now),
        };
        let shown_target = neutral(target);
        let place = if is_channel(shown_target.trim_start_matches(['@', '%', '~'])) {
            Place::Channel(shown_target)
        } else if source.user().is_some() {
            Place::Private
        } else {
            Place::Server
        };
        let nick = neutral(source.nick());
        self.news.push(News::Said {
            place,
            nick,
            manner,
            text,
        });
    }

    /// A question of a program to this one, or the answer to one.
    fn take_ctcp(&mut self, source: Source<'_>, ctcp: Ctcp<'_>, manner: Manner, now: Instant) {
        let (nick, command) = (neutral(source.nick()), neutral(ctcp.command));
        if manner == Manner::Notice {
            // Never answered: two programs would go on for ever.
            let argument = neutral(ctcp.argument);
            let words = format!("{nick} answers {command}: {argument}");
            return self.news.push(News::Answer(words));
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
        let words = format!("{nick} asks for {command}{outcome}");
        self.news.push(News::Answer(words));
    }

    fn take_numeric(&mut self, number: u16, message: &Message<'_>) {
        let own_nick = message.parameters.first().copied().unwrap_or_default();
        let behind_nick = message.parameters.get(1..).unwrap_or_default();
        let about = behind_nick.first().copied().unwrap_or_default();
        let is_registering = matches!(self.stage, Stage::Registering { .. });
        match number {
            1 if is_registering => {
                self.stage = Stage::Registered;
                if !own_nick.is_empty() {
                    self.nick = own_nick.to_vec();
                }
                self.join_channels();
            }
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
            self.news.push(news);
        }
        // No such channel, too many channels, and the reasons not to be let in.
        if matches!(number, 403 | 405 | 437 | 471 | 473..=477 | 480 | 489)
            && self.channels.refuse(about)
        {
            self.say_where_text_goes();
        }
    }

    /// The nick is taken: one more underscore, while there is room for one.
    fn try_next_nick(&mut self) {
        let Stage::Registering { underscores } = &mut self.stage else {
            return;
        };
        if *underscores == MAX_UNDERSCORES {
            let nick = &self.wanted_nick;
            let why =
                format!("the nick {nick} is taken, with up to {MAX_UNDERSCORES} _ behind it too");
            self.stage = Stage::Denied(why);
            return;
        }
        *underscores += 1;
        self.ask_for_nick();
    }
}
