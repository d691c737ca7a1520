//! What the program does with wrong arguments and ports that it cannot have.

use std::fs;
use std::net::TcpListener;

use chapter_tests::{Finished, Launch};

use crate::{PROGRAM, serve};

fn run(arguments: &[&str]) -> Finished {
    Launch::new(PROGRAM).args(arguments).run()
}

#[test]
fn wrong_usage_is_exit_code_2() {
    for (arguments, word) in [
        (
            &["--service", "finger"][..],
            "echo, discard, chargen, daytime or time",
        ),
        (&["--service", "echo=x"], "a port is a number"),
        (&["--udp-buffer", "65536"], "1 to 65535 bytes"),
        (&["--listen", "localhost"], "invalid IP address"),
        (&["--idle-timeout", "0"], "longer than no time"),
        (&["probe", "--tcp", "--udp"], "cannot be used with"),
        (&["--trace", "demo"], "cannot be used with"),
    ] {
        run(arguments).is_usage_error(word);
    }
}

#[test]
fn a_port_that_is_taken_is_one_line_and_exit_code_1() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let finished = run(&["--service", &format!("echo={}", address.port())]);
    assert_eq!(finished.status.code(), Some(1));
    let line = format!("tcp-udp-server: echo tcp {address}: address already in use\n");
    assert_eq!(finished.stderr, line);
}

#[test]
fn more_connections_than_descriptors_are_refused_at_the_start() {
    let launch = Launch::new(PROGRAM).args(["--max-connections", "1000"]);
    let finished = launch.descriptor_limit(100).run();
    assert_eq!(finished.status.code(), Some(1));
    let line = "tcp-udp-server: --max-connections 1000: only 100 descriptors may be open \
                (RLIMIT_NOFILE), and 42 are needed beside the connections'\n";
    assert_eq!(finished.stderr, line);
}

#[test]
fn every_service_passes_the_probe() {
    let arguments = ["echo=0", "discard=0", "chargen=0", "daytime=0", "time=0"];
    let server = serve(&arguments.map(|service| ["--service", service]).concat());
    let addresses: [_; 5] = server.listening_on_all();
    let questions = arguments
        .iter()
        .zip(addresses)
        .flat_map(|(service, address)| {
            let name = service.trim_end_matches("=0");
            ["--service".to_owned(), format!("{name}={}", address.port())]
        });
    let finished = Launch::new(PROGRAM).args(["probe"]).args(questions).run();
    assert!(
        finished.status.success(),
        "{}{}",
        finished.stdout,
        finished.stderr
    );
    let passed = finished
        .stdout
        .lines()
        .filter(|line| line.contains("  ok  "));
    assert_eq!(passed.count(), 10, "{}", finished.stdout);
}

#[test]
fn a_probe_that_fails_says_why_and_is_exit_code_1() {
    // Listens, never accepts; and nobody listens for datagrams there.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let service = format!("echo={port}");
    let finished = run(&["probe", "--service", &service, "--timeout", "300ms"]);
    assert_eq!(finished.status.code(), Some(1));
    let lines: Vec<&str> = finished.stdout.lines().collect();
    assert!(
        lines[0].ends_with("FAILED  no answer, or no end of it"),
        "{}",
        lines[0]
    );
    assert!(
        lines[1].ends_with("FAILED  connection refused"),
        "{}",
        lines[1]
    );
    assert_eq!(finished.stderr, "tcp-udp-server: probe: 2 of 2 failed\n");
}

#[test]
fn an_output_that_is_full_is_one_line_and_exit_code_1() {
    let full = || {
        fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap()
    };
    for arguments in [&["demo"][..], &["probe", "--service", "echo=1", "--tcp"]] {
        let launch = Launch::new(PROGRAM).args(arguments).stdout(full());
        let finished = launch.run();
        assert_eq!(finished.status.code(), Some(1), "{arguments:?}");
        assert_eq!(finished.stderr, "tcp-udp-server: no space left on device\n");
    }
}

#[test]
fn a_host_that_is_none_is_named() {
    let finished = run(&["probe", "no.such.host.invalid"]);
    assert_eq!(finished.status.code(), Some(1));
    let stderr = finished.stderr;
    assert!(
        stderr.starts_with("tcp-udp-server: no.such.host.invalid: "),
        "{stderr}"
    );
}

#[test]
fn amplifiers_off_loopback_must_be_asked_for() {
    let arguments = [
        "--listen",
        "0.0.0.0",
        "--service",
        "chargen=0",
        "--service",
        "echo=0",
    ];
    let server = serve(&arguments);
    server.wait_for_line("chargen, tcp only");
    server.wait_for_line("echo, tcp and udp");
    server.wait_for_error_line("off loopback chargen over UDP must be asked for: --amplifiers");
    let port = server.listening_on().port();
    let service = format!("chargen={port}");
    let finished = run(&["probe", "--service", &service]);
    let lines: Vec<&str> = finished.stdout.lines().collect();
    assert!(lines[0].contains("  ok  "), "{}", lines[0]);
    assert!(
        lines[1].ends_with("FAILED  connection refused"),
        "{}",
        lines[1]
    );

    let server = serve(&[&arguments[..], &["--amplifiers"]].concat());
    server.wait_for_line("chargen, tcp and udp");
}
