//! The chat room beside ngircd and `InspIRCd`, and the figures that it is meant to reach.
//!
//! Run it: `cargo bench -p stress-client`
//!
//! Shows: each target with its name, what is wanted of our server, and what ours and the others that
//! are installed have come to. It takes some three minutes; with a word behind `--` only those
//! measurements whose names begin with it are made: `cargo bench -p stress-client -- churn`.
//! Leaves out: a verdict on a busy machine. The load is printed; what is a second, or a latency, is
//! worse by it, and CPU time hardly: it tells what a server would do with a core to itself.

use std::env;
use std::error::Error;
use std::process::{Command, Stdio};

use serde_json::Value;

/// Descriptors that server and generator need beside those of the clients.
const OTHER_DESCRIPTORS: u64 = 100;

/// The servers, in the order of the columns.
const SERVERS: [&str; 3] = ["ours", "ngircd", "inspircd"];

/// One run of the program, and what is looked at in it.
struct Measurement {
    arguments: &'static str,
    targets: &'static [Target],
}

/// What is wanted of our server.
struct Target {
    name: &'static str,
    figure: &'static str,
    /// A figure that it is divided by.
    per: Option<&'static str>,
    wanted: Wanted,
    decimals: usize,
}

#[derive(Clone, Copy)]
enum Wanted {
    AtMost(f64),
    AtLeast(f64),
    /// No more than the best of the others, and a tenth for chance.
    AsTheBest,
}

const CPU: &str = "server_cpu_seconds_per_million_deliveries";

/// A delivery's CPU.
const fn cpu(name: &'static str, wanted: Wanted) -> Target {
    Target {
        name,
        figure: CPU,
        per: None,
        wanted,
        decimals: 3,
    }
}

const MEASUREMENTS: [Measurement; 8] = [
    Measurement {
        arguments: "fan-out --receivers 100 --window 256 --duration 1s --rounds 3",
        targets: &[cpu(
            "100 receivers, 256 outstanding: CPU s a million",
            Wanted::AtMost(0.15),
        )],
    },
    Measurement {
        arguments: "fan-out --receivers 100 --senders 10 --window 1 --duration 1s --rounds 3 \
                   ",
        targets: &[cpu(
            "100 receivers, 10 senders of 1: CPU s a million",
            Wanted::AtMost(1.2),
        )],
    },
    Measurement {
        arguments: "fan-out --receivers 1000 --window 64 --duration 1s --rounds 3",
        targets: &[cpu(
            "1,000 receivers, 64 outstanding: CPU s a million",
            Wanted::AtMost(0.25),
        )],
    },
    Measurement {
        arguments: "fan-out --receivers 100 --window 1 --duration 1s --rounds 3",
        targets: &[cpu(
            "nothing to send together: CPU s a million",
            Wanted::AsTheBest,
        )],
    },
    Measurement {
        arguments: "idle --rounds 1",
        targets: &[
            Target {
                name: "idle: bytes of memory a client",
                figure: "server_bytes_per_client",
                per: None,
                wanted: Wanted::AtMost(1_200.0),
                decimals: 0,
            },
            Target {
                name: "idle: connect + register, a second",
                figure: "registrations_per_second",
                per: None,
                wanted: Wanted::AtLeast(10_000.0),
                decimals: 0,
            },
            Target {
                name: "idle: CPU us a registration (100: 10,000/s)",
                figure: "server_cpu_microseconds_per_registration",
                per: None,
                wanted: Wanted::AtMost(100.0),
                decimals: 1,
            },
            Target {
                name: "idle: the last tenth as fast as the first",
                figure: "registrations_per_second_last_tenth",
                per: Some("registrations_per_second_first_tenth"),
                wanted: Wanted::AtLeast(0.8),
                decimals: 2,
            },
        ],
    },
    Measurement {
        arguments: "churn --duration 2s --rounds 3",
        targets: &[
            Target {
                name: "churn: cycles a second",
                figure: "cycles_per_second",
                per: None,
                wanted: Wanted::AtLeast(10_000.0),
                decimals: 0,
            },
            Target {
                name: "churn: CPU us a cycle (100: 10,000/s)",
                figure: "server_cpu_microseconds_per_cycle",
                per: None,
                wanted: Wanted::AtMost(100.0),
                decimals: 1,
            },
        ],
    },
    Measurement {
        arguments: "latency --receivers 100 --senders 10 --rate 200 --duration 2s --rounds 3 \
                   ",
        targets: &[Target {
            name: "latency, 10 senders: 99 % within, ms",
            figure: "latency_p99_milliseconds",
            per: None,
            wanted: Wanted::AtMost(8.0),
            decimals: 2,
        }],
    },
    Measurement {
        arguments: "slow --receivers 20 --stalled 5 --rate 1000 --duration 4s --rounds 1",
        targets: &[
            Target {
                name: "slow: worst delivery to those who read, ms",
                figure: "latency_max_milliseconds",
                per: None,
                wanted: Wanted::AtMost(50.0),
                decimals: 1,
            },
            Target {
                name: "slow: stalled members put out, of 5",
                figure: "stalled_closed",
                per: None,
                wanted: Wanted::AtLeast(5.0),
                decimals: 0,
            },
        ],
    },
];

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo adds --bench.
    let wanted = env::args().skip(1).find(|word| !word.starts_with("--"));
    let limit = chapter::raise_descriptor_limit()?;
    let clients = (limit.saturating_sub(OTHER_DESCRIPTORS)).min(10_000);
    println!(
        "{:50} {:>9} {}",
        "",
        "wanted",
        columns(SERVERS.map(str::to_owned))
    );
    let mut machine = Value::Null;
    for measurement in &MEASUREMENTS {
        let arguments = measurement.arguments;
        if wanted
            .as_ref()
            .is_some_and(|wanted| !arguments.starts_with(wanted.as_str()))
        {
            continue;
        }
        let mut words: Vec<String> = arguments.split_whitespace().map(str::to_owned).collect();
        if arguments.starts_with("idle") {
            words.extend(["--clients".into(), clients.to_string()]);
        }
        let compared = compare(&words)?;
        for target in measurement.targets {
            println!("{}", target.row(&compared));
        }
        for note in notes(&compared) {
            println!("  {note}");
        }
        machine = compared["machine"].clone();
    }
    println!("{}", machine.as_str().unwrap_or("nothing was measured"));
    Ok(())
}

/// Runs the program; a server that fails is told of in what it prints.
fn compare(arguments: &[String]) -> Result<Value, Box<dyn Error>> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stress-client"));
    command
        .args(["--compare", "--json", "--quiet"])
        .args(arguments);
    let output = command.stderr(Stdio::inherit()).output()?;
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn columns(cells: [String; 3]) -> String {
    cells.map(|cell| format!("{cell:>10}")).concat()
}

/// What is to be known beside the figures.
fn notes(compared: &Value) -> Vec<String> {
    let mut notes = Vec::new();
    for server in SERVERS {
        let found = &compared["servers"][server];
        if let Some(excuse) = found["excuse"].as_str() {
            notes.push(format!("{server}: {excuse}"));
        }
        let rounds = found["rounds"].as_array().into_iter().flatten();
        let said = rounds.flat_map(|round| round["notes"].as_array().into_iter().flatten());
        let said = said.filter_map(Value::as_str);
        // Not what became of each member that read nothing; and of several rounds the first.
        let mut said = said.filter(|note| !note.contains(" read nothing: "));
        if let Some(note) = said.next() {
            let more = said.count();
            let more = if more > 0 {
                format!(" (and {more} more notes)")
            } else {
                String::new()
            };
            notes.push(format!("{server}: {note}{more}"));
        }
    }
    notes
}

impl Target {
    fn value(&self, compared: &Value, server: &str) -> Option<f64> {
        let medians = &compared["servers"][server]["medians"];
        let value = medians[self.figure].as_f64()?;
        match self.per {
            Some(per) => Some(value / medians[per].as_f64()?),
            None => Some(value),
        }
    }

    fn row(&self, compared: &Value) -> String {
        let decimals = self.decimals;
        let values = SERVERS.map(|server| self.value(compared, server));
        let others = values[1..].iter().flatten();
        let least = others.copied().fold(f64::INFINITY, f64::min);
        let (wanted, is_met) = match self.wanted {
            Wanted::AtMost(most) => (format!("<= {most}"), values[0].map(|value| value <= most)),
            Wanted::AtLeast(at_least) => (
                format!(">= {at_least}"),
                values[0].map(|value| value >= at_least),
            ),
            Wanted::AsTheBest => (
                "as best".to_owned(),
                values[0].map(|value| value <= least * 1.1),
            ),
        };
        let cells = values.map(|value| match value {
            Some(value) => format!("{value:.decimals$}"),
            None => "-".to_owned(),
        });
        let verdict = match is_met {
            Some(true) => "met",
            Some(false) => "missed",
            None => "not measured",
        };
        format!("{:50} {wanted:>9} {}  {verdict}", self.name, columns(cells))
    }
}
