//! The server, the tools, and everybody in the lobby.

use std::net::SocketAddr;
use std::path::PathBuf;

use chapter_tests::tools;
use chat_server::room::Rules;
use chat_server::{Embedded, Settings};
use epoll_loop::listen;

use crate::irssi::Irssi;
use crate::person::Person;
use crate::piped::Piped;
use crate::weechat::WeeChat;

pub(crate) const LOBBY: &str = "#lobby";

/// A server with the settings that it has by default, and a message of the day.
#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) irc: SocketAddr,
    pub(crate) plain: SocketAddr,
    _server: Embedded,
}

impl Room {
    pub(crate) fn open() -> Room {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let (irc, plain) = (listen(any).unwrap(), listen(any).unwrap());
        let addresses = [&irc, &plain].map(|listener| listener.local_addr().unwrap());
        let settings = Settings {
            rules: Rules {
                motd: vec!["Be kind.".to_owned()],
                ..Rules::default()
            },
            ..Settings::default()
        };
        let server = Embedded::start(vec![irc], vec![plain], settings).unwrap();
        Room {
            irc: addresses[0],
            plain: addresses[1],
            _server: server,
        }
    }
}

/// The programs that are not ours.
#[derive(Debug)]
pub(crate) struct Tools {
    pub(crate) irssi: PathBuf,
    pub(crate) nc: PathBuf,
    pub(crate) tmux: PathBuf,
    pub(crate) weechat: PathBuf,
}

impl Tools {
    /// Nothing if one is missing, and the test is to be skipped.
    pub(crate) fn find() -> Option<Tools> {
        Some(Tools {
            irssi: tools::find("irssi")?,
            nc: tools::find("nc")?,
            tmux: tools::find("tmux")?,
            weechat: tools::find("weechat-headless")?,
        })
    }
}

/// The same event, as each client shows it.
#[derive(Debug)]
pub(crate) struct Shown<'a> {
    pub(crate) irssi: &'a str,
    pub(crate) weechat: &'a str,
    pub(crate) nc: &'a str,
    pub(crate) line_client: &'a str,
}

/// All four in the lobby; irssi came first and is the operator.
#[derive(Debug)]
pub(crate) struct Everyone {
    pub(crate) irssi: Irssi,
    pub(crate) weechat: WeeChat,
    pub(crate) nc: Piped,
    pub(crate) line_client: Piped,
    // Last: the server goes when everybody has gone.
    _room: Room,
}

impl Everyone {
    /// Nothing if a program is missing, and the test is to be skipped.
    pub(crate) fn meet() -> Option<Everyone> {
        let tools = Tools::find()?;
        let room = Room::open();
        let mut everyone = Everyone {
            irssi: Irssi::join(&room, &tools),
            weechat: WeeChat::join(&room, &tools),
            nc: Piped::nc(&room, &tools),
            line_client: Piped::line_client(&room),
            _room: room,
        };
        // She came last.
        everyone.irssi.sees("lena [");
        Some(everyone)
    }

    pub(crate) fn people(&mut self) -> [&mut dyn Person; 4] {
        [
            &mut self.irssi,
            &mut self.weechat,
            &mut self.nc,
            &mut self.line_client,
        ]
    }

    /// Waits until each client shows the event.
    pub(crate) fn see(&mut self, event: &Shown<'_>) {
        self.irssi.sees(event.irssi);
        self.weechat.sees(event.weechat);
        self.nc.sees(event.nc);
        self.line_client.sees(event.line_client);
    }

    /// Lets each say something, and each of the others look at it.
    pub(crate) fn each_in_turn(
        &mut self,
        say: impl Fn(&mut dyn Person),
        look: impl Fn(&mut dyn Person, &str),
    ) {
        for speaker in 0..self.people().len() {
            let mut people = self.people();
            say(people[speaker]);
            let nick = people[speaker].nick();
            for (_, listener) in people
                .iter_mut()
                .enumerate()
                .filter(|(index, _)| *index != speaker)
            {
                look(*listener, nick);
            }
        }
    }
}
