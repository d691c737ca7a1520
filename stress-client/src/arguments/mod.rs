//! The command line.

mod measurements;

use std::error::Error;
use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, ValueEnum, value_parser};
use nonblock_connect::{Target, TargetError};

use crate::compare;
use crate::failure::Failure;
use crate::started::{self, ServerKind};

pub(crate) use measurements::Command;

/// Over the options that every measurement has.
const COMMON: &str = "Options of all measurements";

/// The port that IRC servers listen on.
const IRC_PORT: u16 = 6667;

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
    if command.is_forbidden(server) {
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
