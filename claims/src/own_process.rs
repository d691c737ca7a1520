//! Runs an experiment in a process of its own: this same program with `--experiment`.
//!
//! Shows: limits, signal dispositions and descriptors belong to a process, so the next experiment
//! finds none of what this one did to them; and one that hangs can be ended.

use std::env;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl;
use nix::sys::signal::Signal;

use crate::claim::Claim;
use crate::report::{Finding, Message, Report, Row};

/// When an experiment is given up. None needs more than 3 s on an idle machine.
const LIMIT: Duration = Duration::from_secs(30);

/// What came of an experiment.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) rows: Vec<Row>,
    pub(crate) end: End,
}

/// How it ended.
#[derive(Debug)]
pub(crate) enum End {
    Found(Finding),
    /// Something is lacking here: `skipped: needs io_uring`.
    Needs(String),
    /// It could not be carried out; why.
    Failed(String),
}

impl Outcome {
    /// Whether the kernel did all that the text of the claim says.
    pub(crate) fn agrees_with(&self, claim: &Claim) -> bool {
        let verdicts = claim.sentences.iter().map(|sentence| sentence.verdict);
        self.rows.iter().all(Row::agrees)
            && matches!(&self.end, End::Found(finding)
                if finding.answer == claim.answer && verdicts.eq(finding.verdicts.iter().copied()))
    }
}

/// The experiment itself, in the process that is there for it.
pub(crate) fn experiment(claim: &Claim) -> io::Result<()> {
    // Whoever waits for this may be killed; then this must not stay behind.
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    let mut report = Report::to_standard_output();
    let result = (claim.run)(&mut report);
    report.end(result);
    Ok(())
}

/// Carries the experiment of a claim out and waits for its end.
pub(crate) fn run(claim: &Claim) -> io::Result<Outcome> {
    let mut child = Command::new(env::current_exe()?)
        .args(["--experiment", claim.name])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let said = said_within(&mut child, LIMIT);
    if !matches!(said, Ok(Said::All(_))) {
        child.kill()?;
    }
    let status = child.wait()?;
    let said = said?;
    let mut outcome = Outcome {
        rows: Vec::new(),
        end: End::Failed(match &said {
            Said::All(_) => format!("the experiment ended without an answer: {status}"),
            Said::TooLate(_) => format!("no answer within {} s", LIMIT.as_secs()),
        }),
    };
    let (Said::All(text) | Said::TooLate(text)) = said;
    for line in text.lines() {
        match serde_json::from_str(line) {
            Ok(Message::Row(row)) => outcome.rows.push(row),
            Ok(Message::Found(finding)) => outcome.end = End::Found(finding),
            Ok(Message::Needs(need)) => outcome.end = End::Needs(need),
            Ok(Message::Failed(why)) => outcome.end = End::Failed(why),
            Err(err) => outcome.end = End::Failed(format!("{line:?} is no report: {err}")),
        }
    }
    Ok(outcome)
}

/// What the child said.
enum Said {
    All(String),
    TooLate(String),
}

fn said_within(child: &mut Child, limit: Duration) -> io::Result<Said> {
    let mut stdout = child.stdout.take().expect("it was given a pipe");
    let deadline = Instant::now() + limit;
    let mut said = Vec::new();
    let text = |said: Vec<u8>| String::from_utf8_lossy(&said).into_owned();
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(Said::TooLate(text(said)));
        }
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        let mut descriptors = [PollFd::new(stdout.as_fd(), PollFlags::POLLIN)];
        match poll(&mut descriptors, timeout) {
            Ok(0) | Err(nix::errno::Errno::EINTR) => continue,
            Ok(_) => {}
            Err(err) => return Err(err.into()),
        }
        let mut bytes = [0; 4096];
        match stdout.read(&mut bytes)? {
            0 => return Ok(Said::All(text(said))),
            count => said.extend_from_slice(&bytes[..count]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(line: &str) -> Child {
        let mut command = Command::new("sh");
        command
            .args(["-c", line])
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        command.spawn().unwrap()
    }

    #[test]
    fn what_hangs_is_given_up_and_what_it_said_is_kept() {
        let mut child = shell("echo before; exec sleep 1000");
        // So that the limit does not end the wait for the word as well.
        let said = said_within(&mut child, Duration::from_secs(1)).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(matches!(said, Said::TooLate(text) if text == "before\n"));
    }

    #[test]
    fn what_ends_is_heard_to_its_end() {
        let mut child = shell("echo one; echo two");
        let said = said_within(&mut child, LIMIT).unwrap();
        child.wait().unwrap();
        assert!(matches!(said, Said::All(text) if text == "one\ntwo\n"));
    }
}
