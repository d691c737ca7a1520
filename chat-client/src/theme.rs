//! How the screen looks: styles, and the characters its lines are made of.
//!
//! Shows: the sixteen colours are the terminal's own, so that a light and a dark
//! one both stay readable; whatever a colour says, a character or a weight says
//! too, since `NO_COLOR` and many eyes leave the colour out.
//! Leaves out: themes to choose from.

use ratatui::style::{Color, Modifier, Style};

use crate::formatting::Look;

/// Colours that can be read on black and on white alike, for nicks. Red is left
/// for what went wrong.
const NICK_COLOURS: [Color; 6] = [
    Color::Cyan,
    Color::Green,
    Color::Magenta,
    Color::Yellow,
    Color::LightBlue,
    Color::LightRed,
];

/// Styles and characters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Theme {
    has_colour: bool,
    pub(crate) symbols: &'static Symbols,
    is_ascii: bool,
}

/// The characters that the screen draws itself.
#[derive(Debug)]
pub(crate) struct Symbols {
    pub(crate) vertical: &'static str,
    pub(crate) horizontal: &'static str,
    pub(crate) dash: &'static str,
    pub(crate) dot: &'static str,
    pub(crate) online: &'static str,
    pub(crate) offline: &'static str,
    pub(crate) came: &'static str,
    pub(crate) went: &'static str,
    pub(crate) mention: &'static str,
    pub(crate) below: &'static str,
    pub(crate) cut: &'static str,
}

static UNICODE: Symbols = Symbols {
    vertical: "│",
    horizontal: "─",
    dash: "—",
    dot: "·",
    online: "●",
    offline: "○",
    came: "→",
    went: "←",
    mention: "»",
    below: "↓",
    cut: "…",
};

static ASCII: Symbols = Symbols {
    vertical: "|",
    horizontal: "-",
    dash: "-",
    dot: "/",
    online: "*",
    offline: "o",
    came: ">",
    went: "<",
    mention: ">",
    below: "v",
    cut: "~",
};

impl Theme {
    pub(crate) fn new(has_colour: bool, is_ascii: bool) -> Theme {
        Theme {
            has_colour,
            symbols: if is_ascii { &ASCII } else { &UNICODE },
            is_ascii,
        }
    }

    /// Whether only ASCII may be drawn.
    pub(crate) fn is_ascii(self) -> bool {
        self.is_ascii
    }

    fn coloured(self, style: Style, colour: Color) -> Style {
        if self.has_colour {
            style.fg(colour)
        } else {
            style
        }
    }

    /// The title and the status line.
    #[expect(clippy::unused_self, reason = "every style comes from the theme")]
    pub(crate) fn bar(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// What matters less: times, lines between panels, who came and went.
    #[expect(clippy::unused_self, reason = "every style comes from the theme")]
    pub(crate) fn faint(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    pub(crate) fn strong(self) -> Style {
        let _ = self;
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// Something went wrong.
    pub(crate) fn error(self) -> Style {
        self.coloured(self.strong(), Color::Red)
    }

    /// The line before what is new.
    pub(crate) fn unread(self) -> Style {
        self.coloured(Style::new(), Color::Red)
    }

    /// The person is spoken to.
    pub(crate) fn mention(self) -> Style {
        self.coloured(self.strong(), Color::Magenta)
    }

    /// A buffer with messages that were not read.
    pub(crate) fn message(self) -> Style {
        self.coloured(self.strong(), Color::Yellow)
    }

    /// The buffer that is shown, in the list.
    pub(crate) fn current(self) -> Style {
        self.bar()
    }

    /// Text that was searched for.
    pub(crate) fn found(self) -> Style {
        self.bar()
    }

    /// A question or hint that waits for a key.
    pub(crate) fn hint(self) -> Style {
        self.coloured(self.strong(), Color::Yellow)
    }

    /// The person's own nick.
    pub(crate) fn own_nick(self) -> Style {
        self.strong()
    }

    /// The same nick has the same colour everywhere; `folded` is the nick in the
    /// case that names are compared in.
    pub(crate) fn nick(self, folded: &str) -> Style {
        // FNV-1a: short, and the same in every run, unlike the standard hasher.
        let hash = folded.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        });
        let colour = NICK_COLOURS[(hash >> 8) as usize % NICK_COLOURS.len()];
        self.coloured(Style::new(), colour)
    }

    /// What the sender asked for.
    pub(crate) fn look(self, look: Look) -> Style {
        let mut style = Style::new();
        for (is_set, modifier) in [
            (look.bold, Modifier::BOLD),
            (look.italic, Modifier::ITALIC),
            (look.underlined, Modifier::UNDERLINED),
            (look.struck_out, Modifier::CROSSED_OUT),
            (look.reversed, Modifier::REVERSED),
        ] {
            if is_set {
                style = style.add_modifier(modifier);
            }
        }
        if !self.has_colour {
            return style;
        }
        // White or black alone would be invisible on one terminal or another.
        let has_ground = look.background.is_some();
        if let Some(number) = look.foreground
            && (has_ground || number > 1)
        {
            style = style.fg(colour(number));
        }
        if let Some(number) = look.background {
            style = style.bg(colour(number));
        }
        style
    }
}

/// IRC's colours by their numbers.
fn colour(number: u8) -> Color {
    match number {
        0 => Color::White,
        1 => Color::Black,
        2 => Color::Blue,
        3 => Color::Green,
        4 => Color::LightRed,
        5 => Color::Red,
        6 => Color::Magenta,
        7 => Color::Yellow,
        8 => Color::LightYellow,
        9 => Color::LightGreen,
        10 => Color::Cyan,
        11 => Color::LightCyan,
        12 => Color::LightBlue,
        13 => Color::LightMagenta,
        14 => Color::DarkGray,
        _ => Color::Gray,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nick_has_the_same_colour_every_time_and_not_all_have_one() {
        let theme = Theme::new(true, false);
        assert_eq!(theme.nick("bob"), theme.nick("bob"));
        let nicks = ["ann", "bob", "carol", "dave", "erin", "frank", "grace"];
        let mut colours: Vec<_> = nicks.map(|nick| theme.nick(nick).fg).to_vec();
        colours.sort_by_key(|colour| format!("{colour:?}"));
        colours.dedup();
        assert!(colours.len() >= 3, "{colours:?}");
    }

    #[test]
    fn without_colour_no_style_has_one() {
        let theme = Theme::new(false, false);
        let look = Look {
            foreground: Some(4),
            background: Some(1),
            bold: true,
            ..Look::default()
        };
        for style in [
            theme.error(),
            theme.unread(),
            theme.mention(),
            theme.message(),
            theme.hint(),
            theme.nick("bob"),
            theme.look(look),
        ] {
            assert_eq!((style.fg, style.bg), (None, None));
        }
        assert!(theme.look(look).add_modifier.contains(Modifier::BOLD));
    }

    #[test]
    fn the_symbols_of_ascii_are_ascii_of_one_column() {
        let symbols = format!("{ASCII:?}");
        assert!(symbols.is_ascii());
    }
}
