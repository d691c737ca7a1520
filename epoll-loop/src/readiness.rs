//! What is asked of the kernel, and what it answers.
//!
//! Shows: interest and readiness are two different sets; which bits of
//! `epoll_ctl(2)` stand for which, and the few that the loop adds of its own.

use std::fmt;
use std::ops::{BitOr, BitOrAssign};

use nix::sys::epoll::EpollFlags;

/// The bits of `flags` as the loop keeps them.
pub(crate) const fn bits(flags: EpollFlags) -> u32 {
    // A bit set: EPOLLET is the top bit, so nix's int is negative with it.
    flags.bits().cast_unsigned()
}

/// The flags that `bits` stand for in a system call.
pub(crate) const fn flags(bits: u32) -> EpollFlags {
    EpollFlags::from_bits_retain(bits.cast_signed())
}

/// What a watch asks of the kernel.
///
/// ```
/// use epoll_loop::Interest;
///
/// let both = Interest::READABLE | Interest::WRITABLE;
/// assert!(both.contains(Interest::WRITABLE));
/// assert_eq!(both.without(Interest::WRITABLE), Interest::READABLE);
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Interest(u32);

impl Interest {
    /// Nothing: the descriptor is taken out of the kernel's set.
    ///
    /// The kernel reports ERR and HUP whether or not they were asked for, so a
    /// registration that asks for nothing would burn a core on a dead peer.
    pub const NONE: Interest = Interest(0);
    /// Data or the end of the stream can be read (`EPOLLIN | EPOLLRDHUP`).
    ///
    /// RDHUP comes only together with IN: a peer that has closed its half stays
    /// RDHUP for ever, and would be reported for ever to a watch that does not
    /// read.
    pub const READABLE: Interest =
        Interest(bits(EpollFlags::EPOLLIN.union(EpollFlags::EPOLLRDHUP)));
    /// Bytes can be written, or a connect is over (`EPOLLOUT`).
    pub const WRITABLE: Interest = Interest(bits(EpollFlags::EPOLLOUT));
    /// TCP urgent data has arrived (`EPOLLPRI`).
    pub const URGENT: Interest = Interest(bits(EpollFlags::EPOLLPRI));

    /// Whether all of `other` is asked for.
    #[must_use]
    pub const fn contains(self, other: Interest) -> bool {
        self.0 & other.0 == other.0
    }

    /// The same interest less `other`.
    #[must_use]
    pub const fn without(self, other: Interest) -> Interest {
        Interest(self.0 & !other.0)
    }

    pub(crate) const fn bits(self) -> u32 {
        self.0
    }
}

impl BitOr for Interest {
    type Output = Interest;

    fn bitor(self, other: Interest) -> Interest {
        Interest(self.0 | other.0)
    }
}

impl fmt::Debug for Interest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Interest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_names(f, self.0)
    }
}

/// Why a callback is called: the kernel's report, or the loop's own reason.
///
/// One event may carry several: data and the end of the stream come as
/// `IN|RDHUP`, so read before you close. It prints with the kernel's names.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Readiness(u32);

impl Readiness {
    /// `EPOLLIN`: bytes, a connection or the end of the stream can be read.
    pub const IN: Readiness = Readiness(bits(EpollFlags::EPOLLIN));
    /// `EPOLLOUT`: there is room to write (a third of a TCP socket's send buffer),
    /// or a connect is over.
    pub const OUT: Readiness = Readiness(bits(EpollFlags::EPOLLOUT));
    /// `EPOLLPRI`: urgent data.
    pub const PRI: Readiness = Readiness(bits(EpollFlags::EPOLLPRI));
    /// `EPOLLERR`: an error waits in `SO_ERROR`, or a pipe has no reader.
    pub const ERR: Readiness = Readiness(bits(EpollFlags::EPOLLERR));
    /// `EPOLLHUP`: both directions are shut down, or a pipe has no writer.
    pub const HUP: Readiness = Readiness(bits(EpollFlags::EPOLLHUP));
    /// `EPOLLRDHUP`: the peer has shut down its half; it may still read.
    pub const RDHUP: Readiness = Readiness(bits(EpollFlags::EPOLLRDHUP));

    // Bits that no version of epoll uses (it has 0 to 15 and 27 to 31).

    /// The timeout of a watch has passed without an event.
    pub const TIMEOUT: Readiness = Readiness(1 << 16);
    /// A timer is due.
    pub const TIMER: Readiness = Readiness(1 << 17);
    /// A signal has arrived, once or more often.
    pub const SIGNAL: Readiness = Readiness(1 << 18);
    /// A child process has ended.
    pub const CHILD: Readiness = Readiness(1 << 19);
    /// A [`Waker`](crate::Waker) was used, once or more often.
    pub const WOKEN: Readiness = Readiness(1 << 20);
    /// Nothing else was to be done in this turn.
    pub const IDLE: Readiness = Readiness(1 << 21);
    /// The loop is about to wait.
    pub const BEFORE_WAIT: Readiness = Readiness(1 << 22);
    /// The loop has waited.
    pub const AFTER_WAIT: Readiness = Readiness(1 << 23);
    /// The kernel refused the descriptor: the watch has ended. Comes with ERR.
    pub const ENDED: Readiness = Readiness(1 << 24);

    /// What a watcher may be told last of all.
    pub(crate) const LAST: Readiness =
        Readiness(Readiness::TIMER.0 | Readiness::CHILD.0 | Readiness::WOKEN.0);

    /// Whether anything of `other` is in this set.
    #[must_use]
    pub const fn intersects(self, other: Readiness) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether a read would not block: it gives bytes, the end or an error.
    #[must_use]
    pub const fn is_readable(self) -> bool {
        self.0 & (Readiness::IN.0 | Readiness::RDHUP.0 | Readiness::HUP.0 | Readiness::ERR.0) != 0
    }

    /// Whether a write would not block: it takes bytes or gives an error.
    #[must_use]
    pub const fn is_writable(self) -> bool {
        self.0 & (Readiness::OUT.0 | Readiness::HUP.0 | Readiness::ERR.0) != 0
    }

    /// Whether this is the timeout of a watch and nothing else.
    #[must_use]
    pub const fn is_timeout(self) -> bool {
        self.0 == Readiness::TIMEOUT.0
    }

    pub(crate) const fn without(self, other: Readiness) -> Readiness {
        Readiness(self.0 & !other.0)
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The kernel's bits, as they came.
    pub(crate) const fn from_kernel(flags: EpollFlags) -> Readiness {
        Readiness(bits(flags))
    }

    /// What is true of a descriptor that is always ready, of what was asked.
    pub(crate) const fn always(interest: Interest) -> Readiness {
        Readiness(interest.0 & (Readiness::IN.0 | Readiness::OUT.0))
    }
}

impl BitOr for Readiness {
    type Output = Readiness;

    fn bitor(self, other: Readiness) -> Readiness {
        Readiness(self.0 | other.0)
    }
}

impl BitOrAssign for Readiness {
    fn bitor_assign(&mut self, other: Readiness) {
        self.0 |= other.0;
    }
}

impl fmt::Debug for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_names(f, self.0)
    }
}

/// Every bit with its name, in the order in which `strace` prints them.
const NAMES: [(u32, &str); 17] = [
    (Readiness::IN.0, "IN"),
    (Readiness::PRI.0, "PRI"),
    (Readiness::OUT.0, "OUT"),
    (Readiness::ERR.0, "ERR"),
    (Readiness::HUP.0, "HUP"),
    (Readiness::RDHUP.0, "RDHUP"),
    (bits(EpollFlags::EPOLLONESHOT), "ONESHOT"),
    (bits(EpollFlags::EPOLLET), "ET"),
    (Readiness::TIMEOUT.0, "timeout"),
    (Readiness::TIMER.0, "timer"),
    (Readiness::SIGNAL.0, "signal"),
    (Readiness::CHILD.0, "child"),
    (Readiness::WOKEN.0, "woken"),
    (Readiness::IDLE.0, "idle"),
    (Readiness::BEFORE_WAIT.0, "before-wait"),
    (Readiness::AFTER_WAIT.0, "after-wait"),
    (Readiness::ENDED.0, "ended"),
];

fn write_names(f: &mut fmt::Formatter<'_>, bits: u32) -> fmt::Result {
    let mut first = true;
    for (bit, name) in NAMES {
        if bits & bit != 0 {
            if !first {
                f.write_str("|")?;
            }
            f.write_str(name)?;
            first = false;
        }
    }
    if first {
        f.write_str("none")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readiness_prints_with_the_names_of_the_kernel() {
        let last_words = Readiness::IN | Readiness::OUT | Readiness::RDHUP;
        assert_eq!(last_words.to_string(), "IN|OUT|RDHUP");
        assert_eq!(Interest::NONE.to_string(), "none");
    }

    #[test]
    fn the_bits_of_the_loop_are_none_of_the_kernels() {
        let own = NAMES[8..].iter().fold(0, |all, (bit, _)| all | bit);
        assert_eq!(own & bits(EpollFlags::all()), 0);
        assert_eq!(own.count_ones() as usize, NAMES.len() - 8);
    }

    #[test]
    fn rdhup_is_asked_for_only_together_with_in() {
        let rdhup = bits(EpollFlags::EPOLLRDHUP);
        assert_ne!(Interest::READABLE.bits() & rdhup, 0);
        assert_eq!((Interest::WRITABLE | Interest::URGENT).bits() & rdhup, 0);
    }
}
