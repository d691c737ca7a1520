//! Carries a measurement out: one loop, a word a second on standard error, an end to waiting.

use std::io;
use std::time::{Duration, Instant};

use epoll_loop::{EventLoop, Output, Signal};

use crate::crowd::{self, Driver};
use crate::failure::Failure;
use crate::process::ServerProcess;

/// How long the last lines on standard error may take.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What all measurements are told.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) server: std::net::SocketAddr,
    pub(crate) process: Option<ServerProcess>,
    /// Clients that may be connecting, registering or joining at the same time, if somebody has
    /// said so.
    pub(crate) under_way: Option<usize>,
    /// How long nothing may come.
    pub(crate) patience: Duration,
    pub(crate) trace: chapter::Trace,
    pub(crate) quiet: bool,
    /// What progress is said of, if there are several things.
    pub(crate) prefix: String,
}

/// Clients under way at the same time if nobody has said how many.
const UNDER_WAY: usize = 256;

impl Options {
    /// Clients that may be connecting, registering or joining at the same time.
    pub(crate) fn under_way(&self) -> usize {
        self.under_way.unwrap_or(UNDER_WAY)
    }
}

/// A measurement: what it does with its crowd, and how far it is.
pub(crate) trait Measurement: Driver {
    /// Has the first clients come.
    fn begin(&mut self, event_loop: &mut EventLoop<Self>) -> io::Result<()>;

    /// How far it is, in a few words.
    fn progress(&mut self) -> String;

    /// The watch over it.
    fn supervision(&mut self) -> &mut Supervision;
}

/// Says how a measurement gets on, and ends one that does not.
#[derive(Debug)]
pub(crate) struct Supervision {
    patience: Duration,
    output: Option<Output>,
    prefix: String,
    bytes_seen: u64,
    seen_at: Instant,
}

impl Supervision {
    pub(crate) fn new(options: &Options) -> Supervision {
        Supervision {
            patience: options.patience,
            output: None,
            prefix: options.prefix.clone(),
            bytes_seen: 0,
            seen_at: Instant::now(),
        }
    }
}

/// The server's memory now, in bytes; 0 if nobody has said which process it is.
pub(crate) fn memory(process: Option<ServerProcess>) -> io::Result<u64> {
    process.map_or(Ok(0), |process| Ok(process.usage()?.resident_bytes))
}

/// Runs until the measurement stops the loop.
pub(crate) fn run<M: Measurement>(measurement: &mut M, options: &Options) -> io::Result<()> {
    let mut event_loop = EventLoop::new()?;
    let output = event_loop.standard_error()?;
    let _tracing = options.trace.start(&mut event_loop)?;
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        event_loop.on_signal(signal, |_, event_loop, _| {
            event_loop.stop(Err(Failure::Interrupted.into()));
        })?;
    }
    if !options.quiet {
        measurement.supervision().output = Some(output.clone());
    }
    measurement.supervision().seen_at = Instant::now();
    crowd::attach(&mut event_loop);
    event_loop.every(Duration::from_secs(1), |measurement, event_loop, _| {
        supervise(measurement, event_loop);
    });
    measurement.begin(&mut event_loop)?;
    let result = event_loop.run(measurement);
    output.drain(LAST_WORDS);
    result
}

/// A second has passed.
fn supervise<M: Measurement>(measurement: &mut M, event_loop: &mut EventLoop<M>) {
    let progress = measurement.progress();
    let bytes = measurement.crowd().bytes_read;
    let now = event_loop.now();
    let supervision = measurement.supervision();
    if let Some(output) = &supervision.output {
        output.write_line(format!("stress-client: {}{progress}\n", supervision.prefix).as_bytes());
    }
    if bytes != supervision.bytes_seen {
        supervision.bytes_seen = bytes;
        supervision.seen_at = now;
    } else if now.saturating_duration_since(supervision.seen_at) >= supervision.patience {
        let stalled = Failure::Stalled(supervision.patience, progress);
        event_loop.stop(Err(stalled.into()));
    }
}
