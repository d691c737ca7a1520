//! Where the log and the trace go, and readers of them that do not read.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;

use chapter_tests::{Launch, Program, Signal, process};

use crate::support::{OldClients, SERVER};

/// Starts the server, tracing, with standard error where `redirection` of the shell says.
fn serve_with(redirection: &str, launch: impl FnOnce(Launch) -> Launch) -> Program {
    let script = format!("exec \"$0\" \"$@\" {redirection}");
    let arguments = ["-c", &script, SERVER, "--trace", "--log", "debug"];
    let limits = [
        "--listen",
        "127.0.0.1:0",
        "--flood-rate",
        "0",
        "--drain",
        "100ms",
    ];
    launch(Launch::new("sh").args(arguments).args(limits)).start()
}

#[test]
fn a_trace_that_cannot_be_written_stops_nobody() {
    // A full disk, and no standard error at all.
    for redirection in ["2>/dev/full", "2>&-"] {
        let mut server = serve_with(redirection, |launch| launch);
        let mut old = OldClients::new(server.listening_on());
        for _ in 0..100 {
            old.exchange();
        }
        server.signal(Signal::SIGTERM);
        assert_eq!(server.wait().code(), Some(0));
    }
}

#[test]
fn a_reader_of_the_trace_that_does_not_read_costs_lines_and_never_time() {
    // Both go into one pipe, and the test reads no more of it than the address.
    let mut server = serve_with("2>&1", Launch::stdout_unread);
    let mut shown = BufReader::new(server.take_stdout());
    let address: SocketAddr = loop {
        let mut line = String::new();
        shown.read_line(&mut line).unwrap();
        if let Some(address) = line.trim_end().strip_prefix("listening on ") {
            break address.parse().unwrap();
        }
    };
    let mut old = OldClients::new(address);
    let before = process::peak_resident_bytes(server.pid());
    // A trace of more lines than the pipe and the queue behind it hold.
    for _ in 0..10_000 {
        old.exchange();
    }
    let grown = process::peak_resident_bytes(server.pid()) - before;
    assert!(grown < 4 << 20, "{grown} bytes");
    server.signal(Signal::SIGTERM);
    let mut rest = String::new();
    shown.read_to_string(&mut rest).unwrap();
    assert!(rest.contains(" lines were dropped here\n"));
    assert_eq!(server.wait().code(), Some(0));
}
