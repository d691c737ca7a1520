//! The whole program, against servers that are processes of their own.

mod arguments;
mod churn;
mod compare;
mod fake_server;
mod fan_out;
mod hostile;
mod idle;
mod latency;
mod slow;

use chapter_tests::{Finished, Launch, Mask, Program, Transcript};
use serde_json::Value;

/// The program under test.
const STRESS_CLIENT: &str = env!("CARGO_BIN_EXE_stress-client");

/// Our own server, without flood control.
fn server() -> Program {
    Program::start(STRESS_CLIENT, ["--serve", "lifted"])
}

/// Runs the program with these arguments, parted by spaces.
fn run(arguments: &str) -> Finished {
    Launch::new(STRESS_CLIENT)
        .args(arguments.split_whitespace())
        .run()
}

/// Measures `server`; the figures, and everything else that is in the object.
fn measure(server: &Program, arguments: &str) -> Value {
    let (address, pid) = (server.listening_on(), server.pid());
    let finished = run(&format!("{address} {arguments} --json --pid {pid}"));
    assert!(finished.status.success(), "{finished:?}");
    serde_json::from_str(&finished.stdout).expect("it is JSON")
}

/// One of the figures.
fn figure(measured: &Value, key: &str) -> f64 {
    let figure = measured["figures"][key].as_f64();
    figure.unwrap_or_else(|| panic!("no {key} in {measured}"))
}

/// One that is whole.
fn count(measured: &Value, key: &str) -> u64 {
    let count = measured["figures"][key].as_u64();
    count.unwrap_or_else(|| panic!("no whole {key} in {measured}"))
}

/// Compares a table with `tests/transcripts/NAME.txt`: all but what differs from run to run.
fn compare_table(name: &str, table: &str) {
    Transcript::new(format!("tests/transcripts/{name}.txt"))
        .reduce(what_counts)
        .hide(Mask::Times)
        .hide(Mask::Before("B"))
        .hide(Mask::Before("%"))
        .compare(table);
}

/// Nothing of the machine and of how busy it is; of a rate and of what was late the name.
fn what_counts(line: &str) -> Option<String> {
    if line.starts_with("  Linux ") || line.contains("the generator is the limit") {
        return None;
    }
    let (name, _) = line.rsplit_once(' ')?;
    let counts = if line.contains(" sent late ") || line.contains("deliveries a second ") {
        name.trim_end()
    } else {
        line
    };
    Some(counts.to_owned())
}
