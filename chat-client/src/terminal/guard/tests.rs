//! The terminal is as before, by whatever way the screen ends.
//!
//! The panics are those of a process of its own: this test program again, with
//! a terminal of the test's.

use std::env;

use chapter_tests::{Launch, Program, Pty};
use epoll_loop::open_terminal;

use super::*;

/// Tells the other process how to end.
const END: &str = "CHAT_CLIENT_GUARD_TEST";

fn take() -> (File, Guard) {
    let terminal = open_terminal(io::stdin(), File::options().read(true).write(true)).unwrap();
    let guard = Guard::new(&terminal).unwrap();
    write_within(&terminal, &Guard::opening(), PATIENCE);
    write_within(&terminal, b"\x1b[1mshown\x1b[?25l", PATIENCE);
    (terminal, guard)
}

fn wait_for_key(terminal: &File) {
    let mut asked = [PollFd::new(terminal.as_fd(), PollFlags::POLLIN)];
    poll(&mut asked, PollTimeout::NONE).unwrap();
}

#[test]
#[ignore = "is what the other tests here run in a process of its own"]
fn in_a_process_of_its_own() {
    let Ok(end) = env::var(END) else { return };
    let (terminal, guard) = take();
    wait_for_key(&terminal);
    match end.as_str() {
        "drop" => drop(guard),
        "panic" => panic!("something cannot be"),
        "panic elsewhere" => {
            let other = thread::spawn(|| panic!("another thread cannot"));
            assert!(other.join().is_err());
            write_within(&terminal, b"\r\nstill here", PATIENCE);
            let mut byte = [0];
            io::Read::read_exact(&mut &terminal, &mut byte).unwrap();
            wait_for_key(&terminal);
        }
        other => panic!("no way to end: {other}"),
    }
}

/// The other process, which shows something and waits for a key.
fn start(pty: &Pty, end: &str) -> Option<Program> {
    let name = concat!(module_path!(), "::in_a_process_of_its_own");
    let (_, name) = name.split_once("::").unwrap();
    let launch = Launch::new(env::current_exe().unwrap())
        .args(["--exact", name, "--ignored", "--nocapture"])
        .env(END, end);
    let program = pty.start(launch)?;
    pty.wait_for_screen("shown");
    pty.wait_until("without cursor", vt100::Screen::hide_cursor);
    Some(program)
}

#[test]
fn the_terminal_is_as_before_when_the_guard_is_dropped_or_its_thread_panics() {
    for (end, code) in [("drop", 0), ("panic", 101)] {
        let pty = Pty::open((80, 24));
        let before = pty.modes();
        let Some(mut program) = start(&pty, end) else {
            return;
        };
        let meanwhile = pty.modes();
        assert!(meanwhile.has_alternate_screen && meanwhile.has_bracketed_paste);
        assert_ne!(meanwhile.line, before.line);
        pty.send("x");
        assert_eq!(pty.wait_for_exit(&mut program), Some(code), "{end}");
        assert_eq!(pty.modes(), before, "{end}");
        let tells = program.stderr().contains("something cannot be");
        assert_eq!(tells, end == "panic");
    }
}

#[test]
fn what_another_thread_panics_with_waits_until_the_screen_is_gone() {
    let pty = Pty::open((80, 24));
    let before = pty.modes();
    let Some(mut program) = start(&pty, "panic elsewhere") else {
        return;
    };
    pty.send("x");
    pty.wait_for_screen("still here");
    assert!(pty.modes().has_alternate_screen);
    assert!(!program.stderr().contains("another thread"));
    pty.send("x");
    assert_eq!(pty.wait_for_exit(&mut program), Some(0));
    assert!(program.stderr().contains("another thread cannot"));
    assert_eq!(pty.modes(), before);
}

#[test]
fn a_terminal_that_takes_nothing_is_left_after_a_while() {
    let pty = Pty::open((80, 24));
    let options = &mut File::options();
    let terminal = open_terminal(pty.program_side(), options.read(true).write(true)).unwrap();
    let modes = pty.modes().line;
    let guard = Guard::new(&terminal).unwrap();
    while (&terminal).write(b"full ").is_ok() {}
    guard.suspend();
    assert_eq!(pty.modes().line, modes, "what can be restored is");
}

#[test]
fn it_is_taken_again_with_the_modes_that_the_shell_has_set_meanwhile() {
    let pty = Pty::open((80, 24));
    let options = &mut File::options();
    let terminal = open_terminal(pty.program_side(), options.read(true).write(true)).unwrap();
    let guard = Guard::new(&terminal).unwrap();
    let raw = pty.modes().line;
    guard.suspend();
    let mut changed = tcgetattr(&terminal).unwrap();
    changed.local_modes ^= rustix::termios::LocalModes::ECHO;
    tcsetattr(&terminal, OptionalActions::Now, &changed).unwrap();
    let by_shell = pty.modes().line;
    guard.resume().unwrap();
    assert_eq!(pty.modes().line, raw);
    drop(guard);
    assert_eq!(pty.modes().line, by_shell);
}

#[test]
fn a_hang_up_is_no_reason_to_wait() {
    let pty = Pty::open((80, 24));
    let options = &mut File::options();
    let terminal = open_terminal(pty.program_side(), options.read(true).write(true)).unwrap();
    let guard = Guard::new(&terminal).unwrap();
    drop(pty);
    drop(guard);
}
