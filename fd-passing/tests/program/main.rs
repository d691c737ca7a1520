//! The program from outside.

mod offer_and_take;
mod timelines;

const PROGRAM: &str = env!("CARGO_BIN_EXE_fd-passing");
