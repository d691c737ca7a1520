//! What demo and explain print is a transcript.

use chapter_tests::{Finished, Launch, Mask, Transcript};

use crate::PROGRAM;

#[track_caller]
fn compare(finished: &Finished, file: &str) {
    assert!(finished.status.success(), "{}", finished.stdout);
    Transcript::new(file)
        .hide(Mask::Times)
        .hide(Mask::Pids)
        // Numbers are those that are free.
        .hide(Mask::After("fd "))
        .compare(&finished.stdout);
}

#[test]
fn the_demonstration_tells_what_the_kernel_answered() {
    let finished = Launch::new(PROGRAM).args(["demo"]).run();
    assert_eq!(finished.stderr, "");
    compare(&finished, "tests/transcripts/demo.txt");
}

#[test]
fn the_explanation_tells_what_the_kernel_answered() {
    let finished = Launch::new(PROGRAM).args(["explain"]).run();
    assert_eq!(finished.stderr, "");
    compare(&finished, "tests/transcripts/explain.txt");
}

#[test]
fn the_trace_shows_how_the_receiver_waits() {
    let finished = Launch::new(PROGRAM).args(["demo", "--trace"]).run();
    assert!(finished.status.success(), "{}", finished.stdout);
    assert!(
        finished.stderr.contains(" receiver IN"),
        "{}",
        finished.stderr
    );
}
