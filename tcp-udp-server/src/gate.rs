//! Which datagrams are answered.
//!
//! Shows: what a UDP service must refuse. The sender's address is whatever the
//! sender has written there. Two services that answer each other never stop,
//! so a source port that may be a service's gets no answer; an answer longer
//! than its request makes the server a weapon against whoever the request
//! names as its sender.
//! Leaves out: TCP, where the three-way handshake has shown that the peer is
//! who it says.

use std::collections::HashSet;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// Ports below this one are for services; a client is given one above.
const FIRST_CLIENT_PORT: u16 = 1024;

/// Networks that are counted apart. Those that share a number by chance share
/// what is allowed, so that the table needs no more memory however many
/// addresses somebody invents.
const NETWORKS: usize = 4_096;

/// Why a datagram was not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It was longer than `--udp-buffer`: a part of it is not what was sent.
    Truncated,
    /// Its source port is one of our services': the answer would be answered.
    OurPort,
    /// Its source port is below 1024: some other machine's service, likely.
    ServicePort,
    /// It was sent to everybody, by broadcast or multicast.
    ForEverybody,
    /// It is shorter than the answer, which may not be the longer of the two.
    TooShort,
    /// Its sender's network has had as many answers as it may have.
    TooOften,
    /// The socket's send buffer was full.
    NoRoom,
    /// The kernel would not send the answer.
    Unsendable,
}

impl Refusal {
    /// All of them, in the order of their numbers.
    pub const ALL: [Refusal; 8] = [
        Refusal::Truncated,
        Refusal::OurPort,
        Refusal::ServicePort,
        Refusal::ForEverybody,
        Refusal::TooShort,
        Refusal::TooOften,
        Refusal::NoRoom,
        Refusal::Unsendable,
    ];
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refusal::Truncated => "longer than --udp-buffer",
            Refusal::OurPort => "sent from the port of a service of ours",
            Refusal::ServicePort => "sent from a port below 1024",
            Refusal::ForEverybody => "sent by broadcast or multicast",
            Refusal::TooShort => "shorter than the answer would be",
            Refusal::TooOften => "over --answer-rate",
            Refusal::NoRoom => "no room in the socket for the answer",
            Refusal::Unsendable => "the answer could not be sent",
        })
    }
}

/// Decides from where a datagram came.
#[derive(Debug)]
pub(crate) struct Gate {
    our_ports: HashSet<u16>,
    answers: RateLimit,
}

impl Gate {
    /// `our_ports` are those of all services; `answer_rate` is how many answers
    /// of amplifiers a second one network gets.
    pub(crate) fn new(our_ports: HashSet<u16>, answer_rate: u32) -> Gate {
        Gate {
            our_ports,
            answers: RateLimit::new(answer_rate, Instant::now()),
        }
    }

    // ANCHOR: check-sender
    /// Whether a sender may be answered at all.
    pub(crate) fn check_sender(&self, from: SocketAddr) -> Result<(), Refusal> {
        if self.our_ports.contains(&from.port()) {
            Err(Refusal::OurPort)
        } else if from.port() < FIRST_CLIENT_PORT {
            Err(Refusal::ServicePort)
        } else {
            Ok(())
        }
    }
    // ANCHOR_END: check-sender

    // ANCHOR: check-amplifier
    /// Whether an answer of `answer` bytes may follow a request of `request`
    /// bytes; counts it if so.
    pub(crate) fn check_amplifier(
        &mut self,
        from: SocketAddr,
        request: usize,
        answer: usize,
        now: Instant,
    ) -> Result<(), Refusal> {
        if answer > request || request == 0 {
            return Err(Refusal::TooShort);
        }
        if self.answers.take(from.ip(), now) {
            Ok(())
        } else {
            Err(Refusal::TooOften)
        }
    }
    // ANCHOR_END: check-amplifier
}

/// So many a second for each network, with as many at once after a silence.
#[derive(Debug)]
struct RateLimit {
    /// For each network when all that it had would have been had at an even
    /// pace, since `origin`.
    paid: Vec<Duration>,
    interval: Duration,
    /// How far ahead of that pace it may be.
    burst: Duration,
    origin: Instant,
    /// With a secret of this process: which networks share a number cannot be
    /// reckoned from outside.
    hasher: RandomState,
}

impl RateLimit {
    fn new(rate: u32, origin: Instant) -> RateLimit {
        let interval = Duration::from_secs(1) / rate.max(1);
        RateLimit {
            paid: vec![Duration::ZERO; NETWORKS],
            interval,
            burst: Duration::from_secs(1).saturating_sub(interval),
            origin,
            hasher: RandomState::new(),
        }
    }

    /// Takes one, if one is left.
    fn take(&mut self, address: IpAddr, now: Instant) -> bool {
        let number = self.hasher.hash_one(network(address));
        let index = usize::try_from(number % NETWORKS as u64).expect("a small remainder");
        let paid = &mut self.paid[index];
        let now = now.saturating_duration_since(self.origin);
        let base = (*paid).max(now);
        if base.saturating_sub(now) > self.burst {
            return false;
        }
        *paid = base + self.interval;
        true
    }
}

/// What is counted as one sender: whoever owns one address of a /24 or a /64
/// easily has all of it, and a victim may be any of them.
fn network(address: IpAddr) -> [u8; 8] {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            [a, b, c, 0, 0, 0, 0, 4]
        }
        IpAddr::V6(address) => {
            let mut network = [0; 8];
            network.copy_from_slice(&address.octets()[..8]);
            network
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate() -> Gate {
        Gate::new(HashSet::from([7_007, 7_019]), 10)
    }

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn services_are_not_answered_whatever_their_address() {
        let gate = gate();
        for (from, refusal) in [
            ("127.0.0.1:7019", Refusal::OurPort),
            ("192.0.2.1:7007", Refusal::OurPort),
            ("192.0.2.1:7", Refusal::ServicePort),
            ("192.0.2.1:1023", Refusal::ServicePort),
            ("192.0.2.1:0", Refusal::ServicePort),
            ("[2001:db8::1]:19", Refusal::ServicePort),
        ] {
            assert_eq!(gate.check_sender(address(from)), Err(refusal), "{from}");
        }
        assert_eq!(gate.check_sender(address("192.0.2.1:1024")), Ok(()));
    }

    #[test]
    fn an_answer_is_never_longer_than_its_request() {
        let mut gate = gate();
        let (from, now) = (address("192.0.2.1:5000"), Instant::now());
        assert_eq!(gate.check_amplifier(from, 30, 30, now), Ok(()));
        assert_eq!(
            gate.check_amplifier(from, 29, 30, now),
            Err(Refusal::TooShort)
        );
        assert_eq!(
            gate.check_amplifier(from, 0, 0, now),
            Err(Refusal::TooShort)
        );
    }

    #[test]
    fn a_network_gets_its_answers_a_second_and_no_more() {
        let mut limit = RateLimit::new(10, Instant::now());
        let mut taken = 0;
        // Ten seconds, a request a millisecond, from all addresses of a /24.
        for millisecond in 0..10_000_u64 {
            let last = u8::try_from(millisecond % 256).unwrap();
            let now = limit.origin + Duration::from_millis(millisecond);
            taken += u32::from(limit.take(IpAddr::from([192, 0, 2, last]), now));
        }
        // Those of the first second at once, then ten for each second.
        assert!((100..=110).contains(&taken), "{taken}");
    }

    #[test]
    fn another_network_is_not_held_to_account() {
        let mut limit = RateLimit::new(1, Instant::now());
        let now = limit.origin;
        assert!(limit.take(IpAddr::from([192, 0, 2, 1]), now));
        assert!(!limit.take(IpAddr::from([192, 0, 2, 2]), now));
        // Of a hundred networks, hardly any share a number with that one.
        let free = (0..100).filter(|&third| limit.take(IpAddr::from([198, 51, third, 1]), now));
        assert!(free.count() > 80);
    }
}
