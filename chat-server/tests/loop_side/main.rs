//! The loop side of the real server: how connections begin, last and end, what is limited, and what
//! a person who runs the program sees.
//!
//! Leaves out: attacks (`tests/hostile`), and what is said (`tests/room`).

mod arguments;
mod embedded;
mod flood;
mod last_words;
mod lifecycle;
mod limits;
mod listening;
mod log;
mod notes;
mod shutdown;
#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "each test program needs its part")]
mod support;
mod writes;
