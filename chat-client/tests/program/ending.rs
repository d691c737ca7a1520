//! How the program ends, and what it says of it.

use std::net::{SocketAddr, TcpListener};

use chapter_tests::{Launch, Program, Signal};
use nonblock_connect::SilentListener;

use crate::fake_server::{CLIENT, FakeServer, let_go, register, says_up_to};

/// An address where nobody listens.
fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

#[test]
fn a_refused_connection_is_exit_1_and_one_line_that_names_it() {
    let address = nobody();
    let finished = Launch::new(CLIENT).args([address.to_string()]).run();
    assert_eq!(finished.status.code(), Some(1));
    assert_eq!(finished.stdout, "");
    assert_eq!(
        finished.stderr,
        format!("chat-client: {address}: connection refused\n")
    );
}

#[test]
fn what_was_to_be_said_is_counted_when_there_is_nobody_to_say_it_to() {
    let directory = chapter_tests::TemporaryDirectory::new();
    let path = directory.join("lines");
    std::fs::write(&path, "one\ntwo\nthree").unwrap();
    let address = nobody();
    let finished = Launch::new(CLIENT)
        .args([address.to_string()])
        .stdin(std::fs::File::open(&path).unwrap())
        .run();
    assert_eq!(finished.status.code(), Some(1));
    let reason = format!("chat-client: {address}: connection refused\n");
    assert_eq!(
        finished.stderr,
        format!("chat-client: 3 lines were not sent\n{reason}")
    );
}

#[test]
fn every_address_of_a_name_is_tried() {
    // The name has two addresses on most machines, and only one is listened on.
    let server = FakeServer::open();
    let name = format!("localhost:{}", server.address().port());
    let program = Program::start(CLIENT, [&name, "--nick", "ann"]);
    let client = server.welcome();
    let_go(client);
    assert_eq!(program.finish().status.code(), Some(0));
}

#[test]
fn a_server_that_does_not_answer_at_all_is_given_up() {
    let silent = SilentListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let address = silent.address();
    let finished = Launch::new(CLIENT).args([address.to_string()]).run();
    assert_eq!(finished.status.code(), Some(1));
    assert_eq!(
        finished.stderr,
        format!("chat-client: {address}: connection timed out\n")
    );
}

#[test]
fn who_does_not_speak_irc_is_quoted_and_not_waited_for() {
    let server = FakeServer::open();
    let program = server.client(&[]).stdin_pipe().start();
    let mut client = server.accept();
    client.send_line("-- Welcome to Workshop, guest1.");
    let finished = program.finish();
    assert_eq!(finished.status.code(), Some(1));
    let why = "does not speak IRC, it says: -- Welcome to Workshop, guest1.";
    assert_eq!(
        finished.stderr,
        format!("chat-client: {}: {why}\n", server.address())
    );
}

#[test]
fn a_server_that_closes_is_named_with_its_last_words() {
    let server = FakeServer::open();
    let program = server.client(&[]).stdin_pipe().start();
    let mut client = server.welcome();
    client.send_line("ERROR :Closing link: (ann) [enough]");
    drop(client);
    let finished = program.finish();
    assert_eq!(finished.status.code(), Some(1));
    let address = server.address();
    assert_eq!(
        finished.stderr,
        format!("chat-client: {address}: closed by the server: Closing link: (ann) [enough]\n")
    );
}

#[test]
fn last_words_are_printed_even_if_the_connection_ends_in_the_same_moment() {
    let server = FakeServer::open();
    let mut program = server.client(&[]).stdin_pipe().start();
    let mut client = server.welcome();
    for number in 0..500 {
        let padding = "x".repeat(300);
        client.send_line(format!(":bob!b@h PRIVMSG #lobby :{number} {padding}"));
    }
    drop(client);
    assert_eq!(program.wait().code(), Some(1));
    let printed = program.stdout();
    assert_eq!(printed.matches("#lobby <bob> ").count(), 500);
    assert!(
        printed
            .lines()
            .last()
            .unwrap()
            .starts_with("#lobby <bob> 499 x")
    );
}

#[test]
fn the_reason_of_the_server_is_told_even_if_a_reset_comes_with_it() {
    let server = FakeServer::open();
    let mut program = server.client(&[]).stdin_pipe().start();
    let mut client = server.welcome();
    client.send_line("ERROR :Closing link: enough");
    client.reset();
    assert_eq!(program.wait().code(), Some(1));
    assert!(
        program
            .stderr()
            .ends_with("closed by the server: Closing link: enough\n")
    );
}

#[test]
fn lines_that_were_not_sent_are_counted_and_those_that_may_be_lost_too() {
    let server = FakeServer::open();
    let mut program = server.client(&[]).stdin_pipe().start();
    let mut client = server.welcome();
    for number in 0..15 {
        program.write(format!("line {number}\n"));
    }
    program.close_stdin();
    // The window is ten lines; the question behind them is not answered.
    client.expect_line("PING :check-1");
    client.reset();
    assert_eq!(program.wait().code(), Some(1));
    let address = server.address();
    assert_eq!(
        program.stderr(),
        format!(
            "chat-client: the last 10 lines may not have arrived: the server had not confirmed them\n\
             chat-client: 5 lines were not sent\n\
             chat-client: {address}: connection lost: connection reset by peer\n"
        )
    );
}

#[test]
fn an_end_that_the_server_does_not_confirm_is_a_failure() {
    let server = FakeServer::open();
    let mut program = server.client(&[]).stdin_pipe().start();
    program.write("hello\n");
    program.close_stdin();
    let mut client = server.welcome();
    assert_eq!(
        says_up_to(&mut client, "PING :end"),
        ["PRIVMSG #lobby :hello", "PING :end"]
    );
    assert_eq!(client.expect_eof(), ["QUIT"], "five seconds later");
    drop(client);
    assert_eq!(program.wait().code(), Some(1));
    assert!(
        program
            .stderr()
            .contains("timed out: no answer to the last lines within 5s")
    );
}

#[test]
fn a_server_that_never_closes_does_not_hold_the_client() {
    let server = FakeServer::open();
    let program = server.client(&[]).start();
    let mut client = server.welcome();
    client.expect_line("PING :end");
    client.send_line(":irc.example PONG irc.example :end");
    // The end behind QUIT, and the other side of the connection stays open.
    assert_eq!(client.expect_eof(), ["QUIT"]);
    client.send_line(":bob!b@h PRIVMSG #lobby :one more thing");
    program.wait_for_line("one more thing");
    assert_eq!(program.finish().status.code(), Some(0));
}

#[test]
fn a_nick_that_is_taken_with_all_its_underscores_is_exit_1() {
    let server = FakeServer::open();
    let program = server.client(&["--reconnect"]).stdin_pipe().start();
    let mut client = server.accept();
    for _ in 0..6 {
        client.expect_line("NICK ann");
        client.send_line(":irc.example 433 * ann :Nickname is already in use");
    }
    let finished = program.finish();
    assert_eq!(finished.status.code(), Some(1));
    assert!(
        finished.stderr.contains("the nick ann is taken"),
        "{}",
        finished.stderr
    );
}

#[test]
fn wrong_usage_is_exit_2() {
    for arguments in [
        &["--nick", "1st", "127.0.0.1"][..],
        &["--join", "a,b", "127.0.0.1"],
        &["127.0.0.1:0"],
        &["127.0.0.1:port"],
        &["--raw"],
        &["--raw", "--nick", "ann", "127.0.0.1"],
        &["--unknown"],
        &["127.0.0.1", "6667"],
    ] {
        Launch::new(CLIENT)
            .args(arguments)
            .run()
            .is_usage_error("error: ");
    }
}

#[test]
fn a_signal_ends_it_with_a_quit_and_exit_0() {
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let server = FakeServer::open();
        let mut program = server.client(&[]).stdin_pipe().start();
        let mut client = server.welcome();
        program.signal(signal);
        assert_eq!(client.expect_eof(), ["QUIT"]);
        drop(client);
        assert_eq!(program.wait().code(), Some(0), "{signal}");
    }
}

#[test]
fn the_second_signal_does_not_wait_for_the_server() {
    let server = FakeServer::open();
    let mut program = server.client(&[]).stdin_pipe().start();
    let mut client = server.welcome();
    program.signal(Signal::SIGTERM);
    client.expect_line("QUIT");
    program.signal(Signal::SIGTERM);
    assert_eq!(program.wait().code(), Some(0));
}

#[test]
fn without_a_nick_the_client_is_a_guest_and_not_the_user_of_this_machine() {
    let server = FakeServer::open();
    let address = server.address().to_string();
    let launch = Launch::new(CLIENT).args([address]).env("USER", "secret");
    let _program = launch.env("LOGNAME", "secret").start();
    let mut client = server.accept();
    client.expect_line("CAP LS 302");
    let nick = client.read_line();
    let number = nick.strip_prefix("NICK guest").unwrap();
    assert!(number.len() == 4 && number.bytes().all(|digit| digit.is_ascii_digit()));
    assert_eq!(client.read_line(), "USER guest 0 * :chat-client");
}

#[test]
fn the_channels_of_the_command_line_are_joined_with_or_without_their_hash() {
    let server = FakeServer::open();
    let mut program = server
        .client(&["--join", "#a", "--join", "b"])
        .stdin_pipe()
        .start();
    program.write("hello\n");
    let mut client = server.accept();
    register(&mut client);
    for line in ["JOIN #a", "JOIN #b", "PRIVMSG #b :hello"] {
        assert_eq!(client.read_line(), line);
    }
}
