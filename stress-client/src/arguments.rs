//! The command line.

use std::error::Error;
use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};
use std::rc::Rc;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, value_parser};
use nonblock_connect::{Target, TargetError};

use crate::amount::Amount;
use crate::failure::Failure;
use crate::started::{self, ServerKind};
use crate::{churn, compare, fan_out, idle, latency};

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

    /// Be our own server, and nothing else
    #[arg(long, hide = true)]
    pub(crate) serve: bool,

    #[command(flatten)]
    comparison: ComparisonArguments,

    /// The server's process, if it is on this machine: its CPU time, threads and memory are
    /// measured too
    #[arg(long, value_name = "PID", value_parser = value_parser!(u32).range(1..=i64::from(i32::MAX)), global = true)]
    pub(crate) pid: Option<u32>,

    /// One JSON object instead of a table
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Nothing about progress on standard error
    #[arg(long, global = true)]
    pub(crate) quiet: bool,

    /// Clients that may be connecting, registering or joining at the same time
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = value_parser!(u32).range(1..), global = true)]
    pub(crate) under_way: u32,

    /// How long nothing may come from the server before this is given up (500ms, 3s, 2m)
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = chapter::duration, global = true)]
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

/// How servers are compared.
#[derive(Debug, Args)]
struct ComparisonArguments {
    /// Start servers one after the other, measure each, and print ratios to ours; no TARGET then
    ///
    /// Each round starts each server anew: ours (the library of chat-server, without flood control)
    /// and those that are installed, with configurations that lift their limits. Servers run on one
    /// core, this program on another.
    #[arg(long, global = true)]
    compare: bool,

    /// With --compare: how often each server is measured [default: 3]
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=1_000), global = true)]
    rounds: Option<u32>,

    /// With --compare: which servers [default: ours,ngircd,inspircd]
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = server_kind, global = true)]
    servers: Option<Vec<ServerKind>>,
}

/// How often each server is measured if nobody says.
const ROUNDS: u32 = 3;

/// What the program is to do.
pub(crate) enum Task<'a> {
    Serve,
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
        match (&self.command, &self.target, compare, compares_only) {
            _ if self.serve => Task::Serve,
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
            rate: f64::from(self.rate),
            message_bytes: self.bytes as usize,
            duration: self.duration,
            channel: Rc::from(self.channel.as_str()),
        }
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
