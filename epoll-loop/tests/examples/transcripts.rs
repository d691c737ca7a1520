//! The examples that end by themselves, and what they print.

use chapter_tests::{Launch, Mask, Transcript};

use crate::example;

/// Runs an example, and compares what it prints with the file of its name.
fn compare(name: &str) {
    let finished = Launch::new(example(name)).run();
    assert!(finished.status.success(), "{}", finished.stderr);
    assert_eq!(finished.stderr, "");
    Transcript::new(format!("tests/transcripts/{name}.txt"))
        .hide(Mask::Times)
        .hide(Mask::After("fd "))
        .hide(Mask::After("descriptor "))
        .compare(&finished.stdout);
}

#[test]
fn the_change_list_tells_the_kernel_what_is_needed_and_no_more() {
    compare("changes");
}

#[test]
fn a_turn_goes_its_steps_in_their_order() {
    compare("turns");
}

#[test]
fn a_timer_is_late_but_never_early_and_an_idle_one_is_pushed_out() {
    compare("deadlines");
}

#[test]
fn signals_children_and_threads_wake_a_loop() {
    compare("wake_ups");
}

#[test]
fn a_stale_event_reaches_nobody_and_a_number_is_not_used_again_in_its_batch() {
    compare("owners");
}

#[test]
fn the_kernel_reports_the_event_sets_that_the_table_has() {
    compare("event_sets");
}
