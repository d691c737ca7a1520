//! A server that the test plays, line by line.

use std::net::{SocketAddr, TcpListener};

use chapter_tests::{Launch, Peer, TIMEOUT};
use socket2::SockRef;

/// The client under test.
pub(crate) const CLIENT: &str = env!("CARGO_BIN_EXE_chat-client");

/// Where the client connects to.
pub(crate) struct FakeServer {
    listener: TcpListener,
}

impl FakeServer {
    pub(crate) fn open() -> FakeServer {
        FakeServer::listen("127.0.0.1:0")
    }

    pub(crate) fn listen(address: &str) -> FakeServer {
        let listener = TcpListener::bind(address).unwrap();
        // Of a listener this is how long accept waits.
        let socket = SockRef::from(&listener);
        socket.set_read_timeout(Some(TIMEOUT)).unwrap();
        FakeServer { listener }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    /// How much of what a client sends fits into the kernel on this side.
    pub(crate) fn set_receive_buffer(&self, bytes: usize) {
        let socket = SockRef::from(&self.listener);
        socket.set_recv_buffer_size(bytes).unwrap();
    }

    /// A client as ann that connects here, with more arguments.
    pub(crate) fn client(&self, args: &[&str]) -> Launch {
        Launch::new(CLIENT)
            .args([&self.address().to_string(), "--nick", "ann"])
            .args(args)
    }

    /// The next connection.
    pub(crate) fn accept(&self) -> Peer {
        Peer::over(self.listener.accept().expect("a client connects").0)
    }

    /// The next connection, whose client is let in and enters #lobby.
    pub(crate) fn welcome(&self) -> Peer {
        let mut client = self.accept();
        register(&mut client);
        client.expect_line("JOIN #lobby");
        client.send_line(":ann!~guest@127.0.0.1 JOIN #lobby");
        client
    }
}

/// A client whose standard error is the same open file as standard output: its
/// lines are in order.
pub(crate) fn with_one_output(args: &[&str]) -> Launch {
    Launch::new("sh")
        .args(["-c", "exec \"$@\" 2>&1", "sh", CLIENT])
        .args(args)
}

/// Lets the client in.
pub(crate) fn register(client: &mut Peer) {
    assert_eq!(client.read_line(), "CAP LS 302");
    assert_eq!(client.read_line(), "NICK ann");
    assert_eq!(client.read_line(), "USER guest 0 * :chat-client");
    client.send_line(":irc.example 001 ann :Welcome, ann");
}

/// What the client says up to and with `last`; its questions how far the server
/// has read are answered.
pub(crate) fn says_up_to(client: &mut Peer, last: &str) -> Vec<String> {
    let mut lines = Vec::new();
    loop {
        let line = client.read_line();
        match line.strip_prefix("PING :check-") {
            Some(number) => client.send_line(format!("PONG irc.example :check-{number}")),
            None => lines.push(line),
        }
        if lines.last().is_some_and(|line| line == last) {
            return lines;
        }
    }
}

/// The end of a client that has said everything: it asks, is answered, and goes.
pub(crate) fn let_go(mut client: Peer) {
    says_up_to(&mut client, "PING :end");
    client.send_line(":irc.example PONG irc.example :end");
    assert_eq!(client.expect_eof(), ["QUIT"]);
}
