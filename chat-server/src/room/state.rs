//! The room's state, and how the loop side drives it.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::{Instant, SystemTime};

use chapter::unix_seconds;
use chat_protocol::{Message, ParseError};
use serde::{Deserialize, Serialize};

use super::channel::Channels;
use super::client::{
    Client, ClientId, ClientSlot, Clients, Identity, Kind, Registration, Stage, UserModes,
};
use super::mail::Mail;
use super::numerics::{ERR_INPUTTOOLONG, Numeric};
use super::outgoing::Outgoing;
use super::queries::NickHistory;
use super::rules::Rules;

/// The time at which something happened, by both clocks. Read once a batch.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// For measuring how long ago something was.
    pub instant: Instant,
    /// For telling people when it was.
    pub wall: SystemTime,
}

/// Why a connection is not taken. `Display` gives the line to send before
/// closing it, without CR LF.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// [`Limits::max_clients`](super::Limits::max_clients) are there already.
    ServerFull,
    /// [`Limits::max_per_address`](super::Limits::max_per_address) are there
    /// already from the same address.
    TooManyFromAddress,
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Refusal::ServerFull => "Server is full",
            Refusal::TooManyFromAddress => "Too many connections from your address",
        })
    }
}

impl Error for Refusal {}

/// What the room has done since it began.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct Counters {
    /// Lines that clients sent, those not understood included.
    pub lines_received: u64,
    /// Lines dropped because they were too long.
    pub lines_too_long: u64,
    /// Lines dropped because they were not UTF-8.
    pub lines_not_utf8: u64,
    /// Lines dropped because they were no IRC message.
    pub lines_malformed: u64,
    /// Messages put into queues: one to a hundred members counts a hundred.
    pub lines_queued: u64,
    /// Messages of which the end was cut off, because with the sender's name in
    /// front they were longer than a line.
    #[serde(default)]
    pub messages_cut: u64,
    /// Passwords that were wrong, of the server or of an operator.
    pub wrong_passwords: u64,
    /// Clients put out because they guessed at passwords of operators.
    #[serde(default)]
    pub clients_guessing: u64,
    /// Clients put out because they read too slowly.
    pub clients_too_slow: u64,
}

/// How many of whom are here, kept so that nobody has to be counted.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Census {
    pub(super) registering: usize,
    pub(super) registered: usize,
    /// The most that were registered at once since the start.
    pub(super) most_registered: usize,
    /// Of those registered.
    pub(super) invisible: usize,
    /// Of those registered.
    pub(super) operators: usize,
}

/// Everybody who is connected, every channel, and what waits to be sent.
#[derive(Debug)]
pub struct State {
    pub(super) rules: Rules,
    pub(super) started: SystemTime,
    pub(super) now: Now,
    pub(super) clients: Clients,
    pub(super) channels: Channels,
    pub(super) mail: Mail,
    pub(super) counters: Counters,
    pub(super) census: Census,
    pub(super) nick_history: NickHistory,
    /// Number of the last plain peer's nick.
    pub(super) guests: u64,
    /// Number of clients from each place, as [`place`] has it, but loopback.
    pub(super) by_place: HashMap<IpAddr, usize>,
}

impl State {
    /// An empty room under `rules`, which began `now`.
    #[must_use]
    pub fn new(rules: Rules, now: Now) -> State {
        State {
            started: now.wall,
            now,
            clients: Clients::new(),
            channels: Channels::new(),
            mail: Mail::new(&rules),
            counters: Counters::default(),
            census: Census::default(),
            nick_history: NickHistory::default(),
            guests: 0,
            by_place: HashMap::new(),
            rules,
        }
    }

    /// Takes in somebody who connected from `address`.
    ///
    /// # Errors
    ///
    /// A [`Refusal`]; the connection is to be closed after its line is sent.
    pub fn connect(
        &mut self,
        address: SocketAddr,
        kind: Kind,
        now: Now,
    ) -> Result<ClientId, Refusal> {
        self.set_time(now);
        // ANCHOR: refuse
        if self.clients.len() >= self.rules.limits.max_clients {
            return Err(Refusal::ServerFull);
        }
        let address = address.ip().to_canonical();
        let count = self.by_place.get(&place(address)).copied().unwrap_or(0);
        if count >= self.rules.limits.max_per_address {
            return Err(Refusal::TooManyFromAddress);
        }
        self.count_address(address);
        // ANCHOR_END: refuse
        let slot = self.clients.insert(|slot| Client {
            slot,
            address,
            stage: Stage::Registering(Registration::default()),
            modes: UserModes::empty(),
            identity: Identity::unknown(host(address).as_bytes()),
            real_name: Box::default(),
            away: None,
            memberships: Vec::new(),
            invitations: Vec::new(),
            wrong_guesses: 0,
            connected_at: unix_seconds(now.wall),
            last_spoke: now.instant,
        });
        self.mail.open(slot, kind);
        self.census.registering += 1;
        if kind == Kind::Plain {
            self.welcome_plain(slot);
            self.put_out_the_slow();
        }
        Ok(self.clients.id(slot))
    }

    /// Handles one line from a client, without its CR LF.
    pub fn receive(&mut self, client: ClientId, line: &[u8], now: Now) {
        let Some(client) = self.present(client, now) else {
            return;
        };
        self.counters.lines_received += 1;
        match self.mail.kind(client) {
            Kind::Irc => self.receive_message(client, line),
            Kind::Plain => self.receive_typed(client, line),
        }
        self.put_out_the_slow();
    }

    /// Tells a client that its line was too long and is lost.
    pub fn line_too_long(&mut self, client: ClientId, now: Now) {
        let Some(client) = self.present(client, now) else {
            return;
        };
        self.counters.lines_too_long += 1;
        self.answer(client, ERR_INPUTTOOLONG, &[]);
        self.put_out_the_slow();
    }

    /// Sends PING to a client; what answers it is any line at all. A plain peer
    /// gets nothing: it has no program that would answer.
    pub fn ping(&mut self, client: ClientId, now: Now) {
        let Some(client) = self.present(client, now) else {
            return;
        };
        if self.mail.kind(client) == Kind::Irc {
            self.mail.write(|line| {
                line.command(b"PING")
                    .trailing(self.rules.server_name.as_bytes())
            });
            self.mail.post(client);
            self.put_out_the_slow();
        }
    }

    /// Ends a client's stay, because its connection is lost or has to be
    /// closed: the others see it quit with `reason`, and so does it, in an
    /// ERROR. Nothing happens if it is leaving already.
    pub fn disconnect(&mut self, client: ClientId, reason: &str, now: Now) {
        let Some(client) = self.present(client, now) else {
            return;
        };
        self.depart(client, reason.as_bytes());
        self.put_out_the_slow();
    }

    /// Ends everybody's stay: each client gets an ERROR.
    pub fn shut_down(&mut self, now: Now) {
        self.set_time(now);
        let present: Vec<ClientSlot> = self.clients.iter().map(|client| client.slot).collect();
        for client in present {
            // Nobody needs to be told who left when everybody does.
            self.dismiss(client, b"Server is shutting down");
        }
    }

    /// Whether a client has a nick and is seen by the others.
    #[must_use]
    pub fn is_registered(&self, client: ClientId) -> bool {
        self.clients
            .resolve(client)
            .is_some_and(|client| self.clients[client].is_registered())
    }

    /// Whether the room has said its last word to a client: the connection is
    /// to be closed when the queue is empty, then comes [`State::forget`].
    #[must_use]
    pub fn is_leaving(&self, client: ClientId) -> bool {
        self.clients
            .resolve(client)
            .is_some_and(|client| self.clients[client].is_leaving())
    }

    /// Appends to `into` the clients that have something to be flushed, or that
    /// began to leave, since the last call; each once.
    pub fn take_dirty(&mut self, into: &mut Vec<ClientId>) {
        let State { mail, clients, .. } = self;
        into.extend(mail.take_dirty().map(|client| clients.id(client)));
    }

    /// About how much any one queue can have grown since the last call of
    /// [`State::take_dirty`].
    #[must_use]
    pub fn unflushed_bytes(&self) -> usize {
        self.mail.unflushed_bytes
    }

    /// How much all queues together have grown since the last call of
    /// [`State::take_dirty`], and may have shrunk again.
    #[must_use]
    pub fn unflushed_bytes_of_all(&self) -> usize {
        self.mail.unflushed_bytes_of_all
    }

    /// Has `write` take bytes out of what waits for a client; `None` if there is no
    /// such client.
    pub fn flush<R>(
        &mut self,
        client: ClientId,
        write: impl FnOnce(&mut Outgoing<'_>) -> R,
    ) -> Option<R> {
        let client = self.clients.resolve(client)?;
        Some(self.mail.flush(client, write))
    }

    /// Forgets what waits for a client: nobody is there to read it.
    pub fn drop_waiting(&mut self, client: ClientId) {
        self.flush(client, |outgoing| {
            outgoing.clear();
        });
    }

    /// How a client speaks.
    ///
    /// # Panics
    ///
    /// If there is no such client.
    #[must_use]
    pub fn kind(&self, client: ClientId) -> Kind {
        let client = self.clients.resolve(client).expect("the client is there");
        self.mail.kind(client)
    }

    /// Number of bytes that wait for a client.
    #[must_use]
    pub fn queued(&self, client: ClientId) -> usize {
        self.clients
            .resolve(client)
            .map_or(0, |client| self.mail.queued(client))
    }

    /// Ends an id: the connection is closed. If the client was not leaving, the
    /// others see it quit; what still waits for it is dropped.
    pub fn forget(&mut self, client: ClientId) {
        let Some(client) = self.clients.resolve(client) else {
            return;
        };
        self.depart(client, b"Connection closed");
        self.mail.discard(client);
        self.put_out_the_slow();
        let Some(client) = self.clients.remove(client) else {
            return;
        };
        let place = place(client.address);
        if let Some(count) = self.by_place.get_mut(&place) {
            *count -= 1;
            if *count == 0 {
                self.by_place.remove(&place);
            }
        }
    }

    /// Shows `lines` as the message of the day from now on.
    pub fn replace_motd(&mut self, lines: Vec<String>) {
        self.rules.motd = lines;
    }

    /// Number of people that others can see.
    #[must_use]
    pub fn people(&self) -> usize {
        self.census.registered
    }

    /// What the room has done so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        Counters {
            lines_queued: self.mail.lines_queued,
            ..self.counters
        }
    }

    /// Counts one more client from an address, unless it is this machine's.
    pub(super) fn count_address(&mut self, address: IpAddr) {
        if !address.is_loopback() {
            *self.by_place.entry(place(address)).or_default() += 1;
        }
    }

    /// The slot of a client who has not left.
    fn present(&mut self, client: ClientId, now: Now) -> Option<ClientSlot> {
        self.set_time(now);
        let client = self.clients.resolve(client)?;
        (!self.clients[client].is_leaving()).then_some(client)
    }

    pub(super) fn set_time(&mut self, now: Now) {
        self.now = now;
        self.mail.now = now.wall;
    }

    /// An IRC client's line: a message, if it is text at all.
    pub(super) fn receive_message(&mut self, from: ClientSlot, line: &[u8]) {
        let is_text = str::from_utf8(line).is_ok();
        match Message::parse(line) {
            Ok(message) if is_text => self.dispatch(from, &message),
            // Who wants to go can go, but is not quoted.
            Ok(message) if message.is(b"QUIT") => self.depart(from, b"Quit"),
            Ok(_) => self.reject_encoding(from),
            Err(ParseError::Empty) => {}
            Err(_) => self.counters.lines_malformed += 1,
        }
    }

    /// Says that a line was dropped because it was not UTF-8.
    pub(super) fn reject_encoding(&mut self, from: ClientSlot) {
        self.counters.lines_not_utf8 += 1;
        self.notify(
            from,
            b"Message rejected: this server relays UTF-8 text only",
        );
    }

    /// Sends a NOTICE from the server.
    pub(super) fn notify(&mut self, to: ClientSlot, text: &[u8]) {
        let client = &self.clients[to];
        self.mail.command_to(client, b"NOTICE", |line| {
            line.parameter(client.identity.nick()).trailing(text)
        });
    }

    /// Sends a numeric, of an error or not, that has these parameters.
    pub(super) fn answer(&mut self, to: ClientSlot, numeric: Numeric, parameters: &[&[u8]]) {
        self.mail.reply(&self.clients[to], numeric, |line| {
            parameters
                .iter()
                .fold(line, |line, parameter| line.parameter(parameter))
        });
    }

    /// Puts out those whose queues grew too long in what was just done, and
    /// those for whom news of that is one message too many.
    // ANCHOR: put-out-the-slow
    fn put_out_the_slow(&mut self) {
        while let Some(client) = self.mail.next_overrun() {
            self.counters.clients_too_slow += 1;
            self.depart(client, b"SendQ exceeded");
        }
    }
    // ANCHOR_END: put-out-the-slow
}

/// Where somebody connects from, for counting: an IPv4 address, or the first 64
/// bits of an IPv6 one. Whoever has one address of a /64 can take any other of
/// it, so that to count addresses would count nothing. (RFC 4291, section 2.5.4)
// ANCHOR: place
fn place(address: IpAddr) -> IpAddr {
    match address {
        // All machines of a link have the same 64 bits here.
        IpAddr::V6(address) if address.is_unicast_link_local() => address.into(),
        IpAddr::V6(address) => {
            Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into()
        }
        IpAddr::V4(_) => address,
    }
}
// ANCHOR_END: place

/// A client's host: its address in digits. One that would begin with `:`, which
/// marks a last parameter, gets a `0` before it, which does not change it.
fn host(address: IpAddr) -> String {
    let digits = address.to_string();
    if digits.starts_with(':') {
        format!("0{digits}")
    } else {
        digits
    }
}
