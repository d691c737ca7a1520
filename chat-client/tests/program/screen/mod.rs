//! The screen, on a terminal of which the test is the other side.

mod input;
mod job;
mod leaving;
mod output;
mod together;

use chapter_tests::{Launch, Peer, Program, Pty, TerminalModes};

use crate::fake_server::FakeServer;

/// What the empty line to type in says.
pub(crate) const READY: &str = "say something to #lobby";

/// A client on a terminal, in #lobby of a server that the test plays.
struct Sitting {
    pty: Pty,
    /// The terminal as it was before the client.
    before: TerminalModes,
    program: Program,
    /// What the server has of the client.
    client: Peer,
    server: FakeServer,
}

impl Sitting {
    /// None if setsid(1) is missing.
    fn begin() -> Option<Sitting> {
        Sitting::begin_as(|launch| launch)
    }

    /// With more than a plain start of the client.
    fn begin_as(change: impl FnOnce(Launch) -> Launch) -> Option<Sitting> {
        let (pty, server) = (Pty::open((80, 24)), FakeServer::open());
        let before = pty.modes();
        let program = pty.start(change(server.client(&[])))?;
        let client = server.welcome();
        pty.wait_for_screen(READY);
        Some(Sitting {
            pty,
            before,
            program,
            client,
            server,
        })
    }

    /// Somebody else says `text`, and it is on the screen.
    fn hears(&mut self, text: &str) -> String {
        self.client
            .send_line(format!(":bob!b@h PRIVMSG #lobby :{text}"));
        self.pty.wait_for_screen(text)
    }

    /// The client leaves, and the terminal is as it was.
    fn ends_well(mut self) {
        self.client.expect_line("QUIT");
        drop(self.client);
        assert_eq!(self.pty.wait_for_exit(&mut self.program), Some(0));
        assert_eq!(self.pty.modes(), self.before);
        assert_eq!(self.program.stderr(), "");
    }
}
