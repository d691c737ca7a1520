//! The command line of the program.

use std::error::Error;
use std::fmt;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chat_server::room::{
    FixedLimit, Limits, MAX_COUNTS, MAX_LENGTHS, Operator, Rules, Secret, is_network_name,
    is_server_name,
};
use chat_server::{FloodLimit, Settings};
use clap::Parser;
use tracing::level_filters::LevelFilter;

/// Serve a chat room to IRC clients, and to people with nc or telnet
///
/// Chapter: the chat server (the book's listing 9-7). One event loop serves
/// everybody; start it with --trace to see it at work.
#[derive(Parser)]
#[command(version, after_help = after_help())]
pub(crate) struct Arguments {
    /// Address for IRC clients; may be given several times. Port 0: any free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:6667", value_parser = address)]
    pub(crate) listen: Vec<SocketAddr>,

    /// Address for people with nc or telnet; may be given several times
    #[arg(long, value_name = "ADDR", value_parser = address)]
    pub(crate) plain_listen: Vec<SocketAddr>,

    /// What the server calls itself: letters, digits, - and at least one dot
    #[arg(long, default_value = "chat.localhost", value_parser = server_name)]
    name: String,

    /// Name of the network, one word
    #[arg(long, default_value = "Workshop", value_parser = network_name)]
    network: String,

    /// File with the message of the day; read again on SIGHUP
    #[arg(long, value_name = "FILE")]
    motd: Option<PathBuf>,

    /// A line about who runs the server, told to those who ask (ADMIN): place,
    /// institution, mail address; three lines at most
    #[arg(long, value_name = "LINE")]
    admin: Vec<String>,

    /// Password that everybody has to send (PASS). Others on this machine can
    /// see it in the list of processes: better take --password-file
    #[arg(long, value_name = "P", value_parser = secret, conflicts_with = "password_file")]
    password: Option<Secret>,

    /// File whose first line is the password
    #[arg(long, value_name = "F")]
    password_file: Option<PathBuf>,

    /// Who may become operator (OPER); may be given several times
    #[arg(long, value_name = "NAME:PASSWORD", value_parser = operator, conflicts_with = "operator_file")]
    operator: Vec<Operator>,

    /// File with a NAME:PASSWORD a line
    #[arg(long, value_name = "F")]
    operator_file: Option<PathBuf>,

    /// Let a successor take over by the UNIX socket PATH, which only this user
    /// can use: the listeners, everybody's connection, and the whole room. For as
    /// long as that takes, what waits for clients is in memory twice, in each of
    /// the two processes
    #[arg(long, value_name = "PATH")]
    pub(crate) takeover_socket: Option<PathBuf>,

    /// Take over from the server that has --takeover-socket PATH. Addresses,
    /// name and network are inherited, everything else is this command line's
    #[arg(long, value_name = "PATH", conflicts_with_all = ["listen", "plain_listen", "name", "network"])]
    pub(crate) takeover: Option<PathBuf>,

    /// How long a hand-over may take; then the old server goes on as it was
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = chapter::duration)]
    takeover_timeout: Duration,

    #[command(flatten)]
    pub(crate) trace: chapter::Trace,

    /// How much is logged on standard error: off, error, warn, info, debug
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    pub(crate) log: LevelFilter,

    /// Clients at once. Default: 10,000, or as many as the limit of
    /// descriptors (ulimit -n) allows
    #[arg(long, value_name = "N", help_heading = "Limits")]
    pub(crate) max_clients: Option<usize>,

    /// Clients at once from one IPv4 address, or from one /64 of IPv6; loopback
    /// is exempt
    #[arg(long, value_name = "N", default_value_t = 64, help_heading = "Limits")]
    max_per_address: usize,

    /// Channels at once
    #[arg(
        long,
        value_name = "N",
        default_value_t = 10_000,
        help_heading = "Limits"
    )]
    max_channels: usize,

    /// Bytes that may wait for one client; over it, it is closed. An answer to
    /// it (LIST, WHO ...) takes half of that at most
    #[arg(long, value_name = "SIZE", default_value = "1MiB", value_parser = chapter::size, help_heading = "Limits")]
    sendq: usize,

    /// Bytes that may wait for all clients; over it, the longest queue is closed
    #[arg(long, value_name = "SIZE", default_value = "256MiB", value_parser = chapter::size, help_heading = "Limits")]
    sendq_total: usize,

    /// Lines a second that one client may send; over it, the server stops
    /// reading from it until it has earned more. 0: no limit, for measurements
    /// only: anybody who is let in can then keep the server busy
    #[arg(long, value_name = "N", default_value_t = 5, help_heading = "Limits")]
    flood_rate: u32,

    /// Lines that one client may send at once after a silence
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..), help_heading = "Limits")]
    flood_burst: u32,

    /// How long a new client may take to register
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = chapter::duration, help_heading = "Limits")]
    registration_timeout: Duration,

    /// How long a client may be silent before it is sent a PING; more than 0
    #[arg(long, value_name = "TIME", default_value = "90s", value_parser = more_than_zero, help_heading = "Limits")]
    ping_interval: Duration,

    /// How long it may take to answer; and how long lines are still heard that
    /// were sent too fast over a connection that has failed meanwhile
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = more_than_zero, help_heading = "Limits")]
    ping_timeout: Duration,

    /// How long the last bytes to a client that leaves may take
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = chapter::duration, help_heading = "Limits")]
    drain: Duration,
}

const EXAMPLES: &str = "\
Examples:
  chat-server
  chat-server --plain-listen 127.0.0.1:6668     then: nc 127.0.0.1 6668
  chat-server --listen 0.0.0.0:6667 --password-file secret.txt \\
    --operator-file operators.txt
  chat-server --takeover-socket chat.sock       replaced while people talk by
  chat-server --takeover chat.sock --takeover-socket chat.sock

SIGTERM or SIGINT ends it in order, SIGHUP reads the message of the day again.";

/// What stands below the options: the limits that are no options, and examples.
fn after_help() -> String {
    let table = |title: &str, limits: &[FixedLimit]| {
        let rows = limits.iter().map(|limit| {
            let value = with_commas(limit.value);
            format!("{value:>10}  {}\n", limit.what)
        });
        format!("{title}:\n{}\n", rows.collect::<String>())
    };
    [
        table("Longest, in bytes", &MAX_LENGTHS),
        table("Most of", &MAX_COUNTS),
        EXAMPLES.to_owned(),
    ]
    .concat()
}

/// A number with a comma between thousands.
fn with_commas(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// What is wrong with the arguments, found at the start.
#[derive(Debug)]
pub(crate) enum ArgumentError {
    /// A file that an option names cannot be read.
    File(PathBuf, io::Error),
    /// A file that an option names has nothing in it.
    EmptyFile(PathBuf),
    /// A line of a file is not as it should be.
    Line(PathBuf, usize, Malformed),
    /// More clients than descriptors.
    MaxClients { wanted: usize, descriptors: u64 },
}

impl fmt::Display for ArgumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ArgumentError::File(path, err) => {
                write!(f, "{}: {}", path.display(), chapter::why(err))
            }
            ArgumentError::EmptyFile(path) => {
                write!(f, "{}: the first line is empty", path.display())
            }
            ArgumentError::Line(path, line, why) => write!(f, "{}:{line}: {why}", path.display()),
            ArgumentError::MaxClients {
                wanted,
                descriptors,
            } => write!(
                f,
                "--max-clients {wanted}: only {descriptors} descriptors may be open \
                 (RLIMIT_NOFILE), and {} are needed beside the clients'",
                Settings::OTHER_DESCRIPTORS
            ),
        }
    }
}

impl Error for ArgumentError {}

/// What a value should have looked like.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Malformed {
    ServerName,
    NetworkName,
    Operator,
    Password,
    Address,
    Zero,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Malformed::ServerName => {
                "a server name has letters, digits, - and at least one dot, 63 bytes at most"
            }
            Malformed::NetworkName => "a network name is one word of at most 50 bytes",
            Malformed::Operator => "an operator is NAME:PASSWORD, neither of them empty",
            Malformed::Password => "a password is not empty and has no line break",
            Malformed::Address => {
                "an address is IP:PORT, e.g. 127.0.0.1:6667, 0.0.0.0:6667 or [::1]:6667; names are \
                 not looked up"
            }
            Malformed::Zero => {
                "0 would leave nobody time to answer, and without a PING a client that has gone \
                 silently would stay for ever; 24h is hardly ever"
            }
        })
    }
}

impl Error for Malformed {}

impl Arguments {
    /// The settings that the arguments stand for; `descriptors` is
    /// `RLIMIT_NOFILE`.
    pub(crate) fn settings(&self, descriptors: u64) -> Result<Settings, ArgumentError> {
        let default = Limits::default();
        // Every field is named, so that a new one is not left without an option
        // or a line among the fixed ones.
        let limits = Limits {
            max_clients: self.max_clients(default.max_clients, descriptors)?,
            max_per_address: self.max_per_address,
            max_channels: self.max_channels,
            send_queue_bytes: self.sendq,
            send_queues_bytes: self.sendq_total,
            list_entries_bytes: default.list_entries_bytes,
        };
        Ok(Settings {
            rules: Rules {
                server_name: self.name.clone(),
                network: self.network.clone(),
                administrator: self.admin.clone(),
                password: self.password()?,
                operators: self.operators()?,
                limits,
                ..Rules::default()
            },
            motd_file: self.motd.clone(),
            flood: (self.flood_rate > 0)
                .then(|| FloodLimit::new(self.flood_rate, self.flood_burst)),
            registration_timeout: self.registration_timeout,
            ping_interval: self.ping_interval,
            ping_timeout: self.ping_timeout,
            drain: self.drain,
            takeover_timeout: self.takeover_timeout,
        })
    }

    /// What was asked for, if it fits; what fits, if nothing was asked for.
    fn max_clients(&self, default: usize, descriptors: u64) -> Result<usize, ArgumentError> {
        let listeners = self.listen.len() + self.plain_listen.len();
        let room = Settings::clients_within(descriptors, listeners);
        match self.max_clients {
            Some(wanted) if wanted > room => Err(ArgumentError::MaxClients {
                wanted,
                descriptors,
            }),
            Some(wanted) => Ok(wanted),
            None => Ok(default.min(room)),
        }
    }

    fn password(&self) -> Result<Option<Secret>, ArgumentError> {
        let Some(path) = &self.password_file else {
            return Ok(self.password.clone());
        };
        let text = read(path)?;
        let line = text.lines().next().unwrap_or_default();
        secret(line)
            .map(Some)
            .map_err(|_| ArgumentError::EmptyFile(path.clone()))
    }

    fn operators(&self) -> Result<Vec<Operator>, ArgumentError> {
        let Some(path) = &self.operator_file else {
            return Ok(self.operator.clone());
        };
        let text = read(path)?;
        let lines = text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty());
        lines
            .map(|(index, line)| {
                operator(line).map_err(|why| ArgumentError::Line(path.clone(), index + 1, why))
            })
            .collect()
    }
}

fn read(path: &Path) -> Result<String, ArgumentError> {
    fs::read_to_string(path).map_err(|err| ArgumentError::File(path.to_owned(), err))
}

fn server_name(text: &str) -> Result<String, Malformed> {
    is_server_name(text)
        .then(|| text.to_owned())
        .ok_or(Malformed::ServerName)
}

fn address(text: &str) -> Result<SocketAddr, Malformed> {
    text.parse().map_err(|_| Malformed::Address)
}

fn more_than_zero(text: &str) -> Result<Duration, Box<dyn Error + Send + Sync>> {
    match chapter::duration(text)? {
        Duration::ZERO => Err(Malformed::Zero.into()),
        duration => Ok(duration),
    }
}

fn network_name(text: &str) -> Result<String, Malformed> {
    is_network_name(text)
        .then(|| text.to_owned())
        .ok_or(Malformed::NetworkName)
}

fn secret(text: &str) -> Result<Secret, Malformed> {
    let is_sendable = !text.is_empty() && !text.contains(['\r', '\n', '\0']);
    is_sendable
        .then(|| Secret::new(text))
        .ok_or(Malformed::Password)
}

fn operator(text: &str) -> Result<Operator, Malformed> {
    match text.trim().split_once(':') {
        Some((name, password)) if !name.is_empty() && !password.is_empty() => Ok(Operator {
            name: name.to_owned(),
            password: Secret::new(password),
        }),
        _ => Err(Malformed::Operator),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(arguments: &[&str]) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from([&["chat-server"], arguments].concat())
    }

    #[test]
    fn the_defaults_of_the_command_line_are_those_of_the_library() {
        let settings = parse(&[]).unwrap().settings(20_000).unwrap();
        assert_eq!(
            format!("{settings:?}"),
            format!("{:?}", Settings::default())
        );
    }

    #[test]
    fn more_clients_than_descriptors_are_refused_when_asked_for() {
        let wanted = parse(&["--max-clients", "1000"]).unwrap();
        assert!(wanted.settings(1_024).is_err());
        assert!(wanted.settings(2_048).is_ok());
        let default = parse(&[]).unwrap().settings(1_024).unwrap();
        assert_eq!(default.rules.limits.max_clients, 1_024 - 32 - 1);
    }

    #[test]
    fn an_operator_is_a_name_and_a_password() {
        for wrong in ["", "ann", "ann:", ":secret"] {
            assert!(parse(&["--operator", wrong]).is_err(), "{wrong:?}");
        }
        assert!(parse(&["--operator", "ann:with:colons"]).is_ok());
    }

    #[test]
    fn a_password_is_not_in_what_an_error_or_the_debug_output_says() {
        let settings = parse(&["--password", "hunter2", "--operator", "ann:hunter2"]);
        let settings = settings.unwrap().settings(20_000).unwrap();
        assert!(!format!("{settings:?}").contains("hunter2"));
    }

    #[test]
    fn the_help_has_every_fixed_limit_and_fits_a_terminal_of_80_columns() {
        let help = Arguments::command().render_long_help().to_string();
        for limit in MAX_LENGTHS.iter().chain(&MAX_COUNTS) {
            let row = format!("{}  {}\n", with_commas(limit.value), limit.what);
            assert!(help.contains(&row), "{row}");
        }
        let fixed = after_help();
        let wide: Vec<&str> = fixed.lines().filter(|line| line.len() > 80).collect();
        assert!(wide.is_empty(), "{wide:?}");
        assert_eq!(with_commas(4_194_304), "4,194,304");
    }

    #[test]
    fn flood_rate_zero_turns_flood_control_off() {
        let settings = parse(&["--flood-rate", "0"])
            .unwrap()
            .settings(20_000)
            .unwrap();
        assert!(settings.flood.is_none());
    }
}
