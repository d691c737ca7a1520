//! What benchmarks with a `main` of their own (`harness = false`) share.

/// Whether `cargo bench` runs this, which is the time to measure.
///
/// `cargo test --all-targets` runs benchmarks too, and means: see that they work. One that takes
/// long ends, or does little, then.
#[must_use]
pub fn is_asked_to_measure() -> bool {
    std::env::args().any(|argument| argument == "--bench")
}
