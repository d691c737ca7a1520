//! The attacks: what is done to a server, one after the other.
//!
//! Shows: what a peer can do that the grammar of the protocol does not speak of.
//! Leaves out: what needs a network of its own (spoofed addresses, lost packets), and what would
//! hurt this machine more than the server.

/// One way to be a nuisance.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    /// Its figure in JSON: how long the witness waited at most.
    pub(crate) key: &'static str,
    /// What is done, in a few words.
    pub(crate) what: &'static str,
    /// At the same time.
    pub(crate) connections: usize,
    /// Whether each of them registers first.
    pub(crate) registers: bool,
    pub(crate) act: Act,
    /// Whether what the server answers is read.
    pub(crate) reads: bool,
}

/// What is done with a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    /// Nothing more.
    Stay,
    /// Nothing more is sent, and the server is told so (`shutdown(2)`).
    HalfClose,
    /// It is reset, and another takes its place.
    Reset,
    /// Bytes, one at each tick.
    Drip(&'static [u8]),
    /// Bytes without end, as many as the server takes: what comes at which turn.
    Pour(fn(u64, &mut Vec<u8>)),
    /// The beginning of a line is sent, the connection is reset, and another takes its place.
    CutOff(&'static [u8]),
}

/// All of them. The first is none, to compare with.
pub(crate) const ATTACKS: [Attack; 16] = [
    Attack {
        name: "nothing",
        key: "nothing_worst_milliseconds",
        what: "nobody attacks",
        connections: 0,
        registers: false,
        act: Act::Stay,
        reads: true,
    },
    Attack {
        name: "silent",
        key: "silent_worst_milliseconds",
        what: "connections that never say a word",
        connections: 200,
        registers: false,
        act: Act::Stay,
        reads: true,
    },
    Attack {
        name: "half-open",
        key: "half_open_worst_milliseconds",
        what: "connections whose sending half is closed at once",
        connections: 200,
        registers: false,
        act: Act::HalfClose,
        reads: true,
    },
    Attack {
        name: "drip",
        key: "drip_worst_milliseconds",
        what: "a line that never ends, a byte now and then",
        connections: 200,
        registers: false,
        act: Act::Drip(b"NICK drip"),
        reads: true,
    },
    Attack {
        name: "reset",
        key: "reset_worst_milliseconds",
        what: "connect and reset, again and again",
        connections: 16,
        registers: false,
        act: Act::Reset,
        reads: true,
    },
    Attack {
        name: "cut-off",
        key: "cut_off_worst_milliseconds",
        what: "reset in the middle of a line, again and again",
        connections: 16,
        registers: false,
        act: Act::CutOff(b"NICK cut\r\nUSER cut 0 * :cu"),
        reads: true,
    },
    Attack {
        name: "giant-line",
        key: "giant_line_worst_milliseconds",
        what: "one line without end",
        connections: 16,
        registers: false,
        act: Act::Pour(|_, out| out.extend_from_slice(&[b'x'; 1_024])),
        reads: true,
    },
    Attack {
        name: "nul",
        key: "nul_worst_milliseconds",
        what: "lines of NUL bytes",
        connections: 16,
        registers: false,
        act: Act::Pour(|_, out| {
            out.extend_from_slice(&[0; 200]);
            out.extend_from_slice(b"\r\n");
        }),
        reads: true,
    },
    Attack {
        name: "noise",
        key: "noise_worst_milliseconds",
        what: "bytes without any meaning",
        connections: 16,
        registers: false,
        act: Act::Pour(noise),
        reads: true,
    },
    Attack {
        name: "empty-lines",
        key: "empty_lines_worst_milliseconds",
        what: "nothing but line ends",
        connections: 16,
        registers: false,
        act: Act::Pour(|_, out| out.extend_from_slice(&b"\r\n".repeat(128))),
        reads: true,
    },
    Attack {
        name: "unregistered",
        key: "unregistered_worst_milliseconds",
        what: "commands from those who have not registered",
        connections: 16,
        registers: false,
        act: Act::Pour(|_, out| out.extend_from_slice(b"PRIVMSG #a :x\r\nLIST\r\nWHO\r\n")),
        reads: true,
    },
    Attack {
        name: "tags",
        key: "tags_worst_milliseconds",
        what: "tag sections that are longer than any may be",
        connections: 16,
        registers: true,
        act: Act::Pour(|_, out| {
            out.push(b'@');
            out.extend_from_slice(&b"a=b;".repeat(2_500));
            out.extend_from_slice(b" PING x\r\n");
        }),
        reads: true,
    },
    Attack {
        name: "flood",
        key: "flood_worst_milliseconds",
        what: "messages to nobody, as fast as the server takes them",
        connections: 16,
        registers: true,
        act: Act::Pour(|_, out| out.extend_from_slice(b"PRIVMSG nobody :hello\r\n")),
        reads: true,
    },
    Attack {
        name: "deaf",
        key: "deaf_worst_milliseconds",
        what: "questions with long answers that are not read",
        connections: 16,
        registers: true,
        act: Act::Pour(|_, out| out.extend_from_slice(b"MOTD\r\nLUSERS\r\nLIST\r\nWHO *\r\n")),
        reads: false,
    },
    Attack {
        name: "channels",
        key: "channels_worst_milliseconds",
        what: "a new channel with each line",
        connections: 4,
        registers: true,
        act: Act::Pour(|turn, out| out.extend_from_slice(format!("JOIN #c{turn}\r\n").as_bytes())),
        reads: true,
    },
    Attack {
        name: "nicks",
        key: "nicks_worst_milliseconds",
        what: "a new nick with each line",
        connections: 4,
        registers: true,
        act: Act::Pour(|turn, out| out.extend_from_slice(format!("NICK n{turn}\r\n").as_bytes())),
        reads: true,
    },
];

/// Bytes of an xorshift generator: the same each time, so that what has broken a server once can
/// break it again.
fn noise(turn: u64, out: &mut Vec<u8>) {
    let mut state = turn.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    for _ in 0..64 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        out.extend_from_slice(&state.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_attack_has_a_name_of_its_own_and_its_key_is_that_name() {
        for (index, attack) in ATTACKS.iter().enumerate() {
            let key = format!("{}_worst_milliseconds", attack.name.replace('-', "_"));
            assert_eq!(attack.key, key);
            let others = &ATTACKS[index + 1..];
            assert!(
                others.iter().all(|other| other.name != attack.name),
                "{key}"
            );
        }
    }

    #[test]
    fn noise_has_line_ends_in_it_and_is_the_same_each_time() {
        let mut noises = [Vec::new(), Vec::new()];
        for out in &mut noises {
            for turn in 0..16 {
                noise(turn, out);
            }
        }
        assert_eq!(noises[0], noises[1]);
        assert!(noises[0].contains(&b'\n') && noises[0].contains(&0));
    }
}
