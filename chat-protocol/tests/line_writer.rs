//! Whatever goes into a line, exactly one line within the limits comes out.

use chat_protocol::{
    LineWriter, MAX_BODY_BYTES, MAX_CLIENT_TAG_BYTES, MAX_TAG_BYTES, Message, TagLimit, Written,
};
use proptest::collection::vec;
use proptest::prelude::*;

const WHOLE: Written = Written {
    cut: false,
    replaced: false,
};

/// Bytes of a hostile peer: those that end a part, a part of a character, and any other.
fn hostile(longest: usize) -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        3 => proptest::sample::select(b" :@;=\\\r\n\0a\xc3\xa9\xf0".to_vec()),
        1 => any::<u8>(),
    ];
    vec(byte, 0..longest)
}

proptest! {
    #[test]
    fn no_input_can_end_the_line_or_start_another(
        key in hostile(10),
        value in hostile(40),
        source in hostile(40),
        command in hostile(10),
        parameters in vec(hostile(80), 0..20),
        trailing in hostile(400),
        more in hostile(100),
    ) {
        let mut out = b"before\r\n".to_vec();
        let mut writer =
            LineWriter::new(&mut out).tag(&key, &value).source(&source).command(&command);
        for parameter in &parameters {
            writer = writer.parameter(parameter);
        }
        writer.trailing(&trailing).append(&more).finish();

        let line = out.strip_prefix(b"before\r\n").unwrap().strip_suffix(b"\r\n").unwrap();
        prop_assert!(!line.iter().any(|byte| b"\r\n\0".contains(byte)));
        let message = Message::parse(line).unwrap();
        prop_assert!(message.source.is_some());
        prop_assert!(message.parameters.len() <= parameters.len() + 1);
        let body = match message.tags.raw().len() {
            0 => line,
            tag_bytes => &line["@ ".len() + tag_bytes..],
        };
        prop_assert!(body.len() <= MAX_BODY_BYTES - "\r\n".len());
    }

    #[test]
    fn a_cut_text_is_a_beginning_of_the_text_that_ends_between_characters(
        text in "[a-z\u{e9}\u{20ac}\u{1f600}]{0,600}",
        pieces in 1..5_usize,
    ) {
        let mut out = Vec::new();
        let mut writer = LineWriter::new(&mut out).command(b"PRIVMSG").parameter(b"#room").trailing(b"");
        let room = writer.room();
        // Pieces may end inside a character: the next piece goes on with it.
        let bytes = text.as_bytes();
        for piece in bytes.chunks((bytes.len() / pieces).max(1)) {
            writer = writer.append(piece);
        }
        let written = writer.finish();
        let kept = str::from_utf8(&out).unwrap().strip_prefix("PRIVMSG #room :").unwrap();
        let kept = kept.strip_suffix("\r\n").unwrap();
        prop_assert!(text.starts_with(kept));
        prop_assert_eq!(kept.len(), text.floor_char_boundary(room));
        prop_assert_eq!(written, Written { cut: text.len() > room, replaced: false });
    }

    #[test]
    fn a_tag_value_comes_back_as_it_was_given(value in "[a-z;\\\\ \r\n:=\u{e9}]{0,40}") {
        let mut out = Vec::new();
        let written =
            LineWriter::new(&mut out).tag(b"+k", value.as_bytes()).command(b"TAGMSG").finish();
        prop_assert_eq!(written, WHOLE);
        let message = Message::parse(out.strip_suffix(b"\r\n").unwrap()).unwrap();
        let found = message.tags.get(b"+k").unwrap();
        prop_assert!(*found.unescape() == *value.as_bytes());

        // And once more, handed on from message to message.
        let mut relayed = Vec::new();
        LineWriter::new(&mut relayed).tag_value(b"+k", found).command(b"TAGMSG").finish();
        prop_assert_eq!(relayed, out);
    }
}

#[test]
fn a_body_of_exactly_512_bytes_is_not_cut_and_one_more_is() {
    let room = MAX_BODY_BYTES - "AWAY :\r\n".len();
    for (bytes, cut) in [(room, false), (room + 1, true), (room + 10_000, true)] {
        let mut out = Vec::new();
        let written = LineWriter::new(&mut out)
            .command(b"AWAY")
            .trailing(&vec![b'x'; bytes])
            .finish();
        assert_eq!(
            written,
            Written {
                cut,
                replaced: false
            }
        );
        assert_eq!(out.len(), MAX_BODY_BYTES);
        assert!(out.ends_with(b"x\r\n"));
    }
}

#[test]
fn nothing_follows_a_part_that_was_cut() {
    let mut out = Vec::new();
    let writer = LineWriter::new(&mut out)
        .command(b"X")
        .parameter(&[b'y'; 600]);
    assert_eq!(writer.room(), 0);
    let written = writer
        .parameter(b"z")
        .trailing(b"z")
        .append(b"z")
        .append_display(1)
        .finish();
    assert_eq!(
        written,
        Written {
            cut: true,
            replaced: false
        }
    );
    assert!(!out.contains(&b'z'));
    assert_eq!(out.len(), MAX_BODY_BYTES);
}

#[test]
fn room_is_what_fits_without_a_cut() {
    let mut out = Vec::new();
    let writer = LineWriter::new(&mut out)
        .tag(b"a", b"b")
        .source(b"s")
        .command(b"353")
        .trailing(b"");
    let room = writer.room();
    assert_eq!(room, MAX_BODY_BYTES - ":s 353 :\r\n".len());
    assert_eq!(writer.append(&vec![b'x'; room]).finish(), WHOLE);
}

#[test]
fn a_tag_that_does_not_fit_is_left_out_whole() {
    for (limit, bytes) in [
        (TagLimit::Server, MAX_TAG_BYTES),
        (TagLimit::Client, MAX_CLIENT_TAG_BYTES),
    ] {
        let room = bytes - "@a=;b= ".len();
        for (value_bytes, cut) in [(room - 1, false), (room, true)] {
            let mut out = Vec::new();
            let written = LineWriter::with_tag_limit(&mut out, limit)
                .tag(b"a", b"1")
                .tag(b"b", &vec![b'x'; value_bytes])
                .command(b"TAGMSG")
                .parameter(b"#room")
                .finish();
            assert_eq!(
                written,
                Written {
                    cut,
                    replaced: false
                }
            );
            let message = Message::parse(out.strip_suffix(b"\r\n").unwrap()).unwrap();
            assert_eq!(message.tags.get(b"a").unwrap().raw(), b"1");
            assert_eq!(message.tags.get(b"b").is_some(), !cut);
            assert_eq!(*message.parameters, [b"#room"]);
        }
    }
}

#[test]
fn a_line_without_tags_has_no_tag_section() {
    let mut out = Vec::new();
    let written = LineWriter::with_tag_limit(&mut out, TagLimit::None)
        .tag(b"time", b"now")
        .command(b"PING")
        .parameter(b"x")
        .finish();
    assert_eq!(
        written,
        Written {
            cut: true,
            replaced: false
        }
    );
    assert_eq!(out, b"PING x\r\n");
}

#[test]
fn a_tag_without_a_writable_key_is_left_out() {
    for key in [&b""[..], b"a=b", b"a;b", b"a b", b"a\nb"] {
        let mut out = Vec::new();
        let written = LineWriter::new(&mut out)
            .tag(key, b"v")
            .command(b"X")
            .finish();
        assert_eq!(
            written,
            Written {
                cut: false,
                replaced: true
            }
        );
        assert_eq!(out, b"X\r\n");
    }
}

#[test]
fn an_empty_tag_value_is_not_written() {
    let mut out = Vec::new();
    LineWriter::new(&mut out)
        .tag(b"a", b"")
        .tag(b"b", b"c")
        .command(b"X")
        .finish();
    assert_eq!(out, b"@a;b=c X\r\n");
}

#[test]
fn what_would_break_a_line_stands_there_as_another_byte() {
    let mut out = Vec::new();
    let written = LineWriter::new(&mut out)
        .source(b"a b")
        .command(b":x")
        .parameter(b"")
        .parameter(b":y z")
        .trailing(b"one\r\nQUIT\0 :two")
        .finish();
    assert_eq!(
        written,
        Written {
            cut: false,
            replaced: true
        }
    );
    assert_eq!(
        str::from_utf8(&out),
        Ok(":a_b _x * _y_z :one  QUIT  :two\r\n")
    );
}

#[test]
fn values_are_formatted_in_place() {
    let mut out = Vec::new();
    let written = LineWriter::new(&mut out)
        .source(b"irc.example.org")
        .command(b"265")
        .parameter(b"alice")
        .parameter_display(7)
        .parameter_display("")
        .parameter_display(":-)")
        .trailing_display(format_args!("Current local users {}, max {}", 7, 12))
        .append(b" or so")
        .finish();
    assert_eq!(
        written,
        Written {
            cut: false,
            replaced: true
        }
    );
    assert_eq!(
        str::from_utf8(&out),
        Ok(":irc.example.org 265 alice 7 * _-) :Current local users 7, max 12 or so\r\n"),
    );
}

#[test]
fn a_source_can_be_written_piece_by_piece() {
    let mut out = Vec::new();
    LineWriter::new(&mut out)
        .source(b"alice")
        .append(b"!a@")
        .append_display("127.0.0.1")
        .command(b"JOIN")
        .parameter(b"#room")
        .finish();
    assert_eq!(out, b":alice!a@127.0.0.1 JOIN #room\r\n");
}

#[test]
fn a_sixteenth_parameter_is_left_out() {
    let words: Vec<&[u8]> = vec![b"x"; 15];
    let mut out = Vec::new();
    assert_eq!(
        LineWriter::new(&mut out)
            .command(b"A")
            .parameters(&words)
            .finish(),
        WHOLE
    );
    let written = LineWriter::new(&mut out)
        .command(b"B")
        .parameters(&words)
        .parameter(b"y")
        .finish();
    assert_eq!(
        written,
        Written {
            cut: true,
            replaced: false
        }
    );
    assert!(!out.contains(&b'y'));
}

#[test]
fn a_line_that_is_not_finished_is_taken_back() {
    let mut out = b"PING a\r\n".to_vec();
    drop(
        LineWriter::new(&mut out)
            .tag(b"a", b"b")
            .command(b"PRIVMSG")
            .parameter(b"#room"),
    );
    assert_eq!(out, b"PING a\r\n");
}

#[test]
#[should_panic(expected = "one command stands before the parameters")]
fn parts_out_of_order_are_a_mistake_in_the_code() {
    let mut out = Vec::new();
    LineWriter::new(&mut out)
        .command(b"PING")
        .parameter(b"x")
        .command(b"PONG")
        .finish();
}
