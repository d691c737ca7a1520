//! Claims and what came of them as JSON.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::claim::Claim;
use crate::own_process::{End, Outcome};
use crate::show;

/// Prints one object: the kernel, and the claims, each with its outcome if it was tested.
pub(crate) fn print(claims: &[(&Claim, Option<&Outcome>)]) -> io::Result<()> {
    let claims: Vec<_> = claims
        .iter()
        .map(|(claim, outcome)| object(claim, *outcome))
        .collect();
    let mut out = io::stdout().lock();
    let all = json!({ "kernel": show::kernel(), "claims": claims });
    serde_json::to_writer_pretty(&mut out, &all)?;
    writeln!(out)
}

fn object(claim: &Claim, outcome: Option<&Outcome>) -> Value {
    json!({
        "number": claim.number,
        "name": claim.name,
        "chapter": claim.chapter.to_string(),
        "sentences": claim.sentences,
        "question": claim.question,
        "answers": claim.answers,
        "answer": claim.answer,
        "does": claim.does,
        "lesson": claim.lesson,
        "code": claim.code,
        "sources": claim.sources,
        "outcome": outcome.map(|outcome| self::outcome(claim, outcome)),
    })
}

fn outcome(claim: &Claim, outcome: &Outcome) -> Value {
    let (result, more) = match &outcome.end {
        End::Found(_) if outcome.agrees_with(claim) => ("as expected", Value::Null),
        End::Found(_) => ("otherwise", Value::Null),
        End::Needs(need) => ("skipped", json!(need)),
        End::Failed(why) => ("failed", json!(why)),
    };
    let finding = match &outcome.end {
        End::Found(finding) => Some(finding),
        End::Needs(_) | End::Failed(_) => None,
    };
    json!({ "result": result, "why": more, "rows": outcome.rows, "finding": finding })
}
