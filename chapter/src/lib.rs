//! The manners that all programs of the workshop share.
//!
//! Whoever has used one program knows the others: durations and sizes are written the same way, a
//! server says where it listens, a failure is one line and exit code 1, `--trace` shows the loop.
//! Figures come as medians of rounds, with the machine on which they were measured.
//!
//! ```no_run
//! use std::io;
//! use std::net::{SocketAddr, TcpListener};
//! use std::process::ExitCode;
//! use std::time::Duration;
//!
//! use clap::Parser;
//!
//! /// Accept one connection, or give up
//! #[derive(Parser)]
//! struct Args {
//!     /// Address to listen on; port 0 takes a free one
//!     #[arg(long, default_value = "127.0.0.1:0")]
//!     listen: SocketAddr,
//!
//!     /// How long to wait for a peer (500ms, 3s, 2m)
//!     #[arg(long, default_value = "10s", value_parser = chapter::duration)]
//!     timeout: Duration,
//!
//!     #[command(flatten)]
//!     trace: chapter::Trace,
//! }
//!
//! fn main() -> ExitCode {
//!     chapter::exit("accept-one", run(&Args::parse()))
//! }
//!
//! fn run(args: &Args) -> io::Result<()> {
//!     chapter::raise_descriptor_limit()?;
//!     let listener = TcpListener::bind(args.listen)?;
//!     chapter::listening_on(listener.local_addr()?)?;
//!     // ... the loop ...
//!     Ok(())
//! }
//! ```
//!
//! Leaves out: the loop (`epoll-loop`), and what only tests need (`chapter-tests`).

mod descriptor_limit;
mod duration;
mod exit;
mod listening_on;
mod machine;
mod quantity;
mod rounds;
mod size;
mod timeline;
mod trace;
mod utc;
mod why;

pub use descriptor_limit::{descriptor_limit, raise_descriptor_limit};
pub use duration::{ShowDuration, duration, show_duration};
pub use exit::exit;
pub use listening_on::listening_on;
pub use machine::Machine;
pub use quantity::QuantityError;
pub use rounds::{Estimate, interleave, median};
pub use size::{ShowSize, show_size, size};
pub use timeline::{Timeline, Unexpected};
pub use trace::{Trace, Tracing};
pub use utc::{Utc, unix_seconds};
pub use why::{errno_name, why};
