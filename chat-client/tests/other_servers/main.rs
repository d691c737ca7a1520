//! Our client on servers that others have written: ngircd, which knows nearly no extension, and
//! `InspIRCd`, which knows most. Line by line here, and on the screen in [`screen`].
//!
//! Shows: what a person needs works on both, and depends on nothing that one of them lacks.
//! Leaves out: SASL, for which both ask a program of its own; the session's own tests play it.

mod screen;
mod server;

use chapter_tests::{Launch, Peer, Program};

use server::Server;

/// A client of ours as `nick`, in #room.
struct Client {
    program: Program,
}

impl Client {
    fn start(server: &Server, nick: &str) -> Program {
        Launch::new(env!("CARGO_BIN_EXE_chat-client"))
            .args([
                &server.address.to_string(),
                "--line",
                "--nick",
                nick,
                "--join",
                "room",
            ])
            .stdin_pipe()
            .start()
    }

    fn join(server: &Server, nick: &str) -> Client {
        let client = Client {
            program: Client::start(server, nick),
        };
        client.sees("#room -- here: ");
        client
    }

    fn types(&mut self, line: &str) {
        self.program.write(format!("{line}\n"));
    }

    fn sees(&self, text: &str) -> String {
        self.program.wait_for_line(text)
    }

    /// Ends its input, and waits until it has said good-bye.
    fn leave(mut self) {
        self.program.close_stdin();
        let finished = self.program.finish();
        assert!(finished.status.success(), "{}", finished.stderr);
    }
}

/// A person with `nc`, who speaks the protocol: in #room as bob.
fn bob(server: &Server) -> Peer {
    let mut bob = Peer::connect(server.address);
    bob.send("NICK bob\r\nUSER bob 0 * :Bob\r\n");
    loop {
        let line = bob.read_line();
        if let Some(token) = line.strip_prefix("PING ") {
            bob.send_line(format!("PONG {token}"));
        } else if line.contains(" 001 bob ") {
            break;
        }
    }
    bob.send_line("JOIN #room");
    bob.expect_line(" 366 bob #room ");
    bob
}

/// Runs `test` on each server that this machine has.
fn on_each(test: fn(&Server)) {
    for start in [Server::ngircd, Server::inspircd] {
        if let Some(server) = start() {
            test(&server);
        }
    }
}

#[test]
fn two_people_talk_and_each_word_comes_once() {
    on_each(|server| {
        let mut ann = Client::join(server, "ann");
        let mut bob = bob(server);
        ann.sees("#room --> bob joined");
        ann.types("hello bob");
        bob.expect_line("PRIVMSG #room :hello bob");
        ann.types("/me waves");
        bob.expect_line("PRIVMSG #room :\u{1}ACTION waves\u{1}");
        ann.types("/msg bob psst");
        bob.expect_line("PRIVMSG bob :psst");
        bob.send_line("PRIVMSG #room :hello ann");
        ann.sees("#room <bob> hello ann");
        bob.send_line("PRIVMSG ann :psst yourself");
        ann.sees("private <bob> psst yourself");
        bob.send_line("PRIVMSG ann :\u{1}PING 42\u{1}");
        bob.expect_line("NOTICE bob :\u{1}PING 42\u{1}");
        ann.types("/msg ann note to myself");
        ann.sees("private <ann> note to myself");
        bob.send_line("PRIVMSG #room :bye");
        ann.sees("#room <bob> bye");
        let printed = ann.program.stdout();
        assert!(
            !printed.contains("hello bob"),
            "not one's own words: {printed}"
        );
        let notes = printed.matches("note to myself").count();
        assert_eq!(notes, 1, "{printed}");
        ann.leave();
        bob.expect_line("QUIT");
    });
}

#[test]
fn a_nick_that_is_taken_is_said() {
    on_each(|server| {
        let _bob = bob(server);
        let mut other = Client::join(server, "bob");
        other
            .program
            .wait_for_error_line("the nick bob is taken; you are bob_");
        other.types("/nick BOB");
        other.sees("-- error: ");
        other.types("/nick carol");
        other.sees("-- bob_ is now carol");
        other.leave();
    });
}

#[test]
fn a_topic_a_mode_and_a_kick_are_told() {
    on_each(|server| {
        // Who comes first is the operator.
        let mut ann = Client::join(server, "ann");
        let mut bob = bob(server);
        ann.sees("#room --> bob joined");
        ann.types("/topic the news of today");
        bob.expect_line("TOPIC #room :the news of today");
        ann.sees("#room -- ann set the topic: the news of today");
        ann.types("/op bob");
        ann.sees("#room -- ann set mode +o bob");
        bob.expect_line(["MODE #room +o ", "bob"]);
        ann.types("/names");
        let names = ann.sees("#room -- here: ");
        assert!(names.contains("@bob") && !names.contains('!'), "{names}");
        // A name in another case is the same name.
        bob.send_line("KICK #ROOM ANN :behave");
        let kicked = ann.sees(" was thrown out by bob (behave)");
        assert!(
            kicked.to_lowercase().starts_with("#room <-- ann "),
            "{kicked}"
        );
        ann.program.wait_for_error_line("you are in no channel");
        ann.types("/join #Room");
        ann.sees(" -- the topic is: the news of today");
        ann.types("here again");
        bob.expect_line("PRIVMSG #");
        ann.leave();
    });
}

#[test]
fn a_long_text_comes_whole() {
    on_each(|server| {
        let mut ann = Client::join(server, "ann");
        let mut bob = bob(server);
        let words: Vec<String> = (0..300).map(|number| format!("wörd{number}")).collect();
        ann.types(&words.join(" "));
        let mut heard: Vec<String> = Vec::new();
        while heard.last() != words.last() {
            let line = bob.expect_line("PRIVMSG #room :");
            let (_, piece) = line.split_once("PRIVMSG #room :").expect("it is in there");
            // ngIRCd takes the space away at the end of a piece.
            heard.extend(piece.split_whitespace().map(str::to_owned));
        }
        assert_eq!(heard, words);
        ann.leave();
    });
}

#[test]
fn names_are_one_where_the_server_takes_them_for_one() {
    let Some(server) = Server::inspircd() else {
        return;
    };
    // Its configuration says rfc1459.
    let mut ann = Client::join(&server, "ann[x]");
    let mut bob = bob(&server);
    ann.sees("#room --> bob joined");
    bob.send_line("KICK #room ann{x} :behave");
    bob.expect_line(" 482 ");
    ann.types("/op bob");
    bob.expect_line(["MODE #room +o ", "bob"]);
    bob.send_line("KICK #room ANN{X} :behave");
    ann.program.wait_for_error_line("you are in no channel");
    ann.leave();
}
