//! The parameters of a message, in place: at most fifteen borrowed slices.
//!
//! Shows: an array with a length instead of a `Vec`, so that parsing allocates nothing.

use std::fmt;
use std::ops::Deref;

use crate::bytes::{Escaped, skip_spaces, take_word};
use crate::limits::MAX_PARAMETERS;

/// The parameters of a message; used as the slice `[&[u8]]` that it derefs to.
///
/// Only the last may be empty, start with a colon or hold a space. The colon that marks such a last
/// parameter on the wire is not part of it.
#[derive(Clone, Copy)]
pub struct Parameters<'a> {
    slots: [&'a [u8]; MAX_PARAMETERS],
    count: usize,
}

impl<'a> Parameters<'a> {
    /// The given parameters, for a message that is to be written.
    ///
    /// # Panics
    ///
    /// If there are more than [`MAX_PARAMETERS`].
    #[must_use]
    pub fn new(parameters: &[&'a [u8]]) -> Parameters<'a> {
        assert!(
            parameters.len() <= MAX_PARAMETERS,
            "more than {MAX_PARAMETERS} parameters"
        );
        let mut result = Parameters::default();
        for parameter in parameters {
            result.push(parameter);
        }
        result
    }

    /// What follows the command.
    ///
    /// The fifteenth takes the rest of the line, spaces inside it included, with or without a
    /// colon: the grammar of RFC 2812, section 2.3.1. Spaces at the end belong to it only after a
    /// colon.
    pub(crate) fn parse(mut rest: &'a [u8]) -> Parameters<'a> {
        let mut result = Parameters::default();
        loop {
            rest = skip_spaces(rest);
            if rest.is_empty() {
                return result;
            }
            if let Some(trailing) = rest.strip_prefix(b":") {
                result.push(trailing);
                return result;
            }
            if result.count == MAX_PARAMETERS - 1 {
                let spaces = rest.iter().rev().take_while(|&&byte| byte == b' ').count();
                result.push(&rest[..rest.len() - spaces]);
                return result;
            }
            let word;
            (word, rest) = take_word(rest);
            result.push(word);
        }
    }

    fn push(&mut self, parameter: &'a [u8]) {
        self.slots[self.count] = parameter;
        self.count += 1;
    }
}

impl Default for Parameters<'_> {
    fn default() -> Self {
        Parameters {
            slots: [b""; MAX_PARAMETERS],
            count: 0,
        }
    }
}

impl<'a> Deref for Parameters<'a> {
    type Target = [&'a [u8]];

    fn deref(&self) -> &[&'a [u8]] {
        &self.slots[..self.count]
    }
}

impl PartialEq for Parameters<'_> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Parameters<'_> {}

impl fmt::Debug for Parameters<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.iter().map(|parameter| Escaped(parameter)))
            .finish()
    }
}
