//! Sends and receives TCP urgent data, in every way there is, and shows what becomes of it.
//!
//! Chapter: urgent data (the book's sections 3.8, 5.8.1, 5.9, 9.1.3 and 10.5).
//! Run it: `cargo run -p oob-data -- demo`
//!
//! Shows: the same stream read by way of `EPOLLPRI`, `select(2)`, SIGURG, and `SO_OOBINLINE`; and
//! what the kernel answers where the notes and the listings say something else.
//! Leaves out: a use of one's own. See the library's front page.

mod demo;
mod receive;
mod send;

use std::fmt;
use std::io;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use chapter::Unexpected;
use receive::ReceiveArgs;
use send::SendArgs;

/// TCP urgent data: send it, receive it in four ways, and see what becomes of it
///
/// MSG_OOB gives one byte of a TCP stream a mark. It is announced ahead of the data before it
/// (SIGURG), but it travels in its turn (then EPOLLPRI and the third set of select tell of it),
/// there is one at a time, and the next one overwrites it: no second channel, and no priority. RFC
/// 6093 asks new protocols not to use it. `oob-data demo` shows why.
///
/// Chapter: urgent data, sections 3.8, 5.8.1, 5.9, 9.1.3 and 10.5. In two terminals:
///   oob-data receive --listen 127.0.0.1:7778 --via epoll
///   oob-data send 127.0.0.1:7778 123 oob:abc 123
#[allow(clippy::doc_markdown, reason = "the help text is shown as it is")]
#[derive(Debug, Parser)]
#[command(version, verbatim_doc_comment)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Send(SendArgs),
    Receive(ReceiveArgs),
    /// Show both ends, step by step, and what the kernel answers
    ///
    /// Exit code 1 if the kernel answers otherwise than the text says. Lines that not every kernel
    /// can print end with what they need.
    Demo {
        #[command(flatten)]
        trace: chapter::Trace,
    },
}

/// Why the program ends with exit code 1.
#[derive(Debug)]
enum Failure {
    /// What could not be done, and why.
    System(String, io::Error),
    /// The demonstration went otherwise than it tells.
    Unexpected(Unexpected),
}

fn main() -> ExitCode {
    chapter::exit("oob-data", run(Args::parse().command))
}

fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Send(args) => {
            let to = args.to;
            send::run(&args).map_err(|err| Failure::System(to.to_string(), err))
        }
        Command::Receive(args) => {
            let at = args.listen;
            receive::run(&args).map_err(|err| Failure::System(at.to_string(), err))
        }
        Command::Demo { trace } => demo::run(trace)
            .map_err(|err| Failure::System("demo".to_owned(), err))?
            .map_err(Failure::Unexpected),
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::System(what, err) => write!(f, "{what}: {}", chapter::why(err)),
            Failure::Unexpected(answers) => answers.fmt(f),
        }
    }
}
