//! WeeChat without a screen: commands go in by a FIFO, what it would show comes out on standard
//! output.

use std::fs::{File, OpenOptions};
use std::io::Write;

use chapter_tests::{Launch, Program, TemporaryDirectory};

use crate::person::Person;
use crate::relay::Relay;
use crate::room::{LOBBY, Room, Tools};

/// A person who uses WeeChat.
#[derive(Debug)]
pub(crate) struct WeeChat {
    pub(crate) program: Program,
    pub(crate) relay: Relay,
    /// Kept open: WeeChat makes a new FIFO when the last writer has gone.
    fifo: File,
    _home: TemporaryDirectory,
}

impl WeeChat {
    /// Starts WeeChat, connects it and joins the lobby: until it has the modes of the channel, the
    /// last thing it asks for.
    pub(crate) fn join(room: &Room, tools: &Tools) -> WeeChat {
        let home = TemporaryDirectory::new();
        let fifo = home.join("fifo");
        let relay = Relay::to(room.irc);
        let commands = [
            // Each line of a buffer, as `buffer|nick|text`, and each nick that enters a list. The
            // variables are for the time of the line, not for now.
            r#"/trigger add line print "" "" "" "/print -stdout ${raw:${buffer.short_name}|${tg_prefix_nocolor}|${tg_message_nocolor}\n}""#,
            r#"/trigger add nick signal nicklist_nick_added "" "" "/print -stdout ${raw:nicklist|${tg_signal_data}\n}""#,
            // It would wait two seconds between two commands.
            "/set irc.server_default.anti_flood_prio_high 0",
            "/set irc.server_default.anti_flood_prio_low 0",
            &format!("/set fifo.file.path {}", fifo.display()),
            &format!(
                "/server add room {}/{} -notls -nicks=wendy -username=wendy -realname=Wendy \
                 -autojoin={LOBBY}",
                relay.address().ip(),
                relay.address().port()
            ),
            "/connect room",
            r"/print -stdout commands are done\n",
        ];
        let program = Launch::new(&tools.weechat)
            .args(["--stdout", "--no-script", "--dir"])
            .args([&*home])
            .args(["--plugins", "irc,fifo,trigger"])
            .args(
                commands
                    .iter()
                    .flat_map(|command| ["--run-command", command]),
            )
            .env("LC_ALL", "C.UTF-8")
            .start();
        program.wait_for_line("commands are done");
        let fifo = OpenOptions::new()
            .write(true)
            .open(fifo)
            .unwrap_or_else(|err| panic!("WeeChat's FIFO: {err}; is weechat-plugins installed?"));
        let mut weechat = WeeChat {
            program,
            relay,
            fifo,
            _home: home,
        };
        weechat.sees("Channel created on");
        weechat
    }

    /// Whether somebody was put into the list of nicks of a buffer.
    pub(crate) fn lists(&self, nick: &str) -> bool {
        let output = self.program.stdout();
        let mut lines = output.lines();
        lines.any(|line| line.starts_with("nicklist|") && line.ends_with(&format!(",{nick}")))
    }
}

impl Person for WeeChat {
    fn nick(&self) -> &'static str {
        "wendy"
    }

    fn types(&mut self, line: &str) {
        writeln!(self.fifo, "irc.room.{LOBBY} *{line}").unwrap();
    }

    fn sees(&mut self, text: &str) {
        self.program.wait_for_line(text);
    }

    fn hears(&mut self, nick: &str, text: &str) {
        self.sees(&format!("{nick}|{text}"));
    }

    fn hears_action(&mut self, nick: &str, does: &str) {
        self.sees(&format!("{LOBBY}| *|{nick} {does}"));
    }
}
