//! Instructions in user space, counted by valgrind's callgrind.
//!
//! Shows: figures that are the same to the last digit whatever else the machine does, so that a
//! change of one instruction an event can be seen.
//! Leaves out: what the kernel does, and how long an instruction takes. valgrind makes each reading
//! of the clock a system call, so its instructions in the vDSO are not counted.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::Path;

use chapter_tests::{TemporaryDirectory, tools};

use crate::counting::{COUNTED, Case, LOOPS, command};

/// One line of the table.
struct Row {
    title: &'static str,
    case: Case,
    /// How often it is done; for an expiry as many as there are timers.
    times: usize,
    /// Counted too and subtracted: what is not meant.
    without: Option<Case>,
    /// What epoll-loop is to stay below.
    target: u64,
    loops: &'static [&'static str],
}

const EVERY: &[&str] = &LOOPS;
const WITH_TIMERS: &[&str] = &["epoll-loop", "bare epoll", "calloop"];

/// calloop searches all timers for one that ends: minutes under valgrind.
const WITH_MANY_TIMERS: &[&str] = &["epoll-loop", "bare epoll"];

const ROWS: [Row; 9] = [
    Row {
        title: "an event, one socket active of 100",
        case: Case::Ring(1),
        times: 10_000,
        without: None,
        target: 150,
        loops: EVERY,
    },
    Row {
        title: "an event, 100 sockets active of 100",
        case: Case::Ring(100),
        times: 10_000,
        without: None,
        target: 110,
        loops: EVERY,
    },
    Row {
        title: "write interest added and taken away",
        case: Case::Interest,
        times: 10_000,
        without: Some(Case::Ring(1)),
        target: 175,
        loops: EVERY,
    },
    life(1_000, "a timer's life, 1,000 armed meanwhile", WITH_TIMERS),
    life(
        100_000,
        "a timer's life, 100,000 armed meanwhile",
        WITH_MANY_TIMERS,
    ),
    life(
        1_000_000,
        "a timer's life, 1,000,000 armed meanwhile",
        WITH_MANY_TIMERS,
    ),
    expiry(1_000, "a timer expires, of 1,000", 400, WITH_TIMERS),
    expiry(
        100_000,
        "a timer expires, of 100,000",
        650,
        WITH_MANY_TIMERS,
    ),
    expiry(
        1_000_000,
        "a timer expires, of 1,000,000",
        0,
        WITH_MANY_TIMERS,
    ),
];

const fn life(standing: usize, title: &'static str, loops: &'static [&'static str]) -> Row {
    Row {
        title,
        case: Case::Lives(standing),
        times: 1_000,
        without: None,
        target: 260,
        loops,
    }
}

const fn expiry(
    timers: usize,
    title: &'static str,
    target: u64,
    loops: &'static [&'static str],
) -> Row {
    Row {
        title,
        case: Case::Expiry(timers),
        times: timers,
        without: None,
        target,
        loops,
    }
}

pub(crate) fn show(is_quick: bool) -> io::Result<()> {
    let Some(valgrind) = tools::find("valgrind") else {
        return Ok(());
    };
    let directory = TemporaryDirectory::new();
    let file = directory.join("callgrind.out");
    print!("{:<42} {:>7}", "instructions, in user space", "target");
    for name in LOOPS {
        print!(" {name:>10}");
    }
    println!();
    let rows = if is_quick { &ROWS[..1] } else { &ROWS[..] };
    for row in rows {
        let target = match row.target {
            0 => String::new(),
            target => target.to_string(),
        };
        print!("{:<42} {target:>7}", row.title);
        for name in LOOPS {
            if row.loops.contains(&name) {
                print!(" {:>10.1}", row.count(&valgrind, name, &file)?);
            } else {
                print!(" {:>10}", "-");
            }
        }
        println!();
    }
    println!("without timers of their own (bare epoll, mio, polling): a sorted map of deadlines\n");
    Ok(())
}

impl Row {
    /// Instructions, for each time that it is done.
    fn count(&self, valgrind: &Path, name: &str, file: &Path) -> io::Result<f64> {
        let mut count = count(valgrind, self.case, name, self.times, file)?;
        if let Some(without) = self.without {
            count -= self::count(valgrind, without, name, self.times, file)?;
        }
        let times = u32::try_from(self.times).expect("a few millions");
        Ok(count / f64::from(times))
    }
}

fn count(valgrind: &Path, case: Case, name: &str, times: usize, file: &Path) -> io::Result<f64> {
    let only = format!("--toggle-collect=*{COUNTED}*");
    let mut out = OsStr::new("--callgrind-out-file=").to_owned();
    out.push(file);
    let options = ["--tool=callgrind", "--quiet", "--collect-atstart=no", &only];
    let mut options = options.map(OsStr::new).to_vec();
    options.push(&out);
    let output = command(valgrind, &options, case, name, times)?.output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(io::Error::other(format!("valgrind: {said}")));
    }
    let text = fs::read_to_string(file)?;
    let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
    total
        .and_then(|total| total.trim().parse().ok())
        .ok_or_else(|| io::Error::other("callgrind: no total in its file"))
}
