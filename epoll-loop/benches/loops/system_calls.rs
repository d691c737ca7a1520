//! System calls, counted by strace.
//!
//! Shows: a turn of this loop is one `epoll_wait(2)`, and an interest that is changed back costs
//! none.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::Path;

use chapter_tests::{TemporaryDirectory, tools};

use crate::counting::{Case, LOOPS, command};

const ROWS: [(&str, Case); 4] = [
    ("an event, one socket active of 100", Case::Ring(1)),
    ("an event, 100 sockets active of 100", Case::Ring(100)),
    ("... one of 100, write interest changed", Case::Interest),
    ("a wake-up, many before the loop looks", Case::Burst),
];

/// How often each thing is done; and twice as often, for the difference.
const TIMES: usize = 1_000;

pub(crate) fn show(is_quick: bool) -> io::Result<()> {
    if !tools::ptrace_allowed() {
        return Ok(());
    }
    let directory = TemporaryDirectory::new();
    let file = directory.join("calls");
    print!("{:<50}", "system calls (an event's read and write are two)");
    for name in LOOPS {
        print!(" {name:>10}");
    }
    println!();
    let rows = if is_quick { &ROWS[..1] } else { &ROWS[..] };
    for &(title, case) in rows {
        print!("{title:<50}");
        for name in LOOPS {
            let once = count(case, name, TIMES, &file)?;
            let calls = count(case, name, 2 * TIMES, &file)? - once;
            print!(" {:>10.2}", calls / 1_000.0);
        }
        println!();
    }
    println!();
    Ok(())
}

fn count(case: Case, name: &str, times: usize, file: &Path) -> io::Result<f64> {
    let [follow, count, to] = ["-f", "-c", "-o"].map(OsStr::new);
    let options = [follow, count, to, file.as_os_str()];
    let output = command("strace", &options, case, name, times)?.output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(io::Error::other(format!("strace: {said}")));
    }
    // "% time  seconds  usecs/call  calls  errors  syscall"; the last line is the total.
    let text = fs::read_to_string(file)?;
    let total = text.lines().find(|line| line.ends_with(" total"));
    total
        .and_then(|line| line.split_whitespace().nth(3)?.parse().ok())
        .ok_or_else(|| io::Error::other("strace: no total in its file"))
}
