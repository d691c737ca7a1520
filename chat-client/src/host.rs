//! The server inside the client, for when there is no other.
//!
//! Shows: whoever binds the port first has the room; the kernel decides, even
//! between two programs that are started at the same moment. To connect first
//! and bind only when that is refused would leave a gap between the two.

use std::env;
use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr};

use chat_server::{Embedded, Settings};

use crate::address::{Address, DEFAULT_PORT};

/// Where the room is.
pub(crate) const IRC: SocketAddr = on_loopback(DEFAULT_PORT);
/// For people without a client.
const PLAIN: SocketAddr = on_loopback(6668);

const fn on_loopback(port: u16) -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

/// A room that is open as long as this program runs.
#[derive(Debug)]
pub(crate) struct Host {
    server: Embedded,
    /// How others join.
    commands: Vec<String>,
    /// Why the plain port is left out, if it is.
    no_plain: Option<String>,
    /// Whether the person was asked if the room should really close.
    was_asked: bool,
}

/// Where to connect to without an address: here.
pub(crate) fn address() -> Address {
    Address {
        host: IRC.ip().to_string(),
        port: IRC.port(),
    }
}

impl Host {
    /// Opens the room; none if somebody has one there already.
    ///
    /// # Errors
    ///
    /// What binding reports, but for `EADDRINUSE`; `EAGAIN` if no thread can be
    /// started.
    pub(crate) fn open() -> io::Result<Option<Host>> {
        let irc = match epoll_loop::listen(IRC) {
            Err(err) if err.kind() == ErrorKind::AddrInUse => return Ok(None),
            bound => bound?,
        };
        let mut commands = vec![
            format!("{} {IRC}", own_name(env::args_os().next().as_deref())),
            format!("irssi -c {} -p {}", IRC.ip(), IRC.port()),
        ];
        let mut no_plain = None;
        let plain = match epoll_loop::listen(PLAIN) {
            Ok(plain) => {
                commands.push(format!("nc {} {}", PLAIN.ip(), PLAIN.port()));
                vec![plain]
            }
            Err(err) => {
                no_plain = Some(format!("nc cannot join: {PLAIN}: {}", chapter::why(&err)));
                Vec::new()
            }
        };
        Ok(Some(Host {
            server: Embedded::start(vec![irc], plain, Settings::default())?,
            commands,
            no_plain,
            was_asked: false,
        }))
    }

    /// The commands by which others join.
    pub(crate) fn commands(&self) -> &[String] {
        &self.commands
    }

    /// Why people without a client cannot join, if that is so.
    pub(crate) fn no_plain(&self) -> Option<&str> {
        self.no_plain.as_deref()
    }

    /// The person wants to go: how many others would lose their room. None if
    /// nobody would, or the person was told so before.
    pub(crate) fn ask_once(&mut self) -> Option<usize> {
        // One of them is the person.
        let others = self.server.clients().saturating_sub(1);
        let asks = others > 0 && !self.was_asked;
        self.was_asked |= asks;
        asks.then_some(others)
    }

    /// Tells everybody that the room is closed, and waits until they are gone.
    ///
    /// # Errors
    ///
    /// What the server has ended with.
    pub(crate) fn close(self) -> io::Result<()> {
        self.server.stop()
    }
}

/// How a shell starts this program again: by the word it was started by, which has a path in it
/// where the shell would not find it by its name, as after `cargo run`.
fn own_name(started_by: Option<&OsStr>) -> String {
    let is_shown = |word: &&str| !word.is_empty() && !word.contains(char::is_control);
    let word = started_by.and_then(OsStr::to_str).filter(is_shown);
    let word = word.unwrap_or("chat-client");
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+".contains(c);
    if word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_are_told_the_word_by_which_the_program_was_started() {
        for (started_by, told) in [
            (Some("chat-client"), "chat-client"),
            (Some("target/debug/chat-client"), "target/debug/chat-client"),
            (Some("/home/zoë/chat-client"), "/home/zoë/chat-client"),
            (
                Some("/my programs/chat-client"),
                "'/my programs/chat-client'",
            ),
            (Some("/ann's/chat-client"), r"'/ann'\''s/chat-client'"),
            (Some("\u{1b}[2J"), "chat-client"),
            (Some(""), "chat-client"),
            (None, "chat-client"),
        ] {
            assert_eq!(own_name(started_by.map(OsStr::new)), told, "{started_by:?}");
        }
    }
}
