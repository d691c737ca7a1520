//! Load for IRC servers: how much one carries, and how it behaves under attack.
//!
//! Chapter: the stress client (the book's chapter 16, listing 16-4).
//! Run it: `cargo run --release -p stress-client -- 127.0.0.1:6667 fan-out`
//!
//! Shows: thousands of connections driven by one loop; figures that say what limits them.
//! Leaves out: TLS, and more generators than one core.

mod amount;
mod arguments;
mod churn;
mod compare;
mod crowd;
mod failure;
mod fan_out;
mod hostile;
mod idle;
mod known_lines;
mod latency;
mod process;
mod report;
mod run;
mod schedule;
mod serve;
mod slow;
mod sources;
mod started;

use std::fmt::Display;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;

use chapter::Machine;
use clap::Parser;
use epoll_loop::{BlockedSignals, EventLoop, Signal};
use nonblock_connect::Target;
use serde_json::{Map, Value};

use arguments::{Arguments, Command, Task};
use process::ServerProcess;
use report::Report;
use run::Options;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match arguments.task() {
        Task::Serve(limits) => serve::serve(limits),
        Task::Measure(command, target) => measure_one(&arguments, command, target),
        Task::Compare(command, plan) => measure_several(&arguments, command, &plan),
    };
    chapter::exit("stress-client", result.map_err(|err| chapter::why(&err)))
}

/// Measures the server that the arguments name.
fn measure_one(arguments: &Arguments, command: &Command, target: &Target) -> io::Result<()> {
    let _signals = prepare()?;
    let server = arguments::resolve(target)?;
    arguments::check_permission(command, server);
    let options = options(arguments, server);
    let report = measure(&options, command)?;
    let mut json = report.to_json();
    json.insert("target".into(), options.server.to_string().into());
    show(arguments, &report, json)
}

/// Starts servers and measures them in turns.
fn measure_several(
    arguments: &Arguments,
    command: &Command,
    plan: &compare::Plan,
) -> io::Result<()> {
    let _signals = prepare()?;
    let nobody = SocketAddr::from(([127, 0, 0, 1], 0));
    let comparison = compare::compare(plan, &options(arguments, nobody), &|options| {
        measure(options, command)
    })?;
    show(arguments, &comparison, comparison.to_json())?;
    comparison.failure().map_or(Ok(()), |err| Err(err.into()))
}

fn prepare() -> io::Result<BlockedSignals> {
    chapter::raise_descriptor_limit()?;
    EventLoop::block_signals(&[Signal::SIGINT, Signal::SIGTERM])
}

fn options(arguments: &Arguments, server: SocketAddr) -> Options {
    Options {
        server,
        process: arguments.pid.map(ServerProcess::new),
        under_way: arguments.under_way.map(|number| number as usize),
        patience: arguments.patience,
        trace: arguments.trace,
        quiet: arguments.quiet,
        prefix: String::new(),
    }
}

fn measure(options: &Options, command: &Command) -> io::Result<Report> {
    match command {
        Command::FanOut(arguments) => fan_out::measure(options, &arguments.plan()),
        Command::Latency(arguments) => latency::measure(options, &arguments.plan()),
        Command::Idle(arguments) => idle::measure(options, &arguments.plan()),
        Command::Slow(arguments) => latency::measure(options, &arguments.plan()),
        Command::Hostile(arguments) => hostile::measure(options, &arguments.plan()),
        Command::Churn(arguments) => churn::measure(options, &arguments.plan()),
    }
}

/// Prints what was found, and on what.
fn show(
    arguments: &Arguments,
    found: &impl Display,
    mut json: Map<String, Value>,
) -> io::Result<()> {
    let machine = Machine::here();
    let mut out = io::stdout().lock();
    if arguments.json {
        json.insert("machine".into(), machine.to_string().into());
        writeln!(out, "{}", Value::Object(json))
    } else {
        writeln!(out, "{found}  {machine}")
    }
}
