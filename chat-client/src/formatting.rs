//! IRC's codes for bold, colour and so on, taken out of a text and kept beside
//! it. (<https://modern.ircdocs.horse/formatting>)
//!
//! Shows: the text without its codes is what is measured, searched and wrapped;
//! how it looks is a short list of changes beside it.
//! Leaves out: colours beyond the sixteen that every terminal has.

/// How a stretch of text is to look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a code of its own")]
pub(crate) struct Look {
    pub(crate) bold: bool,
    pub(crate) italic: bool,
    pub(crate) underlined: bool,
    pub(crate) struck_out: bool,
    pub(crate) reversed: bool,
    /// One of the sixteen colours, by IRC's numbers.
    pub(crate) foreground: Option<u8>,
    pub(crate) background: Option<u8>,
}

/// A text and how its parts look.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Formatted {
    /// Without any code.
    pub(crate) text: String,
    /// From which byte of the text on it looks so; before the first it has no
    /// look of its own.
    pub(crate) looks: Vec<(usize, Look)>,
}

const CODES: [char; 9] = [
    '\x02', '\x03', '\x04', '\x0F', '\x11', '\x16', '\x1D', '\x1E', '\x1F',
];

/// Whether a text holds any code.
pub(crate) fn has_codes(text: &str) -> bool {
    text.contains(CODES)
}

/// Takes the codes out of a text.
pub(crate) fn parse(text: &str) -> Formatted {
    let mut formatted = Formatted {
        text: String::with_capacity(text.len()),
        looks: Vec::new(),
    };
    let mut look = Look::default();
    let mut rest = text;
    while let Some(at) = rest.find(CODES) {
        formatted.text.push_str(&rest[..at]);
        let code = rest.as_bytes()[at];
        rest = &rest[at + 1..];
        match code {
            0x02 => look.bold = !look.bold,
            0x03 => rest = take_colours(rest, &mut look),
            // A colour by its parts, which none of the sixteen may be.
            0x04 => rest = skip_hex_colours(rest),
            0x0F => look = Look::default(),
            0x16 => look.reversed = !look.reversed,
            0x1D => look.italic = !look.italic,
            0x1E => look.struck_out = !look.struck_out,
            0x1F => look.underlined = !look.underlined,
            // 0x11: letters of one width, as all are here.
            _ => {}
        }
        formatted.looks.push((formatted.text.len(), look));
    }
    formatted.text.push_str(rest);
    formatted
}

/// Reads one or two numbers of a colour; none resets both.
fn take_colours<'a>(text: &'a str, look: &mut Look) -> &'a str {
    let (foreground, rest) = number(text);
    let Some(foreground) = foreground else {
        (look.foreground, look.background) = (None, None);
        return rest;
    };
    look.foreground = sixteen(foreground);
    if let Some(behind_comma) = rest.strip_prefix(',')
        && let (Some(background), rest) = number(behind_comma)
    {
        look.background = sixteen(background);
        return rest;
    }
    rest
}

/// A number of at most two digits, and what follows it.
fn number(text: &str) -> (Option<u8>, &str) {
    let digits = text.bytes().take(2).take_while(u8::is_ascii_digit).count();
    (text[..digits].parse().ok(), &text[digits..])
}

fn sixteen(number: u8) -> Option<u8> {
    (number < 16).then_some(number)
}

fn skip_hex_colours(text: &str) -> &str {
    let is_colour =
        |text: &str| text.len() >= 6 && text.bytes().take(6).all(|byte| byte.is_ascii_hexdigit());
    if !is_colour(text) {
        return text;
    }
    match text[6..].strip_prefix(',') {
        Some(behind) if is_colour(behind) => &behind[6..],
        _ => &text[6..],
    }
}

#[cfg(test)]
mod tests {
    use chat_protocol::neutral;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn codes_change_how_what_follows_looks() {
        let formatted = parse("a \x02bold\x0F and \x0304,01red\x03 end");
        assert_eq!(formatted.text, "a bold and red end");
        let bold = Look {
            bold: true,
            ..Look::default()
        };
        let red = Look {
            foreground: Some(4),
            background: Some(1),
            ..Look::default()
        };
        assert_eq!(
            formatted.looks,
            [
                (2, bold),
                (6, Look::default()),
                (11, red),
                (14, Look::default())
            ]
        );
    }

    #[test]
    fn a_comma_without_a_number_is_text() {
        assert_eq!(parse("\x034,x").text, ",x");
        assert_eq!(parse("\x03,5").text, ",5");
        assert_eq!(parse("\x03123").text, "3");
    }

    #[test]
    fn a_colour_that_not_every_terminal_has_is_left_out() {
        assert_eq!(parse("\x0350x").looks, [(0, Look::default())]);
        assert_eq!(parse("\x04ff0000,00ff00hex").text, "hex");
    }

    proptest! {
        #[test]
        fn the_same_codes_are_taken_out_as_line_mode_takes_out(text in "[a-f0-9,\x02\x03\x0f\x16\x1d\x1e\x1f\x11 é]{0,30}") {
            prop_assert_eq!(parse(&text).text, neutral(text.as_bytes()));
        }

        #[test]
        fn no_code_is_left(text in "[\\x02-\\x1fa-f0-9,é]{0,30}") {
            prop_assert!(!has_codes(&parse(&text).text));
        }
    }
}
