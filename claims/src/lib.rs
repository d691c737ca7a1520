//! What study notes claim about I/O multiplexing, tested on this kernel in front of the learner.
//!
//! Chapter: all of them; each claim names its own.
//! Run it: `cargo run -p claims` lists the claims, `cargo run -p claims -- 5` runs one of them,
//! `cargo run -p claims -- --all` all.
//!
//! Shows: the sentence as it is believed, a question, what the kernel really does, and why. One
//! file an experiment, on bare calls, in `experiments/`.
//! Leaves out: the event loop; the system call is what is to be seen.
//!
//! A library too, so that the book can show each claim as the program does: [`ALL`].

mod ask;
mod claim;
mod experiments;
mod forked;
mod json;
mod list;
mod own_process;
mod program;
mod readiness;
mod report;
mod run_state;
mod show;
mod signals;
mod sys;
mod tcp;
mod words;

pub use claim::{Chapter, Claim, Place, Sentence, Verdict};
pub use experiments::ALL;
pub use program::main;
