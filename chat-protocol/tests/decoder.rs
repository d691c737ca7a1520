//! The decoder finds the same lines however the bytes come, and keeps within its limits.

use std::ops::ControlFlow;

use chat_protocol::{
    Decoded, DropCounts, DropReason, LineDecoder, MAX_BODY_BYTES, MAX_CLIENT_TAG_BYTES,
    MAX_TAG_BYTES, TagLimit,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// What [`Decoded`] says, as a value that outlives the call.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Found {
    Line(Vec<u8>),
    TooLong,
    Nul,
    BareCr,
}

impl From<Decoded<'_>> for Found {
    fn from(decoded: Decoded<'_>) -> Found {
        match decoded {
            Decoded::Line(line) => Found::Line(line.to_vec()),
            Decoded::TooLong => Found::TooLong,
            Decoded::Dropped(DropReason::Nul) => Found::Nul,
            Decoded::Dropped(DropReason::BareCr) => Found::BareCr,
        }
    }
}

/// The most that a decoder may keep: a tag section, a body, and the CR that might end it.
fn most_pending(limit: TagLimit) -> usize {
    limit.bytes() + MAX_BODY_BYTES - "\n".len()
}

/// Gives `pieces` to a decoder one after the other.
fn decode<'a>(
    limit: TagLimit,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<Found>, LineDecoder) {
    let mut decoder = LineDecoder::new(limit);
    let mut found = Vec::new();
    for piece in pieces {
        let taken = decoder.decode(piece, |decoded| {
            found.push(decoded.into());
            ControlFlow::Continue(())
        });
        assert_eq!(taken, piece.len());
        assert!(decoder.pending() <= most_pending(limit));
    }
    (found, decoder)
}

fn decode_whole(limit: TagLimit, bytes: &[u8]) -> Vec<Found> {
    decode(limit, [bytes]).0
}

/// What the rules say, written down without any regard to pieces or memory.
fn model(limit: TagLimit, bytes: &[u8]) -> Vec<Found> {
    let mut lines: Vec<&[u8]> = bytes.split(|&byte| byte == b'\n').collect();
    let unfinished = lines.pop().unwrap();
    let mut found: Vec<Found> = lines
        .into_iter()
        .filter_map(|line| judge(limit, line))
        .collect();
    // Of an unfinished line only one thing can be known: that it is too long already.
    found.extend(judge(limit, unfinished).filter(|judged| *judged == Found::TooLong));
    found
}

fn judge(limit: TagLimit, line: &[u8]) -> Option<Found> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let section_bytes = match line {
        [b'@', ..] if limit != TagLimit::None => {
            line.iter()
                .position(|&byte| byte == b' ')
                .unwrap_or(line.len())
                + 1
        }
        _ => 0,
    };
    let body_bytes = line.len().saturating_sub(section_bytes);
    if section_bytes > limit.bytes() || body_bytes + "\r\n".len() > MAX_BODY_BYTES {
        Some(Found::TooLong)
    } else if let Some(forbidden) = line.iter().find(|byte| b"\0\r".contains(byte)) {
        Some(if *forbidden == b'\0' {
            Found::Nul
        } else {
            Found::BareCr
        })
    } else {
        (!line.is_empty()).then(|| Found::Line(line.to_vec()))
    }
}

fn tag_limit() -> impl Strategy<Value = TagLimit> {
    proptest::sample::select(vec![TagLimit::None, TagLimit::Client, TagLimit::Server])
}

/// Bytes that mean something to the decoder.
const MARKS: [&[u8]; 8] = [b"\n", b"\r\n", b"\r\r\n", b"\r", b"\0", b"@", b" ", b"\n@"];

/// A stream made of what matters: line endings, forbidden bytes, tags, and runs that end near a
/// limit.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let near = |limit: usize| limit - 5..limit + 5;
    let run = prop_oneof![
        near(MAX_BODY_BYTES),
        near(MAX_CLIENT_TAG_BYTES),
        near(MAX_TAG_BYTES),
        1..20_usize,
    ];
    let part = prop_oneof![
        4 => proptest::sample::select(MARKS.as_slice()).prop_map(<[u8]>::to_vec),
        2 => run.prop_map(|bytes| vec![b'x'; bytes]),
        1 => vec(any::<u8>(), 0..10),
    ];
    vec(part, 0..25).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn the_lines_are_the_same_for_every_way_of_cutting_the_bytes(
        limit in tag_limit(),
        bytes in stream(),
        cuts in vec(any::<proptest::sample::Index>(), 0..20),
    ) {
        let expected = model(limit, &bytes);
        prop_assert_eq!(&decode_whole(limit, &bytes), &expected, "in one piece");
        prop_assert_eq!(&decode(limit, bytes.chunks(1)).0, &expected, "byte by byte");

        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|ends| &bytes[ends[0]..ends[1]]);
        prop_assert_eq!(&decode(limit, pieces).0, &expected, "cut at {:?}", cuts);
    }

    #[test]
    fn a_decoder_goes_on_where_another_has_stopped(
        limit in tag_limit(),
        bytes in stream(),
        cut in any::<proptest::sample::Index>(),
    ) {
        let (before, after) = bytes.split_at(cut.index(bytes.len() + 1));
        let mut found: Vec<Found> = Vec::new();
        let mut keep = |decoded: Decoded<'_>| {
            found.push(decoded.into());
            ControlFlow::Continue(())
        };
        let mut first = LineDecoder::new(limit);
        first.decode(before, &mut keep);
        let mut second = LineDecoder::resumed(limit, first.unfinished(), first.is_skipping());
        second.decode(after, &mut keep);
        prop_assert_eq!(&found, &model(limit, &bytes));
    }

    #[test]
    fn stopping_after_any_line_loses_nothing(
        limit in tag_limit(),
        bytes in stream(),
        piece_bytes in 1..2000_usize,
        stops in vec(any::<bool>(), 1..20),
    ) {
        let mut decoder = LineDecoder::new(limit);
        let mut found: Vec<Found> = Vec::new();
        let mut stop = stops.iter().cycle();
        for mut piece in bytes.chunks(piece_bytes) {
            while !piece.is_empty() {
                let mut stopped = false;
                let taken = decoder.decode(piece, |decoded| {
                    assert!(!stopped, "called again after Break");
                    found.push(decoded.into());
                    stopped = *stop.next().unwrap();
                    if stopped { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                });
                prop_assert!(taken > 0 && (stopped || taken == piece.len()));
                piece = &piece[taken..];
            }
        }
        prop_assert_eq!(found, model(limit, &bytes));
    }

    #[test]
    fn every_line_is_handed_out_or_counted(limit in tag_limit(), bytes in stream()) {
        let (found, decoder) = decode(limit, [&bytes[..]]);
        let count = |wanted: &Found| found.iter().filter(|found| *found == wanted).count() as u64;
        prop_assert_eq!(decoder.dropped(), DropCounts {
            too_long: count(&Found::TooLong),
            nul: count(&Found::Nul),
            bare_cr: count(&Found::BareCr),
        });
    }
}

#[test]
fn two_pieces_cut_at_every_byte_give_the_same_lines() {
    let bytes = b"\r\nNICK al\xc3\xafce\nUSER a 0 * :A\r\n\r\n\
                  @t=1 PING \0\r\na\rb\nPRIVMSG #c :bye\r\nrest";
    let expected = model(TagLimit::Client, bytes);
    assert_eq!(expected.len(), 5);
    for at in 0..=bytes.len() {
        let (found, decoder) = decode(TagLimit::Client, [&bytes[..at], &bytes[at..]]);
        assert_eq!(found, expected, "cut at {at}");
        assert_eq!(decoder.pending(), 4, "cut at {at}");
    }
}

#[test]
fn a_body_of_512_bytes_with_its_cr_lf_is_the_longest() {
    let longest = MAX_BODY_BYTES - "\r\n".len();
    for end in ["\r\n", "\n"] {
        let line = |bytes: usize| [vec![b'x'; bytes], end.into()].concat();
        assert_eq!(
            decode_whole(TagLimit::Client, &line(longest)),
            [Found::Line(vec![b'x'; longest])],
        );
        assert_eq!(
            decode_whole(TagLimit::Client, &line(longest + 1)),
            [Found::TooLong]
        );
    }
}

#[test]
fn tags_are_counted_apart_with_at_sign_and_space() {
    for limit in [TagLimit::Client, TagLimit::Server] {
        let body = vec![b'b'; MAX_BODY_BYTES - "\r\n".len()];
        let line = |tag_bytes: usize| {
            [b"@", vec![b't'; tag_bytes].as_slice(), b" ", &body, b"\r\n"].concat()
        };
        let longest = limit.bytes() - "@ ".len();
        assert!(matches!(
            decode_whole(limit, &line(longest))[..],
            [Found::Line(_)]
        ));
        assert_eq!(decode_whole(limit, &line(longest + 1)), [Found::TooLong]);
    }
}

#[test]
fn without_tags_an_at_sign_is_an_ordinary_byte() {
    let line = [b"@".as_slice(), &[b'x'; MAX_BODY_BYTES], b"\n"].concat();
    assert_eq!(decode_whole(TagLimit::None, &line), [Found::TooLong]);
    assert_eq!(
        decode_whole(TagLimit::None, b"@bob hi\n"),
        [Found::Line(b"@bob hi".to_vec())]
    );
}

#[test]
fn a_megabyte_without_newline_is_reported_once_and_the_next_line_is_whole() {
    for start in [&b""[..], b"@"] {
        let mut bytes = start.to_vec();
        bytes.resize(1 << 20, b'x');
        bytes.extend_from_slice(b"\nPING a\n");
        for piece_bytes in [7, 4096, bytes.len()] {
            let (found, decoder) = decode(TagLimit::Client, bytes.chunks(piece_bytes));
            assert_eq!(found, [Found::TooLong, Found::Line(b"PING a".to_vec())]);
            assert_eq!(decoder.pending(), 0);
        }
    }
}

#[test]
fn an_over_long_line_is_reported_before_its_end_comes() {
    let (found, decoder) = decode(TagLimit::Client, [&[b'x'; 600][..]]);
    assert_eq!(found, [Found::TooLong]);
    assert_eq!(decoder.pending(), 0, "what is thrown away is not kept");
}

#[test]
fn bytes_after_a_break_stay_with_the_caller() {
    let mut decoder = LineDecoder::new(TagLimit::Client);
    let bytes = b"one\r\ntwo\r\nthree";
    let taken = decoder.decode(bytes, |_| ControlFlow::Break(()));
    assert_eq!(&bytes[taken..], b"two\r\nthree");
    assert_eq!(decoder.pending(), 0);
}
