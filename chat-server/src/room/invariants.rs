//! What must hold between any two commands, and arbitrary conversations that
//! try to break it.

use std::net::SocketAddr;
use std::time::{Duration, Instant, UNIX_EPOCH};

use chat_protocol::{MAX_BODY_BYTES, MAX_TAG_BYTES, Message, is_channel, is_nick};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::client::{ClientId, Kind, Stage, UserModes};
use super::limits::{MAX_CHANNELS, MAX_LIST_ENTRIES};
use super::mask_lists::MaskList;
use super::rules::{Limits, Operator, Rules, Secret};
use super::state::{Census, Now, State};

impl State {
    /// Panics if the tables contradict each other.
    fn check_invariants(&self) {
        self.check_clients();
        self.check_channels();
        self.mail.check_invariants(&self.clients);
        self.channels.check_mask_bytes();
        let counted = self.by_place.values().sum::<usize>();
        let remote = self
            .clients
            .iter()
            .filter(|client| !client.address.is_loopback());
        assert_eq!(counted, remote.count(), "clients by address");
    }

    fn check_clients(&self) {
        let mut census = Census {
            most_registered: self.census.most_registered,
            ..Census::default()
        };
        for client in self.clients.iter() {
            let nick = client.identity.nick();
            match client.stage {
                Stage::Registering(_) => census.registering += 1,
                Stage::Registered => {
                    census.registered += 1;
                    census.operators += usize::from(client.is_operator());
                    census.invisible += usize::from(client.modes.contains(UserModes::INVISIBLE));
                    assert!(is_nick(nick));
                    assert_eq!(self.clients.find(nick), Some(client.slot));
                }
                Stage::Leaving => assert_ne!(self.clients.find(nick), Some(client.slot)),
            }
            assert!(client.is_registered() || client.memberships.is_empty());
            assert!(client.memberships.len() <= MAX_CHANNELS);
            assert!(client.invitations.len() <= MAX_CHANNELS);
            for held in &client.memberships {
                let member = self.channels[held.channel].members[held.position as usize];
                assert_eq!(member.client, client.slot);
            }
        }
        assert_eq!(self.census, census);
        assert_eq!(self.clients.listed(), census.registered);
    }

    fn check_channels(&self) {
        assert!(self.channels.len() <= self.rules.limits.max_channels);
        for channel in self.channels.iter() {
            let slot = self
                .channels
                .find(&channel.name)
                .expect("every channel is found");
            assert!(std::ptr::eq(&raw const self.channels[slot], channel));
            assert!(is_channel(&channel.name));
            assert!(!channel.members.is_empty(), "a channel without members");
            for (position, member) in channel.members.iter().enumerate() {
                let held = self.clients[member.client].membership(slot);
                assert_eq!(held.map(|held| held.position as usize), Some(position));
            }
            let lists = [
                MaskList::Ban,
                MaskList::BanExemption,
                MaskList::InviteExemption,
            ];
            let entries: usize = lists.iter().map(|list| channel.masks(*list).len()).sum();
            assert!(entries <= MAX_LIST_ENTRIES);
        }
    }
}

/// Something that happens to a room. Clients are chosen by number, round the
/// ones that there are.
#[derive(Clone, Debug)]
enum Act {
    Connect(Kind, &'static str),
    Say(usize, Vec<u8>),
    LineTooLong(usize),
    Ping(usize),
    Read(usize),
    Lose(usize),
    Close(usize),
    HandOver,
}

const NICKS: [&str; 6] = ["ann", "Bob", "eve", "guest1", "nobody", "1bad"];
const CHANNELS: [&str; 7] = [
    "#lobby",
    "#A",
    "#b,#c",
    "#a,#b,#c,#d,#e,#f",
    "#",
    "@#a",
    "+#b",
];
const WORDS: [&str; 26] = [
    "+o",
    "-o",
    "+v",
    "+k",
    "-k",
    "+l",
    "-l",
    "+im-nt",
    "-ims",
    "+bbb",
    "-beI",
    "b",
    "+e",
    "+I",
    "+xyz",
    "0",
    "5",
    "*!*@*",
    "ann!*",
    "10.0.0.*",
    "302",
    ":",
    ":two words",
    "é",
    "REQ",
    "END",
];
const CAPABILITIES: [&str; 4] = [
    "REQ :server-time message-tags echo-message",
    "REQ :extended-join away-notify -server-time",
    "REQ :multi-prefix userhost-in-names invite-notify setname",
    "LS 302",
];
const TYPED: [&str; 9] = [
    "hello",
    "/nick Bob",
    "/join a",
    "/part",
    "/me waves",
    "/msg ann hi",
    "/who",
    "/topic tea",
    "/quit",
];

fn line() -> impl Strategy<Value = Vec<u8>> {
    let commands: Vec<&'static str> = super::dispatch::COMMANDS
        .iter()
        .map(|command| command.name)
        .collect();
    let word = prop_oneof![
        select(&NICKS[..]),
        select(&CHANNELS[..]),
        select(&WORDS[..])
    ];
    let tags = select(&["", "", "", "@+typing=active;id=7 ", "@a;b;+c=\\s "][..]);
    let message = (tags, select(commands), vec(word, 0..6))
        .prop_map(|(tags, command, words)| format!("{tags}{command} {}", words.join(" ")));
    let long = (
        select(&["PRIVMSG #a", "TOPIC #a", "AWAY", "SETNAME", "KICK #a Bob"][..]),
        0..480_usize,
    )
        .prop_map(|(begin, length)| format!("{begin} :{}", "é".repeat(length / 2)));
    prop_oneof![
        12 => message.prop_map(String::into_bytes),
        2 => long.prop_map(String::into_bytes),
        3 => select(&CHANNELS[..]).prop_map(|name| format!("JOIN {name}").into_bytes()),
        2 => select(&NICKS[..]).prop_map(|nick| format!("NICK {nick}").into_bytes()),
        1 => Just(b"USER user 0 * :Real Name".to_vec()),
        1 => Just(b"OPER root secret".to_vec()),
        1 => select(&CAPABILITIES[..]).prop_map(|rest| format!("CAP {rest}").into_bytes()),
        1 => select(&TYPED[..]).prop_map(|typed| typed.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..60),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    let kind = prop_oneof![3 => Just(Kind::Irc), 1 => Just(Kind::Plain)];
    let address = select(&["127.0.0.1:1", "192.0.2.1:1", "[2001:db8::1]:1"][..]);
    prop_oneof![
        2 => (kind, address).prop_map(|(kind, address)| Act::Connect(kind, address)),
        40 => (any::<usize>(), line()).prop_map(|(who, line)| Act::Say(who, line)),
        1 => any::<usize>().prop_map(Act::LineTooLong),
        1 => any::<usize>().prop_map(Act::Ping),
        6 => any::<usize>().prop_map(Act::Read),
        1 => any::<usize>().prop_map(Act::Lose),
        1 => any::<usize>().prop_map(Act::Close),
        2 => Just(Act::HandOver),
    ]
}

/// A room with limits so small that they are met.
fn narrow_rules() -> Rules {
    Rules {
        server_name: "irc.test".into(),
        operators: vec![Operator {
            name: "root".into(),
            password: Secret::new("secret"),
        }],
        motd: vec!["hello".into()],
        limits: Limits {
            max_clients: 6,
            max_per_address: 2,
            send_queue_bytes: 2_500,
            send_queues_bytes: 5_000,
            max_channels: 5,
            list_entries_bytes: 300,
        },
        ..Rules::default()
    }
}

/// Three registered people in a channel, so that things happen.
fn room_with_people(now: Now) -> (State, Vec<(ClientId, Kind)>) {
    let mut state = State::new(narrow_rules(), now);
    let mut clients = Vec::new();
    let local: SocketAddr = "127.0.0.1:1".parse().unwrap();
    for nick in &NICKS[..3] {
        let client = state.connect(local, Kind::Irc, now).unwrap();
        for line in [&format!("NICK {nick}"), "USER u 0 * :R", "JOIN #lobby,#a"] {
            state.receive(client, line.as_bytes(), now);
        }
        read(&mut state, client, Kind::Irc);
        clients.push((client, Kind::Irc));
    }
    (state, clients)
}

/// Gives the room to a successor through a document; returns what the clients
/// are called there.
fn hand_over(state: &State, clients: &mut [(ClientId, Kind)], now: Now) -> State {
    let (record, ids) = state.save(now);
    let document = serde_json::to_string(&record).unwrap();
    let record = serde_json::from_str(&document).unwrap();
    let unsent = unsent(state, &ids);
    let (successor, new_ids) = State::restore(narrow_rules(), record, &unsent, now).unwrap();
    for (client, _) in clients {
        let place = ids.iter().position(|id| id == client);
        *client = new_ids[place.expect("everybody is in the record")];
    }
    assert_eq!(
        serde_json::to_string(&successor.save(now).0).unwrap(),
        document
    );
    assert_eq!(self::unsent(&successor, &new_ids), unsent);
    successor
}

/// Everything that waits for these clients.
fn unsent(state: &State, clients: &[ClientId]) -> Vec<u8> {
    let pieces = clients.iter().flat_map(|&client| state.unsent(client));
    pieces.collect::<Vec<_>>().concat()
}

/// Reads everything that waits for a client, and panics if it is not made of
/// whole lines of the allowed form.
fn read(state: &mut State, client: ClientId, kind: Kind) {
    let mut bytes = Vec::new();
    let Some(written) = state.flush(client, |queue| queue.write_to(&mut bytes)) else {
        return;
    };
    written.expect("a vector takes everything");
    let text = str::from_utf8(&bytes).expect("only UTF-8 is sent");
    assert!(text.is_empty() || text.ends_with("\r\n"));
    for line in text.split_terminator("\r\n") {
        assert!(!line.contains(['\r', '\n', '\0']), "{line:?}");
        if kind == Kind::Plain {
            assert!(!line.contains(char::is_control), "{line:?}");
            continue;
        }
        Message::parse(line.as_bytes()).expect("only messages are sent");
        let body = match line.split_once(' ') {
            Some((tags, body)) if tags.starts_with('@') => {
                assert!(tags.len() < MAX_TAG_BYTES);
                body
            }
            _ => line,
        };
        assert!(body.len() + 2 <= MAX_BODY_BYTES, "{line:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn no_conversation_breaks_the_tables_or_the_lines(acts in vec(act(), 1..120)) {
        let mut now = Now { instant: Instant::now(), wall: UNIX_EPOCH };
        let (mut state, mut clients) = room_with_people(now);
        for act in acts {
            now.instant += Duration::from_secs(1);
            now.wall += Duration::from_secs(1);
            let who = |number: usize| clients.get(number % clients.len().max(1)).copied();
            match act {
                Act::Connect(kind, address) => {
                    if let Ok(client) = state.connect(address.parse().unwrap(), kind, now) {
                        clients.push((client, kind));
                    }
                }
                Act::Say(number, line) => {
                    if let Some((client, _)) = who(number) { state.receive(client, &line, now) }
                }
                Act::LineTooLong(number) => {
                    if let Some((client, _)) = who(number) { state.line_too_long(client, now) }
                }
                Act::Ping(number) => {
                    if let Some((client, _)) = who(number) { state.ping(client, now) }
                }
                Act::Read(number) => {
                    if let Some((client, kind)) = who(number) { read(&mut state, client, kind) }
                }
                Act::Lose(number) => {
                    if let Some((client, _)) = who(number) { state.disconnect(client, "lost", now) }
                }
                Act::Close(number) => {
                    if let Some((client, kind)) = who(number) {
                        read(&mut state, client, kind);
                        state.forget(client);
                        clients.retain(|(other, _)| *other != client);
                    }
                }
                Act::HandOver => state = hand_over(&state, &mut clients, now),
            }
            state.check_invariants();
        }
        for (client, kind) in clients {
            read(&mut state, client, kind);
            state.forget(client);
            state.check_invariants();
        }
        prop_assert_eq!(state.clients.len(), 0);
        prop_assert_eq!(state.channels.len(), 0);
        prop_assert_eq!(state.by_place.len(), 0);
        prop_assert_eq!(state.mail.queued_bytes(), 0);
    }
}
