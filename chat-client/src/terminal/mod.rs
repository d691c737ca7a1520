//! The terminal: its keys, what is drawn on it, and how it is given back.
//!
//! Shows: how a terminal is used by a program that must not wait for it. It is
//! opened a second time, non-blocking; bytes are read until there are none, and
//! made into keys by a machine without I/O; a frame is drawn into memory and
//! written as the terminal takes it; and whatever happens, the modes are
//! restored that it had before.
//! Leaves out: when to read and draw, which is the loop's (`screen_mode`).
//!
//! crossterm has a reader too. It waits on an epoll of its own, edge-triggered,
//! with a pipe for SIGWINCH, and blocks within a key that has begun: none of
//! that can live in somebody else's loop.

mod guard;
mod keys;
mod output;
mod tty;

pub(crate) use guard::Guard;
pub(crate) use keys::{Keys, MAX_PASTE_BYTES, Typed};
pub(crate) use output::Output;
pub(crate) use tty::{open, size};
