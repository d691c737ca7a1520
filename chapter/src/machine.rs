//! The machine on which figures were measured.
//!
//! Shows: a figure without its machine says nothing: kernel, cores, memory, and what else was
//! running meanwhile.
//!
//! Source: `uname(2)`, `proc_meminfo(5)`, `proc_loadavg(5)`, `proc_cpuinfo(5)`.

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::thread;

use nix::sys::utsname::uname;

/// What figures depend on that are measured here; use it through [`Display`](fmt::Display).
///
/// ```
/// // `Linux 6.12.5 x86_64, AMD EPYC, 2 cores, 23.5 GiB, load 0.31 0.28 0.19`
/// println!("{}", chapter::Machine::here());
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Machine {
    /// Name, release and architecture.
    kernel: Option<String>,
    processor: Option<String>,
    /// Cores that this process may use: `taskset(1)` leaves it fewer.
    cores: Option<usize>,
    memory_kibibytes: Option<u32>,
    /// Processes that ran or wanted to, on average over 1, 5 and 15 minutes.
    load: Option<String>,
}

impl Machine {
    /// The machine this runs on, and its load at this moment. What the kernel does not tell is left
    /// out.
    #[must_use]
    pub fn here() -> Machine {
        let words = |words: [&OsStr; 3]| words.map(OsStr::to_string_lossy).join(" ");
        let memory = line_of("/proc/meminfo", "MemTotal:");
        let load = fs::read_to_string("/proc/loadavg").ok();
        Machine {
            kernel: uname()
                .ok()
                .map(|names| words([names.sysname(), names.release(), names.machine()])),
            processor: line_of("/proc/cpuinfo", "model name")
                .map(|line| line.trim_start_matches([' ', '\t', ':']).to_owned()),
            cores: thread::available_parallelism().ok().map(usize::from),
            memory_kibibytes: memory
                .and_then(|line| line.trim_end_matches("kB").trim().parse().ok()),
            load: load.map(|line| {
                let averages = line.split_whitespace().take(3);
                averages.collect::<Vec<_>>().join(" ")
            }),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cores = self.cores.map(|cores| match cores {
            1 => "1 core".to_owned(),
            _ => format!("{cores} cores"),
        });
        let memory = self
            .memory_kibibytes
            .map(|kibibytes| format!("{:.1} GiB", f64::from(kibibytes) / 1_048_576.0));
        let load = self.load.as_ref().map(|load| format!("load {load}"));
        let known = [
            self.kernel.clone(),
            self.processor.clone(),
            cores,
            memory,
            load,
        ];
        f.pad(&known.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}

/// What follows `name` in the first line of `file` that begins with it.
fn line_of(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_left_out() {
        let machine = Machine {
            kernel: Some("Linux 6.12.5 x86_64".to_owned()),
            processor: None,
            cores: Some(1),
            memory_kibibytes: Some(24_684_134),
            load: Some("0.31 0.28 0.19".to_owned()),
        };
        assert_eq!(
            machine.to_string(),
            "Linux 6.12.5 x86_64, 1 core, 23.5 GiB, load 0.31 0.28 0.19"
        );
    }

    #[test]
    fn this_machine_has_a_kernel_memory_and_a_load() {
        let here = Machine::here();
        assert!(
            here.kernel
                .as_ref()
                .is_some_and(|kernel| kernel.starts_with("Linux ")),
            "{here:?}"
        );
        assert!(here.memory_kibibytes.is_some_and(|kibibytes| kibibytes > 0));
        assert_eq!(
            here.load.as_ref().map(|load| load.split(' ').count()),
            Some(3)
        );
    }
}
