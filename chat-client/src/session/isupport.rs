//! What the server says about itself in numeric 005.
//!
//! Shows: a client that takes the names of a network for granted is wrong on
//! the next one: which nicks are the same, how channels begin, what `@` stands
//! for.
//! Leaves out: tokens that nothing here depends on.
//!
//! Source: <https://modern.ircdocs.horse/#rplisupport-parameters>.

use std::str;

use chat_protocol::{CaseMapping, Source, neutral};

/// The most of each list that is taken over: more are no modes or prefixes.
const MAX_LIST: usize = 64;

/// What is known of the server; without its word, what RFC 1459 says.
#[derive(Clone, Debug)]
pub(super) struct Isupport {
    pub(super) case_mapping: CaseMapping,
    /// Modes of members and the signs that stand before their nicks, the
    /// highest first.
    prefixes: Vec<(u8, u8)>,
    channel_types: String,
    /// Modes that are lists; that always have a parameter; that have one when
    /// they are set; that have none.
    channel_modes: [Vec<u8>; 4],
    /// Prefixes that may stand before a channel: what is said goes to those
    /// members only.
    status_prefixes: Vec<u8>,
    /// The longest nick in bytes.
    pub(super) nick_bytes: Option<usize>,
    pub(super) network: Option<String>,
    /// The most lines of history in one answer.
    pub(super) history_lines: Option<usize>,
}

/// Whether a mode of a channel comes with a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ModeKind {
    /// Of a member, whose nick is the parameter; the sign before it.
    Member(char),
    /// Adds to a list, or takes from it.
    List,
    /// Always with a parameter.
    Always,
    /// With a parameter when it is set.
    WhenSet,
    Never,
}

impl Default for Isupport {
    fn default() -> Isupport {
        Isupport {
            case_mapping: CaseMapping::default(),
            prefixes: vec![(b'o', b'@'), (b'v', b'+')],
            channel_types: "#&".to_owned(),
            channel_modes: [
                b"beI".to_vec(),
                b"k".to_vec(),
                b"l".to_vec(),
                b"imnpst".to_vec(),
            ],
            status_prefixes: Vec::new(),
            nick_bytes: None,
            network: None,
            history_lines: None,
        }
    }
}

impl Isupport {
    /// Takes one token over: `KEY`, `KEY=value` or `-KEY`.
    pub(super) fn take(&mut self, token: &[u8]) {
        let at = token.iter().position(|&byte| byte == b'=');
        let (key, value) = match at {
            Some(at) => (&token[..at], &token[at + 1..]),
            None => (token, &[][..]),
        };
        let number = || str::from_utf8(value).ok()?.parse().ok();
        let default = Isupport::default;
        match key {
            b"CASEMAPPING" => {
                self.case_mapping = CaseMapping::from_token(value).unwrap_or_default();
            }
            b"PREFIX" => self.prefixes = prefixes(value),
            b"CHANTYPES" => {
                let signs = value.iter().filter(|byte| byte.is_ascii_punctuation());
                self.channel_types = signs.map(|&byte| char::from(byte)).take(MAX_LIST).collect();
            }
            b"CHANMODES" => {
                let mut lists = value.split(|&byte| byte == b',');
                self.channel_modes = std::array::from_fn(|_| {
                    let list = lists.next().unwrap_or_default();
                    list[..list.len().min(MAX_LIST)].to_vec()
                });
            }
            b"STATUSMSG" => self.status_prefixes = value[..value.len().min(MAX_LIST)].to_vec(),
            b"NICKLEN" => self.nick_bytes = number(),
            b"NETWORK" => self.network = Some(neutral(value)).filter(|name| !name.is_empty()),
            b"CHATHISTORY" | b"draft/CHATHISTORY" => self.history_lines = number(),
            b"-CASEMAPPING" => self.case_mapping = default().case_mapping,
            b"-PREFIX" => self.prefixes = default().prefixes,
            b"-CHANTYPES" => self.channel_types = default().channel_types,
            b"-CHANMODES" => self.channel_modes = default().channel_modes,
            b"-STATUSMSG" => self.status_prefixes = Vec::new(),
            b"-NICKLEN" => self.nick_bytes = None,
            b"-NETWORK" => self.network = None,
            b"-CHATHISTORY" | b"-draft/CHATHISTORY" => self.history_lines = None,
            _ => {}
        }
    }

    /// The signs with which the names of channels begin.
    pub(super) fn channel_types(&self) -> &str {
        &self.channel_types
    }

    /// Whether `name` is how channels are called here.
    pub(super) fn is_channel(&self, name: &[u8]) -> bool {
        name.first()
            .is_some_and(|&first| self.channel_types.contains(char::from(first)))
    }

    /// Takes apart what a message is for: `@#room` is for those members of
    /// #room who have an `@`. Returns the sign and the channel.
    pub(super) fn status_and_channel<'a>(&self, target: &'a [u8]) -> (Option<char>, &'a [u8]) {
        match target.split_first() {
            Some((sign, channel))
                if self.status_prefixes.contains(sign) && self.is_channel(channel) =>
            {
                (Some(char::from(*sign)), channel)
            }
            _ => (None, target),
        }
    }

    /// How high a sign before a nick stands, 0 for the highest; none if it is
    /// no such sign.
    pub(super) fn rank(&self, sign: u8) -> Option<u8> {
        let at = self.prefixes.iter().position(|&(_, found)| found == sign)?;
        u8::try_from(at).ok()
    }

    /// Takes apart how NAMES lists somebody: `@+nick`, or with
    /// userhost-in-names `@+nick!user@host`.
    pub(super) fn signs_and_nick<'a>(&self, name: &'a [u8]) -> (&'a [u8], &'a [u8]) {
        let signs = name.iter().take_while(|&&byte| self.rank(byte).is_some());
        let (signs, nick) = name.split_at(signs.count());
        (signs, Source::new(nick).nick())
    }

    pub(super) fn mode_kind(&self, mode: u8) -> ModeKind {
        let has = |list: usize| self.channel_modes[list].contains(&mode);
        if let Some(&(_, sign)) = self.prefixes.iter().find(|&&(found, _)| found == mode) {
            ModeKind::Member(char::from(sign))
        } else if has(0) {
            ModeKind::List
        } else if has(1) {
            ModeKind::Always
        } else if has(2) {
            ModeKind::WhenSet
        } else {
            ModeKind::Never
        }
    }
}

/// `(ov)@+` as pairs; nothing if a server has no such modes.
fn prefixes(value: &[u8]) -> Vec<(u8, u8)> {
    let Some(inside) = value.strip_prefix(b"(") else {
        return Vec::new();
    };
    let mut halves = inside.splitn(2, |&byte| byte == b')');
    let modes = halves.next().unwrap_or_default();
    let signs = halves.next().unwrap_or_default();
    let pairs = modes.iter().copied().zip(signs.iter().copied());
    pairs
        .filter(|(_, sign)| sign.is_ascii_punctuation())
        .take(MAX_LIST)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn isupport(tokens: &str) -> Isupport {
        let mut isupport = Isupport::default();
        for token in tokens.split(' ') {
            isupport.take(token.as_bytes());
        }
        isupport
    }

    #[test]
    fn what_a_server_says_replaces_what_the_rfc_says() {
        let isupport = isupport(
            "CASEMAPPING=ascii PREFIX=(qaohv)~&@%+ CHANTYPES=#! CHANMODES=IXbeg,k,Hfl,nt NICKLEN=16 \
             NETWORK=Example STATUSMSG=@+ CHATHISTORY=50 UNKNOWN=1",
        );
        assert_eq!(isupport.case_mapping, CaseMapping::Ascii);
        assert_eq!(
            (isupport.rank(b'~'), isupport.rank(b'+')),
            (Some(0), Some(4))
        );
        assert_eq!(isupport.rank(b'x'), None);
        assert!(isupport.is_channel(b"!a") && !isupport.is_channel(b"&a"));
        for (mode, kind) in [
            (b'h', ModeKind::Member('%')),
            (b'g', ModeKind::List),
            (b'k', ModeKind::Always),
            (b'f', ModeKind::WhenSet),
            (b't', ModeKind::Never),
            (b'?', ModeKind::Never),
        ] {
            assert_eq!(isupport.mode_kind(mode), kind, "{}", char::from(mode));
        }
        assert_eq!(
            isupport.signs_and_nick(b"~+ann!a@h"),
            (&b"~+"[..], &b"ann"[..])
        );
        assert_eq!(isupport.nick_bytes, Some(16));
        assert_eq!(isupport.network.as_deref(), Some("Example"));
        assert_eq!(isupport.history_lines, Some(50));
        assert_eq!(isupport.status_and_channel(b"+#a"), (Some('+'), &b"#a"[..]));
        assert_eq!(isupport.status_and_channel(b"~#a"), (None, &b"~#a"[..]));
    }

    #[test]
    fn a_token_that_is_taken_back_leaves_what_the_rfc_says() {
        let isupport = isupport(
            "CASEMAPPING=ascii PREFIX=(q)~ CHANTYPES=! CHANMODES=a,b,c,d STATUSMSG=@ NICKLEN=9 NETWORK=x \
             -CASEMAPPING -PREFIX -CHANTYPES -CHANMODES -STATUSMSG -NICKLEN -NETWORK",
        );
        assert_eq!(isupport.case_mapping, CaseMapping::Rfc1459);
        assert_eq!(
            (isupport.rank(b'@'), isupport.rank(b'+')),
            (Some(0), Some(1))
        );
        assert!(isupport.is_channel(b"#a"));
        assert_eq!(isupport.mode_kind(b'b'), ModeKind::List);
        assert_eq!(isupport.status_and_channel(b"@#a").0, None);
        assert_eq!((isupport.nick_bytes, isupport.network), (None, None));
    }

    #[test]
    fn nonsense_is_no_panic_and_takes_little_room() {
        for token in [
            "",
            "=",
            "-",
            "PREFIX=",
            "PREFIX=(",
            "PREFIX=(ov",
            "PREFIX=ov)@+",
            "CHANMODES=,",
            "NICKLEN=x",
            "NICKLEN=-1",
        ] {
            isupport(token);
        }
        let long = format!(
            "CHANMODES={0},{0},{0},{0} PREFIX=({0}){1} CHANTYPES={1}",
            "a".repeat(8_000),
            "!".repeat(8_000)
        );
        let isupport = isupport(&long);
        assert!(isupport.channel_types.len() <= MAX_LIST && isupport.prefixes.len() <= MAX_LIST);
        assert!(
            isupport
                .channel_modes
                .iter()
                .all(|list| list.len() <= MAX_LIST)
        );
    }
}
