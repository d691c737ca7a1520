//! As many idle clients as the limit of descriptors allows, by the example that
//! the README names.
//!
//! `cargo test` builds the examples; with `--test idle_clients` alone, build
//! them first: `cargo build -p chat-server --examples`.

use std::path::PathBuf;

use chapter_tests::Launch;
use chapter_tests::limits::idle_clients;

/// The most that a client may add to the server's memory, beside what waits to
/// be sent to it.
const MAX_BYTES_A_CLIENT: u64 = 16 * 1024;

/// Cargo puts examples beside the tests that it builds.
fn example() -> PathBuf {
    let test = std::env::current_exe().expect("a test has a file");
    let target = test
        .ancestors()
        .nth(2)
        .expect("tests are in target/PROFILE/deps");
    target.join("examples/idle_clients")
}

fn number(report: &str, what: &str) -> u64 {
    let line = report
        .lines()
        .find(|line| line.starts_with(what))
        .unwrap_or_else(|| {
            panic!("no {what:?} in {report}");
        });
    let word = line[what.len()..].split_whitespace().next();
    word.and_then(|word| word.parse().ok())
        .unwrap_or_else(|| panic!("no number: {line}"))
}

#[test]
fn thousands_of_idle_clients_stay_within_the_memory_bound() {
    let clients = idle_clients();
    let finished = Launch::new(example())
        .args(["--clients", &clients.to_string()])
        .run();
    assert!(finished.status.success(), "{finished:?}");
    println!("{}", finished.stdout);
    assert_eq!(
        number(&finished.stdout, "clients registered"),
        clients as u64
    );
    let each = number(&finished.stdout, "memory a client");
    assert!(each > 0 && each < MAX_BYTES_A_CLIENT, "{}", finished.stdout);
}
