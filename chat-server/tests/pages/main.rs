//! What the book's pages about the server show, compared with what the real server does.
//!
//! Shows: a transcript is a small visit whose bytes are chosen so that it is the same each time;
//! what differs (times, descriptors, ports) is masked.
//! Leaves out: the visit with `nc` that the README shows too (`tests/trace.rs`).

use std::path::Path;

use chapter_tests::Transcript;

mod broadcast;
mod closing;
mod descriptors;
mod flood;
mod framing;
mod slow_readers;
#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "each test program needs its part")]
mod support;

/// The transcript `name`, in which the numbers of a trace do not count.
fn transcript(name: &str) -> Transcript {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    Transcript::new(folder.join(name)).hide_trace_numbers()
}

/// The lines of a trace that are about the last descriptor which was watched.
fn about_the_last_watched(trace: &[String]) -> Vec<String> {
    let watched = trace.iter().rfind(|line| line.contains(" watch "));
    let number = watched.and_then(|line| line.split_whitespace().nth(4));
    let name = format!(" fd {} ", number.expect("something was watched"));
    let about = trace.iter().skip_while(|line| Some(*line) != watched);
    about.filter(|line| line.contains(&name)).cloned().collect()
}

/// Lines as a file holds them.
fn joined(lines: &[String]) -> String {
    lines.iter().flat_map(|line| [line, "\n"]).collect()
}
