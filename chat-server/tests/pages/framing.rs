//! A byte stream is not messages.

use chapter_tests::{Peer, Signal};

use crate::support::serve;
use crate::{joined, transcript};

#[test]
fn lines_are_the_same_however_the_bytes_come_and_what_is_dropped_is_counted() {
    let mut server = serve(&["--log", "debug"]);
    let mut peer = Peer::connect(server.listening_on());
    let mut lines = Vec::new();
    peer.send("PING :one\nPING :two\r\nPI");
    lines.extend([peer.read_line(), peer.read_line()]);
    peer.send("NG :three\r\n");
    lines.push(peer.read_line());
    // None of these is answered as a PING.
    peer.send("PING :fo\0ur\r\n");
    peer.send(format!("PING :{}\r\n", "0".repeat(600)));
    peer.send("PING :fi");
    peer.half_close();
    lines.extend(peer.expect_eof());
    drop(peer);
    server.signal(Signal::SIGTERM);
    server.wait();
    let log = server.stderr();
    let (_, counted) = log.split_once("until now ").expect("what was counted");
    for counter in ["lines_too_long", "lines_unfinished", "lines_with_nul_or_cr"] {
        let (_, number) = counted.split_once(counter).expect("a counter");
        let number = number
            .split([':', '=', ' ', ',', '\n'])
            .find(|text| !text.is_empty());
        lines.push(format!(
            "in the log: {counter} {}",
            number.unwrap_or_default()
        ));
    }
    transcript("framing.txt").compare(&joined(&lines));
}
