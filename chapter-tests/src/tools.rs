//! Programs that a test needs and a machine may lack.
//!
//! A missing one skips the test, visibly: a line `skipped: needs irssi (name_of_the_test)` on
//! standard error, which cargo shows also for a test that passes. With `REQUIRE_TOOLS=1`, which
//! `.ci/run` sets, it fails the test instead. The list of tools is `tools.txt`, one for both.

use std::env;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::thread;

/// Each line: a program, and the Debian packages that bring it with all that tests use of it.
const LIST: &str = include_str!("../tools.txt");

/// Each line: a feature that a machine may lack, and what takes it away.
const FEATURES: &str = include_str!("../features.txt");

/// The path of a tool, or nothing and a word on standard error why the test is skipped.
///
/// ```
/// # fn main() {
/// let Some(tmux) = chapter_tests::tools::find("tmux") else { return };
/// assert!(tmux.is_absolute());
/// # }
/// ```
///
/// # Panics
///
/// If the tool is not in `tools.txt`; with `REQUIRE_TOOLS=1` also if it is missing.
#[must_use]
pub fn find(tool: &str) -> Option<PathBuf> {
    let found = locate(tool);
    if found.is_none() {
        let required = env::var_os("REQUIRE_TOOLS").is_some_and(|value| value == "1");
        assert!(
            !required,
            "{tool} is missing, and REQUIRE_TOOLS=1: install {}",
            packages(tool)
        );
        say_skipped(tool);
    }
    found
}

/// Says on standard error that a test is skipped because this machine lacks a feature of the
/// kernel that cannot be installed.
///
/// # Panics
///
/// If the feature is not in `features.txt`.
pub fn say_lacking(feature: &str) {
    let listed = FEATURES.lines().filter(|line| !line.starts_with('#'));
    let mut names = listed.filter_map(|line| line.split_whitespace().next());
    assert!(
        names.any(|name| name == feature),
        "{feature} is not in chapter-tests/features.txt"
    );
    say_skipped(feature);
}

/// Whether this machine lets one process trace another, so that strace(1) works; otherwise a word
/// on standard error why the test is skipped.
///
/// Containers often deny it. That is the machine's decision and no missing tool, so it skips the
/// test with `REQUIRE_TOOLS=1` too.
///
/// # Panics
///
/// With `REQUIRE_TOOLS=1` if strace itself is missing.
#[must_use]
pub fn ptrace_allowed() -> bool {
    static ALLOWED: OnceLock<bool> = OnceLock::new();
    let Some(strace) = find("strace") else {
        return false;
    };
    let allowed = *ALLOWED.get_or_init(|| {
        let mut command = Command::new(strace);
        command
            .args(["-f", "true"])
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        command
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    });
    if !allowed {
        say_skipped("ptrace, which this machine denies");
    }
    allowed
}

/// The path of a tool, if it is installed.
pub(crate) fn locate(tool: &str) -> Option<PathBuf> {
    packages(tool); // A tool that is not listed would never be installed.
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|folder| folder.join(tool))
        .find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

/// The Debian packages that bring a tool, with spaces between.
fn packages(tool: &str) -> &'static str {
    let mut listed = listed();
    let (_, packages) = listed
        .find(|(name, _)| *name == tool)
        .unwrap_or_else(|| panic!("{tool} is not in chapter-tests/tools.txt"));
    packages
}

fn listed() -> impl Iterator<Item = (&'static str, &'static str)> {
    let lines = LIST.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| match line.split_once(' ') {
        Some((tool, packages)) if !tool.is_empty() => (tool, packages.trim()),
        _ => panic!("chapter-tests/tools.txt: not a program and its packages: {line:?}"),
    })
}

fn say_skipped(need: &str) {
    let test = thread::current();
    let test = test.name().unwrap_or("a test");
    // Not eprintln: the test runner keeps that back when the test passes. One write, so that
    // lines of tests that run at the same time do not mix.
    let _ = io::stderr().write_all(format!("skipped: needs {need} ({test})\n").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_list_is_a_program_and_its_packages() {
        let tools: Vec<&str> = listed().map(|(tool, _)| tool).collect();
        assert!(
            tools.is_sorted_by(|one, next| one < next),
            "sorted, and none twice: {tools:?}"
        );
        assert_eq!(packages("nc"), "netcat-openbsd");
    }

    #[test]
    #[should_panic(expected = "not in chapter-tests/features.txt")]
    fn a_feature_that_is_not_listed_may_not_be_lacking() {
        say_lacking("epoll");
    }

    #[test]
    #[should_panic(expected = "not in chapter-tests/tools.txt")]
    fn a_tool_that_is_not_listed_is_an_error_even_if_it_is_installed() {
        let _ = find("sh");
    }
}
