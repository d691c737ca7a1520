//! A server inside another program, on a thread of its own.
//!
//! Shows: a second event loop, made inside the thread that runs it; a waker as
//! the one way by which the two threads speak.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use epoll_loop::{EventLoop, Waker};

use crate::room::Kind;
use crate::server::Server;
use crate::settings::Settings;

/// A running server; stopped by [`Embedded::stop`], or when it is dropped.
#[derive(Debug)]
pub struct Embedded {
    /// None only while it is being stopped.
    running: Option<Running>,
    people: Arc<AtomicUsize>,
}

#[derive(Debug)]
struct Running {
    waker: Waker,
    thread: JoinHandle<io::Result<()>>,
}

impl Embedded {
    /// Serves those who connect to `irc` and `plain`, which
    /// [`epoll_loop::listen`] makes, until it is stopped. No signal is touched, and
    /// no limit of the process: no more clients are let in than the soft limit of
    /// descriptors (`RLIMIT_NOFILE`) leaves room for, so raise it before.
    ///
    /// # Errors
    ///
    /// What [`Server::new`] reports, and `EAGAIN` if no thread can be started.
    pub fn start(
        irc: Vec<TcpListener>,
        plain: Vec<TcpListener>,
        mut settings: Settings,
    ) -> io::Result<Embedded> {
        settings.fit(chapter::descriptor_limit()?, irc.len() + plain.len());
        let (sender, receiver) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("chat-server".to_owned())
            .spawn(move || {
                let mut event_loop = EventLoop::new()?;
                let doors = irc
                    .into_iter()
                    .map(|listener| (listener, Kind::Irc))
                    .chain(plain.into_iter().map(|listener| (listener, Kind::Plain)));
                let mut server = Server::new(&mut event_loop, doors.collect(), settings)?;
                let waker = event_loop.waker(Server::shut_down)?;
                // If nobody receives it, the waker is dropped and nothing can stop
                // the server any more; so it does not begin.
                if sender.send((waker, server.people())).is_err() {
                    return Ok(());
                }
                event_loop.run(&mut server)
            })?;
        match receiver.recv() {
            Ok((waker, people)) => Ok(Embedded {
                running: Some(Running { waker, thread }),
                people,
            }),
            // The thread has ended before it began to serve.
            Err(mpsc::RecvError) => Err(join(thread).err().unwrap_or_else(ended)),
        }
    }

    /// Number of people that others can see, this program's own user included.
    #[must_use]
    pub fn clients(&self) -> usize {
        self.people.load(Ordering::Relaxed)
    }

    /// Sends everybody an ERROR, writes what is queued for at most the drain
    /// setting, and waits for the thread.
    ///
    /// # Errors
    ///
    /// What the server has ended with.
    pub fn stop(mut self) -> io::Result<()> {
        self.finish()
    }

    fn finish(&mut self) -> io::Result<()> {
        let Some(Running { waker, thread }) = self.running.take() else {
            return Ok(());
        };
        waker.wake();
        join(thread)
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        // Who wants to know how it ended calls `stop`.
        let _ = self.finish();
    }
}

fn join(thread: JoinHandle<io::Result<()>>) -> io::Result<()> {
    thread.join().unwrap_or_else(|_| Err(ended()))
}

fn ended() -> io::Error {
    io::Error::other("the server thread has ended unexpectedly")
}
