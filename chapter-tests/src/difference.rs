//! Two texts, line by line, with what was taken out and what came in.

use std::fmt::Write;

/// Lines that are the same and stand beside a difference.
const CONTEXT_LINES: usize = 2;

/// How one line fares on the way from the first text to the second: its number in each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Same(usize, usize),
    Out(usize),
    In(usize),
}

/// The difference between two texts as `diff -u` would print it, without the line numbers: ` ` for
/// a line in both, `-` for one only in `old`, `+` for one only in `new`. Empty if there is none.
///
/// `same` says whether two lines count as the same; such a line is shown as it is in `new`.
pub(crate) fn difference(old: &[&str], new: &[&str], same: impl Fn(&str, &str) -> bool) -> String {
    let steps = steps(old, new, same);
    let differs = |step: &Step| !matches!(step, Step::Same(..));
    let mut text = String::new();
    let mut skipped = false;
    for (at, &step) in steps.iter().enumerate() {
        let near = at.saturating_sub(CONTEXT_LINES)..(at + CONTEXT_LINES + 1).min(steps.len());
        if !steps[near].iter().any(differs) {
            skipped = true;
            continue;
        }
        if std::mem::take(&mut skipped) {
            text += "  ...\n";
        }
        let (sign, line) = match step {
            Step::Same(_, line) => (' ', new[line]),
            Step::Out(line) => ('-', old[line]),
            Step::In(line) => ('+', new[line]),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{sign} {line}");
    }
    text
}

/// The longest common subsequence, by the table that every textbook has.
fn steps(old: &[&str], new: &[&str], same: impl Fn(&str, &str) -> bool) -> Vec<Step> {
    // common[i][j]: how many lines old[i..] and new[j..] have in common.
    let mut common = vec![vec![0_usize; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i][j] = if same(old[i], new[j]) {
                common[i + 1][j + 1] + 1
            } else {
                common[i + 1][j].max(common[i][j + 1])
            };
        }
    }
    let (mut i, mut j, mut steps) = (0, 0, Vec::new());
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && same(old[i], new[j]) {
            steps.push(Step::Same(i, j));
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || (i < old.len() && common[i + 1][j] >= common[i][j + 1]) {
            steps.push(Step::Out(i));
            i += 1;
        } else {
            steps.push(Step::In(j));
            j += 1;
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn exact(old: &str, new: &str) -> String {
        let (old, new): (Vec<_>, Vec<_>) = (old.split(' ').collect(), new.split(' ').collect());
        difference(&old, &new, |a, b| a == b).replace('\n', "|")
    }

    #[test]
    fn equal_texts_have_none() {
        assert_eq!(exact("a b c d e f g", "a b c d e f g"), "");
    }

    #[test]
    fn a_changed_line_is_shown_with_its_neighbours() {
        assert_eq!(
            exact("a b c d e f g", "a b c X e f g"),
            "  ...|  b|  c|- d|+ X|  e|  f|"
        );
    }

    #[test]
    fn an_added_and_a_missing_line_do_not_shift_the_rest() {
        let shown = exact("a b c d e f g h", "X a b c d e f g");
        assert_eq!(shown, "+ X|  a|  b|  ...|  f|  g|- h|");
    }

    #[test]
    fn lines_that_count_as_the_same_are_shown_as_they_are_now() {
        let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
        assert_eq!(
            difference(&["A", "b"], &["a", "c"], same),
            "  a\n- b\n+ c\n"
        );
    }

    proptest! {
        #[test]
        fn each_line_of_both_texts_is_taken_once_and_in_order(
            old in prop::collection::vec("[ab]", 0..9),
            new in prop::collection::vec("[ab]", 0..9),
        ) {
            let old: Vec<&str> = old.iter().map(String::as_str).collect();
            let new: Vec<&str> = new.iter().map(String::as_str).collect();
            let (mut of_old, mut of_new) = (Vec::new(), Vec::new());
            for step in steps(&old, &new, |a, b| a == b) {
                match step {
                    Step::Same(i, j) => {
                        prop_assert_eq!(old[i], new[j]);
                        of_old.push(i);
                        of_new.push(j);
                    }
                    Step::Out(i) => of_old.push(i),
                    Step::In(j) => of_new.push(j),
                }
            }
            prop_assert_eq!(of_old, (0..old.len()).collect::<Vec<_>>());
            prop_assert_eq!(of_new, (0..new.len()).collect::<Vec<_>>());
        }
    }
}
