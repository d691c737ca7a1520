//! Clients and servers that we did not write.
//!
//! Shows: that the same probe passes xinetd's built-in services, but for one
//! thing: over UDP its chargen answers 100 bytes with 1,024, ten times what it
//! got and twice what RFC 864 allows.

use std::net::UdpSocket;
use std::time::Duration;

use chapter_tests::{Launch, Program, tools};

use crate::xinetd::Xinetd;
use crate::{PROGRAM, serve};

fn echo() -> (Program, String) {
    let server = serve(&["--service", "echo=0"]);
    let port = server.listening_on().port().to_string();
    (server, port)
}

#[test]
fn nc_gets_its_echo_back() {
    let Some(nc) = tools::find("nc") else {
        return;
    };
    let (_server, port) = echo();
    // -N: shutdown(SHUT_WR) at the end of standard input.
    let mut tcp = Launch::new(&nc)
        .args(["-N", "127.0.0.1", &port])
        .stdin_pipe()
        .start();
    tcp.write("hello\nworld\n");
    assert_eq!(tcp.finish().stdout, "hello\nworld\n");
    // -W 1: until one datagram has come.
    let arguments = ["-u", "-W", "1", "127.0.0.1", &port];
    let mut udp = Launch::new(&nc).args(arguments).stdin_pipe().start();
    udp.write("hello\n");
    assert_eq!(udp.wait_for_line("hello"), "hello");
}

#[test]
fn socat_gets_its_echo_back() {
    let Some(socat) = tools::find("socat") else {
        return;
    };
    let (_server, port) = echo();
    let text = "a line of an ordinary length\n".repeat(20_000);
    // socat half closes at the end of standard input, and waits -t for the rest.
    let arguments = ["-t30", "-", &format!("TCP:127.0.0.1:{port}")];
    let mut tcp = Launch::new(&socat).args(arguments).stdin_pipe().start();
    tcp.write(&text);
    assert!(tcp.finish().stdout == text);
    let arguments = ["-t30", "-", &format!("UDP:127.0.0.1:{port}")];
    let mut udp = Launch::new(&socat).args(arguments).stdin_pipe().start();
    udp.write("hello\n");
    udp.wait_for_line("hello");
}

#[test]
fn the_built_in_services_of_xinetd_pass_the_same_probe_but_for_an_amplifier() {
    let Some(xinetd) = Xinetd::start() else {
        return;
    };
    let services = xinetd.addresses.iter().flat_map(|(service, address)| {
        [
            "--service".to_owned(),
            format!("{service}={}", address.port()),
        ]
    });
    let launch = Launch::new(PROGRAM).args(["probe", "--timeout", "20s"]);
    let finished = launch.args(services).run();
    let failed: Vec<&str> = finished
        .stdout
        .lines()
        .filter(|line| !line.contains("  ok  "))
        .collect();
    assert_eq!(failed.len(), 1, "{}", finished.stdout);
    assert!(failed[0].starts_with("chargen  udp"), "{}", failed[0]);
    let why = "FAILED  1024 bytes of characters, and RFC 864 allows 512";
    assert!(failed[0].ends_with(why), "{}", failed[0]);
}

#[test]
fn xinetd_answers_what_we_refuse() {
    let Some(xinetd) = Xinetd::start() else {
        return;
    };
    let (_, daytime) = xinetd.addresses[3];
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    client.send_to(b".", daytime).unwrap();
    let length = client.recv(&mut [0; 100]).unwrap();
    assert!(length > 20, "{length} bytes for one");
}
