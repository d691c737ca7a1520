//! The settings of the file, and what the command line says in their place.

use std::fs;
use std::path::PathBuf;

use chapter_tests::{Launch, TemporaryDirectory};

use crate::fake_server::{CLIENT, FakeServer};

/// A folder for settings, and the file in it.
fn folder(text: &str) -> (TemporaryDirectory, PathBuf) {
    let folder = TemporaryDirectory::new();
    let file = folder.join("chat-client/config.toml");
    fs::create_dir(folder.join("chat-client")).unwrap();
    fs::write(&file, text).unwrap();
    (folder, file)
}

#[test]
fn the_file_says_who_and_where_and_the_command_line_goes_first() {
    let server = FakeServer::open();
    let text = format!(
        "server = \"{}\"\nnick = \"carl\"\nuser = \"cc\"\nreal-name = \"Carl C\"\njoin = [\"a\", \"#b\"]\n",
        server.address()
    );
    let (folder, _) = folder(&text);
    let start = |args: &[&str]| {
        let launch = Launch::new(CLIENT).args(args).stdin_pipe();
        launch.env("XDG_CONFIG_HOME", &*folder).start()
    };
    let _program = start(&[]);
    let mut client = server.accept();
    client.expect_line("NICK carl");
    client.expect_line("USER cc 0 * :Carl C");
    client.send_line(":irc.example 001 carl :Welcome");
    client.expect_line("JOIN #a");
    client.expect_line("JOIN #b");

    let _program = start(&["--nick", "dora", "--join", "c"]);
    let mut client = server.accept();
    client.expect_line("NICK dora");
    client.send_line(":irc.example 001 dora :Welcome");
    assert!(client.expect_line("JOIN ").ends_with("JOIN #c"));
}

#[test]
fn the_settings_that_hold_are_printed() {
    let (_folder, file) = folder("nick = \"carl\"\nreconnect = true\n");
    let file = file.to_str().unwrap();
    let args = [
        "--config",
        file,
        "--print-config",
        "--nick",
        "dora",
        "irc.example",
    ];
    let finished = Launch::new(CLIENT).args(args).run();
    assert_eq!(finished.status.code(), Some(0));
    for line in [
        "server = \"irc.example:6667\"",
        "nick = \"dora\"",
        "reconnect = true",
        "join = [\"#lobby\"]",
    ] {
        assert!(
            finished.stdout.lines().any(|printed| printed == line),
            "{}",
            finished.stdout
        );
    }
}

#[test]
fn a_mistake_in_the_file_is_told_with_its_line_before_anything_is_done() {
    let (folder, file) = folder("\nnik = \"carl\"\n");
    let finished = Launch::new(CLIENT).env("XDG_CONFIG_HOME", &*folder).run();
    assert_eq!(finished.status.code(), Some(1));
    let expected = "line 2: there is no key \"nik\"; the nearest is \"nick\"";
    assert_eq!(
        finished.stderr,
        format!("chat-client: {}: {expected}\n", file.display())
    );
}
