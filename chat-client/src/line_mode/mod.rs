//! The client of pipes and plain terminals: lines in, lines out.
//!
//! Shows: standard input and a socket in one loop, each read when it is ready
//! and neither waiting for the other; standard input is left alone while enough
//! of it waits to be sent.
//! Leaves out: what the lines mean (`session`) and how they look (`print.rs`).

mod backoff;
mod connection;
mod ending;
mod host;
mod input;
mod print;
mod printer;
mod typed_lines;

use std::io;

use epoll_loop::{Event, EventLoop, Readiness, Signal, Trace, WatcherId};

use crate::address::Address;
use crate::attempt::Attempt;
use crate::failure::Failure;
use crate::session;
use crate::session::{Command, News, Session, Surface, Target};
use crate::standard_stream::watch_for_gone_reader;

use backoff::Backoff;
use connection::Connection;
use ending::Ending;
pub(crate) use host::{Host, address as default_address};
use input::{Input, InputRead};
use printer::Printer;
use typed_lines::{MAX_LINE_BYTES, Typed};

/// The signals that end the program: blocked before any thread is started.
pub(crate) const SIGNALS: [Signal; 3] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP];

/// What line mode is to do.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) address: Address,
    pub(crate) nick: String,
    pub(crate) channels: Vec<String>,
    /// Whether to connect again when standard input is no terminal, too, and
    /// even if it has never worked.
    pub(crate) reconnect: bool,
    pub(crate) trace: bool,
    /// The server behind the address, if it is inside this program.
    pub(crate) host: Option<Host>,
}

/// The state of the loop.
#[derive(Debug)]
struct LineMode {
    session: Session,
    attempt: Attempt,
    connection: Option<Connection>,
    /// Runs until the next attempt.
    retry: Option<WatcherId>,
    backoff: Backoff,
    reconnect: bool,
    has_been_registered: bool,
    input: Input,
    /// Lines of standard input that were too long to be taken.
    too_long: usize,
    printer: Printer,
    ending: Ending,
    host: Option<Host>,
    /// Whether the person was asked if the room should really close.
    was_asked: bool,
    failure: Option<Failure>,
    buffer: Box<[u8]>,
}

/// Connects, and relays between the person and the server until one of them
/// has had enough.
///
/// # Errors
///
/// See [`Failure`].
pub(crate) fn run(settings: Settings) -> Result<(), Failure> {
    let system = |err| Failure::System("event loop", err);
    let mut event_loop = EventLoop::new().map_err(system)?;
    let mut state = LineMode::start(&mut event_loop, settings).map_err(system)?;
    let _reader = watch_for_gone_reader(&mut event_loop, LineMode::lose_reader).map_err(system)?;
    Attempt::start(&mut state, &mut event_loop);
    let ended = event_loop.run(&mut state).map_err(system);
    let closed = state.close(&mut event_loop);
    ended.and(closed)
}

impl LineMode {
    fn start(event_loop: &mut EventLoop<LineMode>, settings: Settings) -> io::Result<LineMode> {
        if settings.trace {
            Trace::start(event_loop)?;
        }
        for signal in SIGNALS {
            event_loop.on_signal(signal, LineMode::interrupt)?;
        }
        event_loop.before_wait(LineMode::settle);
        let printer = Printer::new(event_loop)?;
        if let Some(host) = &settings.host {
            host.introduce(&printer);
        }
        let input = Input::watch(event_loop, LineMode::read_input)?;
        if let (true, Some(channel)) = (input.is_terminal(), settings.channels.last()) {
            printer.say(format_args!(
                "what you type is said in {channel}; /help lists the commands, /quit ends"
            ));
        }
        Ok(LineMode {
            session: Session::new(session::Settings::new(
                &settings.nick,
                &settings.channels,
                Surface::Lines,
            )),
            attempt: Attempt::new(settings.address),
            connection: None,
            retry: None,
            backoff: Backoff::new(),
            reconnect: settings.reconnect,
            has_been_registered: false,
            input,
            too_long: 0,
            printer,
            ending: Ending::Open,
            host: settings.host,
            was_asked: false,
            failure: None,
            buffer: vec![0; connection::READ_BYTES].into(),
        })
    }

    /// Every turn, before the wait: sends what may be sent, prints what there is
    /// to print, and decides what to wait for.
    fn settle(&mut self, event_loop: &mut EventLoop<LineMode>, _: Event) {
        self.send(event_loop);
        self.print_news();
        self.has_been_registered |= self.session.is_registered();
        self.give_up_if_denied(event_loop);
        self.go_on_ending(event_loop);
        let is_reading = self.ending == Ending::Open && !self.session.is_full();
        self.input.set_reading(event_loop, is_reading);
    }

    fn print_news(&mut self) {
        for report in self.session.take_news() {
            // What the person has typed stands in the terminal already.
            if !matches!(report.news, News::Said { is_own: true, .. }) {
                self.printer.tell(&report.news);
            }
        }
    }

    /// Standard input can be read.
    fn read_input(&mut self, event_loop: &mut EventLoop<LineMode>, event: Event) {
        let (lines, outcome) = self.input.read();
        self.take_typed(event_loop, lines);
        match outcome {
            InputRead::Open => {}
            InputRead::AtEnd => {
                let is_gone = event.readiness.intersects(Readiness::HUP | Readiness::ERR);
                if !is_gone && self.must_ask() {
                    return self.ask();
                }
                self.end_input(event_loop);
            }
            InputRead::Failed(err) => {
                self.failure = Some(Failure::System("standard input", err));
                self.end_input(event_loop);
            }
        }
    }

    /// There will be no more input; what was typed is still to be sent.
    fn end_input(&mut self, event_loop: &mut EventLoop<LineMode>) {
        let last = self.input.close();
        self.take_typed(event_loop, last);
        self.finish_input(event_loop);
    }

    fn take_typed(&mut self, event_loop: &mut EventLoop<LineMode>, lines: Vec<Typed>) {
        for line in lines {
            match line {
                Typed::Line(text) => self.take_line(event_loop, text),
                Typed::Repaired(text) => {
                    self.printer.say(
                        "a line was no UTF-8, and is sent with U+FFFD in place of what was not",
                    );
                    self.take_line(event_loop, text);
                }
                Typed::TooLong => {
                    self.too_long += 1;
                    self.printer.say(format_args!(
                        "a line of more than {MAX_LINE_BYTES} bytes is left out"
                    ));
                }
            }
        }
    }

    fn take_line(&mut self, event_loop: &mut EventLoop<LineMode>, text: String) {
        // A person at a terminal means now; in a file a line means after the
        // ones before it.
        if self.input.is_terminal() {
            if let Ok(Command::Quit(_)) = Command::parse(&text) {
                if self.must_ask() {
                    return self.ask();
                }
                if !self.session.is_registered() {
                    return self.leave(event_loop);
                }
            }
            if self.retry.is_some() && !text.is_empty() {
                self.printer
                    .say("not connected, the line will be sent later");
            }
        }
        self.session.type_line(Target::Current, text);
    }

    /// Whether others would lose their room, and the person was not asked yet.
    fn must_ask(&self) -> bool {
        let has_others = self.host.as_ref().is_some_and(|host| host.others() > 0);
        has_others && self.input.is_terminal() && !self.was_asked
    }

    fn ask(&mut self) {
        self.was_asked = true;
        let others = self.host.as_ref().map_or(0, Host::others);
        let are = if others == 1 {
            "person is"
        } else {
            "people are"
        };
        self.printer.say(format_args!(
            "{others} more {are} here, and the room closes when you go: /quit again to close it"
        ));
    }

    /// A signal has come that ends the program.
    fn interrupt(&mut self, event_loop: &mut EventLoop<LineMode>, _: Event) {
        self.leave(event_loop);
    }

    /// Nobody will read standard output any more: the others of a pipe end when
    /// that happens, and so does this.
    fn lose_reader(&mut self, event_loop: &mut EventLoop<LineMode>, _: Event) {
        if !matches!(self.failure, Some(Failure::ReaderGone)) {
            self.failure = Some(Failure::ReaderGone);
            self.leave(event_loop);
        }
    }

    /// The last things, after the loop: looks how much was left unsent, closes
    /// the room, and has everything printed.
    fn close(mut self, event_loop: &mut EventLoop<LineMode>) -> Result<(), Failure> {
        self.print_news();
        self.count_what_is_there(event_loop);
        let unsent = self.session.unsent() + self.too_long;
        if unsent > 0 {
            let rest = if self.session.is_full() {
                ", and the rest of standard input was not read"
            } else {
                ""
            };
            let were = if unsent == 1 {
                "line was"
            } else {
                "lines were"
            };
            self.printer
                .say(format_args!("{unsent} {were} not sent{rest}"));
        }
        let closed = self.host.take().map_or(Ok(()), Host::close);
        let result = match (self.failure, closed) {
            (Some(failure), _) => Err(failure),
            (None, closed) => closed.map_err(|err| Failure::System("chat-server", err)),
        };
        let has_reader = !matches!(result, Err(Failure::ReaderGone));
        if self.printer.drain(has_reader) {
            result
        } else {
            // Standard error is full and unread: only the exit code is left.
            result.map_err(|_| Failure::ReaderGone)
        }
    }

    /// After a failure: takes what stands ready on standard input, to be
    /// counted. A terminal's is left to the shell.
    fn count_what_is_there(&mut self, event_loop: &mut EventLoop<LineMode>) {
        if self.failure.is_none() || self.input.is_terminal() {
            return;
        }
        while !self.session.is_full() && self.input.is_ready() {
            let (lines, outcome) = self.input.read();
            self.take_typed(event_loop, lines);
            if !matches!(outcome, InputRead::Open) {
                let last = self.input.close();
                self.take_typed(event_loop, last);
            }
        }
    }
}
