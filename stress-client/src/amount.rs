//! When a measurement has gone on for long enough.

use std::time::Duration;

/// After how much it ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Amount {
    /// After so many: messages of each sender, cycles of all.
    Number(u64),
    /// When this time is over, and what is under way then has come to its end.
    Time(Duration),
}

impl Amount {
    /// Whether another one may begin after `begun` of them; `is_over` when the time is.
    pub(crate) fn allows(self, begun: u64, is_over: bool) -> bool {
        match self {
            Amount::Number(number) => begun < number,
            Amount::Time(_) => !is_over,
        }
    }
}
