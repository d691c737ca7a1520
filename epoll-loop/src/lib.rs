//! An event loop on epoll that can be read in an afternoon.
//!
//! One thread, many descriptors: ask the kernel which of them are ready, call a
//! function for each, ask again. The state of a program is a type of its own,
//! and a callback is one of its methods:
//!
//! ```
//! use std::io;
//! use std::time::Duration;
//! use std::net::{TcpListener, TcpStream};
//! use epoll_loop::{Event, EventLoop, Interest, Watched};
//!
//! /// Counts those who connect, until three have.
//! struct Door {
//!     listener: Watched<TcpListener>,
//!     visitors: usize,
//! }
//!
//! impl Door {
//!     /// The listener is readable: its backlog holds a connection.
//!     fn admit(&mut self, event_loop: &mut EventLoop<Door>, _: Event) {
//!         match self.listener.accept() {
//!             Ok(_) => self.visitors += 1,
//!             // The visitor has gone again: not an error.
//!             Err(err) if err.kind() == io::ErrorKind::WouldBlock => {}
//!             Err(err) => event_loop.stop(Err(err)),
//!         }
//!         if self.visitors == 3 {
//!             event_loop.stop(Ok(()));
//!         }
//!     }
//!
//!     /// Nobody has come for a long time.
//!     fn close(&mut self, event_loop: &mut EventLoop<Door>, _: Event) {
//!         event_loop.stop(Err(io::ErrorKind::TimedOut.into()));
//!     }
//! }
//!
//! let listener = TcpListener::bind("127.0.0.1:0")?;
//! listener.set_nonblocking(true)?;
//! let address = listener.local_addr()?;
//!
//! let mut event_loop = EventLoop::new()?;
//! let listener = event_loop.watch(listener, Interest::READABLE, Door::admit)?;
//! event_loop.after(Duration::from_secs(10), Door::close);
//!
//! let visitors = [(); 3].map(|()| TcpStream::connect(address));
//! let mut door = Door { listener, visitors: 0 };
//! event_loop.run(&mut door)?;
//! assert_eq!(door.visitors, visitors.len());
//! # Ok::<(), io::Error>(())
//! ```
//!
//! # What the loop takes care of
//!
//! - **Stale events.** A callback may end any watch, its own included; nobody
//!   is called for it any more, not even for an event that has been reported
//!   already. See [`Watched`].
//! - **System calls that are not needed.** A change of interest is noted, and
//!   told to the kernel before the wait, if it is still one by then.
//! - **Time.** No timer fires early, no wait is a busy one.
//! - **Regular files and `/dev/null`**, which epoll refuses: always ready.
//! - **Standard output and error** that nobody reads: see [`Output`].
//!
//! # Where to begin reading
//!
//! `turn.rs` is the loop: one function, a line a step; `noting.rs` and
//! `waiting.rs` are two of the steps. Then `watch.rs` and `changes.rs`
//! (descriptors), `time.rs`, `deadline.rs` and `timers.rs`, `signals.rs`,
//! `waker.rs`; `event_loop.rs` and `ending.rs` have what a program calls.
//! [`listen`] and [`accept`], [`read_within`], [`SendQueue`] and [`WatcherMap`]
//! are what nearly every server needs beside the loop.
//!
//! The design is libev's, from where the names watcher, pending, feed and reify
//! come. What differs is said where it does.

mod changes;
mod deadline;
mod ending;
mod epoll;
mod event_loop;
mod listener;
mod noting;
mod observer;
mod output;
mod pending;
mod read;
mod readiness;
mod renew;
mod send_queue;
mod signals;
mod spawn;
mod terminal;
mod threads;
mod time;
mod timers;
mod trace;
mod turn;
mod waiting;
mod waker;
mod watch;
mod watcher_map;
mod watchers;

pub use event_loop::{Callback, Event, EventLoop};
pub use listener::{Accepted, accept, listen};
pub use nix::sys::signal::Signal;
pub use observer::{Entry, Name, Observer, Operation, Source, WaitReason};
pub use output::{OUTPUT_LIMIT_BYTES, Output};
pub use read::{ReadEnd, read_within};
pub use readiness::{Interest, Readiness};
pub use send_queue::SendQueue;
pub use signals::BlockedSignals;
pub use spawn::spawn;
pub use terminal::open_terminal;
pub use trace::Trace;
pub use waker::Waker;
pub use watch::{Watch, Watched};
pub use watcher_map::WatcherMap;
pub use watchers::WatcherId;
