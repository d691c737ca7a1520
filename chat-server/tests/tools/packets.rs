//! tcpdump: the segments of a conversation, in a network of this test's own.

use std::env;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};

use chapter_tests::{Launch, Mask, Peer, Program, Signal, TIMEOUT, tools};
use socket2::{Domain, Socket, Type};

use crate::{support, transcript};

/// Set in the process that runs in a network namespace.
const INSIDE: &str = "CHAT_SERVER_TEST_NETWORK";

// ANCHOR: namespace
/// A network of one's own, with the rights to capture there, and no other rights.
const NAMESPACE: [&str; 4] = [
    // ANCHOR: own
    "--net",
    // ANCHOR_END: own
    "--map-user=1000",
    "--map-group=1000",
    "--keep-caps",
];
// ANCHOR_END: namespace

/// Ports are nobody else's there.
const PORT: u16 = 6668;
const CLIENTS_PORT: u16 = 40_000;

#[test]
fn tcpdump_shows_the_handshake_each_line_and_the_end_of_each_direction() {
    if env::var_os(INSIDE).is_some() {
        return converse();
    }
    let [Some(unshare), Some(tcpdump), Some(_)] = ["unshare", "tcpdump", "ip"].map(tools::find)
    else {
        return;
    };
    let capture = [tcpdump.to_str().unwrap(), "-D"];
    let mut probe = Command::new(&unshare);
    probe
        .args(NAMESPACE)
        .args(capture)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if !probe.status().unwrap().success() {
        return tools::say_lacking("namespaces");
    }
    let name = "packets::tcpdump_shows_the_handshake_each_line_and_the_end_of_each_direction";
    let finished = Launch::new(env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(INSIDE, "1")
        .under("unshare", NAMESPACE)
        .timeout(2 * TIMEOUT)
        .run();
    assert!(
        finished.status.success(),
        "{}{}",
        finished.stdout,
        finished.stderr
    );
}

/// What goes over the wire while somebody comes, says a line and goes.
fn converse() {
    let up = Command::new(tools::find("ip").unwrap())
        .args(["link", "set", "lo", "up"])
        .status();
    assert!(up.unwrap().success());
    let filter = format!("tcp port {PORT}");
    let options = ["-n", "-l", "--immediate-mode", "-i", "lo", &filter];
    let capture = Program::start(tools::find("tcpdump").unwrap(), options);
    capture.wait_for_error_line("listening on lo");

    let listen = format!("127.0.0.1:{PORT}");
    let server = support::serve(&["--plain-listen", &listen]);
    let _ = server.listening_on_all::<2>();
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into();
    socket.bind(&local(CLIENTS_PORT)).unwrap();
    socket.connect(&local(PORT)).unwrap();
    let mut peer = Peer::over(socket.into());
    peer.expect_line("In #lobby");
    peer.send("hello\n");
    // The server has read that before it is told this.
    peer.send("/who\n");
    peer.expect_line("In #lobby");
    peer.send("/quit\n");
    peer.expect_eof();
    drop(peer);
    // The end of the client's direction, and its acknowledgement.
    capture.wait_for_line([".40000 > ", "Flags [F.]"]);
    capture.wait_for_line([".6668 > ", "Flags [.]", "ack 19"]);

    capture.signal(Signal::SIGINT);
    let printed = capture.finish().stdout;
    transcript("tcpdump")
        .hide(Mask::After("win "))
        .hide(Mask::After("val "))
        .hide(Mask::After("ecr "))
        .reduce(segment)
        .compare(&format!("$ sudo tcpdump -n -i lo '{filter}'\n{printed}"));
}

/// What counts of a segment: from whom, its flags, its bytes. A segment that only acknowledges goes
/// alone or with the next one, as the time between them has it, but for that of the handshake.
fn segment(line: &str) -> Option<String> {
    let (_, shown) = line.split_once(" IP ")?;
    let (shown, _) = shown.split_once(", win ")?;
    let is_handshake = shown.contains("Flags [S");
    let only_acknowledges = shown.contains("Flags [.]") && !shown.ends_with(", ack 1");
    let words = shown
        .split(", ")
        .filter(|word| !is_handshake || word.contains("Flags"));
    let words = words.map(|word| word.split(" ack ").next().unwrap_or(word));
    (!only_acknowledges).then(|| {
        words
            .filter(|word| !word.starts_with("ack "))
            .collect::<Vec<_>>()
            .join(", ")
    })
}
