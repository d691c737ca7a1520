//! What must hold whatever happens, in whatever order, at whatever size.

use std::time::Duration;

use proptest::prelude::*;
use ratatui::crossterm::event::{KeyCode, KeyModifiers};

use crate::app::scroll::Scroll;
use crate::app::{AppEvent, LinkState};

use super::scene::Scene;

/// Something that happens to a scene.
#[derive(Clone, Debug)]
enum Happening {
    Key(KeyCode, KeyModifiers),
    Text(String),
    Line(String),
    Paste(String),
    Resize(u16, u16),
    Offline,
    Online,
    Ended,
    Wait,
}

const COMMANDS: [&str; 22] = [
    "/help",
    "/help join",
    "/buffer 2",
    "/buffer next",
    "/next",
    "/unread",
    "/mentions",
    "/query bob",
    "/query bob hello",
    "/close",
    "/clear",
    "/search a",
    "/search",
    "/buffers",
    "/nicks",
    "/copy",
    "/redraw",
    "/reconnect",
    "/quit",
    "/join #new",
    "/me waves",
    "//slash",
];

fn any_key() -> impl Strategy<Value = Happening> {
    let codes = prop_oneof![
        prop::sample::select(vec![
            KeyCode::Enter,
            KeyCode::Tab,
            KeyCode::BackTab,
            KeyCode::Up,
            KeyCode::Down,
            KeyCode::Left,
            KeyCode::Right,
            KeyCode::PageUp,
            KeyCode::PageDown,
            KeyCode::Home,
            KeyCode::End,
            KeyCode::Esc,
            KeyCode::Backspace,
            KeyCode::Delete,
            KeyCode::F(1),
            KeyCode::F(2),
            KeyCode::F(3),
            KeyCode::F(4),
        ]),
        prop::sample::select("abcdefhklmnprsuwyzjsn123".chars().collect::<Vec<_>>())
            .prop_map(KeyCode::Char),
    ];
    let modifiers = prop::sample::select(vec![
        KeyModifiers::NONE,
        KeyModifiers::CONTROL,
        KeyModifiers::ALT,
    ]);
    (codes, modifiers).prop_map(|(code, modifiers)| Happening::Key(code, modifiers))
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(&COMMANDS[..]).prop_map(str::to_owned),
        "[a-z ]{0,60}",
        "[ab \u{301}\u{200d}\u{1f468}\u{1f469}\u{1f1e9}\u{4e2d}\u{3000}\u{ff9e}\u{fe0f}\u{202e}\u{1b}\u{7}\\PC]{0,30}",
    ]
}

fn any_line() -> impl Strategy<Value = String> {
    let nick = prop::sample::select(vec!["ann", "bob", "carol", "eve\u{202e}", "中文名字"]);
    let place = prop::sample::select(vec!["#lobby", "#rust", "#LOBBY", "ann"]);
    let body = prop_oneof![
        "[a-z ]{0,80}",
        "ann[:, ][a-z ]{0,20}",
        "[\u{2}\u{3}\u{f}\u{16}\u{1b}0-9,a\u{4e2d}\u{301}\u{200d}\u{1f468}\\PC]{0,40}",
        "[a-z/:.]{100,300}",
    ];
    let verb = prop::sample::select(vec![
        "PRIVMSG", "NOTICE", "JOIN", "PART", "QUIT", "NICK", "TOPIC", "KICK", "MODE", "332", "353",
    ]);
    (nick, place, body, verb).prop_map(|(nick, place, body, verb)| match verb {
        "JOIN" => format!(":{nick}!u@h JOIN {place}"),
        "QUIT" => format!(":{nick}!u@h QUIT :{body}"),
        "NICK" => format!(":{nick}!u@h NICK {nick}2"),
        "KICK" => format!(":{nick}!u@h KICK {place} bob :{body}"),
        "MODE" => format!(":{nick}!u@h MODE {place} +o-v bob ann"),
        "332" => format!(":irc.example 332 ann {place} :{body}"),
        "353" => format!(":irc.example 353 ann = {place} :@bob +carol {nick}"),
        _ => format!(":{nick}!u@h {verb} {place} :{body}"),
    })
}

fn any_happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        6 => any_key(),
        3 => any_text().prop_map(Happening::Text),
        6 => any_line().prop_map(Happening::Line),
        1 => "[a-z\\r\\n\u{1b}/]{0,40}".prop_map(Happening::Paste),
        1 => (1..=200_u16, 1..=60_u16).prop_map(|(columns, rows)| Happening::Resize(columns, rows)),
        1 => Just(Happening::Offline),
        1 => Just(Happening::Online),
        1 => Just(Happening::Ended),
        1 => Just(Happening::Wait),
    ]
}

fn happen(scene: &mut Scene, happening: Happening) {
    match happening {
        Happening::Key(code, modifiers) => scene.press(code, modifiers),
        Happening::Text(text) => scene.enter(&text),
        Happening::Line(line) => scene.hear(&line),
        Happening::Paste(text) => scene.paste(&text),
        Happening::Resize(columns, rows) => scene.resize(columns, rows),
        Happening::Offline => scene.go_offline(Duration::from_secs(7), 2),
        Happening::Online => scene.go_online(),
        Happening::Ended => scene.update(AppEvent::Link(LinkState::Ended {
            why: "banned".to_owned(),
        })),
        Happening::Wait => scene.wait(3_601),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_happens_makes_it_panic_or_draw_a_control_character(
        columns in 1..=200_u16,
        rows in 1..=60_u16,
        is_ascii in any::<bool>(),
        happenings in prop::collection::vec(any_happening(), 0..60),
    ) {
        let change = |settings: &mut crate::app::AppSettings| {
            settings.is_ascii = is_ascii;
            settings.scrollback_lines = 20;
        };
        let mut scene = Scene::with(columns, rows, change, &["#rust", "#lobby"]);
        scene.go_online();
        for happening in happenings {
            happen(&mut scene, happening);
            let (buffer, _) = scene.draw();
            for cell in buffer.content() {
                let symbol = cell.symbol();
                prop_assert!(!symbol.contains(char::is_control), "{symbol:?}");
                prop_assert!(!is_ascii || symbol.is_ascii(), "{symbol:?}");
            }
        }
    }

    #[test]
    fn every_small_size_can_be_drawn(
        columns in 1..=70_u16,
        rows in 1..=8_u16,
        keys in prop::collection::vec(any_key(), 0..6),
        lines in prop::collection::vec(any_line(), 0..12),
    ) {
        let mut scene = Scene::with(80, 24, |_| {}, &["#rust", "#lobby"]);
        scene.go_online();
        for line in lines {
            scene.hear(&line);
        }
        for key in keys {
            happen(&mut scene, key);
        }
        // The frame is smaller than the last size that was told.
        scene.shrink(columns, rows);
        scene.draw();
    }

    #[test]
    fn what_is_held_stands_still_while_lines_arrive(
        columns in 20..=160_u16,
        rows in 4..=50_u16,
        pages in 1..4_usize,
        before in prop::collection::vec(any_line(), 30..80),
        after in prop::collection::vec(any_line(), 1..30),
    ) {
        let mut scene = Scene::with(columns, rows, |_| {}, &["#rust", "#lobby"]);
        scene.go_online();
        // Long nicks make their column wider, and a topic line may fold: that is
        // there before the person scrolls.
        scene.hear(":longestnick1!u@h PRIVMSG #lobby :hello");
        for line in before {
            scene.hear(&line);
        }
        for _ in 0..pages {
            scene.key(KeyCode::PageUp);
        }
        let is_held = |scene: &Scene| scene.app.buffers.current().scroll != Scroll::Following;
        prop_assume!(is_held(&scene));
        let shown = scene.log_symbols();
        for line in after {
            scene.hear(&line);
        }
        prop_assert!(is_held(&scene));
        prop_assert_eq!(shown, scene.log_symbols());
    }
}
