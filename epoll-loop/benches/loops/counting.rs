//! One thing, done by this program in a process of its own under a tool that counts.
//!
//! Shows: what is done before, the setting up, is left out: callgrind counts inside of one function
//! only, and strace's totals of two runs are subtracted.

use std::env;
use std::ffi::OsStr;
use std::hint::black_box;
use std::io::{self, ErrorKind};
use std::process::Command;

use crate::bare::{Bare, PlainEventFd, SortedMap};
use crate::calloop::{Calloop, CalloopPing, CalloopTimers};
use crate::contender::{Timing, Waking, Watching};
use crate::mio::{Mio, MioWaker};
use crate::ours::{OurTimers, OurWaker, Ours};
use crate::polling::{Polling, PollingNotifier};
use crate::ring::{Passing, Ring, Work};
use crate::timers::{arm_and_cancel, arm_due, with_standing};
use crate::wakers::burst;

/// The first argument of a process that does one thing.
const COUNT: &str = "--count";

/// The function in which callgrind counts.
pub(crate) const COUNTED: &str = "the_counted_part";

/// All loops, in the order of the columns. Where a poller has no timers, bare epoll stands for the
/// sorted map that people put beside it.
pub(crate) const LOOPS: [&str; 5] = ["epoll-loop", "bare epoll", "mio", "polling", "calloop"];

/// What can be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    /// Events of a ring of 100 sockets, so many of them active.
    Ring(usize),
    /// Events of a ring with one active, its write interest changed and changed back.
    Interest,
    /// Lives of timers, with so many armed meanwhile.
    Lives(usize),
    /// So many timers that are due.
    Expiry(usize),
    /// Wake-ups before the loop looks.
    Burst,
}

impl Case {
    fn to_argument(self) -> String {
        match self {
            Case::Ring(active) => format!("ring={active}"),
            Case::Interest => "interest=1".to_owned(),
            Case::Lives(standing) => format!("lives={standing}"),
            Case::Expiry(due) => format!("expiry={due}"),
            Case::Burst => "burst=1".to_owned(),
        }
    }

    fn from_argument(argument: &str) -> Option<Case> {
        let (name, number) = argument.split_once('=')?;
        let number = number.parse().ok()?;
        Some(match name {
            "ring" => Case::Ring(number),
            "interest" => Case::Interest,
            "lives" => Case::Lives(number),
            "expiry" => Case::Expiry(number),
            "burst" => Case::Burst,
            _ => return None,
        })
    }
}

/// This program under `tool`, doing one thing `times` times. The tool is to be told its options
/// before this is run.
pub(crate) fn command(
    tool: impl AsRef<OsStr>,
    options: &[&OsStr],
    case: Case,
    name: &str,
    times: usize,
) -> io::Result<Command> {
    let mut command = Command::new(tool);
    command.args(options).arg(env::current_exe()?);
    command.args([COUNT, &case.to_argument(), name, &times.to_string()]);
    Ok(command)
}

pub(crate) fn is_asked_for(arguments: &[String]) -> bool {
    arguments.first().is_some_and(|first| first == COUNT)
}

/// Does what the arguments of [`command`] say.
pub(crate) fn count(arguments: &[String]) -> io::Result<()> {
    let [case, name, times] = arguments else {
        return Err(ErrorKind::InvalidInput.into());
    };
    let case = Case::from_argument(case).ok_or(ErrorKind::InvalidInput)?;
    let times = times.parse().map_err(io::Error::other)?;
    match name.as_str() {
        "epoll-loop" => count_with::<Ours<_>, OurTimers, OurWaker>(case, times),
        "bare epoll" => count_with::<Bare<_>, SortedMap, PlainEventFd>(case, times),
        "mio" => count_with::<Mio<_>, SortedMap, MioWaker>(case, times),
        "polling" => count_with::<Polling<_>, SortedMap, PollingNotifier>(case, times),
        "calloop" => count_with::<Calloop<_>, CalloopTimers, CalloopPing>(case, times),
        _ => Err(ErrorKind::InvalidInput.into()),
    }
}

fn count_with<L: Watching<Passing>, T: Timing, W: Waking>(
    case: Case,
    times: usize,
) -> io::Result<()> {
    let ring = |active, work| Ring {
        sockets: 100,
        active,
        work,
    };
    match case {
        Case::Ring(active) => count_events::<L>(ring(active, Work::PassOn), times),
        Case::Interest => count_events::<L>(ring(1, Work::ChangeInterest), times),
        Case::Lives(standing) => {
            let mut timing: T = with_standing(standing)?;
            // The first of all finds no room in the tables.
            arm_and_cancel(&mut timing, 1);
            the_counted_part(&mut || arm_and_cancel(&mut timing, times));
            Ok(())
        }
        Case::Expiry(due) => count_expiry::<T>(due),
        Case::Burst => {
            let (mut looped, waker) = W::new()?;
            let times = u32::try_from(times).map_err(io::Error::other)?;
            burst(&mut looped, &waker, times)
        }
    }
}

fn count_events<L: Watching<Passing>>(ring: Ring, events: usize) -> io::Result<()> {
    let mut looped: L = ring.start()?;
    let warm_up = 2 * ring.sockets as u64;
    looped.run(warm_up)?;
    let mut result = Ok(());
    the_counted_part(&mut || result = looped.run(events as u64));
    result
}

/// The second time, when the tables have their size.
fn count_expiry<T: Timing>(timers: usize) -> io::Result<()> {
    let mut timing = T::new()?;
    arm_due(&mut timing, timers);
    timing.expire(timers)?;
    arm_due(&mut timing, timers);
    let mut result = Ok(());
    the_counted_part(&mut || result = timing.expire(timers));
    result
}

/// Its name is how callgrind knows what to count.
#[inline(never)]
fn the_counted_part(work: &mut dyn FnMut()) {
    work();
    // Without this the call above would be a jump, and the function over before the work begins.
    black_box(());
}
