//! What the kernel tells about a running process: memory, descriptors, CPU time, blocked signals.
//!
//! Source: `proc(5)`. The number of a program under test is [`Program::pid`](crate::Program::pid);
//! `Pid::this()` is the test itself.

use std::fmt;
use std::fs;
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::time::clock_getcpuclockid;
use nix::unistd::Pid;

/// Resident memory now, in bytes (`VmRSS`).
///
/// # Panics
///
/// As every function here: if there is no such process any more.
#[must_use]
pub fn resident_bytes(pid: Pid) -> u64 {
    kibibytes(pid, "VmRSS")
}

/// The most resident memory that there has been, in bytes (`VmHWM`).
///
/// # Panics
///
/// If there is no such process any more.
#[must_use]
pub fn peak_resident_bytes(pid: Pid) -> u64 {
    kibibytes(pid, "VmHWM")
}

/// The number of open descriptors.
///
/// # Panics
///
/// If there is no such process any more, or it belongs to somebody else.
#[must_use]
pub fn descriptors(pid: Pid) -> usize {
    let folder = format!("/proc/{pid}/fd");
    let entries = fs::read_dir(&folder).unwrap_or_else(|err| panic!("{folder}: {err}"));
    // Reading the directory of one's own process opens one more for as long as it takes.
    entries.count() - usize::from(pid == Pid::this())
}

/// The CPU time that all threads of the process have used together, in user and kernel mode.
///
/// # Panics
///
/// If there is no such process any more.
#[must_use]
pub fn cpu_time(pid: Pid) -> Duration {
    let time = clock_getcpuclockid(pid).and_then(nix::time::ClockId::now);
    time.unwrap_or_else(|err| panic!("CPU clock of process {pid}: {err}"))
        .into()
}

/// The signals that the main thread of the process blocks (`SigBlk`).
///
/// # Panics
///
/// If there is no such process any more.
#[must_use]
pub fn blocked_signals(pid: Pid) -> BlockedSignals {
    let mask = status(pid, "SigBlk");
    BlockedSignals(u64::from_str_radix(&mask, 16).expect("the kernel prints the mask in hex"))
}

/// A set of signals as `/proc` prints it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BlockedSignals(u64);

impl BlockedSignals {
    /// Whether no signal is blocked, real-time ones included.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether this one is blocked.
    #[must_use]
    pub fn contains(self, signal: Signal) -> bool {
        self.0 & 1 << (signal as u32 - 1) != 0
    }
}

impl fmt::Debug for BlockedSignals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = Signal::iterator().filter(|&signal| self.contains(signal));
        write!(f, "{:#x} ", self.0)?;
        f.debug_set().entries(named).finish()
    }
}

fn kibibytes(pid: Pid, field: &str) -> u64 {
    let value = status(pid, field);
    let number = value
        .strip_suffix(" kB")
        .and_then(|number| number.parse::<u64>().ok());
    number.unwrap_or_else(|| panic!("{field} of process {pid}: {value:?}")) * 1_024
}

/// One field of `/proc/PID/status`.
fn status(pid: Pid, field: &str) -> String {
    let file = format!("/proc/{pid}/status");
    let text = fs::read_to_string(&file).unwrap_or_else(|err| panic!("{file}: {err}"));
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    // A process that has ended and is not waited for has no memory, so no field for it.
    value
        .unwrap_or_else(|| panic!("{file}: no {field}"))
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::hint::black_box;

    use nix::sys::signal::{SigSet, SigmaskHow};

    use super::*;
    use crate::Launch;

    #[test]
    fn memory_that_is_written_to_is_resident() {
        let block = black_box(vec![1_u8; 64 << 20]);
        assert!(resident_bytes(Pid::this()) >= 64 << 20);
        drop(block);
        assert!(peak_resident_bytes(Pid::this()) >= 64 << 20);
    }

    #[test]
    fn descriptors_of_a_program_are_counted() {
        let count = |redirections| {
            let script = format!("exec {redirections}; echo ready; read line");
            let program = Launch::new("sh").args(["-c", &script]).stdin_pipe().start();
            program.wait_for_line("ready");
            descriptors(program.pid())
        };
        // Whoever runs the tests may have left some open for everybody.
        let (few, more) = (count(""), count("7</dev/null 8</dev/null"));
        assert!(few >= 3);
        assert_eq!(more, few + 2);
    }

    #[test]
    fn descriptors_of_the_test_itself_are_counted() {
        let many: Vec<File> = (0..1_000)
            .map(|_| File::open("/dev/null").unwrap())
            .collect();
        assert!(descriptors(Pid::this()) >= many.len() + 3);
    }

    #[test]
    fn cpu_time_grows_with_work() {
        let before = cpu_time(Pid::this());
        while cpu_time(Pid::this()) < before + Duration::from_millis(5) {
            black_box((0..10_000).sum::<u64>());
        }
    }

    #[test]
    fn a_blocked_signal_is_seen_in_a_child_that_inherits_it() {
        let mut blocked = SigSet::empty();
        blocked.add(Signal::SIGUSR1);
        let old = blocked.thread_swap_mask(SigmaskHow::SIG_BLOCK).unwrap();
        let program = Launch::new("cat").stdin_pipe().start();
        old.thread_set_mask().unwrap();

        let mask = blocked_signals(program.pid());
        assert!(
            mask.contains(Signal::SIGUSR1) && !mask.contains(Signal::SIGUSR2),
            "{mask:?}"
        );
        assert_eq!(format!("{mask:?}"), "0x200 {SIGUSR1}");
        let program = Launch::new("cat").stdin_pipe().start();
        assert!(blocked_signals(program.pid()).is_empty());
    }
}
