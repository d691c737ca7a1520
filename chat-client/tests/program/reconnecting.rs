//! Connections that are lost and made again.

use chapter_tests::Launch;

use crate::fake_server::{CLIENT, FakeServer, let_go, register, says_up_to};
use crate::terminal::{Seat, Terminal};

#[test]
fn lines_that_were_not_sent_are_sent_on_the_next_connection() {
    let server = FakeServer::open();
    let mut program = server
        .client(&["--reconnect", "--trace"])
        .stdin_pipe()
        .start();
    let mut client = server.welcome();
    let lines: Vec<String> = (0..30).map(|n| format!("line {n}")).collect();
    program.write(lines.join("\n"));
    program.close_stdin();
    client.expect_line("PING :check-1");
    program.wait_for_error_line(["end ", " standard input"]);
    client.reset();
    assert!(
        program
            .wait_for_error_line("trying again in")
            .contains("connection reset by peer")
    );

    let mut client = server.welcome();
    let mut said = says_up_to(&mut client, "PING :end");
    said.pop();
    let expected = lines[10..]
        .iter()
        .map(|line| format!("PRIVMSG #lobby :{line}"));
    assert_eq!(said, expected.collect::<Vec<_>>(), "and none of them twice");
    client.send_line("PONG irc.example :end");
    assert_eq!(client.expect_eof(), ["QUIT"]);
    drop(client);
    assert_eq!(program.wait().code(), Some(0));
    assert!(!program.stderr().contains("not sent"));
}

#[test]
fn with_the_option_a_server_that_is_not_there_yet_is_waited_for() {
    let address = {
        let early = FakeServer::open();
        early.address().to_string()
    };
    let mut program = Launch::new(CLIENT)
        .args([address.as_str(), "--nick", "ann", "--reconnect"])
        .stdin_pipe()
        .start();
    program.write("hello\n");
    program.wait_for_error_line("connection refused; trying again in");
    let server = FakeServer::listen(&address);
    let mut client = server.welcome();
    client.expect_line("PRIVMSG #lobby :hello");
    program.close_stdin();
    let_go(client);
    assert_eq!(program.wait().code(), Some(0));
}

#[test]
fn a_terminal_gets_its_connection_and_its_channels_back_without_the_option() {
    let Some(mut seat) = Seat::take() else { return };
    seat.terminal.types("/join #other\n");
    seat.client.expect_line("JOIN #other");
    seat.client.send_line(":ann!~guest@127.0.0.1 JOIN #other");
    seat.program.wait_for_line("#other --> ann joined");
    drop(seat.client);
    seat.program.wait_for_error_line("trying again in");
    seat.terminal.types("said meanwhile\n");

    let mut client = seat.server.accept();
    register(&mut client);
    for line in [
        "JOIN #lobby",
        "JOIN #other",
        "PRIVMSG #other :said meanwhile",
    ] {
        assert_eq!(client.read_line(), line);
    }
    seat.terminal.types("\x04");
    let_go(client);
    assert_eq!(seat.program.wait().code(), Some(0));
}

#[test]
fn who_goes_while_there_is_no_connection_is_told_what_was_not_sent() {
    for end in ["/quit\n", "\x04"] {
        let Some(seat) = Seat::take() else { return };
        let (mut terminal, mut program) = (seat.terminal, seat.program);
        program.wait_for_line("Welcome");
        drop((seat.server, seat.client));
        program.wait_for_error_line("trying again in");
        terminal.types("one\ntwo\n");
        program.wait_for_error_line("will be sent later");
        program.wait_for_error_line("will be sent later");
        terminal.types(end);
        assert_eq!(program.wait().code(), Some(0));
        assert!(
            program
                .stderr()
                .ends_with("chat-client: 2 lines were not sent\n")
        );
    }
}

#[test]
fn a_terminal_whose_first_connection_is_refused_is_not_kept_waiting() {
    let terminal = Terminal::open();
    let address = FakeServer::open().address().to_string();
    let Some(launch) = terminal.under(Launch::new(CLIENT).args([address])) else {
        return;
    };
    let finished = launch.run();
    assert_eq!(finished.status.code(), Some(1));
    assert!(finished.stderr.contains("connection refused"));
}
