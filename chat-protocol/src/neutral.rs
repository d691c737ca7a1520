//! Text from others, made harmless for a terminal.
//!
//! Shows: what a terminal acts on instead of showing it. ESC and the C1 set
//! begin commands (move the cursor, set the title, on some terminals type an
//! answer); overrides of direction make a line read differently from what it
//! says; characters of no width make two names look like one.
//! Leaves out: look-alike letters, which no list of characters can tell.

use std::borrow::Cow;

/// What stands where a control character was.
const REPLACEMENT: char = char::REPLACEMENT_CHARACTER;

/// The text that a person may be shown for `bytes` from somebody else.
///
/// Bytes that are not UTF-8 and control characters become U+FFFD, a tab becomes
/// a space; IRC's formatting codes, overrides of direction and characters of no
/// width are taken out.
///
/// ```
/// use chat_protocol::neutral;
///
/// assert_eq!(neutral(b"\x0304red\x03 and \x1b[2J"), "red and \u{fffd}[2J");
/// ```
#[must_use]
pub fn neutral(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    harmless(&without_formatting(&text), |_| false)
}

/// Like [`neutral`], with IRC's formatting codes left in, for a screen that acts on them.
///
/// The screen must not let them through to the terminal: they are control characters too.
#[must_use]
pub fn neutral_with_formatting(bytes: &[u8]) -> String {
    harmless(&String::from_utf8_lossy(bytes), |c| FORMATTING.contains(&c))
}

/// The text without what a terminal might act on, but for the control characters to keep.
fn harmless(text: &str, is_kept: fn(char) -> bool) -> String {
    text.chars()
        .filter(|&c| !is_invisible(c))
        .map(|c| match c {
            '\t' => ' ',
            '\u{2028}' | '\u{2029}' => REPLACEMENT,
            _ if c.is_control() && !is_kept(c) => REPLACEMENT,
            _ => c,
        })
        .collect()
}

/// Characters that change how others are shown, and are not seen themselves.
///
/// The joiners U+200C and U+200D stay: Persian and half of all emoji are
/// spelled with them.
fn is_invisible(c: char) -> bool {
    matches!(c,
        // Embeddings, overrides and marks of direction.
        '\u{202A}'..='\u{202E}' | '\u{200E}' | '\u{200F}' | '\u{061C}'
        // Isolates of direction among other characters of no width: word joiner,
        // invisible operators, deprecated controls.
        | '\u{2060}'..='\u{206F}'
        // A space of no width, and the byte order mark.
        | '\u{200B}' | '\u{FEFF}')
}

/// IRC's codes for bold, colour, hexadecimal colour, plain, monospace, reversed, italic, struck
/// through and underlined.
const FORMATTING: [char; 9] = [
    '\x02', '\x03', '\x04', '\x0F', '\x11', '\x16', '\x1D', '\x1E', '\x1F',
];

/// The text without IRC's codes for bold, colour and so on.
/// (<https://modern.ircdocs.horse/formatting>)
fn without_formatting(text: &str) -> Cow<'_, str> {
    if !text.contains(FORMATTING) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(FORMATTING) {
        plain.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        rest = match rest.as_bytes()[at] {
            0x03 => without_colours(after, 2, u8::is_ascii_digit),
            0x04 => without_colours(after, 6, u8::is_ascii_hexdigit),
            _ => after,
        };
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

/// What follows a colour, or two with a comma in between, of `digits` at most.
fn without_colours(text: &str, digits: usize, is_digit: fn(&u8) -> bool) -> &str {
    let count = |text: &str| text.bytes().take(digits).take_while(is_digit).count();
    let foreground = count(text);
    let rest = &text[foreground..];
    match rest.strip_prefix(',') {
        Some(background) if foreground > 0 && count(background) > 0 => {
            &background[count(background)..]
        }
        _ => rest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_acts_on_is_left() {
        for code in (0..=0x9F_u32).chain(0x2028..=0x202E).chain(0x2060..=0x206F) {
            let c = char::from_u32(code).unwrap();
            let shown = neutral(format!("a{c};z").as_bytes());
            let is_kept = !c.is_control() && code < 0x2000;
            assert_eq!(shown.contains(c), is_kept, "{code:#x}");
            assert!(shown.starts_with('a') && shown.ends_with(";z"), "{code:#x}");
        }
    }

    #[test]
    fn an_escape_sequence_is_seen_and_does_nothing() {
        assert_eq!(
            neutral(b"\x1b[2J\x1b]0;title\x07"),
            "\u{FFFD}[2J\u{FFFD}]0;title\u{FFFD}"
        );
        // The eight-bit CSI, as a character and as a stray byte.
        assert_eq!(neutral("\u{9B}31m".as_bytes()), "\u{FFFD}31m");
        assert_eq!(neutral(b"\x9b31m"), "\u{FFFD}31m");
    }

    #[test]
    fn formatting_is_taken_out_with_its_numbers() {
        for (text, plain) in [
            ("\x02bold\x02 and \x1Ditalic\x0F", "bold and italic"),
            ("\x0304,12red\x03 \x034,x", "red ,x"),
            ("\x03123", "3"),
            ("\x03,5", ",5"),
            ("\x04ff0000,00ff00hex", "hex"),
            ("\x04", ""),
        ] {
            assert_eq!(neutral(text.as_bytes()), plain);
        }
    }

    #[test]
    fn a_screen_gets_the_formatting_and_nothing_else_that_a_terminal_acts_on() {
        let bytes = b"\x02a\x1b[2J\x0304,1b\x0f\tc\x9b\x07\xe2\x80\xae";
        let text = neutral_with_formatting(bytes);
        assert_eq!(text, "\x02a\u{FFFD}[2J\x0304,1b\x0f c\u{FFFD}\u{FFFD}");
        assert_eq!(neutral(text.as_bytes()), neutral(bytes));
    }

    #[test]
    fn the_text_of_all_languages_stays() {
        for text in [
            "Grüße, 你好 العربية",
            "👩\u{200D}👩\u{200D}👧 e\u{301}",
            "می\u{200C}خواهم",
        ] {
            assert_eq!(neutral(text.as_bytes()), text);
        }
    }

    #[test]
    fn an_override_of_direction_cannot_hide_what_a_line_says() {
        assert_eq!(neutral("a\u{202E}txt.exe".as_bytes()), "atxt.exe");
        assert_eq!(neutral("bo\u{200B}b".as_bytes()), "bob");
    }
}
