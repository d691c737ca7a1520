//! The program from outside: as a server, as a client, and its demonstration.

mod arguments;
mod demo;
mod real_peers;
mod tcp;
mod udp;
mod xinetd;

use chapter_tests::{Program, Signal};

const PROGRAM: &str = env!("CARGO_BIN_EXE_tcp-udp-server");

/// A server with these arguments; each service has to be given one.
fn serve(arguments: &[&str]) -> Program {
    Program::start(PROGRAM, arguments)
}

/// Ends a server, and gives the line that it counts with.
fn end(server: &mut Program) -> String {
    server.signal(Signal::SIGTERM);
    assert!(server.wait().success());
    let stderr = server.stderr();
    let line = stderr.lines().rfind(|line| line.contains(" connections ("));
    line.expect("it counts what it has done").to_owned()
}
