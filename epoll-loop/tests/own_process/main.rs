//! Tests of the loop that need a process of their own, one each.
//!
//! A signal mask, a fork and the numbers of descriptors belong to a process,
//! and the usual harness runs tests as threads of one. Here each test is run by
//! starting this program again (`harness.rs`), so that it has one thread.
//! Run one: `cargo test -p epoll-loop --test own_process -- signals::`

mod children;
mod clock_readings;
mod descriptor_limit;
mod descriptor_numbers;
mod fork;
mod harness;
mod interruptions;
#[path = "../record/mod.rs"]
mod record;
mod signal_masks;
mod signals;
#[path = "../sockets/mod.rs"]
mod sockets;
mod standard_output;
mod system_calls;
mod trace;

use std::process::ExitCode;

fn main() -> ExitCode {
    harness::run(&[
        children::TESTS,
        clock_readings::TESTS,
        descriptor_limit::TESTS,
        descriptor_numbers::TESTS,
        fork::TESTS,
        interruptions::TESTS,
        signal_masks::TESTS,
        signals::TESTS,
        standard_output::TESTS,
        system_calls::TESTS,
        trace::TESTS,
    ])
}
