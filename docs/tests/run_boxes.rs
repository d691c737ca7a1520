//! Every command that a page tells its reader to run is run here, on a terminal, and has to end as
//! the page says.
//!
//! Each page has a network of its own where the machine allows that, so that the ports which the
//! pages name are free; otherwise they have to be. One page alone:
//! `DOCS_PAGE=connect.md cargo test -p docs --test run_boxes`.

use std::any::Any;
use std::collections::BTreeSet;
use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use chapter_tests::{Launch, Program, Pty, Signal, tools};
use docs::{Book, Ending, Page, Run, Workspace};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::killpg;
use nix::unistd::{Pid, getsid};

/// Columns and rows of the reader's terminal.
const TERMINAL: (u16, u16) = (120, 50);

/// What cargo may take to build the programs that the commands start.
const BUILD_LIMIT: Duration = Duration::from_mins(15);

/// Pages at a time, if each has its own network.
const WORKERS: usize = 2;

/// What the shell gives back if a signal has ended its command: 128 and the signal.
const ENDED_BY: [Option<i32>; 4] = [Some(0), Some(128 + 2), Some(128 + 15), None];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

#[test]
fn every_command_of_the_book_does_what_the_page_says() {
    let book = Book::read(Workspace::new(root())).unwrap();
    let only = env::var("DOCS_PAGE").ok();
    let pages: Vec<&Page> = book
        .pages()
        .iter()
        .filter(|page| only.as_ref().is_none_or(|only| *only == page.name))
        .filter(|page| page.runs().next().is_some())
        .collect();
    assert!(!pages.is_empty(), "no page has a command: {only:?}");
    build_programs(&pages);
    let queue = Mutex::new(pages.iter());
    let failures = Mutex::new(Vec::new());
    let workers = if own_network_is_possible() {
        WORKERS
    } else {
        1
    };
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                // A loop over the lock would hold it: another takes the next page meanwhile.
                while let Some(page) = { queue.lock().unwrap().next() } {
                    // A thread, since a network belongs to one for ever.
                    let said = thread::scope(|scope| {
                        let name = format!("{} commands", page.name);
                        let run = thread::Builder::new()
                            .name(name)
                            .spawn_scoped(scope, || run_page(page));
                        run.unwrap().join().unwrap()
                    });
                    failures.lock().unwrap().extend(said);
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "\n{}\n", failures.join("\n"));
}

/// Builds what the commands start, so that none of them waits for the compiler.
fn build_programs(pages: &[&Page]) {
    let commands = pages.iter().flat_map(|page| page.runs());
    let wanted: BTreeSet<String> = commands
        .flat_map(|(_, run)| cargo_arguments(&run.command))
        .collect();
    for arguments in wanted {
        let built = Launch::new("sh")
            .args(["-c", &format!("cargo build {arguments}")])
            .current_dir(root())
            .timeout(BUILD_LIMIT)
            .run();
        assert!(
            built.status.success(),
            "cargo build {arguments}: {}",
            built.stderr
        );
    }
}

/// What stands behind each `cargo run` of a command, up to the program's own arguments.
fn cargo_arguments(command: &str) -> impl Iterator<Item = String> {
    command.split("cargo run").skip(1).map(|rest| {
        let ends = [" -- ", "|", ";", "&", ">", "<", ")"];
        let end = ends.iter().filter_map(|end| rest.find(end)).min();
        let arguments = &rest[..end.unwrap_or(rest.len())];
        // An option of cargo that a shell would see as its own is quoted; those are of no use here.
        let arguments = arguments.split(" --config").next().unwrap_or("");
        arguments.trim_matches([' ', '\'', '"']).to_owned()
    })
}

fn own_network_is_possible() -> bool {
    // Asked of a thread that ends with it.
    thread::spawn(has_own_network).join().unwrap()
}

/// Gives this thread, and what it starts, a network with nothing but a loopback device.
fn has_own_network() -> bool {
    let has_ip = Command::new("ip")
        .arg("-V")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    has_ip.is_ok_and(|status| status.success())
        && unshare(CloneFlags::CLONE_NEWNET).is_ok()
        && Command::new("ip")
            .args(["link", "set", "lo", "up"])
            .status()
            .is_ok_and(|status| status.success())
}

/// A command on its terminal.
struct Started<'a> {
    line: usize,
    run: &'a Run,
    pty: Pty,
    program: Program,
}

/// Runs the commands of a page and returns what was wrong.
fn run_page(page: &Page) -> Vec<String> {
    has_own_network();
    let mut failures = Vec::new();
    let mut kept: Vec<Started<'_>> = Vec::new();
    let mut note = |line: usize, run: &Run, why: &str| {
        failures.push(format!("{}:{line}: {}: {why}", page.path(), run.command));
    };
    for (line, run) in page.runs() {
        if run.needs.iter().any(|tool| !is_there(tool)) {
            continue;
        }
        let result = caught(|| {
            let started = start(line, run);
            if let Some(started) = &started {
                reach(started, &kept);
            }
            started
        });
        match result {
            Err(why) => note(line, run, &why),
            Ok(None) => {}
            Ok(Some(started)) if run.keep => kept.push(started),
            Ok(Some(mut started)) => {
                if let Err(why) = caught(|| end(&mut started, &kept)) {
                    note(line, run, &why);
                }
            }
        }
    }
    while let Some(mut started) = kept.pop() {
        if let Err(why) = caught(|| end(&mut started, &kept)) {
            note(started.line, started.run, &why);
        }
    }
    failures
}

/// Whether a tool is installed, and may do here what it is for.
fn is_there(tool: &str) -> bool {
    tools::find(tool).is_some() && (tool != "strace" || tools::ptrace_allowed())
}

/// Runs a step; what it panics of is its error.
fn caught<T>(step: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(step)).map_err(|panic: Box<dyn Any + Send>| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|&text| text.to_owned()));
        text.unwrap_or_else(|| "a panic without words".to_owned())
    })
}

/// None if setsid(1) is missing.
fn start(line: usize, run: &Run) -> Option<Started<'_>> {
    let mut pty = Pty::open(TERMINAL);
    pty.set_timeout(Run::LIMIT);
    // The reader sees standard error among the rest.
    let script = format!("exec 2>&1\n{}", run.command);
    let launch = Launch::new("sh")
        .args(["-c", &script])
        .current_dir(root())
        .timeout(Run::LIMIT);
    let program = pty.start(launch)?;
    Some(Started {
        line,
        run,
        pty,
        program,
    })
}

/// Waits for what it is to say before it is ended.
fn reach(started: &Started<'_>, kept: &[Started<'_>]) {
    if let Ending::Signal { until, .. } | Ending::Keys { until, .. } = &started.run.ending {
        started
            .pty
            .wait_until(&format!("with {until:?}"), |screen| {
                read(kept);
                // A line that is longer than the terminal goes on in the next.
                let text = screen.contents();
                text.contains(until.as_str()) || text.replace('\n', "").contains(until.as_str())
            });
    }
}

/// Nobody else takes what the programs print that are kept running.
fn read(kept: &[Started<'_>]) {
    for started in kept {
        started.pty.read();
    }
}

/// Ends it as the reader would, and looks at how it ended.
fn end(started: &mut Started<'_>, kept: &[Started<'_>]) {
    let Started {
        run, pty, program, ..
    } = started;
    let expected: &[Option<i32>] = match &run.ending {
        Ending::ByItself => &[Some(run.exit_code)],
        Ending::Signal { signal, .. } => {
            match signal {
                Signal::SIGINT => pty.send("\x03"),
                signal => killpg(session(program), *signal).unwrap(),
            }
            &ENDED_BY
        }
        Ending::Keys { keys, .. } => {
            pty.send(keys);
            &[Some(run.exit_code)]
        }
    };
    let code = pty.wait_for_exit(program);
    read(kept);
    assert!(
        expected.contains(&code),
        "exit code {code:?}\n{}",
        pty.screen().trim()
    );
}

/// The process that leads the session on the terminal: setsid(1) itself or its child.
fn session(program: &Program) -> Pid {
    let own = program.pid();
    if getsid(Some(own)) == Ok(own) {
        return own;
    }
    let children = format!("/proc/{own}/task/{own}/children");
    let children = std::fs::read_to_string(children).unwrap();
    let child = children.split_whitespace().next().expect("setsid waits");
    Pid::from_raw(child.parse().unwrap())
}

#[test]
fn what_cargo_has_to_build_is_found_in_a_command() {
    for (command, arguments) in [
        ("cargo run", vec![""]),
        ("cargo run -p a -- --b c", vec!["-p a"]),
        (
            "echo x | cargo run -q -p a | cargo run -p b",
            vec!["-q -p a", "-p b"],
        ),
        ("sh -c 'ulimit -n 36; exec cargo run -p a'", vec!["-p a"]),
        (
            "cargo run -p a --example b --config 'x=\"y\"'",
            vec!["-p a --example b"],
        ),
        ("true", vec![]),
    ] {
        let found: Vec<_> = cargo_arguments(command).collect();
        assert_eq!(found, arguments, "{command}");
    }
}
