//! A few random numbers, for what need not be secret.

use std::hash::{BuildHasher, RandomState};

/// A number from 0 to `below` less one.
///
/// The standard library seeds its hash maps from the kernel, and each seed a
/// little differently: good enough for a jitter or a guest's number.
pub(crate) fn random(below: u32) -> u32 {
    let hash = RandomState::new().hash_one(0_u8);
    u32::try_from(hash % u64::from(below)).expect("less than `below`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_numbers_below_come_up_and_no_other() {
        let mut seen = [false; 10];
        for _ in 0..10_000 {
            seen[random(10) as usize] = true;
        }
        assert_eq!(seen, [true; 10]);
    }
}
