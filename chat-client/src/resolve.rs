//! Looking a name up without holding the loop.
//!
//! Shows: `getaddrinfo(3)` blocks, for seconds if it has to ask a name server
//! that is silent, and there is no other way to ask what the system would
//! answer (`/etc/hosts`, mDNS, LDAP). So it gets a thread, which wakes the loop
//! when it is done.
//! Leaves out: ending a lookup. It cannot be done; one that takes too long is
//! left behind, and taken up again if the name is asked for once more.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::thread;

use epoll_loop::Waker;

use crate::address::Address;

/// A lookup on its way.
#[derive(Debug)]
pub(crate) struct Lookup {
    answer: Receiver<io::Result<Vec<SocketAddr>>>,
}

impl Lookup {
    /// Starts to look `address` up; `waker` is used when there is an answer.
    ///
    /// # Errors
    ///
    /// `EAGAIN` if no thread can be started.
    pub(crate) fn start(address: &Address, waker: Waker) -> io::Result<Lookup> {
        let (sender, answer) = mpsc::channel();
        let (host, port) = (address.host.clone(), address.port);
        thread::Builder::new()
            .name("resolver".to_owned())
            .spawn(move || {
                let found = (host.as_str(), port).to_socket_addrs();
                // Nobody waits for it any more: then it is not needed.
                let _ = sender.send(found.map(Iterator::collect));
                waker.wake();
            })?;
        Ok(Lookup { answer })
    }

    /// The addresses, once they are there.
    pub(crate) fn answer(&self) -> Option<io::Result<Vec<SocketAddr>>> {
        match self.answer.try_recv() {
            Ok(answer) => Some(answer),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(Err(io::Error::other(
                "the resolver thread has ended unexpectedly",
            ))),
        }
    }
}
