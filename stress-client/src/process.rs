//! What a process uses, as the kernel counts it.
//!
//! Shows: the CPU clock of another process (`clock_getcpuclockid(3)`) counts all its threads, in
//! nanoseconds, where `/proc/PID/stat` counts hundredths of a second; memory and threads are in
//! `/proc/PID/status`.
//! Leaves out: what the kernel uses on its behalf elsewhere: socket buffers are nobody's memory, and
//! on loopback what the receiver's half of a send costs is on the sender's clock.

use std::fs;
use std::io;
use std::time::{Duration, Instant};

use nix::sched::{CpuSet, sched_getaffinity};
use nix::time::{ClockId, clock_getcpuclockid};
use nix::unistd::Pid;

use crate::failure::Failure;

/// The process that serves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ServerProcess {
    pid: u32,
}

/// What it has used so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    /// Of all its threads, in user and kernel mode.
    pub(crate) cpu: Duration,
    /// How many of them there are.
    pub(crate) threads: u64,
    /// Resident memory, in bytes (`VmRSS`).
    pub(crate) resident_bytes: u64,
}

impl ServerProcess {
    pub(crate) fn new(pid: u32) -> ServerProcess {
        ServerProcess { pid }
    }

    /// Looks at it.
    pub(crate) fn usage(self) -> io::Result<Usage> {
        self.look()
            .map_err(|err| Failure::Process(self.pid, chapter::why(&err)).into())
    }

    // ANCHOR: what-it-used
    fn look(self) -> io::Result<Usage> {
        let pid = Pid::from_raw(self.pid.cast_signed());
        // ANCHOR: cpu-clock
        let cpu = clock_getcpuclockid(pid)?.now()?.into();
        // ANCHOR_END: cpu-clock
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid))?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
            // A zombie has no memory, and so no such line.
            number.ok_or_else(|| io::Error::other("it has ended"))
        };
        Ok(Usage {
            cpu,
            threads: field("Threads")?,
            resident_bytes: field("VmRSS")? * 1024,
        })
    }
    // ANCHOR_END: what-it-used

    /// Whether it and this program may run on one core only, and the same one.
    fn shares_our_core(self) -> bool {
        let theirs = cores(Pid::from_raw(self.pid.cast_signed()));
        matches!(theirs.as_deref(), Ok([_])) && theirs.ok() == cores(Pid::from_raw(0)).ok()
    }
}

/// The cores that a process may run on, by `sched_getaffinity(2)`; 0 is this thread.
pub(crate) fn cores(pid: Pid) -> io::Result<Vec<usize>> {
    let allowed = sched_getaffinity(pid)?;
    let is_allowed = |&core: &usize| allowed.is_set(core).unwrap_or(false);
    Ok((0..CpuSet::count()).filter(is_allowed).collect())
}

/// A stretch of time, and what is used in it by the server and by this program.
#[derive(Debug)]
pub(crate) struct Stretch {
    began: Instant,
    own_cpu: Duration,
    server: Option<(ServerProcess, Usage)>,
}

/// What was used in a stretch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spent {
    pub(crate) elapsed: Duration,
    pub(crate) own_cpu: Duration,
    /// The server's CPU time, and what it is like at the end.
    pub(crate) server: Option<(Duration, Usage)>,
    /// Whether both had to share one core.
    pub(crate) on_one_core: bool,
}

impl Stretch {
    pub(crate) fn begin(server: Option<ServerProcess>) -> io::Result<Stretch> {
        let server = match server {
            Some(server) => Some((server, server.usage()?)),
            None => None,
        };
        Ok(Stretch {
            own_cpu: own_cpu()?,
            server,
            began: Instant::now(),
        })
    }

    pub(crate) fn end(&self) -> io::Result<Spent> {
        let elapsed = self.began.elapsed();
        let server = match self.server {
            Some((server, before)) => {
                let after = server.usage()?;
                Some((after.cpu.saturating_sub(before.cpu), after))
            }
            None => None,
        };
        Ok(Spent {
            elapsed,
            own_cpu: own_cpu()?.saturating_sub(self.own_cpu),
            server,
            on_one_core: self
                .server
                .is_some_and(|(server, _)| server.shares_our_core()),
        })
    }

    pub(crate) fn began(&self) -> Instant {
        self.began
    }
}

impl Spent {
    /// How much of a core this program has used, 0 to 1.
    pub(crate) fn own_share(&self) -> f64 {
        self.own_cpu.as_secs_f64() / self.elapsed.as_secs_f64()
    }

    /// How much of a core the server has used; more than 1 if it has several threads.
    pub(crate) fn server_share(&self) -> Option<f64> {
        let (cpu, _) = self.server?;
        Some(cpu.as_secs_f64() / self.elapsed.as_secs_f64())
    }
}

fn own_cpu() -> io::Result<Duration> {
    Ok(ClockId::CLOCK_PROCESS_CPUTIME_ID.now()?.into())
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use crate::started::Core;

    use super::*;

    #[test]
    fn a_process_that_is_not_there_is_named() {
        let err = ServerProcess::new(i32::MAX as u32).usage().unwrap_err();
        let said = err.to_string();
        assert!(said.starts_with("--pid 2147483647: "), "{said}");
    }

    #[test]
    fn two_that_may_run_on_one_core_only_share_it() {
        let all = cores(Pid::from_raw(0)).unwrap();
        let before = Core::pin(Some(all[0])).unwrap();
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let other = ServerProcess::new(child.id());
        assert!(other.shares_our_core());
        before.restore().unwrap();
        assert_eq!(
            other.shares_our_core(),
            all.len() == 1,
            "it has one of {all:?}"
        );
        drop(child.stdin.take());
        child.wait().unwrap();
        let this = ServerProcess::new(std::process::id());
        assert_eq!(this.shares_our_core(), all.len() == 1, "both have {all:?}");
    }

    #[test]
    fn this_process_has_a_thread_and_memory_and_uses_time() {
        let this = ServerProcess::new(std::process::id());
        let stretch = Stretch::begin(Some(this)).unwrap();
        while own_cpu().unwrap() < stretch.own_cpu + Duration::from_millis(1) {}
        let spent = stretch.end().unwrap();
        let (cpu, usage) = spent.server.unwrap();
        assert!(cpu >= Duration::from_millis(1));
        assert!(usage.threads >= 1 && usage.resident_bytes > 100_000);
        assert!(spent.own_share() > 0.0);
    }
}
