//! A chat room on one epoll loop, for IRC clients and for plain `nc`.
//!
//! Chapter: the chat server (the book's listing 9-7).
//! Run it: `cargo run -p chat-server -- --plain-listen 127.0.0.1:6668`, then
//! `irssi -c 127.0.0.1 -p 6667` or `nc 127.0.0.1 6668` in other terminals.
//!
//! Shows: accept until `WouldBlock`; lines out of a byte stream; a queue a
//! client, flushed once a batch; slow readers, floods and floods of
//! connections that cost nobody else anything; a shutdown that loses nothing; a
//! successor that takes everybody over.
//! Leaves out: servers linked to servers, accounts, TLS (put stunnel in front).
//!
//! What the printed listing gets wrong: it sets bits where it means to clear
//! them (`events |= ~POLLOUT`), and so asks for everything and spins; it
//! broadcasts a pointer into the sender's buffer, which the next read changes;
//! it ignores short writes; five users are its limit.

mod arguments;
mod starting;

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use chat_server::Server;
use chat_server::room::Rules;
use clap::Parser;
use epoll_loop::{EventLoop, Output, Signal};
use tracing::info;

use crate::arguments::Arguments;
use crate::starting::{collect, start};

/// How long the last lines of the log may take.
pub(crate) const LOG_DRAIN: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    chapter::exit("chat-server", run(&arguments))
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let descriptors = chapter::raise_descriptor_limit()?;
    let settings = arguments.settings(descriptors)?;
    // Before signals are blocked: whoever waits for an old server can be ended at
    // once, and the old one notices.
    let inheritance = collect(arguments, &settings, descriptors)?;
    let _signals = EventLoop::block_signals(&[Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP])?;
    let mut event_loop = EventLoop::new()?;
    let log = event_loop.standard_error()?;
    start_log(arguments, log.clone());
    let _tracing = arguments.trace.start(&mut event_loop)?;
    let wanted = Rules::default().limits.max_clients;
    if arguments.max_clients.is_none() && settings.rules.limits.max_clients < wanted {
        info!(
            max_clients = settings.rules.limits.max_clients,
            "the limit of descriptors (ulimit -n) allows no more clients"
        );
    }
    event_loop.on_signal(Signal::SIGINT, Server::shut_down)?;
    event_loop.on_signal(Signal::SIGTERM, Server::shut_down)?;
    event_loop.on_signal(Signal::SIGHUP, Server::reread_motd)?;
    let mut server = start(&mut event_loop, arguments, settings, inheritance)?;
    let result = event_loop.run(&mut server);
    log.drain(LOG_DRAIN);
    Ok(result?)
}

/// The log goes through the loop, so that a reader who has stopped does not
/// stop the server.
fn start_log(arguments: &Arguments, output: Output) {
    tracing_subscriber::fmt()
        .with_max_level(arguments.log)
        .with_target(false)
        .with_ansi(false)
        .with_writer(move || output.clone())
        .init();
}
