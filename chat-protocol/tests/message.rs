//! Parsing and writing are each other's inverse; no bytes make either panic.

use chat_protocol::{
    LineWriter, MAX_BODY_BYTES, MAX_PARAMETERS, MAX_TAG_BYTES, Message, Parameters, ParseError,
    Source, Tags,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// The line of a message, in any of the forms that a peer may send.
fn line() -> impl Strategy<Value = String> {
    let tags = proptest::option::of("@[+a-z/;=\\\\:\u{e9}]{0,60} {1,3}");
    let source = proptest::option::of(":[a-z!@.*~\u{1}]{0,40} {1,3}");
    let middle = vec(" {1,2}[a-z0-9,#@*\u{3b1}][a-z:=\t\u{1f600}]{0,6}", 0..18);
    let trailing = proptest::option::of(" {1,2}:[a-z :@#\u{2}\u{fc}]{0,20}");
    (
        " {0,2}",
        tags,
        source,
        "[a-zA-Z0-9]{1,12}",
        middle,
        trailing,
        " {0,3}",
    )
        .prop_map(|(before, tags, source, command, middle, trailing, after)| {
            [
                before,
                tags.unwrap_or_default(),
                source.unwrap_or_default(),
                command,
                middle.concat(),
                trailing.unwrap_or_default(),
                after,
            ]
            .concat()
        })
}

/// Bytes that mean something to the parser turn up often enough to matter.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        5 => proptest::sample::select(b" :@;=\\!\r\n\0aB1".to_vec()),
        1 => any::<u8>(),
    ];
    vec(byte, 0..200)
}

/// Writes `message`, parses the line and expects the same.
fn comes_back(message: &Message<'_>) {
    let mut out = b"before".to_vec();
    let written = message.write_to(&mut out);
    assert!(
        !written.cut && !written.replaced,
        "{message:?}: {written:?}"
    );
    let line = out
        .strip_prefix(b"before")
        .unwrap()
        .strip_suffix(b"\r\n")
        .unwrap();
    assert_eq!(Message::parse(line).as_ref(), Ok(message));
}

proptest! {
    #[test]
    fn a_message_that_is_written_parses_to_the_same_message(line in line()) {
        let message = Message::parse(line.as_bytes()).unwrap();
        comes_back(&message);
    }

    #[test]
    fn the_parts_that_were_written_are_the_parts_that_are_parsed(
        tags in vec(("[+a-z][a-z/.-]{0,9}", "[^\0]{0,8}"), 0..5),
        source in proptest::option::of("[^\0\r\n ]{1,20}"),
        command in "[A-Za-z]{1,10}|[0-9]{3}",
        middle in vec("[^\0\r\n :][^\0\r\n ]{0,5}", 0..MAX_PARAMETERS),
        last in proptest::option::of("[^\0\r\n]{0,40}"),
    ) {
        let mut out = Vec::new();
        let mut writer = LineWriter::new(&mut out);
        for (key, value) in &tags {
            writer = writer.tag(key.as_bytes(), value.as_bytes());
        }
        if let Some(source) = &source {
            writer = writer.source(source.as_bytes());
        }
        let parameters: Vec<&[u8]> = middle.iter().chain(&last).map(String::as_bytes).collect();
        let written = writer.command(command.as_bytes()).parameters(&parameters).finish();
        prop_assume!(!written.cut);
        prop_assert!(!written.replaced);

        let message = Message::parse(out.strip_suffix(b"\r\n").unwrap()).unwrap();
        prop_assert_eq!(message.source, source.as_ref().map(|source| Source::new(source.as_bytes())));
        prop_assert_eq!(message.command, command.as_bytes());
        prop_assert_eq!(&*message.parameters, parameters);
        prop_assert_eq!(message.tags.iter().count(), tags.len());
        for ((key, value), (found_key, found)) in tags.iter().zip(message.tags.iter()) {
            prop_assert_eq!(found_key, key.as_bytes());
            prop_assert!(*found.unescape() == *value.as_bytes());
        }
    }

    #[test]
    fn arbitrary_bytes_are_an_error_or_a_message_that_comes_back(bytes in bytes()) {
        if let Ok(message) = Message::parse(&bytes) {
            comes_back(&message);
        }
    }

    #[test]
    fn a_line_is_refused_exactly_if_it_has_no_command_or_a_forbidden_byte(bytes in bytes()) {
        let words = bytes.split(|&byte| byte == b' ');
        let mut words = words.filter(|word| !word.is_empty()).peekable();
        let empty = words.peek().is_none();
        words.next_if(|word| word.starts_with(b"@"));
        words.next_if(|word| word.starts_with(b":"));
        let no_command = words.next().is_none_or(|word| matches!(word[0], b':' | b'@'));
        let expected = if bytes.iter().any(|byte| b"\0\r\n".contains(byte)) {
            Some(ParseError::ForbiddenByte)
        } else if empty {
            Some(ParseError::Empty)
        } else {
            no_command.then_some(ParseError::NoCommand)
        };
        prop_assert_eq!(Message::parse(&bytes).err(), expected);
    }
}

#[test]
fn the_longest_line_comes_back() {
    let tags = "t".repeat(MAX_TAG_BYTES - "@ ".len());
    let body = "PRIVMSG #room :";
    let text = "x".repeat(MAX_BODY_BYTES - "\r\n".len() - body.len());
    comes_back(&Message::parse(format!("@{tags} {body}{text}").as_bytes()).unwrap());
}

#[test]
fn the_fifteenth_parameter_takes_the_rest_with_or_without_a_colon() {
    let fourteen: Vec<String> = (1..=14).map(|n| n.to_string()).collect();
    for (rest, last) in [
        ("15", "15"),
        ("15 16 :17 18", "15 16 :17 18"),
        (":15 16 ", "15 16 "),
        ("15  ", "15"),
        ("15 16  ", "15 16"),
        (":", ""),
    ] {
        let line = format!("MODE {} {rest}", fourteen.join(" "));
        let message = Message::parse(line.as_bytes()).unwrap();
        assert_eq!(message.parameters.len(), 15, "{line}");
        assert_eq!(message.parameters[14], last.as_bytes(), "{line}");
        comes_back(&message);
    }
}

#[test]
fn a_command_is_the_same_in_any_case_and_a_numeric_has_three_digits() {
    let message = Message::parse(b"join #room").unwrap();
    assert!(message.is(b"JOIN"));
    assert!(!message.is(b"PART"));
    assert_eq!(message.numeric(), None);
    assert_eq!(
        Message::parse(b":server 001 alice :Welcome")
            .unwrap()
            .numeric(),
        Some(1)
    );
    assert_eq!(Message::parse(b"999").unwrap().numeric(), Some(999));
    assert_eq!(Message::parse(b"01 x").unwrap().numeric(), None);
    assert_eq!(Message::parse(b"0x1 x").unwrap().numeric(), None);
    assert_eq!(Message::parse(b"0001 x").unwrap().numeric(), None);
}

#[test]
fn a_message_can_be_made_of_parts() {
    let parameters = ["#room", "hello all"].map(str::as_bytes);
    let message = Message {
        tags: Tags::EMPTY,
        source: Some(Source::new(b"alice!a@h")),
        command: b"PRIVMSG",
        parameters: Parameters::new(&parameters),
    };
    assert_eq!(
        Message::parse(b":alice!a@h PRIVMSG #room :hello all"),
        Ok(message)
    );
    comes_back(&message);
}

#[test]
fn fifteen_parameters_fit_into_a_message() {
    assert_eq!(
        Parameters::new(&[&b"x"[..]; MAX_PARAMETERS]).len(),
        MAX_PARAMETERS
    );
}

#[test]
#[should_panic(expected = "more than 15 parameters")]
fn sixteen_parameters_do_not_fit_into_a_message() {
    let _ = Parameters::new(&[&b"x"[..]; MAX_PARAMETERS + 1]);
}

#[test]
fn an_error_says_what_is_wrong() {
    let error_of = |line: &[u8]| Message::parse(line).unwrap_err().to_string();
    assert_eq!(error_of(b""), "empty line");
    assert_eq!(error_of(b"   "), "empty line");
    assert_eq!(error_of(b"@a=b :alice"), "no command");
    assert_eq!(error_of(b":alice :bob JOIN"), "no command");
    assert_eq!(
        error_of(b"JOIN #a\rPART #b"),
        "NUL, CR or LF inside the line"
    );
}

#[test]
fn debug_shows_text_and_not_lists_of_numbers() {
    let message = Message::parse(b"@a=b :alice!a@h PRIVMSG #room :hi \xff").unwrap();
    assert_eq!(
        format!("{message:?}"),
        "Message { tags: \"a=b\", source: Some(\"alice!a@h\"), command: \"PRIVMSG\", \
         parameters: [\"#room\", \"hi \\xff\"] }",
    );
}
