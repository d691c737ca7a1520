//! Our chat server, for a measurement: this program once more, as a process of its own, so that its
//! CPU time and memory are nobody else's.
//!
//! Shows: the library of `chat-server` with its limits lifted. Flood control is off, unless it is what is measured, and as many
//! clients are let in as there are descriptors for; everything else is as it is served to people.
//! Leaves out: a log, and a way to be replaced. Who measures a server that is in use starts
//! `chat-server`.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use chat_server::room::Kind;
use chat_server::{Server, Settings};
use epoll_loop::{EventLoop, Signal, listen};

use crate::arguments::ServeLimits;

/// Serves on a free port of loopback until SIGTERM.
pub(crate) fn serve(limits: ServeLimits) -> io::Result<()> {
    let descriptors = chapter::raise_descriptor_limit()?;
    let _signals = EventLoop::block_signals(&[Signal::SIGINT, Signal::SIGTERM])?;
    let mut settings = Settings::default();
    if limits == ServeLimits::Lifted {
        settings.flood = None;
    }
    settings.rules.limits.max_clients = Settings::clients_within(descriptors, 1);
    let mut event_loop = EventLoop::new()?;
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        event_loop.on_signal(signal, Server::shut_down)?;
    }
    let listener = listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    let address = listener.local_addr()?;
    let mut server = Server::new(&mut event_loop, vec![(listener, Kind::Irc)], settings)?;
    chapter::listening_on(address)?;
    event_loop.run(&mut server)
}
