//! Looking names up without holding the loop.
//!
//! Shows: `getaddrinfo(3)` blocks, for seconds if it asks a name server that is silent, and nothing
//! else knows what the system would answer (`/etc/hosts`, mDNS, LDAP). So it gets threads, which
//! wake the loop.
//! Leaves out: ending a lookup. It cannot be done; one that takes too long is left behind, and
//! occupies its thread until it ends by itself.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use epoll_loop::Waker;

/// How many lookups run at the same time; what is asked beyond them waits.
pub const RESOLVER_THREADS: usize = 8;

/// Looks the addresses of a name up. It may block: it is called in a thread of the pool.
pub type Lookup = dyn Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync;

/// A pool of threads that look names up.
///
/// A thread is started when there is more to do than threads to do it, up to [`RESOLVER_THREADS`].
/// Dropping the pool ends them as soon as their lookups end, and waits for none of them.
pub struct Resolver {
    shared: Arc<Shared>,
    answers: Receiver<Answer>,
    answer: Sender<Answer>,
}

/// A name, and what was found.
pub type Answer = (String, io::Result<Vec<SocketAddr>>);

struct Shared {
    lookup: Arc<Lookup>,
    queue: Mutex<Queue>,
    asked: Condvar,
}

struct Queue {
    names: VecDeque<String>,
    threads: usize,
    idle: usize,
    /// None when the pool was dropped: a thread that is stuck must not keep the loop running.
    waker: Option<Waker>,
}

impl Resolver {
    /// A pool without threads yet. `waker` is used when there is an answer to take.
    #[must_use]
    pub fn new(lookup: Arc<Lookup>, waker: Waker) -> Resolver {
        let (answer, answers) = mpsc::channel();
        let queue = Queue {
            names: VecDeque::new(),
            threads: 0,
            idle: 0,
            waker: Some(waker),
        };
        Resolver {
            shared: Arc::new(Shared {
                lookup,
                queue: Mutex::new(queue),
                asked: Condvar::new(),
            }),
            answers,
            answer,
        }
    }

    /// Asks for the addresses of `name`.
    ///
    /// # Errors
    ///
    /// `EAGAIN` if not one thread can be started (`pthread_create(3)`).
    pub fn ask(&self, name: &str) -> io::Result<()> {
        let mut queue = self.shared.lock();
        queue.names.push_back(name.to_owned());
        if queue.names.len() > queue.idle && queue.threads < RESOLVER_THREADS {
            let (shared, answer) = (Arc::clone(&self.shared), self.answer.clone());
            let started = thread::Builder::new()
                .name("resolver".to_owned())
                .spawn(move || shared.work(&answer));
            match started {
                Ok(_) => queue.threads += 1,
                // Those that there are will come to it.
                Err(_) if queue.threads > 0 => {}
                Err(err) => {
                    queue.names.pop_back();
                    return Err(err);
                }
            }
        }
        self.shared.asked.notify_one();
        Ok(())
    }

    /// Takes a name back that nobody waits for any more. Returns false if its lookup has begun:
    /// that goes on, and its answer comes.
    #[must_use]
    pub fn forget(&self, name: &str) -> bool {
        let mut queue = self.shared.lock();
        let before = queue.names.len();
        queue.names.retain(|other| other != name);
        queue.names.len() < before
    }

    /// What was found since this was last asked.
    pub fn answers(&self) -> impl Iterator<Item = Answer> + '_ {
        self.answers.try_iter()
    }
}

impl Shared {
    // ANCHOR: work
    /// What each thread does.
    fn work(&self, answer: &Sender<Answer>) {
        while let Some(name) = self.next() {
            let found = (self.lookup)(&name);
            // Nobody takes it: the pool was dropped, and `next` ends the thread.
            let _ = answer.send((name, found));
            if let Some(waker) = &self.lock().waker {
                waker.wake();
            }
        }
    }
    // ANCHOR_END: work

    /// Waits for a name to look up; None when the pool was dropped.
    fn next(&self) -> Option<String> {
        let mut queue = self.lock();
        loop {
            queue.waker.as_ref()?;
            if let Some(name) = queue.names.pop_front() {
                return Some(name);
            }
            queue.idle += 1;
            queue = self
                .asked
                .wait(queue)
                .unwrap_or_else(PoisonError::into_inner);
            queue.idle -= 1;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // The queue is whole between any two lines of the above.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Resolver {
    fn drop(&mut self) {
        self.shared.lock().waker = None;
        self.shared.asked.notify_all();
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let queue = self.shared.lock();
        f.debug_struct("Resolver")
            .field("threads", &queue.threads)
            .field("waiting", &queue.names.len())
            .finish_non_exhaustive()
    }
}

/// Asks the system, as every program does (`getaddrinfo(3)`). The ports of the answer are 0.
///
/// # Errors
///
/// The resolver's own words: `name or service not known`.
pub fn system_lookup(name: &str) -> io::Result<Vec<SocketAddr>> {
    Ok((name, 0).to_socket_addrs()?.collect())
}
