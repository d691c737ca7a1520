//! The server as the usual tools see it: strace, ss, lsof, tcpdump, perf.
//!
//! What they print is kept in files that the book shows. Of what differs from machine to machine
//! only the columns that the book explains are compared.

mod looked_at;
mod packets;
#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "these tests need little of it")]
mod support;
mod system_calls;

use std::net::SocketAddr;

use chapter_tests::{Launch, Mask, Peer, Program, Transcript, tools};

/// Closes what was left open by who runs the tests, so that the numbers begin at 3.
const CLOSE: &str = "for fd in /proc/self/fd/*; do fd=${fd##*/}; \
                     [ $fd -lt 3 ] || eval \"exec $fd>&-\"; done; exec \"$@\"";

/// A server, not yet started, with a door for IRC and one for people without a client; none where
/// there is no bash.
fn plain_server() -> Option<Launch> {
    tools::find("bash")?;
    let launch = Launch::new(support::SERVER);
    let args = ["--listen", "127.0.0.1:0", "--plain-listen", "127.0.0.1:0"];
    Some(launch.args(args))
}

/// The server, started, and the address of its second door.
fn start(launch: Launch) -> (Program, SocketAddr) {
    let server = launch.under("bash", ["-c", CLOSE, "bash"]).start();
    let [_, plain] = server.listening_on_all();
    (server, plain)
}

/// Somebody with `nc`, who has read the greeting.
fn guest(address: SocketAddr) -> Peer {
    let mut peer = Peer::connect(address);
    peer.expect_line("In #lobby");
    peer
}

/// The transcript of a tool's output, in which no port and no process number counts.
fn transcript(name: &str) -> Transcript {
    Transcript::new(format!("tests/transcripts/{name}.txt"))
        .hide(Mask::Ports)
        .hide(Mask::Pids)
}
