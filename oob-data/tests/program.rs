//! Both ends of the program, against each other and against what they did not write.

use std::io::Read;
use std::net::TcpListener;

use chapter_tests::{Finished, Launch, Mask, Peer, Program, Transcript};
use oob_data::send_urgent;

const PROGRAM: &str = env!("CARGO_BIN_EXE_oob-data");

fn run<A: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = A>) -> Finished {
    Launch::new(PROGRAM).args(args).run()
}

/// What stands in quotes behind this, in all lines together.
fn quoted(output: &str, behind: &str) -> String {
    let parts = output.lines().filter_map(|line| {
        let quoted = line.split_once(behind)?.1.strip_prefix('\'')?;
        quoted.split_once('\'').map(|(text, _)| text)
    });
    parts.collect()
}

/// What a receiver of this kind tells of '123', urgent 'abc', '123'.
fn received(via: &str) -> String {
    let mut receiver = Program::start(PROGRAM, ["receive", "--via", via]);
    let address = receiver.listening_on().to_string();
    let sent = run(["send", &address]);
    assert!(sent.status.success(), "{}", sent.stderr);
    assert!(receiver.wait().success(), "{}", receiver.stderr());
    receiver.stdout()
}

#[test]
fn whatever_tells_of_it_the_urgent_byte_is_taken_and_the_rest_is_data() {
    for via in ["epoll", "select", "sigurg"] {
        let output = received(via);
        assert_eq!(quoted(&output, "recv -> "), "123ab123", "{via}: {output}");
        assert_eq!(quoted(&output, "recv(MSG_OOB) -> "), "c", "{via}: {output}");
        assert!(output.ends_with("end of the connection\n"), "{output}");
    }
}

#[test]
fn epoll_select_and_the_signal_tell_of_the_urgent_byte() {
    for (via, sign) in [
        // PRI alone, if epoll was asked between the mark and the data of the same segment.
        ("epoll", ["epoll reports ", "PRI"]),
        ("select", ["select reports ", "exceptional 1"]),
        ("sigurg", ["receive", "SIGURG"]),
    ] {
        let mut receiver = Program::start(PROGRAM, ["receive", "--via", via]);
        let mut peer = Peer::connect(receiver.listening_on());
        peer.stream().set_nodelay(true).unwrap();
        // It reads, so the signal has an owner.
        peer.send("123");
        receiver.wait_for_line("recv -> '123'");
        send_urgent(peer.stream(), b"abc").unwrap();
        receiver.wait_for_line(sign);
        peer.half_close();
        peer.expect_eof();
        assert!(receiver.wait().success(), "{}", receiver.stderr());
        let output = receiver.stdout();
        assert_eq!(quoted(&output, "recv -> "), "123ab", "{via}: {output}");
        assert_eq!(quoted(&output, "recv(MSG_OOB) -> "), "c", "{via}: {output}");
    }
}

#[test]
fn in_line_the_urgent_byte_is_the_first_one_behind_the_mark() {
    let output = received("inline");
    assert_eq!(quoted(&output, "recv -> "), "123abc123", "{output}");
    assert!(!output.contains("MSG_OOB"), "{output}");
    let behind = output.split_once("at the mark: the next byte").unwrap().1;
    assert!(quoted(behind, "recv -> ").starts_with('c'), "{output}");
}

#[test]
fn parts_are_sent_in_their_order_to_a_peer_that_knows_nothing_of_urgent_data() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let program = Program::start(PROGRAM, ["send", &address, "ab", "oob:X", "cd"]);
    let (mut stream, _) = listener.accept().unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert_eq!(text, "abcd", "the urgent byte is not in the stream");
    let finished = program.finish();
    assert!(finished.status.success());
    assert!(finished.stdout.contains("send(MSG_OOB) 'X'\n"));
}

#[test]
fn a_receiver_reads_a_peer_that_sends_nothing_urgent_and_takes_much_in_pieces() {
    let mut receiver = Program::start(PROGRAM, ["receive", "--via=epoll"]);
    let mut peer = Peer::connect(receiver.listening_on());
    peer.send(vec![b'x'; 100_000]);
    peer.half_close();
    peer.expect_eof();
    assert!(receiver.wait().success());
    assert!(receiver.stdout().contains(" bytes more\n"));
}

#[test]
fn a_peer_that_resets_is_told_of_and_the_exit_code_is_1() {
    let mut receiver = Program::start(PROGRAM, ["receive"]);
    let peer = Peer::connect(receiver.listening_on());
    peer.reset();
    assert_eq!(receiver.wait().code(), Some(1));
    assert_eq!(
        receiver.stderr(),
        "oob-data: 127.0.0.1:0: connection reset by peer\n"
    );
}

#[test]
fn the_trace_shows_what_the_kernel_reported() {
    let mut receiver = Program::start(PROGRAM, ["receive", "--trace"]);
    let address = receiver.listening_on().to_string();
    assert!(run(["send", &address]).status.success());
    assert!(receiver.wait().success());
    let trace = receiver.stderr();
    let tells =
        |line: &str| line.contains("call ") && line.contains(" peer ") && line.contains("PRI");
    assert!(trace.lines().any(tells), "{trace}");
}

#[test]
fn what_makes_no_sense_is_refused_with_exit_code_2() {
    for (args, said) in [
        (&[][..], "Usage"),
        (&["send"], "<TO>"),
        (&["send", "127.0.0.1:1", "oob:"], "at least one byte"),
        (&["receive", "--via", "poll"], "possible values"),
    ] {
        run(args).is_usage_error(said);
    }
}

#[test]
fn the_demonstration_shows_what_its_transcript_has() {
    let finished = run(["demo"]);
    assert!(
        finished.status.success(),
        "{}{}",
        finished.stdout,
        finished.stderr
    );
    Transcript::new("tests/transcripts/demo.txt")
        .hide(Mask::Times)
        .hide(Mask::Before("bytes"))
        .compare(&finished.stdout);
}

#[test]
fn the_demonstration_goes_the_same_way_when_it_is_traced() {
    let finished = run(["demo", "--trace"]);
    assert!(finished.status.success(), "{}", finished.stdout);
    assert!(finished.stderr.contains("SIGURG"));
}
