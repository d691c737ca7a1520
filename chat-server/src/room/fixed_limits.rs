//! Every limit that no option changes, with the words in which `--help` tells
//! it.
//!
//! Shows: a table made of the constants that are enforced, and a test that
//! looks through the source for one that is missing here.
//! Leaves out: limits that are options; those are in `rules.rs` and in the
//! settings of the loop side.

use chat_protocol::{
    CHANNEL_BYTES, MAX_BODY_BYTES, MAX_CLIENT_TAG_BYTES, MAX_PARAMETERS, MAX_TAG_BYTES, NICK_BYTES,
};

use super::limits::{
    AWAY_BYTES, KEY_BYTES, KICK_BYTES, MASK_BYTES, MASK_LISTS_BYTES, MAX_CHANNELS,
    MAX_LIST_ENTRIES, MAX_MODES, MAX_REMEMBERED_NICKS, MAX_TARGETS, MAX_TOKEN_DIGITS,
    MAX_USERHOST_NICKS, MAX_WRONG_GUESSES, NETWORK_BYTES, REAL_NAME_BYTES, REQUEST_BYTES,
    SERVER_NAME_BYTES, TOPIC_BYTES, TYPED_BYTES, USER_BYTES,
};

/// A limit that no option changes.
#[derive(Clone, Copy, Debug)]
pub struct FixedLimit {
    /// Name of the constant by which it is enforced.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "a test finds what is missing by it")
    )]
    constant: &'static str,
    /// The most that is allowed.
    pub value: usize,
    /// What it limits, as a person says it.
    pub what: &'static str,
}

/// The row of the table for a constant.
macro_rules! limit {
    ($constant:ident, $what:literal) => {
        FixedLimit {
            constant: stringify!($constant),
            value: $constant,
            what: $what,
        }
    };
}

/// The longest that something may be, in bytes.
pub const MAX_LENGTHS: [FixedLimit; 17] = [
    limit!(MAX_BODY_BYTES, "line, with its CR LF and without tags"),
    limit!(MAX_CLIENT_TAG_BYTES, "tags of a line from a client"),
    limit!(MAX_TAG_BYTES, "tags of a line in all"),
    limit!(TYPED_BYTES, "line of a plain peer"),
    limit!(REQUEST_BYTES, "names in a CAP REQ"),
    limit!(NICK_BYTES, "nick"),
    limit!(USER_BYTES, "user name, with its ~"),
    limit!(REAL_NAME_BYTES, "real name"),
    limit!(AWAY_BYTES, "away message"),
    limit!(CHANNEL_BYTES, "name of a channel, with its #"),
    limit!(TOPIC_BYTES, "topic"),
    limit!(KEY_BYTES, "key of a channel"),
    limit!(KICK_BYTES, "reason of a KICK"),
    limit!(MASK_BYTES, "mask in a ban or exemption list"),
    limit!(MASK_LISTS_BYTES, "ban and exemption lists of all channels"),
    limit!(SERVER_NAME_BYTES, "name of the server"),
    limit!(NETWORK_BYTES, "name of the network"),
];

/// The most that there may be of something.
pub const MAX_COUNTS: [FixedLimit; 9] = [
    limit!(
        MAX_CHANNELS,
        "channels that a client is in, and invitations that it has"
    ),
    limit!(
        MAX_LIST_ENTRIES,
        "entries in a channel's ban and exemption lists"
    ),
    limit!(MAX_MODES, "changes with a parameter in a MODE"),
    limit!(
        MAX_TARGETS,
        "targets of KICK, LIST, NAMES, NOTICE, PRIVMSG, TAGMSG, WHOIS, WHOWAS"
    ),
    limit!(MAX_USERHOST_NICKS, "nicks in a USERHOST"),
    limit!(MAX_TOKEN_DIGITS, "digits in the token of a WHO"),
    limit!(MAX_PARAMETERS, "parameters of a line"),
    limit!(MAX_REMEMBERED_NICKS, "nicks that WHOWAS remembers"),
    limit!(
        MAX_WRONG_GUESSES,
        "wrong passwords for OPER; then the client is put out"
    ),
];

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::super::limits::TARGETED;
    use super::*;

    /// Constants that are named like limits and limit no peer.
    const INNER: &[(&str, &str)] = &[
        ("BYTES_A_LINE", "a line of full length, for flood control"),
        ("FLUSH_BYTES", "when a batch is written to in between"),
        (
            "MAX_ACCEPTS_A_TURN",
            "the rest is accepted in the next turn",
        ),
        ("MAX_CONTENT_BYTES", "MAX_BODY_BYTES without CR LF"),
        (
            "MAX_DOCUMENT_BYTES",
            "what an old server says; it is of the same user",
        ),
        (
            "MAX_IDENTITY_BYTES",
            "nick, user and address have their own",
        ),
        (
            "MAX_PIECES",
            "the rest of a batch is copied into the queues",
        ),
        ("MAX_SLICES", "more of them are copied into the queue first"),
        ("MAX_TYPED_BYTES", "what is read of a line to be cut"),
        ("READ_BYTES", "the rest is read next, or in the next turn"),
        ("READ_BYTES_LIMITED", "the rest is read in the next turn"),
        ("TOLD_BYTES", "more is told in another line"),
        ("WARM_BYTES", "what is more is given back after the batch"),
    ];

    /// The constants in a file or in the files of a folder that limit something:
    /// those that are named like limits, and in a file of limits every one.
    fn limits_in(path: &Path) -> Vec<String> {
        if path.is_dir() {
            let entries = fs::read_dir(path).unwrap();
            return entries
                .flat_map(|entry| limits_in(&entry.unwrap().path()))
                .collect();
        }
        let source = fs::read_to_string(path).unwrap();
        let program = source.split("#[cfg(test)]\nmod tests").next().unwrap();
        let declared = program.lines().filter_map(|line| {
            let (name, rest) = line.split_once("const ")?.1.split_once(": ")?;
            let is_number = ["u", "i"].iter().any(|start| rest.starts_with(start));
            let is_limit =
                path.ends_with("limits.rs") || name.starts_with("MAX_") || name.contains("BYTES");
            (is_number && is_limit).then(|| name.to_owned())
        });
        declared.collect()
    }

    #[test]
    fn every_limit_in_the_source_is_in_the_table() {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let protocol = sources.join("../../chat-protocol/src/limits.rs");
        let found = [limits_in(&sources), limits_in(&protocol)].concat();
        let rows = MAX_LENGTHS.iter().chain(&MAX_COUNTS);
        let told: Vec<&str> = rows.map(|limit| limit.constant).collect();
        for constant in &found {
            let is_inner = INNER.iter().any(|(name, _)| name == constant);
            assert!(
                told.contains(&constant.as_str()) != is_inner,
                "{constant} has to be told in --help, or to be listed as inner"
            );
        }
        // The search finds what is known to be there.
        for constant in told.iter().chain(INNER.iter().map(|(name, _)| name)) {
            assert!(found.iter().any(|name| name == constant), "{constant}");
        }
    }

    #[test]
    fn the_commands_whose_targets_are_limited_are_all_named() {
        let targets = MAX_COUNTS
            .iter()
            .find(|limit| limit.constant == "MAX_TARGETS");
        for command in TARGETED {
            assert!(targets.unwrap().what.contains(command), "{command}");
        }
    }
}
