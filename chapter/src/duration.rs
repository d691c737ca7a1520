//! Durations as they are written on the command line and printed in messages.

use std::fmt;
use std::time::Duration;

use crate::quantity::{QuantityError, Scale};

const NANOS_PER_SECOND: u128 = 1_000_000_000;

/// A bare number is seconds: what `sleep(1)`, `ping(8)` and `timeout(1)` take it for.
const SCALE: Scale = Scale {
    units: &[
        ("", NANOS_PER_SECOND),
        ("ns", 1),
        ("us", 1_000),
        ("ms", 1_000_000),
        ("s", NANOS_PER_SECOND),
        ("m", 60 * NANOS_PER_SECOND),
        ("h", 3_600 * NANOS_PER_SECOND),
    ],
    smallest: "nanosecond",
    examples: "500ms, 1.5s, 2m or 1h",
};

/// Reads a duration: `500ms`, `3s`, `2m`, `1h`, `1.5s`; a bare number is seconds.
///
/// The units are `ns`, `us`, `ms`, `s`, `m` (minutes) and `h`. The number is exact: no rounding,
/// and nothing finer than a nanosecond. Zero is a duration; a program to which it means nothing
/// says so itself. Meant for clap's `value_parser`.
///
/// # Errors
///
/// What is wrong with the text, in words for the person who typed it.
///
/// ```
/// use std::time::Duration;
///
/// assert_eq!(chapter::duration("1.5s"), Ok(Duration::from_millis(1_500)));
/// assert_eq!(chapter::duration("2m"), chapter::duration("120"));
/// let err = chapter::duration("3 weeks").unwrap_err();
/// assert_eq!(err.to_string(), "unknown unit ' weeks', expected 500ms, 1.5s, 2m or 1h");
/// ```
pub fn duration(text: &str) -> Result<Duration, QuantityError> {
    let nanos = SCALE.parse(text)?;
    let seconds = u64::try_from(nanos / NANOS_PER_SECOND);
    let rest = u32::try_from(nanos % NANOS_PER_SECOND);
    let (Ok(seconds), Ok(rest)) = (seconds, rest) else {
        return Err(QuantityError::TooLarge);
    };
    Ok(Duration::new(seconds, rest))
}

/// Prints a duration the way [`duration`] reads it, exactly.
///
/// Whole hours and minutes as such, all else in the largest unit below that gives at least one,
/// with decimals.
///
/// ```
/// use std::time::Duration;
///
/// let timeout = Duration::from_millis(1_500);
/// assert_eq!(chapter::show_duration(timeout).to_string(), "1.5s");
/// assert_eq!(chapter::show_duration(timeout * 40).to_string(), "1m");
/// ```
#[must_use]
pub fn show_duration(duration: Duration) -> ShowDuration {
    ShowDuration(duration)
}

/// What [`show_duration`] returns; use it through [`Display`](fmt::Display).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShowDuration(Duration);

impl fmt::Display for ShowDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, nanos) = (self.0.as_secs(), self.0.subsec_nanos());
        let text = match (seconds, nanos) {
            (0, 0) => "0s".to_owned(),
            (_, 0) if seconds % 3_600 == 0 => format!("{}h", seconds / 3_600),
            (_, 0) if seconds % 60 == 0 => format!("{}m", seconds / 60),
            (1.., _) => decimal(seconds, nanos, 9, "s"),
            (0, 1_000_000..) => decimal((nanos / 1_000_000).into(), nanos % 1_000_000, 6, "ms"),
            (0, 1_000..) => decimal((nanos / 1_000).into(), nanos % 1_000, 3, "us"),
            (0, _) => format!("{nanos}ns"),
        };
        f.pad(&text)
    }
}

/// `whole`, then `fraction` as that many digits behind a point, without closing zeros.
fn decimal(whole: u64, fraction: u32, digits: usize, unit: &str) -> String {
    let number = format!("{whole}.{fraction:0digits$}");
    format!(
        "{}{unit}",
        number.trim_end_matches('0').trim_end_matches('.')
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_unit_is_read() {
        for (text, nanos) in [
            ("3", 3_000_000_000),
            ("0", 0),
            ("0ms", 0),
            ("7ns", 7),
            ("7us", 7_000),
            ("500ms", 500_000_000),
            ("3s", 3_000_000_000),
            ("2m", 120_000_000_000),
            ("1h", 3_600_000_000_000),
            ("1.5", 1_500_000_000),
            ("0.25h", 900_000_000_000),
            ("0.000000001s", 1),
            (
                "1.50000000000000000000000000000000000000000000s",
                1_500_000_000,
            ),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_nanos(nanos)), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused_with_examples() {
        for text in [
            "", "s", "-1s", "+1s", ".5s", "1.s", "1.2.3s", ".", " 1s", "one",
        ] {
            let err = duration(text).unwrap_err();
            assert_eq!(
                err.to_string(),
                "expected a number with a unit: 500ms, 1.5s, 2m or 1h",
                "{text:?}"
            );
        }
    }

    #[test]
    fn an_unknown_unit_is_named() {
        for (text, unit) in [("3S", "S"), ("1h30m", "h30m"), ("1e3", "e3"), ("3s ", "s ")] {
            let err = duration(text).unwrap_err();
            assert!(
                matches!(&err, QuantityError::UnknownUnit(found, _) if found == unit),
                "{err}"
            );
        }
    }

    #[test]
    fn nothing_is_rounded() {
        let finer = [
            "0.5ns",
            "0.0000000001s",
            "1.00000000000000000000000000000000000000000001s",
        ];
        for text in finer {
            assert_eq!(
                duration(text),
                Err(QuantityError::TooFine("nanosecond")),
                "{text}"
            );
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert_eq!(
            duration("18446744073709551615.999999999s"),
            Ok(Duration::MAX)
        );
        for text in [
            "18446744073709551616s",
            "1000000000000000000000000000000000000000000h",
        ] {
            assert_eq!(duration(text), Err(QuantityError::TooLarge), "{text}");
        }
    }

    #[test]
    fn a_duration_is_shown_in_the_unit_a_person_would_take() {
        for text in [
            "0s", "1ns", "999ns", "1us", "1.5us", "1ms", "10.25ms", "1s", "1.5s", "59s", "1m",
            "90s", "10m", "61m", "1h", "24h",
        ] {
            assert_eq!(show_duration(duration(text).unwrap()).to_string(), text);
        }
    }

    #[test]
    fn the_width_of_a_format_holds() {
        assert_eq!(
            format!("[{:>6}]", show_duration(Duration::from_secs(3))),
            "[    3s]"
        );
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(seconds: u64, nanos in 0_u32..1_000_000_000) {
            let all = [
                Duration::new(seconds, nanos),
                Duration::new(seconds, 0),
                Duration::from_secs(seconds / 3_600 * 3_600),
                Duration::from_nanos(nanos.into()),
            ];
            for shown in all {
                prop_assert_eq!(duration(&show_duration(shown).to_string()), Ok(shown));
            }
        }

        #[test]
        fn a_unit_only_scales(number in 0_u64..1_000_000, thousandths in 0_u64..1_000) {
            let seconds = duration(&format!("{number}.{thousandths:03}s")).unwrap();
            prop_assert_eq!(seconds, Duration::from_millis(number * 1_000 + thousandths));
            let minutes = duration(&format!("{number}.{thousandths:03}m")).unwrap();
            prop_assert_eq!(minutes, seconds * 60);
        }

        #[test]
        fn no_text_panics(text in ".*", number in "[0-9.]{0,60}[a-z]{0,2}") {
            let _ = (duration(&text), duration(&number));
        }
    }
}
