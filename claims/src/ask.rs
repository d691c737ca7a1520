//! Asks the learner for a guess, before the kernel answers.

use std::io::{self, BufRead, IsTerminal, Write};

use crate::claim::Claim;

/// The guess, or nothing: where input or output is no terminal nobody is asked, and who ends the
/// input (Ctrl-D) or only presses Enter need not answer.
pub(crate) fn guess(claim: &Claim) -> io::Result<Option<char>> {
    if !(io::stdin().is_terminal() && io::stdout().is_terminal()) {
        return Ok(None);
    }
    guess_from(claim, io::stdin().lock(), io::stdout().lock())
}

fn guess_from(
    claim: &Claim,
    mut input: impl BufRead,
    mut out: impl Write,
) -> io::Result<Option<char>> {
    loop {
        write!(out, "\nYour guess, {} (Enter for none): ", claim.letters())?;
        out.flush()?;
        let mut line = String::new();
        if input.read_line(&mut line)? == 0 {
            writeln!(out)?;
            return Ok(None);
        }
        let mut letters = line.trim().chars();
        match (letters.next(), letters.next()) {
            (None, _) => return Ok(None),
            (Some(letter), None) => {
                let letter = letter.to_ascii_lowercase();
                if claim.lettered().any(|(own, _)| own == letter) {
                    return Ok(Some(letter));
                }
            }
            (Some(_), Some(_)) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiments::mmap;

    fn guessed(input: &str) -> (Option<char>, usize) {
        let mut out = Vec::new();
        let guess = guess_from(&mmap::CLAIM, input.as_bytes(), &mut out).unwrap();
        (
            guess,
            String::from_utf8(out)
                .unwrap()
                .matches("Your guess")
                .count(),
        )
    }

    #[test]
    fn a_letter_is_taken_large_or_small() {
        assert_eq!(guessed("b\n"), (Some('b'), 1));
        assert_eq!(guessed("  A \n"), (Some('a'), 1));
    }

    #[test]
    fn what_is_no_answer_is_asked_again() {
        assert_eq!(guessed("z\nmaybe\nb\n"), (Some('b'), 3));
    }

    #[test]
    fn nobody_has_to_answer() {
        assert_eq!(guessed("\n"), (None, 1));
        assert_eq!(guessed(""), (None, 1));
    }
}
