//! The client of pipes and plain terminals: lines in, lines out.
//!
//! Shows: standard input and a socket in one loop, each read when it is ready
//! and neither waiting for the other; standard input is left alone while enough
//! of it waits to be sent.
//! Leaves out: what the lines mean (`session`) and how they look (`print.rs`).

mod ending;
mod input;
mod print;
mod printer;
mod typed_lines;

use std::io;

use epoll_loop::{Event, EventLoop, Readiness, Signal};

use nonblock_connect::{AttemptId, ConnectError, Connected, Connector, Connects};

use crate::address::Address;
use crate::failure::Failure;
use crate::host::{self, Host};
use crate::link::{Link, Linked, uncertain_notice};
use crate::session;
use crate::session::{Command, News, Place, Session, Target};
use crate::standard_stream::watch_for_gone_reader;

use ending::Ending;
use input::{Input, InputRead};
use printer::Printer;
use typed_lines::{MAX_LINE_BYTES, Typed};

/// The signals that end the program: blocked before any thread is started.
pub(crate) const SIGNALS: [Signal; 3] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP];

/// What line mode is to do.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) address: Address,
    pub(crate) session: session::Settings,
    /// Whether to connect again when standard input is no terminal, too, and
    /// even if it has never worked.
    pub(crate) reconnect: bool,
    pub(crate) trace: chapter::Trace,
    /// The server behind the address, if it is inside this program.
    pub(crate) host: Option<Host>,
}

/// The state of the loop.
#[derive(Debug)]
struct LineMode {
    _tracing: chapter::Tracing,
    link: Link,
    reconnect: bool,
    input: Input,
    /// Lines of standard input that were too long to be taken.
    too_long: usize,
    printer: Printer,
    ending: Ending,
    host: Option<Host>,
    /// What the person wanted to go with, before being asked.
    quit_reason: String,
    /// Whether anything was said, and whether anybody was there to hear any of
    /// it.
    has_spoken: bool,
    was_heard: bool,
    failure: Option<Failure>,
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
    Link::start(&mut state, &mut event_loop);
    let ended = event_loop.run(&mut state).map_err(system);
    let closed = state.close(&mut event_loop);
    ended.and(closed)
}

impl Connects for LineMode {
    fn connector(&mut self) -> &mut Connector {
        &mut self.link.connector
    }

    fn finished(
        &mut self,
        event_loop: &mut EventLoop<LineMode>,
        _: AttemptId,
        result: Result<Connected, ConnectError>,
    ) {
        Link::take_connected(self, event_loop, result);
    }
}

impl Linked for LineMode {
    fn link(&mut self) -> &mut Link {
        &mut self.link
    }

    /// Ends the program with `failure`, or waits for the next attempt if there
    /// is to be one.
    fn unlinked(
        &mut self,
        event_loop: &mut EventLoop<LineMode>,
        failure: Failure,
        uncertain: usize,
    ) {
        if let Some(notice) = uncertain_notice(uncertain) {
            self.printer.say(notice);
        }
        let is_known = self.input.is_terminal() && self.link.has_been_registered();
        let may_retry = self.reconnect || is_known;
        let has_work = self.ending == Ending::Open || self.link.session.unsent() > 0;
        // A room inside this program does not come back.
        if !may_retry || !has_work || self.host.is_some() {
            return self.fail(event_loop, failure);
        }
        let seconds = self.link.retry_later(event_loop).delay.as_secs_f32();
        self.printer
            .say(format_args!("{failure}; trying again in {seconds:.1} s"));
    }

    /// Ends the program as failed.
    fn fail(&mut self, event_loop: &mut EventLoop<LineMode>, failure: Failure) {
        // Of two the first is the reason for the other.
        self.failure.get_or_insert(failure);
        self.end(event_loop);
    }

    fn left(&mut self, event_loop: &mut EventLoop<LineMode>) {
        self.end(event_loop);
    }
}

/// Says where the room is and how others join.
fn introduce(host: &Host, printer: &Printer) {
    printer.say(format_args!(
        "nobody listened on {}, so the room is here until you quit; others join by",
        host::IRC
    ));
    printer.add(host.commands());
    if let Some(no_plain) = host.no_plain() {
        printer.say(no_plain);
    }
}

impl LineMode {
    fn start(event_loop: &mut EventLoop<LineMode>, settings: Settings) -> io::Result<LineMode> {
        let tracing = settings.trace.start(event_loop)?;
        for signal in SIGNALS {
            event_loop.on_signal(signal, LineMode::interrupt)?;
        }
        event_loop.before_wait(LineMode::settle);
        let printer = Printer::new(event_loop)?;
        if let Some(host) = &settings.host {
            introduce(host, &printer);
        }
        let input = Input::watch(event_loop, LineMode::read_input)?;
        if let (true, Some(channel)) = (input.is_terminal(), settings.session.channels.last()) {
            printer.say(format_args!(
                "what you type is said in {channel}; /help lists the commands, /quit ends"
            ));
        }
        Ok(LineMode {
            _tracing: tracing,
            link: Link::new(Session::new(settings.session), settings.address),
            reconnect: settings.reconnect,
            input,
            too_long: 0,
            printer,
            ending: Ending::Open,
            host: settings.host,
            quit_reason: String::new(),
            has_spoken: false,
            was_heard: false,
            failure: None,
        })
    }

    /// Every turn, before the wait: sends what may be sent, prints what there is
    /// to print, and decides what to wait for.
    // ANCHOR: line-settle
    fn settle(&mut self, event_loop: &mut EventLoop<LineMode>, _: Event) {
        Link::settle(self, event_loop);
        self.print_news();
        self.go_on_ending(event_loop);
        // ANCHOR: is-reading
        let is_reading = self.ending == Ending::Open && !self.link.session.is_full();
        self.input.set_reading(event_loop, is_reading);
        // ANCHOR_END: is-reading
    }
    // ANCHOR_END: line-settle

    fn print_news(&mut self) {
        for report in self.link.session.take_news() {
            match &report.news {
                // What the person has typed stands in the terminal already.
                News::Said {
                    is_own: true,
                    place,
                    ..
                } => self.note_listeners(place),
                news => self.printer.tell(news),
            }
        }
    }

    /// Something was said: notes whether anybody was there.
    fn note_listeners(&mut self, place: &Place) {
        self.has_spoken = true;
        self.was_heard |= match place {
            Place::Channel(name) => {
                let channel = self.link.session.channel(name);
                channel.is_none_or(|channel| channel.member_count() > 1)
            }
            Place::Private(_) | Place::Server => true,
        };
    }

    /// Standard input can be read.
    fn read_input(&mut self, event_loop: &mut EventLoop<LineMode>, event: Event) {
        let (lines, outcome) = self.input.read();
        self.take_typed(event_loop, lines);
        match outcome {
            InputRead::Open => {}
            InputRead::AtEnd => {
                let is_gone = event.readiness.intersects(Readiness::HUP | Readiness::ERR);
                if !is_gone && self.asks_first() {
                    return;
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

    fn take_line(&mut self, event_loop: &mut EventLoop<LineMode>, mut text: String) {
        // A person at a terminal means now; in a file a line means after the
        // ones before it.
        if self.input.is_terminal() {
            if let Ok(Command::Quit(reason)) = Command::parse(&text) {
                if self.asks_first() {
                    reason.clone_into(&mut self.quit_reason);
                    return;
                }
                if reason.is_empty() && !self.quit_reason.is_empty() {
                    text = format!("/quit {}", self.quit_reason);
                }
                if !self.link.session.is_registered() {
                    return Link::leave(self, event_loop, "");
                }
            }
            if self.link.is_waiting() && !text.is_empty() {
                self.printer
                    .say("not connected, the line will be sent later");
            }
        }
        self.link.session.type_line(Target::Current, text);
    }

    /// Asks the person once if others would lose their room; true if it did.
    fn asks_first(&mut self) -> bool {
        if !self.input.is_terminal() {
            return false;
        }
        let Some(others) = self.host.as_mut().and_then(Host::ask_once) else {
            return false;
        };
        let are = if others == 1 {
            "person is"
        } else {
            "people are"
        };
        self.printer.say(format_args!(
            "{others} more {are} here, and the room closes when you go: /quit again to close it"
        ));
        true
    }

    /// A signal has come that ends the program.
    fn interrupt(&mut self, event_loop: &mut EventLoop<LineMode>, _: Event) {
        Link::leave(self, event_loop, "");
    }

    /// Nobody will read standard output any more: the others of a pipe end when
    /// that happens, and so does this.
    fn lose_reader(&mut self, event_loop: &mut EventLoop<LineMode>, _: Event) {
        if !matches!(self.failure, Some(Failure::ReaderGone)) {
            self.failure = Some(Failure::ReaderGone);
            Link::leave(self, event_loop, "");
        }
    }

    /// The last things, after the loop: looks how much was left unsent, closes
    /// the room, and has everything printed.
    fn close(mut self, event_loop: &mut EventLoop<LineMode>) -> Result<(), Failure> {
        self.print_news();
        self.count_what_is_there(event_loop);
        let unsent = self.link.session.unsent() + self.too_long;
        if unsent > 0 {
            let rest = if self.link.session.is_full() {
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
        // In a room of its own and from a pipe, words can go to nobody.
        let is_alone = self.host.is_some() && self.has_spoken && !self.was_heard;
        if is_alone && !self.input.is_terminal() {
            self.printer.say(format_args!(
                "nobody was there to hear it: no server listened on {}",
                host::IRC
            ));
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
        while !self.link.session.is_full() && self.input.is_ready() {
            let (lines, outcome) = self.input.read();
            self.take_typed(event_loop, lines);
            if !matches!(outcome, InputRead::Open) {
                let last = self.input.close();
                self.take_typed(event_loop, last);
            }
        }
    }
}
