//! What `--trace` shows: of a short visit, as the README has it, and of a hand-over.

use std::path::Path;

use chapter_tests::{Mask, Peer, Program, Signal, TemporaryDirectory, Transcript};

const SERVER: &str = env!("CARGO_BIN_EXE_chat-server");

const TRANSCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/transcripts/trace.txt");

const HAND_OVER: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/transcripts/hand_over.txt"
);

/// Compares a trace of the server with what is in `file`.
fn compare(file: &str, trace: &str) {
    Transcript::new(Path::new(file))
        .hide(Mask::Times)
        .hide(Mask::LineStart)
        .hide(Mask::After("fd "))
        .hide(Mask::After("timer "))
        .compare(trace);
}

#[test]
fn a_visit_with_nc_is_traced_as_the_readme_shows() {
    let program = Program::start(
        SERVER,
        [
            "--trace",
            "--log=off",
            "--listen=127.0.0.1:0",
            "--plain-listen=127.0.0.1:0",
        ],
    );
    let [_, plain] = program.listening_on_all();
    let mut visitor = Peer::connect(plain);
    visitor.expect_line("In #lobby");
    visitor.send_line("/who");
    visitor.expect_line("In #lobby");
    visitor.half_close();
    visitor.expect_eof();
    drop(visitor);
    program.wait_for_error_line("end       fd");
    program.signal(Signal::SIGTERM);
    let finished = program.finish();
    assert!(finished.status.success());
    compare(TRANSCRIPT, &finished.stderr);
}

#[test]
fn the_readme_shows_the_transcript_as_it_is() {
    let readme = include_str!("../../README.md");
    let transcript = std::fs::read_to_string(TRANSCRIPT).expect("the transcript is there");
    assert!(
        readme.contains(transcript.trim_end()),
        "the README shows another trace"
    );
}

#[test]
fn the_trace_of_an_old_server_shows_it_stand_still_and_leave() {
    let directory = TemporaryDirectory::new();
    let path = directory.join("takeover");
    let path = path.to_str().unwrap();
    let log = "--log=off";
    let listen = ["--listen=127.0.0.1:0", "--plain-listen=127.0.0.1:0"];
    let own = ["--trace", log, "--takeover-socket", path];
    let old = Program::start(SERVER, own.iter().chain(&listen));
    let [_, plain] = old.listening_on_all();
    let mut visitor = Peer::connect(plain);
    visitor.expect_line("In #lobby");
    let new = Program::start(SERVER, [log, "--takeover", path]);
    new.listening_on();
    let finished = old.finish();
    assert!(finished.status.success());
    visitor.send_line("/who");
    visitor.expect_line("In #lobby");
    compare(HAND_OVER, &finished.stderr);
}
