//! Keys and pastes: what crossterm's own reader would get wrong in a loop.

use super::Sitting;
use crate::fake_server::says_up_to;

#[test]
fn what_is_typed_is_shown_said_and_completed() {
    let Some(mut sitting) = Sitting::begin() else {
        return;
    };
    sitting.client.send_line(":bob!b@h JOIN #lobby");
    sitting.hears("good morning");
    sitting.pty.send("bo\thello");
    sitting.pty.wait_for_screen("#lobby> bob: hello");
    sitting.pty.send("\r");
    sitting.client.expect_line("PRIVMSG #lobby :bob: hello");
    sitting.pty.wait_for_screen("ann  bob: hello");
    sitting.pty.send("/quit\r");
    sitting.ends_well();
}

#[test]
fn a_burst_of_three_thousand_keys_is_taken_whole() {
    let Some(mut sitting) = Sitting::begin() else {
        return;
    };
    let text = "0123456789".repeat(300);
    sitting.pty.send(&text);
    // Not an event is left behind: the line is there without another key.
    sitting.pty.wait_for_screen("56789");
    sitting.pty.send("\r");
    let mut said = String::new();
    while said.len() < text.len() {
        let line = sitting.client.expect_line("PRIVMSG #lobby :");
        said.push_str(line.split_once(':').expect("it has text").1);
    }
    assert_eq!(said, text);
    sitting.pty.send("/quit\r");
    sitting.ends_well();
}

#[test]
fn a_paste_of_three_thousand_bytes_is_asked_about_and_sent_line_by_line() {
    let Some(mut sitting) = Sitting::begin() else {
        return;
    };
    let lines: Vec<String> = (0..60)
        .map(|n| format!("{n:02} {}", "x".repeat(46)))
        .collect();
    // As a terminal sends it, and tmux: the lines end by CR.
    sitting
        .pty
        .send(format!("\x1b[200~{}\x1b[201~", lines.join("\r")));
    sitting.pty.wait_for_screen("Paste 60 lines to #lobby?");
    sitting.pty.send("s");
    let said: Vec<String> = lines
        .iter()
        .map(|line| format!("PRIVMSG #lobby :{line}"))
        .collect();
    let last = said.last().expect("there are lines");
    let sent = says_up_to(&mut sitting.client, last);
    assert!(sent.ends_with(&said), "{sent:?}");
    sitting.pty.send("/quit\r");
    sitting.ends_well();
}

#[test]
fn what_has_begun_and_not_ended_keeps_nobody_waiting() {
    let Some(mut sitting) = Sitting::begin() else {
        return;
    };
    for begun in ["\x1b[1;", "\x1b[200~one li"] {
        sitting.pty.send(begun);
        // The socket is served meanwhile.
        sitting.client.send_line("PING :are you there");
        sitting.client.expect_line("PONG");
        sitting.hears(&format!("while there are {} bytes", begun.len()));
    }
    sitting.pty.send("ne\x1b[201~");
    sitting.pty.wait_for_screen("#lobby> one line");
    sitting.pty.send("\x15/quit\r");
    sitting.ends_well();
}

#[test]
fn a_key_that_comes_in_pieces_is_one_key() {
    let Some(mut sitting) = Sitting::begin() else {
        return;
    };
    sitting.pty.send("first\r");
    sitting.client.expect_line("PRIVMSG #lobby :first");
    for piece in ["\x1b[", "A"] {
        sitting.pty.send(piece);
    }
    // The line before, and not the letters of the key.
    sitting.pty.wait_for_screen("#lobby> first");
    for piece in ["\x15gr", "\u{fc}"] {
        sitting.pty.send(piece);
    }
    let (one, two) = "\u{2192}".as_bytes().split_at(1);
    sitting.pty.send(one);
    sitting.pty.send(two);
    sitting.pty.wait_for_screen("#lobby> gr\u{fc}\u{2192}");
    sitting.pty.send("\x15/quit\r");
    sitting.ends_well();
}

#[test]
fn escape_alone_is_a_key_without_another_one_after_it() {
    let Some(sitting) = Sitting::begin() else {
        return;
    };
    sitting.pty.send("\x1bOP");
    sitting.pty.wait_for_screen("Esc closes this help");
    sitting.pty.send("\x1b");
    sitting.pty.wait_until("without help", |screen| {
        !screen.contents().contains("Esc closes")
    });
    sitting.pty.send("/quit\r");
    sitting.ends_well();
}
