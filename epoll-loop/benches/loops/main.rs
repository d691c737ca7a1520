//! This crate's loop beside bare epoll, mio, polling and calloop.
//!
//! Run it: `cargo bench -p epoll-loop`, or some of it:
//! `cargo bench -p epoll-loop -- ring timers wakers instructions system-calls [--quick]`
//!
//! Shows: what an event, a change of interest, a timer and a wake-up cost. Time depends on the
//! machine and on what else it does: so rounds in turn, medians, ratios to the floor with their
//! 95 % interval. Instructions in user space (valgrind's callgrind) and system calls (strace) are
//! counted, and come out the same on a busy machine.
//! Leaves out: what a callback does for its peer, which costs more than any loop here.

mod bare;
mod calloop;
mod contender;
mod counting;
mod instructions;
mod mio;
mod ours;
mod polling;
mod ring;
mod system_calls;
mod timers;
mod timing;
mod wakers;

use std::env;
use std::io;
use std::process::ExitCode;

use chapter_tests::benchmark;

/// Everything that can be asked for, in the order in which it is shown.
const SUBJECTS: [(&str, Subject); 5] = [
    ("ring", timing::ring),
    ("timers", timing::timers),
    ("wakers", timing::wakers),
    ("instructions", instructions::show),
    ("system-calls", system_calls::show),
];

/// Measures and prints one thing, in a short time if that is asked for.
type Subject = fn(is_quick: bool) -> io::Result<()>;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    chapter::exit("loops", run(&arguments))
}

fn run(arguments: &[String]) -> io::Result<()> {
    if counting::is_asked_for(arguments) {
        return counting::count(&arguments[1..]);
    }
    let (options, names): (Vec<&str>, Vec<&str>) = arguments
        .iter()
        .map(String::as_str)
        .partition(|argument| argument.starts_with('-'));
    let is_quick = options.contains(&"--quick");
    if !benchmark::is_asked_to_measure() && !is_quick {
        // From `cargo test`: whether it works, unless the arguments pick tests.
        let works = if arguments.is_empty() { 3 } else { 0 };
        return run_all(&SUBJECTS[..works], true);
    }
    let mut asked = SUBJECTS.to_vec();
    if let Some(unknown) = names.iter().find(|name| !is_subject(name)) {
        let message =
            format!("{unknown}: not one of ring, timers, wakers, instructions, system-calls");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    asked.retain(|(name, _)| names.is_empty() || names.contains(name));
    println!("{}\n", chapter::Machine::here());
    run_all(&asked, is_quick)
}

fn is_subject(name: &str) -> bool {
    SUBJECTS.iter().any(|(subject, _)| *subject == name)
}

fn run_all(subjects: &[(&str, Subject)], is_quick: bool) -> io::Result<()> {
    chapter::raise_descriptor_limit()?;
    subjects.iter().try_for_each(|(_, show)| show(is_quick))
}
