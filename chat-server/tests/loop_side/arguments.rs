//! The command line, and the secrets on it.

use std::fs;

use chapter_tests::{Launch, Peer, Signal, TemporaryDirectory};

use crate::support::{SERVER, person, serve, settle};

#[test]
fn arguments_that_make_no_sense_are_exit_code_2() {
    for wrong in [
        &["--listen", "6667"][..],
        &["--listen", "localhost:6667"],
        &["--flood-rate", "-1"],
        &["--flood-burst", "0"],
        &["--sendq", "1MB"],
        &["--drain", "soon"],
        &["--name", "localhost"],
        &["--network", "two words"],
        &["--password", ""],
        &["--password", "one", "--password-file", "two"],
        &["--operator", "ann"],
        &["--log", "everything"],
        &["--unknown"],
        &["operand"],
    ] {
        Launch::new(SERVER)
            .args(wrong)
            .run()
            .is_usage_error("--help");
    }
}

#[test]
fn a_file_that_cannot_be_used_is_named_in_one_line() {
    let directory = TemporaryDirectory::new();
    let file = directory.join("file");
    let file = file.to_str().unwrap();
    let run = |option: &str| {
        let finished = Launch::new(SERVER)
            .args(["--listen", "127.0.0.1:0", option, file])
            .run();
        assert_eq!(finished.status.code(), Some(1));
        finished.stderr
    };
    for option in ["--motd", "--password-file", "--operator-file"] {
        let expected = format!("chat-server: {file}: no such file or directory\n");
        assert_eq!(run(option), expected);
    }
    fs::write(file, "\n").unwrap();
    let expected = format!("chat-server: {file}: the first line is empty\n");
    assert_eq!(run("--password-file"), expected);
    fs::write(file, "ann:secret\n\nbob\n").unwrap();
    let expected =
        format!("chat-server: {file}:3: an operator is NAME:PASSWORD, neither of them empty\n");
    assert_eq!(run("--operator-file"), expected);
}

const PASSWORD: &str = "correct horse battery staple";

#[test]
fn a_password_lets_in_those_who_know_it_and_is_never_shown() {
    let directory = TemporaryDirectory::new();
    let password_file = directory.join("password");
    fs::write(&password_file, format!("{PASSWORD}\nthe rest is ignored\n")).unwrap();
    let operator_file = directory.join("operators");
    fs::write(&operator_file, format!("ann:{PASSWORD}\n")).unwrap();
    for arguments in [
        [
            "--password",
            PASSWORD,
            "--operator",
            &format!("ann:{PASSWORD}"),
        ],
        [
            "--password-file",
            password_file.to_str().unwrap(),
            "--operator-file",
            operator_file.to_str().unwrap(),
        ],
    ] {
        let more = ["--trace", "--log", "debug", "--plain-listen", "127.0.0.1:0"];
        let mut server = serve(&[&arguments[..], &more].concat());
        let [irc, plain] = server.listening_on_all();
        let mut eve = Peer::connect(irc);
        eve.send("PASS wrong\r\nNICK eve\r\nUSER eve 0 * :Eve\r\n");
        let lines = eve.expect_eof();
        assert!(lines[0].contains(" 464 "), "{lines:?}");
        let mut ann = Peer::connect(irc);
        ann.send(format!(
            "PASS :{PASSWORD}\r\nNICK ann\r\nUSER ann 0 * :Ann\r\n"
        ));
        ann.expect_line(" 001 ");
        ann.send("OPER ann wrong\r\n");
        ann.expect_line(" 464 ");
        ann.send(format!("OPER ann :{PASSWORD}\r\n"));
        ann.expect_line(" 381 ");
        let mut nc = Peer::connect(plain);
        nc.expect_line("Password?");
        nc.send(format!("{PASSWORD}\n"));
        nc.expect_line("In #lobby");
        drop((ann, nc));
        server.signal(Signal::SIGTERM);
        server.wait();
        let shown = server.stderr() + &server.stdout();
        assert!(shown.contains("client IN") && shown.contains("connected"));
        assert!(!shown.contains("horse"), "{shown}");
    }
}

#[test]
fn help_tells_every_limit() {
    let finished = Launch::new(SERVER).args(["--help"]).run();
    assert_eq!(finished.status.code(), Some(0));
    for limit in [
        "--max-clients",
        "--max-per-address",
        "--sendq",
        "--sendq-total",
        "--flood-rate",
        "--flood-burst",
        "--registration-timeout",
        "--ping-interval",
        "--ping-timeout",
        "--drain",
        "512  line, with its CR LF",
        "8,191  tags of a line in all",
        "400  line of a plain peer",
        "11  user name",
        "100  mask in a ban",
        "4  changes with a parameter",
        "1,000  nicks that WHOWAS",
    ] {
        assert!(finished.stdout.contains(limit), "{limit}");
    }
}

#[test]
fn flood_control_that_is_off_lets_everything_through_and_that_is_on_does_not() {
    for (rate, expected) in [("0", 200), ("1", 3)] {
        let server = serve(&["--flood-rate", rate, "--flood-burst", "5"]);
        let mut eve = person(server.listening_on(), "eve");
        eve.send("PING :x\r\n".repeat(200));
        for _ in 0..expected {
            eve.expect_line("PONG");
        }
        if rate == "0" {
            settle(&mut eve);
        }
    }
}

#[test]
fn an_address_by_name_and_a_ping_without_a_pause_are_refused_with_what_is_wanted() {
    for (option, value, expected) in [
        ("--listen", "localhost:6667", "IP:PORT, e.g. 127.0.0.1:6667"),
        ("--plain-listen", "6668", "[::1]:6667"),
        (
            "--ping-interval",
            "0",
            "0 would leave nobody time to answer",
        ),
        (
            "--ping-timeout",
            "0s",
            "0 would leave nobody time to answer",
        ),
        ("--ping-timeout", "soon", "soon"),
    ] {
        Launch::new(SERVER)
            .args([option, value])
            .run()
            .is_usage_error(expected);
    }
}
