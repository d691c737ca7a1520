//! The examples that end by themselves, and what they print.

use std::panic;

use chapter_tests::{Launch, Mask, Transcript};

use crate::example;

/// How often the example that is about time may be run.
const ATTEMPTS: usize = 4;

/// Runs an example, and compares what it prints with the file of its name.
fn compare(name: &str) {
    compare_but_for(name, Mask::After("tfd: "));
}

/// The same where one more kind of number does not count. Returns what was printed.
fn compare_but_for(name: &str, mask: Mask) -> String {
    let finished = Launch::new(example(name)).run();
    assert!(finished.status.success(), "{}", finished.stderr);
    assert_eq!(finished.stderr, "");
    Transcript::new(format!("tests/transcripts/{name}.txt"))
        .hide(Mask::Times)
        .hide(Mask::After("fd "))
        .hide(Mask::After("descriptor "))
        .hide(mask)
        .compare(&finished.stdout);
    finished.stdout
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
    // On a machine that stands still for longer than a tick other ticks are missed: it is asked
    // again. A loop that is wrong is wrong each time.
    for _ in 1..ATTEMPTS {
        if panic::catch_unwind(|| compare("deadlines")).is_ok() {
            return;
        }
    }
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

#[test]
fn a_client_connects_and_writes_before_it_is_accepted_and_the_end_is_a_read_of_0() {
    compare("both_ends");
}

#[test]
fn a_blocking_call_waits_for_the_peer_and_a_short_write_is_normal_without_blocking() {
    // How much a send buffer has room for differs.
    let printed = compare_but_for("blocking", Mask::Before("bytes"));
    let bytes = |call: &str| -> usize {
        let line = printed.lines().find(|line| line.starts_with(call)).unwrap();
        line.split_whitespace()
            .rev()
            .nth(1)
            .unwrap()
            .parse()
            .unwrap()
    };
    assert_eq!(bytes("blocking read"), 5);
    assert!(bytes("non-blocking write") < 64 << 20);
    assert_eq!(bytes("blocking write"), 64 << 20);
}

#[test]
fn select_overwrites_the_set_that_it_is_asked_with() {
    compare("ready_select");
}

#[test]
fn poll_keeps_the_question_and_answers_a_hang_up_that_nobody_asked_for() {
    compare("ready_poll");
}

#[test]
fn epoll_keeps_the_set_and_returns_only_what_is_ready() {
    compare("ready_epoll");
}

#[test]
fn level_repeats_edge_tells_of_news_and_one_shot_is_silent_until_it_is_armed() {
    compare("triggering");
}
