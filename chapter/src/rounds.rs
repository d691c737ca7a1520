//! Figures of several rounds: medians, and how sure a ratio of them is.
//!
//! Shows: on a machine where other programs run, two things are compared round by round and in
//! turn, so that what disturbs one disturbs the other; the median of the rounds is not moved by a
//! few bad ones; and an interval says how far it can be trusted.

use std::fmt;

/// The most figures that one [`Estimate`] is made of.
const MAX_FIGURES: usize = 1_000;

/// Measures several things in turn, `rounds` times each; the nth vector holds the figures of the
/// nth thing, in the order of the rounds.
///
/// Each round begins with another of them: what comes first would otherwise always find the
/// caches as the last one left them.
///
/// ```
/// use std::time::Instant;
///
/// let time = |work: fn()| { let begin = Instant::now(); work(); begin.elapsed().as_secs_f64() };
/// let [ours, theirs] = chapter::interleave(30, &mut [
///     &mut || time(|| drop(vec![0; 1_000])),
///     &mut || time(|| drop([0; 1_000])),
/// ]);
/// println!("{} times as long", chapter::Estimate::of_ratio(&ours, &theirs));
/// ```
// ANCHOR: interleave
pub fn interleave<const N: usize>(
    rounds: usize,
    measures: &mut [&mut dyn FnMut() -> f64; N],
) -> [Vec<f64>; N] {
    let mut figures = [const { Vec::new() }; N];
    for round in 0..rounds {
        for turn in 0..N {
            let which = (round + turn) % N;
            figures[which].push(measures[which]());
        }
    }
    figures
}
// ANCHOR_END: interleave

/// The middle one of the figures; of an even number of them the mean of the middle two.
///
/// # Panics
///
/// If there are none, or one is not a number.
///
/// ```
/// assert_eq!(chapter::median(&[3.0, 1.0, 100.0]), 3.0);
/// ```
#[must_use]
pub fn median(figures: &[f64]) -> f64 {
    let sorted = sorted(figures);
    let middle = sorted.len() / 2;
    if sorted.len().is_multiple_of(2) {
        f64::midpoint(sorted[middle - 1], sorted[middle])
    } else {
        sorted[middle]
    }
}

/// A median, and the interval in which that of endlessly many rounds lies with at least 95 %
/// probability.
///
/// Shown as `1.04 (1.02 to 1.07)`, with the precision that the format asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The median of the rounds.
    pub median: f64,
    /// Lower end of the interval. Of fewer than six rounds it is the smallest figure, and the
    /// interval is less sure.
    pub low: f64,
    /// Upper end of the interval; of fewer than six rounds the largest figure.
    pub high: f64,
}

impl Estimate {
    /// The median of figures, with its interval.
    ///
    /// The interval is that of the sign test: it takes only the order of the figures, and so holds
    /// whatever their distribution is.
    ///
    /// # Panics
    ///
    /// As [`median`], and of more than 1,000 figures.
    #[must_use]
    pub fn of(figures: &[f64]) -> Estimate {
        let sorted = sorted(figures);
        let outside = figures_outside(sorted.len());
        Estimate {
            median: median(figures),
            low: sorted[outside],
            high: sorted[sorted.len() - 1 - outside],
        }
    }

    /// The ratio of `ours` to `theirs`, taken round by round.
    ///
    /// # Panics
    ///
    /// As [`Estimate::of`], and if there are not as many of one as of the other.
    ///
    /// ```
    /// let ratio = chapter::Estimate::of_ratio(&[2.0, 4.0, 9.0], &[1.0, 2.0, 3.0]);
    /// assert_eq!(ratio.to_string(), "2.00 (2.00 to 3.00)");
    /// ```
    #[must_use]
    pub fn of_ratio(ours: &[f64], theirs: &[f64]) -> Estimate {
        assert_eq!(ours.len(), theirs.len(), "one figure of each in a round");
        let ratios: Vec<f64> = ours
            .iter()
            .zip(theirs)
            .map(|(ours, theirs)| ours / theirs)
            .collect();
        Estimate::of(&ratios)
    }
}

impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = f.precision().unwrap_or(2);
        let Estimate { median, low, high } = self;
        let text = format!("{median:.digits$} ({low:.digits$} to {high:.digits$})");
        // The width is of the whole; the precision is used up.
        match f.width() {
            Some(width) => write!(f, "{text:>width$}"),
            None => f.write_str(&text),
        }
    }
}

fn sorted(figures: &[f64]) -> Vec<f64> {
    assert!(!figures.is_empty(), "there is no median of nothing");
    assert!(
        figures.iter().all(|figure| !figure.is_nan()),
        "a figure is a number: {figures:?}"
    );
    let mut sorted = figures.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

/// How many of the smallest figures, and as many of the largest, lie outside the interval.
///
/// A figure is below the true median as often as above it, as a coin falls: that at most so many
/// of them are below has a probability of 2.5 % or less.
fn figures_outside(count: usize) -> usize {
    assert!(
        count <= MAX_FIGURES,
        "the interval of more than {MAX_FIGURES} figures"
    );
    let number = |count: usize| f64::from(u32::try_from(count).expect("not over MAX_FIGURES"));
    // The probability that exactly `outside` figures are below the median, and that at most so many
    // are; the binomial distribution, each term made of the one before.
    let mut exactly = 0.5_f64.powf(number(count));
    let mut at_most = exactly;
    let mut outside = 0;
    while outside < count / 2 {
        exactly *= number(count - outside) / number(outside + 1);
        at_most += exactly;
        if at_most > 0.025 {
            break;
        }
        outside += 1;
    }
    outside
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(range: std::ops::RangeInclusive<u32>) -> Vec<f64> {
        range.rev().map(f64::from).collect()
    }

    #[test]
    fn the_interval_is_that_of_the_tables_of_the_sign_test() {
        // Lower rank of the 95 % interval by the number of figures.
        for (count, rank) in [
            (6, 1),
            (8, 1),
            (9, 2),
            (15, 4),
            (30, 10),
            (50, 18),
            (100, 40),
        ] {
            let estimate = Estimate::of(&numbers(1..=count));
            let ends = (f64::from(rank), f64::from(count + 1 - rank));
            assert_eq!((estimate.low, estimate.high), ends, "of {count}");
        }
    }

    #[test]
    fn of_a_few_figures_the_interval_is_all_of_them() {
        for count in 1..=5 {
            let estimate = Estimate::of(&numbers(1..=count));
            assert_eq!((estimate.low, estimate.high), (1.0, f64::from(count)));
        }
    }

    #[test]
    fn one_bad_round_does_not_move_the_median() {
        let (of_three, of_four) = ([2.0, 2.0, 1_000.0], [1.0, 4.0, 2.0, 1_000.0]);
        assert_eq!((median(&of_three), median(&of_four)), (2.0, 3.0));
    }

    #[test]
    fn an_estimate_takes_precision_and_width() {
        let estimate = Estimate::of(&numbers(1..=3));
        assert_eq!(format!("{estimate:.0}"), "2 (1 to 3)");
        assert_eq!(format!("{estimate:>14.0}"), "    2 (1 to 3)");
    }

    #[test]
    fn every_measure_is_first_equally_often() {
        let order = std::cell::RefCell::new(Vec::new());
        let measure = |name: char| {
            let order = &order;
            move || {
                order.borrow_mut().push(name);
                0.0
            }
        };
        interleave(
            3,
            &mut [&mut measure('a'), &mut measure('b'), &mut measure('c')],
        );
        assert_eq!(order.into_inner(), "abcbcacab".chars().collect::<Vec<_>>());
    }
}
