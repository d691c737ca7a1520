//! The program: its arguments, and what each of them does.

use std::io;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};

use crate::claim::Claim;
use crate::own_process::{End, Outcome};
use crate::{ask, experiments, json, list, own_process, show};

const EXAMPLES: &str = "Examples:
  claims                     lists the claims
  claims 1                   tests the first, and asks for your guess before
  claims mmap --answer b     the same claim by its name, with the guess given here
  claims --all               tests all; exit code 1 if one came out otherwise
  claims --all --json        the same for machines";

/// What study notes claim about I/O multiplexing, tested on this kernel
///
/// Without arguments the claims are listed by chapter. Every experiment works on loopback, as an
/// ordinary user, within 3 s, in a process of its own. A figure with ~ before it varies from run
/// to run.
#[derive(Parser)]
#[expect(clippy::struct_excessive_bools, reason = "they are options")]
#[command(version, after_help = EXAMPLES)]
struct Args {
    /// Claim to test, by its number or name
    #[arg(value_parser = experiments::find)]
    claim: Option<&'static Claim>,

    /// Your answer to its question, a letter; then it is not asked
    #[arg(
        long,
        value_name = "LETTER",
        requires = "claim",
        conflicts_with = "no_question"
    )]
    answer: Option<char>,

    /// Do not ask; nor is it asked where input or output is no terminal
    #[arg(long, requires = "claim")]
    no_question: bool,

    /// Test all claims
    #[arg(long, conflicts_with = "claim")]
    all: bool,

    /// Write JSON
    #[arg(long)]
    json: bool,

    /// Carry the experiment out here and report to the program that shows it
    #[arg(long, hide = true, requires = "claim")]
    experiment: bool,
}

/// The whole program: parses its arguments, does what they say, and says how it ended.
#[must_use]
pub fn main() -> ExitCode {
    let args = Args::parse();
    if let (Some(claim), Some(letter)) = (args.claim, args.answer)
        && !claim.lettered().any(|(own, _)| own == letter)
    {
        let answers = claim.letters();
        let why = format!(
            "--answer {letter}: the answers to claim {} are {answers}",
            claim.number
        );
        Args::command().error(ErrorKind::InvalidValue, why).exit();
    }
    match run(&args) {
        // Whoever reads has had enough (`claims | head`).
        Err(err) if err.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        result => chapter::exit("claims", result.map_err(|err| chapter::why(&err))),
    }
}

fn run(args: &Args) -> io::Result<()> {
    match args.claim {
        Some(claim) if args.experiment => own_process::experiment(claim),
        Some(claim) if args.json => {
            let outcome = own_process::run(claim)?;
            json::print(&[(claim, Some(&outcome))])?;
            failure(claim, &outcome).map_or(Ok(()), Err)
        }
        Some(claim) => run_one(claim, args),
        None if args.all => run_all(args.json),
        None if args.json => json::print(&experiments::ALL.map(|claim| (claim, None))),
        None => list::print(&mut io::stdout().lock()),
    }
}

fn run_one(claim: &Claim, args: &Args) -> io::Result<()> {
    let mut out = io::stdout();
    show::before(&mut out, claim)?;
    let guess = match args.answer {
        Some(letter) => Some(letter),
        None if args.no_question => None,
        None => ask::guess(claim)?,
    };
    show::does(&mut out, claim, guess)?;
    let outcome = own_process::run(claim)?;
    show::after(&mut out, claim, &outcome, guess)?;
    failure(claim, &outcome).map_or(Ok(()), Err)
}

fn run_all(as_json: bool) -> io::Result<()> {
    let mut out = io::stdout();
    let mut outcomes = Vec::new();
    if !as_json {
        list::head(&mut out)?;
    }
    for claim in experiments::ALL {
        let outcome = own_process::run(claim)?;
        if !as_json {
            list::line(&mut out, claim, &outcome)?;
        }
        outcomes.push((claim, outcome));
    }
    if as_json {
        let all: Vec<_> = outcomes
            .iter()
            .map(|(claim, outcome)| (*claim, Some(outcome)))
            .collect();
        json::print(&all)?;
    } else {
        list::foot(&mut out, &outcomes)?;
    }
    let failures: Vec<_> = outcomes
        .iter()
        .filter(|(claim, outcome)| failure(claim, outcome).is_some())
        .collect();
    match failures.as_slice() {
        [] => Ok(()),
        [(claim, outcome)] => Err(failure(claim, outcome).expect("it was found to be one")),
        more => {
            let numbers: Vec<_> = more
                .iter()
                .map(|(claim, _)| claim.number.to_string())
                .collect();
            let numbers = numbers.join(", ");
            Err(io::Error::other(format!(
                "claims {numbers}: otherwise than the text says"
            )))
        }
    }
}

/// Why an outcome makes this program fail; a skipped experiment does not.
fn failure(claim: &Claim, outcome: &Outcome) -> Option<io::Error> {
    let why = match &outcome.end {
        End::Needs(_) => return None,
        End::Found(_) if outcome.agrees_with(claim) => return None,
        End::Found(_) => "the kernel answered otherwise than the text says",
        End::Failed(why) => why,
    };
    Some(io::Error::other(format!("{}: {why}", claim.name)))
}
