//! Claim 33: an idle connection keeps a process or a thread, if each has one of its own.
//!
//! Shows: the memory of this program that an idle connection takes with a process each, a thread
//! each, and one epoll for all; and how much of its parent a forked child really copies.

use std::fs;
use std::io;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use nix::unistd::{gettid, read};
use socket2::{SockAddr, Socket};

use crate::claim::{Chapter, Claim, Sentence, Verdict, place};
use crate::forked::Forked;
use crate::report::{Bar, Finding, Report, Stop};
use crate::run_state;
use crate::tcp;

pub(crate) const CLAIM: Claim = Claim {
    number: 33,
    name: "cost-per-client",
    chapter: Chapter::SignalsAndProcesses,
    sentences: &[
        Sentence {
            original: Some(
                "(线程) 这个模式还是没有解决空闲连接占用资源的问题，如果一个连接在一定时间内没有数据交互，这个连接还是要占用一定的线程资源",
            ),
            english: "(threads) idle connections still take resources: one on which nothing happens \
                      keeps those of a thread",
            verdict: Verdict::Right,
        },
        Sentence {
            original: Some(
                "fork函数实现的时候，实际上会把当前父进程的所有相关值都克隆一份，包括地址空间、打开的文件描述符、程序计数器等",
            ),
            english: "fork really makes a copy of all that the parent has: its address space, open \
                      descriptors, program counter and so on",
            verdict: Verdict::Imprecise,
        },
    ],
    question: "An idle connection, watched by epoll: its memory?",
    answers: &[
        "As much as a thread, which would sleep as well",
        "Some KiB for its buffer and its state",
        "Nearly none of the program's; the kernel's socket only",
    ],
    answer: 'c',
    does: "It accepts 100 connections that say nothing and looks how much memory of its own each \
           takes: registered in one epoll, with a forked process each that reads, and with a thread \
           each that reads. The kernel's own memory (sockets, and 16 KiB of stack for each process \
           or thread) is not counted; it would make the difference larger.",
    lesson: "A process or a thread that waits holds a stack and what it has touched, and another \
             stack in the kernel. With epoll an idle connection is a socket and an entry in a tree; \
             memory for it is needed only while something is on its way, if the program is written \
             so. fork copies the table of descriptors, but of the memory only what is written to \
             afterwards. So ten thousand idle clients are no question of memory for a loop.",
    code: &[place!(
        "epoll-loop/src/send_queue.rs",
        "/// It holds memory only while it holds bytes, so that an idle connection costs",
        "nothing for a connection on which nothing happens"
    )],
    sources: &[
        "fork(2), NOTES: copy-on-write pages",
        "proc_pid_smaps(5): Rss, Pss, Private_Dirty",
    ],
    run,
};

const CONNECTIONS: usize = 100;

fn run(report: &mut Report) -> Result<Finding, Stop> {
    let (listener, address) = tcp::listener(128)?;

    let mut clients = Vec::with_capacity(2 * CONNECTIONS);
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    let before = memory("self", "Rss:")?;
    for _ in 0..CONNECTIONS {
        let (client, accepted) = connection(&listener, &address)?;
        epoll.add(&accepted, EpollEvent::new(EpollFlags::EPOLLIN, 0))?;
        clients.extend([client, accepted]);
    }
    let by_epoll = each(memory("self", "Rss:")?.saturating_sub(before));
    clients.clear();

    let parent = memory("self", "Rss:")?;
    let mut processes = Vec::new();
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        let (client, accepted) = connection(&listener, &address)?;
        processes.push(Forked::start(|| {
            read(&accepted, &mut [0; 4096])?;
            Ok(String::new())
        })?);
        connections.push(client);
    }
    // Only what has come to its read has touched what it needs.
    tcp::until(|| {
        let mut states = processes
            .iter()
            .map(|process| run_state::of_process(process.pid()));
        Ok(states.all(|state| state == Some('S')))
    })?;
    let (mut shared, mut own) = (0, 0);
    for process in &processes {
        shared += memory(process.pid(), "Pss:")?;
        own += memory(process.pid(), "Private_Dirty:")?;
    }
    let (by_process, copied) = (each(shared), each(own));
    let begin = Instant::now();
    drop(Forked::start(|| Ok(String::new()))?.end()?);
    let fork = begin.elapsed();
    drop(processes);
    connections.clear();

    let by_thread = with_threads(&listener, &address)?;
    let begin = Instant::now();
    let _ = thread::spawn(|| {}).join();
    let spawn = begin.elapsed();

    report.bars(
        "memory of the program for an idle connection",
        "KiB",
        vec![
            Bar::new("a process each", by_process),
            Bar::new("a thread each", by_thread),
            Bar::new("one epoll", by_epoll),
        ],
    );
    report.heading("compared");
    let costs = report.relation(
        "thread and epoll",
        format_args!("~{by_thread:.1} and ~{by_epoll:.1} KiB"),
        "a thread takes more",
        by_thread > by_epoll + 2.0,
    );
    report.relation(
        "process and thread",
        format_args!("~{by_process:.1} and ~{by_thread:.1} KiB"),
        "a process takes more",
        by_process > by_thread,
    );
    #[expect(clippy::cast_precision_loss, reason = "a few MiB")]
    let parent = parent as f64;
    let copy_on_write = report.relation(
        "copied of the parent's memory",
        format_args!("~{copied:.1} of ~{parent:.1} KiB"),
        "not all, by far",
        copied * 2.0 < parent,
    );
    report.figure("fork, until the child has ended", microseconds(fork));
    report.figure("a thread, until it has ended", microseconds(spawn));

    let answer = match (costs, by_epoll < 2.0) {
        (true, true) => 'c',
        (true, false) => 'b',
        (false, _) => 'a',
    };
    let threads = if costs {
        Verdict::Right
    } else {
        Verdict::Wrong
    };
    let fork = if copy_on_write {
        Verdict::Imprecise
    } else {
        Verdict::Right
    };
    Ok(Finding::new(answer, [threads, fork]))
}

/// The memory for each connection that a thread reads from.
fn with_threads(listener: &Socket, address: &SockAddr) -> io::Result<f64> {
    let mut connections = Vec::new();
    let before = memory("self", "Rss:")?;
    let mut threads = Vec::new();
    for _ in 0..CONNECTIONS {
        let (client, accepted) = connection(listener, address)?;
        let (tell, told) = channel();
        threads.push(thread::spawn(move || {
            let _ = tell.send(gettid());
            read(&accepted, &mut [0; 4096])
        }));
        let reader = told.recv().map_err(io::Error::other)?;
        tcp::until(|| Ok(run_state::of_thread(reader)? == 'S'))?;
        connections.push(client);
    }
    let by_thread = each(memory("self", "Rss:")?.saturating_sub(before));
    // The readers read the end of it.
    connections.clear();
    for thread in threads {
        let _ = thread.join();
    }
    Ok(by_thread)
}

fn microseconds(duration: Duration) -> String {
    format!("~{} us", duration.as_micros())
}

#[expect(clippy::cast_precision_loss, reason = "some MiB at most")]
fn each(kib: u64) -> f64 {
    kib as f64 / CONNECTIONS as f64
}

fn connection(listener: &Socket, address: &SockAddr) -> io::Result<(Socket, Socket)> {
    let client = tcp::socket()?;
    client.connect(address)?;
    Ok((client, listener.accept()?.0))
}

/// A line of `/proc/PID/smaps_rollup`, in KiB.
fn memory(process: impl std::fmt::Display, name: &str) -> io::Result<u64> {
    let rollup = fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?;
    let line = rollup.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|rest| rest.split_whitespace().next());
    let number = number.and_then(|number| number.parse().ok());
    number.ok_or_else(|| io::Error::other(format!("no {name} in smaps_rollup")))
}
