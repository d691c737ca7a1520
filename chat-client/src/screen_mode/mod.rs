//! The screen's loop: keyboard, socket, timers, signals and frames.
//!
//! Shows: everything that can happen comes through one wait. The loop hands it
//! to the state (`app`) and the session, carries out what they ask for, and
//! draws when something has changed; nothing here waits for anybody.
//! Leaves out: what is shown (`app`), and how the connection is kept (`link`).

mod frames;
mod job;
mod keyboard;

use std::fs::File;
use std::io;
use std::time::Instant;

use epoll_loop::{Event, EventLoop, Interest, Signal, Watch, Watched, WatcherId};
use jiff::Timestamp;
use nonblock_connect::{AttemptId, ConnectError, Connected, Connector, Connects};

use crate::address::Address;
use crate::app::{App, AppEvent, AppSettings, Effect, HostNotice, LinkState, Moment};
use crate::failure::Failure;
use crate::host::Host;
use crate::link::{Link, Linked, uncertain_notice};
use crate::log_files::LogFiles;
use crate::session::{self, Report, Session};
use crate::terminal::{self, Guard, Keys, Output};

use frames::Frames;

/// The signals that the screen takes: blocked before any thread is started.
pub(crate) const SIGNALS: [Signal; 6] = [
    Signal::SIGINT,
    Signal::SIGTERM,
    Signal::SIGHUP,
    Signal::SIGWINCH,
    Signal::SIGTSTP,
    Signal::SIGCONT,
];

/// What the screen is to show, and on what.
#[derive(Debug)]
pub(crate) struct Settings {
    /// From [`terminal::open`].
    pub(crate) terminal: File,
    pub(crate) address: Address,
    pub(crate) session: session::Settings,
    pub(crate) app: AppSettings,
    /// Where conversations are kept, if they are.
    pub(crate) log_files: Option<LogFiles>,
    pub(crate) trace: chapter::Trace,
    /// The server behind the address, if it is inside this program.
    pub(crate) host: Option<Host>,
}

/// The state of the loop.
#[derive(Debug)]
struct ScreenMode {
    app: App,
    _tracing: chapter::Tracing,
    link: Link,
    /// As the app was told last.
    link_state: Option<LinkState>,
    /// None once it is gone.
    terminal: Option<Watched<File>>,
    guard: Guard,
    keys: Keys,
    /// Runs while the rest of a key is waited for.
    key_timer: Option<WatcherId>,
    output: Output,
    frames: Frames,
    /// The terminal is given back: the process was stopped, and what continues
    /// it has not been told yet.
    is_stopped: bool,
    /// When the app wants to be told the time.
    tick: Option<(Instant, WatcherId)>,
    /// None after the first failure, too.
    log_files: Option<LogFiles>,
    host: Option<Host>,
    buffer: Box<[u8]>,
}

/// Shows the screen until the person has had enough.
///
/// # Errors
///
/// See [`Failure`].
pub(crate) fn run(settings: Settings) -> Result<(), Failure> {
    let system = |err| Failure::System("event loop", err);
    let mut event_loop = EventLoop::new().map_err(system)?;
    let mut state = ScreenMode::start(&mut event_loop, settings)?;
    Link::start(&mut state, &mut event_loop);
    let ended = event_loop.run(&mut state).map_err(system);
    ended.and(state.close())
}

impl ScreenMode {
    fn start(
        event_loop: &mut EventLoop<ScreenMode>,
        settings: Settings,
    ) -> Result<ScreenMode, Failure> {
        let system = |err| Failure::System("event loop", err);
        let tracing = settings.trace.start(event_loop).map_err(system)?;
        Self::watch_signals(event_loop).map_err(system)?;
        event_loop.before_wait(ScreenMode::settle);
        let guard = Guard::new(&settings.terminal);
        let guard = guard.map_err(|err| Failure::System("terminal", err))?;
        let size = terminal::size(&settings.terminal);
        let watch = Watch::new(Interest::READABLE).label("terminal");
        let terminal = event_loop.watch(settings.terminal, watch, ScreenMode::use_terminal);
        let link = Link::new(Session::new(settings.session), settings.address);
        let mut state = ScreenMode {
            _tracing: tracing,
            app: App::new(settings.app, &link.session, moment(event_loop)),
            link,
            link_state: None,
            terminal: Some(terminal.map_err(system)?),
            guard,
            keys: Keys::default(),
            key_timer: None,
            output: Output::new(size),
            frames: Frames::default(),
            is_stopped: false,
            tick: None,
            log_files: settings.log_files,
            host: settings.host,
            buffer: vec![0; keyboard::READ_BYTES].into(),
        };
        state.output.push(&Guard::opening());
        state.update(
            event_loop,
            AppEvent::Resize {
                columns: size.width,
                rows: size.height,
            },
        );
        if let Some(host) = &state.host {
            let opened = HostNotice::Opened {
                commands: host.commands().to_vec(),
                no_plain: host.no_plain().map(str::to_owned),
            };
            state.update(event_loop, AppEvent::Host(opened));
        }
        Ok(state)
    }

    fn watch_signals(event_loop: &mut EventLoop<ScreenMode>) -> io::Result<()> {
        event_loop.on_signal(Signal::SIGINT, ScreenMode::interrupt)?;
        event_loop.on_signal(Signal::SIGTERM, ScreenMode::interrupt)?;
        event_loop.on_signal(Signal::SIGHUP, ScreenMode::hang_up)?;
        event_loop.on_signal(Signal::SIGWINCH, ScreenMode::resize)?;
        event_loop.on_signal(Signal::SIGTSTP, ScreenMode::suspend)?;
        event_loop.on_signal(Signal::SIGCONT, ScreenMode::resume)?;
        Ok(())
    }

    /// Tells the app what has happened.
    fn update(&mut self, event_loop: &EventLoop<ScreenMode>, event: AppEvent) {
        let now = moment(event_loop);
        self.app.update(&mut self.link.session, event, now);
    }

    /// Every turn, before the wait: sends and tells what there is, does what the
    /// app asks for, and draws.
    // ANCHOR: settle-turn
    fn settle(&mut self, event_loop: &mut EventLoop<ScreenMode>, _: Event) {
        loop {
            let lag = self.link.session.lag();
            Link::settle(self, event_loop);
            let has_news = self.tell(event_loop);
            if self.link.session.lag() != lag {
                self.update(event_loop, AppEvent::Tick);
            }
            let effects = self.app.take_effects();
            // What was done may have given the session something to send.
            if effects.is_empty() && !has_news {
                break;
            }
            for effect in effects {
                self.carry_out(event_loop, effect);
            }
        }
        self.set_tick(event_loop);
        self.draw(event_loop);
    }
    // ANCHOR_END: settle-turn

    /// Tells the app what the session has to tell; true if that was anything.
    fn tell(&mut self, event_loop: &mut EventLoop<ScreenMode>) -> bool {
        let session = &self.link.session;
        let state = if session.is_registered() {
            Some(LinkState::Online)
        } else if self.link.is_on_its_way() && !session.is_quitting() && session.denial().is_none()
        {
            let address = self.link.address().clone();
            Some(LinkState::Connecting { address })
        } else {
            None
        };
        let reports = self.link.session.take_news();
        let has_news = !reports.is_empty();
        // The connection first: what the server says comes by it.
        if let Some(state) = state {
            self.tell_link(event_loop, state);
        }
        for report in reports {
            self.keep(event_loop, &report);
            self.update(event_loop, AppEvent::Report(report));
        }
        has_news
    }

    /// Writes a report into the files of conversations. What fails once would
    /// fail with each line: it is said, and nothing is kept from then on.
    fn keep(&mut self, event_loop: &EventLoop<ScreenMode>, report: &Report) {
        let Some(files) = &mut self.log_files else {
            return;
        };
        if let Err(err) = files.note(report, &self.link.session, Timestamp::now()) {
            self.log_files = None;
            let notice = format!("nothing is kept in files any more: {err}");
            self.update(event_loop, AppEvent::Notice(notice));
        }
    }

    /// Tells the app how it stands with the connection, if it does not know.
    fn tell_link(&mut self, event_loop: &EventLoop<ScreenMode>, state: LinkState) {
        if self.link_state.as_ref() != Some(&state) {
            self.link_state = Some(state.clone());
            self.update(event_loop, AppEvent::Link(state));
        }
    }

    fn carry_out(&mut self, event_loop: &mut EventLoop<ScreenMode>, effect: Effect) {
        match effect {
            Effect::Quit { reason } => match self.host.as_mut().and_then(Host::ask_once) {
                Some(others) => {
                    let notice = HostNotice::OthersAreHere(others);
                    self.update(event_loop, AppEvent::Host(notice));
                }
                None => Link::leave(self, event_loop, &reason),
            },
            Effect::Suspend => self.stop_job(event_loop),
            Effect::Redraw => self.redraw(event_loop),
            Effect::Bell => self.output.ring(),
            Effect::ReconnectNow => Link::retry_now(self, event_loop),
        }
    }

    /// Has the app told the time when it wants to be.
    fn set_tick(&mut self, event_loop: &mut EventLoop<ScreenMode>) {
        let wanted = self.app.wants_tick();
        if self.tick.map(|(at, _)| at) == wanted {
            return;
        }
        if let Some((_, timer)) = self.tick.take() {
            event_loop.cancel(timer);
        }
        self.tick = wanted.map(|at| (at, event_loop.at(at, ScreenMode::pass_time)));
    }

    fn pass_time(&mut self, event_loop: &mut EventLoop<ScreenMode>, _: Event) {
        self.tick = None;
        self.update(event_loop, AppEvent::Tick);
    }

    /// A signal has come that ends the program.
    fn interrupt(&mut self, event_loop: &mut EventLoop<ScreenMode>, _: Event) {
        Link::leave(self, event_loop, "");
    }

    /// The last things, after the loop: gives the terminal back before anything
    /// is said, and closes the room.
    fn close(self) -> Result<(), Failure> {
        drop(self.guard);
        let unsent = self.link.session.unsent();
        if unsent > 0 {
            let were = if unsent == 1 {
                "line was"
            } else {
                "lines were"
            };
            eprintln!("chat-client: {unsent} {were} not sent");
        }
        let closed = self.host.map_or(Ok(()), Host::close);
        closed.map_err(|err| Failure::System("chat-server", err))
    }
}

/// The time at which this turn's events have come.
fn moment(event_loop: &EventLoop<ScreenMode>) -> Moment {
    Moment {
        instant: event_loop.now(),
        wall: Timestamp::now(),
    }
}

impl Connects for ScreenMode {
    fn connector(&mut self) -> &mut Connector {
        &mut self.link.connector
    }

    fn finished(
        &mut self,
        event_loop: &mut EventLoop<ScreenMode>,
        _: AttemptId,
        result: Result<Connected, ConnectError>,
    ) {
        Link::take_connected(self, event_loop, result);
    }
}

impl Linked for ScreenMode {
    fn link(&mut self) -> &mut Link {
        &mut self.link
    }

    /// A person stays where he is until the server is back, even if it has never
    /// been there: the network may come up after the terminal.
    fn unlinked(
        &mut self,
        event_loop: &mut EventLoop<ScreenMode>,
        failure: Failure,
        uncertain: usize,
    ) {
        if let Some(notice) = uncertain_notice(uncertain) {
            self.update(event_loop, AppEvent::Notice(notice));
        }
        let retry = self.link.retry_later(event_loop);
        let state = LinkState::Offline {
            why: failure.to_string(),
            retry_at: retry.at,
            attempt: retry.attempt,
        };
        self.tell_link(event_loop, state);
    }

    fn fail(&mut self, event_loop: &mut EventLoop<ScreenMode>, failure: Failure) {
        let why = failure.to_string();
        self.tell_link(event_loop, LinkState::Ended { why });
    }

    fn left(&mut self, event_loop: &mut EventLoop<ScreenMode>) {
        event_loop.stop(Ok(()));
    }
}
