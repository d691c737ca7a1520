//! A number with a unit, as it is written on a command line.
//!
//! Shows: decimals without floating point, so that what is printed can be read back exactly.
//! Leaves out: signs, exponents, and several units in one (`1h30m` is `90m`).

use std::error::Error;
use std::fmt;

/// What can be measured: the units with their size, and the words for a mistake.
pub(crate) struct Scale {
    /// Name and size of each unit, counted in the smallest one.
    pub(crate) units: &'static [(&'static str, u128)],
    /// The smallest unit in words, which nothing may be finer than.
    pub(crate) smallest: &'static str,
    /// How such a quantity is written, by examples.
    pub(crate) examples: &'static str,
}

/// Why a text is no duration, or no size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QuantityError {
    /// It does not begin with a number; holds examples of what is expected.
    NotANumber(&'static str),
    /// The number is followed by something that is no unit; holds that, and examples.
    UnknownUnit(String, &'static str),
    /// A part of the smallest unit is left over; holds the name of that unit.
    TooFine(&'static str),
    /// It does not fit the type.
    TooLarge,
}

impl fmt::Display for QuantityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotANumber(examples) => write!(f, "expected a number with a unit: {examples}"),
            Self::UnknownUnit(unit, examples) => {
                write!(f, "unknown unit '{unit}', expected {examples}")
            }
            Self::TooFine(smallest) => write!(f, "finer than one {smallest}"),
            Self::TooLarge => write!(f, "too large"),
        }
    }
}

impl Error for QuantityError {}

impl Scale {
    /// Reads `text` and counts it in the smallest unit.
    pub(crate) fn parse(&self, text: &str) -> Result<u128, QuantityError> {
        let end = text
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        if whole.is_empty() || fraction.is_empty() || fraction.contains('.') {
            return Err(QuantityError::NotANumber(self.examples));
        }
        let Some((_, unit_size)) = self.units.iter().find(|(name, _)| *name == unit) else {
            return Err(QuantityError::UnknownUnit(unit.to_owned(), self.examples));
        };
        times(whole, *unit_size)
            .ok_or(QuantityError::TooLarge)?
            .checked_add(self.fraction(fraction, *unit_size)?)
            .ok_or(QuantityError::TooLarge)
    }

    /// The part of one unit that the digits behind the point stand for.
    fn fraction(&self, digits: &str, unit_size: u128) -> Result<u128, QuantityError> {
        let digits = digits.trim_end_matches('0');
        if digits.is_empty() {
            return Ok(0);
        }
        // Where the arithmetic overflows there are more digits than any unit here can use.
        let divisor = u32::try_from(digits.len())
            .ok()
            .and_then(|n| 10_u128.checked_pow(n));
        match (times(digits, unit_size), divisor) {
            (Some(product), Some(divisor)) if product % divisor == 0 => Ok(product / divisor),
            _ => Err(QuantityError::TooFine(self.smallest)),
        }
    }
}

/// `digits` times `unit_size`; nothing if that does not fit.
fn times(digits: &str, unit_size: u128) -> Option<u128> {
    digits.parse::<u128>().ok()?.checked_mul(unit_size)
}
