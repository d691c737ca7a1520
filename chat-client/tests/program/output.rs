//! Standard output: harmless, and nobody waits for who reads it.

use chapter_tests::Launch;
use chat_server::{Embedded, FloodLimit, Settings};

use crate::fake_server::{CLIENT, FakeServer};

#[test]
fn an_escape_sequence_of_a_stranger_comes_out_harmless() {
    let server = FakeServer::open();
    let program = server.client(&[]).stdin_pipe().start();
    let mut client = server.welcome();
    client.send(
        b":bob!b@h PRIVMSG #lobby :\x1b[2J\x1b]0;mine\x07 \x9b31m \xc2\x9bK \xe2\x80\xaedrow\r\n",
    );
    client.send(b":\x1b[31mbob!b@h TOPIC #lobby :\x1b[H\x08\x7f\x02bold\r\n");
    client.send(b":irc.example 372 ann :\x1bc\r\n");
    client.send_line(":bob!b@h PRIVMSG #lobby :the last");
    program.wait_for_line("the last");
    let printed = program.stdout();
    for c in printed.chars() {
        let is_harmless = c == '\n' || !(c.is_control() || ('\u{202A}'..='\u{202E}').contains(&c));
        assert!(is_harmless, "{printed:?}");
    }
    assert!(
        printed.contains("#lobby <bob> \u{FFFD}[2J\u{FFFD}]0;mine\u{FFFD}"),
        "{printed:?}"
    );
    assert!(printed.contains("bold"), "{printed:?}");
}

#[test]
fn a_client_whose_output_nobody_reads_still_answers_ping() {
    let server = FakeServer::open();
    let mut program = server.client(&[]).stdin_pipe().stdout_unread().start();
    let mut client = server.welcome();
    let line = format!(":bob!b@h PRIVMSG #lobby :{}\r\n", "x".repeat(400));
    for number in 0..30 {
        // More than a pipe and the queue for it hold.
        client.send(line.repeat(200));
        client.send_line(format!("PING :{number}"));
        client.expect_line(&format!("PONG :{number}"));
    }
    program.write("/quit\n");
    client.expect_line("QUIT");
    drop(client);
    assert_eq!(program.wait().code(), Some(0));
    let errors = program.stderr();
    assert!(
        errors.contains("standard output was not read: "),
        "{errors}"
    );
}

#[test]
fn a_reader_that_goes_ends_the_program_as_it_ends_others_in_a_pipe() {
    let server = FakeServer::open();
    let mut program = server.client(&[]).stdin_pipe().stdout_unread().start();
    let mut client = server.welcome();
    drop(program.take_stdout());
    assert_eq!(client.expect_eof(), ["QUIT"], "with nothing to print");
    drop(client);
    assert_eq!(program.wait().code(), Some(1));
    assert_eq!(program.stderr(), "");
}

#[test]
fn a_server_that_asks_and_does_not_read_is_given_up() {
    let server = FakeServer::open();
    let mut program = server.client(&[]).stdin_pipe().start();
    let mut client = server.welcome();
    let questions = format!("PING :{}\r\n", "x".repeat(400)).repeat(1_000);
    // Megabytes of answers fit into the kernel before the client notices.
    while client.try_send(&questions).is_ok() {}
    assert_eq!(program.wait().code(), Some(1));
    assert!(
        program.stderr().contains("the server does not read"),
        "{}",
        program.stderr()
    );
}

#[test]
fn a_server_that_holds_fast_clients_back_gets_every_line_in_order() {
    let listener = epoll_loop::listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let settings = Settings {
        flood: Some(FloodLimit::new(50, 5)),
        ..Settings::default()
    };
    let room = Embedded::start(vec![listener], vec![], settings).unwrap();
    let client = |nick| Launch::new(CLIENT).args([address.as_str(), "--nick", nick]);
    let bob = client("bob").stdin_pipe().start();
    bob.wait_for_line("#lobby --> bob joined");
    let mut ann = client("ann").stdin_pipe().start();
    let words = (0..2_000).fold(String::new(), |text, n| text + &format!("word{n} "));
    for number in 0..50 {
        ann.write(format!("line {number}\n"));
    }
    ann.write(&words);
    ann.close_stdin();
    assert_eq!(ann.wait().code(), Some(0), "{}", ann.stderr());
    bob.wait_for_line("<-- ann quit");
    let printed = bob.stdout();
    let said: Vec<&str> = printed
        .lines()
        .filter_map(|line| line.strip_prefix("#lobby <ann> "))
        .collect();
    for (number, line) in said[..50].iter().enumerate() {
        assert_eq!(*line, format!("line {number}"));
    }
    assert_eq!(said[50..].concat(), words);
    drop(bob);
    room.stop().unwrap();
}
