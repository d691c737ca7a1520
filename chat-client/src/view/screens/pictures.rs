//! Pictures for the README: real frames, as SVG.
//!
//! `UPDATE_TRANSCRIPTS=1 cargo test -p chat-client pictures` draws them anew into
//! `chat-client/pictures`; without the variable it fails if one is not what the
//! program draws.
//!
//! A picture has the colours of a light terminal and of a dark one, and follows
//! what the reader's page asks for.

use std::fmt::Write;

use chapter_tests::Transcript;
use ratatui::buffer::{Buffer, Cell};
use ratatui::crossterm::event::KeyCode;
use ratatui::layout::Position;
use ratatui::style::{Color, Modifier};

use crate::app::{AppEvent, LinkState};
use crate::wrap::columns;

use super::scene::Scene;

/// A cell's size, for letters of 14 pixels.
const WIDTH: f32 = 8.4;
const HEIGHT: f32 = 19.0;
/// From the top of a cell to the line that letters stand on.
const BASELINE: f32 = 14.0;
/// Around the screen.
const MARGIN: f32 = 12.0;

/// The terminal's colours in a light and in a dark one: name, light, dark.
const COLOURS: [(&str, &str, &str); 18] = [
    ("ground", "#ffffff", "#16181d"),
    ("text", "#24292f", "#d8dee9"),
    ("black", "#24292f", "#3b4252"),
    ("red", "#c62828", "#ef6b73"),
    ("green", "#1a7f37", "#8fc98b"),
    ("yellow", "#8a6100", "#e5c07b"),
    ("blue", "#0550ae", "#61afef"),
    ("magenta", "#8250df", "#c99ff0"),
    ("cyan", "#0b7285", "#6bc5d2"),
    ("gray", "#6e7781", "#abb2bf"),
    ("darkgray", "#57606a", "#7f8896"),
    ("lightred", "#bc4c00", "#f0917d"),
    ("lightgreen", "#116329", "#a5d6a7"),
    ("lightyellow", "#7d5700", "#f0d78c"),
    ("lightblue", "#0969da", "#82b8ff"),
    ("lightmagenta", "#6639ba", "#d8b9ff"),
    ("lightcyan", "#1b7c83", "#8fdde6"),
    ("white", "#57606a", "#ffffff"),
];

/// What is drawn of a row.
#[derive(Clone, Copy, PartialEq)]
enum Layer {
    Grounds,
    Letters,
}

/// How a stretch of cells looks.
#[derive(Clone, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an attribute of its own"
)]
struct Paint {
    colour: &'static str,
    ground: Option<&'static str>,
    is_bold: bool,
    is_faint: bool,
    is_italic: bool,
    is_underlined: bool,
}

impl Paint {
    fn of(cell: &Cell) -> Paint {
        let has = |modifier| cell.modifier.contains(modifier);
        let (mut colour, mut ground) = (name(cell.fg).unwrap_or("text"), name(cell.bg));
        if has(Modifier::REVERSED) {
            (colour, ground) = (ground.unwrap_or("ground"), Some(colour));
        }
        Paint {
            colour,
            ground,
            is_bold: has(Modifier::BOLD),
            is_faint: has(Modifier::DIM),
            is_italic: has(Modifier::ITALIC),
            is_underlined: has(Modifier::UNDERLINED),
        }
    }

    fn attributes(&self) -> String {
        let mut attributes = format!("class=\"{}\"", self.colour);
        for (is_set, attribute) in [
            (self.is_bold, " font-weight=\"bold\""),
            (self.is_faint, " opacity=\"0.65\""),
            (self.is_italic, " font-style=\"italic\""),
            (self.is_underlined, " text-decoration=\"underline\""),
        ] {
            if is_set {
                attributes.push_str(attribute);
            }
        }
        attributes
    }
}

/// What the palette calls a colour; none is the terminal's own.
fn name(colour: Color) -> Option<&'static str> {
    let name = colour.to_string().to_lowercase();
    let known = COLOURS.iter().find(|(known, ..)| *known == name);
    known.map(|(known, ..)| *known)
}

/// The screen as SVG.
fn svg(buffer: &Buffer, cursor: Position) -> String {
    let (columns, rows) = (f32::from(buffer.area.width), f32::from(buffer.area.height));
    let (width, height) = (
        columns.mul_add(WIDTH, 2.0 * MARGIN),
        rows.mul_add(HEIGHT, 2.0 * MARGIN),
    );
    let mut svg = String::new();
    let palette = |dark: bool| {
        let rules = COLOURS.iter().map(|(name, light, night)| {
            format!(".{name}{{fill:{}}}", if dark { night } else { light })
        });
        rules.collect::<String>()
    };
    let _ = writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.1} {height:.1}\" \
         width=\"{width:.0}\" height=\"{height:.0}\" font-size=\"14\" xml:space=\"preserve\" \
         font-family=\"ui-monospace,SFMono-Regular,Menlo,'DejaVu Sans Mono',monospace\">"
    );
    let _ = writeln!(
        svg,
        "<style>{}@media(prefers-color-scheme:dark){{{}}}</style>",
        palette(false),
        palette(true)
    );
    let _ = writeln!(
        svg,
        "<rect class=\"ground\" width=\"100%\" height=\"100%\" rx=\"8\" stroke=\"#8885\"/>"
    );
    // All grounds first: one would cover the edge of the letter beside it.
    for layer in [Layer::Grounds, Layer::Letters] {
        for y in 0..buffer.area.height {
            draw_row(&mut svg, buffer, y, layer);
        }
    }
    let (x, y) = corner(cursor.x, cursor.y);
    let _ = writeln!(
        svg,
        "<rect class=\"text\" opacity=\"0.6\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{WIDTH}\" \
         height=\"{HEIGHT}\"/>"
    );
    svg.push_str("</svg>\n");
    svg
}

/// The left upper corner of a cell.
fn corner(x: u16, y: u16) -> (f32, f32) {
    (
        f32::from(x).mul_add(WIDTH, MARGIN),
        f32::from(y).mul_add(HEIGHT, MARGIN),
    )
}

/// A row, in stretches that look the same.
fn draw_row(svg: &mut String, buffer: &Buffer, y: u16, layer: Layer) {
    let mut x = 0;
    while x < buffer.area.width {
        let start = x;
        let paint = Paint::of(&buffer[(x, y)]);
        let mut text = String::new();
        while x < buffer.area.width {
            let cell = &buffer[(x, y)];
            let symbol = cell.symbol();
            let is_line = |symbol: &str| ["│", "─"].contains(&symbol);
            let is_alone = is_line(symbol) || columns(symbol) != 1;
            let is_letter = is_alone && layer == Layer::Letters;
            if Paint::of(cell) != paint || (is_letter && !text.is_empty()) {
                break;
            }
            text.push_str(symbol);
            x += u16::try_from(columns(symbol).max(1)).unwrap();
            if is_letter {
                break;
            }
        }
        match layer {
            Layer::Grounds => draw_ground(svg, (start, x - start), y, &paint),
            Layer::Letters => draw_letters(svg, start, y, &paint, &text),
        }
    }
}

fn draw_ground(svg: &mut String, (x, count): (u16, u16), y: u16, paint: &Paint) {
    let (left, top) = corner(x, y);
    if let Some(ground) = paint.ground {
        let _ = writeln!(
            svg,
            "<rect class=\"{ground}\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.1}\" \
             height=\"{HEIGHT}\"/>",
            f32::from(count) * WIDTH
        );
    }
}

fn draw_letters(svg: &mut String, x: u16, y: u16, paint: &Paint, text: &str) {
    let (left, top) = corner(x, y);
    let line = |x: f32, y: f32, width: f32, height: f32| {
        format!(
            "<rect {} x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>",
            paint.attributes()
        )
    };
    // Lines are drawn as such: a font would leave gaps between the rows.
    let drawn = match text {
        "│" => line(left + WIDTH / 2.0, top, 1.0, HEIGHT),
        "─" => line(left, top + HEIGHT / 2.0, WIDTH + 0.1, 1.0),
        _ if text.trim().is_empty() => return,
        _ => {
            let kept = text.trim_start();
            let skipped = columns(text) - columns(kept);
            let kept = kept.trim_end();
            let skipped = f32::from(u16::try_from(skipped).unwrap()) * WIDTH;
            let length = f32::from(u16::try_from(columns(kept)).unwrap()) * WIDTH;
            format!(
                "<text {} x=\"{:.1}\" y=\"{:.1}\" textLength=\"{length:.1}\" \
                 lengthAdjust=\"spacingAndGlyphs\">{}</text>",
                paint.attributes(),
                left + skipped,
                top + BASELINE,
                escaped(kept)
            )
        }
    };
    svg.push_str(&drawn);
    svg.push('\n');
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

fn compare(scene: &mut Scene, name: &str) {
    let (buffer, cursor) = scene.draw();
    Transcript::new(format!("pictures/{name}.svg")).compare(&svg(&buffer, cursor));
}

#[test]
fn the_pictures_are_what_the_program_draws() {
    let mut scene = Scene::with(80, 18, |_| {}, &["#lobby"]);
    scene.host();
    scene.connect();
    scene.hear(":lobby.local 005 ann NETWORK=lobby.local :are supported");
    scene.hear(":lobby.local 001 ann :Welcome");
    scene.update(AppEvent::Link(LinkState::Online));
    scene.join("#lobby", "@ann");
    compare(&mut scene, "first-run");

    let mut scene = Scene::with(100, 24, |_| {}, &["#rust", "#lobby"]);
    scene.connect();
    scene.hear(":irc.example 001 ann :Welcome");
    scene.update(AppEvent::Link(LinkState::Online));
    scene.join("#rust", "@erin ann frank");
    scene.join("#lobby", "@bob ann carol +dave grace");
    scene.alt('1');
    scene.alt('3');
    scene.say("carol", "good morning");
    scene.say(
        "bob",
        "morning! has anybody a loop that drops an event under load?",
    );
    scene.hear(":heidi!h@h JOIN #lobby");
    scene.hear(":ivan!i@h JOIN #lobby");
    scene.hear(":grace!g@h QUIT :tea");
    scene.enter("bob: edge-triggered? then read until EAGAIN, or it will not tell you again");
    scene.wait(60);
    scene.say("bob", "\x01ACTION blushes\x01");
    scene.say(
        "dave",
        "it is in epoll(7), under Q9 \x02Questions and answers\x02",
    );
    scene.alt('2');
    scene.hear(":erin!e@h PRIVMSG #rust :let-else is stable for a while now");
    scene.wait(120);
    scene.say("carol", "ann: thanks, that was it");
    scene.say(
        "heidi",
        "and here is the page: https://man7.org/linux/man-pages/man7/epoll.7.html",
    );
    scene.hear(":erin!e@h PRIVMSG #rust :and so are let chains");
    scene.alt('3');
    scene.hear(":bob!b@h PRIVMSG ann :one more question, if you have a minute");
    scene.hear(":erin!e@h PRIVMSG #rust :2024 edition only");
    scene.type_text("bob: of course");
    compare(&mut scene, "chat");

    let mut scene = Scene::with(80, 16, |_| {}, &["#lobby"]);
    scene.go_online();
    for number in 1..=40 {
        let text = match number % 7 {
            0 => "did the timeout go into the loop or into the socket?",
            3 => "a timeout of 0 means: look, and do not wait",
            5 => "tea is at four",
            _ => "one line of forty that are about something else",
        };
        scene.say(["bob", "carol"][number % 2], text);
    }
    scene.ctrl('r');
    scene.type_text("timeout");
    scene.key(KeyCode::Enter);
    scene.type_text("nnn");
    compare(&mut scene, "search");
}
