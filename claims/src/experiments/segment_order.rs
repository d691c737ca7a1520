//! Claim 25: a segment before the expected one is a retransmission, one behind it is out of order.
//!
//! Shows: who looks at the last segment only takes the one that fills a hole for a retransmission,
//! and stumbles when the numbers wrap; a map of what has come judges right.

use crate::claim::{Chapter, Claim, Sentence, Verdict, place};
use crate::report::{Finding, Report, Stop};

pub(crate) const CLAIM: Claim = Claim {
    number: 25,
    name: "segment-order",
    chapter: Chapter::OnTheWire,
    sentences: &[Sentence {
        original: Some(
            "在有数据包经过时，根据seq、包长，计算下一包的expect seq，如果再来的包在expect seq之前，则认为是重传，否则认为是乱序",
        ),
        english: "from each packet compute the expected number of the next; one that comes with a \
                  number before that is a retransmission, any other is out of order",
        verdict: Verdict::Wrong,
    }],
    question: "Bytes 0-9, 20-29, then 10-19 come. What is the last?",
    answers: &[
        "A retransmission: 30 was expected",
        "New data that fills a hole",
    ],
    answer: 'b',
    does: "It judges the same segments, of 10 bytes each, by the rule of the notes and by a list of \
           what has come. The kernel is not asked here: this is arithmetic, as a program needs it \
           that watches a connection from outside.",
    lesson: "A retransmission is a segment whose bytes have all come before, and that cannot be seen \
             from the last segment alone: keep what has come, and the holes. The numbers count \
             modulo 2^32 from a random start, so before and behind are the sign of a difference, not \
             a comparison. The same holds for every counter that may wrap.",
    code: &[place!(
        "epoll-loop/src/watchers.rs",
        "// A generation that came round again would bring old names to life, so",
        "a counter that wraps: here the slot is given up instead"
    )],
    sources: &[
        "RFC 9293, section 3.4: sequence numbers are compared modulo 2^32; section 3.10.7.4",
        "RFC 1982, serial number arithmetic",
    ],
    run,
};

/// The bytes of every segment here.
const LENGTH: u32 = 10;

/// Every case: its name, the first number, and the number, the judgement of the notes and the right
/// one of the last segment.
const CASES: [(&str, &[u32], &str, &str); 5] = [
    (
        "again what has come",
        &[0, 10, 0],
        "retransmission",
        "retransmission",
    ),
    (
        "fills a hole",
        &[0, 20, 10],
        "retransmission",
        "fills a hole",
    ),
    (
        "next after that",
        &[0, 20, 10, 30],
        "out of order",
        "in order",
    ),
    (
        "next, and the number wraps",
        &[WRAPS, 0],
        "in order",
        "in order",
    ),
    (
        "fills a hole across the wrap",
        &[WRAPS - 10, 0, WRAPS],
        "out of order",
        "fills a hole",
    ),
];

/// A segment of which the last byte is number 2^32 - 1.
const WRAPS: u32 = 0_u32.wrapping_sub(LENGTH);

#[expect(clippy::unnecessary_wraps, reason = "as every experiment")]
fn run(report: &mut Report) -> Result<Finding, Stop> {
    report.heading("by the rule of the notes");
    for (name, numbers, by_notes, _) in CASES {
        report.exact(name, by_notes, as_in_the_notes(numbers));
    }
    report.heading("mended: by what has come");
    let mut differ = false;
    for (name, numbers, by_notes, expected) in CASES {
        let right = by_what_has_come(numbers);
        report.exact(name, expected, right);
        differ |= right != by_notes;
    }
    Ok(
        if differ && by_what_has_come(CASES[1].1) == "fills a hole" {
            Finding::new('b', [Verdict::Wrong])
        } else {
            Finding::new('a', [Verdict::Right])
        },
    )
}

/// What the last of the segments is, from the one before it alone.
fn as_in_the_notes(numbers: &[u32]) -> &'static str {
    let [.., before, last] = numbers else {
        return "in order";
    };
    let expected = before.wrapping_add(LENGTH);
    match last {
        last if *last == expected => "in order",
        last if *last < expected => "retransmission",
        _ => "out of order",
    }
}

/// What the last of the segments is, from all that have come.
fn by_what_has_come(numbers: &[u32]) -> &'static str {
    let [first, between @ .., last] = numbers else {
        return "in order";
    };
    let offset = |number: &u32| number.wrapping_sub(*first);
    let mut come: Vec<_> = between.iter().chain([first]).map(offset).collect();
    come.sort_unstable();
    let last = offset(last);
    // Where the first hole begins.
    let mut next = 0;
    for begin in &come {
        if *begin == next {
            next += LENGTH;
        }
    }
    let behind = come.iter().any(|begin| *begin > last);
    match last {
        // Before the first number, half of the circle away or less.
        old if old > u32::MAX / 2 => "retransmission",
        known if come.contains(&known) => "retransmission",
        _ if behind => "fills a hole",
        expected if expected == next => "in order",
        _ => "out of order",
    }
}
