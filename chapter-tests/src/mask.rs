//! Which numbers of a program's output differ from run to run and do not count.
//!
//! Shows: a mask hides digits and the unit of a time, nothing else. No word is ever hidden, nor a
//! number behind `errno` or `os error`: what happened is what a transcript is compared for.

use std::net::Ipv4Addr;

/// The units of time that our programs print.
const TIME_UNITS: [&str; 8] = ["ns", "us", "µs", "ms", "s", "m", "min", "h"];

/// What stands in the place of a hidden number.
const HIDDEN: char = '#';

/// One kind of number that does not count in a comparison.
///
/// Spaces around a number that is hidden do not count either: a column moves with its digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mask {
    /// A number with a unit of time, and that unit: `0.012 s`, `250ms`, `17 µs`.
    Times,
    /// A port behind a numeric address: `127.0.0.1:40512`, `[::1]:40512`.
    Ports,
    /// A process number behind the word pid: `pid 123`, `pid=123`.
    Pids,
    /// The number at the beginning of a line.
    LineStart,
    /// A number directly behind this text: `After("fd ")`.
    After(&'static str),
    /// The bars of a chart, made of block elements (U+2588 to U+258F). The one mask that hides no
    /// number: their lengths are those of the figures beside them.
    Bars,
    /// A number before this word, with or without spaces between: `Before("KiB")`.
    Before(&'static str),
}

/// The line with everything hidden that one of the masks hides.
pub(crate) fn hide(line: &str, masks: &[Mask]) -> String {
    let without_bars;
    let line = if masks.contains(&Mask::Bars) {
        without_bars = line.replace(is_bar, "");
        without_bars.trim_end()
    } else {
        line
    };
    let (mut shown, mut rest) = (String::new(), line);
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        shown += &rest[..start];
        let (number, after) = split_number(&rest[start..]);
        let hidden = masks
            .iter()
            .find_map(|mask| mask.hides(&shown, number, after));
        rest = after;
        if let Some(unit) = hidden {
            shown.truncate(shown.trim_end().len());
            shown.push(HIDDEN);
            rest = after[unit..].trim_start();
        } else {
            shown += number;
        }
    }
    shown + rest
}

/// The number that a text begins with, and what follows it. `1,234.5` is one, and so, for this
/// purpose, is `127.0.0.1`.
fn split_number(text: &str) -> (&str, &str) {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && !".,".contains(c))
        .unwrap_or(text.len());
    let number = text[..end].trim_end_matches(['.', ',']);
    text.split_at(number.len())
}

impl Mask {
    /// If this mask hides `number`: the bytes of `after`, its unit, that go with it.
    fn hides(self, before: &str, number: &str, after: &str) -> Option<usize> {
        let is_address = number.matches('.').count() > 1;
        if is_address || is_behind(before, &["errno", "error"]) {
            return None;
        }
        // The 6 of IPv6 is no number, unless the mask asks for just that.
        let is_in_a_word = before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        if is_in_a_word && !matches!(self, Self::After(_)) {
            return None;
        }
        match self {
            Self::Bars => None,
            Self::Times => TIME_UNITS.iter().find_map(|unit| unit_length(after, unit)),
            Self::Ports => is_address_and_colon(before).then_some(0),
            Self::Pids => is_behind(before, &["pid"]).then_some(0),
            Self::LineStart => before.trim_start().is_empty().then_some(0),
            Self::After(text) => before.ends_with(text).then_some(0),
            Self::Before(word) => unit_length(after, word).map(|_| 0),
        }
    }
}

/// How far the unit reaches in the text behind a number, if it is this one.
fn unit_length(after: &str, unit: &str) -> Option<usize> {
    let behind = after.trim_start_matches(' ').strip_prefix(unit)?;
    let ends = !behind.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    ends.then_some(after.len() - behind.len())
}

fn is_bar(c: char) -> bool {
    ('\u{2588}'..='\u{258f}').contains(&c)
}

/// Whether the text ends with one of these words and at most punctuation behind it.
fn is_behind(before: &str, words: &[&str]) -> bool {
    let word = before.trim_end_matches([' ', '=', ':', '(']);
    let word = &word[word.trim_end_matches(char::is_alphanumeric).len()..];
    words.contains(&word)
}

fn is_address_and_colon(before: &str) -> bool {
    let Some(host) = before.strip_suffix(':') else {
        return false;
    };
    let quad = host.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    host.ends_with(']') || host[quad.len()..].parse::<Ipv4Addr>().is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: [Mask; 7] = [
        Mask::Bars,
        Mask::Times,
        Mask::Ports,
        Mask::Pids,
        Mask::LineStart,
        Mask::After("errno "),
        Mask::Before("bytes"),
    ];

    #[track_caller]
    fn hides(mask: Mask, line: &str, expected: &str) {
        assert_eq!(hide(line, &[mask]), expected);
    }

    #[test]
    fn bars_of_any_length_are_the_same_and_their_labels_are_not() {
        hides(Mask::Bars, "poll  ~40 us  ███▌", "poll  ~40 us");
        hides(Mask::Bars, "poll  ~40 us", "poll  ~40 us");
        hides(Mask::Bars, "epoll  ~1 us  ▏", "epoll  ~1 us");
    }

    #[test]
    fn a_time_goes_with_its_unit_and_the_spaces_of_its_column() {
        hides(
            Mask::Times,
            "   0.012 s  client  connects",
            "#client  connects",
        );
        hides(
            Mask::Times,
            "1234.567 s  client  connects",
            "#client  connects",
        );
        hides(Mask::Times, "took 17 µs, at most 250ms", "took#, at most#");
        hides(Mask::Times, "(1,234 us)", "(#)");
        hides(
            Mask::Times,
            "3 seconds, 4 sockets, 5s_",
            "3 seconds, 4 sockets, 5s_",
        );
    }

    #[test]
    fn a_port_is_hidden_and_its_address_is_not() {
        hides(
            Mask::Ports,
            "on 127.0.0.1:40512, [::1]:9",
            "on 127.0.0.1:#, [::1]:#",
        );
        hides(Mask::Ports, "12:30 ::1 1.2.3:4", "12:30 ::1 1.2.3:4");
    }

    #[test]
    fn a_pid_is_hidden() {
        hides(
            Mask::Pids,
            "pid 17, pid=18, (pid: 19)",
            "pid#, pid=#, (pid:#)",
        );
        hides(Mask::Pids, "rapid 17", "rapid 17");
    }

    #[test]
    fn a_number_is_known_by_what_stands_beside_it() {
        hides(Mask::LineStart, "  17 wait 18", "#wait 18");
        hides(Mask::After("fd "), "fd 17 of 18, kfd17", "fd#of 18, kfd17");
        hides(
            Mask::Before("KiB"),
            "17 KiB of 18KiB, 19 KiBs",
            "#KiB of#KiB, 19 KiBs",
        );
    }

    #[test]
    fn the_number_of_an_error_is_never_hidden() {
        for line in [
            "errno 110",
            "errno=110",
            "errno: 11 s",
            "refused (os error 111)",
        ] {
            assert_eq!(hide(line, &ALL), line);
        }
        assert_eq!(hide("errno 110", &[Mask::After("errno ")]), "errno 110");
    }

    proptest! {
        #[test]
        fn no_word_is_hidden_but_units_of_time(
            line in "(( |  )(EAGAIN|ERR|IN\\|RDHUP|fd 3|errno 11|12 us|1.2.3.4:5|pid 6|7 bytes|x8))*"
        ) {
            let words = |line: &str| -> Vec<String> {
                line.split(|c: char| !c.is_alphabetic())
                    .filter(|word| !word.is_empty() && !TIME_UNITS.contains(word))
                    .map(str::to_owned)
                    .collect()
            };
            prop_assert_eq!(words(&hide(&line, &ALL)), words(&line));
        }

        #[test]
        fn only_digits_and_units_count_for_less(number in 0..10_000_u32, other in 0..10_000_u32) {
            let line = |n| format!("{n:6} us  127.0.0.1:{n} pid {n:>4} wrote {n:<5} bytes  OUT");
            prop_assert_eq!(hide(&line(number), &ALL), hide(&line(other), &ALL));
        }

        #[test]
        fn no_line_panics(line in ".*") {
            let _ = hide(&line, &ALL);
        }
    }
}
