//! Two screens of ours and irssi, driven by keys.

use crate::irssi::Irssi;
use crate::person::Person;
use crate::room::{Room, Tools};
use crate::screen::Screen;

/// Two who use the screen, and one who uses irssi, all in the lobby.
struct Three {
    ann: Screen,
    bob: Screen,
    irssi: Irssi,
    // Last: the server goes when everybody has gone.
    _room: Room,
}

impl Three {
    /// Nothing if a program is missing, and the test is to be skipped.
    fn meet() -> Option<Three> {
        let tools = Tools::find()?;
        let room = Room::open();
        let mut three = Three {
            ann: Screen::join(&room, &tools, "ann", (100, 24)),
            bob: Screen::join(&room, &tools, "bob", (80, 24)),
            irssi: Irssi::join(&room, &tools),
            _room: room,
        };
        for screen in [&mut three.ann, &mut three.bob] {
            screen.sees("3 people");
        }
        Some(three)
    }

    fn people(&mut self) -> [&mut dyn Person; 3] {
        [&mut self.ann, &mut self.bob, &mut self.irssi]
    }
}

#[test]
fn words_deeds_and_new_nicks_are_on_all_three_screens() {
    let Some(mut three) = Three::meet() else {
        return;
    };
    for speaker in 0..3 {
        let people = three.people();
        let nick = people[speaker].nick();
        let said = format!("here is {nick}: naïve, 日本語, Привет, 🦀");
        let does = format!("waves as {nick} 👋");
        people[speaker].types(&said);
        people[speaker].types(&format!("/me {does}"));
        // The speaker too: what one says oneself is on the screen once.
        for listener in people {
            listener.hears(nick, &said);
            listener.hears_action(nick, &does);
        }
        for screen in [&three.ann, &three.bob] {
            let shown = screen.terminal.screen();
            assert_eq!(shown.matches(&said).count(), 1, "{shown}");
            assert_eq!(shown.matches(&does).count(), 1, "{shown}");
        }
    }

    three.bob.types("/nick robert");
    three.bob.sees("you are robert now");
    three.ann.sees("bob is now robert");
    three.irssi.sees("bob is now known as robert");
    three.irssi.types("/nick irene");
    for screen in [&mut three.ann, &mut three.bob] {
        screen.sees("iris is now irene");
    }
    // The list of nicks follows, and completion knows the new names alone.
    three.ann.sees("│ irene");
    three.ann.sees("│ robert");
    three.ann.terminal.type_text("ro");
    three.ann.terminal.press("Tab");
    three.ann.sees("#lobby> robert:");
    three.ann.terminal.type_text("tea?");
    three.ann.terminal.press("Enter");
    three.irssi.hears("ann", "robert: tea?");
    // It names him, and he did nothing to be told so but take the name.
    three.bob.sees("»  ann  robert: tea?");
}

#[test]
fn tab_offers_who_spoke_last_and_goes_round() {
    let Some(mut three) = Three::meet() else {
        return;
    };
    three.irssi.types("/nick bill");
    three.ann.sees("│ bill");
    three.bob.types("first");
    three.ann.hears("bob", "first");
    three.irssi.types("second");
    three.ann.hears("bill", "second");
    three.ann.terminal.type_text("b");
    // What was typed is a stop of the round.
    for (key, word) in [
        ("Tab", "bill:"),
        ("Tab", "bob:"),
        ("Tab", "b "),
        ("Tab", "bill:"),
        ("BTab", "b "),
        ("BTab", "bob:"),
    ] {
        three.ann.terminal.press(key);
        three.ann.sees(&format!("#lobby> {word}"));
    }
    three.ann.terminal.type_text("hello");
    three.ann.terminal.press("Enter");
    three.irssi.hears("ann", "bob: hello");

    // Who has gone is not offered.
    three.irssi.types("/quit");
    three.ann.sees("2 people");
    three.ann.terminal.type_text("bi");
    three.ann.terminal.press("Tab");
    three.ann.terminal.type_text("!");
    three.ann.sees("#lobby> bi!");
}

#[test]
fn a_mention_in_another_channel_is_one_key_away() {
    let Some(mut three) = Three::meet() else {
        return;
    };
    three.bob.types("/join #tea");
    three.bob.sees(" #tea ");
    three.irssi.types("/join #tea");
    three.irssi.sees("Join to #tea was synced");
    three.ann.types("/join #tea");
    three.ann.sees("#tea> ");
    three.ann.terminal.press("M-2");
    three.ann.sees("#lobby> ");

    three.irssi.types("the kettle is on");
    three.ann.sees("3*#tea");
    three.irssi.types("announce: annie comes too");
    three.bob.sees("annie comes too");
    // Only a word of its own is a name.
    three.ann.sees("3*#tea     2");
    three.irssi.types("milk, Ann?");
    three.ann.sees("3!#tea");
    three.ann.terminal.press("M-a");
    three.ann.sees("» iris  milk, Ann?");
    three.ann.sees("─ new messages ─");
    three.ann.sees_no_more("3!#tea");
    // Everything that names one is in one place.
    three.ann.terminal.press("M-m");
    three.ann.sees("milk, Ann?");
    three.ann.sees_no_more("the kettle is on");
}

#[test]
fn who_has_scrolled_back_stays_there_while_others_talk() {
    let Some(mut three) = Three::meet() else {
        return;
    };
    for number in 1..=40 {
        three.bob.types(&format!("line {number} of the story"));
    }
    three.ann.hears("bob", "line 40 of the story");
    three.ann.terminal.press("PageUp");
    let before = three.ann.terminal.wait_for_screen("End to follow");
    assert!(!before.contains("line 40 of the story"), "{before}");
    let log = |screen: &str| -> Vec<String> {
        // Without the title, the line of news and what is below it.
        let rows: Vec<&str> = screen.lines().collect();
        rows[1..20].iter().map(|row| (*row).to_owned()).collect()
    };
    three.irssi.types("what comes next?");
    three.bob.types("the end");
    let after = three
        .ann
        .terminal
        .wait_for_screen("↓ 2 new (End to follow)");
    assert_eq!(log(&after), log(&before));
    three.ann.terminal.press("Home");
    three.ann.sees("ann, bob, iris joined");
    three.ann.terminal.press("End");
    three.ann.hears("bob", "the end");
    three.ann.sees_no_more("(End to follow)");
    three.ann.types("I have read it all");
    three.irssi.hears("ann", "I have read it all");
}
