//! The command line.

use std::error::Error;
use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};
use std::rc::Rc;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum, value_parser};
use nonblock_connect::{Target, TargetError};
use stress_client::Limits;

use crate::amount::Amount;
use crate::failure::Failure;
use crate::started::{self, ServerKind};
use crate::{churn, compare, fan_out, hostile, idle, latency};

/// Over the options that every measurement has.
const COMMON: &str = "Options of all measurements";

/// The port that IRC servers listen on.
const IRC_PORT: u16 = 6667;

/// The most text in a message that fits every server's lines: 512 bytes less the source, the
/// command, the channel and the line's end.
const MAX_TEXT_BYTES: i64 = 350;

/// Measure how much an IRC server carries, and how it behaves under load
///
/// Chapter: the stress client (the book's chapter 16, listing 16-4). One process and one event loop
/// drive all the connections; start it with --trace to see it at work. It works with any IRC
/// server. Results are on standard output, progress is on standard error.
///
/// Servers slow down who talks fast. To measure a server and not its patience, lift that limit:
/// chat-server has --flood-rate 0 and --max-clients, others have it in their configuration.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES, subcommand_precedence_over_arg = true)]
pub(crate) struct Arguments {
    /// The server: host:port; without a port it is 6667
    #[arg(value_name = "TARGET", value_parser = target)]
    pub(crate) target: Option<Target>,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// Be our own server, and nothing else; with these limits
    #[arg(long, value_enum, hide = true, value_name = "LIMITS")]
    pub(crate) serve: Option<ServeLimits>,

    #[command(flatten)]
    comparison: ComparisonArguments,

    /// The server's process, if it is on this machine: its CPU time, threads and memory are
    /// measured too
    #[arg(long, value_name = "PID", value_parser = value_parser!(u32).range(1..=i64::from(i32::MAX)), global = true, help_heading = COMMON)]
    pub(crate) pid: Option<u32>,

    /// One JSON object instead of a table
    #[arg(long, global = true, help_heading = COMMON)]
    pub(crate) json: bool,

    /// Nothing about progress on standard error
    #[arg(long, global = true, help_heading = COMMON)]
    pub(crate) quiet: bool,

    /// Clients that may be connecting, registering or joining at the same time [default: 256; with
    /// --compare what suits each server: ngircd 8, whose backlog is short, inspircd 1000, which lets
    /// people in once a second]
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..), global = true, help_heading = COMMON)]
    pub(crate) under_way: Option<u32>,

    /// How long nothing may come from the server before this is given up (500ms, 3s, 2m)
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = chapter::duration, global = true, help_heading = COMMON)]
    pub(crate) patience: Duration,

    #[command(flatten)]
    pub(crate) trace: chapter::Trace,
}

const EXAMPLES: &str = "\
Examples:
  chat-server --flood-rate 0 &
  stress-client 127.0.0.1 fan-out --pid $(pidof chat-server)
  stress-client 127.0.0.1 fan-out --receivers 1000 --window 64 --json
  stress-client --compare idle --rounds 5";

/// Whether our own server limits how fast people talk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ServeLimits {
    Lifted,
    AsUsual,
}

/// How servers are compared.
#[derive(Debug, Args)]
struct ComparisonArguments {
    /// Start servers one after the other, measure each, and print ratios to ours; no TARGET then
    ///
    /// Each round starts each server anew: ours (the library of chat-server) and those that are
    /// installed. Flood control is off in all of them, but for hostile, where it is as usual. Servers
    /// run on one core, this program on another.
    #[arg(long, global = true, help_heading = COMMON)]
    compare: bool,

    /// With --compare: how often each server is measured [default: 3]
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=1_000), global = true, help_heading = COMMON)]
    rounds: Option<u32>,

    /// With --compare: which servers [default: ours,ngircd,inspircd]
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = server_kind, global = true, help_heading = COMMON)]
    servers: Option<Vec<ServerKind>>,
}

/// How often each server is measured if nobody says.
const ROUNDS: u32 = 3;

/// What the program is to do.
pub(crate) enum Task<'a> {
    Serve(ServeLimits),
    Measure(&'a Command, &'a Target),
    Compare(&'a Command, compare::Plan),
}

impl Arguments {
    /// What is asked for; ends the program if the arguments do not fit together. (clap looks at
    /// those that may stand before and after the measurement only on one side of it.)
    pub(crate) fn task(&self) -> Task<'_> {
        let ComparisonArguments {
            compare,
            rounds,
            servers,
        } = &self.comparison;
        let compares_only = if rounds.is_some() {
            Some("--rounds")
        } else {
            servers.as_ref().map(|_| "--servers")
        };
        if let Some(limits) = self.serve {
            return Task::Serve(limits);
        }
        match (&self.command, &self.target, compare, compares_only) {
            (None, ..) => wrong_usage(
                ErrorKind::MissingSubcommand,
                "what is to be measured? e.g. stress-client 127.0.0.1:6667 fan-out",
            ),
            (_, Some(_), true, _) => wrong_usage(
                ErrorKind::ArgumentConflict,
                "--compare starts its servers itself: leave TARGET out",
            ),
            (_, _, true, _) if self.pid.is_some() => wrong_usage(
                ErrorKind::ArgumentConflict,
                "--compare starts its servers itself: leave --pid out",
            ),
            (_, _, false, Some(option)) => wrong_usage(
                ErrorKind::ArgumentConflict,
                &format!("{option} means something only with --compare"),
            ),
            (_, None, false, _) => wrong_usage(
                ErrorKind::MissingRequiredArgument,
                "which server? TARGET before the measurement, e.g. 127.0.0.1:6667, or --compare",
            ),
            (Some(command), Some(target), false, _) => Task::Measure(command, target),
            (Some(command), None, true, _) => Task::Compare(
                command,
                compare::Plan {
                    servers: servers.clone().unwrap_or(started::ALL.to_vec()),
                    rounds: rounds.unwrap_or(ROUNDS) as usize,
                    limits: command.limits(),
                },
            ),
        }
    }
}

/// Ends the program with exit code 2.
fn wrong_usage(kind: ErrorKind, message: &str) -> ! {
    Arguments::command().error(kind, message).exit()
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    FanOut(FanOutArguments),
    Latency(LatencyArguments),
    Idle(IdleArguments),
    Churn(ChurnArguments),
    Slow(SlowArguments),
    Hostile(HostileArguments),
}

impl Command {
    /// What a server is to limit that is started for this.
    fn limits(&self) -> Limits {
        match self {
            Command::Hostile(_) => Limits::AsUsual,
            _ => Limits::Lifted,
        }
    }
}

/// Have many receive what few say: deliveries a second, and what each costs the server
///
/// Receivers and senders are all members of one channel, so each message is delivered to everybody
/// but its sender. A message is outstanding until the last member has it; each sender sends the
/// next when fewer than --window are. With --window 1 nothing can be sent together; the larger it
/// is, the more a server saves that writes to each member only once for many messages.
#[derive(Debug, Args)]
pub(crate) struct FanOutArguments {
    /// Clients that only listen
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = value_parser!(u32).range(1..))]
    receivers: u32,

    /// Clients that speak, and listen to each other
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = value_parser!(u32).range(1..))]
    senders: u32,

    /// Messages that each sender may have outstanding
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = value_parser!(u32).range(1..))]
    window: u32,

    /// Bytes of text in a message
    #[arg(long, value_name = "BYTES", default_value_t = 100, value_parser = value_parser!(u32).range(1..=MAX_TEXT_BYTES))]
    bytes: u32,

    /// For how long is sent (500ms, 3s, 2m)
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = chapter::duration)]
    duration: Duration,

    /// Send so many messages from each sender, however long that takes
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..), conflicts_with = "duration")]
    messages: Option<u64>,

    /// The channel they meet in; nobody else should be in it
    #[arg(long, value_name = "NAME", default_value = "#stress")]
    channel: String,
}

impl FanOutArguments {
    pub(crate) fn plan(&self) -> fan_out::Plan {
        fan_out::Plan {
            receivers: self.receivers as usize,
            senders: self.senders as usize,
            window: self.window as usize,
            message_bytes: self.bytes as usize,
            amount: self
                .messages
                .map_or(Amount::Time(self.duration), Amount::Number),
            channel: Rc::from(self.channel.as_str()),
        }
    }
}

/// Send on a schedule that waits for nobody: how long messages are on their way
///
/// A message has its time in the schedule, and its latency counts from there until a member has read
/// it: what is due while the server pauses is late, as it would be for people. (A client that waits
/// for each message before it sends the next one would count the pause once: coordinated omission.)
/// Senders take turns; each message is delivered to everybody but its sender.
#[derive(Debug, Args)]
pub(crate) struct LatencyArguments {
    /// Clients that only listen
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = value_parser!(u32).range(1..))]
    receivers: u32,

    /// Clients that speak, and listen to each other
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = value_parser!(u32).range(1..))]
    senders: u32,

    /// Messages a second, of all senders together
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = value_parser!(u32).range(1..=1_000_000))]
    rate: u32,

    /// Bytes of text in a message, of which the first twelve are its number
    #[arg(long, value_name = "BYTES", default_value_t = 100, value_parser = value_parser!(u32).range(12..=MAX_TEXT_BYTES))]
    bytes: u32,

    /// How long the schedule is (500ms, 3s, 2m)
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = chapter::duration)]
    duration: Duration,

    /// The channel they meet in; nobody else should be in it
    #[arg(long, value_name = "NAME", default_value = "#stress")]
    channel: String,
}

impl LatencyArguments {
    pub(crate) fn plan(&self) -> latency::Plan {
        latency::Plan {
            receivers: self.receivers as usize,
            senders: self.senders as usize,
            stalled: 0,
            rate: f64::from(self.rate),
            message_bytes: self.bytes as usize,
            duration: self.duration,
            channel: Rc::from(self.channel.as_str()),
        }
    }
}

/// Have some members of a channel read nothing: do the others notice, what becomes of those
///
/// The messages are sent on a schedule, as with latency. Those who read nothing have small buffers,
/// so that what is sent to them soon waits in the server: a good one puts them out when it is too
/// much, and the others notice nothing. When they are out, or at the end, they read
/// again, to see what they were told.
///
/// Only for servers on this machine, unless --i-own-this-server is given: to have somebody else's
/// server keep what nobody reads is an attack on it.
#[derive(Debug, Args)]
pub(crate) struct SlowArguments {
    /// Clients that read
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = value_parser!(u32).range(1..))]
    receivers: u32,

    /// Clients that read nothing
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = value_parser!(u32).range(1..))]
    stalled: u32,

    /// Messages a second
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = value_parser!(u32).range(1..=1_000_000))]
    rate: u32,

    /// Bytes of text in a message, of which the first twelve are its number
    #[arg(long, value_name = "BYTES", default_value_t = 350, value_parser = value_parser!(u32).range(12..=MAX_TEXT_BYTES))]
    bytes: u32,

    /// How long the schedule is (500ms, 3s, 2m)
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = chapter::duration)]
    duration: Duration,

    /// The channel they meet in; nobody else should be in it
    #[arg(long, value_name = "NAME", default_value = "#stress")]
    channel: String,

    #[command(flatten)]
    permission: Permission,
}

/// Who may be attacked.
#[derive(Debug, Args)]
struct Permission {
    /// The server is yours, and those who use it know what comes
    #[arg(long)]
    i_own_this_server: bool,
}

impl SlowArguments {
    pub(crate) fn plan(&self) -> latency::Plan {
        latency::Plan {
            receivers: self.receivers as usize,
            senders: 1,
            stalled: self.stalled as usize,
            rate: f64::from(self.rate),
            message_bytes: self.bytes as usize,
            duration: self.duration,
            channel: Rc::from(self.channel.as_str()),
        }
    }
}

/// Attack: a list of nasty things, each with witnesses whose exchanges must go on
///
/// Lines that never end, floods, NUL bytes, connections that say nothing or are reset, answers that
/// nobody reads, and more, one after the other. Forty witnesses ask (PING) once a second each;
/// reported is how long one had to wait at most, and what the server did with the attackers. Leave
/// flood control as it is, since it is what is tested here; --compare does too.
///
/// Only for servers on this machine, unless --i-own-this-server is given: this is an attack, and to
/// attack somebody else's server is a crime in most countries.
#[derive(Debug, Args)]
pub(crate) struct HostileArguments {
    /// How long each attack lasts (500ms, 3s, 2m)
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = chapter::duration)]
    each: Duration,

    #[command(flatten)]
    permission: Permission,
}

impl HostileArguments {
    pub(crate) fn plan(&self) -> hostile::Plan {
        hostile::Plan { each: self.each }
    }
}

/// Register many clients that then say nothing: how fast they get in, what each of them costs
///
/// A client is registered when the server has greeted it (001); then the next one comes, --under-way
/// of them at a time. For the memory take a server that has just been started: one that has had
/// clients before has kept some of it. Whether the last tenth gets in as fast as the first tells whether the server does work for
/// each newcomer that grows with those who are there.
#[derive(Debug, Args)]
pub(crate) struct IdleArguments {
    /// How many
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = value_parser!(u32).range(1..))]
    clients: u32,

    /// How long they stay when all are there; with --pid, what that costs the server (500ms, 3s, 2m)
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = chapter::duration)]
    hold: Duration,
}

impl IdleArguments {
    pub(crate) fn plan(&self) -> idle::Plan {
        idle::Plan {
            clients: self.clients as usize,
            hold: self.hold,
        }
    }
}

/// Have clients come, join a channel and quit, again and again: cycles a second
///
/// Each of the clients that are there at the same time has a channel of its own. A cycle is over
/// when the server has closed the connection.
#[derive(Debug, Args)]
pub(crate) struct ChurnArguments {
    /// Clients at the same time
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = value_parser!(u32).range(1..))]
    clients: u32,

    /// For how long new ones come (500ms, 3s, 2m)
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = chapter::duration)]
    duration: Duration,

    /// So many cycles, however long they take
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..), conflicts_with = "duration")]
    cycles: Option<u64>,

    /// How the names of the channels begin
    #[arg(long, value_name = "NAME", default_value = "#stress")]
    channel: String,
}

impl ChurnArguments {
    pub(crate) fn plan(&self) -> churn::Plan {
        churn::Plan {
            places: self.clients as usize,
            amount: self
                .cycles
                .map_or(Amount::Time(self.duration), Amount::Number),
            channel: Rc::from(self.channel.as_str()),
        }
    }
}

fn server_kind(text: &str) -> Result<ServerKind, UnknownServer> {
    let mut kinds = started::ALL.into_iter();
    kinds.find(|kind| kind.name() == text).ok_or(UnknownServer)
}

/// There is no server of that name.
#[derive(Debug)]
struct UnknownServer;

impl fmt::Display for UnknownServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = started::ALL.map(ServerKind::name).join(", ");
        write!(f, "the servers that can be started are {names}")
    }
}

impl Error for UnknownServer {}

fn target(text: &str) -> Result<Target, TargetError> {
    Target::with_default_port(text, IRC_PORT)
}

/// Ends the program if the measurement is an attack and the server may be somebody else's.
pub(crate) fn check_permission(command: &Command, server: SocketAddr) {
    let permission = match command {
        Command::Slow(arguments) => &arguments.permission,
        Command::Hostile(arguments) => &arguments.permission,
        _ => return,
    };
    if !server.ip().is_loopback() && !permission.i_own_this_server {
        wrong_usage(
            ErrorKind::MissingRequiredArgument,
            &format!(
                "{server} is not on this machine, and this is an attack: say \
                 --i-own-this-server if it is yours"
            ),
        );
    }
}

/// Looks a name up, before any loop begins: a name server may take its time.
pub(crate) fn resolve(target: &Target) -> Result<SocketAddr, Failure> {
    (target.host.as_str(), target.port)
        .to_socket_addrs()
        .and_then(|mut addresses| addresses.next().ok_or(std::io::ErrorKind::NotFound.into()))
        .map_err(|err| Failure::LookUp(target.clone(), err))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_fit_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_target_without_a_port_is_an_irc_server() {
        assert_eq!(target("localhost").unwrap().port, 6667);
        assert_eq!(target("[::1]:7000").unwrap().port, 7000);
    }
}
