//! The demonstration is a transcript.

use chapter_tests::{Launch, Mask, Transcript};

use crate::PROGRAM;

#[test]
fn the_demonstration_tells_what_the_kernel_answers() {
    let finished = Launch::new(PROGRAM).args(["demo"]).run();
    assert_eq!(finished.stderr, "");
    assert!(finished.status.success(), "{}", finished.stdout);
    Transcript::new("tests/transcripts/demo.txt")
        .hide(Mask::Times)
        .hide(Mask::Ports)
        // Datagrams that come while the server reads make another batch.
        .hide(Mask::After("system calls: "))
        .compare(&finished.stdout);
}

#[test]
fn the_trace_shows_both_transports_in_one_loop() {
    let finished = Launch::new(PROGRAM).args(["demo", "--trace"]).run();
    assert!(finished.status.success(), "{}", finished.stdout);
    for line in [
        " echo for IN|OUT|RDHUP",
        " udp for IN|RDHUP",
        " udp IN, took",
        " udp client ERR, took",
    ] {
        assert!(
            finished.stderr.contains(line),
            "{line}: {}",
            finished.stderr
        );
    }
}
