//! Telnet's Synch: the one use of urgent data that was worth having (RFC 854, page 8).
//!
//! Shows: the urgent byte carries nothing. It says "throw away what you have not read yet, until
//! you come to the mark"; so an interrupt gets through to a server that is a megabyte behind.
//! Leaves out: every option of telnet, and escaping of data bytes 255.

/// "Interpret as command": what follows is one.
pub const IAC: u8 = 255;
/// Interrupt process: what Ctrl-C is sent as.
pub const IP: u8 = 244;
/// Data mark: the end of what is thrown away. Sent as the urgent byte.
pub const DM: u8 = 242;

/// What a server makes of the stream.
#[derive(Debug, Default)]
pub struct Telnet {
    /// Whether data is thrown away.
    synch: bool,
    /// Whether the byte before was IAC.
    command: bool,
    /// Bytes of data given to the application.
    pub processed: usize,
    /// Bytes of data thrown away.
    pub discarded: usize,
    /// How many bytes had been processed when the interrupt was obeyed.
    pub interrupted_at: Option<usize>,
}

impl Telnet {
    /// The urgent notification has come: from here on only commands count, until the data mark.
    pub fn begin_synch(&mut self) {
        self.synch = true;
    }

    /// Whether data is thrown away.
    #[must_use]
    pub fn is_in_synch(&self) -> bool {
        self.synch
    }

    // ANCHOR: take
    /// Takes bytes of the stream, in order.
    ///
    /// That TCP is at its mark does not end a Synch, only the data mark does: the mark may have
    /// moved on (RFC 854: "should continue the special handling of the data stream until the DM is
    /// found").
    pub fn take(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            match (std::mem::take(&mut self.command), byte) {
                (false, IAC) => self.command = true,
                (true, IP) => self.interrupted_at = Some(self.processed),
                (true, DM) => self.synch = false,
                // A command that means nothing here.
                (true, _) => {}
                (false, _) if self.synch => self.discarded += 1,
                (false, _) => self.processed += 1,
            }
        }
    }
    // ANCHOR_END: take
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_synch_only_commands_count_and_the_data_mark_ends_it() {
        let mut telnet = Telnet::default();
        telnet.take(b"ls");
        telnet.begin_synch();
        telnet.take(b"lost\xff");
        telnet.take(&[IP, b'x', IAC]);
        assert!(telnet.is_in_synch());
        telnet.take(&[DM, b'p']);
        assert!(!telnet.is_in_synch());
        assert_eq!((telnet.processed, telnet.discarded), (3, 5));
        assert_eq!(telnet.interrupted_at, Some(2));
    }

    #[test]
    fn without_synch_the_interrupt_comes_after_all_that_was_sent_before() {
        let mut telnet = Telnet::default();
        telnet.take(&[b'x'; 100]);
        telnet.take(&[IAC, IP, b'y']);
        assert_eq!(telnet.interrupted_at, Some(100));
        assert_eq!(telnet.processed, 101);
    }
}
