//! The option that shows the loop at work.

/// The fragment for a program's arguments: `#[command(flatten)] trace: chapter::Trace`.
///
/// ```
/// use clap::Parser;
///
/// #[derive(Parser)]
/// struct Args {
///     #[command(flatten)]
///     trace: chapter::Trace,
/// }
///
/// assert!(Args::parse_from(["echo", "--trace"]).trace.trace);
/// assert!(!Args::parse_from(["echo"]).trace.trace);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::Args)]
pub struct Trace {
    /// Show what the loop does: one line on standard error for each wait, event and timer
    ///
    /// Each line tells the microseconds since the start, the descriptor with its label, and what
    /// the kernel reported by the kernel's names (IN, OUT, RDHUP, HUP, ERR).
    #[arg(long)]
    pub trace: bool,
}
