//! WHO: people by channel, nick or mask, in the old form or with chosen fields.
//!
//! Shows: who is meant ([`people_fitting`]) and what is told of each
//! ([`Row`]) have nothing to do with each other.
//!
//! Source: <https://modern.ircdocs.horse/#who-message>,
//! <https://ircv3.net/specs/extensions/whox>.

use chat_protocol::{LineWriter, Message, mask_matches};

use super::answer::Answer;
use super::presence::idle_seconds;
use crate::room::capabilities::Capabilities;
use crate::room::channel::{Channel, ChannelSlot, Channels, Status};
use crate::room::client::{Client, ClientSlot, Clients, UserModes};
use crate::room::limits::MAX_TOKEN_DIGITS;
use crate::room::numerics::{RPL_ENDOFWHO, RPL_WHOREPLY, RPL_WHOSPCRPL};
use crate::room::state::{Now, State};
use crate::room::view::{Findable, known_channels, shown_members};

/// The fields of WHOX, in the order in which they are always sent. The
/// documents leave out `d` (hops) and `o` (rank in the channel), but clients
/// ask for them.
const FIELDS: &[u8] = b"tcuihsnfdlaor";

/// The second parameter of WHO: `o`, `%fields`, `o%fields,token`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Options<'a> {
    /// `o`: operators of the server only.
    only_operators: bool,
    /// After the `%`; none for the old form.
    fields: Option<&'a [u8]>,
    token: &'a [u8],
}

impl<'a> Options<'a> {
    fn parse(text: &'a [u8]) -> Options<'a> {
        let (flags, fields) = split_at(text, b'%');
        let (fields, token) = match fields.map(|fields| split_at(fields, b',')) {
            Some((fields, token)) => (Some(fields), token.unwrap_or_default()),
            None => (None, &b""[..]),
        };
        let is_token =
            (1..=MAX_TOKEN_DIGITS).contains(&token.len()) && token.iter().all(u8::is_ascii_digit);
        Options {
            only_operators: flags.contains(&b'o'),
            fields,
            token: if is_token { token } else { b"0" },
        }
    }
}

/// What stands before and after the first `mark`.
fn split_at(text: &[u8], mark: u8) -> (&[u8], Option<&[u8]>) {
    match text.iter().position(|&byte| byte == mark) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    }
}

/// One client in an answer to WHO.
struct Row<'a> {
    client: &'a Client,
    /// A channel that it is in, as far as the asker may know, and what it is
    /// there.
    place: Option<(&'a Channel, Status)>,
    server_name: &'a [u8],
    with_all_prefixes: bool,
    now: Now,
}

impl Row<'_> {
    fn channel(&self) -> &[u8] {
        self.place.map_or(b"*", |(channel, _)| &channel.name)
    }

    /// Here or gone, operator or not, what it is in the channel, a program or
    /// not.
    fn flags<'l>(&self, line: LineWriter<'l>) -> LineWriter<'l> {
        let client = self.client;
        let status = self.place.map_or(Status::empty(), |(_, status)| status);
        let if_set = |is_set: bool, flag: &'static [u8]| if is_set { flag } else { b"" };
        line.parameter(if client.away.is_some() { b"G" } else { b"H" })
            .append(if_set(client.is_operator(), b"*"))
            .append(status.prefixes(self.with_all_prefixes))
            .append(if_set(client.modes.contains(UserModes::BOT), b"B"))
    }

    /// As RFC 1459 has it: all fields, always.
    fn old_form<'l>(&self, line: LineWriter<'l>) -> LineWriter<'l> {
        let identity = &self.client.identity;
        let line = line
            .parameter(self.channel())
            .parameter(identity.user())
            .parameter(identity.host())
            .parameter(self.server_name)
            .parameter(identity.nick());
        // Nobody here is any hops away.
        self.flags(line)
            .trailing(b"0 ")
            .append(&self.client.real_name)
    }

    fn chosen<'l>(&self, fields: &[u8], token: &[u8], line: LineWriter<'l>) -> LineWriter<'l> {
        let identity = &self.client.identity;
        let fields = FIELDS.iter().filter(|field| fields.contains(field));
        fields.fold(line, |line, field| match field {
            b't' => line.parameter(token),
            b'c' => line.parameter(self.channel()),
            b'u' => line.parameter(identity.user()),
            // The host is the address.
            b'i' | b'h' => line.parameter(identity.host()),
            b's' => line.parameter(self.server_name),
            b'n' => line.parameter(identity.nick()),
            b'f' => self.flags(line),
            // Nobody here is any hops away, or has an account.
            b'd' | b'a' => line.parameter(b"0"),
            b'l' => line.parameter_display(idle_seconds(self.client, self.now)),
            // Nor are there ranks among operators.
            b'o' => line.parameter(b"n/a"),
            b'r' => line.trailing(&self.client.real_name),
            _ => unreachable!("the fields are those of the table"),
        })
    }
}

impl State {
    /// `WHO [mask [options]]`.
    pub(in crate::room) fn who(&mut self, from: ClientSlot, message: &Message<'_>) {
        let mask = message.parameters.first().copied().unwrap_or(b"*");
        let options = message.parameters.get(1).copied().unwrap_or_default();
        let options = Options::parse(options);

        let (clients, channels) = (&self.clients, &self.channels);
        let asker = &clients[from];
        let channel = channels.find(mask);
        let server_name = self.rules.server_name.as_bytes();
        let people = match channel {
            Some(slot) => shown_members(asker, slot, &channels[slot], clients)
                .map(|(_, client)| client)
                .collect(),
            None if mask.starts_with(b"#") => Vec::new(),
            None => people_fitting(clients, channels, asker, mask, server_name),
        };
        let with_all_prefixes = self
            .mail
            .capabilities(from)
            .contains(Capabilities::MULTI_PREFIX);
        let mut answer = Answer::new(&mut self.mail, asker, &self.rules.limits);
        for client in people {
            if options.only_operators && !client.is_operator() {
                continue;
            }
            let row = || Row {
                client,
                place: match channel {
                    Some(slot) => place_in(slot, client, channels),
                    None => known_channels(asker, client, channels).next(),
                },
                server_name,
                with_all_prefixes,
                now: self.now,
            };
            match options.fields {
                None => answer.line(RPL_WHOREPLY, |line| row().old_form(line)),
                Some(fields) => answer.line(RPL_WHOSPCRPL, |line| {
                    row().chosen(fields, options.token, line)
                }),
            }
        }
        answer.close("WHO");
        self.answer(from, RPL_ENDOFWHO, &[mask]);
    }
}

/// Those whom `mask` means, as far as `asker` may know of them: the one person
/// with that nick, or else everybody whom it fits.
fn people_fitting<'a>(
    clients: &'a Clients,
    channels: &Channels,
    asker: &'a Client,
    mask: &[u8],
    server_name: &[u8],
) -> Vec<&'a Client> {
    if let Some(client) = clients.find(mask) {
        return vec![&clients[client]];
    }
    // RFC 2812 has `0` for everybody, and so does an empty mask.
    let mask = if matches!(mask, b"" | b"0") {
        b"*"
    } else {
        mask
    };
    let findable = Findable::by(asker, channels);
    clients
        .iter()
        .filter(|client| findable.contains(client) && fits(mask, client, server_name))
        .collect()
}

/// A channel that a client is in, and what it is there.
fn place_in<'a>(
    slot: ChannelSlot,
    client: &Client,
    channels: &'a Channels,
) -> Option<(&'a Channel, Status)> {
    let channel = &channels[slot];
    let member = &channel.members[client.membership(slot)?.position as usize];
    Some((channel, member.status))
}

/// Whether a mask fits anything of what is known of a client: with a `!` its
/// whole name, with only an `@` user and host, else any one of the parts.
fn fits(mask: &[u8], client: &Client, server_name: &[u8]) -> bool {
    let identity = &client.identity;
    if mask.contains(&b'!') {
        mask_matches(mask, identity.as_source())
    } else if mask.contains(&b'@') {
        mask_matches(mask, identity.user_at_host())
    } else {
        [
            identity.nick(),
            identity.user(),
            identity.host(),
            server_name,
            &client.real_name,
        ]
        .iter()
        .any(|text| mask_matches(mask, text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_flags_then_fields_then_a_token_of_up_to_three_digits() {
        let parse = |text: &'static str| {
            let options = Options::parse(text.as_bytes());
            let fields = options.fields.map(|fields| str::from_utf8(fields).unwrap());
            let token = str::from_utf8(options.token).unwrap();
            (options.only_operators, fields, token)
        };
        assert_eq!(parse(""), (false, None, "0"));
        assert_eq!(parse("o"), (true, None, "0"));
        assert_eq!(parse("%tcu,743"), (false, Some("tcu"), "743"));
        assert_eq!(parse("o%n"), (true, Some("n"), "0"));
        assert_eq!(parse("%"), (false, Some(""), "0"));
        for no_token in ["%tn,", "%tn,1234", "%tn,x", "%tn,-1", "%tn,1,2"] {
            assert_eq!(parse(no_token), (false, Some("tn"), "0"), "{no_token}");
        }
    }
}
