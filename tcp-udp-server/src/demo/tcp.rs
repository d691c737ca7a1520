//! What the server does for a connection.

use std::error::Error;
use std::io::Write;
use std::net::Shutdown;
use std::time::Instant;

use tcp_udp_server::HIGH_WATER_BYTES;

use super::serving::{Serving, connect, done};
use super::{Demo, IN_VAIN, name};

impl Demo {
    /// A half close ends one direction; the echo comes by the other.
    pub(super) fn half(&mut self, serving: &mut Serving) -> Result<(), Box<dyn Error>> {
        let client = connect(serving.echo)?;
        let sent: Vec<u8> = (0..100_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        // Nothing is read before the half close.
        let mut rest = &sent[..];
        while !rest.is_empty() {
            match done((&client).write(rest))? {
                Some(length) => rest = &rest[length..],
                None => serving.turn()?,
            }
        }
        client.shutdown(Shutdown::Write)?;
        self.say("half", "write 100000 bytes, shutdown(SHUT_WR), then read")?;
        let (echo, has_ended) = serving.exchange(&client, &[], usize::MAX)?;
        let what = same(&echo, &sent);
        self.answer("half", "the echo", "the same 100000 bytes", &what)?;
        let what = if has_ended { "0" } else { "more" };
        self.answer("half", "read, once more", "0", what)
    }

    /// Who does not read is not read from.
    pub(super) fn slow(&mut self, serving: &mut Serving) -> Result<(), Box<dyn Error>> {
        let client = connect(serving.echo)?;
        let piece: Vec<u8> = (0..65_536_u32).map(|n| (n % 251) as u8).collect();
        let mut sent = Vec::new();
        let last = loop {
            let read_before = serving.server.counters().bytes_in;
            let pause = Instant::now() + IN_VAIN;
            let write = (&client).write(&piece);
            if let Ok(length) = write {
                sent.extend_from_slice(&piece[..length]);
                continue;
            }
            // The buffers on the way may still have something to move.
            while Instant::now() < pause {
                serving.turn()?;
            }
            let again = (&client).write(&piece[..1]);
            sent.extend_from_slice(&piece[..again.as_ref().map_or(0, |&length| length)]);
            if again.is_err() && serving.server.counters().bytes_in == read_before {
                break again;
            }
        };
        self.say("slow", "write and write, and never read the echo")?;
        self.answer("slow", "write, in the end", "EAGAIN", &name(last))?;
        let queued = serving.server.queued_bytes();
        let limit = 3 * HIGH_WATER_BYTES;
        let what = if queued <= limit { "not more" } else { "more" };
        let mark = chapter::show_size(limit);
        self.answer(
            "slow",
            &format!("waits in the server, of {mark}"),
            "not more",
            what,
        )?;
        self.note(
            "slow",
            "the server has stopped reading; the rest fills the kernel's buffers",
        )?;
        let (echo, _) = serving.exchange(&client, &[], sent.len())?;
        let what = if echo == sent {
            "all of it"
        } else {
            "something else"
        };
        self.answer("slow", "read: what was written", "all of it", what)
    }

    /// A close with bytes unread would be a reset.
    pub(super) fn bye(&mut self, serving: &mut Serving) -> Result<(), Box<dyn Error>> {
        let client = connect(serving.daytime)?;
        self.say("bye", "daytime is told what it does not want to know")?;
        let (said, _) = serving.exchange(&client, b"what time is it?\n", 1)?;
        let what = if said.ends_with(b"\r\n") {
            "a line"
        } else {
            "no line"
        };
        self.answer("bye", "read", "a line", what)?;
        let (_, has_ended) = serving.exchange(&client, b"thank you\n", usize::MAX)?;
        let what = if has_ended { "0" } else { "more" };
        self.answer("bye", "read, once more", "0", what)?;
        self.note(
            "bye",
            "0 and no ECONNRESET: it reads what it does not want before it closes",
        )
    }

    /// Silence in both directions ends a connection.
    pub(super) fn idle(&mut self) -> Result<(), Box<dyn Error>> {
        let mut serving = Serving::start(self.trace, |settings| settings.idle_timeout = IN_VAIN)?;
        let client = connect(serving.echo)?;
        let limit = chapter::show_duration(IN_VAIN);
        self.say("idle", format!("connect, and say nothing for {limit}"))?;
        serving.until(|counters| counters.idle == 1)?;
        let (_, has_ended) = serving.exchange(&client, &[], 1)?;
        let what = if has_ended { "0" } else { "more" };
        self.answer("idle", "read", "0", what)
    }
}

fn same(echo: &[u8], sent: &[u8]) -> String {
    if echo == sent {
        format!("the same {} bytes", echo.len())
    } else {
        format!("{} other bytes", echo.len())
    }
}
