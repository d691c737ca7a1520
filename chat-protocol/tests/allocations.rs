//! What allocates and what does not, counted by an allocator of this test's own.

use std::hint::black_box;
use std::ops::ControlFlow;

use chapter_tests::allocations::{Counting, measure};
use chat_protocol::{
    Decoded, LineDecoder, LineWriter, MAX_BODY_BYTES, MAX_CLIENT_TAG_BYTES, Message, TagLimit,
    eq_ignore_case, fold, is_channel, is_nick, mask_matches, split_text,
};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const LINE: &[u8] =
    b"@time=2026-01-01T00:00:00.000Z;+note=a\\sb;x;x=2 :alice!a@127.0.0.1 PRIVMSG #room,bob 3 4 \
                      5 6 7 8 9 10 11 12 13 14 fifteen and more";

#[test]
fn the_counter_sees_an_allocation() {
    let counts = measure(|| drop(black_box(vec![0_u8; 1000])));
    assert_eq!(
        (counts.allocations, counts.live_bytes, counts.peak_bytes),
        (1, 0, 1000)
    );
}

#[test]
fn parsing_a_line_allocates_nothing() {
    let counts = measure(|| {
        let message = Message::parse(black_box(LINE)).unwrap();
        assert_eq!(message.parameters.len(), 15);
        assert!(message.is(b"privmsg"));
        assert_eq!(message.numeric(), None);
        assert_eq!(message.tags.iter().count(), 4);
        assert!(message.tags.get(b"x").unwrap().bytes().eq(*b"2"));
        assert!(message.tags.get(b"+note").unwrap().bytes().eq(*b"a b"));
        assert_eq!(
            *message.tags.get(b"time").unwrap().unescape(),
            *b"2026-01-01T00:00:00.000Z"
        );
        let source = message.source.unwrap();
        assert_eq!(source.nick(), b"alice");
        assert_eq!(
            (source.user(), source.host()),
            (Some(&b"a"[..]), Some(&b"127.0.0.1"[..]))
        );
        assert!(Message::parse(black_box(b":alice")).is_err());
    });
    assert_eq!(counts.allocations, 0);
}

#[test]
fn writing_into_a_buffer_with_room_allocates_nothing() {
    let message = Message::parse(LINE).unwrap();
    let mut out = Vec::with_capacity(4096);
    let counts = measure(|| {
        message.write_to(&mut out);
        LineWriter::new(&mut out)
            .tag(b"+note", b"a b;c")
            .source(b"server")
            .command(b"265")
            .parameter_display(7)
            .trailing_display(format_args!("{} users", 7))
            .finish();
    });
    assert_eq!(counts.allocations, 0);
}

#[test]
fn looking_a_name_up_allocates_nothing() {
    let counts = measure(|| {
        assert_eq!(*fold(black_box(b"#Room")), *b"#room");
        assert_eq!(fold(&[b'X'; 50]).len(), 50);
        assert!(is_nick(b"alice") && is_channel("#caf\u{e9}".as_bytes()));
        assert!(eq_ignore_case(b"Alice", b"aLICE"));
        assert!(mask_matches(b"*!*@127.0.0.?", b"alice!a@127.0.0.1"));
        assert_eq!(split_text("one two three", 8).count(), 2);
    });
    assert_eq!(counts.allocations, 0);
}

#[test]
fn whole_lines_are_handed_out_without_a_copy() {
    let mut decoder = LineDecoder::new(TagLimit::Client);
    let bytes = [LINE, b"\r\nPING a\r\n\r\nPI\0NG\r\n", &[b'x'; 2000], b"\n"].concat();
    let input = bytes.as_ptr_range();
    let mut decoded_count = 0;
    let counts = measure(|| {
        decoder.decode(&bytes, |decoded| {
            decoded_count += 1;
            if let Decoded::Line(line) = decoded {
                assert!(input.contains(&line.as_ptr()), "a part of the input itself");
            }
            ControlFlow::Continue(())
        });
    });
    assert_eq!(decoded_count, 4);
    assert_eq!(counts.allocations, 0);
}

#[test]
fn a_decoder_with_nothing_pending_holds_no_memory() {
    let mut decoder = LineDecoder::new(TagLimit::Client);
    let ignore = |_: Decoded<'_>| ControlFlow::Continue(());
    let counts = measure(|| {
        decoder.decode(b"PRIVMSG #room :a line in", ignore);
    });
    assert!(counts.live_bytes > 0, "the beginning of the line is kept");
    let held = counts.live_bytes;
    let counts = measure(|| {
        decoder.decode(b" pieces\r\n", ignore);
    });
    assert_eq!(counts.live_bytes, -held);
}

#[test]
fn a_line_without_end_takes_no_more_memory_than_the_longest_line() {
    // All but the LF, which is never kept.
    let longest = (MAX_CLIENT_TAG_BYTES + MAX_BODY_BYTES - 1).cast_signed();
    // A tag section without end, one that ends at its limit, and a plain body.
    let mut longest_tags = vec![b't'; MAX_CLIENT_TAG_BYTES];
    longest_tags[0] = b'@';
    longest_tags[MAX_CLIENT_TAG_BYTES - 1] = b' ';
    for start in [&b"@"[..], &longest_tags, b""] {
        for piece_bytes in [1, 3, 511, 4096, 65_536] {
            let mut decoder = LineDecoder::new(TagLimit::Client);
            let mut reports = 0;
            let piece = vec![b'x'; piece_bytes];
            let counts = measure(|| {
                for bytes in [start]
                    .into_iter()
                    .chain(std::iter::repeat_n(&piece[..], 1 + 100_000 / piece_bytes))
                {
                    decoder.decode(bytes, |_| {
                        reports += 1;
                        ControlFlow::Continue(())
                    });
                }
            });
            assert_eq!(reports, 1);
            assert_eq!(
                counts.live_bytes, 0,
                "nothing is kept of a line that is thrown away"
            );
            assert!(counts.peak_bytes <= longest, "{} bytes", counts.peak_bytes);
            // The buffer doubles: a peer that sends byte by byte does not have it copied for each
            // byte.
            assert!(
                counts.allocations <= 13,
                "{} allocations",
                counts.allocations
            );
        }
    }
}

#[test]
fn arbitrary_bytes_do_not_make_parsing_allocate() {
    // A multiplicative generator: any bytes will do, the same in every run.
    let mut state = 1_u64;
    let mut line = [0_u8; MAX_BODY_BYTES];
    for with_tags in std::iter::repeat_n([false, true], 1000).flatten() {
        for byte in &mut line {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            *byte = match state >> 60 {
                kind @ 0..8 => b" :@;=\\!,"[usize::try_from(kind).unwrap()],
                _ => state.to_be_bytes()[1].max(b' '),
            };
        }
        if with_tags {
            line[0] = b'@';
        }
        let counts = measure(|| {
            if let Ok(message) = Message::parse(&line) {
                black_box(
                    message
                        .tags
                        .iter()
                        .map(|(_, value)| value.bytes().count())
                        .sum::<usize>(),
                );
                black_box(message.tags.get(b"x"));
                black_box(message.source.map(|source| source.host()));
            }
        });
        assert_eq!(counts.allocations, 0);
    }
}
