//! Builds, checks and serves the book: prose on the left, the code it speaks of on the right.
//!
//! Run it: `cargo run -p docs -- serve --open`

use std::process::ExitCode;

fn main() -> ExitCode {
    docs::main()
}
