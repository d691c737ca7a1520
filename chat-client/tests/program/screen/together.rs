//! Two screens and irssi in the room of one of them.

use chapter_tests::tmux::Tmux;
use chapter_tests::{TemporaryDirectory, tools};

use crate::fake_server::CLIENT;
use crate::network::with_free_ports;

fn say(terminal: &Tmux, line: &str) {
    terminal.type_text(line);
    terminal.press("Enter");
}

#[test]
fn two_screens_and_irssi_talk_in_the_room_that_the_first_has_opened() {
    let (Some(tmux), Some(irssi)) = (tools::find("tmux"), tools::find("irssi")) else {
        return;
    };
    with_free_ports(|| {
        let mut ann = Tmux::start(&tmux, [CLIENT, "--nick", "ann"], (100, 24));
        ann.wait_for_screen("ann joined");
        let mut bob = Tmux::start(&tmux, [CLIENT, "--nick", "bob"], (80, 24));
        bob.wait_for_screen("bob joined");
        ann.wait_for_screen("2 people");
        let home = TemporaryDirectory::new();
        let home = format!("--home={}", home.join("irssi").display());
        let command = [
            irssi.display().to_string(),
            home,
            "-c".into(),
            "127.0.0.1".into(),
        ];
        let mut iris = Tmux::start(
            &tmux,
            command.into_iter().chain(["-n", "iris"].map(str::to_owned)),
            (80, 24),
        );
        iris.wait_for_screen("Welcome");
        say(&iris, "/join #lobby");
        ann.wait_for_screen("3 people");

        say(&ann, "hello everybody");
        bob.wait_for_screen("ann  hello everybody");
        iris.wait_for_screen("hello everybody");
        say(&iris, "ann: hello from irssi");
        // A mention is marked, and only for whom it means.
        ann.wait_for_screen("\u{bb} iris  ann: hello from irssi");
        bob.wait_for_screen("  iris  ann: hello from irssi");
        ann.type_text("bo");
        ann.press("Tab");
        ann.wait_for_screen("#lobby> bob:");
        say(&ann, "and to you");
        bob.wait_for_screen("\u{bb}  ann  bob: and to you");

        say(&bob, "/msg ann psst");
        ann.wait_for_screen("3!bob");
        ann.press("M-a");
        ann.wait_for_screen("psst");

        say(&ann, "/quit");
        ann.wait_for_screen("2 more people are here");
        say(&ann, "/quit");
        assert_eq!(ann.wait_for_exit(), 0);
        bob.wait_for_screen("offline");
        say(&bob, "/quit");
        assert_eq!(bob.wait_for_exit(), 0);
    });
}
