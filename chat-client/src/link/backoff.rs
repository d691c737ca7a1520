//! How long to wait before the next attempt.
//!
//! Shows: doubling, so that a server that is down is not asked every second all
//! day; and jitter, so that a thousand clients that it has lost do not all come
//! back in the same second.

use std::time::Duration;

use crate::random::random;

const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_mins(1);

/// The delays of attempts that have failed.
#[derive(Debug)]
pub(super) struct Backoff {
    step: Duration,
}

impl Backoff {
    pub(super) fn new() -> Backoff {
        Backoff { step: SHORTEST }
    }

    /// The delay before the next attempt: half a step to one and a half, from 1
    /// to 60 s. The steps double.
    pub(super) fn next_delay(&mut self) -> Duration {
        self.delay(random(1_000))
    }

    /// `thousandths` is the jitter, from 0 to 999.
    fn delay(&mut self, thousandths: u32) -> Duration {
        let delay = self.step * (500 + thousandths) / 1_000;
        self.step = (self.step * 2).min(LONGEST);
        delay.clamp(SHORTEST, LONGEST)
    }

    /// A connection has lasted.
    pub(super) fn reset(&mut self) {
        self.step = SHORTEST;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_from_one_second_to_sixty() {
        let (mut shortest, mut longest) = (Backoff::new(), Backoff::new());
        let seconds =
            |backoff: &mut Backoff, jitter| [(); 9].map(|()| backoff.delay(jitter).as_millis());
        assert_eq!(
            seconds(&mut shortest, 0),
            [
                1_000, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000
            ]
        );
        assert_eq!(
            seconds(&mut longest, 999),
            [
                1_499, 2_998, 5_996, 11_992, 23_984, 47_968, 60_000, 60_000, 60_000
            ]
        );
        shortest.reset();
        assert_eq!(shortest.delay(500), SHORTEST);
    }

    #[test]
    fn two_clients_do_not_come_back_together() {
        let mut backoff = Backoff { step: LONGEST / 4 };
        let first = backoff.next_delay();
        let differs = (0..100).any(|_| Backoff { step: LONGEST / 4 }.next_delay() != first);
        assert!(differs);
    }
}
