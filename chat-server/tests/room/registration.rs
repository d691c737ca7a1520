//! Becoming somebody.

use chat_server::room::{Kind, Limits, Refusal, Rules, Secret};

use crate::harness::{Room, rules};

#[test]
fn nick_and_user_are_answered_with_001_to_005_lusers_and_motd() {
    let mut room = Room::new();
    let ann = room.connect();
    assert_eq!(room.ask(ann, "NICK ann"), [""; 0]);
    let lines = room.ask(ann, "USER ann 0 * :Ann");
    let version = concat!("chat-server-", env!("CARGO_PKG_VERSION"));
    assert_eq!(
        lines[..4],
        [
            ":irc.test 001 ann :Welcome to the Test Network, ann!~ann@127.0.0.1".to_owned(),
            format!(":irc.test 002 ann :Your host is irc.test, running version {version}"),
            ":irc.test 003 ann :This server was created Thu Jan 01 2026 12:00:00 UTC".to_owned(),
            format!(":irc.test 004 ann irc.test {version} Biow beIiklmnostv beIklov"),
        ]
    );
    let codes: Vec<&str> = lines
        .iter()
        .map(|line| line.split(' ').nth(1).unwrap())
        .collect();
    assert_eq!(
        codes[4..],
        ["005", "005", "251", "255", "265", "266", "422"]
    );
}

#[test]
fn isupport_has_at_most_13_tokens_a_line_and_every_enforced_limit() {
    let mut room = Room::new();
    let ann = room.connect();
    room.send(ann, "NICK ann");
    let lines = room.ask(ann, "USER ann 0 * :Ann");
    let mut tokens = Vec::new();
    for line in lines.iter().filter(|line| line.contains(" 005 ")) {
        let list = line.strip_prefix(":irc.test 005 ann ").unwrap();
        let list = list.strip_suffix(" :are supported by this server").unwrap();
        assert!(list.split(' ').count() <= 13, "{line}");
        tokens.extend(list.split(' ').map(str::to_owned));
    }
    for token in [
        "AWAYLEN=200",
        "CASEMAPPING=ascii",
        "CHANLIMIT=#:100",
        "CHANMODES=beI,k,l,imnst",
        "CHANNELLEN=50",
        "CHANTYPES=#",
        "EXCEPTS=e",
        "INVEX=I",
        "KEYLEN=23",
        "KICKLEN=255",
        "MAXLIST=beI:100",
        "MODES=4",
        "NAMELEN=150",
        "NETWORK=Test",
        "NICKLEN=30",
        "PREFIX=(ov)@+",
        "STATUSMSG=@+",
        "TOPICLEN=390",
        "USERLEN=11",
        "UTF8ONLY",
        "WHOX",
    ] {
        assert!(
            tokens.iter().any(|found| found == token),
            "{token} is not in {tokens:?}"
        );
    }
}

#[test]
fn the_motd_comes_between_375_and_376_and_can_be_replaced() {
    let mut room = Room::under(Rules {
        motd: vec!["Be kind.".into()],
        ..rules()
    });
    let ann = room.person("ann");
    assert_eq!(
        room.ask(ann, "MOTD"),
        [
            ":irc.test 375 ann :- irc.test Message of the day - ",
            ":irc.test 372 ann :- Be kind.",
            ":irc.test 376 ann :End of /MOTD command.",
        ]
    );
    room.state.replace_motd(Vec::new());
    assert_eq!(
        room.ask(ann, "MOTD"),
        [":irc.test 422 ann :MOTD File is missing"]
    );
}

#[test]
fn commands_before_registration_get_451_and_do_no_harm() {
    let mut room = Room::new();
    let ann = room.connect();
    assert_eq!(
        room.ask(ann, "JOIN :"),
        [":irc.test 451 * :You have not registered"]
    );
    assert_eq!(
        room.ask(ann, "FROBNICATE"),
        [":irc.test 421 * FROBNICATE :Unknown command"]
    );
    room.send(ann, "nick ann");
    room.send(ann, "user ann 0 * :Ann");
    assert!(room.state.is_registered(ann));
}

#[test]
fn after_registration_pass_and_user_get_462() {
    let mut room = Room::new();
    let ann = room.person("ann");
    let refused = [":irc.test 462 ann :You may not reregister"];
    assert_eq!(room.ask(ann, "PASS secret"), refused);
    assert_eq!(room.ask(ann, "USER ann 0 * :Ann"), refused);
}

#[test]
fn a_command_without_its_parameters_gets_461_with_the_commands_name() {
    let mut room = Room::new();
    let ann = room.connect();
    for command in ["PASS", "USER a b c", "USER :"] {
        let name = command.split(' ').next().unwrap();
        let refused = format!(":irc.test 461 * {name} :Not enough parameters");
        assert_eq!(room.ask(ann, &command.to_lowercase()), [refused]);
    }
    assert_eq!(
        room.ask(ann, "USER  0 * :Ann"),
        [":irc.test 461 * USER :Not enough parameters"]
    );
}

#[test]
fn nick_is_checked_for_being_there_being_valid_and_being_free() {
    let mut room = Room::new();
    room.person("Ann");
    let other = room.connect();
    assert_eq!(
        room.ask(other, "NICK"),
        [":irc.test 431 * :No nickname given"]
    );
    assert_eq!(
        room.ask(other, "NICK :"),
        [":irc.test 431 * :No nickname given"]
    );
    for wrong in ["1ann", "#ann", "ann!", &"a".repeat(31)] {
        let refused = format!(":irc.test 432 * {wrong} :Erroneous nickname");
        assert_eq!(room.ask(other, &format!("NICK {wrong}")), [refused]);
    }
    let taken = ":irc.test 433 * aNN :Nickname is already in use";
    assert_eq!(room.ask(other, "NICK aNN"), [taken]);
}

#[test]
fn of_two_who_want_a_nick_the_first_to_register_gets_it() {
    let mut room = Room::new();
    let (first, second) = (room.connect(), room.connect());
    assert_eq!(room.ask(first, "NICK ann"), [""; 0]);
    assert_eq!(room.ask(second, "NICK ann"), [""; 0]);
    room.send(second, "USER b 0 * :B");
    assert!(room.state.is_registered(second));
    let refused = ":irc.test 433 * ann :Nickname is already in use";
    assert_eq!(room.ask(first, "USER a 0 * :A"), [refused]);
    assert!(!room.state.is_registered(first));
    room.send(first, "NICK bea");
    assert!(room.state.is_registered(first));
}

#[test]
fn a_user_name_is_kept_without_what_would_break_a_mask_and_within_its_limit() {
    let mut room = Room::new();
    let ann = room.connect();
    room.send(ann, "NICK ann");
    let lines = room.ask(ann, "USER an!n@administrator 0 * :Ann");
    assert!(
        lines[0].ends_with(", ann!~annadminis@127.0.0.1"),
        "{}",
        lines[0]
    );

    let bob = room.connect();
    room.send(bob, "NICK bob");
    let refused = ":irc.test 468 bob :Your username is not valid";
    assert_eq!(room.ask(bob, "USER !!! 0 * :Bob"), [refused]);
}

#[test]
fn the_host_is_the_numeric_address_and_never_starts_with_a_colon() {
    let mut room = Room::new();
    for (address, host) in [
        ("192.0.2.7:1000", "192.0.2.7"),
        ("[::ffff:192.0.2.8]:1000", "192.0.2.8"),
        ("[::1]:1000", "0::1"),
        ("[2001:db8::1]:1000", "2001:db8::1"),
    ] {
        let client = room.connect_from(address, Kind::Irc);
        assert_eq!(
            room.ask(client, "QUIT"),
            [format!("ERROR :Closing link: (unknown@{host}) [Quit]")]
        );
    }
}

#[test]
fn the_right_password_opens_and_the_last_one_given_counts() {
    let mut room = Room::under(Rules {
        password: Some(Secret::new("open sesame")),
        ..rules()
    });
    let ann = room.connect();
    for line in [
        "PASS barley",
        "PASS :open sesame",
        "NICK ann",
        "USER ann 0 * :Ann",
    ] {
        room.send(ann, line);
    }
    assert!(room.state.is_registered(ann));
}

#[test]
fn the_wrong_password_or_none_gets_464_and_the_door() {
    for password in ["PASS :open barley", "PASS :", "PING x"] {
        let mut room = Room::under(Rules {
            password: Some(Secret::new("open sesame")),
            ..rules()
        });
        let ann = room.connect();
        room.send(ann, password);
        room.send(ann, "NICK ann");
        assert_eq!(
            room.ask(ann, "USER ann 0 * :Ann"),
            [
                ":irc.test 464 ann :Password incorrect",
                "ERROR :Closing link: (~ann@127.0.0.1) [Password incorrect]",
            ]
        );
        assert!(room.state.is_leaving(ann) && !room.state.is_registered(ann));
    }
}

#[test]
fn ping_is_answered_with_its_token_last_even_before_registration() {
    let mut room = Room::new();
    let ann = room.connect();
    assert_eq!(room.ask(ann, "ping one"), [":irc.test PONG irc.test :one"]);
    assert_eq!(
        room.ask(ann, "PING :one two"),
        [":irc.test PONG irc.test :one two"]
    );
    assert_eq!(
        room.ask(ann, "PING :"),
        [":irc.test 409 * :No origin specified"]
    );
    assert_eq!(
        room.ask(ann, "PING"),
        [":irc.test 461 * PING :Not enough parameters"]
    );
    assert_eq!(room.ask(ann, "PONG :whatever"), [""; 0]);
}

#[test]
fn the_server_pings_irc_clients_and_leaves_plain_peers_in_peace() {
    let mut room = Room::new();
    let (ann, guest) = (room.person("ann"), room.plain());
    room.forget_lines(&[ann]);
    room.state.ping(ann, room.now);
    room.state.ping(guest, room.now);
    assert_eq!(room.lines(ann), ["PING :irc.test"]);
    assert_eq!(room.lines(guest), [""; 0]);
}

#[test]
fn text_that_is_not_utf8_is_not_relayed_and_its_sender_told() {
    let mut room = Room::new();
    let [ann, bob] = room.people_in("#c", ["ann", "bob"]);
    room.state.receive(ann, b"PRIVMSG #c :caf\xe9", room.now);
    let notice = ":irc.test NOTICE ann :Message rejected: this server relays UTF-8 text only";
    assert_eq!(room.lines(ann), [notice]);
    assert_eq!(room.lines(bob), [""; 0]);
    assert_eq!(room.state.counters().lines_not_utf8, 1);
    // Who wants to go may go, but is not quoted.
    room.state.receive(ann, b"QUIT :caf\xe9", room.now);
    assert_eq!(room.lines(bob), [":ann!~ann@127.0.0.1 QUIT :Quit"]);
}

#[test]
fn a_line_that_was_too_long_gets_417_and_the_connection_stays() {
    let mut room = Room::new();
    let ann = room.person("ann");
    room.state.line_too_long(ann, room.now);
    assert_eq!(
        room.lines(ann),
        [":irc.test 417 ann :Input line was too long"]
    );
    assert!(room.state.is_registered(ann));
}

#[test]
fn a_line_that_is_no_message_is_counted_and_an_empty_one_is_nothing() {
    let mut room = Room::new();
    let ann = room.person("ann");
    for line in ["", "   ", ":only-a-source", "@only=tags"] {
        assert_eq!(room.ask(ann, line), [""; 0], "{line:?}");
    }
    assert_eq!(room.state.counters().lines_malformed, 2);
}

#[test]
fn a_full_server_and_a_crowded_address_are_refused_with_the_reason() {
    let limits = Limits {
        max_clients: 4,
        max_per_address: 1,
        ..Limits::default()
    };
    let mut room = Room::under(Rules { limits, ..rules() });
    let outside = "192.0.2.7:1000".parse().unwrap();
    let first = room.connect_from("192.0.2.7:999", Kind::Irc);
    let refusal = room
        .state
        .connect(outside, Kind::Irc, room.now)
        .unwrap_err();
    assert_eq!(refusal, Refusal::TooManyFromAddress);
    assert_eq!(
        refusal.to_string(),
        "Too many connections from your address"
    );
    // Loopback is not counted.
    let local: Vec<_> = (0..3).map(|_| room.connect()).collect();
    let refusal = room
        .state
        .connect(outside, Kind::Irc, room.now)
        .unwrap_err();
    assert_eq!(refusal.to_string(), "Server is full");
    // Both places are free again when the connections are closed.
    room.state.forget(local[0]);
    room.state.forget(first);
    assert!(room.state.connect(outside, Kind::Irc, room.now).is_ok());
}

#[test]
fn an_address_of_ipv6_counts_for_its_64_and_one_of_a_link_for_itself() {
    let limits = Limits {
        max_per_address: 1,
        ..Limits::default()
    };
    let mut room = Room::under(Rules { limits, ..rules() });
    let mut is_let_in = |address: &str| {
        let address = address.parse().unwrap();
        room.state.connect(address, Kind::Irc, room.now)
    };
    let first = is_let_in("[2001:db8:0:1::1]:1000").unwrap();
    for (address, expected) in [
        ("[2001:db8:0:1:ffff::2]:1000", false),
        ("[2001:db8:0:2::1]:1000", true),
        // The same machine as an IPv4 address, on a listener for both.
        ("192.0.2.7:1000", true),
        ("[::ffff:192.0.2.7]:1000", false),
        ("[::ffff:192.0.2.8]:1000", true),
        ("[fe80::1]:1000", true),
        ("[fe80::2]:1000", true),
        ("[fe80::2]:1001", false),
        ("[::1]:1000", true),
        ("[::1]:1001", true),
    ] {
        assert_eq!(is_let_in(address).is_ok(), expected, "{address}");
    }
    // One place of the /64 is free again.
    room.state.forget(first);
    let address = "[2001:db8:0:1:ffff::2]:1000".parse().unwrap();
    assert!(room.state.connect(address, Kind::Irc, room.now).is_ok());
}

#[test]
fn a_nick_change_is_seen_once_by_everybody_who_shares_a_channel() {
    let mut room = Room::new();
    let [ann, bob] = room.people_in("#one", ["ann", "bob"]);
    let stranger = room.person("eve");
    for person in [ann, bob] {
        room.send(person, "JOIN #two");
    }
    room.forget_lines(&[ann, bob]);
    room.send(ann, "NICK anna");
    for witness in [ann, bob] {
        assert_eq!(room.lines(witness), [":ann!~ann@127.0.0.1 NICK :anna"]);
    }
    assert_eq!(room.lines(stranger), [""; 0]);
    // The old nick is free, the new one works.
    assert_eq!(
        room.ask(stranger, "NICK ann"),
        [":eve!~eve@127.0.0.1 NICK :ann"]
    );
    room.send(stranger, "PRIVMSG anna :hi");
    assert_eq!(room.lines(ann), [":ann!~eve@127.0.0.1 PRIVMSG anna :hi"]);
}

#[test]
fn a_nick_can_be_changed_to_itself_in_other_letters() {
    let mut room = Room::new();
    let ann = room.person("ann");
    assert_eq!(room.ask(ann, "NICK Ann"), [":ann!~ann@127.0.0.1 NICK :Ann"]);
    assert_eq!(room.ask(ann, "NICK Ann"), [""; 0]);
}
