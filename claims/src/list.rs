//! All claims: the list by chapter, and the table of `--all`.

use std::io::{self, Write};

use crate::claim::{Chapter, Claim};
use crate::experiments;
use crate::own_process::{End, Outcome};
use crate::show;

/// Each chapter with the questions of its claims. The verdicts are left for the learner to guess.
pub(crate) fn print(out: &mut impl Write) -> io::Result<()> {
    for chapter in Chapter::ALL {
        if experiments::ALL
            .iter()
            .all(|claim| claim.chapter != chapter)
        {
            continue;
        }
        writeln!(out, "{chapter}")?;
        for claim in experiments::ALL
            .into_iter()
            .filter(|claim| claim.chapter == chapter)
        {
            let Claim {
                number,
                name,
                question,
                ..
            } = claim;
            writeln!(out, "  {number:>2}  {name:<18}  {question}")?;
        }
        writeln!(out)?;
    }
    writeln!(out, "Test one of them: cargo run -p claims -- 1")
}

/// The first line of the table.
pub(crate) fn head(out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "{:>2}  {:<18}  {:<24}  the kernel was",
        "", "claim", "what the notes say is"
    )
}

/// One claim in the table.
pub(crate) fn line(out: &mut impl Write, claim: &Claim, outcome: &Outcome) -> io::Result<()> {
    let did = match &outcome.end {
        End::Needs(need) => format!("skipped: needs {need}"),
        End::Failed(why) => format!("failed: {why}"),
        End::Found(_) if outcome.agrees_with(claim) => "as expected".to_owned(),
        End::Found(_) => "OTHERWISE".to_owned(),
    };
    let verdicts = claim.verdicts();
    writeln!(
        out,
        "{:>2}  {:<18}  {verdicts:<24}  {did}",
        claim.number, claim.name
    )
}

/// What did not come out as the text says, both shown; and on which kernel.
pub(crate) fn foot(out: &mut impl Write, outcomes: &[(&Claim, Outcome)]) -> io::Result<()> {
    for (claim, outcome) in outcomes {
        if matches!(outcome.end, End::Found(_)) && !outcome.agrees_with(claim) {
            writeln!(
                out,
                "\nClaim {}, {}: otherwise than the text says",
                claim.number, claim.name
            )?;
            show::rows(out, outcome)?;
            show::differences(out, claim, outcome)?;
        }
    }
    let count = |which: fn(&End) -> bool| {
        outcomes
            .iter()
            .filter(|(_, outcome)| which(&outcome.end))
            .count()
    };
    let agree = outcomes
        .iter()
        .filter(|(claim, outcome)| outcome.agrees_with(claim))
        .count();
    let skipped = count(|end| matches!(end, End::Needs(_)));
    let failed = count(|end| matches!(end, End::Failed(_)));
    let otherwise = outcomes.len() - agree - skipped - failed;
    writeln!(
        out,
        "\n{}: {agree} as expected, {otherwise} otherwise, {failed} failed, {skipped} skipped",
        show::kernel()
    )
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::{env, fs};

    use super::*;
    use crate::claim::Verdict;
    use crate::experiments::mmap::CLAIM;
    use crate::report::{Finding, Row};

    const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    const BEGIN: &str = "<!-- table of claims -->\n";
    const END: &str = "<!-- end of the table -->";

    /// The claims with their verdicts, for those who do not want to guess.
    fn table() -> String {
        let mut table = "| | claim | what is said | verdict |\n|--:|---|---|---|\n".to_owned();
        for claim in experiments::ALL {
            let Claim { number, name, .. } = claim;
            let file = format!("src/experiments/{}.rs", name.replace('-', "_"));
            let said: Vec<_> = claim.sentences.iter().map(|one| one.english).collect();
            let verdicts: Vec<_> = claim
                .sentences
                .iter()
                .map(|one| one.verdict.to_string())
                .collect();
            let (said, verdicts) = (said.join("<br>"), verdicts.join("<br>"));
            writeln!(
                table,
                "| {number} | [`{name}`]({file}) | {said} | {verdicts} |"
            )
            .unwrap();
        }
        table
    }

    #[test]
    fn the_readme_has_all_claims_with_their_verdicts() {
        let text = fs::read_to_string(README).unwrap();
        let (before, rest) = text.split_once(BEGIN).expect("where the table begins");
        let (found, after) = rest.split_once(END).expect("where the table ends");
        if found != table() && env::var_os("UPDATE_TRANSCRIPTS").is_some_and(|value| value == "1") {
            fs::write(README, [before, BEGIN, &table(), END, after].concat()).unwrap();
            return;
        }
        assert_eq!(
            found,
            table(),
            "run this test again with UPDATE_TRANSCRIPTS=1"
        );
    }

    fn ended(end: End) -> Outcome {
        let what = "mmap".to_owned();
        let row = Row::Figure {
            what,
            figures: "~1".to_owned(),
        };
        Outcome {
            rows: vec![row],
            end,
        }
    }

    #[test]
    fn the_table_tells_the_four_ways_in_which_an_experiment_can_end() {
        let outcomes = [
            (
                &CLAIM,
                ended(End::Found(Finding::new('b', [Verdict::Wrong]))),
            ),
            (
                &CLAIM,
                ended(End::Found(Finding::new('a', [Verdict::Right]))),
            ),
            (&CLAIM, ended(End::Failed("too many open files".to_owned()))),
            (&CLAIM, ended(End::Needs("io_uring".to_owned()))),
        ];
        let mut out = Vec::new();
        for (claim, outcome) in &outcomes {
            line(&mut out, claim, outcome).unwrap();
        }
        foot(&mut out, &outcomes).unwrap();
        let text = String::from_utf8(out).unwrap();
        let column = |line: usize| {
            text.lines()
                .nth(line)
                .unwrap()
                .split("  ")
                .last()
                .unwrap()
                .trim()
        };
        assert_eq!(column(0), "as expected");
        assert_eq!(column(1), "OTHERWISE");
        assert_eq!(column(2), "failed: too many open files");
        assert_eq!(column(3), "skipped: needs io_uring");
        assert!(
            text.contains("  The kernel's answer is a, the text's b.\n"),
            "{text}"
        );
        let sum = ": 1 as expected, 1 otherwise, 1 failed, 1 skipped\n";
        assert!(text.ends_with(sum), "{text}");
    }
}
