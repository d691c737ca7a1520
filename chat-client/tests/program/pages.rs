//! What the book's pages about the client show, compared with what the real
//! client does.

use std::fs::{self, File};
use std::path::Path;

use chapter_tests::{Peer, Program, Pty, TemporaryDirectory, Transcript};

use crate::fake_server::{FakeServer, let_go};
use crate::screen::READY;

/// The transcript `name`, in which the numbers of a trace do not count.
fn transcript(name: &str) -> Transcript {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    Transcript::new(folder.join(name)).hide_trace_numbers()
}

/// What the client did with its standard input, below `title`.
fn input_told(title: &str, program: &Program) -> String {
    let about = program.trace().into_iter();
    let about = about.filter(|line| line.contains(" standard input"));
    format!("{title}\n{}\n", about.collect::<Vec<_>>().join("\n"))
}

#[test]
fn each_kind_of_standard_input_is_watched_in_its_own_way() {
    let directory = TemporaryDirectory::new();
    let path = directory.join("words");
    fs::write(&path, "hello\n").unwrap();
    let mut told = String::new();

    for (title, input) in [
        ("< words", path.as_path()),
        ("< /dev/null", "/dev/null".as_ref()),
    ] {
        let server = FakeServer::open();
        let launch = server.client(&["--trace"]);
        let mut program = launch.stdin(File::open(input).unwrap()).start();
        let_go(server.welcome());
        assert_eq!(program.wait().code(), Some(0));
        told += &input_told(title, &program);
    }

    let server = FakeServer::open();
    let mut program = server.client(&["--trace"]).stdin_pipe().start();
    let mut client = server.welcome();
    program.write("hello\n");
    client.expect_line("PRIVMSG #lobby :hello");
    program.close_stdin();
    let_go(client);
    assert_eq!(program.wait().code(), Some(0));
    told += &input_told("a pipe", &program);

    let (pty, server) = (Pty::open((80, 24)), FakeServer::open());
    let Some(mut program) = pty.start(server.client(&["--trace", "--line"])) else {
        return;
    };
    let mut client = server.welcome();
    pty.send("hello\r");
    client.expect_line("PRIVMSG #lobby :hello");
    pty.send("\x04");
    let_go(client);
    assert_eq!(pty.wait_for_exit(&mut program), Some(0));
    told += &input_told("a terminal", &program);
    transcript("standard-input.txt").compare(&told);
}

/// A client on a terminal, traced, in #lobby of a server that the test plays.
struct Traced {
    pty: Pty,
    program: Program,
    client: Peer,
    _server: FakeServer,
}

impl Traced {
    /// None if setsid(1) is missing.
    fn begin() -> Option<Traced> {
        let (pty, server) = (Pty::open((80, 24)), FakeServer::open());
        let program = pty.start(server.client(&["--trace"]))?;
        let client = server.welcome();
        pty.wait_for_screen(READY);
        Some(Traced {
            pty,
            program,
            client,
            _server: server,
        })
    }

    fn ends(mut self) {
        self.pty.send("\x15/quit\r");
        self.client.expect_line("QUIT");
        drop(self.client);
        assert_eq!(self.pty.wait_for_exit(&mut self.program), Some(0));
    }

    /// Waits until the timer is armed that runs for so long, and is due.
    fn wait_for_timer(&self, how_long: &str) {
        let armed = self.program.wait_for_error_line(how_long);
        let (_, rest) = armed.split_once("timer ").expect("it is one");
        let id = rest.split(' ').next().unwrap_or_default();
        let due = format!("due       timer {id},");
        self.program.wait_for_error_line(&due);
    }

    /// Has the screen rest for longer than the time between two frames: that
    /// is how long half a key is waited for, of which nothing comes.
    fn rest(&self) {
        self.pty.send("\x1b[1");
        self.wait_for_timer("in 500 ms");
        self.program.wait_for_error_line("call      before-wait");
    }

    /// Has three people say something in a moment; returns what the loop did,
    /// from the wait before the first to the frame that shows the last.
    fn hears_three(&mut self, round: usize) -> Vec<String> {
        let before = self.program.trace().len();
        for number in 0..3 {
            let said = format!(":bob!b@h PRIVMSG #lobby :{round}.{number}");
            self.client.send(format!("{said}\r\nPING :{number}\r\n"));
            self.client.expect_line(&format!("PONG :{number}"));
        }
        self.pty.wait_for_screen(&format!("bob  {round}.2"));
        self.program.wait_for_error_line("call      before-wait");
        self.rest();
        let lines = &self.program.trace()[before..];
        let heard = lines.iter().position(|line| line.contains("server IN"));
        let rest = lines.iter().position(|line| line.contains("in 500 ms"));
        let (heard, rest) = (heard.expect("it came"), rest.expect("as above"));
        lines[heard - 1..rest - 1].to_vec()
    }
}

/// The timer and the calls of the keyboard, of all that was traced.
fn about_keys(trace: &[String]) -> Vec<String> {
    let mut timer = None;
    let mut shown = Vec::new();
    for line in trace {
        let words: Vec<&str> = line.split_whitespace().collect();
        let is_armed = line.ends_with("in 50 ms") || line.ends_with("in 500 ms");
        if is_armed {
            timer = words.get(4).map(|id| format!("timer {id},"));
        }
        let is_timer = timer.as_ref().is_some_and(|timer| line.contains(timer));
        if is_armed || is_timer || line.contains("terminal IN") {
            shown.push(line.clone());
        }
        if is_timer && line.contains(" call ") {
            timer = None;
        }
    }
    shown
}

#[test]
fn escape_alone_waits_for_what_might_follow() {
    let Some(traced) = Traced::begin() else {
        return;
    };
    let (pty, program) = (&traced.pty, &traced.program);
    pty.send("\x1b");
    traced.wait_for_timer("in 50 ms");
    pty.send("\x1b[");
    program.wait_for_error_line("in 500 ms");
    program.wait_for_error_line("terminal IN");
    pty.send("5~");
    program.wait_for_error_line("terminal IN");
    let shown = about_keys(&program.trace()).join("\n");
    transcript("escape.txt").compare(&(shown + "\n"));
    traced.ends();
}

/// Where nothing else happens at the same time, and this test is not kept
/// waiting.
const AS_SHOWN: &str = "wait call call wait call arm call wait call call wait due call call";

#[test]
fn of_three_messages_in_a_moment_the_first_is_drawn_at_once_and_the_others_together() {
    let Some(mut traced) = Traced::begin() else {
        return;
    };
    traced.rest();
    let verb = |line: &String| line.split_whitespace().nth(2).unwrap().to_owned();
    // A machine with other work may not bring all three within a frame.
    let shown = (0..100).find_map(|round| {
        let lines = traced.hears_three(round);
        let verbs: Vec<String> = lines.iter().map(verb).collect();
        (verbs.join(" ") == AS_SHOWN).then_some(lines)
    });
    let shown = shown.expect("three messages within the time of a frame");
    transcript("frames.txt").compare(&(shown.join("\n") + "\n"));
    traced.ends();
}
