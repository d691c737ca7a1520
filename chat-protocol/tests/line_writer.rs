//! Whatever goes into a line, exactly one line within the limits comes out.

use std::fmt;

use chat_protocol::{
    LineWriter, MAX_BODY_BYTES, MAX_PARAMETERS, MAX_TAG_BYTES, Message, TagLimit, Tags, Written,
};
use proptest::collection::vec;
use proptest::prelude::*;

const WHOLE: Written = Written {
    cut: false,
    replaced: false,
};
const CUT: Written = Written {
    cut: true,
    replaced: false,
};
const REPLACED: Written = Written {
    cut: false,
    replaced: true,
};

/// The line that `build` makes, and what it says about it.
fn write(build: impl FnOnce(LineWriter<'_>) -> Written) -> (String, Written) {
    let mut out = Vec::new();
    let written = build(LineWriter::new(&mut out));
    (String::from_utf8(out).unwrap(), written)
}

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
        let mut writer =
            LineWriter::new(&mut out).command(b"PRIVMSG").parameter(b"#room").trailing(b"");
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
    for (bytes, expected) in [(room, WHOLE), (room + 1, CUT), (room + 10_000, CUT)] {
        let (line, written) = write(|writer| {
            writer
                .command(b"AWAY")
                .trailing(&vec![b'x'; bytes])
                .finish()
        });
        assert_eq!(written, expected);
        assert_eq!(line.len(), MAX_BODY_BYTES);
        assert!(line.ends_with("x\r\n"));
    }
}

#[test]
fn nothing_follows_a_part_that_was_cut() {
    let (line, written) = write(|writer| {
        let writer = writer.command(b"X").parameter(&[b'y'; 600]);
        assert_eq!(writer.room(), 0);
        writer
            .parameter(b"z")
            .trailing(b"z")
            .append(b"z")
            .append_display(1)
            .finish()
    });
    assert_eq!(written, CUT);
    assert_eq!(
        line,
        format!("X {}\r\n", "y".repeat(MAX_BODY_BYTES - "X \r\n".len()))
    );
}

#[test]
fn room_is_what_fits_without_a_cut() {
    let (line, written) = write(|writer| {
        assert_eq!(writer.room(), MAX_BODY_BYTES - "\r\n".len());
        let writer = writer
            .tag(b"a", b"b")
            .source(b"s")
            .command(b"353")
            .trailing(b"");
        let room = writer.room();
        writer.append(&vec![b'x'; room]).finish()
    });
    assert_eq!(written, WHOLE);
    assert_eq!(line.len(), "@a=b ".len() + MAX_BODY_BYTES);
}

#[test]
fn a_tag_that_does_not_fit_is_left_out_whole() {
    for limit in [TagLimit::None, TagLimit::Client, TagLimit::Server] {
        let room = limit.bytes().saturating_sub("@a=1;b= ".len());
        for value_bytes in [room, room + 1] {
            let value = "x".repeat(value_bytes);
            let mut out = Vec::new();
            let written = LineWriter::with_tag_limit(&mut out, limit)
                .tag(b"a", b"1")
                .tag(b"b", value.as_bytes())
                .command(b"TAGMSG")
                .finish();
            let expected = match limit {
                TagLimit::None => "TAGMSG\r\n".to_owned(),
                _ if value_bytes == room => format!("@a=1;b={value} TAGMSG\r\n"),
                _ => "@a=1 TAGMSG\r\n".to_owned(),
            };
            assert_eq!(String::from_utf8(out).unwrap(), expected);
            assert_eq!(written.cut, limit == TagLimit::None || value_bytes > room);
        }
    }
}

#[test]
fn tags_of_another_message_are_copied_all_or_none() {
    let tags = format!("a=1\\s;b;;{}", "x".repeat(100));
    let line = format!("@{tags} PING");
    let message = Message::parse(line.as_bytes()).unwrap();
    let (copied, written) = write(|writer| {
        writer
            .tag(b"c", b"2")
            .tags(message.tags)
            .command(b"PING")
            .finish()
    });
    assert_eq!((copied, written), (format!("@c=2;{tags} PING\r\n"), WHOLE));

    let long = vec![b'y'; MAX_TAG_BYTES - 50];
    let (copied, written) = write(|writer| {
        writer
            .tag(b"c", &long)
            .tags(message.tags)
            .command(b"PING")
            .finish()
    });
    assert!(copied.ends_with("y PING\r\n"));
    assert_eq!(written, CUT);
}

#[test]
fn a_tag_without_a_writable_key_is_left_out() {
    for key in [&b""[..], b"a=b", b"a;b", b"a b", b"a\nb"] {
        let (line, written) = write(|writer| writer.tag(key, b"v").command(b"X").finish());
        assert_eq!((line.as_str(), written), ("X\r\n", REPLACED));
    }
}

#[test]
fn an_empty_tag_value_is_not_written() {
    let (line, written) =
        write(|writer| writer.tag(b"a", b"").tag(b"b", b"c").command(b"X").finish());
    assert_eq!((line.as_str(), written), ("@a;b=c X\r\n", WHOLE));
}

#[test]
fn what_would_break_a_line_stands_there_as_another_byte() {
    let written = |build: fn(LineWriter<'_>) -> LineWriter<'_>| {
        let (line, written) = write(|writer| build(writer).finish());
        assert_eq!(written, REPLACED, "{line:?}");
        line
    };
    assert_eq!(
        written(|writer| writer.tag(b"a", b"1\x002").command(b"A")),
        "@a=1_2 A\r\n"
    );
    assert_eq!(
        written(|writer| writer.source(b"a b").command(b"A")),
        ":a_b A\r\n"
    );
    // At the start of a line an at sign would begin tags, a colon the source.
    assert_eq!(written(|writer| writer.command(b"@x")), "_x\r\n");
    assert_eq!(written(|writer| writer.command(b":x")), "_x\r\n");
    assert_eq!(
        written(|writer| writer.command(b"A").parameter(b":y")),
        "A _y\r\n"
    );
    assert_eq!(
        written(|writer| writer.command(b"A").parameter(b"y z")),
        "A y_z\r\n"
    );
    assert_eq!(
        written(|writer| writer.command(b"A").trailing(b"1\r\nB\0 :2")),
        "A :1  B  :2\r\n"
    );
}

#[test]
fn values_are_formatted_in_place() {
    let (line, written) = write(|writer| {
        let writer = writer
            .source(b"irc.example.org")
            .command(b"265")
            .parameter(b"alice");
        let writer = writer
            .parameter_display(7)
            .parameter_display("")
            .parameter_display(":-)");
        writer
            .trailing_display(format_args!("Current users {}, max {}", 7, 12))
            .append(b"!")
            .finish()
    });
    assert_eq!(
        line,
        ":irc.example.org 265 alice 7 * _-) :Current users 7, max 12!\r\n"
    );
    assert_eq!(written, REPLACED);
}

#[test]
fn a_source_can_be_written_piece_by_piece() {
    let (line, written) = write(|writer| {
        let writer = writer
            .source(b"alice")
            .append(b"!a@")
            .append_display("127.0.0.1");
        writer.command(b"JOIN").parameter(b"#room").finish()
    });
    assert_eq!(
        (line.as_str(), written),
        (":alice!a@127.0.0.1 JOIN #room\r\n", WHOLE)
    );
}

#[test]
fn a_sixteenth_parameter_is_left_out() {
    let fifteen: Vec<&[u8]> = vec![b"x"; MAX_PARAMETERS];
    let expected = format!("A{}\r\n", " x".repeat(MAX_PARAMETERS));
    let (line, written) = write(|writer| writer.command(b"A").parameters(&fifteen).finish());
    assert_eq!((&line, written), (&expected, WHOLE));
    let (line, written) = write(|writer| {
        writer
            .command(b"A")
            .parameters(&fifteen)
            .parameter(b"y")
            .finish()
    });
    assert_eq!((&line, written), (&expected, CUT));
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
fn a_parameter_takes_two_bytes_of_room_at_least() {
    let long = |left: usize| vec![b'x'; MAX_BODY_BYTES - "A \r\n".len() - left];
    for (left, expected) in [(0, CUT), (1, CUT), (2, WHOLE), (3, WHOLE)] {
        let (line, written) = write(|writer| {
            writer
                .command(b"A")
                .parameter(&long(left))
                .parameter(b"y")
                .finish()
        });
        assert_eq!(
            (line.ends_with("x y\r\n"), written),
            (expected == WHOLE, expected)
        );
        let (line, written) = write(|writer| {
            writer
                .command(b"A")
                .parameter(&long(left))
                .trailing(b"")
                .finish()
        });
        assert_eq!(
            (line.ends_with("x :\r\n"), written),
            (expected == WHOLE, expected)
        );
    }
}

/// Gives up after a first word.
struct Unfinished;

impl fmt::Display for Unfinished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("first")?;
        Err(fmt::Error)
    }
}

#[test]
fn a_value_that_gives_up_counts_as_cut() {
    let (line, written) = write(|writer| {
        writer
            .command(b"A")
            .trailing_display(Unfinished)
            .append(b"more")
            .finish()
    });
    assert_eq!((line.as_str(), written), ("A :first\r\n", CUT));
}

// An order that no input can bring about is refused where it was programmed: the rest of this file.

#[test]
#[should_panic(expected = "a tag stands before")]
fn a_tag_after_the_source_panics() {
    write(|writer| writer.source(b"a").tag(b"a", b"b").command(b"A").finish());
}

#[test]
#[should_panic(expected = "tags stand before")]
fn tags_after_the_command_panic() {
    write(|writer| writer.command(b"A").tags(Tags::EMPTY).finish());
}

#[test]
#[should_panic(expected = "one source stands before")]
fn a_second_source_panics() {
    write(|writer| writer.source(b"a").source(b"b").command(b"A").finish());
}

#[test]
#[should_panic(expected = "one command stands before")]
fn a_second_command_panics() {
    write(|writer| writer.command(b"A").command(b"B").finish());
}

#[test]
#[should_panic(expected = "parameters stand after the command")]
fn a_parameter_without_a_command_panics() {
    write(|writer| writer.source(b"a").parameter(b"b").finish());
}

#[test]
#[should_panic(expected = "none after the trailing one")]
fn a_parameter_after_the_trailing_one_panics_even_if_nothing_fits_any_more() {
    write(|writer| {
        writer
            .command(&[b'A'; 600])
            .trailing(b"")
            .parameter(b"a")
            .finish()
    });
}

#[test]
#[should_panic(expected = "append goes on with a part of the body")]
fn append_to_nothing_panics() {
    write(|writer| writer.append(b"a").command(b"A").finish());
}

#[test]
#[should_panic(expected = "append goes on with a part of the body")]
fn append_display_to_a_tag_panics() {
    write(|writer| {
        writer
            .tag(b"a", b"b")
            .append_display(1)
            .command(b"A")
            .finish()
    });
}

#[test]
#[should_panic(expected = "a line has a command")]
fn a_line_without_a_command_panics() {
    write(|writer| writer.source(b"a").finish());
}
