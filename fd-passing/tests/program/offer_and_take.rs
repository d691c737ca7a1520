//! A file that travels between two processes.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::net::UnixListener;
use std::path::Path;

use chapter_tests::{Finished, Launch, Program, TemporaryDirectory};

use crate::PROGRAM;

/// An offer of a file, and where it is to be had.
struct Offered {
    program: Program,
    directory: TemporaryDirectory,
}

impl Offered {
    fn new(content: &str, more: &[&str]) -> Offered {
        let directory = TemporaryDirectory::new();
        fs::write(directory.join("file"), content).unwrap();
        let program = Launch::new(PROGRAM)
            .args(["offer", "file", "--socket", "meet"])
            .args(more)
            .current_dir(&*directory)
            .start();
        program.wait_for_line("listening on meet");
        Offered { program, directory }
    }

    fn take(&self, more: &[&str]) -> Finished {
        take(&self.directory, more)
    }
}

fn take(directory: &Path, more: &[&str]) -> Finished {
    Launch::new(PROGRAM)
        .args(["take", "--socket", "meet"])
        .args(more)
        .current_dir(directory)
        .run()
}

#[test]
fn what_is_offered_is_taken_and_read() {
    let mut offered = Offered::new("hello\n", &[]);
    // The taker could not open it by name any more.
    fs::remove_file(offered.directory.join("file")).unwrap();
    let taken = offered.take(&[]);
    assert_eq!(taken.stdout, "hello\n");
    assert!(
        taken.stderr.starts_with("took \"file\" as fd "),
        "{}",
        taken.stderr
    );
    assert!(taken.status.success());
    assert!(offered.program.wait().success());
    assert!(!offered.directory.join("meet").exists());
}

#[test]
fn those_who_take_it_share_one_offset() {
    let offered = Offered::new("0123456789", &["--count", "3"]);
    let first = offered.take(&["--", "dd", "bs=5", "count=1", "status=none"]);
    assert_eq!(first.stdout, "01234");
    assert_eq!(offered.take(&[]).stdout, "56789");
    assert_eq!(offered.take(&[]).stdout, "");
}

#[test]
fn the_exit_code_is_that_of_the_command() {
    let offered = Offered::new("a\nb\n", &["--count", "2"]);
    assert_eq!(offered.take(&["--", "wc", "-l"]).stdout.trim(), "2");
    let failed = offered.take(&["--", "sh", "-c", "exit 7"]);
    assert_eq!(failed.status.code(), Some(7));
}

#[test]
fn a_pipe_can_be_given_as_well_as_a_file() {
    let directory = TemporaryDirectory::new();
    let mut offer = Launch::new(PROGRAM)
        .args(["offer", "-", "--socket", "meet"])
        .current_dir(&*directory)
        .stdin_pipe()
        .start();
    offer.wait_for_line("listening on meet");
    offer.write("through the pipe\n");
    offer.close_stdin();
    assert_eq!(take(&directory, &[]).stdout, "through the pipe\n");
}

#[test]
fn who_is_not_allowed_gets_nothing_and_the_next_is_served() {
    let offered = Offered::new("secret", &["--allow", "4000000000"]);
    let refused = offered.take(&[]);
    assert_eq!(refused.stdout, "");
    assert_eq!(
        refused.stderr,
        "fd-passing: meet: nothing was given: not allowed, maybe\n"
    );
    assert_eq!(refused.status.code(), Some(1));
    offered.program.wait_for_error_line(" is not allowed");
    assert!(offered.program.is_running());
}

#[test]
fn a_place_that_is_taken_is_one_line_and_exit_code_1() {
    let offered = Offered::new("", &[]);
    let second = Launch::new(PROGRAM)
        .args(["offer", "file", "--socket", "meet"])
        .current_dir(&*offered.directory)
        .run();
    assert_eq!(second.stderr, "fd-passing: meet: address in use\n");
    assert_eq!(second.status.code(), Some(1));
}

#[test]
fn who_waits_in_vain_gives_up() {
    let directory = TemporaryDirectory::new();
    let nobody = take(&directory, &[]);
    assert_eq!(
        nobody.stderr,
        "fd-passing: meet: no such file or directory\n"
    );
    let _silent = UnixListener::bind(directory.join("meet")).unwrap();
    let silent = take(&directory, &["--timeout", "200ms"]);
    assert_eq!(silent.stderr, "fd-passing: meet: timed out\n");
    assert_eq!(silent.status.code(), Some(1));
}

#[test]
fn a_file_that_cannot_be_opened_is_named() {
    let arguments: [&OsStr; 4] =
        ["offer", "/no/such", "--socket", "/no/such/socket"].map(OsStr::new);
    let finished = Launch::new(PROGRAM).args(arguments).run();
    assert_eq!(
        finished.stderr,
        "fd-passing: /no/such: no such file or directory\n"
    );
}
