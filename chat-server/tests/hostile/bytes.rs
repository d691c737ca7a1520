//! Bytes that are no messages, and messages in pieces of every size.

use chapter_tests::Peer;

use crate::Siege;
use crate::support::{join, settle};

/// More clients than fit the bound on memory if each were given a megabyte.
const MANY: usize = 100;

#[test]
fn a_megabyte_without_a_newline_is_refused_once_and_kept_nowhere() {
    let mut siege = Siege::begin(&["--flood-rate", "0"]);
    let megabyte = vec![b'x'; 1 << 20];
    let mut strangers: Vec<Peer> = (0..MANY).map(|_| siege.stranger()).collect();
    for stranger in &mut strangers {
        stranger.send(&megabyte);
        assert!(stranger.read_line().contains(" 417 "));
    }
    siege.holds_with(MANY);
    for mut stranger in strangers {
        stranger.send("\r\nPING :still here\r\n");
        let answer = stranger.read_line();
        assert!(answer.ends_with(":still here"), "{answer}");
    }
    siege.holds_with(MANY);
}

#[test]
fn a_megabyte_of_binary_noise_is_read_to_its_end() {
    let mut siege = Siege::begin(&["--flood-rate", "0"]);
    let noise = noise(1 << 20);
    for mut peer in [siege.stranger(), siege.person("noisy")] {
        // Nobody reads the answers meanwhile.
        peer.send(&noise);
        peer.send("\r\nPING :end of noise\r\n");
        peer.expect_line(["PONG", ":end of noise"]);
    }
    siege.holds_with(2);
}

/// Bytes as if from a random source, the same ones every time.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let words = std::iter::repeat_with(|| {
        // xorshift64 (Marsaglia, 2003).
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    words.flatten().take(length).collect()
}

#[test]
fn a_line_with_nul_or_cr_inside_is_dropped_and_the_next_one_is_served() {
    let mut siege = Siege::begin(&[]);
    let mut eve = siege.person("eve");
    join(&mut eve, "#room");
    siege.old.bob.expect_line("JOIN #room");
    eve.send("PRIVMSG #room :a\0b\r\n\0\r\nPRIVMSG #room :a\rb\r\nPRIVMSG #room :clean\r\n");
    assert_eq!(
        siege.old.bob.read_line(),
        ":eve!~eve@127.0.0.1 PRIVMSG #room :clean"
    );
    siege.holds_with(1);
}

#[test]
fn text_that_is_not_utf8_reaches_nobody_and_its_sender_is_told() {
    let mut siege = Siege::begin(&[]);
    let mut eve = siege.person("eve");
    join(&mut eve, "#room");
    siege.old.bob.expect_line("JOIN #room");
    // A lone continuation byte, Latin-1, an over-long slash, a surrogate, a character cut off.
    for invalid in [
        &b"\x80"[..],
        b"caf\xE9",
        b"\xC0\xAF",
        b"\xED\xA0\x80",
        b"\xE2\x82",
    ] {
        eve.send([b"PRIVMSG #room :", invalid, b"\r\n"].concat());
        eve.expect_line(["NOTICE eve :", "UTF-8"]);
        eve.send([b"NICK ", invalid, b"\r\n"].concat());
        eve.expect_line(["NOTICE eve :", "UTF-8"]);
    }
    siege.holds_with(1);
}

/// What a line may have in it: tags, a source, a long parameter, text in several scripts.
const LINE: &str = "@+draft/reply=1 :eve PRIVMSG #room,nobody :zażółć 🦀 \u{1}ACTION x\u{1}\r\n";
const HEARD: &str = ":eve!~eve@127.0.0.1 PRIVMSG #room :zażółć 🦀 \u{1}ACTION x\u{1}";

#[test]
fn a_line_cut_at_every_byte_is_the_same_line() {
    let mut siege = Siege::begin(&["--flood-rate", "0"]);
    let mut eve = siege.person("eve");
    join(&mut eve, "#room");
    siege.old.bob.expect_line("JOIN #room");
    for cut in 0..=LINE.len() {
        let (first, second) = LINE.as_bytes().split_at(cut);
        eve.send(first);
        // The server has read the first part before the second one is sent.
        settle(&mut siege.old.alice);
        eve.send(second);
        assert_eq!(siege.old.bob.read_line(), HEARD, "cut at {cut}");
        eve.expect_line([" 401 ", "nobody"]);
    }
    siege.holds_with(1);
}

#[test]
fn lines_that_come_byte_by_byte_are_the_same_lines() {
    let mut siege = Siege::begin(&["--flood-rate", "0"]);
    let mut eve = siege.stranger();
    let lines = format!("NICK eve\r\nUSER eve 0 * :Eve\r\nJOIN #room\n{LINE}");
    for &byte in lines.as_bytes() {
        eve.send([byte]);
        settle(&mut siege.old.bob);
    }
    eve.expect_line([" 401 ", "nobody"]);
    siege.old.alice.expect_line(HEARD);
    settle(&mut siege.old.bob);
    siege.holds_with(1);
}

/// So many PINGs, numbered from 0.
fn pings(count: usize) -> String {
    let lines = (0..count).map(|number| format!("PING :{number}\r\n"));
    lines.collect::<Vec<_>>().concat()
}

#[test]
fn a_thousand_commands_in_one_segment_are_answered_in_order() {
    let mut siege = Siege::begin(&["--flood-rate", "0"]);
    let mut eve = siege.person("eve");
    let commands = pings(1_000);
    eve.send(&commands);
    for number in 0..1_000 {
        let answer = eve.read_line();
        assert!(
            answer.ends_with(&format!(":{number}")),
            "{number}: {answer}"
        );
    }
    siege.holds_with(1);
}

#[test]
fn a_thousand_commands_in_one_segment_do_not_get_round_flood_control() {
    let mut siege = Siege::begin(&["--flood-rate", "1", "--flood-burst", "20"]);
    let mut eve = siege.person("eve");
    let commands = pings(1_000);
    // NICK and USER were two of the twenty.
    eve.send(&commands);
    for _ in 0..18 {
        eve.read_line();
    }
    siege.holds_with(1);
    assert!(eve.read_line().ends_with(":18"), "one more has been earned");
    siege.holds_with(1);
}
