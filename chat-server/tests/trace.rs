//! What `--trace` shows of a short visit, as the README has it.

use std::path::Path;

use chapter_tests::{Mask, Peer, Program, Signal, Transcript};

const TRANSCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/transcripts/trace.txt");

#[test]
fn a_visit_with_nc_is_traced_as_the_readme_shows() {
    let program = Program::start(
        env!("CARGO_BIN_EXE_chat-server"),
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
    Transcript::new(Path::new(TRANSCRIPT))
        .hide(Mask::Times)
        .hide(Mask::LineStart)
        .hide(Mask::After("fd "))
        .hide(Mask::After("timer "))
        .compare(&finished.stderr);
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
