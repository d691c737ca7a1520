//! What each measurement is told.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use clap::{Args, Subcommand, value_parser};
use stress_client::Limits;

use crate::amount::Amount;
use crate::{churn, fan_out, hostile, idle, latency};

/// The most text in a message that fits every server's lines: 512 bytes less the source, the
/// command, the channel and the line's end.
const MAX_TEXT_BYTES: i64 = 350;

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
    /// Whether it may not be done to `server`: it is an attack, and the server may be somebody
    /// else's.
    pub(crate) fn is_forbidden(&self, server: SocketAddr) -> bool {
        let permission = match self {
            Command::Slow(arguments) => &arguments.permission,
            Command::Hostile(arguments) => &arguments.permission,
            _ => return false,
        };
        !server.ip().is_loopback() && !permission.i_own_this_server
    }

    /// What a server is to limit that is started for this.
    pub(crate) fn limits(&self) -> Limits {
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
/// reported is how long one had to wait at most, and what the server did with the attackers (what is
/// taken from them may wait in its kernel). Leave flood control as it is, since it is what is tested
/// here; --compare does too.
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
