//! Our own client on its screen, on a terminal of its own.

use chapter_tests::tmux::Tmux;

use crate::person::Person;
use crate::room::{LOBBY, Room, Tools};

/// A person who uses the screen.
#[derive(Debug)]
pub(crate) struct Screen {
    pub(crate) terminal: Tmux,
    nick: &'static str,
}

impl Screen {
    /// Starts the client on a terminal of so many columns and rows, and joins the lobby.
    pub(crate) fn join(room: &Room, tools: &Tools, nick: &'static str, size: (u16, u16)) -> Screen {
        let address = room.irc.to_string();
        let command = [
            env!("CARGO_BIN_EXE_chat-client"),
            &address,
            "--nick",
            nick,
            "--join",
            LOBBY,
        ];
        let terminal = Tmux::start(&tools.tmux, command, size);
        let mut screen = Screen { terminal, nick };
        screen.sees(&format!("{nick} joined"));
        screen
    }

    /// Waits until `text` is on the screen no more.
    pub(crate) fn sees_no_more(&mut self, text: &str) {
        let what = format!("no {text:?}");
        self.terminal
            .wait_for_screen_with(&what, |screen| !screen.contains(text));
    }
}

impl Person for Screen {
    fn nick(&self) -> &'static str {
        self.nick
    }

    fn types(&mut self, line: &str) {
        self.terminal.type_text(line);
        self.terminal.press("Enter");
    }

    fn sees(&mut self, text: &str) {
        self.terminal.wait_for_screen(text);
    }

    fn hears(&mut self, nick: &str, text: &str) {
        self.sees(&format!("{nick}  {text}"));
    }

    fn hears_action(&mut self, nick: &str, does: &str) {
        self.sees(&format!("*  {nick} {does}"));
    }
}
