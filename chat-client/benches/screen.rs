//! What the screen costs: a busy channel on a large terminal, and an idle one.
//!
//! Run it: `cargo bench -p chat-client --bench screen`
//!
//! Starts the client on a terminal of 160 columns and 50 rows, gives it 10,000
//! lines, then 1,000 messages a second while a key is pressed now and then, and
//! then nothing. Prints what was measured; it judges nothing, since the figures
//! are the machine's as much as the program's.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use chapter_tests::{Launch, Peer, Program, Pty, TemporaryDirectory, benchmark, process, tools};

const SIZE: (u16, u16) = (160, 50);
const SCROLLBACK_LINES: usize = 10_000;
const MESSAGES_A_SECOND: u32 = 1_000;
const BUSY: Duration = Duration::from_secs(20);
const IDLE: Duration = Duration::from_secs(10);

/// The pause after a key has been seen, so that presses fall anywhere between
/// two frames.
const PAUSES: [u64; 5] = [3, 11, 19, 29, 37];

fn main() {
    // This one takes half a minute.
    if !benchmark::is_asked_to_measure() {
        return;
    }
    println!("{}", chapter::Machine::here());
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound").to_string();
    let pty = Pty::open(SIZE);
    let launch = Launch::new(env!("CARGO_BIN_EXE_chat-client")).args([&address, "--nick", "ann"]);

    let start = Instant::now();
    let Some(mut program) = pty.start(launch) else {
        return;
    };
    pty.wait_until("that shows anything", |screen| {
        screen.contents().contains("#lobby")
    });
    println!(
        "start to first frame         {:.1} ms",
        milliseconds(start.elapsed())
    );
    let empty = process::resident_bytes(program.pid());

    let mut client = welcome(&listener);
    fill(&mut client);
    pty.wait_for_screen(&message(SCROLLBACK_LINES));
    let full = process::resident_bytes(program.pid());
    println!("resident, empty              {:.1} MiB", mebibytes(empty));
    println!(
        "resident, {SCROLLBACK_LINES} lines       {:.1} MiB",
        mebibytes(full)
    );

    busy(&pty, &program, &client);
    idle(&pty, &program, &mut client);

    pty.send("\x15/quit\r");
    client.expect_line("QUIT");
    drop(client);
    pty.wait_for_exit(&mut program);
}

fn welcome(listener: &TcpListener) -> Peer {
    let mut client = Peer::over(listener.accept().expect("the client connects").0);
    client.expect_line("USER ");
    client.send_line(":irc.example 001 ann :Welcome, ann");
    client.expect_line("JOIN #lobby");
    client.send_line(":ann!~guest@127.0.0.1 JOIN #lobby");
    client
}

/// The nth message, of a length as people write.
fn message(number: usize) -> String {
    let words = "the quick brown fox jumps over the lazy dog and so on and on until it is tired";
    let length = 10 + number * 7 % (words.len() - 10);
    format!("{number} {}", words[..length].trim_end())
}

fn line(number: usize) -> String {
    format!(
        ":bob{}!b@h PRIVMSG #lobby :{}\r\n",
        number % 10,
        message(number)
    )
}

fn fill(client: &mut Peer) {
    for number in 1..=SCROLLBACK_LINES {
        client.send(line(number));
    }
}

/// A thousand messages a second, and keys.
fn busy(pty: &Pty, program: &Program, client: &Peer) {
    let stops = Arc::new(AtomicBool::new(false));
    let sender = {
        let stops = Arc::clone(&stops);
        let mut stream = client.stream().try_clone().expect("a descriptor");
        thread::spawn(move || send_messages(&mut stream, &stops))
    };
    let (cpu, frames, start) = (
        process::cpu_time(program.pid()),
        pty.frames(),
        Instant::now(),
    );
    let mut delays = Vec::new();
    while start.elapsed() < BUSY {
        let typed = delays.len() % 40;
        if typed == 0 {
            pty.send("\x15");
        }
        let pressed = Instant::now();
        pty.send("k");
        let line = format!("#lobby> {}", "k".repeat(typed + 1));
        pty.wait_until("with the key", |screen| {
            let contents = screen.contents();
            contents
                .lines()
                .last()
                .is_some_and(|last| last.starts_with(&line))
        });
        delays.push(pressed.elapsed());
        let pause = Instant::now() + Duration::from_millis(PAUSES[delays.len() % PAUSES.len()]);
        while Instant::now() < pause {
            thread::sleep(Duration::from_millis(1));
            pty.read();
        }
    }
    let took = start.elapsed();
    let cpu = process::cpu_time(program.pid()).saturating_sub(cpu);
    let frames = pty.frames() - frames;
    stops.store(true, Ordering::Relaxed);
    let sent = sender.join().expect("the sender does not panic");
    delays.sort_unstable();
    println!("messages a second            {:.0}", rate(sent, took));
    println!(
        "processor, of one core       {:.1} %",
        100.0 * cpu.as_secs_f64() / took.as_secs_f64()
    );
    println!("frames a second              {:.1}", rate(frames, took));
    let nth = |percent: usize| delays[(delays.len() * percent / 100).min(delays.len() - 1)];
    println!(
        "key to screen, {:4} keys     median {:.1} ms, 99th percentile {:.1} ms, worst {:.1} ms",
        delays.len(),
        milliseconds(nth(50)),
        milliseconds(nth(99)),
        milliseconds(nth(100))
    );
}

fn send_messages(stream: &mut TcpStream, stops: &AtomicBool) -> usize {
    let (start, mut sent) = (Instant::now(), 0);
    while !stops.load(Ordering::Relaxed) {
        let due = start
            + Duration::from_secs(1) * u32::try_from(sent).unwrap_or(u32::MAX) / MESSAGES_A_SECOND;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        stream
            .write_all(line(sent).as_bytes())
            .expect("the client reads");
        sent += 1;
    }
    sent
}

/// Nothing happens; strace says how often the loop wakes up.
fn idle(pty: &Pty, program: &Program, client: &mut Peer) {
    client.send_line("PING :quiet");
    client.expect_line("PONG :quiet");
    pty.read();
    if !tools::ptrace_allowed() {
        return;
    }
    let directory = TemporaryDirectory::new();
    let record = directory.join("record");
    let (pid, path) = (program.pid().to_string(), record.display().to_string());
    let strace = Launch::new("strace")
        .args([
            "-f",
            "-p",
            &pid,
            "-e",
            "trace=epoll_wait,epoll_pwait,epoll_pwait2",
            "-o",
            &path,
        ])
        .start();
    strace.wait_for_error_line("attached");
    // Frames that are still due, and the wait that strace interrupts. A line is
    // ended when the wait is over.
    thread::sleep(Duration::from_millis(200));
    pty.read();
    let wakes = || std::fs::read_to_string(&record).map_or(0, |record| record.lines().count());
    let (cpu, before) = (process::cpu_time(program.pid()), wakes());
    thread::sleep(IDLE);
    let woken = wakes() - before;
    let cpu = process::cpu_time(program.pid()).saturating_sub(cpu);
    println!(
        "idle for {IDLE:?}               {woken} wake-ups (a PING every 30 s is one), {:.0} ms of processor",
        milliseconds(cpu)
    );
    drop(strace);
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

fn mebibytes(bytes: u64) -> f64 {
    u32::try_from(bytes >> 10).map_or(f64::INFINITY, f64::from) / 1024.0
}

fn rate(count: usize, time: Duration) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from) / time.as_secs_f64()
}
