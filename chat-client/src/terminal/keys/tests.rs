//! Every key at every split, and anything at all.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const NONE: KeyModifiers = KeyModifiers::NONE;
const ALT: KeyModifiers = KeyModifiers::ALT;
const CONTROL: KeyModifiers = KeyModifiers::CONTROL;
const SHIFT: KeyModifiers = KeyModifiers::SHIFT;

/// What is typed by pieces that come one after the other, without a pause.
fn typed(pieces: &[&[u8]]) -> Vec<Typed> {
    let (mut keys, mut typed) = (Keys::default(), Vec::new());
    for piece in pieces {
        keys.take(piece, |one| typed.push(one));
    }
    typed
}

/// The same, and then nothing for a long time.
fn typed_to_the_end(pieces: &[&[u8]]) -> Vec<Typed> {
    let (mut keys, mut typed) = (Keys::default(), Vec::new());
    for piece in pieces {
        keys.take(piece, |one| typed.push(one));
    }
    if keys.patience().is_some() {
        keys.give_up(|one| typed.push(one));
    }
    assert_eq!(keys.patience(), None, "nothing is begun any more");
    typed
}

fn paste(text: &str) -> Typed {
    Typed::Paste {
        text: text.to_owned(),
        is_cut: false,
    }
}

/// Each key in bytes, and what it is.
const KEYS: &[(&[u8], KeyCode, KeyModifiers)] = &[
    (b"a", KeyCode::Char('a'), NONE),
    (b"A", KeyCode::Char('A'), SHIFT),
    (b" ", KeyCode::Char(' '), NONE),
    ("ü".as_bytes(), KeyCode::Char('ü'), NONE),
    ("€".as_bytes(), KeyCode::Char('€'), NONE),
    ("🦀".as_bytes(), KeyCode::Char('🦀'), NONE),
    (b"\r", KeyCode::Enter, NONE),
    (b"\n", KeyCode::Char('j'), CONTROL),
    (b"\t", KeyCode::Tab, NONE),
    (b"\x7f", KeyCode::Backspace, NONE),
    (b"\x08", KeyCode::Char('h'), CONTROL),
    (b"\x00", KeyCode::Char(' '), CONTROL),
    (b"\x01", KeyCode::Char('a'), CONTROL),
    (b"\x1a", KeyCode::Char('z'), CONTROL),
    (b"\x1c", KeyCode::Char('4'), CONTROL),
    (b"\x1ba", KeyCode::Char('a'), ALT),
    (b"\x1b1", KeyCode::Char('1'), ALT),
    ("\x1bü".as_bytes(), KeyCode::Char('ü'), ALT),
    (b"\x1b\x7f", KeyCode::Backspace, ALT),
    (b"\x1b\r", KeyCode::Enter, ALT),
    (b"\x1b[A", KeyCode::Up, NONE),
    (b"\x1bOA", KeyCode::Up, NONE),
    (b"\x1b[1;5D", KeyCode::Left, CONTROL),
    (b"\x1b[1;3D", KeyCode::Left, ALT),
    (b"\x1b[1;9D", KeyCode::Left, ALT),
    (b"\x1b[d", KeyCode::Left, SHIFT),
    (b"\x1bOd", KeyCode::Left, CONTROL),
    (b"\x1b[H", KeyCode::Home, NONE),
    (b"\x1b[1~", KeyCode::Home, NONE),
    (b"\x1b[7~", KeyCode::Home, NONE),
    (b"\x1bOF", KeyCode::End, NONE),
    (b"\x1b[4~", KeyCode::End, NONE),
    (b"\x1b[2~", KeyCode::Insert, NONE),
    (b"\x1b[3~", KeyCode::Delete, NONE),
    (b"\x1b[3;5~", KeyCode::Delete, CONTROL),
    (b"\x1b[3$", KeyCode::Delete, SHIFT),
    (b"\x1b[3^", KeyCode::Delete, CONTROL),
    (b"\x1b[5~", KeyCode::PageUp, NONE),
    (b"\x1b[6~", KeyCode::PageDown, NONE),
    (b"\x1b[Z", KeyCode::BackTab, SHIFT),
    (b"\x1bOP", KeyCode::F(1), NONE),
    (b"\x1b[11~", KeyCode::F(1), NONE),
    (b"\x1b[[A", KeyCode::F(1), NONE),
    (b"\x1b[1;2P", KeyCode::F(1), SHIFT),
    (b"\x1b[[E", KeyCode::F(5), NONE),
    (b"\x1b[15~", KeyCode::F(5), NONE),
    (b"\x1b[17~", KeyCode::F(6), NONE),
    (b"\x1b[21~", KeyCode::F(10), NONE),
    (b"\x1b[24~", KeyCode::F(12), NONE),
    (b"\x1b[34~", KeyCode::F(20), NONE),
    (b"\x1bOM", KeyCode::Enter, NONE),
    (b"\x1bOp", KeyCode::Char('0'), NONE),
    (b"\x1b[13;5u", KeyCode::Enter, CONTROL),
    (b"\x1b[27;5;97~", KeyCode::Char('a'), CONTROL),
    (b"\x1b[9;2u", KeyCode::BackTab, SHIFT),
];

/// What is sent and is nothing that a person did.
const NOTHING: &[&[u8]] = &[
    b"\x1b[I",
    b"\x1b[O",
    b"\x1b[?62;4c",
    b"\x1b[<0;10;20M",
    b"\x1b[<0;10;20m",
    b"\x1b[M !!",
    b"\x1b[201~",
    b"\x1b[99~",
    b"\x1b[1111111111111111111111111111111111111111111111111;9999999999999999~",
    b"\x1b[[Z",
    b"\x1bOz",
];

#[test]
fn a_key_is_the_same_key_wherever_its_bytes_are_cut() {
    for &(bytes, code, modifiers) in KEYS {
        let expected = [key(code, modifiers)];
        assert_eq!(typed(&[bytes]), expected, "{bytes:x?}");
        for at in 1..bytes.len() {
            let (one, two) = bytes.split_at(at);
            assert_eq!(typed(&[one, two]), expected, "{one:x?} {two:x?}");
        }
        // What follows is a key of its own, and nothing waits.
        let followed = [bytes, b"x"].concat();
        let expected = [key(code, modifiers), key(KeyCode::Char('x'), NONE)];
        assert_eq!(typed_to_the_end(&[&followed]), expected, "{bytes:x?}");
    }
}

#[test]
fn what_is_no_key_is_passed_over_to_its_end() {
    for bytes in NOTHING {
        let followed = [bytes, &b"x"[..]].concat();
        let x = [key(KeyCode::Char('x'), NONE)];
        assert_eq!(typed_to_the_end(&[&followed]), x, "{bytes:x?}");
    }
}

#[test]
fn escape_alone_is_a_key_after_fifty_milliseconds_and_not_before() {
    let (mut keys, mut typed) = (Keys::default(), Vec::new());
    keys.take(b"\x1b", |one| typed.push(one));
    assert_eq!(typed, []);
    assert_eq!(keys.patience(), Some(LONE_ESCAPE));
    keys.give_up(|one| typed.push(one));
    assert_eq!(typed, [key(KeyCode::Esc, NONE)]);
    // What comes later is a key of its own.
    keys.take(b"[A", |one| typed.push(one));
    assert_eq!(typed.len(), 3);
}

#[test]
fn a_begun_key_is_waited_for_longer_than_escape_alone() {
    for (begun, rest) in [
        (&b"\x1b["[..], &b"A"[..]),
        (b"\x1b[1;", b"5D"),
        (b"\x1bO", b"P"),
        (b"\xc3", b"\xbc"),
    ] {
        let (mut keys, mut typed) = (Keys::default(), Vec::new());
        keys.take(begun, |one| typed.push(one));
        assert_eq!((keys.patience(), typed.len()), (Some(BEGUN_KEY), 0));
        keys.take(rest, |one| typed.push(one));
        assert_eq!((keys.patience(), typed.len()), (None, 1));
    }
}

#[test]
fn what_can_only_be_told_by_time_is_told_by_time() {
    let alt = |c, more| key(KeyCode::Char(c), ALT | more);
    assert_eq!(typed_to_the_end(&[b"\x1b["]), [alt('[', NONE)]);
    assert_eq!(typed_to_the_end(&[b"\x1bO"]), [alt('O', SHIFT)]);
    assert_eq!(typed_to_the_end(&[b"\x1b[1;"]), []);
    let unknown = key(KeyCode::Char('\u{FFFD}'), NONE);
    assert_eq!(typed_to_the_end(&[b"\xe2\x82"]), [unknown]);
    let escape = key(KeyCode::Esc, NONE);
    assert_eq!(
        typed_to_the_end(&[b"\x1b\x1b"]),
        [escape.clone(), escape.clone()]
    );
    let up = key(KeyCode::Up, NONE);
    assert_eq!(typed(&[b"\x1b\x1b[A"]), [escape, up]);
}

#[test]
fn bytes_that_are_no_text_are_one_unknown_character_each() {
    let unknown = key(KeyCode::Char('\u{FFFD}'), NONE);
    let x = key(KeyCode::Char('x'), NONE);
    // ü in Latin-1, from a terminal that is set so.
    assert_eq!(typed(&[b"\xfcx"]), [unknown.clone(), x.clone()]);
    assert_eq!(typed(&[b"\xc3x"]), [unknown.clone(), x.clone()]);
    assert_eq!(typed(&[b"\xc3\x1b[Ax"])[1..], [key(KeyCode::Up, NONE), x]);
    assert_eq!(typed(&[b"\x80"]), [unknown]);
}

#[test]
fn a_paste_is_one_thing_wherever_its_bytes_are_cut() {
    let bytes = "\x1b[200~one\rtwo\r\n\x1b[20\x1b\x1b[A grün\x1b[201~x".as_bytes();
    let expected = [
        paste("one\rtwo\r\n\x1b[20\x1b\x1b[A grün"),
        key(KeyCode::Char('x'), NONE),
    ];
    for at in 0..=bytes.len() {
        let (one, two) = bytes.split_at(at);
        assert_eq!(typed(&[one, two]), expected, "{at}");
    }
    assert_eq!(typed(&[b"\x1b[200~\x1b[201~"]), [paste("")]);
}

#[test]
fn a_paste_without_end_is_taken_when_it_stands_still() {
    let (mut keys, mut typed) = (Keys::default(), Vec::new());
    keys.take(b"\x1b[200~one\rtwo\x1b[2", |one| typed.push(one));
    assert_eq!((keys.patience(), typed.len()), (Some(STALLED_PASTE), 0));
    keys.give_up(|one| typed.push(one));
    assert_eq!(typed, [paste("one\rtwo")]);
    keys.take(b"x", |one| typed.push(one));
    assert_eq!(typed[1], key(KeyCode::Char('x'), NONE));
}

#[test]
fn of_a_paste_no_more_than_the_limit_is_kept_and_its_end_still_seen() {
    let text = "ü".repeat(MAX_PASTE_BYTES);
    // The cut goes through a character: two bytes each after a single one.
    let whole = format!("\x1b[200~a{text}\x1b[201~x");
    let typed = typed(&[whole.as_bytes()]);
    let [Typed::Paste { text, is_cut: true }, last] = &typed[..] else {
        panic!("{typed:?}");
    };
    assert_eq!(text.len(), MAX_PASTE_BYTES - 1);
    assert!(text.ends_with('ü'));
    assert_eq!(*last, key(KeyCode::Char('x'), NONE));
    let exact = format!("\x1b[200~{}\x1b[201~", "x".repeat(MAX_PASTE_BYTES));
    let (mut keys, mut pastes) = (Keys::default(), Vec::new());
    keys.take(exact.as_bytes(), |one| pastes.push(one));
    assert!(matches!(&pastes[..], [Typed::Paste { is_cut: false, .. }]));
}

#[test]
fn a_sequence_without_end_takes_no_memory() {
    let mut keys = Keys::default();
    keys.take(b"\x1b[", |_| {});
    keys.take("1".repeat(100_000).as_bytes(), |_| panic!("not at its end"));
    let State::Sequence(bytes) = &keys.state else {
        panic!("{keys:?}");
    };
    assert!(bytes.capacity() <= 2 * MAX_SEQUENCE_BYTES);
}

/// Bytes as a terminal sends them, with the ones that mean something more often.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let meaningful = prop::sample::select(b"\x1b[O~;M01259$\xc3\xbc\xe2\r".to_vec());
    let sequence = prop::sample::select(vec![
        &b"\x1b[200~"[..],
        b"\x1b[201~",
        b"\x1b[A",
        b"\x1b[1;5",
    ]);
    let piece = prop_oneof![
        4 => meaningful.prop_map(|byte| vec![byte]),
        1 => any::<u8>().prop_map(|byte| vec![byte]),
        1 => sequence.prop_map(<[u8]>::to_vec),
    ];
    vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn cuts_make_no_difference_and_no_byte_is_too_much(bytes in bytes(), cuts in vec(1..9_usize, 1..60)) {
        let mut rest = &bytes[..];
        let mut pieces = Vec::new();
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, later) = rest.split_at((*cut).min(rest.len()));
            pieces.push(piece);
            rest = later;
        }
        prop_assert_eq!(typed_to_the_end(&pieces), typed_to_the_end(&[&bytes]));
    }
}
