//! How a program ends: 0 done, 1 failed at run time; 2, wrong usage, is clap's own.

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

/// Turns the result of a program's `run` into its exit code, and a failure into one line on
/// standard error: `program: what: why`.
///
/// `what: why` is what the error prints: `127.0.0.1:80: connection refused`. Line breaks inside it
/// become spaces.
///
/// ```
/// use std::process::ExitCode;
///
/// let done: Result<(), std::io::Error> = Ok(());
/// assert_eq!(chapter::exit("chat-server", done), ExitCode::SUCCESS);
/// ```
pub fn exit<E: Display>(program: &str, result: Result<(), E>) -> ExitCode {
    exit_to(io::stderr().lock(), program, result)
}

fn exit_to<E: Display>(mut out: impl Write, program: &str, result: Result<(), E>) -> ExitCode {
    let Err(err) = result else {
        return ExitCode::SUCCESS;
    };
    let what_and_why = err.to_string().lines().collect::<Vec<_>>().join(" ");
    // `eprintln!` would panic where nobody reads standard error; the exit code still tells.
    let _ = writeln!(out, "{program}: {what_and_why}");
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn success_says_nothing() {
        let mut out = Vec::new();
        assert_eq!(
            exit_to(&mut out, "echo", Ok::<(), io::Error>(())),
            ExitCode::SUCCESS
        );
        assert_eq!(out, b"");
    }

    #[test]
    fn a_failure_is_one_line() {
        let mut out = Vec::new();
        let code = exit_to(&mut out, "echo", Err("127.0.0.1:7: refused\ntwice"));
        assert_eq!(code, ExitCode::FAILURE);
        assert_eq!(out, b"echo: 127.0.0.1:7: refused twice\n");
    }

    #[test]
    fn a_failure_that_nobody_reads_is_still_exit_code_1() {
        let mut full: [u8; 0] = [];
        assert_eq!(
            exit_to(&mut full[..], "echo", Err("refused")),
            ExitCode::FAILURE
        );
    }
}
