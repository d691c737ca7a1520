//! A missing tool, seen from outside: the runner starts itself again with other surroundings.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use chapter_tests::{Finished, Launch, TemporaryDirectory, tools};

/// Names the test that is to play the test which needs something.
const INNER: &str = "CHAPTER_TESTS_INNER";

/// Runs one test of this file alone, as `cargo test` would, with only these tools to be found.
fn run_inner(name: &str, folder: &TemporaryDirectory, required: &str) -> Finished {
    Launch::new(std::env::current_exe().unwrap())
        .args(["--exact", name])
        .env(INNER, name)
        .env("PATH", folder.as_os_str())
        .env("REQUIRE_TOOLS", required)
        .run()
}

fn is_inner() -> bool {
    std::env::var_os(INNER).is_some()
}

#[test]
fn needs_irssi() {
    if is_inner() {
        assert_eq!(tools::find("irssi"), None);
    }
}

#[test]
fn needs_ptrace() {
    if is_inner() {
        assert!(!tools::ptrace_allowed());
        assert!(!tools::ptrace_allowed(), "said for each test that asks");
    }
}

#[test]
fn a_missing_tool_skips_the_test_visibly() {
    let nothing = TemporaryDirectory::new();
    for required in ["", "0"] {
        let finished = run_inner("needs_irssi", &nothing, required);
        assert!(finished.status.success());
        assert_eq!(finished.stderr, "skipped: needs irssi (needs_irssi)\n");
    }
}

#[test]
fn a_missing_tool_fails_the_test_where_tools_are_required() {
    let finished = run_inner("needs_irssi", &TemporaryDirectory::new(), "1");
    assert!(!finished.status.success());
    let message = "irssi is missing, and REQUIRE_TOOLS=1: install irssi";
    assert!(finished.stdout.contains(message), "{}", finished.stdout);
}

#[test]
fn a_machine_that_denies_ptrace_skips_the_test_even_where_tools_are_required() {
    let folder = TemporaryDirectory::new();
    let strace = folder.join("strace");
    fs::write(&strace, "#!/bin/sh\nexit 1\n").unwrap();
    fs::set_permissions(&strace, Permissions::from_mode(0o755)).unwrap();
    let finished = run_inner("needs_ptrace", &folder, "1");
    assert!(finished.status.success(), "{}", finished.stdout);
    let line = "skipped: needs ptrace, which this machine denies (needs_ptrace)\n";
    assert_eq!(finished.stderr, line.repeat(2));
}

#[test]
fn what_cannot_be_executed_is_no_tool() {
    let folder = TemporaryDirectory::new();
    fs::write(folder.join("irssi"), "").unwrap();
    assert!(
        run_inner("needs_irssi", &folder, "0")
            .stderr
            .contains("skipped: needs irssi")
    );
}
