//! The services over UDP: what is answered, and what must not be.

use std::fs;
use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};

use chapter_tests::{Pid, Program, Signal, TIMEOUT};

use crate::{end, serve};

/// A client that hears the service alone.
fn client(service: SocketAddr) -> UdpSocket {
    client_at("127.0.0.1:0".parse().unwrap(), service)
}

fn client_at(address: SocketAddr, service: SocketAddr) -> UdpSocket {
    let socket = UdpSocket::bind(address).unwrap_or_else(|err| panic!("{address}: {err}"));
    socket.connect(service).unwrap();
    socket.set_read_timeout(Some(TIMEOUT)).unwrap();
    socket
}

fn receive(client: &UdpSocket) -> Vec<u8> {
    let mut buffer = vec![0; 65_536];
    let length = client.recv(&mut buffer).unwrap();
    buffer.truncate(length);
    buffer
}

/// Nothing has come so far; asked when the server has said what it did.
fn has_nothing(client: &UdpSocket) -> bool {
    client.set_nonblocking(true).unwrap();
    let result = client.recv(&mut [0; 1]);
    client.set_nonblocking(false).unwrap();
    result.is_err_and(|err| err.kind() == ErrorKind::WouldBlock)
}

fn echo(more: &[&str]) -> (Program, SocketAddr) {
    let server = serve(&[&["--service", "echo=0"][..], more].concat());
    let address = server.listening_on();
    (server, address)
}

#[test]
fn every_length_comes_back_as_it_was() {
    let (_server, address) = echo(&[]);
    let client = client(address);
    // 65,507 is the longest that fits an IPv4 packet.
    for length in [0, 1, 1_472, 1_473, 65_507] {
        let sent: Vec<u8> = (0..length).map(|n: u32| (n % 251) as u8).collect();
        client.send(&sent).unwrap();
        assert!(receive(&client) == sent, "{length}");
    }
}

#[test]
fn a_datagram_that_is_too_long_is_never_echoed_in_part() {
    let (mut server, address) = echo(&["--udp-buffer", "512"]);
    let client = client(address);
    client.send(&[1; 513]).unwrap();
    client.send(&[2; 512]).unwrap();
    assert_eq!(receive(&client), [2; 512]);
    let own = client.local_addr().unwrap();
    server.wait_for_error_line(
        format!("udp echo: no answer to {own}: longer than --udp-buffer").as_str(),
    );
    assert!(end(&mut server).contains("2 datagrams in "));
    assert!(server.stderr().contains("; 1 longer than --udp-buffer"));
}

#[test]
fn the_port_of_one_of_our_services_is_not_answered() {
    let server = serve(&["--service", "echo=0", "--service", "chargen=0"]);
    let [echo, chargen] = server.listening_on_all();
    for (service, port) in [
        (echo, chargen.port()),
        (chargen, echo.port()),
        (echo, echo.port()),
    ] {
        // As if the other service had sent it: its port, another address.
        let loop_maker = client_at(SocketAddr::new([127, 0, 0, 2].into(), port), service);
        loop_maker.send(&[b'.'; 100]).unwrap();
        // An honest one is answered after it: the other was dealt with by then.
        let honest = client(service);
        honest.send(&[b'.'; 100]).unwrap();
        assert_eq!(receive(&honest).len(), 100);
        assert!(has_nothing(&loop_maker));
    }
    server.wait_for_error_line("sent from the port of a service of ours");
}

#[test]
fn a_port_below_1024_is_not_answered() {
    let (server, address) = echo(&[]);
    let low = (512..1_024).find_map(|port| UdpSocket::bind(("127.0.0.1", port)).ok());
    let Some(low) = low else {
        return eprintln!("skipped: needs the right to bind a port below 1024");
    };
    low.send_to(b"?", address).unwrap();
    server.wait_for_error_line("udp echo: no answer to 127.0.0.1:");
    assert!(has_nothing(&low));
    assert!(server.stderr().contains("sent from a port below 1024"));
}

#[test]
fn what_is_sent_to_everybody_is_not_answered() {
    let (server, address) = echo(&["--listen", "0.0.0.0"]);
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.set_broadcast(true).unwrap();
    client
        .send_to(b"anybody?", ("127.255.255.255", address.port()))
        .unwrap();
    server.wait_for_error_line("sent by broadcast or multicast");
    assert!(has_nothing(&client));
}

#[test]
fn a_server_on_every_address_answers_from_the_one_that_was_asked() {
    let (_server, address) = echo(&["--listen", "0.0.0.0"]);
    let asked = SocketAddr::new([127, 0, 0, 2].into(), address.port());
    let client = client(asked);
    client.send(b"hello").unwrap();
    assert_eq!(receive(&client), b"hello");
}

#[test]
fn chargen_answers_with_no_more_than_it_got() {
    let mut server = serve(&["--service", "chargen=0"]);
    let client = client(server.listening_on());
    for (request, answer) in [(1, 1), (74, 74), (512, 512), (5_000, 512)] {
        client.send(&vec![b'.'; request]).unwrap();
        assert_eq!(receive(&client).len(), answer);
    }
    client.send(b"").unwrap();
    server.wait_for_error_line("shorter than the answer would be");
    assert!(end(&mut server).contains("5 datagrams"));
}

#[test]
fn daytime_answers_whole_or_not_at_all() {
    let server = serve(&["--service", "daytime=0"]);
    let client = client(server.listening_on());
    client.send(&[b'.'; 29]).unwrap();
    server.wait_for_error_line("shorter than the answer would be");
    client.send(&[b'.'; 30]).unwrap();
    assert!(receive(&client).ends_with(b" UTC\r\n"));
}

#[test]
fn a_network_gets_its_answers_a_second_and_no_more() {
    let mut server = serve(&["--service", "time=0", "--answer-rate", "3"]);
    let client = client(server.listening_on());
    stop(&server);
    for _ in 0..50 {
        client.send(b"....").unwrap();
    }
    server.signal(Signal::SIGCONT);
    server.wait_for_error_line("over --answer-rate");
    server.wait_for_error_line("udp: no answer to ");
    let counted = end(&mut server);
    let answers: u32 = counted
        .split(", ")
        .find_map(|part| part.strip_suffix(" answers")?.parse().ok())
        .unwrap();
    // Those of one second at once; more only if the batches came in several.
    assert!((3..10).contains(&answers), "{counted}");
}

#[test]
fn many_datagrams_are_one_system_call() {
    let (mut server, address) = echo(&["--udp-batch", "25"]);
    let client = client(address);
    stop(&server);
    for number in 0..100_u8 {
        client.send(&[number]).unwrap();
    }
    server.signal(Signal::SIGCONT);
    for number in 0..100_u8 {
        assert_eq!(receive(&client), [number]);
    }
    assert!(end(&mut server).contains("100 datagrams in 4 batches, 100 answers, 0 lost"));
}

#[test]
fn what_the_kernel_had_no_room_for_is_counted() {
    let (mut server, address) = echo(&[]);
    let client = client(address);
    stop(&server);
    for _ in 0..2_000 {
        client.send(&[0; 1_000]).unwrap();
    }
    server.signal(Signal::SIGCONT);
    // The one that is let in again brings the count.
    receive(&client);
    client.send(b"the last").unwrap();
    while receive(&client) != b"the last" {}
    let counted = end(&mut server);
    assert!(counted.contains(" lost"), "{counted}");
    assert!(!counted.contains(" 0 lost"), "{counted}");
}

/// Stops a program, and waits until it has stopped.
fn stop(program: &Program) {
    program.signal(Signal::SIGSTOP);
    while !is_stopped(program.pid()) {
        std::thread::yield_now();
    }
}

fn is_stopped(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // After the name in parentheses comes the state.
    stat.rsplit(") ")
        .next()
        .is_some_and(|rest| rest.starts_with('T'))
}
