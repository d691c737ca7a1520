//! irssi, on a terminal of its own.

use std::fs;

use chapter_tests::TemporaryDirectory;
use chapter_tests::tmux::Tmux;

use crate::person::Person;
use crate::relay::{Relay, Sender};
use crate::room::{LOBBY, Room, Tools};

/// Wide enough that no line of these tests is wrapped, and long enough that none scrolls away.
const SIZE: (u16, u16) = (140, 60);

/// irssi asks one question after another and rests two seconds in between; a person has the time.
const CONFIGURATION: &str = r#"
settings = {
  core = { real_name = "Iris"; user_name = "iris"; nick = "iris"; };
  "irc/core" = { cmd_queue_speed = "1msec"; };
};
"#;

/// A person who uses irssi.
#[derive(Debug)]
pub(crate) struct Irssi {
    // Before its home directory, which it writes to when it ends.
    pub(crate) terminal: Tmux,
    pub(crate) relay: Relay,
    _home: TemporaryDirectory,
}

impl Irssi {
    /// Starts irssi, connects it and joins the lobby: until irssi says that it has all it asked
    /// for.
    pub(crate) fn join(room: &Room, tools: &Tools) -> Irssi {
        let home = TemporaryDirectory::new();
        fs::write(home.join("config"), CONFIGURATION).unwrap();
        let relay = Relay::to(room.irc);
        let command = [
            tools.irssi.display().to_string(),
            format!("--home={}", home.display()),
            format!("--connect={}", relay.address().ip()),
            format!("--port={}", relay.address().port()),
        ];
        let terminal = Tmux::start(&tools.tmux, command, SIZE);
        relay.wait_for(Sender::Server, " 376 ");
        let mut irssi = Irssi {
            terminal,
            relay,
            _home: home,
        };
        irssi.types(&format!("/join {LOBBY}"));
        irssi.sees(&format!("Join to {LOBBY} was synced"));
        irssi
    }

    /// Turns to the window where irssi shows what is about no channel.
    pub(crate) fn look_at_status(&mut self) {
        self.types("/window 1");
        self.sees("[1:");
    }

    /// Empties the window, until nothing that has happened is on the screen.
    pub(crate) fn clear(&mut self) {
        self.types("/clear");
        self.terminal
            .wait_for_screen_with("an empty window", |screen| !screen.contains("-!-"));
    }
}

impl Person for Irssi {
    fn nick(&self) -> &'static str {
        "iris"
    }

    fn types(&mut self, line: &str) {
        self.terminal.type_text(line);
        self.terminal.press("Enter");
    }

    fn sees(&mut self, text: &str) {
        self.terminal.wait_for_screen(text);
    }

    fn hears(&mut self, nick: &str, text: &str) {
        // Between the bracket and the nick stands `@`, `+` or a space.
        self.sees(&format!("{nick}> {text}"));
    }

    fn hears_action(&mut self, nick: &str, does: &str) {
        self.sees(&format!("* {nick} {does}"));
    }
}
