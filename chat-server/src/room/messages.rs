//! Saying something: PRIVMSG, NOTICE and TAGMSG, to people and to channels.
//!
//! Shows: one message is formatted once and copied to everybody who may hear
//! it; what the sender's name in front makes too long for a line is cut, and the
//! sender is told.
//! Leaves out: message ids and history.

use chat_protocol::{LineWriter, Message, Tags, eq_ignore_case};

use super::capabilities::Capabilities;
use super::channel::{ChannelModes, ChannelSlot, Status};
use super::client::ClientSlot;
use super::limits::MAX_TARGETS;
use super::numerics::{
    ERR_CANNOTSENDTOCHAN, ERR_NORECIPIENT, ERR_NOSUCHNICK, ERR_NOTEXTTOSEND, ERR_TOOMANYTARGETS,
    ERR_UNKNOWNCOMMAND, Numeric, RPL_AWAY,
};
use super::state::State;

/// The three ways of saying something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Manner {
    Privmsg,
    /// Never answered by a program, not even with an error.
    Notice,
    /// Tags without a text.
    Tagmsg,
}

impl Manner {
    fn command(self) -> &'static str {
        match self {
            Manner::Privmsg => "PRIVMSG",
            Manner::Notice => "NOTICE",
            Manner::Tagmsg => "TAGMSG",
        }
    }
}

/// What is said, before it is known to whom.
struct Saying<'a> {
    manner: Manner,
    /// Empty in a TAGMSG only.
    text: &'a [u8],
    tags: Tags<'a>,
}

/// Where something is said, as everybody there sees it: `#channel`, or
/// `@#channel` for its operators.
#[derive(Clone, Copy)]
struct Target<'a> {
    prefix: &'a [u8],
    name: &'a [u8],
}

impl Saying<'_> {
    fn compose<'w>(
        &self,
        line: LineWriter<'w>,
        source: &[u8],
        target: Target<'_>,
    ) -> LineWriter<'w> {
        let line = line
            .source(source)
            .command(self.manner.command().as_bytes());
        let line = match target.prefix {
            b"" => line.parameter(target.name),
            prefix => line.parameter(prefix).append(target.name),
        };
        if self.manner == Manner::Tagmsg {
            line
        } else {
            line.trailing(self.text)
        }
    }
}

impl State {
    /// `PRIVMSG target{,target} :text`.
    pub(super) fn privmsg(&mut self, from: ClientSlot, message: &Message<'_>) {
        self.clients[from].last_spoke = self.now.instant;
        self.say(from, Manner::Privmsg, message);
    }

    /// `NOTICE target{,target} :text`.
    pub(super) fn notice(&mut self, from: ClientSlot, message: &Message<'_>) {
        self.say(from, Manner::Notice, message);
    }

    /// `@tags TAGMSG target{,target}`, for those who know of tags.
    pub(super) fn tagmsg(&mut self, from: ClientSlot, message: &Message<'_>) {
        if self
            .mail
            .capabilities(from)
            .contains(Capabilities::MESSAGE_TAGS)
        {
            self.say(from, Manner::Tagmsg, message);
        } else {
            self.answer(from, ERR_UNKNOWNCOMMAND, &[b"TAGMSG"]);
        }
    }

    fn say(&mut self, from: ClientSlot, manner: Manner, message: &Message<'_>) {
        let targets = message.parameters.first().copied().unwrap_or_default();
        let text = match manner {
            Manner::Tagmsg => b"",
            _ => message.parameters.get(1).copied().unwrap_or_default(),
        };
        if targets.is_empty() {
            if manner != Manner::Notice {
                self.mail
                    .reply(&self.clients[from], ERR_NORECIPIENT, |line| {
                        line.trailing_display(format_args!(
                            "No recipient given ({})",
                            manner.command()
                        ))
                    });
            }
            return;
        }
        if text.is_empty() && manner != Manner::Tagmsg {
            return self.object(from, manner, ERR_NOTEXTTOSEND, &[]);
        }
        let knows_tags = self
            .mail
            .capabilities(from)
            .contains(Capabilities::MESSAGE_TAGS);
        let saying = Saying {
            manner,
            text,
            tags: if knows_tags {
                message.tags
            } else {
                Tags::EMPTY
            },
        };
        let (mut told, mut count) = ([&b""[..]; MAX_TARGETS], 0);
        for target in targets.split(|&byte| byte == b',') {
            let is_told = |target| told[..count].iter().any(|it| eq_ignore_case(it, target));
            // Who is named twice is not told twice.
            if target.is_empty() || is_told(target) {
                continue;
            }
            if count == MAX_TARGETS {
                return self.object(from, manner, ERR_TOOMANYTARGETS, &[target]);
            }
            told[count] = target;
            count += 1;
            self.say_to(from, target, &saying);
        }
    }

    fn say_to(&mut self, from: ClientSlot, target: &[u8], saying: &Saying<'_>) {
        // `@#channel` is for its operators, `+#channel` for the voiced as well.
        let name_start = target.iter().position(|byte| !b"@+".contains(byte));
        let (prefixes, name) = target.split_at(name_start.unwrap_or(target.len()));
        if name.starts_with(b"#") {
            let hearers = if prefixes.is_empty() {
                Status::empty()
            } else if prefixes.contains(&b'+') {
                Status::VOICE | Status::OPERATOR
            } else {
                Status::OPERATOR
            };
            match self.channels.find(name) {
                Some(channel) => self.say_in_channel(from, channel, hearers, saying),
                None => self.object(from, saying.manner, ERR_NOSUCHNICK, &[target]),
            }
        } else {
            match self.clients.find(target) {
                Some(to) => self.say_to_client(from, to, saying),
                None => self.object(from, saying.manner, ERR_NOSUCHNICK, &[target]),
            }
        }
    }

    /// Says something to the members that have one of the statuses `hearers`,
    /// or to all if that is empty.
    fn say_in_channel(
        &mut self,
        from: ClientSlot,
        slot: ChannelSlot,
        hearers: Status,
        saying: &Saying<'_>,
    ) {
        let channel = &self.channels[slot];
        if !self.may_speak(from, slot) {
            let name = channel.name.clone();
            return self.object(from, saying.manner, ERR_CANNOTSENDTOCHAN, &[&name]);
        }
        let prefix: &[u8] = match hearers {
            Status::OPERATOR => b"@",
            _ if hearers.is_empty() => b"",
            _ => b"+",
        };
        // ANCHOR: deliver
        let target = Target {
            prefix,
            name: &channel.name,
        };
        let source = self.clients[from].identity.as_source();
        self.mail
            .write_tagged(saying.tags, |line| saying.compose(line, source, target));
        let is_cut = self.mail.is_cut();
        if hearers.is_empty() {
            self.mail.address_to_room(slot);
        }
        // ANCHOR: not-to-the-sender
        self.mail.skip(from);
        // ANCHOR_END: not-to-the-sender
        self.mail
            .post_to_members(&channel.members, |member, capabilities| {
                (hearers.is_empty() || member.status.intersects(hearers))
                    && understands(capabilities, saying.manner)
            });
        // ANCHOR_END: deliver
        self.echo(from, saying.manner);
        if is_cut {
            let target = [prefix, &self.channels[slot].name].concat();
            self.tell_of_cut(from, &target);
        }
    }

    fn say_to_client(&mut self, from: ClientSlot, to: ClientSlot, saying: &Saying<'_>) {
        let (sender, receiver) = (&self.clients[from], &self.clients[to]);
        let target = Target {
            prefix: b"",
            name: receiver.identity.nick(),
        };
        self.mail.write_tagged(saying.tags, |line| {
            saying.compose(line, sender.identity.as_source(), target)
        });
        let is_cut = self.mail.is_cut();
        if understands(self.mail.capabilities(to), saying.manner) {
            self.mail.post(to);
        }
        self.echo(from, saying.manner);
        if is_cut {
            let nick = self.clients[to].identity.nick().to_vec();
            self.tell_of_cut(from, &nick);
        }
        if let (Some(away), Manner::Privmsg) = (&self.clients[to].away, saying.manner) {
            self.mail.reply(&self.clients[from], RPL_AWAY, |line| {
                line.parameter(self.clients[to].identity.nick())
                    .trailing(away)
            });
        }
    }

    /// Tells a client that what it said has lost its end on the way. Clients
    /// know what stands in front of it and send long texts in pieces; a program
    /// or a plain peer may not.
    fn tell_of_cut(&mut self, from: ClientSlot, target: &[u8]) {
        self.counters.messages_cut += 1;
        let notice = [
            b"Your message to ",
            target,
            b" was cut: with your name and address in front it was too long for a line",
        ];
        self.notify(from, &notice.concat());
    }

    /// Sends what was said back to who said it, if asked to.
    fn echo(&mut self, from: ClientSlot, manner: Manner) {
        let capabilities = self.mail.capabilities(from);
        if capabilities.contains(Capabilities::ECHO_MESSAGE) && understands(capabilities, manner) {
            self.mail.post_again(from);
        }
    }

    /// Whether a client's words reach a channel.
    fn may_speak(&self, client: ClientSlot, slot: ChannelSlot) -> bool {
        let channel = &self.channels[slot];
        let silencing = match self.status_in(client, slot) {
            Some(status) if !status.is_empty() => return true,
            Some(_) => ChannelModes::MODERATED,
            None => ChannelModes::MODERATED | ChannelModes::NO_EXTERNAL,
        };
        !channel.modes.intersects(silencing) && !channel.is_banned(&self.clients[client].identity)
    }

    /// Answers with an error, unless it would be the answer to a NOTICE.
    fn object(&mut self, to: ClientSlot, manner: Manner, numeric: Numeric, parameters: &[&[u8]]) {
        if manner != Manner::Notice {
            self.answer(to, numeric, parameters);
        }
    }
}

/// Whether a receiver can make anything of what is said.
fn understands(capabilities: Capabilities, manner: Manner) -> bool {
    manner != Manner::Tagmsg || capabilities.contains(Capabilities::MESSAGE_TAGS)
}
