//! A server that lets people in, and then does what a test wants.

use std::net::{SocketAddr, TcpListener};
use std::thread::{self, JoinHandle};

use chapter_tests::Peer;

/// Lets `members` into #stress and calls `then` with them, in the order in which they came, when
/// everybody is told that everything is read.
pub(crate) fn start(
    members: usize,
    then: impl FnOnce(Vec<Peer>) + Send + 'static,
) -> (SocketAddr, JoinHandle<()>) {
    serve(members, Some("#stress"), then)
}

/// The same for clients that join nothing.
pub(crate) fn crowd(
    clients: usize,
    then: impl FnOnce(Vec<Peer>) + Send + 'static,
) -> (SocketAddr, JoinHandle<()>) {
    serve(clients, None, then)
}

fn serve(
    clients: usize,
    channel: Option<&'static str>,
    then: impl FnOnce(Vec<Peer>) + Send + 'static,
) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serving = thread::spawn(move || {
        let mut peers = Vec::new();
        for _ in 0..clients {
            let (stream, _) = listener.accept().unwrap();
            let mut peer = Peer::over(stream);
            let nick = peer.expect_line("NICK ").replace("NICK ", "");
            peer.send_line(format!(":x 001 {nick} :Welcome"));
            if let Some(channel) = channel {
                peer.expect_line(["JOIN ", channel]);
                peer.send_line(format!(":x 366 {nick} {channel} :End"));
            }
            peers.push(peer);
        }
        settle(&mut peers);
        // Nobody else gets in.
        drop(listener);
        then(peers);
    });
    (address, serving)
}

/// Tells everybody that everything is read, when all have asked.
pub(crate) fn settle(peers: &mut [Peer]) {
    for peer in peers {
        peer.expect_line("PING :settle");
        peer.send_line(":x PONG x :settle");
    }
}
