//! The screens that are compared.

use std::time::Duration;

use ratatui::crossterm::event::{KeyCode, KeyModifiers};
use ratatui::style::{Color, Modifier};

use crate::app::{AppEvent, AppSettings, Effect, HostNotice, LinkState};

use super::scene::Scene;

/// A channel in which a little of everything has happened.
fn busy(columns: u16, rows: u16) -> Scene {
    busy_with(columns, rows, |_| {})
}

fn busy_with(columns: u16, rows: u16, change: impl FnOnce(&mut AppSettings)) -> Scene {
    let mut scene = Scene::with(columns, rows, change, &["#rust", "#lobby"]);
    scene.go_online();
    scene.hear(":carol!c@h PART #lobby");
    scene.hear(":dave!d@h JOIN #lobby");
    scene.hear(":carol!c@h JOIN #lobby");
    scene.say("bob", "hello ann, nice to see you");
    scene.say("bob", "\x01ACTION waves\x01");
    scene.enter("hello bob");
    scene.wait(60);
    scene.hear(":erin!e@h PRIVMSG #rust :has anybody read the epoll page?");
    scene.hear(":bob!b@h PRIVMSG ann :a word with you alone");
    scene.say(
        "carol",
        "the page is at https://man7.org/linux/man-pages/man7/epoll.7.html and worth the time",
    );
    scene.say("dave", "thanks \x02carol\x02, \x0304red\x03 and plain");
    scene.hear(":bob!b@h NOTICE #lobby :the kettle is on");
    scene.hear(":bob!b@h TOPIC #lobby :Welcome to the lobby, tea at four");
    scene
}

/// #lobby with a hundred numbered messages.
fn long(columns: u16, rows: u16) -> Scene {
    let mut scene = Scene::new(columns, rows);
    for number in 1..=100 {
        scene.say("bob", &format!("message {number}"));
    }
    scene
}

#[test]
fn the_first_run_says_what_goes_on_and_how_to_leave() {
    let mut scene = Scene::with(80, 24, |_| {}, &["#lobby"]);
    scene.host();
    scene.connect();
    scene.compare("first-run-connecting");
    scene.hear(":irc.example 001 ann :Welcome");
    scene.update(AppEvent::Link(LinkState::Online));
    scene.join("#lobby", "@ann");
    scene.compare("first-run");
}

#[test]
fn a_command_with_a_long_path_is_parted_between_its_words() {
    let mut scene = Scene::with(80, 10, |_| {}, &["#lobby"]);
    let program = "/home/ann/workshop/target/release/chat-client";
    scene.update(AppEvent::Host(HostNotice::Opened {
        commands: vec![format!("{program} 127.0.0.1:6667")],
        no_plain: None,
    }));
    for word in [program, "127.0.0.1:6667"] {
        assert!(scene.text().contains(word), "{}", scene.text());
    }
}

#[test]
fn a_busy_channel() {
    busy(120, 24).compare("busy-channel");
    busy(80, 24).compare("80x24");
    busy(160, 50).compare("160x50");
}

#[test]
fn small_terminals_stay_usable() {
    let mut scene = busy(40, 12);
    scene.type_text("bob: yes, reading");
    scene.compare("40x12");
    scene.resize(20, 4);
    scene.compare("20x4");
    scene.resize(19, 3);
    scene.compare("19x3");
    scene.resize(60, 12);
    scene.compare("60x12");
}

#[test]
fn what_was_not_read_is_below_a_line() {
    let mut scene = Scene::with(80, 16, |_| {}, &["#rust", "#lobby"]);
    scene.go_online();
    scene.say("bob", "this was read");
    scene.alt('2');
    scene.say("bob", "this was not");
    scene.say("carol", "nor was this");
    scene.alt('3');
    scene.compare("unread-line");
    scene.alt('2');
    scene.alt('3');
    assert!(!scene.text().contains("new messages"), "it is read");
}

#[test]
fn a_mention_is_marked_counted_and_rings_once() {
    let mut scene = Scene::with(100, 12, |_| {}, &["#rust", "#lobby"]);
    scene.go_online();
    scene.effects();
    scene.hear(":erin!e@h PRIVMSG #rust :ann: did you see https://ircv3.net/irc/ ?");
    scene.hear(":erin!e@h PRIVMSG #rust :annual planning is not for ann_");
    scene.say("bob", "Ann, tea?");
    assert_eq!(scene.effects(), [Effect::Bell], "at most once a second");
    scene.compare("mention");
    let (buffer, _) = scene.draw();
    let row = (0..12).find(|&y| buffer[(22, y)].symbol() == "»").unwrap();
    assert!(buffer[(22, row)].modifier.contains(Modifier::BOLD));
    scene.alt('a');
    scene.compare("mention-visited");
    scene.alt('m');
    scene.compare("mentions");
}

#[test]
fn comings_and_goings_are_folded() {
    let mut scene = Scene::new(80, 12);
    for nick in ["dave", "erin", "frank"] {
        scene.hear(&format!(":{nick}!x@h JOIN #lobby"));
    }
    scene.hear(":carol!c@h QUIT :gone for tea");
    scene.hear(":frank!f@h PART #lobby");
    scene.hear(":erin!e@h NICK erin2");
    scene.say("bob", "quite some traffic");
    scene.hear(":dave!d@h QUIT :Ping timeout");
    scene.compare("folded-joins");
}

#[test]
fn scrolling_back_holds_while_messages_arrive() {
    let mut scene = long(80, 14);
    scene.key(KeyCode::PageUp);
    scene.key(KeyCode::PageUp);
    let before = scene.text();
    for number in 101..=106 {
        scene.say("bob", &format!("message {number}"));
    }
    scene.compare("scrolled-back");
    let after = scene.text();
    let log = |text: &str| text.lines().take(11).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(log(&before), log(&after));
    scene.key(KeyCode::End);
    assert!(scene.text().contains("message 106"));
    assert!(!scene.text().contains("End to follow"));
    scene.key(KeyCode::Home);
    assert!(scene.text().contains("Saturday"), "{}", scene.text());
    for _ in 0..30 {
        scene.key(KeyCode::PageDown);
    }
    assert!(!scene.text().contains("End to follow"));
}

#[test]
fn only_what_is_seen_is_laid_out() {
    let mut scene = Scene::new(80, 24);
    for number in 0..5_000 {
        scene.say("bob", &format!("message {number}"));
    }
    scene.draw();
    let laid = |scene: &Scene| scene.app.buffers.current().laid.len();
    assert!(laid(&scene) <= 24, "{}", laid(&scene));
    scene.key(KeyCode::PageUp);
    scene.draw();
    assert!(laid(&scene) <= 3 * 24, "{}", laid(&scene));
    scene.key(KeyCode::Home);
    scene.draw();
    assert!(laid(&scene) <= 5 * 24, "{}", laid(&scene));
}

#[test]
fn a_paste_of_several_lines_asks_first() {
    let mut scene = Scene::new(80, 10);
    scene.take_sent();
    scene.paste("fn main() {\r    println!(\"hello\");\r\r}\r/quit\r");
    scene.compare("paste-prompt");
    assert_eq!(scene.take_sent(), "");
    scene.type_text("xyz");
    scene.key(KeyCode::Enter);
    assert_eq!(scene.take_sent(), "", "no other key answers");
    scene.key(KeyCode::Char('s'));
    let sent = scene.take_sent();
    let lines: Vec<&str> = sent.lines().collect();
    assert_eq!(lines.len(), 4);
    assert_eq!(
        lines[3], "PRIVMSG #lobby :/quit",
        "a pasted line is no command"
    );
    assert_eq!(scene.effects(), []);
}

#[test]
fn a_paste_may_be_joined_or_dropped() {
    let mut scene = Scene::new(80, 10);
    scene.type_text("look: ");
    scene.paste("one\n  two\n");
    scene.key(KeyCode::Char('j'));
    assert!(
        scene.text().contains("#lobby> look: one two_"),
        "{}",
        scene.text()
    );
    scene.paste("three\nfour");
    scene.key(KeyCode::Esc);
    assert!(scene.text().contains("#lobby> look: one two_"));
    scene.paste(" and five\n");
    assert!(
        scene.text().contains("#lobby> look: one two and five_"),
        "one line is just text"
    );
}

#[test]
fn offline_counts_down_and_keeps_the_text() {
    let mut scene = Scene::new(80, 10);
    scene.take_sent();
    scene.go_offline(Duration::from_secs(10), 3);
    scene.wait(2);
    scene.enter("are you there");
    scene.compare("offline");
    assert_eq!(scene.take_sent(), "");
    let tick = scene.app.wants_tick().unwrap();
    scene.wait(1);
    assert!(scene.text().contains("retry in 7 s"));
    assert!(scene.app.wants_tick().unwrap() > tick);
    scene.enter("");
    for _ in 0.."are you there".len() {
        scene.key(KeyCode::Backspace);
    }
    scene.enter("/reconnect");
    assert_eq!(scene.effects(), [Effect::ReconnectNow]);
    scene.type_text("are you there");
    scene.go_online();
    assert_eq!(scene.app.wants_tick(), None, "no timer while idle");
    scene.key(KeyCode::Enter);
    assert!(scene.take_sent().contains("PRIVMSG #lobby :are you there"));
    scene.compare("online-again");
}

#[test]
fn a_search_counts_and_goes_on() {
    let mut scene = long(80, 12);
    scene.ctrl('r');
    scene.type_text("message 5");
    scene.compare("search");
    scene.key(KeyCode::Enter);
    scene.type_text("nn");
    scene.compare("search-older");
    scene.type_text("N");
    assert!(scene.text().contains("2 of 11"), "{}", scene.text());
    scene.say("bob", "message 500");
    assert!(scene.text().contains("3 of 12"), "{}", scene.text());
    scene.key(KeyCode::Esc);
    assert!(
        scene.text().contains("message 58"),
        "one reads on where it was"
    );
    scene.type_text("so");
    assert!(scene.text().contains("#lobby> so_"));
    scene.enter(" it was");
    assert!(
        scene.text().contains("so it was"),
        "whoever speaks is at the end again"
    );
}

#[test]
fn a_match_far_down_in_a_message_is_seen() {
    let mut scene = Scene::new(40, 6);
    scene.say("bob", &format!("{}needle", "hay ".repeat(90)));
    scene.say("bob", &"other ".repeat(60));
    scene.ctrl('r');
    scene.type_text("needle");
    let text = scene.text();
    assert!(
        text.lines().take(5).any(|row| row.contains("needle")),
        "{text}"
    );
}

#[test]
fn the_help_shows_keys_and_commands() {
    let mut scene = Scene::new(100, 30);
    scene.key(KeyCode::F(1));
    scene.compare("help");
    scene.key(KeyCode::End);
    scene.compare("help-end");
    scene.type_text("/he");
    scene.key(KeyCode::Tab);
    assert!(
        scene.text().contains("#lobby> /help _"),
        "one types beside it"
    );
    scene.key(KeyCode::Esc);
    assert!(scene.text().contains("joined"));
    scene.resize(40, 12);
    scene.key(KeyCode::Enter);
    scene.compare("help-40x12");
}

#[test]
fn without_colour_no_cell_has_one_and_nothing_is_lost() {
    let mut scene = busy_with(80, 24, |settings| settings.is_without_colour = true);
    scene.compare("80x24");
    let (buffer, _) = scene.draw();
    for cell in buffer.content() {
        assert_eq!((cell.fg, cell.bg), (Color::Reset, Color::Reset));
    }
    let mut scene = busy(80, 24);
    let (buffer, _) = scene.draw();
    assert!(buffer.content().iter().any(|cell| cell.fg != Color::Reset));
}

#[test]
fn in_ascii_no_cell_holds_anything_else() {
    let mut scene = busy_with(80, 24, |settings| settings.is_ascii = true);
    scene.say("bob", "Grüße 你好 👩\u{200d}👩\u{200d}👧");
    scene.hear(":irc.example 332 ann #lobby :Tee für alle");
    scene.key(KeyCode::PageUp);
    scene.say("bob", "one more");
    scene.compare("ascii");
    assert!(scene.text().is_ascii());
    scene.go_offline(Duration::from_secs(4), 1);
    scene.type_text("ü");
    assert!(scene.text().is_ascii());
}

#[test]
fn wide_and_combining_characters_keep_their_columns() {
    let mut scene = Scene::new(60, 14);
    scene.say(
        "bob",
        "你好，世界。这是一个很长的句子，没有空格也要换行，而且不能把字切开。",
    );
    scene.say(
        "bob",
        "👩\u{200d}👩\u{200d}👧 family, 🇩🇪 flag, ❤\u{fe0f} heart, e\u{301}e\u{301} accents",
    );
    scene.say("bob", "日本 ann 日本");
    scene.say("カローラ", "ｶﾞ half width");
    scene.type_text("日本語👩\u{200d}👩\u{200d}👧e\u{301}");
    scene.key(KeyCode::Left);
    scene.compare("unicode");
}

#[test]
fn escapes_and_overrides_of_direction_do_nothing() {
    let mut scene = Scene::new(60, 10);
    scene.say("bob", "\x1b[2J\x1b]0;title\x07 evil \u{9b}31m");
    scene.say("bob", "a\u{202e}txt.exe\u{202c} and \u{200b}hidden\u{feff}");
    scene.hear(":irc.example 332 ann #lobby :\x1b[2J\u{202e}topic");
    scene.hear(":e\u{202e}vil!e@h JOIN #lobby");
    scene.paste("\x1b[31mpasted\u{202e}");
    scene.compare("injected");
    let (buffer, _) = scene.draw();
    for cell in buffer.content() {
        assert!(!cell.symbol().contains(char::is_control));
        assert!(!cell.symbol().contains('\u{202e}'));
    }
}

#[test]
fn copy_mode_is_nothing_but_text_and_stands_still() {
    let mut scene = busy(80, 16);
    scene.key(KeyCode::F(4));
    let before = scene.text();
    scene.say("bob", "one more");
    assert_eq!(scene.text(), before);
    scene.compare("copy-mode");
    scene.key(KeyCode::Esc);
    assert!(scene.text().contains("one more"));
}

#[test]
fn lists_are_folded_away_and_brought_back() {
    let mut scene = busy(120, 10);
    scene.key(KeyCode::F(2));
    scene.key(KeyCode::F(3));
    assert!(!scene.text().contains('│') || !scene.text().contains("@bob"));
    scene.key(KeyCode::F(2));
    scene.resize(80, 10);
    scene.key(KeyCode::F(3));
    scene.compare("nicks-at-80");
    scene.resize(56, 10);
    scene.compare("lists-at-56");
}

#[test]
fn a_long_list_of_nicks_says_how_many_are_left_out() {
    let mut scene = Scene::with(100, 10, |_| {}, &["#lobby"]);
    scene.connect();
    scene.hear(":irc.example 001 ann :Welcome");
    scene.update(AppEvent::Link(LinkState::Online));
    let names: Vec<String> = (0..30).map(|number| format!("guest{number:04}")).collect();
    scene.join("#lobby", &format!("@bob ann {}", names.join(" ")));
    assert!(scene.text().contains("+26 more"), "{}", scene.text());
    assert!(scene.text().contains("32 people"));
}

#[test]
fn leaving_takes_two_presses_or_a_command() {
    let mut scene = Scene::new(80, 10);
    scene.effects();
    scene.ctrl('c');
    assert!(scene.text().contains("press Ctrl-C again to leave"));
    scene.type_text("x");
    scene.ctrl('c');
    assert_eq!(scene.effects(), [], "another key was in between");
    scene.ctrl('c');
    let reason = String::new();
    assert_eq!(scene.effects(), [Effect::Quit { reason }]);
    scene.key(KeyCode::Backspace);
    scene.enter("/quit see you");
    let reason = "see you".to_owned();
    assert_eq!(scene.effects(), [Effect::Quit { reason }]);
    scene.update(AppEvent::Host(HostNotice::OthersAreHere(2)));
    assert!(
        scene.text().contains("2 more people are here"),
        "{}",
        scene.text()
    );
    assert!(
        scene.text().contains("to close it"),
        "a long hint takes two rows"
    );
    scene.enter("quit");
    assert!(scene.text().contains("to leave, type /quit"));
    scene.ctrl('d');
    scene.ctrl('d');
    assert_eq!(scene.effects().len(), 1);
}

#[test]
fn text_for_the_server_or_a_channel_one_is_not_in_stays_in_the_line() {
    let mut scene = Scene::new(80, 10);
    scene.take_sent();
    scene.alt('1');
    scene.enter("hello?");
    assert!(
        scene.text().contains("nobody hears you here"),
        "{}",
        scene.text()
    );
    assert!(scene.text().contains("server> hello?_"));
    scene.alt('2');
    scene.hear(":bob!b@h KICK #lobby ann :behave");
    scene.enter("hello?");
    assert!(
        scene.text().contains("you are not in #lobby: /join #lobby"),
        "{}",
        scene.text()
    );
    scene.compare("thrown-out");
    assert_eq!(scene.take_sent(), "");
}

#[test]
fn each_buffer_keeps_its_own_draft() {
    let mut scene = Scene::new(80, 10);
    scene.type_text("for the lobby");
    scene.alt('1');
    assert!(scene.text().contains("server> _") || scene.text().contains("server> /join"));
    scene.press(KeyCode::Right, KeyModifiers::ALT);
    assert!(scene.text().contains("#lobby> for the lobby_"));
}

#[test]
fn answers_appear_where_they_were_asked() {
    let mut scene = Scene::new(80, 12);
    scene.enter("/nosuch");
    assert!(
        scene.text().contains("/nosuch is no command"),
        "{}",
        scene.text()
    );
    scene.enter("/whois nobody");
    scene.hear(":irc.example 401 ann nobody :No such nick/channel");
    assert!(scene.text().contains("No such nick"), "{}", scene.text());
    scene.wait(60);
    // What nobody has asked for just now is of no other place than this.
    scene.hear(":irc.example 404 ann #lobby :Cannot send to channel");
    assert!(scene.text().contains("Cannot send"), "{}", scene.text());
    scene.alt('1');
    assert!(!scene.text().contains("Cannot send"), "{}", scene.text());
    scene.enter("/help join");
    assert!(scene.text().contains("/join #channel"), "{}", scene.text());
}

#[test]
fn a_list_of_channels_counts_one_person_and_several_people() {
    let mut scene = Scene::new(80, 12);
    scene.enter("/list");
    scene.hear(":irc.example 322 ann #tea 1 :the kettle");
    scene.hear(":irc.example 322 ann #rust 12 :the book");
    for told in [
        "#tea has 1 person: the kettle",
        "#rust has 12 people: the book",
    ] {
        assert!(scene.text().contains(told), "{}", scene.text());
    }
}

#[test]
fn another_nick_than_the_one_asked_for_is_told_where_one_looks() {
    let mut scene = Scene::with(80, 12, |_| {}, &["#lobby"]);
    scene.connect();
    scene.hear(":irc.example 433 * ann :Nickname is already in use");
    scene.hear(":irc.example 001 ann_ :Welcome");
    scene.update(AppEvent::Link(LinkState::Online));
    assert!(scene.text().contains("#lobby> "), "{}", scene.text());
    let told = "the nick ann is taken; you are ann_";
    assert!(scene.text().contains(told), "{}", scene.text());
}

#[test]
fn that_there_is_no_connection_is_not_said_once_there_is() {
    let mut scene = Scene::new(80, 12);
    scene.go_offline(Duration::from_secs(10), 1);
    scene.enter("are you there");
    let told = "not connected; your text is kept";
    assert!(scene.text().contains(told), "{}", scene.text());
    scene.go_online();
    assert!(!scene.text().contains(told), "{}", scene.text());
    assert!(scene.text().contains("are you there"), "{}", scene.text());
}

#[test]
fn a_channel_asked_for_is_shown_and_one_that_was_not_is_only_listed() {
    let mut scene = Scene::new(80, 12);
    scene.enter("/join rust");
    scene.hear(":ann!a@h JOIN #rust");
    assert!(scene.text().starts_with(" #rust"), "{}", scene.text());
    scene.hear(":ann!a@h JOIN #forced");
    assert!(scene.text().starts_with(" #rust"));
    assert!(scene.text().contains(" 4 #forced") || scene.text().contains(" 4.#forced"));
    scene.enter("/close");
    assert!(scene.text().starts_with(" #lobby"), "{}", scene.text());
    assert!(!scene.text().contains("#rust"));
    scene.enter("/buffer forced");
    assert!(scene.text().starts_with(" #forced"));
    scene.enter("/query bob");
    assert!(scene.text().starts_with(" bob"));
    scene.take_sent();
    scene.enter("hello");
    assert_eq!(scene.take_sent(), "PRIVMSG bob :hello\r\n");
}

#[test]
fn tab_completes_who_spoke_last_and_nobody_who_has_left() {
    let mut scene = Scene::new(80, 12);
    scene.hear(":brian!b@h JOIN #lobby");
    scene.hear(":bill!b@h JOIN #lobby");
    scene.say("bob", "one");
    scene.say("brian", "two");
    scene.type_text("b");
    scene.key(KeyCode::Tab);
    assert!(
        scene.text().contains("#lobby> brian: _"),
        "{}",
        scene.text()
    );
    scene.key(KeyCode::Tab);
    assert!(scene.text().contains("#lobby> bob: _"));
    scene.key(KeyCode::Tab);
    assert!(scene.text().contains("#lobby> bill: _"));
    scene.key(KeyCode::Tab);
    assert!(scene.text().contains("#lobby> b_"));
    scene.press(KeyCode::BackTab, KeyModifiers::SHIFT);
    assert!(scene.text().contains("#lobby> bill: _"));
    scene.ctrl('u');
    scene.hear(":brian!b@h QUIT :gone");
    scene.type_text("well, b");
    scene.key(KeyCode::Tab);
    assert!(scene.text().contains("#lobby> well, bob _"));
    scene.ctrl('u');
    scene.type_text("/jo");
    scene.key(KeyCode::Tab);
    scene.type_text("#lo");
    scene.key(KeyCode::Tab);
    assert!(
        scene.text().contains("#lobby> /join #lobby _"),
        "{}",
        scene.text()
    );
}

#[test]
fn the_walk_through_what_is_unread_ends_where_it_began() {
    let mut scene = Scene::with(100, 12, |_| {}, &["#a", "#b", "#lobby"]);
    scene.go_online();
    scene.hear(":bob!b@h PRIVMSG #a :just talk");
    scene.hear(":bob!b@h PRIVMSG #b :ann: a question");
    scene.alt('a');
    assert!(scene.text().starts_with(" #b"), "mentions first");
    scene.alt('a');
    assert!(scene.text().starts_with(" #a"));
    scene.alt('a');
    assert!(scene.text().starts_with(" #lobby"));
    scene.alt('a');
    assert!(scene.text().contains("nothing is unread"));
}

#[test]
fn the_walk_goes_to_mentions_first_here_and_elsewhere_and_then_to_the_end() {
    let mut scene = Scene::with(80, 12, |_| {}, &["#a", "#lobby"]);
    scene.go_online();
    for number in 1..=50 {
        scene.say("bob", &format!("message {number}"));
    }
    scene.key(KeyCode::PageUp);
    scene.say("bob", "ann: are you there?");
    for number in 51..=80 {
        scene.say("bob", &format!("message {number}"));
    }
    scene.hear(":bob!b@h PRIVMSG #a :ann: and here?");
    scene.alt('a');
    assert!(
        scene.text().contains("ann: are you there?"),
        "a mention here"
    );
    assert!(!scene.text().contains("message 80"));
    scene.alt('a');
    assert!(scene.text().starts_with(" #a"), "a mention elsewhere");
    scene.alt('a');
    assert!(scene.text().starts_with(" #lobby"), "where the walk began");
    scene.key(KeyCode::PageUp);
    scene.say("bob", "just talk");
    scene.alt('a');
    assert!(scene.text().contains("just talk"), "what has come below");
}

#[test]
fn the_unread_line_is_found_again() {
    let mut scene = Scene::with(80, 12, |_| {}, &["#a", "#lobby"]);
    scene.go_online();
    scene.alt('2');
    for number in 1..=50 {
        scene.say("bob", &format!("message {number}"));
    }
    scene.alt('3');
    assert!(!scene.text().contains("new messages"));
    scene.alt('u');
    assert!(
        scene
            .text()
            .lines()
            .nth(1)
            .unwrap()
            .contains("new messages"),
        "{}",
        scene.text()
    );
}

#[test]
fn history_is_shown_without_calling_anybody() {
    let mut scene = Scene::new(80, 14);
    scene.effects();
    scene.hear(":irc.example BATCH +1 chathistory #lobby");
    scene.hear("@batch=1;time=2026-11-20T18:00:00.000Z :bob!b@h PRIVMSG #lobby :ann: yesterday");
    scene.hear("@batch=1;time=2026-11-20T18:01:00.000Z :bob!b@h PRIVMSG #lobby :good night");
    scene.hear(":irc.example BATCH -1");
    assert_eq!(scene.effects(), []);
    scene.compare("history");
}

#[test]
fn a_long_line_says_how_many_messages_it_is() {
    let mut scene = Scene::new(80, 10);
    scene.type_text("hello");
    assert!(scene.text().contains(" left"), "{}", scene.text());
    scene.paste(&"word ".repeat(300));
    assert!(scene.text().contains("4 messages"), "{}", scene.text());
    scene.take_sent();
    scene.key(KeyCode::Enter);
    assert_eq!(scene.take_sent().lines().count(), 4);
}

#[test]
fn somebody_renamed_goes_on_in_the_same_buffer() {
    let mut scene = Scene::new(80, 12);
    scene.hear(":bob!b@h PRIVMSG ann :hello");
    scene.hear(":bob!b@h NICK robert");
    scene.hear(":robert!b@h PRIVMSG ann :it is still me");
    scene.alt('3');
    assert!(scene.text().starts_with(" robert"), "{}", scene.text());
    assert!(scene.text().contains("hello") && scene.text().contains("still me"));
}
