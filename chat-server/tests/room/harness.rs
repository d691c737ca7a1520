//! A room in which a test plays everybody.

use std::net::SocketAddr;
use std::time::{Duration, Instant, UNIX_EPOCH};

use chat_server::room::{ClientId, Kind, Now, Operator, Rules, Secret, State};

/// 2026-01-01 at noon, in seconds since 1970.
pub(crate) const NOON: u64 = 1_767_268_800;

/// A room, and a clock that goes only when a test says so.
pub(crate) struct Room {
    pub(crate) state: State,
    pub(crate) now: Now,
}

impl Room {
    /// An open room named `irc.test` in the network `Test`; it began on
    /// 2026-01-01 at noon, second [`NOON`].
    pub(crate) fn new() -> Room {
        Room::under(rules())
    }

    /// A room under other rules; start from [`rules`].
    pub(crate) fn under(rules: Rules) -> Room {
        let wall = UNIX_EPOCH + Duration::from_secs(NOON);
        let now = Now {
            instant: Instant::now(),
            wall,
        };
        Room {
            state: State::new(rules, now),
            now,
        }
    }

    /// A room with an operator of the server in it.
    pub(crate) fn with_operator(nick: &str) -> (Room, ClientId) {
        let operator = Operator {
            name: "root".into(),
            password: Secret::new("swordfish"),
        };
        let mut room = Room::under(Rules {
            operators: vec![operator],
            ..rules()
        });
        let client = room.person(nick);
        assert_eq!(
            room.ask(client, "OPER root swordfish"),
            [
                format!(":irc.test 381 {nick} :You are now an IRC operator"),
                format!(":{nick}!~{nick}@127.0.0.1 MODE {nick} :+o"),
            ]
        );
        (room, client)
    }

    /// Connects somebody from `address`.
    pub(crate) fn connect_from(&mut self, address: &str, kind: Kind) -> ClientId {
        let address: SocketAddr = address.parse().unwrap();
        self.state.connect(address, kind, self.now).unwrap()
    }

    /// Connects an IRC client from this machine.
    pub(crate) fn connect(&mut self) -> ClientId {
        self.connect_from("127.0.0.1:50000", Kind::Irc)
    }

    /// Connects a plain peer from this machine, with its greeting read.
    pub(crate) fn plain(&mut self) -> ClientId {
        let peer = self.connect_from("127.0.0.1:50000", Kind::Plain);
        self.lines(peer);
        peer
    }

    /// Registers an IRC client; its prefix is `nick!~nick@127.0.0.1`, its real
    /// name `Real nick`. The greeting is read.
    pub(crate) fn person(&mut self, nick: &str) -> ClientId {
        self.person_with(nick, "")
    }

    /// As [`Room::person`], with capabilities.
    pub(crate) fn person_with(&mut self, nick: &str, capabilities: &str) -> ClientId {
        let client = self.connect();
        if !capabilities.is_empty() {
            self.send(client, &format!("CAP REQ :{capabilities}"));
            assert!(
                self.lines(client)[0].contains(" ACK "),
                "{capabilities} is not offered"
            );
        }
        self.send(client, &format!("NICK {nick}"));
        self.send(client, &format!("USER {nick} 0 * :Real {nick}"));
        self.send(client, "CAP END");
        assert!(
            self.state.is_registered(client),
            "{nick} could not register"
        );
        self.lines(client);
        client
    }

    /// Registers somebody for each nick and puts all of them into `channel`,
    /// the first of them as its operator. What they saw of that is read.
    pub(crate) fn people_in<const N: usize>(
        &mut self,
        channel: &str,
        nicks: [&str; N],
    ) -> [ClientId; N] {
        let people = nicks.map(|nick| self.person(nick));
        for person in people {
            self.send(person, &format!("JOIN {channel}"));
        }
        self.forget_lines(&people);
        people
    }

    /// Has a client say something.
    pub(crate) fn send(&mut self, from: ClientId, line: &str) {
        self.state.receive(from, line.as_bytes(), self.now);
    }

    /// What a client was sent and has not read yet, without CR LF.
    pub(crate) fn lines(&mut self, client: ClientId) -> Vec<String> {
        let mut bytes = Vec::new();
        self.state
            .flush(client, |queue| queue.write_to(&mut bytes))
            .unwrap()
            .unwrap();
        let text = String::from_utf8(bytes).expect("only UTF-8 is sent");
        assert!(text.is_empty() || text.ends_with("\r\n"), "{text:?}");
        text.split_terminator("\r\n").map(str::to_owned).collect()
    }

    /// Reads what these clients were sent, without looking.
    pub(crate) fn forget_lines(&mut self, clients: &[ClientId]) {
        for client in clients {
            self.lines(*client);
        }
    }

    /// Has a client say something and returns what it is told in return.
    pub(crate) fn ask(&mut self, from: ClientId, line: &str) -> Vec<String> {
        self.lines(from);
        self.send(from, line);
        self.lines(from)
    }
}

/// The rules of [`Room::new`].
pub(crate) fn rules() -> Rules {
    Rules {
        server_name: "irc.test".into(),
        network: "Test".into(),
        ..Rules::default()
    }
}
