//! The server: what a browser gets, what it is told of a new book, and what one bad browser costs
//! the others.

mod small_workspace;

use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

use chapter_tests::{Launch, Peer, Pid, Program, Signal, process};
use nix::sys::signal::kill;
use small_workspace::{PAGE, SmallWorkspace};

/// A server and its address.
fn serve(workspace: &SmallWorkspace) -> (Program, SocketAddr) {
    let server = workspace.launch(["serve", "--port", "0"]).start();
    let address = server.listening_on();
    (server, address)
}

/// An answer: its head, and its body of the length that the head says.
fn answer(peer: &mut Peer) -> (String, String) {
    let mut head = String::new();
    loop {
        match peer.read_line() {
            line if line.is_empty() => break,
            line => {
                head += &line;
                head.push('\n');
            }
        }
    }
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("Content-Length: "))
        .map_or(0, |length| length.parse().unwrap());
    let body = peer.read_bytes(length);
    (head, String::from_utf8_lossy(&body).into_owned())
}

fn get(address: SocketAddr, path: &str) -> (String, String) {
    let mut peer = Peer::connect(address);
    peer.send(format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    ));
    let answer = answer(&mut peer);
    peer.expect_eof();
    answer
}

#[test]
fn the_book_is_served_and_goes_when_the_server_does() {
    let workspace = SmallWorkspace::new();
    let (mut server, address) = serve(&workspace);
    let (head, page) = get(address, "/");
    assert!(head.starts_with("HTTP/1.1 200 OK\n"), "{head}");
    assert!(page.contains("The beginning."), "{page}");
    let (head, page) = get(address, "/source/program/src/main.rs.html");
    assert!(head.contains("Content-Type: text/html"), "{head}");
    assert!(page.contains("id=\"L3\""), "{page}");
    let (head, _) = get(address, "/source");
    assert!(head.starts_with("HTTP/1.1 301 "), "{head}");
    assert!(head.contains("Location: /source/\n"), "{head}");
    let (head, _) = get(address, "/css/general.css");
    assert!(head.contains("Content-Type: text/css"), "{head}");
    assert!(get(address, "/nothing.html").0.starts_with("HTTP/1.1 404 "));

    server.signal(Signal::SIGTERM);
    assert!(server.wait().success());
    let left = std::fs::read_dir(workspace.path().join("target/book-served")).unwrap();
    assert_eq!(left.count(), 0);
}

/// Changes the book until the build that follows could be stopped; the number of its process.
fn stop_a_build(workspace: &SmallWorkspace, server: &Program) -> Pid {
    let children = format!("/proc/{0}/task/{0}/children", server.pid());
    'rounds: for round in 0..20 {
        let begin = Instant::now();
        workspace.write(
            "docs/pages/index.md",
            &format!("# {round}\n\n## Sources\n\n- none\n"),
        );
        let child = loop {
            let numbers = std::fs::read_to_string(&children).unwrap();
            // Not before its `exec`, for which the server waits.
            if let Some(number) = numbers.split_whitespace().next()
                && std::fs::read_to_string(format!("/proc/{number}/cmdline"))
                    .is_ok_and(|line| line.contains("--live-reload"))
            {
                break Pid::from_raw(number.parse().unwrap());
            }
            if begin.elapsed() > Duration::from_secs(3) {
                // It came and went unseen.
                continue 'rounds;
            }
            std::thread::yield_now();
        };
        if kill(child, Signal::SIGSTOP).is_err() {
            continue;
        }
        loop {
            let stat = std::fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
            match stat
                .rsplit_once(") ")
                .and_then(|(_, rest)| rest.chars().next())
            {
                Some('T') => return child,
                None | Some('Z' | 'X') => break,
                _ => std::thread::yield_now(),
            }
        }
    }
    panic!("each build was over before it could be stopped");
}

#[test]
fn a_build_that_is_ended_with_its_server_leaves_nothing() {
    let workspace = SmallWorkspace::new();
    let (mut server, address) = serve(&workspace);
    let build = stop_a_build(&workspace, &server);
    let unfinished = format!("target/book-served/{}.new-{build}", address.port());
    workspace.write(&format!("{unfinished}/index.html"), "half of it");
    server.signal(Signal::SIGTERM);
    assert!(server.wait().success());
    let left = std::fs::read_dir(workspace.path().join("target/book-served")).unwrap();
    assert_eq!(left.count(), 0);
}

#[test]
fn requests_on_one_connection_are_answered_in_order() {
    let workspace = SmallWorkspace::new();
    let (_server, address) = serve(&workspace);
    let mut peer = Peer::connect(address);
    peer.send(
        "GET /index.html HTTP/1.1\r\n\r\nHEAD /loop.html HTTP/1.1\r\n\r\n\
         GET /loop.html HTTP/1.1\r\n\r\nGET /none HTTP/1.1\r\n\r\n",
    );
    assert!(answer(&mut peer).1.contains("The beginning."));
    let head = peer.expect_line("HTTP/1.1 200 OK");
    assert!(head.ends_with("200 OK"));
    while !peer.read_line().is_empty() {}
    assert!(answer(&mut peer).1.contains("One loop, shown"));
    assert!(answer(&mut peer).0.starts_with("HTTP/1.1 404 "));
}

#[test]
fn nothing_outside_the_book_can_be_read() {
    let workspace = SmallWorkspace::new();
    let (server, address) = serve(&workspace);
    let book = workspace
        .path()
        .join(format!("target/book-served/{}", address.port()));
    std::os::unix::fs::symlink("/etc/passwd", book.join("passwd")).unwrap();
    std::os::unix::fs::symlink("../../..", book.join("up")).unwrap();
    for path in [
        "/../../../docs/book.toml",
        "/%2e%2e/%2e%2e/%2e%2e/docs/book.toml",
        "//etc/passwd",
        "/passwd",
        "/up/docs/book.toml",
    ] {
        let (head, body) = get(address, path);
        let is_refused = ["HTTP/1.1 400 ", "HTTP/1.1 404 "]
            .iter()
            .any(|status| head.starts_with(status));
        assert!(is_refused, "{path}: {head}{body}");
    }
    assert!(server.is_running());
}

#[test]
fn a_bad_request_costs_its_connection_and_nobody_elses() {
    let workspace = SmallWorkspace::new();
    let (server, address) = serve(&workspace);
    let mut good = Peer::connect(address);
    good.send("GET / HTTP/1.1\r\nHost: ");
    for (bytes, status) in [
        ("\x16\x03\x01 what is this\r\n\r\n".to_owned(), "400 "),
        ("POST / HTTP/1.1\r\n\r\n".to_owned(), "405 "),
        // Refused before most of it is sent, and told all the same.
        (
            format!("POST / HTTP/1.1\r\n\r\n{}", "x".repeat(1_000_000)),
            "405 ",
        ),
        (
            "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n".to_owned(),
            "421 ",
        ),
        (format!("GET / HTTP/1.1\r\nA: {}", "x".repeat(9000)), "431 "),
    ] {
        let mut bad = Peer::connect(address);
        bad.send(&bytes);
        bad.expect_line(["HTTP/1.1", status]);
        while !bad.read_line().starts_with("<!DOCTYPE html>") {}
        bad.expect_eof();
    }
    good.send("localhost\r\n\r\n");
    assert!(answer(&mut good).1.contains("The beginning."));
    assert!(server.is_running());
}

#[test]
fn who_is_refused_and_goes_on_sending_is_read_only_for_a_while() {
    let workspace = SmallWorkspace::new();
    let (server, address) = serve(&workspace);
    let mut flood = Peer::connect(address);
    flood.send("POST / HTTP/1.1\r\n\r\n");
    let piece = "x".repeat(64 * 1024);
    let is_cut_off = (0..1_000).any(|_| flood.try_send(&piece).is_err());
    assert!(is_cut_off, "64 MB were taken");
    assert!(server.is_running());
}

#[test]
fn who_opens_connections_and_says_nothing_does_not_keep_others_out() {
    let workspace = SmallWorkspace::new();
    let (server, address) = serve(&workspace);
    let silent: Vec<_> = (0..300).map(|_| Peer::connect(address)).collect();
    assert!(get(address, "/").0.starts_with("HTTP/1.1 200 "));
    assert!(process::descriptors(server.pid()) < 290);
    drop(silent);
}

#[test]
fn who_asks_and_does_not_read_is_held_up_by_his_own_socket() {
    let workspace = SmallWorkspace::new();
    let (server, address) = serve(&workspace);
    let mut greedy = Peer::connect(address);
    let before = process::resident_bytes(server.pid());
    // As much as the sockets take of it: the server reads no request while it answers one.
    for _ in 0..200 {
        let asked = greedy.try_send(b"GET /searcher.js HTTP/1.1\r\n\r\n".repeat(20));
        if asked.is_err() {
            break;
        }
    }
    assert!(get(address, "/").0.starts_with("HTTP/1.1 200 "));
    let after = process::resident_bytes(server.pid());
    assert!(after < before + (8 << 20), "{before} {after}");
}

#[test]
fn a_page_is_told_of_a_new_book_and_of_one_that_cannot_be_built() {
    let workspace = SmallWorkspace::new();
    let (server, address) = serve(&workspace);
    let mut page = Peer::connect(address);
    page.send(format!(
        "GET /live-reload HTTP/1.1\r\nHost: {address}\r\n\r\n"
    ));
    page.expect_line("text/event-stream");
    page.expect_line("event: book");
    let first = page.expect_line("data: ");

    workspace.replace(PAGE, "One loop, shown", "One loop, explained");
    page.expect_line("event: book");
    let second = page.expect_line("data: ");
    assert_ne!(first, second);
    assert!(get(address, "/loop.html").1.contains("One loop, explained"));

    // The old book stays.
    workspace.replace(PAGE, "main.rs:main}}", "main.rs:mein}}");
    page.expect_line("event: failed");
    page.expect_line(["data: ", "docs/pages/loop.md:24:", "mein"]);
    server.wait_for_error_line("docs/pages/loop.md:24:");
    assert!(get(address, "/loop.html").1.contains("One loop, explained"));

    // Somebody who comes later sees it too.
    let mut late = Peer::connect(address);
    late.send("GET /live-reload HTTP/1.1\r\n\r\n");
    late.expect_line("event: failed");

    workspace.replace(PAGE, "main.rs:mein}}", "main.rs:main}}");
    page.expect_line("event: book");
    late.expect_line("event: book");
}

#[test]
fn a_file_in_a_new_directory_is_seen_too() {
    let workspace = SmallWorkspace::new();
    let (_server, address) = serve(&workspace);
    let mut page = Peer::connect(address);
    page.send("GET /live-reload HTTP/1.1\r\n\r\n");
    page.expect_line("event: book");
    workspace.write("program/src/deep/er/new.rs", "fn new() {}\n");
    page.expect_line("event: book");
    let path = "/source/program/src/deep/er/new.rs.html";
    // The directory may have been seen, and the book built, before the file was written.
    while !get(address, path).0.starts_with("HTTP/1.1 200 ") {
        page.expect_line("event: book");
    }
}

#[test]
fn what_is_made_in_the_workspace_is_neither_watched_nor_shown() {
    let workspace = SmallWorkspace::new();
    // As cargo marks it.
    workspace.write(
        "made/CACHEDIR.TAG",
        "Signature: 8a477f597d28d172789f06886806bc55\n",
    );
    workspace.write("made/debug/build/out.rs", "fn made() {}\n");
    let server = workspace.launch(["serve", "--port", "0"]);
    let server = server.env("CARGO_TARGET_DIR", workspace.path().join("made"));
    let server = server.start();
    let address = server.listening_on();
    let page = get(address, "/source/index.html").1;
    assert!(page.contains("program/src/main.rs"), "{page}");
    assert!(!page.contains("out.rs"), "{page}");

    let inode = |path: &str| {
        let data = std::fs::metadata(workspace.path().join(path)).unwrap();
        format!("ino:{:x} ", data.ino())
    };
    let descriptors = std::fs::read_dir(format!("/proc/{}/fdinfo", server.pid())).unwrap();
    let watched: String = descriptors
        .filter_map(|entry| std::fs::read_to_string(entry.unwrap().path()).ok())
        .filter(|info| info.contains("inotify "))
        .collect();
    assert!(watched.contains(&inode("docs/pages")), "{watched}");
    for made in ["made", "made/book-served", "made/debug/build"] {
        assert!(!watched.contains(&inode(made)), "{made}: {watched}");
    }
}

#[test]
fn a_book_that_cannot_be_built_at_first_is_waited_for() {
    let workspace = SmallWorkspace::new();
    workspace.replace(PAGE, "main.rs:main}}", "main.rs:mein}}");
    let (server, address) = serve(&workspace);
    server.wait_for_error_line("docs/pages/loop.md:24:");
    let (head, page) = get(address, "/");
    assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
    assert!(
        page.contains("mein") && page.contains("/live-reload"),
        "{page}"
    );
    let mut waiting = Peer::connect(address);
    waiting.send("GET /live-reload HTTP/1.1\r\n\r\n");
    waiting.expect_line("event: book");
    workspace.replace(PAGE, "main.rs:mein}}", "main.rs:main}}");
    waiting.expect_line("event: book");
    assert!(get(address, "/").0.starts_with("HTTP/1.1 200 "));
}

#[test]
fn nobody_waits_for_who_does_not_read_standard_error() {
    let workspace = SmallWorkspace::new();
    // A pipe that is open at both ends and never read.
    let server = Launch::new("sh")
        .args([
            "-c",
            "mkfifo \"$0/errors\" && exec \"$1\" --root \"$0\" serve --port 0 2<>\"$0/errors\"",
            workspace.path().to_str().unwrap(),
            env!("CARGO_BIN_EXE_docs"),
        ])
        .env("CARGO_TARGET_DIR", workspace.path().join("target"))
        .start();
    let address = server.listening_on();
    let mut page = Peer::connect(address);
    page.send("GET /live-reload HTTP/1.1\r\n\r\n");
    page.expect_line("event: book");
    // What is said of eight books is more than the pipe takes (64 KiB).
    let mistakes = "{{#listing none.rs:none}}\n".repeat(400);
    for round in 0..8 {
        workspace.write("docs/pages/index.md", &format!("# {round}\n\n{mistakes}"));
        page.expect_line("event: failed");
    }
    assert!(get(address, "/").0.starts_with("HTTP/1.1 200 "));
}

#[test]
fn a_port_that_is_taken_is_a_failure_in_one_line() {
    let workspace = SmallWorkspace::new();
    let (_server, address) = serve(&workspace);
    let port = address.port().to_string();
    let second = workspace.run(["serve", "--port", &port]);
    assert_eq!(second.status.code(), Some(1));
    assert!(
        second.stderr.starts_with(&format!("docs: {address}: ")),
        "{}",
        second.stderr
    );
    assert_eq!(second.stderr.lines().count(), 1, "{}", second.stderr);
}
