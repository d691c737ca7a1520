//! For tests: start a program, wait for a line, require or skip a tool.
//!
//! A test of a whole program starts the real binary, waits for what it says, talks to it as a
//! client would, and looks at its memory and descriptors from outside. Nothing here sleeps: each
//! wait is for a line, a byte, a screen or an exit. A deadline ends it only when the test has
//! failed, and what the program has printed is then shown.
//!
//! ```no_run
//! use chapter_tests::{Peer, Program, Signal, process};
//!
//! # macro_rules! env { ($name:literal) => { $name } }
//! let mut server =
//!     Program::start(env!("CARGO_BIN_EXE_chat-server"), ["--listen", "127.0.0.1:0"]);
//! let mut alice = Peer::connect(server.listening_on());
//! alice.send_line("NICK alice");
//! alice.send_line("USER alice 0 * :Alice");
//! alice.expect_line([" 001 ", "alice"]);
//! assert!(process::resident_bytes(server.pid()) < 32 << 20);
//!
//! server.signal(Signal::SIGTERM);
//! alice.expect_eof();
//! assert!(server.wait().success());
//! ```
//!
//! | to | there is |
//! |---|---|
//! | run a program | [`Program`], [`Launch`] for more options, [`tmux::Tmux`] or [`Pty`] on a terminal |
//! | talk to a server | [`Peer`] |
//! | say which line is waited for | [`LinePattern`] |
//! | need another program | [`tools`] |
//! | compare printed output with a file | [`Transcript`], [`Mask`] |
//! | see what the kernel knows of a process | [`process`] |
//! | know how many descriptors there are | [`limits`] |
//! | see what allocates | [`allocations`] |
//! | write a benchmark | [`benchmark`], and `chapter`'s medians |
//! | have a place for files | [`TemporaryDirectory`] |

pub mod allocations;
pub mod benchmark;
mod deadline;
mod difference;
mod launch;
pub mod limits;
mod mask;
mod output;
mod pattern;
mod peer;
pub mod process;
mod program;
mod pty;
mod temporary_directory;
pub mod tmux;
pub mod tools;
mod transcript;

pub use deadline::TIMEOUT;
pub use launch::Launch;
pub use mask::Mask;
pub use nix::sys::signal::Signal;
pub use nix::unistd::Pid;
pub use pattern::LinePattern;
pub use peer::Peer;
pub use program::{Finished, Program};
pub use pty::{Pty, TerminalModes};
pub use temporary_directory::TemporaryDirectory;
pub use transcript::Transcript;
