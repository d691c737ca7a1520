//! One claim on the page: what is said, what the kernel did, what follows.

use std::io::{self, Write};

use nix::sys::utsname::uname;
use textwrap::core::{Word, display_width};
use textwrap::{Options, WordSeparator, WordSplitter};

use crate::claim::Claim;
use crate::own_process::{End, Outcome};
use crate::report::{Bar, Row};

/// As wide as everything is printed, on a wider terminal too: transcripts are compared.
const COLUMNS: usize = 80;

/// The sentence and the question.
pub(crate) fn before(out: &mut impl Write, claim: &Claim) -> io::Result<()> {
    writeln!(out, "Claim {}: {}", claim.number, claim.name)?;
    for (heading, sentences) in claim.believed() {
        writeln!(out, "\n{heading}")?;
        for sentence in sentences {
            if let Some(original) = sentence.original {
                wrapped(out, "  ", original)?;
            }
            wrapped(out, "  ", &format!("\"{}\"", sentence.english))?;
        }
    }
    writeln!(out, "\n{}", claim.question)?;
    for (letter, answer) in claim.lettered() {
        wrapped(out, &format!("  {letter}) "), answer)?;
    }
    Ok(())
}

/// What the program is about to do.
pub(crate) fn does(out: &mut impl Write, claim: &Claim, guess: Option<char>) -> io::Result<()> {
    if let Some(letter) = guess {
        writeln!(out, "\nYou guess {letter}.")?;
    }
    writeln!(out, "\nWhat the program does")?;
    wrapped(out, "  ", claim.does)
}

/// What the kernel did, and what follows from it.
pub(crate) fn after(
    out: &mut impl Write,
    claim: &Claim,
    outcome: &Outcome,
    guess: Option<char>,
) -> io::Result<()> {
    writeln!(out, "\nWhat the kernel did ({})", kernel())?;
    rows(out, outcome)?;
    match &outcome.end {
        End::Needs(need) => return writeln!(out, "  skipped: needs {need}"),
        End::Failed(why) => return writeln!(out, "  failed: {why}"),
        End::Found(finding) => {
            let guessed = match guess {
                Some(letter) if letter == finding.answer => ", as you guessed",
                Some(_) => ", and not what you guessed",
                None => "",
            };
            writeln!(out, "  So the answer is {}{guessed}.", finding.answer)?;
        }
    }
    if !outcome.agrees_with(claim) {
        writeln!(out, "\nOtherwise than the text says")?;
        differences(out, claim, outcome)?;
    }
    match claim.sentences {
        [one] => writeln!(out, "\nVerdict: {}", one.verdict)?,
        several => {
            writeln!(out, "\nVerdicts")?;
            for sentence in several {
                let lead = format!("  {:<9}  ", sentence.verdict);
                wrapped(out, &lead, &format!("\"{}\"", sentence.english))?;
            }
        }
    }
    writeln!(out, "\nLesson")?;
    wrapped(out, "  ", claim.lesson)?;
    writeln!(out, "\nIn our own code")?;
    for place in claim.code {
        writeln!(out, "  {}:{}", place.file, place.line)?;
        wrapped(out, "    ", place.why)?;
    }
    writeln!(out, "\nSources")?;
    for source in claim.sources {
        wrapped(out, "  ", source)?;
    }
    Ok(())
}

/// What was observed, in two columns; where the text says otherwise, both.
pub(crate) fn rows(out: &mut impl Write, outcome: &Outcome) -> io::Result<()> {
    let whats = outcome.rows.iter().filter_map(|row| match row {
        Row::Exact { what, .. } | Row::Relation { what, .. } | Row::Figure { what, .. } => {
            Some(what)
        }
        Row::Heading { .. } | Row::Chart { .. } => None,
    });
    let width = whats.map(|what| display_width(what)).max().unwrap_or(0);
    let mut margin = "  ";
    for row in &outcome.rows {
        match row {
            Row::Heading { text } => {
                writeln!(out, "  {text}:")?;
                margin = "    ";
            }
            Row::Exact {
                what,
                expected,
                observed,
            } => {
                writeln!(out, "{margin}{what:<width$}  {observed}")?;
                if !row.agrees() {
                    writeln!(out, "{margin}{:<width$}  but the text says {expected}", "")?;
                }
            }
            Row::Relation {
                what,
                figures,
                relation,
                holds,
            } => {
                if *holds {
                    writeln!(out, "{margin}{what:<width$}  {figures}: {relation}")?;
                } else {
                    writeln!(out, "{margin}{what:<width$}  {figures}")?;
                    writeln!(out, "{margin}{:<width$}  but the text says: {relation}", "")?;
                }
            }
            Row::Figure { what, figures } => writeln!(out, "{margin}{what:<width$}  {figures}")?,
            Row::Chart { what, unit, bars } => {
                writeln!(out, "  {what}:")?;
                chart(out, unit, bars)?;
            }
        }
    }
    Ok(())
}

/// Bars on one scale, each behind its label and its figure.
fn chart(out: &mut impl Write, unit: &str, bars: &[Bar]) -> io::Result<()> {
    const FIGURE_COLUMNS: usize = 8;
    let labels = bars.iter().map(|bar| display_width(&bar.label)).max();
    let labels = labels.unwrap_or(0);
    let before = 4 + labels + 2 + FIGURE_COLUMNS + 1 + display_width(unit) + 2;
    let room = COLUMNS.saturating_sub(before);
    let largest = bars.iter().map(|bar| bar.value).fold(0.0, f64::max);
    for Bar { label, value } in bars {
        let share = if largest > 0.0 { value / largest } else { 0.0 };
        let figure = format!("~{value:.1}");
        let line = format!(
            "    {label:<labels$}  {figure:<FIGURE_COLUMNS$} {unit}  {}",
            bar(share, room)
        );
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// A share of so many columns, drawn to an eighth of one; nothing is drawn for less than that.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "between 0 and eight times 80"
)]
fn bar(share: f64, columns: usize) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (share * columns as f64 * 8.0).round() as usize;
    "█".repeat(eighths / 8) + PARTS[eighths % 8]
}

/// The answer and the verdicts that are not those of the text, with those of the text.
pub(crate) fn differences(
    out: &mut impl Write,
    claim: &Claim,
    outcome: &Outcome,
) -> io::Result<()> {
    let End::Found(finding) = &outcome.end else {
        return Ok(());
    };
    if finding.answer != claim.answer {
        let (kernel, text) = (finding.answer, claim.answer);
        writeln!(out, "  The kernel's answer is {kernel}, the text's {text}.")?;
    }
    for (sentence, found) in claim.sentences.iter().zip(&finding.verdicts) {
        if sentence.verdict != *found {
            let (text, english) = (sentence.verdict, sentence.english);
            let line =
                format!("By this the sentence is {found}; the text says {text}: \"{english}\"");
            wrapped(out, "  ", &line)?;
        }
    }
    for row in outcome.rows.iter().filter(|row| !row.agrees()) {
        if let Row::Exact { what, .. } | Row::Relation { what, .. } = row {
            writeln!(out, "  See above: {what}.")?;
        }
    }
    Ok(())
}

/// The kernel that answers: `Linux 6.18`.
pub(crate) fn kernel() -> String {
    let release = uname().map(|names| names.release().to_string_lossy().into_owned());
    let release = release.unwrap_or_default();
    let numbers: Vec<_> = release.split(['.', '-']).take(2).collect();
    format!("Linux {}", numbers.join("."))
}

/// Prose behind `lead`, with the lines after the first as far to the right.
fn wrapped(out: &mut impl Write, lead: &str, text: &str) -> io::Result<()> {
    let indent = " ".repeat(display_width(lead));
    let options = Options::new(COLUMNS)
        .initial_indent(lead)
        .subsequent_indent(&indent)
        .word_separator(WordSeparator::Custom(words))
        .word_splitter(WordSplitter::NoHyphenation);
    for line in textwrap::wrap(text, options) {
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// The pieces between which a line may end: behind a space, and at every Chinese character, but
/// for those which close what is before them.
fn words(text: &str) -> Box<dyn Iterator<Item = Word<'_>> + '_> {
    const CLOSING: &str = "，。、；：！？）”》";
    let is_wide = |c: char| display_width(c.encode_utf8(&mut [0; 4])) == 2;
    let mut rest = text;
    Box::new(std::iter::from_fn(move || {
        let mut chars = rest.char_indices().peekable();
        while let Some((_, this)) = chars.next() {
            let Some(&(at, next)) = chars.peek() else {
                break;
            };
            let after_space = this == ' ' && next != ' ';
            let joined = next == ' ' || CLOSING.contains(next);
            if after_space || ((is_wide(this) || is_wide(next)) && !joined) {
                let (word, after) = rest.split_at(at);
                rest = after;
                return Some(Word::from(word));
            }
        }
        (!rest.is_empty()).then(|| Word::from(std::mem::take(&mut rest)))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claim::Verdict;
    use crate::experiments::mmap::CLAIM;
    use crate::report::Finding;

    fn shown(outcome: &Outcome, guess: Option<char>) -> String {
        let mut out = Vec::new();
        after(&mut out, &CLAIM, outcome, guess).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn mapped(observed: &str, answer: char, verdict: Verdict) -> Outcome {
        let (what, expected) = ("mmap".to_owned(), "ENODEV".to_owned());
        let observed = observed.to_owned();
        Outcome {
            rows: vec![Row::Exact {
                what,
                expected,
                observed,
            }],
            end: End::Found(Finding::new(answer, [verdict])),
        }
    }

    #[test]
    fn what_comes_out_as_the_text_says_is_shown_once() {
        let text = shown(&mapped("ENODEV", 'b', Verdict::Wrong), None);
        assert!(
            text.contains("\n  mmap  ENODEV\n  So the answer is b.\n\nVerdict: wrong\n"),
            "{text}"
        );
        assert!(!text.contains("the text says"), "{text}");
    }

    #[test]
    fn what_comes_out_otherwise_is_shown_beside_the_text() {
        let text = shown(&mapped("ok", 'a', Verdict::Right), None);
        assert!(
            text.contains("  mmap  ok\n        but the text says ENODEV\n"),
            "{text}"
        );
        assert!(
            text.contains("  The kernel's answer is a, the text's b.\n"),
            "{text}"
        );
        assert!(
            text.contains("  By this the sentence is right; the text says wrong: "),
            "{text}"
        );
    }

    #[test]
    fn an_answer_or_a_verdict_alone_makes_a_difference() {
        assert!(mapped("ENODEV", 'b', Verdict::Wrong).agrees_with(&CLAIM));
        assert!(!mapped("ENODEV", 'a', Verdict::Wrong).agrees_with(&CLAIM));
        assert!(!mapped("ENODEV", 'b', Verdict::Outdated).agrees_with(&CLAIM));
        assert!(!mapped("ok", 'b', Verdict::Wrong).agrees_with(&CLAIM));
    }

    #[test]
    fn the_longest_bar_ends_where_the_page_does_and_the_others_are_in_proportion() {
        let bars = [("poll", 40.0), ("epoll", 10.0), ("none", 0.0)];
        let bars = bars.map(|(label, value)| Bar::new(label, value));
        let mut out = Vec::new();
        chart(&mut out, "us", &bars).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lengths: Vec<_> = text.lines().map(|line| line.matches('█').count()).collect();
        assert_eq!(lengths, [56, 14, 0], "{text}");
        let widths: Vec<_> = text.lines().map(display_width).collect();
        assert_eq!(widths, [80, 38, 22], "{text}");
        assert!(text.starts_with("    poll   ~40.0    us  █"), "{text}");
    }

    /// A mask hides a figure and the spaces behind it, but not those before it.
    #[test]
    fn figures_of_any_length_begin_in_one_column() {
        let bars = [9.8, 13.8, 1234.5].map(|value| Bar::new("a thread each", value));
        let mut out = Vec::new();
        chart(&mut out, "KiB", &bars).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(
            text.lines().all(|line| line.find('~') == Some(19)),
            "{text}"
        );
    }

    #[test]
    fn a_bar_is_drawn_to_an_eighth_of_a_column() {
        assert_eq!(bar(0.5, 9), "████▌");
        assert_eq!(bar(1.0 / 80.0, 10), "▏");
        assert_eq!(bar(0.0, 10), "");
    }

    #[test]
    fn a_guess_is_compared_with_the_kernels_answer() {
        let outcome = mapped("ENODEV", 'b', Verdict::Wrong);
        assert!(shown(&outcome, Some('b')).contains("answer is b, as you guessed."));
        assert!(shown(&outcome, Some('a')).contains("answer is b, and not what you guessed."));
    }

    #[test]
    fn a_skipped_experiment_says_what_it_needs_and_gives_no_verdict() {
        let end = End::Needs("io_uring".to_owned());
        let text = shown(
            &Outcome {
                rows: Vec::new(),
                end,
            },
            None,
        );
        assert!(text.ends_with("  skipped: needs io_uring\n"), "{text}");
    }

    #[test]
    fn chinese_is_wrapped_between_characters_and_english_between_words() {
        let pieces: Vec<_> = words("用mmap同一，块 only once")
            .map(|word| word.to_string())
            .collect();
        assert_eq!(pieces, ["用", "mmap", "同", "一，", "块", "only", "once"]);
    }
}
