//! Connects to many targets at once, without blocking, and says how it went.
//!
//! Chapter: non-blocking connect (the book's section 9.5, listing 9-5).
//! Run it: `cargo run -p nonblock-connect -- 127.0.0.1:1-1024 --timeout 2s`
//!
//! Shows: hundreds of connects in one thread, each with its deadline; names looked up by threads;
//! `--wait`, by which a script waits for a server; and, as `demo`, what the kernel reports of a
//! connect that works, is refused, or hears nothing.
//! Leaves out: sending anything. Who answers is found out, not what.

mod demo;
mod peer;
mod probe;
mod report;

use std::fmt;
use std::io;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use nonblock_connect::{Target, TargetRange};

use demo::DemoError;
use peer::PeerArgs;
use probe::Settings;

/// Descriptors that are for other things than connects: standard ones, epoll, an eventfd.
const SPARE_DESCRIPTORS: u64 = 32;

/// Connect to many targets at once, and tell which of them answer
///
/// A connect is begun without waiting for it (EINPROGRESS); the socket becomes writable when the
/// attempt is over, whether it worked or not, and SO_ERROR tells which. So one thread can have
/// hundreds on their way. A name with several addresses is tried as RFC 8305 says: 250 ms after one
/// address comes the next, the first that answers wins, and the others are closed.
///
/// Each target gets a line as soon as it is known. Exit code 0 if all are connected, else 1.
///
/// Chapter: non-blocking connect, section 9.5. See what the kernel does: nonblock-connect demo
///
/// Examples:
///   nonblock-connect localhost:22 '[::1]:80' example.org:443
///   nonblock-connect 127.0.0.1:1-1024 | grep connected
///   nonblock-connect db:5432 cache:6379 --wait 30s && ./start
#[allow(clippy::doc_markdown, reason = "the help text is shown as it is")]
#[derive(Debug, Parser)]
#[command(
    version,
    verbatim_doc_comment,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true
)]
struct Args {
    /// host:port, or host:first-last for one target a port; the host is a name, an IPv4 address or
    /// an IPv6 address in brackets
    #[arg(required = true, value_name = "TARGET")]
    targets: Vec<TargetRange>,

    /// How long one attempt with one target may take, looking its name up included (500ms, 3s, 2m)
    #[arg(long, value_name = "DURATION", default_value = "3s", value_parser = some_time)]
    timeout: Duration,

    /// How many attempts are on their way at the same time; fewer if the limit of descriptors says
    /// so
    #[arg(long, value_name = "N", default_value_t = 512, value_parser = some_attempts)]
    in_flight: usize,

    /// Try again what fails, every 200 ms, until it works or this long has passed
    #[arg(long, value_name = "DURATION", value_parser = some_time)]
    wait: Option<Duration>,

    /// Print one JSON object a line, and a last one with the summary
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    trace: chapter::Trace,

    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show what the kernel reports of a connect: open, refused, silent, and timed out three ways
    ///
    /// Makes its peers itself, on loopback. Exit code 1 if the kernel answers otherwise than the
    /// text says.
    Demo {
        #[command(flatten)]
        trace: chapter::Trace,
    },
    Peer(PeerArgs),
}

/// Why the program ends with exit code 1.
#[derive(Debug)]
enum Failure {
    /// One target, and why it was not connected.
    One(Target, String),
    /// So many of so many.
    Some(usize, usize),
    /// What could not be done, and why.
    System(String, io::Error),
    Demo(DemoError),
    /// Nobody reads standard output any more. Nothing is said about it, as of any other program in
    /// a pipe: whoever closed it knows.
    ReaderGone,
}

fn main() -> ExitCode {
    match run(Args::parse()) {
        Err(Failure::ReaderGone) => ExitCode::FAILURE,
        result => chapter::exit("nonblock-connect", result),
    }
}

fn run(args: Args) -> Result<(), Failure> {
    match args.command {
        Some(Command::Demo { trace }) => demo::run(trace).map_err(Failure::Demo),
        Some(Command::Peer(peer)) => {
            let at = peer.listen.to_string();
            peer::run(&peer).map_err(|err| Failure::System(at, err))
        }
        None => probe(args),
    }
}

/// Connects to all targets.
fn probe(args: Args) -> Result<(), Failure> {
    let system = |err| Failure::System("descriptors".to_owned(), err);
    let limit = chapter::raise_descriptor_limit().map_err(system)?;
    let fitting = usize::try_from(limit.saturating_sub(SPARE_DESCRIPTORS)).unwrap_or(usize::MAX);
    let in_flight = args.in_flight.min(fitting.max(1));
    if in_flight < args.in_flight {
        let asked = args.in_flight;
        eprintln!(
            "nonblock-connect: --in-flight {asked}: {in_flight} at a time, since this process may \
             have {limit} descriptors"
        );
    }
    let targets = args.targets.into_iter().flat_map(TargetRange::targets);
    let settings = Settings {
        timeout: args.timeout,
        in_flight,
        wait: args.wait,
        json: args.json,
    };
    let done =
        probe::run(Box::new(targets), settings, args.trace).map_err(|err| match err.kind() {
            io::ErrorKind::BrokenPipe => Failure::ReaderGone,
            _ => Failure::System("connecting".to_owned(), err),
        })?;
    let (all, connected) = (done.summary.targets, done.summary.connected);
    match done.failure {
        _ if connected == all => Ok(()),
        Some((target, why)) if all == 1 => Err(Failure::One(target, why)),
        _ => Err(Failure::Some(all - connected, all)),
    }
}

/// A duration that is not zero: in no time nothing can be connected.
fn some_time(text: &str) -> Result<Duration, ArgumentError> {
    match chapter::duration(text) {
        Ok(Duration::ZERO) => Err(ArgumentError::Zero),
        Ok(duration) => Ok(duration),
        Err(err) => Err(ArgumentError::Duration(err)),
    }
}

fn some_attempts(text: &str) -> Result<usize, ArgumentError> {
    match text.parse() {
        Ok(0) => Err(ArgumentError::Zero),
        Ok(number) => Ok(number),
        Err(err) => Err(ArgumentError::Number(err)),
    }
}

/// Why an argument is refused.
#[derive(Debug)]
enum ArgumentError {
    Zero,
    Duration(chapter::QuantityError),
    Number(std::num::ParseIntError),
}

impl fmt::Display for ArgumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ArgumentError::Zero => f.write_str("nothing can be connected with 0"),
            ArgumentError::Duration(err) => err.fmt(f),
            ArgumentError::Number(err) => err.fmt(f),
        }
    }
}

impl std::error::Error for ArgumentError {}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::One(target, why) => write!(f, "{target}: {why}"),
            Failure::Some(failed, all) => write!(f, "{failed} of {all} targets: not connected"),
            Failure::System(what, err) => write!(f, "{what}: {}", chapter::why(err)),
            Failure::Demo(err) => err.fmt(f),
            Failure::ReaderGone => f.write_str("standard output: nobody reads it"),
        }
    }
}
