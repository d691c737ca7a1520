//! The examples, run as programs.
//!
//! `cargo test` builds the examples; with `--test examples` alone, build them
//! first: `cargo build -p epoll-loop --examples`.

mod servers;
mod transcripts;

use std::env;
use std::path::PathBuf;

/// The example of that name, beside this test's own program.
fn example(name: &str) -> PathBuf {
    let own = env::current_exe().unwrap();
    let folder = own.parent().and_then(|deps| deps.parent()).unwrap();
    let path = folder.join("examples").join(name);
    assert!(path.exists(), "{} has to be built before", path.display());
    path
}
