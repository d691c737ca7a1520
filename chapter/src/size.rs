//! Numbers of bytes as they are written on the command line and printed in messages.

use std::fmt;

use crate::quantity::{QuantityError, Scale};

/// Powers of 1,024 throughout. `kB` and `MB` are left out: to some they are powers of 1,000.
const SCALE: Scale = Scale {
    units: &[
        ("", 1),
        ("B", 1),
        ("k", 1 << 10),
        ("K", 1 << 10),
        ("KiB", 1 << 10),
        ("M", 1 << 20),
        ("MiB", 1 << 20),
        ("G", 1 << 30),
        ("GiB", 1 << 30),
    ],
    smallest: "byte",
    examples: "4096, 64k, 64KiB, 1MiB or 2GiB",
};

/// Reads a number of bytes: `4096`, `64k`, `64KiB`, `1.5MiB`, `2G`; a bare number is bytes.
///
/// `k`, `K` and `KiB` are 1,024 bytes; `M` and `MiB`, `G` and `GiB` are 1,024 times the one before.
/// Zero is a size; a program to which it means nothing says so itself. Meant for clap's
/// `value_parser`.
///
/// # Errors
///
/// What is wrong with the text, in words for the person who typed it.
///
/// ```
/// assert_eq!(chapter::size("1MiB"), Ok(1_048_576));
/// assert_eq!(chapter::size("64k"), chapter::size("65536"));
/// let err = chapter::size("1.5").unwrap_err();
/// assert_eq!(err.to_string(), "finer than one byte");
/// ```
pub fn size(text: &str) -> Result<usize, QuantityError> {
    usize::try_from(SCALE.parse(text)?).map_err(|_| QuantityError::TooLarge)
}

/// Prints a number of bytes the way [`size`] reads it, exactly: in the largest unit that gives a
/// whole number.
///
/// ```
/// assert_eq!(chapter::show_size(1_048_576).to_string(), "1MiB");
/// assert_eq!(chapter::show_size(1_500).to_string(), "1500B");
/// ```
#[must_use]
pub fn show_size(bytes: usize) -> ShowSize {
    ShowSize(bytes)
}

/// What [`show_size`] returns; use it through [`Display`](fmt::Display).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShowSize(usize);

impl fmt::Display for ShowSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.0;
        let (shift, unit) = match bytes.trailing_zeros() {
            _ if bytes == 0 => (0, "B"),
            30.. => (30, "GiB"),
            20.. => (20, "MiB"),
            10.. => (10, "KiB"),
            _ => (0, "B"),
        };
        f.pad(&format!("{}{unit}", bytes >> shift))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_unit_is_read() {
        for (text, bytes) in [
            ("0", 0),
            ("4096", 4_096),
            ("4096B", 4_096),
            ("64k", 65_536),
            ("64K", 65_536),
            ("64KiB", 65_536),
            ("1M", 1_048_576),
            ("1.5MiB", 1_572_864),
            ("2G", 2_147_483_648),
            ("2GiB", 2_147_483_648),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn units_of_doubtful_meaning_are_refused() {
        for unit in ["kB", "KB", "MB", "GB", "kb", "m", "bytes"] {
            let err = size(&format!("1{unit}")).unwrap_err();
            assert!(
                matches!(&err, QuantityError::UnknownUnit(found, _) if found == unit),
                "{err}"
            );
        }
    }

    #[test]
    fn half_a_byte_is_refused() {
        assert_eq!(size("0.5KiB"), Ok(512));
        assert_eq!(size("0.0001KiB"), Err(QuantityError::TooFine("byte")));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert_eq!(size(&usize::MAX.to_string()), Ok(usize::MAX));
        assert_eq!(size("18446744073709551616"), Err(QuantityError::TooLarge));
        assert_eq!(size("99999999999999G"), Err(QuantityError::TooLarge));
    }

    #[test]
    fn a_size_is_shown_in_the_largest_unit_that_is_whole() {
        for text in [
            "0B", "1B", "1023B", "1KiB", "1025B", "1536KiB", "1MiB", "256MiB", "3GiB",
        ] {
            assert_eq!(show_size(size(text).unwrap()).to_string(), text);
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(bytes: usize, shift in 0_u32..40) {
            for shown in [bytes, bytes >> shift << shift, bytes >> shift] {
                prop_assert_eq!(size(&show_size(shown).to_string()), Ok(shown));
            }
        }
    }
}
