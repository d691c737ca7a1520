//! inetd's small services over TCP and UDP, on one epoll loop.
//!
//! Chapter: TCP and UDP on one port (the book's section 9.7, listing 9-8).
//! Run it: `cargo run -p tcp-udp-server`, then
//! `cargo run -p tcp-udp-server -- probe` in another terminal.
//!
//! What it shows and leaves out, and what the printed listing gets wrong, says
//! the library (`lib.rs`).

mod arguments;
mod demo;

use std::error::Error;
use std::fmt;
use std::io::{self, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use epoll_loop::{EventLoop, Signal};
use tcp_udp_server::{Probe, Question, Server, Sockets, Transport};

use arguments::{Arguments, Command, ProbeArguments, ServeArguments};

/// How long the last lines of log and trace may take.
const LOG_DRAIN: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match &arguments.command {
        None => serve(&arguments.serve),
        Some(Command::Probe(arguments)) => probe(arguments),
        Some(Command::Demo { trace }) => demo::run(*trace),
    };
    chapter::exit("tcp-udp-server", result.map_err(|err| in_words(&*err)))
}

/// An error as one line; the system's without its number.
fn in_words(err: &(dyn Error + 'static)) -> String {
    err.downcast_ref()
        .map_or_else(|| err.to_string(), chapter::why)
}

fn serve(arguments: &ServeArguments) -> Result<(), Box<dyn Error>> {
    let descriptors = chapter::raise_descriptor_limit()?;
    let settings = arguments.settings(descriptors)?;
    let _signals = EventLoop::block_signals(&[Signal::SIGINT, Signal::SIGTERM])?;
    let mut event_loop = EventLoop::new()?;
    let log = event_loop.standard_error()?;
    let _tracing = arguments.trace.start(&mut event_loop)?;
    let mut all = Vec::new();
    for &address in &arguments.listen {
        for wanted in arguments.services() {
            let service = wanted.service;
            let with_udp = arguments.serves_udp(service, address);
            let sockets = Sockets::bind(service, address, wanted.port, with_udp)?;
            let transports = if with_udp { "tcp and udp" } else { "tcp only" };
            all.push((sockets.address()?, service, transports, sockets));
        }
    }
    let lines: Vec<_> = all
        .iter()
        .map(|(address, service, transports, _)| format!("{address} {service}, {transports}"))
        .collect();
    let all = all.into_iter().map(|(.., sockets)| sockets).collect();
    let mut server = Server::new(&mut event_loop, all, settings, Some(log.clone()))?;
    let stop = |_: &mut Server, event_loop: &mut EventLoop<Server>, _| event_loop.stop(Ok(()));
    event_loop.on_signal(Signal::SIGINT, stop)?;
    event_loop.on_signal(Signal::SIGTERM, stop)?;
    for line in lines {
        chapter::listening_on(line)?;
    }
    if let Some(notice) = arguments.notice() {
        log.write_line(format!("tcp-udp-server: {notice}\n").as_bytes());
    }
    let result = event_loop.run(&mut server);
    log.write_line(format!("tcp-udp-server: {}\n", server.counters()).as_bytes());
    log.drain(LOG_DRAIN);
    Ok(result?)
}

fn probe(arguments: &ProbeArguments) -> Result<(), Box<dyn Error>> {
    let host = arguments.host.as_str();
    // Looked up before the loop begins: a name server may take its time.
    let address = (host, 0)
        .to_socket_addrs()
        .map_err(|source| HostError {
            host: host.to_owned(),
            source,
        })?
        .next()
        .ok_or_else(|| HostError {
            host: host.to_owned(),
            source: io::ErrorKind::NotFound.into(),
        })?;
    let mut questions = Vec::new();
    for wanted in arguments.services() {
        for transport in [Transport::Tcp, Transport::Udp] {
            if arguments.asks(transport) {
                questions.push(Question {
                    service: wanted.service,
                    transport,
                    address: SocketAddr::new(address.ip(), wanted.port),
                });
            }
        }
    }
    let mut event_loop = EventLoop::new()?;
    let _tracing = arguments.trace.start(&mut event_loop)?;
    let mut probe = Probe::new(&mut event_loop, &questions, arguments.timeout);
    event_loop.run(&mut probe)?;
    let (mut out, mut failed) = (io::stdout(), 0);
    for report in probe.reports() {
        let Question {
            service,
            transport,
            address,
        } = report.question;
        let milliseconds = report.time.as_secs_f64() * 1e3;
        let (verdict, what) = match &report.result {
            Ok(said) => ("ok", said.to_string()),
            Err(failure) => ("FAILED", failure.to_string()),
        };
        failed += usize::from(report.result.is_err());
        // Not println, which panics where nobody reads any more.
        writeln!(
            out,
            "{service:8} {transport} {address}  {milliseconds:6.1} ms  {verdict:6}  {what}"
        )?;
    }
    match failed {
        0 => Ok(()),
        _ => Err(Box::new(ProbeError {
            failed,
            all: questions.len(),
        })),
    }
}

/// A name that has no address.
#[derive(Debug)]
struct HostError {
    host: String,
    source: io::Error,
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.host, chapter::why(&self.source))
    }
}

impl Error for HostError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

/// Not all services have answered as they should.
#[derive(Debug)]
struct ProbeError {
    failed: usize,
    all: usize,
}

impl fmt::Display for ProbeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "probe: {} of {} failed", self.failed, self.all)
    }
}

impl Error for ProbeError {}
