//! People with `nc` or `telnet`.

use chat_server::room::{Kind, Rules, Secret};

use crate::harness::{Room, rules};

#[test]
fn a_plain_peer_is_a_guest_in_the_lobby_at_once() {
    let mut room = Room::new();
    let guest = room.connect_from("127.0.0.1:50000", Kind::Plain);
    assert!(room.state.is_registered(guest));
    assert_eq!(
        room.lines(guest),
        [
            "-- Welcome to Test, guest1. You are in #lobby; what you type is said there.",
            "-- Commands: /nick /join /part /who /me /msg /topic /quit; /help tells more",
            "-- guest1 has joined #lobby",
            "-- In #lobby: @guest1",
        ]
    );
}

#[test]
fn help_tells_of_every_command_and_fits_a_terminal_of_80_columns() {
    let mut room = Room::new();
    let guest = room.connect_from("127.0.0.1:50000", Kind::Plain);
    let greeting = room.lines(guest);
    let help = room.ask(guest, "/help");
    let told = greeting[1].split([' ', ';']);
    for command in told.filter(|word| word.starts_with('/') && *word != "/help") {
        let row = format!("-- {command} ");
        assert!(help.iter().any(|line| line.starts_with(&row)), "{command}");
        assert!(
            !room.ask(guest, command)[0].contains("no command"),
            "{command}"
        );
    }
    let wide = greeting.iter().chain(&help).find(|line| line.len() > 80);
    assert_eq!(wide, None);
}

#[test]
fn a_plain_peer_and_an_irc_client_read_each_other() {
    let mut room = Room::new();
    let [ann] = room.people_in("#lobby", ["ann"]);
    let guest = room.plain();
    assert_eq!(room.lines(ann), [":guest1!~plain@127.0.0.1 JOIN #lobby"]);
    assert_eq!(room.ask(guest, "hi there"), [""; 0]);
    assert_eq!(
        room.lines(ann),
        [":guest1!~plain@127.0.0.1 PRIVMSG #lobby :hi there"]
    );
    room.send(ann, "PRIVMSG #lobby :welcome");
    room.send(ann, "PRIVMSG #lobby :\u{1}ACTION waves\u{1}");
    room.send(ann, "PRIVMSG guest1 :\u{1}VERSION\u{1}");
    room.send(ann, "PRIVMSG guest1 :psst");
    room.send(ann, "NOTICE #lobby :note");
    room.send(ann, "TOPIC #lobby :tea");
    room.send(ann, "MODE #lobby +m");
    assert_eq!(
        room.lines(guest),
        [
            "ann: welcome",
            "* ann waves",
            "-- ann asks your client: VERSION",
            "ann (to you): psst",
            "-ann- note",
            "-- ann has set the topic of #lobby: tea",
            "-- ann has set +m on #lobby",
        ]
    );
}

#[test]
fn an_action_or_a_question_without_words_shows_nothing() {
    let mut room = Room::new();
    let [ann] = room.people_in("#lobby", ["ann"]);
    let guest = room.plain();
    for empty in ["", " ", "ACTION", "ACTION "] {
        room.send(ann, &format!("PRIVMSG guest1 :\u{1}{empty}\u{1}"));
        assert_eq!(room.lines(guest), [""; 0], "{empty:?}");
    }
}

#[test]
fn slash_commands_do_what_they_say() {
    let mut room = Room::new();
    let [ann] = room.people_in("#lobby", ["ann"]);
    let guest = room.plain();
    room.lines(ann);
    assert_eq!(room.ask(guest, "/nick bob"), ["-- guest1 is now bob"]);
    assert_eq!(room.ask(guest, "/me waves"), [""; 0]);
    assert_eq!(room.ask(guest, "/msg ann psst"), [""; 0]);
    assert_eq!(
        room.lines(ann),
        [
            ":guest1!~plain@127.0.0.1 NICK :bob",
            ":bob!~plain@127.0.0.1 PRIVMSG #lobby :\u{1}ACTION waves\u{1}",
            ":bob!~plain@127.0.0.1 PRIVMSG ann :psst",
        ]
    );
    assert_eq!(room.ask(guest, "/WHO"), ["-- In #lobby: @ann bob"]);
    assert_eq!(
        room.ask(guest, "/nick ann"),
        ["-- ann: Nickname is already in use"]
    );
    assert_eq!(
        room.ask(guest, "/topic mine"),
        ["-- #lobby: You're not channel operator"]
    );
    assert_eq!(
        room.ask(guest, "/me "),
        ["-- /me needs what you do: /me waves"]
    );
    assert_eq!(
        room.ask(guest, "/frob"),
        ["-- There is no command /frob; /help lists those there are"]
    );
    assert_eq!(
        room.ask(guest, "/quit bye"),
        ["-- Closing link: (~plain@127.0.0.1) [Quit: bye]"]
    );
    assert_eq!(room.lines(ann), [":bob!~plain@127.0.0.1 QUIT :Quit: bye"]);
}

#[test]
fn what_begins_with_two_slashes_is_said_with_one() {
    let mut room = Room::new();
    let [ann] = room.people_in("#lobby", ["ann"]);
    let guest = room.plain();
    room.lines(ann);
    assert_eq!(room.ask(guest, "//nick is a command"), [""; 0]);
    assert_eq!(
        room.lines(ann),
        [":guest1!~plain@127.0.0.1 PRIVMSG #lobby :/nick is a command"]
    );
}

#[test]
fn what_can_be_no_nick_is_answered_with_what_can() {
    let mut room = Room::new();
    let guest = room.plain();
    assert_eq!(
        room.ask(guest, "/nick"),
        ["-- /nick needs the name that you want: /nick ann"]
    );
    for wrong in ["1 2", "ann smith", "ännchen", &"a".repeat(31)] {
        let answer = room.ask(guest, &format!("/nick {wrong}"));
        let begin = format!("-- {wrong} is no name: it has letters, digits");
        assert!(
            answer.len() == 1 && answer[0].starts_with(&begin),
            "{answer:?}"
        );
    }
}

#[test]
fn what_is_typed_is_said_in_the_room_joined_last() {
    let mut room = Room::new();
    let [ann] = room.people_in("#lobby,#tea", ["ann"]);
    let guest = room.plain();
    assert_eq!(
        room.ask(guest, "/join tea"),
        ["-- guest1 has joined #tea", "-- In #tea: @ann guest1",]
    );
    room.lines(ann);
    room.send(guest, "hello tea");
    assert_eq!(
        room.lines(ann),
        [":guest1!~plain@127.0.0.1 PRIVMSG #tea :hello tea"]
    );
    // What is said elsewhere says where.
    room.send(ann, "PRIVMSG #lobby :anyone here?");
    room.send(ann, "PRIVMSG #tea :milk?");
    assert_eq!(
        room.lines(guest),
        ["[#lobby] ann: anyone here?", "ann: milk?"]
    );
    let parted = [
        "-- guest1 has left #tea",
        "-- What you type is said in #lobby",
    ];
    assert_eq!(room.ask(guest, "/part"), parted);
    assert_eq!(room.ask(guest, "/part"), ["-- guest1 has left #lobby"]);
    let nowhere = ["-- You are in no room; /join #lobby to be in one"];
    assert_eq!(room.ask(guest, "anybody?"), nowhere);
    assert_eq!(room.ask(guest, "/who"), nowhere);
    assert_eq!(
        room.ask(guest, "/join two,words"),
        ["-- /join needs the name of a room, such as #lobby"]
    );
}

#[test]
fn people_come_and_go_before_a_plain_peers_eyes() {
    let mut room = Room::new();
    let guest = room.plain();
    let ann = room.person("ann");
    room.send(guest, "/topic tea");
    room.lines(guest);
    room.send(ann, "JOIN #lobby");
    room.send(ann, "PART #lobby :tea time");
    room.send(ann, "JOIN #lobby");
    room.send(ann, "QUIT");
    assert_eq!(
        room.lines(guest),
        [
            "-- ann has joined #lobby",
            "-- ann has left #lobby (tea time)",
            "-- ann has joined #lobby",
            "-- ann has quit (Quit)",
        ]
    );
}

#[test]
fn a_line_is_cut_at_400_bytes_and_that_is_said() {
    let mut room = Room::new();
    let [ann] = room.people_in("#lobby", ["ann"]);
    let guest = room.plain();
    room.lines(ann);
    assert_eq!(
        room.ask(guest, &"é".repeat(201)),
        ["-- Your line was cut at 400 bytes"]
    );
    assert!(room.lines(ann)[0].ends_with(&"é".repeat(200)));
    room.state.line_too_long(guest, room.now);
    assert_eq!(room.lines(guest), ["-- Input line was too long"]);
}

#[test]
fn a_room_with_a_key_is_joined_with_the_key() {
    let mut room = Room::new();
    let [ann] = room.people_in("#tea", ["ann"]);
    let guest = room.plain();
    room.send(ann, "MODE #tea +k milk");
    assert_ne!(room.ask(guest, "/join tea"), ["-- guest1 has joined #tea"]);
    assert!(
        room.ask(guest, "/join tea milk")
            .contains(&"-- guest1 has joined #tea".to_owned())
    );
}

#[test]
fn a_message_without_a_text_is_answered_with_how_to_send_one() {
    let mut room = Room::new();
    let guest = room.plain();
    for line in ["/msg", "/msg ann"] {
        assert_eq!(
            room.ask(guest, line),
            ["-- /msg needs a name and a text: /msg ann hello"]
        );
    }
}

#[test]
fn what_would_move_the_cursor_is_not_sent() {
    let mut room = Room::new();
    let [ann] = room.people_in("#lobby", ["ann"]);
    let guest = room.plain();
    room.send(ann, "PRIVMSG #lobby :\u{1b}[2Jred \u{3}4alert\u{7}\u{9b}H");
    assert_eq!(
        room.lines(guest),
        ["ann: \u{fffd}[2Jred alert\u{fffd}\u{fffd}H"]
    );
}

#[test]
fn what_is_not_utf8_is_refused() {
    let mut room = Room::new();
    let guest = room.plain();
    room.state.receive(guest, b"caf\xe9", room.now);
    assert_eq!(
        room.lines(guest),
        ["-- Message rejected: this server relays UTF-8 text only"]
    );
}

#[test]
fn a_server_with_a_password_asks_plain_peers_for_it_too() {
    let mut room = Room::under(Rules {
        password: Some(Secret::new("open sesame")),
        ..rules()
    });
    let guest = room.connect_from("127.0.0.1:50000", Kind::Plain);
    assert_eq!(room.lines(guest), ["-- Password?"]);
    assert!(!room.state.is_registered(guest));
    room.send(guest, "open sesame");
    assert!(room.state.is_registered(guest));

    let stranger = room.connect_from("127.0.0.1:50000", Kind::Plain);
    room.lines(stranger);
    assert_eq!(
        room.ask(stranger, "let me in"),
        ["-- Closing link: (unknown@127.0.0.1) [Password incorrect]"]
    );
    assert!(room.state.is_leaving(stranger));
}
