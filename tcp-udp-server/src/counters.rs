//! What the server has done, and the lines that tell of what it would not do.
//!
//! Shows: everything that is dropped is counted; a log that a flood of
//! datagrams cannot fill, since each reason is told once a second at most.

use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use epoll_loop::Output;

use crate::gate::Refusal;
use crate::service::Service;
use crate::tcp::Rest;

/// Why the listeners rest is told so often at most.
const REST_INTERVAL: Duration = Duration::from_mins(1);

/// What a server has done since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Connections accepted.
    pub connections: u64,
    /// Connections closed since nothing had happened on them for long.
    pub idle: u64,
    /// Bytes read from connections.
    pub bytes_in: u64,
    /// Bytes written to connections.
    pub bytes_out: u64,
    /// Calls of `recvmmsg(2)` that brought a datagram or more.
    pub batches: u64,
    /// Datagrams received.
    pub datagrams: u64,
    /// Datagrams sent.
    pub answers: u64,
    /// Datagrams that the kernel threw away, since they came faster than they
    /// were read (`SO_RXQ_OVFL`).
    pub lost: u64,
    refused: [u64; Refusal::ALL.len()],
}

impl Counters {
    /// How many datagrams were not answered for this reason.
    #[must_use]
    pub const fn refused(&self, refusal: Refusal) -> u64 {
        self.refused[refusal as usize]
    }
}

/// One line: what was done, and what was refused and why, if anything was.
impl fmt::Display for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counters {
            connections,
            idle,
            bytes_in,
            bytes_out,
            batches,
            datagrams,
            answers,
            lost,
            refused: _,
        } = self;
        write!(
            f,
            "tcp: {connections} connections ({idle} idle ones closed), \
             {bytes_in} bytes in, {bytes_out} bytes out; \
             udp: {datagrams} datagrams in {batches} batches, {answers} answers, {lost} lost"
        )?;
        for refusal in Refusal::ALL {
            match self.refused(refusal) {
                0 => {}
                count => write!(f, "; {count} {refusal}")?,
            }
        }
        Ok(())
    }
}

/// Counts, and tells in the log.
#[derive(Debug)]
pub(crate) struct Ledger {
    pub(crate) counters: Counters,
    log: Option<Output>,
    /// What was counted when each reason was last told; nothing for a reason
    /// that was not told in this second.
    told: [Option<u64>; Refusal::ALL.len()],
    /// When each reason to rest was last told.
    rested: [Option<Instant>; 2],
}

impl Ledger {
    pub(crate) fn new(log: Option<Output>) -> Ledger {
        Ledger {
            counters: Counters::default(),
            log,
            told: [None; Refusal::ALL.len()],
            rested: [None; 2],
        }
    }

    /// Writes a line to the log.
    pub(crate) fn say(&self, what: fmt::Arguments<'_>) {
        if let Some(log) = &self.log {
            log.write_line(format!("tcp-udp-server: {what}\n").as_bytes());
        }
    }

    /// Writes why the listeners rest, once in a while: with as many connections
    /// as may be, they do so again after each one that ends.
    pub(crate) fn say_seldom(&mut self, rest: Rest, now: Instant, what: fmt::Arguments<'_>) {
        let told = &mut self.rested[rest as usize];
        let is_due = |told: Instant| now.saturating_duration_since(told) >= REST_INTERVAL;
        if told.is_none_or(is_due) {
            *told = Some(now);
            self.say(what);
        }
    }

    /// Counts datagrams that were not answered, and tells of the first of each
    /// second. True if that was the first of any reason, so that
    /// [`Ledger::sum_up`] is to be called in a second.
    pub(crate) fn refuse(
        &mut self,
        service: Service,
        from: SocketAddr,
        refusal: Refusal,
        count: u64,
    ) -> bool {
        let index = refusal as usize;
        self.counters.refused[index] += count;
        if self.told[index].is_some() {
            return false;
        }
        let is_first = self.told.iter().all(Option::is_none);
        self.told[index] = Some(self.counters.refused[index]);
        self.say(format_args!(
            "udp {service}: no answer to {from}: {refusal}"
        ));
        is_first
    }

    /// Tells how many came after the one that was told. True if it is to be
    /// called again in a second.
    pub(crate) fn sum_up(&mut self) -> bool {
        for refusal in Refusal::ALL {
            let index = refusal as usize;
            let now = self.counters.refused[index];
            match self.told[index] {
                Some(told) if told < now => {
                    let more = now - told;
                    self.say(format_args!("udp: no answer to {more} more: {refusal}"));
                    self.told[index] = Some(now);
                }
                _ => self.told[index] = None,
            }
        }
        self.told.iter().any(Option::is_some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_the_refusals_are_their_places_in_the_list() {
        for (index, refusal) in Refusal::ALL.into_iter().enumerate() {
            assert_eq!(refusal as usize, index);
        }
    }

    #[test]
    fn a_flood_is_counted_and_told_of_once_a_second() {
        let mut ledger = Ledger::new(None);
        let from = "192.0.2.1:7".parse().unwrap();
        let refuse = |ledger: &mut Ledger, refusal| ledger.refuse(Service::Echo, from, refusal, 1);
        assert!(refuse(&mut ledger, Refusal::ServicePort));
        for _ in 0..1_000 {
            assert!(!refuse(&mut ledger, Refusal::ServicePort));
        }
        assert!(!refuse(&mut ledger, Refusal::Truncated), "the timer runs");
        assert_eq!(ledger.counters.refused(Refusal::ServicePort), 1_001);
        assert!(ledger.sum_up(), "the flood was told of");
        assert!(!ledger.sum_up(), "and it is over");
        assert!(refuse(&mut ledger, Refusal::ServicePort));
    }

    #[test]
    fn the_summary_names_only_what_has_happened() {
        let mut counters = Counters {
            datagrams: 3,
            ..Counters::default()
        };
        counters.refused[Refusal::TooOften as usize] = 2;
        let text = counters.to_string();
        assert!(text.contains("3 datagrams"), "{text}");
        assert!(text.ends_with("0 lost; 2 over --answer-rate"), "{text}");
    }
}
