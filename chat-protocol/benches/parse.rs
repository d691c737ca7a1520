//! How many lines a second are cut out of a stream and taken apart.
//!
//! Run it: `cargo bench -p chat-protocol`
//!
//! The stream comes in pieces of 16 KiB, as a socket gives it, so that a line now and then is in
//! two of them. Printed are lines for each second of processor time, which other programs on the
//! machine do not change by much; it judges nothing.

use std::hint::black_box;
use std::ops::ControlFlow;

use chapter_tests::{Pid, benchmark, process};
use chat_protocol::{Decoded, LineDecoder, Message, TagLimit};

/// What one read gives.
const PIECE_BYTES: usize = 16 * 1024;

fn main() {
    let (rounds, lines) = if benchmark::is_asked_to_measure() {
        println!("{}", chapter::Machine::here());
        (21, 1_000_000)
    } else {
        (1, 1_000)
    };
    let text = "the quick brown fox jumps over the lazy dog, and then again.";
    assert_eq!(text.len(), 60);
    let said = format!("PRIVMSG #room :{text}\r\n");
    let from_server = format!(":nick!user@host {said}");
    let tagged = format!("@time=2026-01-01T00:00:00.000Z {from_server}");
    let [said, from_server, tagged] = [said, from_server, tagged].map(|line| line.repeat(lines));

    let measure = |stream: &str| {
        let before = process::cpu_time(Pid::this());
        assert_eq!(parse(stream.as_bytes()), lines);
        let took = process::cpu_time(Pid::this()).saturating_sub(before);
        f64::from(u32::try_from(lines).expect("not that many")) / took.as_secs_f64() / 1e6
    };
    let figures = chapter::interleave(
        rounds,
        &mut [
            &mut || measure(&from_server),
            &mut || measure(&said),
            &mut || measure(&tagged),
        ],
    );
    println!("million lines a second of processor time, {rounds} rounds");
    for (what, figures) in [
        ":nick!user@host PRIVMSG #room :60 bytes",
        "the same without a source",
        "the same with source and @time=...",
    ]
    .into_iter()
    .zip(&figures)
    {
        println!("{what:40} {:.2}", chapter::Estimate::of(figures));
    }
}

/// Takes all lines of a stream apart; returns how many there were.
fn parse(stream: &[u8]) -> usize {
    let mut decoder = LineDecoder::new(TagLimit::Server);
    let mut lines = 0;
    for piece in stream.chunks(PIECE_BYTES) {
        decoder.decode(piece, |decoded| {
            if let Decoded::Line(line) = decoded
                && let Ok(message) = Message::parse(line)
            {
                lines += usize::from(black_box(message).parameters.len() == 2);
            }
            ControlFlow::Continue(())
        });
    }
    lines
}
