//! What the person who runs the server decides: names, texts, passwords, limits.
//!
//! Shows: plain data with defaults, so that a test or an embedding program
//! changes only what it is about.
//! Leaves out: the command line, which fills this in; the loop side's own
//! limits (flood control, timeouts).

use std::fmt;

use subtle::ConstantTimeEq;

use super::limits::{MASK_LISTS_BYTES, NETWORK_BYTES, SERVER_NAME_BYTES};

/// Settings of the room, fixed while it runs but for the message of the day.
#[derive(Clone, Debug)]
pub struct Rules {
    /// What the server calls itself, the source of its replies. See
    /// [`is_server_name`].
    pub server_name: String,
    /// Name of the network, one word, shown in the greeting and in 005.
    pub network: String,
    /// Message of the day; empty for none. Longer lines than fit are cut.
    pub motd: Vec<String>,
    /// Who runs the server, for ADMIN: place, institution, mail address. Empty
    /// if that is nobody's business; a fourth line is not shown.
    pub administrator: Vec<String>,
    /// What every client must send with PASS; `None` for an open server.
    pub password: Option<Secret>,
    /// Who may become operator with OPER.
    pub operators: Vec<Operator>,
    /// What a client, and all clients together, may occupy.
    pub limits: Limits,
}

impl Default for Rules {
    fn default() -> Rules {
        Rules {
            server_name: "chat.localhost".to_owned(),
            network: "Workshop".to_owned(),
            motd: Vec::new(),
            administrator: Vec::new(),
            password: None,
            operators: Vec::new(),
            limits: Limits::default(),
        }
    }
}

/// One `--operator NAME:PASSWORD`.
#[derive(Clone, Debug)]
pub struct Operator {
    /// The name to give with OPER; not a nick.
    pub name: String,
    /// The password to give with it.
    pub password: Secret,
}

/// Limits that are settings. Those that are part of the protocol (line, nick,
/// topic ...) are constants and are told to clients in 005.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Clients at once, those included that are just leaving.
    pub max_clients: usize,
    /// Clients at once from one IPv4 address, or from the /64 that an IPv6 one
    /// is in; loopback is exempt.
    pub max_per_address: usize,
    /// Bytes that may wait for one client before it is put out.
    pub send_queue_bytes: usize,
    /// Bytes that may wait for all clients before the one with the longest
    /// queue is put out.
    pub send_queues_bytes: usize,
    /// Channels at once.
    pub max_channels: usize,
    /// Bytes that the entries of all ban and exemption lists may take.
    pub list_entries_bytes: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            max_clients: 10_000,
            max_per_address: 64,
            send_queue_bytes: 1 << 20,
            send_queues_bytes: 256 << 20,
            max_channels: 10_000,
            list_entries_bytes: MASK_LISTS_BYTES,
        }
    }
}

/// Whether `name` can be a server's name: 1 to 63 bytes of letters, digits, `.`
/// and `-`, and at least one `.`, by which clients tell it from a nick.
#[must_use]
pub fn is_server_name(name: &str) -> bool {
    (1..=SERVER_NAME_BYTES).contains(&name.len())
        && name.contains('.')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte))
}

/// Whether `name` can be a network's name: one word of 1 to 50 visible ASCII
/// characters.
#[must_use]
pub fn is_network_name(name: &str) -> bool {
    (1..=NETWORK_BYTES).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A password: `Debug` does not show it, and comparing takes a time that does
/// not depend on how much of a guess is right (only on its length).
#[derive(Clone)]
pub struct Secret(Box<[u8]>);

impl Secret {
    /// Keeps `bytes` secret.
    #[must_use]
    pub fn new(bytes: impl Into<Vec<u8>>) -> Secret {
        Secret(bytes.into().into_boxed_slice())
    }

    /// Whether `guess` is the secret.
    #[must_use]
    pub fn matches(&self, guess: &[u8]) -> bool {
        self.0.ct_eq(guess).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_never_shows_a_password() {
        let rules = Rules {
            password: Some(Secret::new("hunter2")),
            operators: vec![Operator {
                name: "ann".into(),
                password: Secret::new("hunter2"),
            }],
            ..Rules::default()
        };
        let shown = format!("{rules:?}");
        assert!(
            shown.contains("***") && !shown.contains("hunter2"),
            "{shown}"
        );
    }

    #[test]
    fn a_secret_matches_only_itself() {
        let secret = Secret::new("hunter2");
        assert!(secret.matches(b"hunter2"));
        for wrong in ["", "hunter", "hunter22", "Hunter2"] {
            assert!(!secret.matches(wrong.as_bytes()), "{wrong}");
        }
    }

    #[test]
    fn the_default_server_name_is_a_server_name() {
        assert!(is_server_name(&Rules::default().server_name));
        for wrong in [
            "",
            "localhost",
            "chat server.org",
            "chat.örg",
            &"a.".repeat(32),
        ] {
            assert!(!is_server_name(wrong), "{wrong}");
        }
    }
}
