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
mod crowd;
mod failure;
mod fan_out;
mod idle;
mod known_lines;
mod latency;
mod machine;
mod process;
mod report;
mod run;
mod serve;
mod sources;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use epoll_loop::{EventLoop, Signal};
use nonblock_connect::Target;
use serde_json::Value;

use arguments::{Arguments, Command};
use machine::Machine;
use process::ServerProcess;
use run::Options;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match (&arguments.target, &arguments.command) {
        _ if arguments.serve => serve::serve(),
        (Some(target), Some(command)) => measure(&arguments, target, command),
        _ => arguments::say_what_is_missing(),
    };
    chapter::exit("stress-client", result.map_err(|err| chapter::why(&err)))
}

fn measure(arguments: &Arguments, target: &Target, command: &Command) -> io::Result<()> {
    chapter::raise_descriptor_limit()?;
    let _signals = EventLoop::block_signals(&[Signal::SIGINT, Signal::SIGTERM])?;
    let options = Options {
        server: arguments::resolve(target)?,
        process: arguments.pid.map(ServerProcess::new),
        patience: arguments.patience,
        trace: arguments.trace,
        quiet: arguments.quiet,
    };
    let report = match command {
        Command::FanOut(arguments) => fan_out::measure(&options, &arguments.plan())?,
        Command::Latency(arguments) => latency::measure(&options, &arguments.plan())?,
        Command::Idle(arguments) => idle::measure(&options, &arguments.plan())?,
        Command::Churn(arguments) => churn::measure(&options, &arguments.plan())?,
    };
    let machine = Machine::look(machine::cores());
    let mut out = io::stdout().lock();
    if arguments.json {
        let mut json = report.to_json();
        json.insert("target".into(), options.server.to_string().into());
        json.insert("machine".into(), report::machine_to_json(&machine));
        writeln!(out, "{}", Value::Object(json))
    } else {
        writeln!(out, "{report}  {machine}")
    }
}
