//! What study notes claim about I/O multiplexing, tested on this kernel in front of the learner.
//!
//! Chapter: all of them; each claim names its own.
//! Run it: `cargo run -p claims` lists the claims, `cargo run -p claims -- 5` runs one of them,
//! `cargo run -p claims -- --all` all.

use std::process::ExitCode;

fn main() -> ExitCode {
    claims::main()
}
