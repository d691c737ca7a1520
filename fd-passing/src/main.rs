//! Gives an open file to another process, and shows what a descriptor is.
//!
//! Chapter: passing descriptors (the book's section 13.9, listing 13-5).
//! Run it: `cargo run -p fd-passing -- demo`; or, in two terminals,
//! `... -- offer Cargo.toml --socket /tmp/meet` and `... -- take --socket /tmp/meet`
//!
//! Shows: `SCM_RIGHTS` at work between processes; and, as `explain`, everything
//! around it: dup, fcntl's flags and locks, exec, fork, epoll.
//! What the printed listing gets wrong says the library (`lib.rs`).

mod child;
mod demo;
mod explain;
mod offer;
mod steps;
mod take;

use std::error::Error;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

/// Pass an open file to another process
///
/// A descriptor is a number that one process has for an open file. What is sent
/// over a UNIX socket with SCM_RIGHTS is no number: the receiver gets one of its
/// own for the same open file, with the same offset and the same flags, whether
/// or not it could have opened that file itself.
///
/// Chapter: passing descriptors, section 13.9.
///
/// Examples:
///   fd-passing demo
///   fd-passing explain
///   fd-passing offer notes.txt --socket /tmp/meet    and in another terminal:
///   fd-passing take --socket /tmp/meet               or, instead of that:
///   fd-passing take --socket /tmp/meet -- wc -l
#[allow(clippy::doc_markdown, reason = "the help text is shown as it is")]
#[derive(Debug, Parser)]
#[command(version, verbatim_doc_comment)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show what is passed: the open file, and not its number
    ///
    /// Makes both ends itself. Exit code 1 if the kernel answers otherwise than
    /// the text says.
    #[command(verbatim_doc_comment)]
    Demo {
        #[command(flatten)]
        trace: chapter::Trace,
    },
    /// Show what a descriptor is: dup, fcntl's flags and locks, exec, fork, epoll
    ///
    /// Starts other processes where one is not enough. Exit code 1 if the kernel
    /// answers otherwise than the text says.
    #[command(verbatim_doc_comment)]
    Explain,
    Offer(OfferArguments),
    Take(TakeArguments),
    /// The other process of explain and demo
    #[command(hide = true)]
    Child {
        #[arg(value_enum)]
        role: child::Role,
        /// A file, for those roles that use one
        file: Option<PathBuf>,
    },
}

/// Open a file, and give it to the first who asks for it at a socket
///
/// Only processes of the same user are answered, by the kernel's word
/// (SO_PEERCRED), unless others are allowed. Those who take it share one offset:
/// what one of them reads, the next does not get.
#[allow(clippy::doc_markdown, reason = "the help text is shown as it is")]
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct OfferArguments {
    /// File to open for reading; - is standard input, whatever that is
    pub(crate) file: PathBuf,

    /// Where to wait: a path for a UNIX socket, which is for this user alone
    #[arg(long, value_name = "PATH")]
    pub(crate) socket: PathBuf,

    /// How many processes it is given to before this one ends
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) count: u32,

    /// User number to allow instead of this one's; may be given several times.
    /// Others than root need a way to the socket too, which is mode 0600
    #[arg(long, value_name = "UID")]
    pub(crate) allow: Vec<u32>,

    #[command(flatten)]
    pub(crate) trace: chapter::Trace,
}

/// Take the file that is offered at a socket, and print what is in it
///
/// With a COMMAND the file becomes the standard input of that instead.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct TakeArguments {
    /// Where it is offered
    #[arg(long, value_name = "PATH")]
    pub(crate) socket: PathBuf,

    /// How long to wait for it (500ms, 3s, 2m)
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = chapter::duration)]
    pub(crate) timeout: Duration,

    #[command(flatten)]
    pub(crate) trace: chapter::Trace,

    /// Command to run with the file as its standard input
    #[arg(last = true)]
    pub(crate) command: Vec<OsString>,
}

fn main() -> ExitCode {
    let result: Result<ExitCode, Box<dyn Error>> = match Arguments::parse().command {
        Command::Demo { trace } => demo::run(trace).map(done),
        Command::Explain => explain::run().map(done),
        Command::Offer(arguments) => offer::run(&arguments).map(done),
        Command::Take(arguments) => take::run(&arguments),
        Command::Child { role, file } => child::run(role, file).map(done),
    };
    match result {
        Ok(code) => code,
        Err(err) => chapter::exit("fd-passing", Err(in_words(&*err))),
    }
}

/// An error as one line; the system's without its number.
fn in_words(err: &(dyn Error + 'static)) -> String {
    err.downcast_ref()
        .map_or_else(|| err.to_string(), chapter::why)
}

fn done((): ()) -> ExitCode {
    ExitCode::SUCCESS
}
