//! A terminal whose other side the test holds.

use std::fs::File;
use std::io::Write;

use chapter_tests::{Launch, Peer, Program, tools};
use nix::pty::openpty;

use crate::fake_server::FakeServer;

/// The side of the terminal that has keys.
pub(crate) struct Terminal {
    keys: File,
    /// The side that a program has.
    program_side: File,
}

impl Terminal {
    pub(crate) fn open() -> Terminal {
        let pair = openpty(None, None).unwrap();
        Terminal {
            keys: pair.master.into(),
            program_side: pair.slave.into(),
        }
    }

    pub(crate) fn types(&mut self, text: &str) {
        self.keys.write_all(text.as_bytes()).unwrap();
    }

    /// One more descriptor of the program's side.
    pub(crate) fn program_side(&self) -> File {
        self.program_side.try_clone().unwrap()
    }

    /// Gives `launch` this terminal as its controlling one and as standard
    /// input; none if setsid(1) is missing.
    pub(crate) fn under(&self, launch: Launch) -> Option<Launch> {
        tools::find("setsid")?;
        let launch = launch.under("setsid", ["--ctty", "--wait"]);
        Some(launch.stdin(self.program_side()))
    }
}

/// A client with a terminal as standard input, in #lobby of a server that the
/// test plays.
pub(crate) struct Seat {
    pub(crate) terminal: Terminal,
    pub(crate) server: FakeServer,
    pub(crate) program: Program,
    /// What the server has of the client.
    pub(crate) client: Peer,
}

impl Seat {
    /// None if setsid(1) is missing.
    pub(crate) fn take() -> Option<Seat> {
        let (terminal, server) = (Terminal::open(), FakeServer::open());
        let program = terminal.under(server.client(&[]))?.start();
        let client = server.welcome();
        Some(Seat {
            terminal,
            server,
            program,
            client,
        })
    }
}
