//! The program, with peers that are real.

use std::io::Read;
use std::net::{SocketAddr, TcpListener};
use std::thread;

use chapter_tests::{Finished, Launch, Mask, Program, Transcript, limits};
use nonblock_connect::SilentListener;
use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_nonblock-connect");

fn run<A: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = A>) -> Finished {
    Launch::new(PROGRAM).args(args).run()
}

/// A peer that accepts and closes, for as long as the test runs.
fn accepting() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // Ends with the test.
    thread::spawn(move || listener.incoming().for_each(drop));
    address
}

/// An address on which nobody listens.
fn closed() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

fn objects(finished: &Finished) -> Vec<Value> {
    let lines = finished.stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn each_target_gets_a_line_and_all_of_them_a_summary() {
    let (open, closed) = (accepting(), closed());
    let finished = run([open.to_string(), closed.to_string()]);
    assert_eq!(finished.status.code(), Some(1));
    let lines: Vec<&str> = finished.stdout.lines().collect();
    let starts = |start: String| lines.iter().any(|line| line.starts_with(&start));
    assert!(
        starts(format!("{open}: connected to {open} in ")),
        "{lines:?}"
    );
    assert!(
        starts(format!("{closed}: connection refused after ")),
        "{lines:?}"
    );
    assert!(lines[2].starts_with("2 targets: 1 connected, 1 refused, in "));
    assert_eq!(
        finished.stderr,
        "nonblock-connect: 1 of 2 targets: not connected\n"
    );
}

#[test]
fn one_target_says_why_it_failed_and_exits_1() {
    let closed = closed();
    let finished = run([closed.to_string()]);
    assert_eq!(finished.status.code(), Some(1));
    assert_eq!(finished.stdout.lines().count(), 1);
    assert_eq!(
        finished.stderr,
        format!("nonblock-connect: {closed}: connection refused\n")
    );
}

#[test]
fn ten_thousand_targets_in_one_run() {
    let targets = limits::idle_clients();
    println!("{targets} targets");
    let peers: Vec<String> = (0..8).map(|_| accepting().to_string()).collect();
    let finished = run(peers.iter().cycle().take(targets).map(String::as_str));
    assert!(finished.status.success(), "{}", finished.stderr);
    let summary = finished.stdout.lines().last().unwrap();
    assert!(
        summary.starts_with(&format!("{targets} targets: {targets} connected, in ")),
        "{summary}"
    );
    assert_eq!(finished.stdout.lines().count(), targets + 1);
}

#[test]
fn no_more_are_on_their_way_than_there_are_descriptors() {
    let peer = accepting().to_string();
    let finished = Launch::new(PROGRAM)
        .args(vec![peer.as_str(); 500])
        .descriptor_limit(100)
        .run();
    assert!(finished.status.success(), "{}", finished.stderr);
    assert!(finished.stdout.contains("500 targets: 500 connected"));
    assert_eq!(
        finished.stderr,
        "nonblock-connect: --in-flight 512: 68 at a time, since this process may have 100 \
         descriptors\n"
    );
}

#[test]
fn a_range_is_one_target_a_port() {
    let first = closed().port().clamp(1, 65_000);
    let finished = run([
        format!("127.0.0.1:{first}-{}", first + 99),
        "--json".to_owned(),
    ]);
    let mut objects = objects(&finished);
    let summary = objects.pop().unwrap();
    assert_eq!(summary["summary"]["targets"], 100);
    let mut ports: Vec<u16> = objects
        .iter()
        .map(|object| {
            object["target"].as_str().unwrap()["127.0.0.1:".len()..]
                .parse()
                .unwrap()
        })
        .collect();
    ports.sort_unstable();
    assert!(ports.into_iter().eq(first..first + 100));
}

#[test]
fn a_silent_target_times_out_and_keeps_nobody_waiting() {
    let silent = SilentListener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let open = accepting();
    let finished = run([
        &silent.address().to_string(),
        &open.to_string(),
        "--timeout=2s",
        "--in-flight=2",
        "--json",
    ]);
    assert_eq!(finished.status.code(), Some(1));
    let objects = objects(&finished);
    // The one that answers is told first, though it came second.
    assert_eq!(objects[0]["result"], "connected");
    assert_eq!(objects[0]["address"], open.to_string());
    assert_eq!(objects[1]["result"], "timed_out");
    assert_eq!(objects[1]["tried"][0]["errno"], "ETIMEDOUT");
    assert!(objects[1]["ms"].as_f64().unwrap() >= 2_000.0, "told early");
    assert_eq!(objects[2]["summary"]["timed_out"], 1);
}

#[test]
fn a_name_is_looked_up() {
    let port = accepting().port();
    let finished = run([&format!("localhost:{port}"), "--json"]);
    assert!(finished.status.success(), "{}", finished.stderr);
    assert_eq!(
        objects(&finished)[0]["address"],
        format!("127.0.0.1:{port}")
    );
}

#[test]
fn wait_goes_on_until_somebody_listens() {
    let closed = closed();
    let program = Program::start(PROGRAM, ["--wait=10m", "--trace", &closed.to_string()]);
    // Two retries later.
    program.wait_for_error_line("due       timer");
    program.wait_for_error_line("due       timer");
    let _listener = TcpListener::bind(closed).unwrap();
    let finished = program.finish();
    assert!(finished.status.success(), "{}", finished.stderr);
    let line = finished.stdout.lines().next().unwrap();
    assert!(
        line.starts_with(&format!("{closed}: connected to {closed} in ")),
        "{line}"
    );
    assert!(line.contains(", attempt "), "{line}");
}

#[test]
fn wait_ends_with_the_last_reason_and_what_was_never_tried() {
    let closed = closed().to_string();
    let silent = SilentListener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let silent = silent.address().to_string();
    let finished = run([
        "--wait=2s",
        "--timeout=10m",
        "--in-flight=1",
        "--json",
        &closed,
        &silent,
        "127.0.0.1:1-2",
    ]);
    assert_eq!(finished.status.code(), Some(1));
    let objects = objects(&finished);
    let result = |target: &str| {
        let object = objects.iter().find(|object| object["target"] == target);
        object.unwrap()["result"].as_str().unwrap()
    };
    assert_eq!(result(&closed), "refused");
    assert_eq!(result(&silent), "timed_out");
    assert_eq!(result("127.0.0.1:2"), "not_tried");
    assert_eq!(objects.last().unwrap()["summary"]["targets"], 4);
}

#[test]
fn results_wait_for_a_reader_that_is_slow_and_none_is_lost() {
    // More than a pipe and the queue of 1 MiB hold.
    let (closed, targets) = (closed().to_string(), 10_000);
    let mut program = Launch::new(PROGRAM)
        .args(
            ["--trace", "--json"]
                .into_iter()
                .chain(vec![closed.as_str(); targets]),
        )
        .stdout_unread()
        .start();
    // It begins nothing any more and looks after its reader.
    program.wait_for_error_line("wait      at most 20 ms");
    program.wait_for_error_line("0 events after 20 ms");
    let mut text = String::new();
    program.take_stdout().read_to_string(&mut text).unwrap();
    assert_eq!(text.lines().count(), targets + 1);
    assert_eq!(program.wait().code(), Some(1));
    assert!(
        program
            .stderr()
            .ends_with("10000 of 10000 targets: not connected\n")
    );
}

#[test]
fn nobody_left_to_read_is_the_end_and_needs_no_words() {
    let silent = SilentListener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let silent = silent.address().to_string();
    let closed = closed().to_string();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let finished = Launch::new(PROGRAM)
        .args([&silent, &closed, "--timeout=10m"])
        .stdout(writer)
        .run();
    assert_eq!(finished.status.code(), Some(1));
    assert_eq!(finished.stderr, "");
}

#[test]
fn the_peers_of_the_second_terminal_behave_as_they_are_called() {
    for kind in ["open", "banner"] {
        let peer = Program::start(PROGRAM, ["peer", kind]);
        let mut client = chapter_tests::Peer::connect(peer.listening_on());
        if kind == "banner" {
            assert_eq!(client.read_line(), "220 welcome");
        }
        client.half_close();
        client.expect_eof();
    }
    let peer = Program::start(PROGRAM, ["peer", "silent"]);
    let address = peer.listening_on().to_string();
    let finished = run([&address, "--timeout=200ms"]);
    assert_eq!(finished.status.code(), Some(1));
    assert!(
        finished.stdout.contains("connection timed out"),
        "{}",
        finished.stdout
    );
}

#[test]
fn a_silent_peer_that_wakes_up_gets_the_connects_that_were_waiting() {
    let peer = Program::start(PROGRAM, ["peer", "silent", "--silent-for=300ms"]);
    let address = peer.listening_on().to_string();
    let finished = run([&address, "--timeout=1m"]);
    assert!(finished.status.success(), "{}", finished.stderr);
}

#[test]
fn what_makes_no_sense_is_refused_with_exit_code_2() {
    for (args, said) in [
        (&[][..], "<TARGET>"),
        (&["localhost"], "no port"),
        (&["localhost:9-1"], "a port is a number"),
        (&["localhost:80", "--timeout=0"], "nothing can be connected"),
        (&["localhost:80", "--wait=0s"], "nothing can be connected"),
        (
            &["localhost:80", "--in-flight=0"],
            "nothing can be connected",
        ),
        (&["localhost:80", "--timeout=soon"], "number with a unit"),
    ] {
        run(args).is_usage_error(said);
    }
}

#[test]
fn the_demonstration_shows_what_its_transcript_has() {
    let finished = run(["demo"]);
    assert!(finished.status.success(), "{}", finished.stderr);
    Transcript::new("tests/transcripts/demo.txt")
        .hide(Mask::Times)
        .compare(&finished.stdout);
}

#[test]
fn the_trace_of_the_demonstration_names_what_the_kernel_reported() {
    let finished = run(["demo", "--trace"]);
    assert!(finished.status.success(), "{}", finished.stderr);
    assert!(finished.stderr.contains("IN|OUT|ERR|HUP|RDHUP"));
}
