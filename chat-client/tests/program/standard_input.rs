//! Standard input of every kind.

use std::fs::{self, File};
use std::io::{PipeReader, PipeWriter, Seek};
use std::os::fd::AsFd;

use chapter_tests::TemporaryDirectory;
use nix::fcntl::{FcntlArg, OFlag, fcntl};

use crate::fake_server::{FakeServer, let_go, says_up_to, with_one_output};
use crate::terminal::{Seat, Terminal};

#[test]
fn a_pipe_is_said_line_by_line_and_its_end_is_the_end() {
    let server = FakeServer::open();
    let mut program = server.client(&[]).stdin_pipe().start();
    let mut client = server.welcome();
    program.write("hello\n/me waves\n");
    client.expect_line("PRIVMSG #lobby :hello");
    client.expect_line("PRIVMSG #lobby :\x01ACTION waves\x01");
    program.write("without a newline");
    program.close_stdin();
    client.expect_line("PRIVMSG #lobby :without a newline");
    let_go(client);
    assert_eq!(program.wait().code(), Some(0));
    assert_eq!(program.stderr(), "");
}

#[test]
fn a_file_is_said_in_order_and_whole() {
    let directory = TemporaryDirectory::new();
    let path = directory.join("poem");
    let lines: Vec<String> = (0..1_000).map(|n| format!("line {n}")).collect();
    fs::write(&path, lines.join("\n")).unwrap();
    let server = FakeServer::open();
    let program = server.client(&[]).stdin(File::open(&path).unwrap()).start();
    let mut client = server.welcome();
    let said = says_up_to(&mut client, "PING :end");
    let expected = lines.iter().map(|line| format!("PRIVMSG #lobby :{line}"));
    assert_eq!(said[..1_000], expected.collect::<Vec<_>>());
    client.send_line("PONG irc.example :end");
    assert_eq!(client.expect_eof(), ["QUIT"]);
    drop(client);
    assert_eq!(program.finish().status.code(), Some(0));
}

#[test]
fn dev_null_has_nothing_to_say_and_that_is_no_error() {
    let server = FakeServer::open();
    let mut program = server.client(&[]).start();
    let client = server.welcome();
    let_go(client);
    assert_eq!(program.wait().code(), Some(0));
    assert_eq!(program.stderr(), "");
}

#[test]
fn a_terminal_is_read_until_ctrl_d() {
    let Some(mut seat) = Seat::take() else { return };
    seat.terminal.types("hello\n");
    seat.client.expect_line("PRIVMSG #lobby :hello");
    seat.terminal.types("\x04");
    let_go(seat.client);
    assert_eq!(seat.program.wait().code(), Some(0));
}

#[test]
fn quit_ends_it_whatever_else_stands_in_a_pipe() {
    let server = FakeServer::open();
    let mut program = server.client(&[]).stdin_pipe().start();
    program.write("first\n/quit see you\nnever said\n");
    let mut client = server.welcome();
    assert_eq!(
        client.expect_eof(),
        ["PRIVMSG #lobby :first", "QUIT :see you"]
    );
    drop(client);
    assert_eq!(program.wait().code(), Some(0));
    assert_eq!(program.stderr(), "chat-client: 1 line was not sent\n");
}

#[test]
fn a_line_that_no_message_can_hold_is_left_out_and_counted() {
    let server = FakeServer::open();
    let mut program = server.client(&[]).stdin_pipe().start();
    program.write("x".repeat(100_000));
    program.write("\nshort\n");
    program.close_stdin();
    let mut client = server.welcome();
    assert_eq!(client.read_line(), "PRIVMSG #lobby :short");
    let_go(client);
    assert_eq!(program.wait().code(), Some(0));
    let errors = program.stderr();
    assert!(errors.contains("more than 65536 bytes"), "{errors}");
    assert!(
        errors.ends_with("chat-client: 1 line was not sent\n"),
        "{errors}"
    );
}

#[test]
fn a_long_file_is_read_no_further_than_it_can_be_sent() {
    let directory = TemporaryDirectory::new();
    let path = directory.join("long");
    fs::write(&path, ("x".repeat(99) + "\n").repeat(100_000)).unwrap();
    let mut file = File::open(&path).unwrap();
    let server = FakeServer::open();
    let program = server.client(&[]).stdin(file.try_clone().unwrap()).start();
    let mut client = server.welcome();
    // It asks how far the server has read, and gets no answer.
    client.expect_line("PING :check-1");
    for turn in 0..100 {
        client.send_line(format!("PING :{turn}"));
        client.expect_line(&format!("PONG :{turn}"));
    }
    drop(client);
    let finished = program.finish();
    assert_eq!(finished.status.code(), Some(1));
    let (errors, read) = (finished.stderr, file.stream_position().unwrap());
    assert!(
        errors.contains("and the rest of standard input was not read"),
        "{errors}"
    );
    assert!(read < 100_000, "{read} bytes are read");
}

/// The flags of the open file behind a descriptor.
fn flags(descriptor: impl AsFd) -> OFlag {
    OFlag::from_bits_retain(fcntl(descriptor, FcntlArg::F_GETFL).unwrap())
}

/// Both ends of a pipe, and one more descriptor of the end that a program gets.
fn pipe_for_reading() -> (PipeReader, PipeReader, PipeWriter) {
    let (reader, writer) = std::io::pipe().unwrap();
    (reader.try_clone().unwrap(), reader, writer)
}

#[test]
fn o_nonblock_is_left_as_it_was_on_all_three_standard_descriptors() {
    for arguments in [&[][..], &["--raw"]] {
        let (kept_input, input, keys) = pipe_for_reading();
        let (kept_screen, screen, output) = pipe_for_reading();
        let kept_output = output.try_clone().unwrap();
        let server = FakeServer::open();
        let address = server.address().to_string();
        let mut program = with_one_output(&[&address])
            .args(arguments)
            .stdin(input)
            .stdout(output)
            .start();
        let client = server.accept();
        for descriptor in [kept_input.as_fd(), kept_output.as_fd()] {
            assert!(
                !flags(descriptor).contains(OFlag::O_NONBLOCK),
                "while it runs"
            );
        }
        drop(keys);
        drop(client);
        program.wait();
        for descriptor in [kept_input.as_fd(), kept_output.as_fd()] {
            assert!(!flags(descriptor).contains(OFlag::O_NONBLOCK), "afterwards");
        }
        drop((kept_screen, screen));
    }
}

#[test]
fn o_nonblock_is_left_as_it_was_on_a_terminal() {
    let mut terminal = Terminal::open();
    let server = FakeServer::open();
    let Some(launch) = terminal.under(server.client(&["--line"])) else {
        return;
    };
    let mut program = launch.stdout(terminal.program_side()).start();
    let mut client = server.welcome();
    assert!(!flags(terminal.program_side()).contains(OFlag::O_NONBLOCK));
    terminal.types("/quit\n");
    client.expect_line("QUIT");
    drop(client);
    assert_eq!(program.wait().code(), Some(0));
    assert!(!flags(terminal.program_side()).contains(OFlag::O_NONBLOCK));
}
