//! Programs that read lines from a pipe and print lines: nc, and our own client in line mode.

use chapter_tests::{Launch, Program};

use crate::person::Person;
use crate::room::{LOBBY, Room, Tools};

/// A person who uses such a program.
#[derive(Debug)]
pub(crate) struct Piped {
    pub(crate) program: Program,
    nick: &'static str,
    /// What stands around a nick and the text it has said: before, between.
    said: [&'static str; 2],
    /// What stands before a nick that does something.
    does: &'static str,
}

impl Piped {
    /// Connects nc to the plain port, which is all it takes to be in the lobby; then takes a name.
    pub(crate) fn nc(room: &Room, tools: &Tools) -> Piped {
        let program = Launch::new(&tools.nc)
            .args([room.plain.ip().to_string(), room.plain.port().to_string()])
            .stdin_pipe()
            .start();
        let mut nc = Piped {
            program,
            nick: "nora",
            said: ["", ": "],
            does: "* ",
        };
        nc.sees("guest1 has joined #lobby");
        nc.types("/nick nora");
        nc.sees("guest1 is now nora");
        nc
    }

    /// Starts chat-client and joins the lobby: until it has the names of those who are there.
    pub(crate) fn line_client(room: &Room) -> Piped {
        let nick = "lena";
        let program = Launch::new(env!("CARGO_BIN_EXE_chat-client"))
            .args([&room.irc.to_string(), "--nick", nick, "--join", LOBBY])
            .stdin_pipe()
            .start();
        program.wait_for_line(["#lobby -- here: ", nick]);
        Piped {
            program,
            nick,
            said: ["#lobby <", "> "],
            does: "#lobby * ",
        }
    }
}

impl Person for Piped {
    fn nick(&self) -> &'static str {
        self.nick
    }

    fn types(&mut self, line: &str) {
        self.program.write(format!("{line}\n"));
    }

    fn sees(&mut self, text: &str) {
        self.program.wait_for_line(text);
    }

    fn hears(&mut self, nick: &str, text: &str) {
        let [before, between] = self.said;
        self.sees(&format!("{before}{nick}{between}{text}"));
    }

    fn hears_action(&mut self, nick: &str, does: &str) {
        self.sees(&format!("{}{nick} {does}", self.does));
    }
}
