//! How many descriptors a test may use on this machine.

use std::collections::HashSet;
use std::fs;

use nix::unistd::Pid;
use rustix::process::{Resource, Rlimit, prlimit};

/// The most clients that a test of many connects.
const MAX_IDLE_CLIENTS: u64 = 10_000;

/// The number of descriptors that this process may have, after its soft limit has been raised to
/// the hard one. A program that the test starts inherits it.
///
/// # Panics
///
/// If the limit cannot be read or raised.
#[must_use]
pub fn descriptor_limit() -> u64 {
    chapter::raise_descriptor_limit().unwrap_or_else(|err| panic!("RLIMIT_NOFILE: {err}"))
}

/// How many clients a test of many idle ones connects here: 10,000, or half of
/// [`descriptor_limit`] if that is less, so that as many fit the server and the test.
///
/// # Panics
///
/// If the limit cannot be read or raised.
#[must_use]
pub fn idle_clients() -> usize {
    let clients = MAX_IDLE_CLIENTS.min(descriptor_limit() / 2);
    usize::try_from(clients).expect("10,000 fits")
}

/// Leaves a running program so many descriptors beside those it has: the next one is `EMFILE`.
///
/// The limit is one of numbers, and the program may have inherited high ones.
///
/// # Panics
///
/// If the program has ended, or is not ours to limit.
pub fn leave_descriptors(pid: Pid, count: usize) {
    let folder = format!("/proc/{pid}/fd");
    let open = fs::read_dir(&folder).unwrap_or_else(|err| panic!("{folder}: {err}"));
    let open: HashSet<u64> = open
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    let free = (0..).filter(|number| !open.contains(number));
    let limit = Rlimit {
        current: free.take(count + 1).last(),
        maximum: Some(descriptor_limit()),
    };
    let pid = rustix::process::Pid::from_raw(pid.as_raw());
    prlimit(pid, Resource::Nofile, limit).unwrap_or_else(|err| panic!("prlimit: {err}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_at_least_two_descriptors_for_each_idle_client() {
        let clients = idle_clients();
        assert!((1..=10_000).contains(&clients));
        assert!(2 * clients as u64 <= descriptor_limit());
    }
}
