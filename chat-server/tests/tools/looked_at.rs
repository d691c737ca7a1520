//! ss, lsof and perf: a server looked at from outside, while it runs.

use std::path::Path;

use chapter_tests::{Launch, Mask, Peer, Signal, tools};

use crate::{guest, plain_server, start, support, transcript};

/// The command as one would type it, and what it printed.
fn run(tool: &Path, name: &str, args: &[&str]) -> String {
    let finished = Launch::new(tool).args(args).run();
    assert!(finished.status.success(), "{}", finished.stderr);
    let quoted = args.iter().map(|arg| {
        if arg.contains(' ') {
            format!("'{arg}'")
        } else {
            (*arg).to_owned()
        }
    });
    let line = [name.to_owned()]
        .into_iter()
        .chain(quoted)
        .collect::<Vec<_>>()
        .join(" ");
    let printed = trimmed(&finished.stdout);
    format!("$ {line}\n{printed}")
}

/// Without the blanks with which columns are filled up.
fn trimmed(text: &str) -> String {
    text.lines()
        .map(str::trim_end)
        .collect::<Vec<_>>()
        .join("\n")
        + "\n"
}

/// The words of a line, since columns move with the width of a port or a process number.
fn words(line: &str) -> Option<String> {
    let line = line.replace("PortProcess", "Port Process");
    let words: Vec<&str> = line.split_whitespace().collect();
    (!words.is_empty()).then(|| words.join(" "))
}

#[test]
fn ss_shows_connections_and_their_bytes_that_a_stopped_server_has_not_accepted() {
    let (Some(ss), Some(server)) = (tools::find("ss"), plain_server()) else {
        return;
    };
    let (server, plain) = start(server);
    let _accepted = guest(plain);
    let port = plain.port();
    let listening = run(&ss, "ss", &["-tlnp", &format!("sport = :{port}")]);
    let established = run(&ss, "ss", &["-tnpo", &format!("sport = :{port}")]);

    // ANCHOR: stopped
    // ANCHOR: stop
    server.signal(Signal::SIGSTOP);
    // ANCHOR_END: stop
    support::wait_until("it has stopped", || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid()));
        status.is_ok_and(|status| status.contains("T (stopped)"))
    });
    // ANCHOR: early
    let mut early: Vec<Peer> = (0..2).map(|_| Peer::connect(plain)).collect();
    for peer in &mut early {
        peer.send("hello\n");
    }
    // ANCHOR_END: early
    let unread = || run(&ss, "ss", &["-tnp", &format!("sport = :{port}")]);
    support::wait_until("both are in the backlog", || {
        unread().matches("ESTAB 6 ").count() == 2
    });
    // ANCHOR_END: stopped
    let backlog = run(&ss, "ss", &["-tln", &format!("sport = :{port}")]);
    // The kernel keeps them in no order; who is accepted comes first here.
    let mut connections: Vec<String> = unread().lines().map(|line| format!("{line}\n")).collect();
    connections[2..].sort_by_key(|line| !line.contains("users:"));
    let printed = [listening, established, backlog, connections.concat()].join("\n");
    server.signal(Signal::SIGCONT);

    transcript("ss")
        .hide(Mask::After("sport = :"))
        .hide(Mask::After("fd="))
        .hide(Mask::After("(keepalive,1min"))
        .reduce(words)
        .compare(&printed);
}

#[test]
fn lsof_shows_which_descriptors_an_epoll_instance_watches() {
    let (Some(lsof), Some(server)) = (tools::find("lsof"), plain_server()) else {
        return;
    };
    let (server, plain) = start(server);
    let _guest = guest(plain);
    let printed = run(
        &lsof,
        "lsof",
        &["-nP", "-a", "-d", "3-9", "-p", &server.pid().to_string()],
    );
    // Descriptor, type and name; the rest is device and inode numbers, and who runs it.
    let columns = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let name = if words.get(4) == Some(&"IPv4") { 7 } else { 8 };
        Some([words.get(3..5)?, words.get(name..)?].concat().join(" "))
    };
    transcript("lsof")
        .hide(Mask::After("-p "))
        .reduce(columns)
        .compare(&printed);
}

/// The event of a line of perf, and whether it was counted.
fn counted(line: &str) -> Option<String> {
    let software = ["task-clock", "context-switches", "page-faults"];
    let event = software.into_iter().find(|event| line.contains(event))?;
    let verdict = if line.contains("<not counted>") {
        "not counted"
    } else {
        "counted"
    };
    Some(if line.starts_with('$') {
        "the command".to_owned()
    } else {
        format!("{event}: {verdict}")
    })
}

#[test]
fn perf_counts_nothing_for_an_idle_server_and_little_for_a_line_of_chat() {
    let [Some(perf), Some(_)] = ["perf", "nc"].map(tools::find) else {
        return;
    };
    let events = "task-clock,context-switches,page-faults,instructions";
    let probe = Launch::new(&perf)
        .args(["stat", "-e", events, "true"])
        .run();
    if !probe.status.success() {
        return tools::say_lacking("perf_event");
    }
    let Some(server) = plain_server() else { return };
    let (server, plain) = start(server);
    let pid = server.pid().to_string();
    let stat = |command: &str| {
        let measured = [
            "stat", "-e", events, "-p", &pid, "--", "bash", "-c", command,
        ];
        let finished = Launch::new(&perf).args(measured).run();
        assert!(finished.status.success(), "{}", finished.stderr);
        let printed = trimmed(&finished.stderr);
        format!("$ perf stat -e {events} -p {pid} -- bash -c \"{command}\"\n{printed}")
    };
    let idle = stat("sleep 1");
    let busy = stat(&format!("echo hello | nc -N 127.0.0.1 {}", plain.port()));
    transcript("perf").reduce(counted).compare(&(idle + &busy));
}
