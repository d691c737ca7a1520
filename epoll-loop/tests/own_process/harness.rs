//! Runs each test in a process of its own: this program again, told by an
//! environment variable which test it is.
//!
//! It understands what `cargo test` passes on: filters, `--exact`, `--skip` and
//! `--list`; other options are for the usual harness and change nothing here.

use std::env;
use std::panic::catch_unwind;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use chapter_tests::Launch;

/// The variable that holds the name of the test in the process that runs it.
const NAME: &str = "EPOLL_LOOP_TEST";

/// A test that lasts longer hangs.
const LONGEST: Duration = Duration::from_mins(1);

/// One test; its name is its claim.
pub(crate) struct Test {
    pub(crate) name: &'static str,
    pub(crate) body: fn(),
}

/// Lists the tests of a module, as `TESTS`; one that is left out is a warning.
macro_rules! tests {
    ($($name:ident),+ $(,)?) => {
        pub(crate) const TESTS: &[crate::harness::Test] = &[$(crate::harness::Test {
            name: concat!(module_path!(), "::", stringify!($name)),
            body: $name,
        }),+];
    };
}
pub(crate) use tests;

impl Test {
    /// The name as the usual harness gives it, without this program's.
    fn name(&self) -> &'static str {
        self.name
            .split_once("::")
            .map_or(self.name, |(_, name)| name)
    }
}

/// What of the command line counts.
#[derive(Default)]
struct Args {
    filters: Vec<String>,
    skipped: Vec<String>,
    is_exact: bool,
    only_lists: bool,
}

impl Args {
    fn parse(args: impl Iterator<Item = String>) -> Args {
        let mut parsed = Args::default();
        let mut args = args.peekable();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--exact" => parsed.is_exact = true,
                "--list" => parsed.only_lists = true,
                "--skip" => parsed.skipped.extend(args.next()),
                "--test-threads" | "--format" | "--color" | "--logfile" | "-Z" => {
                    args.next();
                }
                option if option.starts_with('-') => {}
                _ => parsed.filters.push(arg),
            }
        }
        parsed
    }

    fn wants(&self, name: &str) -> bool {
        let matches =
            |pattern: &String| name == pattern || !self.is_exact && name.contains(pattern.as_str());
        (self.filters.is_empty() || self.filters.iter().any(matches))
            && !self.skipped.iter().any(matches)
    }
}

/// Is the whole `main` of the test program.
pub(crate) fn run(modules: &[&'static [Test]]) -> ExitCode {
    let tests: Vec<&Test> = modules.iter().copied().flatten().collect();
    if let Ok(name) = env::var(NAME) {
        let test = tests.iter().find(|test| test.name() == name);
        (test.expect("named by this program itself").body)();
        return ExitCode::SUCCESS;
    }
    let args = Args::parse(env::args().skip(1));
    let wanted: Vec<&Test> = tests
        .iter()
        .copied()
        .filter(|t| args.wants(t.name()))
        .collect();
    if args.only_lists {
        for test in wanted {
            println!("{}: test", test.name());
        }
        return ExitCode::SUCCESS;
    }
    run_each(&wanted, tests.len() - wanted.len())
}

fn run_each(tests: &[&Test], filtered_out: usize) -> ExitCode {
    println!("\nrunning {} tests", tests.len());
    let begin = Instant::now();
    let mut failures = Vec::new();
    for test in tests {
        let failure = run_one(test);
        let result = if failure.is_none() { "ok" } else { "FAILED" };
        println!("test {} ... {result}", test.name());
        failures.extend(failure);
    }
    show_failures(&failures);
    let (failed, took) = (failures.len(), begin.elapsed().as_secs_f64());
    println!(
        "\ntest result: {}. {} passed; {failed} failed; 0 ignored; 0 measured; \
         {filtered_out} filtered out; finished in {took:.2}s\n",
        if failed == 0 { "ok" } else { "FAILED" },
        tests.len() - failed,
    );
    ExitCode::from(if failed == 0 { 0 } else { 101 })
}

/// The name of a failed test and what it printed; nothing of one that passed,
/// but for the word why it was skipped.
fn run_one(test: &Test) -> Option<(&'static str, String)> {
    let name = test.name();
    // One that hangs panics here; the message tells what it has printed.
    let Ok(finished) = catch_unwind(|| again(name).run()) else {
        return Some((name, "hangs, see above\n".to_owned()));
    };
    let lines = finished.stderr.lines();
    for line in lines.filter(|line| line.starts_with("skipped: ")) {
        eprintln!("{}", line.replace("(main)", &format!("({name})")));
    }
    let (status, stdout, stderr) = (finished.status, finished.stdout, finished.stderr);
    (!status.success()).then(|| (name, format!("{stdout}{stderr}{status}\n")))
}

fn show_failures(failures: &[(&str, String)]) {
    if failures.is_empty() {
        return;
    }
    println!("\nfailures:\n");
    for (name, printed) in failures {
        println!("---- {name} ----\n{printed}");
    }
    println!("\nfailures:");
    for (name, _) in failures {
        println!("    {name}");
    }
}

/// This program, to be started as the test of that name.
pub(crate) fn again(name: &str) -> Launch {
    let program: PathBuf = env::current_exe().unwrap();
    Launch::new(program).env(NAME, name).timeout(LONGEST)
}

/// This program, to be started as the test that is running once more, in the
/// part that `part` names; see [`part`].
pub(crate) fn again_as(part: &str) -> Launch {
    let name = env::var(NAME).expect("set for the process of a test");
    again(&name).env(PART, part)
}

const PART: &str = "EPOLL_LOOP_TEST_PART";

/// The part of a test that this process plays; none for the test itself.
pub(crate) fn part() -> Option<String> {
    env::var(PART).ok()
}
