//! What the figures were measured on: they mean nothing without it.

use std::fmt;
use std::fs;
use std::thread;

use nix::sys::utsname::uname;

/// The machine, and how busy it is, as far as it can be found out.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    /// System, release and architecture, as uname(1) has them.
    pub(crate) system: String,
    /// Cores that this process may use.
    pub(crate) cores: usize,
    /// Memory in bytes.
    pub(crate) memory_bytes: u64,
    /// Processes that were running or ready to run, on average over the last minute.
    pub(crate) load: f64,
}

impl Machine {
    pub(crate) fn look(cores: usize) -> Machine {
        let system = uname().map_or_else(
            |_| "unknown".to_owned(),
            |name| {
                let parts = [name.sysname(), name.release(), name.machine()];
                parts.map(|part| part.to_string_lossy()).join(" ")
            },
        );
        Machine {
            system,
            cores,
            memory_bytes: memory_bytes().unwrap_or(0),
            load: load().unwrap_or(0.0),
        }
    }
}

/// Cores that this process may use; asked before it is pinned to one of them.
pub(crate) fn cores() -> usize {
    thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

fn memory_bytes() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}

fn load() -> Option<f64> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    text.split_whitespace().next()?.parse().ok()
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cores = match self.cores {
            1 => "1 core".to_owned(),
            cores => format!("{cores} cores"),
        };
        let gibibytes = self.memory_bytes.div_ceil(1 << 30);
        let load = self.load;
        write!(
            f,
            "{}, {cores}, {gibibytes} GiB, load {load:.2}",
            self.system
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_linux_machine_has_all_of_it() {
        let machine = Machine::look(cores());
        assert!(machine.system.starts_with("Linux "), "{machine:?}");
        assert!(machine.cores > 0 && machine.memory_bytes > 0, "{machine:?}");
    }
}
