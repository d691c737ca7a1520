//! Two screens and a person with nc on each of these servers, driven by keys.

use chapter_tests::tmux::Tmux;
use chapter_tests::tools;

use crate::server::Server;
use crate::{bob, on_each};

/// A screen in #room; none if tmux is missing.
fn join(server: &Server, nick: &str) -> Option<Tmux> {
    let tmux = tools::find("tmux")?;
    let address = server.address.to_string();
    let command = [
        env!("CARGO_BIN_EXE_chat-client"),
        &address,
        "--nick",
        nick,
        "--join",
        "room",
    ];
    let mut screen = Tmux::start(&tmux, command, (100, 24));
    screen.wait_for_screen(" joined");
    Some(screen)
}

fn say(screen: &Tmux, line: &str) {
    screen.type_text(line);
    screen.press("Enter");
}

#[test]
fn two_screens_and_somebody_with_nc_talk() {
    on_each(|server| {
        let Some(mut ann) = join(server, "ann") else {
            return;
        };
        // The same nick: it is taken, and she is told so where she looks.
        let Some(mut carol) = join(server, "ann") else {
            return;
        };
        carol.wait_for_screen("the nick ann is taken; you are ann_");
        say(&carol, "/nick carol");
        carol.wait_for_screen("you are carol now");
        let mut bob = bob(server);
        for screen in [&mut ann, &mut carol] {
            screen.wait_for_screen("3 people");
            for member in ["│@ann", "│ bob", "│ carol"] {
                screen.wait_for_screen(member);
            }
        }

        say(&ann, "hello everybody, 日本語 🦀");
        bob.expect_line("PRIVMSG #room :hello everybody, 日本語 🦀");
        say(&carol, "/me waves 👋");
        bob.expect_line("PRIVMSG #room :\u{1}ACTION waves 👋\u{1}");
        for screen in [&mut ann, &mut carol] {
            let shown = screen.wait_for_screen_with("both", |shown| {
                shown.contains("ann  hello everybody, 日本語 🦀")
                    && shown.contains("*  carol waves 👋")
            });
            assert_eq!(shown.matches("hello everybody").count(), 1, "{shown}");
            assert_eq!(shown.matches("carol waves").count(), 1, "{shown}");
        }
        ann.type_text("ca");
        ann.press("Tab");
        ann.wait_for_screen("#room> carol:");
        say(&ann, "tea?");
        bob.expect_line("PRIVMSG #room :carol: tea?");
        carol.wait_for_screen("» ann  carol: tea?");
        bob.send_line("PRIVMSG carol :psst");
        carol.wait_for_screen("3!bob");
        carol.press("M-a");
        carol.wait_for_screen("bob> ");
        say(&carol, "psst yourself");
        bob.expect_line("PRIVMSG bob :psst yourself");

        say(&carol, "/quit good night");
        assert_eq!(carol.wait_for_exit(), 0);
        bob.expect_line("QUIT");
        ann.wait_for_screen("2 people");
        say(&ann, "/topic tea at five");
        ann.wait_for_screen(" #room — tea at five");
        say(&ann, "/quit");
        assert_eq!(ann.wait_for_exit(), 0);
        bob.expect_line("QUIT");
    });
}
