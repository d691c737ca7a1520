//! Claim 27: a function that is thread-safe is reentrant.
//!
//! Shows: a lock protects from other threads, and is what a signal handler or a child of `fork`
//! would wait for without end.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{MutexGuard, PoisonError};
use std::thread;

use nix::sys::signal::{SigSet, Signal, raise};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use crate::claim::{Chapter, Claim, Sentence, Verdict, place};
use crate::readiness;
use crate::report::{Finding, Report, Stop};
use crate::sys::{self, Handler, LOCK};
use crate::words::events;

pub(crate) const CLAIM: Claim = Claim {
    number: 27,
    name: "reentrant",
    chapter: Chapter::SignalsAndProcesses,
    sentences: &[Sentence {
        original: Some(
            "如果一个函数能被多个线程同时调用且不发生竞态条件，则我们称它是线程安全的（thread safe），或者说它是可重入函数",
        ),
        english: "a function that several threads can call at once without a race is called \
                  thread-safe, or reentrant",
        verdict: Verdict::Wrong,
    }],
    question: "A handler needs a lock that is held. What happens?",
    answers: &[
        "It works: the function is thread-safe",
        "It waits for ever: who holds the lock is interrupted by it",
        "The kernel runs the handler after the lock is given back",
    ],
    answer: 'b',
    does: "Four threads count under one lock. Then a signal comes while the same thread holds the \
           lock, and its handler looks whether it could have it (it does not wait, or this would not \
           end); and the process forks while another thread holds the lock, and the child looks. \
           Last the signal comes through a signalfd.",
    lesson: "Thread-safe means: others may be in it at the same time, and they wait for each other. \
             Reentrant means: it may be entered again before it has returned, by the same thread, \
             which cannot wait for itself. malloc and printf take locks, so a handler must not call \
             them; and a child of a process with threads must not either, since the thread that \
             would give the lock back is not there. A loop that reads its signals from a signalfd \
             has them as events, between two callbacks, where anything may be called.",
    code: &[
        place!(
            "epoll-loop/src/signals.rs",
            "//! Signals as events: `signalfd(2)` in the loop.",
            "no handler runs in the middle of something else"
        ),
        place!(
            "claims/src/sys.rs",
            "pub(crate) fn fork_with_one_thread(",
            "these experiments fork only where there is no other thread"
        ),
    ],
    sources: &[
        "signal-safety(7); pthreads(7), Thread-safe functions",
        "fork(2): a child of a multithreaded process may call async-signal-safe functions only",
    ],
    run,
};

const THREADS: usize = 4;
const ROUNDS: usize = 10_000;

/// What the thread-safe function counts. It reads and writes in two steps, which is safe only under
/// the lock.
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// A function that is thread-safe.
fn count_one() {
    let _held = held();
    COUNT.store(COUNT.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}

fn held() -> MutexGuard<'static, ()> {
    LOCK.lock().unwrap_or_else(PoisonError::into_inner)
}

fn run(report: &mut Report) -> Result<Finding, Stop> {
    report.heading("four threads count to 10,000 each, under one lock");
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| (0..ROUNDS).for_each(|_| count_one()));
        }
    });
    let counted = COUNT.load(Ordering::Relaxed);
    report.exact("counted", THREADS * ROUNDS, counted);
    let thread_safe = counted == THREADS * ROUNDS;

    report.heading("a signal comes, and its handler tries the lock");
    sys::handle(Signal::SIGUSR1, Handler::TryLock, true)?;
    raise(Signal::SIGUSR1)?;
    report.exact(
        "nobody holds it",
        "free",
        free_or_held(sys::lock_was_free()),
    );
    let guard = held();
    raise(Signal::SIGUSR1)?;
    let free_in_handler = sys::lock_was_free();
    report.exact(
        "the thread that was interrupted holds it",
        "held, for ever",
        free_or_held(free_in_handler),
    );
    drop(guard);

    report.heading("a fork, and the child tries the lock");
    let free = sys::lock_is_free_in_a_child()?;
    report.exact("nobody holds it", "free", free_or_held(free));
    let (tell_held, is_held) = channel();
    let (let_go, go) = channel::<()>();
    let holder = thread::spawn(move || {
        let _guard = held();
        let _ = tell_held.send(());
        // Until the other end is dropped.
        let _ = go.recv();
    });
    let _ = is_held.recv();
    let free = sys::lock_is_free_in_a_child()?;
    report.exact(
        "another thread holds it",
        "held, for ever",
        free_or_held(free),
    );
    drop(let_go);
    let _ = holder.join();

    report.heading("mended: the signal comes through a signalfd");
    let mut only_this = SigSet::empty();
    only_this.add(Signal::SIGUSR1);
    only_this.thread_block()?;
    let signals = SignalFd::with_flags(&only_this, SfdFlags::SFD_NONBLOCK)?;
    let guard = held();
    raise(Signal::SIGUSR1)?;
    let ready = readiness::now(&signals)?;
    report.exact(
        "while the lock is held",
        "IN, to be read later",
        format!("{}, to be read later", events(ready)),
    );
    drop(guard);
    let signal = signals.read_signal()?;
    report.exact("read after that", true, signal.is_some());
    report.exact(
        "and the lock is",
        "free",
        free_or_held(LOCK.try_lock().is_ok()),
    );

    Ok(match (thread_safe, free_in_handler) {
        (true, false) => Finding::new('b', [Verdict::Wrong]),
        _ => Finding::new('a', [Verdict::Right]),
    })
}

fn free_or_held(is_free: bool) -> &'static str {
    if is_free { "free" } else { "held, for ever" }
}
