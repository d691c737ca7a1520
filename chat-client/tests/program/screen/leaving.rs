//! Whatever ends the screen, the terminal is as it was.

use chapter_tests::{Launch, Pty, Signal, tools};

use super::{READY, Sitting};
use crate::fake_server::{CLIENT, FakeServer};

#[test]
fn signals_that_end_the_program_say_quit_and_restore_the_terminal() {
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        let Some(sitting) = Sitting::begin() else {
            return;
        };
        assert_ne!(sitting.pty.modes(), sitting.before);
        sitting.program.signal(signal);
        sitting.ends_well();
    }
}

#[test]
fn ctrl_c_twice_leaves_and_restores_the_terminal() {
    let Some(sitting) = Sitting::begin() else {
        return;
    };
    sitting.pty.send("\x03\x03");
    sitting.ends_well();
}

#[test]
fn a_terminal_that_hangs_up_ends_the_program_and_theserver_is_told() {
    let Some(mut sitting) = Sitting::begin() else {
        return;
    };
    drop(sitting.pty);
    sitting.client.expect_line("QUIT");
    drop(sitting.client);
    assert_eq!(sitting.program.wait().code(), Some(0));
}

#[test]
fn a_hang_up_costs_no_time_of_the_processor_even_where_sighup_is_ignored() {
    // Its parent says how much time it took; a loop that looks at the dead
    // terminal again and again takes all there is until the server has closed.
    let script = "trap '' HUP; \"$@\"; times >&2";
    let (pty, server) = (Pty::open((80, 24)), FakeServer::open());
    let Some(bash) = tools::find("bash") else {
        return;
    };
    let launch = Launch::new(bash).args(["-c", script, "bash", CLIENT]);
    let launch = launch.args([&server.address().to_string(), "--nick", "ann"]);
    let Some(mut program) = pty.start(launch) else {
        return;
    };
    let mut client = server.welcome();
    pty.wait_for_screen(READY);
    drop(pty);
    client.expect_line("QUIT");
    // The server does not close, and the client waits for it.
    assert!(program.wait().success());
    let times = program.stderr();
    let last = times.lines().last().expect("the time of children");
    let seconds = |time: &str| {
        let (minutes, seconds) = time.trim_end_matches('s').split_once('m').unwrap();
        minutes.parse::<f64>().unwrap() * 60.0 + seconds.parse::<f64>().unwrap()
    };
    let total: f64 = last.split(' ').map(seconds).sum();
    assert!(total < 0.5, "{times}");
    drop(client);
}

#[test]
fn aserver_that_is_gone_is_waited_for_on_the_screen() {
    let Some(mut sitting) = Sitting::begin() else {
        return;
    };
    sitting.client.send_line("ERROR :Closing link: restart");
    drop(sitting.client);
    sitting.pty.wait_for_screen("offline");
    sitting.pty.wait_for_screen("restart");
    sitting.client = sitting.server.welcome();
    sitting.pty.wait_until("without offline", |screen| {
        !screen.contents().contains("offline \u{2014}")
    });
    sitting.hears("welcome back");
    sitting.pty.send("/quit\r");
    sitting.ends_well();
}

#[test]
fn where_standard_output_is_a_pipe_the_terminal_is_left_alone() {
    let (pty, server) = (Pty::open((80, 24)), FakeServer::open());
    let before = pty.modes();
    let launch = Launch::new("sh").args(["-c", "\"$@\" | cat", "sh", CLIENT]);
    let launch = launch.args([&server.address().to_string(), "--nick", "ann"]);
    let Some(mut program) = pty.start(launch) else {
        return;
    };
    let mut client = server.welcome();
    client.send_line(":bob!b@h PRIVMSG #lobby :good morning");
    pty.wait_for_screen("#lobby <bob> good morning");
    assert_eq!(pty.modes(), before);
    pty.send("/quit\n");
    client.expect_line("QUIT");
    drop(client);
    assert_eq!(pty.wait_for_exit(&mut program), Some(0));
    assert_eq!(pty.modes(), before);
}

#[test]
fn a_terminal_that_cannot_move_its_cursor_gets_lines() {
    let (pty, server) = (Pty::open((80, 24)), FakeServer::open());
    let before = pty.modes();
    let launch = Launch::new("env").args(["TERM=dumb", CLIENT]);
    let launch = launch.args([&server.address().to_string(), "--nick", "ann"]);
    let Some(mut program) = pty.start(launch) else {
        return;
    };
    let mut client = server.welcome();
    pty.wait_for_screen("#lobby --> ann joined");
    assert_eq!(pty.modes(), before);
    pty.send("/quit\n");
    client.expect_line("QUIT");
    drop(client);
    assert_eq!(pty.wait_for_exit(&mut program), Some(0));
}

#[test]
fn a_trace_does_not_go_all_over_the_screen() {
    let pty = Pty::open((80, 24));
    let script = "\"$@\" 2>&1; echo exit code $?";
    let launch = Launch::new("sh").args(["-c", script, "sh", CLIENT, "127.0.0.1:1", "--trace"]);
    let Some(mut program) = pty.start(launch) else {
        return;
    };
    pty.wait_for_screen("--trace writes all over the screen");
    pty.wait_for_screen("exit code 2");
    assert_eq!(pty.wait_for_exit(&mut program), Some(0));
}

#[test]
fn a_screen_that_is_idle_waits_for_the_next_ping_and_no_sooner() {
    if !tools::ptrace_allowed() {
        return;
    }
    let directory = chapter_tests::TemporaryDirectory::new();
    let record = directory.join("record");
    let path = record.display().to_string();
    let arguments = [
        "-f",
        "-e",
        "trace=epoll_wait,epoll_pwait,epoll_pwait2",
        "-o",
        &path,
    ];
    let Some(mut sitting) = Sitting::begin_as(|launch| launch.under("strace", arguments)) else {
        return;
    };
    sitting.hears("the last thing that happens");
    // The terminal takes the frame, and then nothing is left to be done.
    sitting.client.send_line("PING :now");
    sitting.client.expect_line("PONG :now");
    sitting.pty.send("x");
    sitting.pty.wait_for_screen("#lobby> x");
    sitting.pty.send("\x15/quit\r");
    sitting.ends_well();
    let record = std::fs::read_to_string(record).unwrap();
    let waits: Vec<i64> = record.lines().filter_map(timeout).collect();
    assert!(waits.len() > 3, "{record}");
    let is_a_frame = |timeout: &i64| (0..=34).contains(timeout);
    // Only a frame that may not be drawn yet is waited for: else it is the PING.
    let short = waits.iter().filter(|timeout| !is_a_frame(timeout));
    assert!(short.clone().all(|&timeout| timeout > 1_000), "{record}");
    assert!(short.count() >= 3, "{record}");
}

/// The timeout in milliseconds of an `epoll_wait(2)` in strace's words.
fn timeout(line: &str) -> Option<i64> {
    let arguments = line.split_once("], ")?.1;
    arguments
        .split(", ")
        .nth(1)?
        .split([',', ')'])
        .next()?
        .trim()
        .parse()
        .ok()
}
