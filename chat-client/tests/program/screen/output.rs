//! Frames: on a terminal that changes, and on one that stops.

use super::Sitting;

#[test]
fn another_size_is_drawn_at_once_without_a_key() {
    let Some(mut sitting) = Sitting::begin() else {
        return;
    };
    sitting.hears("good morning");
    for size in [(40, 12), (120, 30), (20, 4), (80, 24)] {
        sitting.pty.resize(size);
        let (rows, columns) = (usize::from(size.1), usize::from(size.0));
        sitting.pty.wait_until(&format!("of {size:?}"), |screen| {
            let contents = screen.contents();
            let last = contents.lines().nth(rows - 1).unwrap_or_default();
            last.starts_with("#lobby>")
                && contents.lines().all(|row| row.chars().count() <= columns)
        });
    }
    sitting.pty.wait_for_screen("good morning");
    sitting.pty.send("/quit\r");
    sitting.ends_well();
}

#[test]
fn a_redraw_repairs_what_somebody_else_has_written() {
    let Some(mut sitting) = Sitting::begin() else {
        return;
    };
    sitting.hears("good morning");
    let whole = sitting.pty.screen();
    std::io::Write::write_all(&mut sitting.pty.program_side(), b"\x1b[2J\x1b[Hspoilt").unwrap();
    sitting.pty.wait_until("that is spoilt", |screen| {
        screen.contents().trim() == "spoilt"
    });
    sitting.pty.send("\x0c");
    sitting.pty.wait_for_screen("good morning");
    assert_eq!(sitting.pty.screen(), whole);
    sitting.pty.send("/quit\r");
    sitting.ends_well();
}

#[test]
fn a_terminal_that_has_stopped_holds_nothing_up_and_shows_the_last_frame_later() {
    let Some(mut sitting) = Sitting::begin() else {
        return;
    };
    // Nothing is read from the terminal here: each line scrolls the picture.
    for number in 0..2_000 {
        let text = format!("{number} {}", "x".repeat(number % 50));
        sitting
            .client
            .send_line(format!(":bob!b@h PRIVMSG #lobby :{text}"));
        if number % 20 == 0 {
            sitting.client.send_line(format!("PING :{number}"));
            sitting.client.expect_line(&*format!("PONG :{number}"));
        }
    }
    sitting.pty.wait_for_screen("bob  1999");
    sitting.pty.send("/quit\r");
    sitting.ends_well();
}
