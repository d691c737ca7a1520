//! Starting programs, hearing and ending them.

use std::fs::File;
use std::io::{Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use chapter_tests::{Launch, Program, Signal, TemporaryDirectory};

fn shell(script: &str) -> Launch {
    Launch::new("sh").args(["-c", script])
}

/// The message of a panic that must come.
fn panic_of<T>(action: impl FnOnce() -> T) -> String {
    let payload = catch_unwind(AssertUnwindSafe(action))
        .err()
        .expect("this must panic");
    *payload.downcast::<String>().expect("panic! with arguments")
}

#[test]
fn a_line_is_waited_for_on_either_stream() {
    let mut program = shell("read a; echo out $a; read b; echo err $b >&2")
        .stdin_pipe()
        .start();
    program.write("1\n");
    assert_eq!(program.wait_for_line("out"), "out 1");
    program.write("2\n");
    assert_eq!(
        program.wait_for_error_line(|line: &str| line.ends_with('2')),
        "err 2"
    );
    assert!(program.wait().success());
    assert_eq!(
        (program.stdout().as_str(), program.stderr().as_str()),
        ("out 1\n", "err 2\n")
    );
}

#[test]
fn a_line_that_does_not_come_shows_everything_printed() {
    let mut program = shell("echo one; echo two >&2; exec cat")
        .stdin_pipe()
        .start();
    program.wait_for_error_line("two");
    program.set_timeout(Duration::from_millis(300));
    let message = panic_of(|| program.wait_for_line("three"));
    for part in [
        "no line \"three\"",
        "waited 300ms",
        "is running",
        "one\n",
        "two\n",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
}

#[test]
fn a_line_that_cannot_come_any_more_is_not_waited_for() {
    let program = shell("echo one").start();
    let message = panic_of(|| program.wait_for_line("two"));
    assert!(
        message.contains("no line \"two\" on standard output: it has ended"),
        "{message}"
    );
}

#[test]
fn several_addresses_are_read_in_their_order_and_as_often_as_asked() {
    let program =
        shell("echo listening on 127.0.0.1:1; echo so; echo 'listening on [::1]:2 (plain)'")
            .start();
    assert_eq!(program.listening_on(), "127.0.0.1:1".parse().unwrap());
    let [first, second] = program.listening_on_all();
    assert_eq!(
        (first, second),
        (program.listening_on(), "[::1]:2".parse().unwrap())
    );
    program.wait_for_line("listening on 127");
}

#[test]
fn more_than_a_pipe_holds_goes_both_ways() {
    let mut program = Launch::new("cat").stdin_pipe().start();
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| n.to_be_bytes()[3]).collect();
    program.write(&bytes);
    program.close_stdin();
    assert!(program.wait().success());
    assert_eq!(program.stdout_bytes(), bytes);
}

#[test]
fn a_program_that_does_not_read_fails_the_write_and_does_not_hang_it() {
    let mut program = shell("exec tail -f /dev/null")
        .stdin_pipe()
        .timeout(Duration::from_millis(300))
        .start();
    let message = panic_of(|| program.write(vec![b'x'; 1 << 20]));
    assert!(message.contains("standard input is not read"), "{message}");
}

#[test]
fn standard_input_may_be_a_file_or_nothing() {
    let directory = TemporaryDirectory::new();
    std::fs::write(directory.join("file"), "from a file\n").unwrap();
    let file = File::open(directory.join("file")).unwrap();
    assert_eq!(Launch::new("cat").stdin(file).run().stdout, "from a file\n");
    assert_eq!(Launch::new("cat").run().stdout, "");
}

#[test]
fn an_unread_standard_output_is_left_to_the_test() {
    let script = "echo first; yes | head -c 1000000; echo full >&2";
    let mut program = shell(script).stdout_unread().start();
    assert!(program.is_running());
    let mut stdout = program.take_stdout();
    let mut text = String::new();
    stdout.read_to_string(&mut text).unwrap();
    assert!(text.starts_with("first\ny\ny\n"));
    program.wait_for_error_line("full");
    assert!(program.wait().success());
    assert_eq!(program.stdout(), "", "nothing was collected");
}

#[test]
fn standard_output_may_go_to_a_file() {
    let directory = TemporaryDirectory::new();
    let path = directory.join("out");
    let finished = shell("echo kept")
        .stdout(File::create(&path).unwrap())
        .run();
    assert_eq!(finished.stdout, "");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "kept\n");
}

#[test]
fn a_signal_arrives_and_the_status_tells() {
    // No wait in which one shell would run the trap at once and another only after it.
    let script = "trap 'echo caught; exit 5' TERM; echo ready; while :; do :; done";
    let mut program = shell(script).start();
    program.wait_for_line("ready");
    program.signal(Signal::SIGTERM);
    program.wait_for_line("caught");
    assert_eq!(program.wait().code(), Some(5));
    assert!(!program.is_running());
    assert!(panic_of(|| program.signal(Signal::SIGTERM)).contains("has ended"));
}

#[test]
fn a_dropped_program_is_gone() {
    let program = Program::start("tail", ["-f", "/dev/null"]);
    let pid = program.pid();
    drop(program);
    // Killed and waited for: neither running nor a zombie.
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
}

#[test]
fn a_program_without_an_end_fails_the_wait() {
    let mut program = Launch::new("cat")
        .stdin_pipe()
        .timeout(Duration::from_millis(300))
        .start();
    assert!(panic_of(|| program.wait()).contains("does not end"));
}

#[test]
fn the_environment_and_the_directory_are_set() {
    let directory = TemporaryDirectory::new();
    let finished = shell("echo $A; pwd -P")
        .env("A", "b")
        .current_dir(&directory)
        .run();
    let path = directory.canonicalize().unwrap();
    assert_eq!(finished.stdout, format!("b\n{}\n", path.display()));
}

#[test]
fn a_descriptor_limit_holds_for_the_program_alone() {
    let launch = shell("ulimit -n; ulimit -Hn; exec cat").stdin_pipe();
    let mut program = launch.descriptor_limit(37).start();
    program.write("it is cat now\n");
    program.wait_for_line("it is cat now");
    assert_eq!(program.stdout(), "37\n37\nit is cat now\n");
    // The limiting shell became the shell, and that became cat: the process is the program's.
    let name = std::fs::read_to_string(format!("/proc/{}/comm", program.pid())).unwrap();
    assert_eq!(name, "cat\n");
    assert!(chapter_tests::limits::descriptor_limit() > 37);
}

#[test]
#[should_panic(expected = "start /no/such/program: ")]
fn a_program_that_is_not_there_is_named() {
    let _ = Launch::new("/no/such/program").start();
}

#[test]
fn the_output_is_shown_when_the_test_fails_for_another_reason() {
    // In a process of its own, because this one keeps the output of its tests back.
    if std::env::var_os("FAILING").is_some() {
        let program = shell("echo last words; exec cat").stdin_pipe().start();
        program.wait_for_line("last words");
        std::io::stdout().flush().unwrap();
        panic!("for another reason");
    }
    let name = "the_output_is_shown_when_the_test_fails_for_another_reason";
    let finished = Launch::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env("FAILING", "1")
        .run();
    assert!(!finished.status.success());
    let shown = "sh was running and has printed:\n--- standard output ---\nlast words\n";
    assert!(finished.stderr.contains(shown), "{}", finished.stderr);
}
