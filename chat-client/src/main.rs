//! A chat client: a terminal or a pipe, and a socket, in one epoll loop.
//!
//! Chapter: the chat client (the book's section 9.6.1, listing 9-6).
//! Run it: `cargo run -p chat-client -- 127.0.0.1:6667 --join lobby`
//!
//! Shows: two descriptors that may be ready at any time, and neither is waited
//! for while the other has something to say; connecting without blocking; how
//! to end a conversation without losing its last words; a second event loop in
//! a thread of its own; `splice(2)`.
//! Leaves out: encryption.

mod address;
mod app;
mod config;
mod failure;
mod formatting;
mod host;
mod line_mode;
mod link;
mod log_files;
mod random;
mod raw;
mod screen_mode;
mod session;
mod standard_stream;
mod terminal;
mod theme;
mod view;
mod wrap;

use std::error::Error;
use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use chat_protocol::{NICK_BYTES, is_nick};
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use epoll_loop::EventLoop;
use jiff::tz::TimeZone;

use address::Address;
use app::AppSettings;
use config::Config;
use failure::Failure;
use host::Host;
use log_files::LogFiles;
use random::random;
use session::{Surface, channel_name, is_channel_name};

/// Talk on IRC: on a screen in a terminal, line by line in a pipe or with --line
///
/// What you type is said; a line that begins with a slash is a command, /help
/// lists them, and /quit or Ctrl-C twice ends. In a pipe text goes to the
/// channel joined last, and at the end of standard input everything is sent
/// before the program ends, so that `echo hello | chat-client HOST` works.
///
/// Without an address the client goes to 127.0.0.1:6667. If nobody listens
/// there, it opens a room of its own, which lasts until it ends.
///
/// Chapter: the chat client of section 9.6.1. Example:
/// chat-client irc.example.org --nick ann --join lobby
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own on the command line"
)]
#[derive(Debug, Parser)]
#[command(version, verbatim_doc_comment)]
struct Args {
    /// Server to connect to: host or host:port, with an IPv6 address in brackets; without a port it
    /// is 6667
    #[arg(value_parser = address::address)]
    address: Option<Address>,

    /// Read the settings from FILE [default: ~/.config/chat-client/config.toml, if it is there]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Print the settings that hold, from the file and from here, and end
    #[arg(long)]
    print_config: bool,

    /// Name to be known by [default: guest and a number]
    #[arg(long, value_parser = nick)]
    nick: Option<String>,

    /// Channel to enter, more than once for several; the # may be left out, which shells take for
    /// a comment [default: lobby]
    #[arg(long, value_name = "CHANNEL", value_parser = channel)]
    join: Vec<String>,

    /// Talk line by line even on a terminal, where a screen opens otherwise
    #[arg(long)]
    line: bool,

    /// Draw the screen in ASCII alone, for a font that has no lines
    #[arg(long)]
    ascii: bool,

    /// Keep what is said on the screen in files, one for each channel and person, below
    /// ~/.local/state/chat-client/logs
    #[arg(long)]
    log: bool,

    /// Connect again when the connection is lost, and if it cannot be made; on a terminal a lost
    /// one is always made again
    #[arg(long)]
    reconnect: bool,

    /// Relay bytes both ways as they are, without IRC
    #[arg(long, requires = "address", conflicts_with_all = ["config", "print_config", "nick", "join", "line", "ascii", "log", "reconnect"])]
    raw: bool,

    #[command(flatten)]
    trace: chapter::Trace,
}

impl Args {
    /// The settings of the file, with what is said here in place of it.
    fn settle(&self, mut config: Config) -> Config {
        config.server = self.address.clone().or(config.server);
        config.nick = self.nick.clone().or(config.nick);
        if !self.join.is_empty() {
            config.join.clone_from(&self.join);
        }
        config.reconnect |= self.reconnect;
        config.ascii |= self.ascii;
        config.log |= self.log;
        config
    }
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Err(failure) if failure.is_quiet() => ExitCode::FAILURE,
        result => chapter::exit("chat-client", result),
    }
}

fn run(args: &Args) -> Result<(), Failure> {
    if let (true, Some(address)) = (args.raw, &args.address) {
        return raw::run(address.clone(), args.trace);
    }
    let config = Config::load(args.config.as_deref()).map_err(Failure::Config)?;
    let config = args.settle(config);
    if args.print_config {
        let printed = io::stdout().write_all(config.to_string().as_bytes());
        return printed.map_err(|err| Failure::System("standard output", err));
    }
    let terminal = if args.line { None } else { terminal::open() };
    if terminal.is_some() && args.trace.trace && io::stderr().is_terminal() {
        let why = "--trace writes all over the screen: use --line, or 2>FILE";
        Args::command()
            .error(ErrorKind::ArgumentConflict, why)
            .exit();
    }
    // Before any thread is started: one that leaves them unblocked would die.
    let signals: &[_] = match terminal {
        Some(_) => &screen_mode::SIGNALS,
        None => &line_mode::SIGNALS,
    };
    let _blocked =
        EventLoop::block_signals(signals).map_err(|err| Failure::System("signals", err))?;
    let (address, host) = if let Some(address) = config.server.clone() {
        (address, None)
    } else {
        let system = |err| Failure::System("opening a room", err);
        chapter::raise_descriptor_limit().map_err(system)?;
        (host::address(), Host::open().map_err(system)?)
    };
    let nick = config.nick.clone().unwrap_or_else(guest_nick);
    if let Some(terminal) = terminal {
        let folder = config.log.then(|| config.log_folder()).flatten();
        return screen_mode::run(screen_mode::Settings {
            terminal,
            address,
            session: config.session(&nick, Surface::Screen),
            app: AppSettings {
                channels: config.join,
                time_zone: TimeZone::system(),
                is_ascii: config.ascii,
                is_without_colour: std::env::var_os("NO_COLOR").is_some_and(|set| !set.is_empty()),
                scrollback_lines: config.scrollback,
            },
            log_files: folder.map(|folder| LogFiles::new(folder, TimeZone::system())),
            trace: args.trace,
            host,
        });
    }
    line_mode::run(line_mode::Settings {
        address,
        session: config.session(&nick, Surface::Lines),
        reconnect: config.reconnect,
        trace: args.trace,
        host,
    })
}

/// A name that tells nothing about who runs the program.
fn guest_nick() -> String {
    format!("guest{:04}", random(10_000))
}

/// Why an argument is refused.
#[derive(Debug)]
enum ArgumentError {
    Nick,
    Channel,
}

impl fmt::Display for ArgumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ArgumentError::Nick => write!(
                f,
                "a nick has 1 to {NICK_BYTES} letters, digits and any of -_[]\\`^{{|}}, and does \
                 not begin with a digit or -"
            ),
            ArgumentError::Channel => f.write_str("a channel is one word without a comma"),
        }
    }
}

impl Error for ArgumentError {}

fn nick(text: &str) -> Result<String, ArgumentError> {
    if is_nick(text.as_bytes()) {
        Ok(text.to_owned())
    } else {
        Err(ArgumentError::Nick)
    }
}

fn channel(text: &str) -> Result<String, ArgumentError> {
    if !is_channel_name(text) {
        return Err(ArgumentError::Channel);
    }
    Ok(channel_name(text))
}
