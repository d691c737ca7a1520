//! Standard output and error that nobody reads cost lines, counted, and never
//! time; and they are left as they were found.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use chapter_tests::{Launch, Peer, TemporaryDirectory};
use epoll_loop::{Entry, Event, EventLoop, Interest, OUTPUT_LIMIT_BYTES, Output, Watched};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::pty::openpty;
use nix::unistd::{close, dup2_stderr};

use crate::harness::{again_as, part};
use crate::record::Record;

crate::harness::tests![
    a_program_whose_standard_output_nobody_reads_still_serves_others,
    where_lines_of_standard_error_are_missing_a_line_says_how_many,
    a_reader_who_comes_late_gets_every_line_that_there_was_room_for,
    lines_arrive_whole_and_in_order_from_several_threads,
    a_file_takes_every_line,
    a_reader_who_has_gone_costs_lines_and_no_cpu,
    the_flags_of_standard_input_output_and_error_are_left_alone,
    a_terminal_that_nobody_reads_blocks_nobody_and_keeps_its_flags,
    an_output_closed_behind_the_loops_back_ends_nothing_else,
    an_output_does_not_keep_the_loop_running_and_is_not_shown,
    asking_twice_for_an_output_gives_the_same_queue,
];

/// A line of which a pipe holds 16 to 64.
fn line(number: usize) -> String {
    format!("line {number:>6} {}\n", "x".repeat(1_000))
}

/// Lines whose bytes are several times what may wait.
const MANY_LINES: usize = 3 * OUTPUT_LIMIT_BYTES / 1_000;

/// The numbers of the lines in `text`.
fn numbers(text: &str) -> Vec<usize> {
    text.lines()
        .map(|line| {
            let number = line
                .strip_prefix("line ")
                .unwrap()
                .split_whitespace()
                .next();
            number.unwrap().parse().unwrap()
        })
        .collect()
}

/// Says a line on standard output for each byte of its one client, and sends the
/// byte back.
struct Chatterer {
    client: Option<Watched<TcpStream>>,
    output: Output,
    lines: usize,
}

impl Chatterer {
    fn echo(&mut self, event_loop: &mut EventLoop<Chatterer>, _: Event) {
        let mut stream: &TcpStream = self.client.as_ref().unwrap();
        let mut byte = [0; 1];
        if stream.read(&mut byte).unwrap() == 0 {
            return event_loop.stop(Ok(()));
        }
        self.output.write_line(line(self.lines).as_bytes());
        self.lines += 1;
        stream.write_all(&byte).unwrap();
    }
}

fn a_program_whose_standard_output_nobody_reads_still_serves_others() {
    if part().is_some() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        eprintln!("listening on {}", listener.local_addr().unwrap());
        let (client, _) = listener.accept().unwrap();
        let mut event_loop = EventLoop::new().unwrap();
        let output = event_loop.standard_output().unwrap();
        let client = event_loop
            .watch(client, Interest::READABLE, Chatterer::echo)
            .unwrap();
        let mut chatterer = Chatterer {
            client: Some(client),
            output,
            lines: 0,
        };
        event_loop.run(&mut chatterer).unwrap();
        eprintln!("dropped {}", chatterer.output.dropped());
        chatterer.output.drain(Duration::from_secs(30));
        assert_eq!(chatterer.output.pending(), 0);
        return;
    }
    let mut program = again_as("chatterer").stdout_unread().start();
    let address = program.wait_for_error_line("listening on");
    let address = address
        .strip_prefix("listening on ")
        .unwrap()
        .parse()
        .unwrap();
    let mut peer = Peer::connect(address);
    for _ in 0..MANY_LINES {
        peer.send([7]);
        assert_eq!(peer.read_bytes(1), [7]);
    }
    peer.half_close();
    let dropped = program.wait_for_error_line("dropped");
    let dropped: usize = dropped.strip_prefix("dropped ").unwrap().parse().unwrap();
    assert!(dropped > 0);
    let mut text = String::new();
    program.take_stdout().read_to_string(&mut text).unwrap();
    assert!(program.wait().success());
    assert_eq!(
        numbers(&text).len() + dropped,
        MANY_LINES,
        "each line is read or counted"
    );
}

/// Says many lines in as many turns; `pause` is called after each.
fn say_many(event_loop: &mut EventLoop<()>, output: &Output, mut pause: impl FnMut(usize)) {
    for number in 0..MANY_LINES {
        output.write_line(line(number).as_bytes());
        event_loop.turn(&mut (), Some(Duration::ZERO)).unwrap();
        pause(number);
    }
}

fn where_lines_of_standard_error_are_missing_a_line_says_how_many() {
    if part().is_some() {
        // The pipe that nobody reads is standard output's: take it for both.
        let mut test: File = io::stderr().as_fd().try_clone_to_owned().unwrap().into();
        dup2_stderr(io::stdout()).unwrap();
        let mut event_loop = EventLoop::<()>::new().unwrap();
        let output = event_loop.standard_error().unwrap();
        say_many(&mut event_loop, &output, |number| {
            // The test reads from here on, so that there is room again.
            if number == MANY_LINES - 100 {
                test.write_all(b"it is full\n").unwrap();
                let mut reply = String::new();
                io::stdin().read_line(&mut reply).unwrap();
                while output.pending() > OUTPUT_LIMIT_BYTES / 2 {
                    output.drain(Duration::from_millis(1));
                }
            }
        });
        output.drain(Duration::from_secs(30));
        assert_eq!(output.pending(), 0);
        return;
    }
    let mut program = again_as("complaining").stdin_pipe().stdout_unread().start();
    program.wait_for_error_line("it is full");
    program.write("read on\n");
    let mut text = String::new();
    program.take_stdout().read_to_string(&mut text).unwrap();
    assert!(program.wait().success());

    let (mut next, mut gaps) = (0, 0);
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("... ") {
            let count: usize = rest.split_whitespace().next().unwrap().parse().unwrap();
            assert!(rest.ends_with(" lines were dropped here"), "{line}");
            next += count;
            gaps += 1;
        } else {
            assert_eq!(numbers(line), [next]);
            next += 1;
        }
    }
    assert_eq!((next, gaps), (MANY_LINES, 1));
}

fn a_reader_who_comes_late_gets_every_line_that_there_was_room_for() {
    const LINES: usize = 900;
    if part().is_some() {
        let mut event_loop = EventLoop::<()>::new().unwrap();
        let output = event_loop.standard_output().unwrap();
        for number in 0..LINES {
            output.write_line(line(number).as_bytes());
        }
        event_loop.turn(&mut (), Some(Duration::ZERO)).unwrap();
        assert!(output.pending() > 0, "more than a pipe holds");
        // The loop writes the rest as the reader makes room. The turn that
        // writes the last of it has nothing left to be woken by.
        while output.pending() > 0 {
            let is_last = output.pending() < 100_000;
            let limit = Duration::from_secs(if is_last { 0 } else { 30 });
            event_loop.turn(&mut (), Some(limit)).unwrap();
        }
        assert_eq!(output.dropped(), 0);
        return;
    }
    let mut program = again_as("patient").stdout_unread().start();
    let mut text = String::new();
    program.take_stdout().read_to_string(&mut text).unwrap();
    assert!(program.wait().success());
    assert_eq!(numbers(&text), (0..LINES).collect::<Vec<_>>());
}

fn lines_arrive_whole_and_in_order_from_several_threads() {
    const THREADS: usize = 4;
    const LINES: usize = 100;
    if part().is_some() {
        let mut event_loop = EventLoop::<()>::new().unwrap();
        let output = event_loop.standard_output().unwrap();
        let barrier = Arc::new(Barrier::new(THREADS));
        let threads = [0, 1, 2, 3].map(|thread| {
            let (output, barrier) = (output.clone(), Arc::clone(&barrier));
            thread::spawn(move || {
                barrier.wait();
                for number in 0..LINES {
                    output.write_line(line(thread * 1_000 + number).as_bytes());
                }
            })
        });
        while output.pending() > 0 || threads.iter().any(|thread| !thread.is_finished()) {
            event_loop
                .turn(&mut (), Some(Duration::from_millis(1)))
                .unwrap();
        }
        return;
    }
    let finished = again_as("threads").run();
    assert!(finished.status.success(), "{}", finished.stderr);
    let numbers = numbers(&finished.stdout);
    for thread in 0..THREADS {
        let own = numbers.iter().filter(|&&number| number / 1_000 == thread);
        assert_eq!(
            own.map(|number| number % 1_000).collect::<Vec<_>>(),
            (0..LINES).collect::<Vec<_>>()
        );
    }
}

fn a_file_takes_every_line() {
    if part().is_some() {
        let mut event_loop = EventLoop::<()>::new().unwrap();
        let output = event_loop.standard_output().unwrap();
        say_many(&mut event_loop, &output, |_| {});
        assert_eq!((output.pending(), output.dropped()), (0, 0));
        return;
    }
    let directory = TemporaryDirectory::new();
    let path = directory.join("lines");
    let launch = || again_as("filing");
    let finished = launch().stdout(File::create(&path).unwrap()).run();
    assert!(finished.status.success(), "{}", finished.stderr);
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(numbers(&text), (0..MANY_LINES).collect::<Vec<_>>());
    let null = File::options().write(true).open("/dev/null").unwrap();
    assert!(launch().stdout(null).run().status.success());
}

fn a_reader_who_has_gone_costs_lines_and_no_cpu() {
    if part().is_some() {
        let mut ready = String::new();
        io::stdin().read_line(&mut ready).unwrap();
        let mut event_loop = EventLoop::<()>::new().unwrap();
        let output = event_loop.standard_output().unwrap();
        for lines in [1, 10, 100] {
            let before = output.dropped();
            for number in 0..lines {
                output.write_line(line(number).as_bytes());
            }
            event_loop.turn(&mut (), Some(Duration::ZERO)).unwrap();
            let dropped = output.dropped() - before;
            assert_eq!((dropped, output.pending()), (lines as u64, 0));
        }
        let record = Record::of(&mut event_loop);
        for _ in 0..3 {
            event_loop
                .turn(&mut (), Some(Duration::from_millis(2)))
                .unwrap();
        }
        let woken = record.count(|entry| matches!(entry, Entry::Waited { events: 1.., .. }));
        assert_eq!(woken, 0);
        return;
    }
    let mut program = again_as("abandoned").stdin_pipe().stdout_unread().start();
    drop(program.take_stdout());
    program.write("gone\n");
    let finished = program.finish();
    assert!(finished.status.success(), "{}", finished.stderr);
}

/// Uses all three: watches standard input, and writes to the others.
fn use_all_three() {
    struct Input {
        watch: Option<Watched<io::Stdin>>,
        output: Output,
    }
    let mut event_loop = EventLoop::new().unwrap();
    let output = event_loop.standard_output().unwrap();
    let error = event_loop.standard_error().unwrap();
    let copy = |input: &mut Input, _: &mut EventLoop<Input>, _: Event| {
        let stdin = input.watch.as_ref().unwrap();
        let mut buffer = [0; 4_096];
        match nix::unistd::read(&**stdin, &mut buffer).unwrap() {
            0 => input.watch = None,
            count => input.output.write_line(&buffer[..count]),
        }
    };
    let watch = event_loop
        .watch(io::stdin(), Interest::READABLE, copy)
        .unwrap();
    error.write_line(b"ready\n");
    let mut input = Input {
        watch: Some(watch),
        output,
    };
    event_loop.run(&mut input).unwrap();
    input.output.drain(Duration::from_secs(30));
    error.drain(Duration::from_secs(30));
}

fn is_non_blocking(descriptor: impl AsFd) -> bool {
    let flags = fcntl(descriptor, FcntlArg::F_GETFL).unwrap();
    OFlag::from_bits_retain(flags).contains(OFlag::O_NONBLOCK)
}

fn the_flags_of_standard_input_output_and_error_are_left_alone() {
    if part().is_some() {
        // One pipe for both, so that the test has the other end of each.
        dup2_stderr(io::stdout()).unwrap();
        use_all_three();
        return;
    }
    // Both ends of both pipes stay open here, as a shell would keep its terminal.
    let (input, mut our_input) = io::pipe().unwrap();
    let (mut our_output, output) = io::pipe().unwrap();
    let mut program = again_as("polite")
        .stdin(input.try_clone().unwrap())
        .stdout(output.try_clone().unwrap())
        .start();
    let mut read = |expected: &[u8]| {
        let mut bytes = vec![0; expected.len()];
        our_output.read_exact(&mut bytes).unwrap();
        assert_eq!(bytes, expected);
    };
    read(b"ready\n");
    our_input.write_all(b"hello\n").unwrap();
    read(b"hello\n");
    let are_left_alone = || !is_non_blocking(&input) && !is_non_blocking(&output);
    assert!(are_left_alone(), "while it runs");
    drop(our_input);
    assert!(program.wait().success());
    assert!(are_left_alone(), "after it has ended");
}

fn a_terminal_that_nobody_reads_blocks_nobody_and_keeps_its_flags() {
    if part().is_some() {
        let mut event_loop = EventLoop::<()>::new().unwrap();
        let output = event_loop.standard_output().unwrap();
        say_many(&mut event_loop, &output, |_| {});
        assert!(output.dropped() > 0 && output.pending() > 0);
        eprintln!("has said all");
        return;
    }
    let terminal = openpty(None, None).unwrap();
    let master = File::from(terminal.master);
    let slave: OwnedFd = terminal.slave;
    let mut program = again_as("on a terminal")
        .stdout(slave.try_clone().unwrap())
        .start();
    program.wait_for_error_line("has said all");
    assert!(program.wait().success());
    assert!(!is_non_blocking(&slave));
    let mut text = [0; 11];
    (&master).read_exact(&mut text).unwrap();
    assert_eq!(&text, b"line      0");
}

fn an_output_closed_behind_the_loops_back_ends_nothing_else() {
    if part().is_some() {
        let mut event_loop = EventLoop::<u32>::new().unwrap();
        let output = event_loop.standard_output().unwrap();
        for number in 0..100 {
            output.write_line(line(number).as_bytes());
        }
        let mut calls = 0;
        // The pipe is full, so the loop asks to be told of room.
        event_loop.turn(&mut calls, Some(Duration::ZERO)).unwrap();
        assert!(output.pending() > 0);
        close(1).unwrap();
        event_loop.after(Duration::from_millis(1), |calls, _, _| *calls += 1);
        event_loop.run(&mut calls).unwrap();
        assert_eq!((calls, output.pending()), (1, 0));
        assert!(output.dropped() > 0);
        return;
    }
    let program = again_as("closing").stdout_unread().start();
    let finished = program.finish();
    assert!(finished.status.success(), "{}", finished.stderr);
}

fn an_output_does_not_keep_the_loop_running_and_is_not_shown() {
    if part().is_some() {
        let mut event_loop = EventLoop::<()>::new().unwrap();
        let record = Record::of(&mut event_loop);
        let output = event_loop.standard_output().unwrap();
        for number in 0..100 {
            output.write_line(line(number).as_bytes());
        }
        event_loop.run(&mut ()).unwrap();
        event_loop.turn(&mut (), Some(Duration::ZERO)).unwrap();
        let shown = record.count(|entry| !matches!(entry, Entry::Waited { .. }));
        assert_eq!(shown, 0);
        return;
    }
    let launch: Launch = again_as("silent").stdout_unread();
    let finished = launch.run();
    assert!(finished.status.success(), "{}", finished.stderr);
}

fn asking_twice_for_an_output_gives_the_same_queue() {
    let mut event_loop = EventLoop::<()>::new().unwrap();
    let first = event_loop.standard_output().unwrap();
    let second = event_loop.standard_output().unwrap();
    first.write_line(b"one\n");
    assert_eq!(second.pending(), 4);
    let watched = event_loop.watch(io::stdout(), Interest::WRITABLE, |(), _, _| {});
    let message = watched.unwrap_err().to_string();
    assert!(message.contains("\"standard output\""), "{message}");
}
