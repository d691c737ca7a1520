//! Without an address: a room inside the client, and how others join it.

use std::net::SocketAddr;
use std::path::Path;

use chapter_tests::tmux::Tmux;
use chapter_tests::{Launch, Peer, Program, TemporaryDirectory, tools};

use crate::fake_server::{CLIENT, with_one_output};
use crate::network::with_free_ports;

/// A client that opens the room.
fn open_room(nick: &str) -> Program {
    let program = Launch::new(CLIENT)
        .args(["--nick", nick])
        .stdin_pipe()
        .start();
    program.wait_for_line(&format!("#lobby --> {nick} joined"));
    program
}

/// One of the commands that the client prints for others: the program's name
/// and its arguments.
fn command(room: &Program, program: &str) -> Vec<String> {
    let line = room.wait_for_error_line(&format!("  {program} "));
    line.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn another_chat_client_joins_by_the_printed_command() {
    with_free_ports(|| {
        let mut room = open_room("host");
        // It names the program as it was started here, where it is in no PATH.
        let command = room.wait_for_error_line(|line: &str| line.ends_with(" 127.0.0.1:6667"));
        let mut guest = Launch::new("sh")
            .args(["-c", &format!("exec {command} --nick guest")])
            .stdin_pipe()
            .start();
        room.wait_for_line("#lobby --> guest joined");
        room.write("welcome\n");
        guest.wait_for_line("#lobby <host> welcome");
        guest.write("thank you\n");
        room.wait_for_line("#lobby <guest> thank you");

        // The room closes with its host, and the others are told.
        room.write("/quit\n");
        assert_eq!(room.wait().code(), Some(0));
        assert_eq!(guest.wait().code(), Some(1));
        assert!(
            guest.stderr().contains("closed by the server: "),
            "{}",
            guest.stderr()
        );
    });
}

#[test]
fn nc_joins_by_the_printed_command() {
    let Some(nc) = tools::find("nc") else { return };
    with_free_ports(|| {
        let mut room = open_room("host");
        let command = command(&room, "nc");
        assert_eq!(command, ["nc", "127.0.0.1", "6668"]);
        let mut guest = Launch::new(&nc).args(&command[1..]).stdin_pipe().start();
        room.wait_for_line("#lobby --> guest1 joined");
        room.write("welcome\n");
        guest.wait_for_line("host: welcome");
        guest.write("thank you\n");
        room.wait_for_line("#lobby <guest1> thank you");
    });
}

#[test]
fn irssi_joins_by_the_printed_command() {
    let (Some(irssi), Some(tmux)) = (tools::find("irssi"), tools::find("tmux")) else {
        return;
    };
    with_free_ports(|| {
        let mut room = open_room("host");
        let command = command(&room, "irssi");
        assert_eq!(command, ["irssi", "-c", "127.0.0.1", "-p", "6667"]);
        let home = TemporaryDirectory::new();
        let mut line = vec![irssi.display().to_string()];
        line.extend_from_slice(&command[1..]);
        line.extend(["-n".to_owned(), "iris".to_owned()]);
        line.push(format!("--home={}", home.join("irssi").display()));
        let mut screen = Tmux::start(&tmux, line, (80, 24));
        screen.wait_for_screen("Welcome");
        screen.type_text("/join #lobby");
        screen.press("Enter");
        room.wait_for_line("#lobby --> iris joined");
        room.write("welcome\n");
        screen.wait_for_screen("welcome");
        screen.type_text("thank you");
        screen.press("Enter");
        room.wait_for_line("#lobby <iris> thank you");
    });
}

#[test]
fn of_two_that_are_started_at_once_one_opens_the_room_and_the_other_joins() {
    with_free_ports(|| {
        for _ in 0..10 {
            let start = |nick| with_one_output(&["--nick", nick]).stdin_pipe().start();
            let [mut ann, mut bob] = ["ann", "bob"].map(start);
            ann.write("here is ann\n");
            bob.write("here is bob\n");
            // Who comes later does not see what was said before.
            ann.wait_for_line("#lobby --> ann joined");
            bob.wait_for_line("#lobby --> bob joined");
            ann.write("ann again\n");
            bob.write("bob again\n");
            ann.wait_for_line("#lobby <bob> bob again");
            bob.wait_for_line("#lobby <ann> ann again");
            let rooms = [&ann, &bob].map(|program| program.stdout().contains("nobody listened"));
            assert_ne!(rooms[0], rooms[1], "one room");
            let (host, guest) = if rooms[0] { (ann, bob) } else { (bob, ann) };
            assert_eq!(guest.finish().status.code(), Some(0));
            assert_eq!(host.finish().status.code(), Some(0));
        }
    });
}

#[test]
fn a_plain_port_that_is_taken_is_told_in_words_of_who_would_use_it() {
    with_free_ports(|| {
        let plain: SocketAddr = "127.0.0.1:6668".parse().unwrap();
        let _taken = std::net::TcpListener::bind(plain).unwrap();
        let room = open_room("host");
        room.wait_for_error_line(
            "chat-client: nc cannot join: 127.0.0.1:6668: address already in use",
        );
        assert!(!room.stderr().contains("  nc "));
        assert_eq!(room.finish().status.code(), Some(0));
    });
}

/// A client with a room, on a terminal.
fn room_on_a_terminal(tmux: &Path) -> Tmux {
    let mut screen = Tmux::start(tmux, [CLIENT, "--line", "--nick", "host"], (100, 30));
    screen.wait_for_screen("#lobby --> host joined");
    screen
}

/// Somebody in the room of the client.
fn join_room() -> Peer {
    let mut guest = Peer::connect("127.0.0.1:6667".parse().unwrap());
    guest.send("NICK ann\r\nUSER ann 0 * :Ann\r\nJOIN #lobby\r\n");
    guest.expect_line(" 366 ");
    guest
}

#[test]
fn a_host_on_a_terminal_is_asked_once_before_others_lose_their_room() {
    let Some(tmux) = tools::find("tmux") else {
        return;
    };
    with_free_ports(|| {
        let quit = |screen: &Tmux| {
            screen.type_text("/quit");
            screen.press("Enter");
        };
        let ctrl_d = |screen: &Tmux| screen.press("C-d");
        for go in [&quit as &dyn Fn(&Tmux), &ctrl_d] {
            let mut screen = room_on_a_terminal(&tmux);
            let mut guest = join_room();
            screen.wait_for_screen("#lobby --> ann joined");
            go(&screen);
            screen.wait_for_screen("1 more person is here, and the room closes when you go");
            screen.type_text("I stay a little");
            screen.press("Enter");
            guest.expect_line("I stay a little");
            go(&screen);
            let last = guest.expect_closed();
            assert!(
                last.iter().any(|line| line.starts_with("ERROR ")),
                "{last:?}"
            );
            assert_eq!(screen.wait_for_exit(), 0);
        }
    });
}

#[test]
fn the_reason_of_the_first_quit_is_kept_when_the_second_has_none() {
    let Some(tmux) = tools::find("tmux") else {
        return;
    };
    with_free_ports(|| {
        for (second, reason) in [("/quit", "supper"), ("/quit dinner", "dinner")] {
            let mut screen = room_on_a_terminal(&tmux);
            let mut guest = join_room();
            screen.wait_for_screen("#lobby --> ann joined");
            screen.type_text("/quit supper");
            screen.press("Enter");
            screen.wait_for_screen("/quit again to close it");
            screen.type_text(second);
            screen.press("Enter");
            guest.expect_line(["QUIT :", reason]);
            assert_eq!(screen.wait_for_exit(), 0);
        }
    });
}

#[test]
fn words_that_nobody_was_there_to_hear_are_said_to_be_so() {
    with_free_ports(|| {
        let mut alone = open_room("host");
        alone.write("hello\n");
        let finished = alone.finish();
        assert_eq!(finished.status.code(), Some(0));
        let word = "chat-client: nobody was there to hear it: ";
        assert!(finished.stderr.contains(word), "{}", finished.stderr);

        let silent = open_room("host").finish();
        assert!(!silent.stderr.contains(word), "nothing was said");

        let mut room = open_room("host");
        let mut guest = join_room();
        room.wait_for_line("#lobby --> ann joined");
        room.write("hello\n");
        guest.expect_line("hello");
        let finished = room.finish();
        assert!(!finished.stderr.contains(word), "{}", finished.stderr);
    });
}

#[test]
fn a_host_who_is_alone_is_not_asked() {
    let Some(tmux) = tools::find("tmux") else {
        return;
    };
    with_free_ports(|| {
        let mut screen = room_on_a_terminal(&tmux);
        screen.press("C-d");
        assert_eq!(screen.wait_for_exit(), 0);
    });
}
