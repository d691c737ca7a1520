//! 005: what this server has and where its limits are.
//!
//! Every limit that is enforced on clients is told here, from the constant by
//! which it is enforced.
//!
//! Source: <https://modern.ircdocs.horse/#rplisupport-parameters>.

use chat_protocol::{CHANNEL_BYTES, MAX_BODY_BYTES, NICK_BYTES};

use super::channel::Status;
use super::client::ClientSlot;
use super::limits::{
    AWAY_BYTES, KEY_BYTES, KICK_BYTES, MAX_CHANNELS, MAX_LIST_ENTRIES, MAX_MODES, MAX_TARGETS,
    REAL_NAME_BYTES, TARGETED, TOPIC_BYTES, USER_BYTES,
};
use super::mode_table::{Mode, mode_letters};
use super::numerics::RPL_ISUPPORT;
use super::state::State;

/// Tokens in one line: with nick and text there are 15 parameters, no more.
const TOKENS_A_LINE: usize = 13;

impl State {
    pub(super) fn send_isupport(&mut self, to: ClientSlot) {
        for tokens in tokens(&self.rules.network).chunks(TOKENS_A_LINE) {
            self.mail.reply(&self.clients[to], RPL_ISUPPORT, |line| {
                tokens
                    .iter()
                    .fold(line, |line, token| line.parameter(token.as_bytes()))
            });
        }
    }
}

fn tokens(network: &str) -> Vec<String> {
    // The four kinds of modes, by when they have a parameter: always, as an entry
    // of a list; always; when they are set; never. Those of members are none.
    let lists = mode_letters(|mode| matches!(mode, Mode::Masks(_)));
    let keys = mode_letters(|mode| matches!(mode, Mode::Key));
    let limits = mode_letters(|mode| matches!(mode, Mode::Limit));
    let flags = mode_letters(|mode| matches!(mode, Mode::Flag(_)));
    let statuses = mode_letters(|mode| matches!(mode, Mode::Member(_)));
    let prefixes = String::from_utf8_lossy(Status::all().prefixes(true));
    let limited_targets = TARGETED.map(|command| format!("{command}:{MAX_TARGETS}"));
    vec![
        format!("AWAYLEN={}", AWAY_BYTES),
        "BOT=B".to_owned(),
        "CASEMAPPING=ascii".to_owned(),
        format!("CHANLIMIT=#:{MAX_CHANNELS}"),
        format!("CHANMODES={lists},{keys},{limits},{flags}"),
        format!("CHANNELLEN={}", CHANNEL_BYTES),
        "CHANTYPES=#".to_owned(),
        "ELIST=CMNTU".to_owned(),
        "EXCEPTS=e".to_owned(),
        "INVEX=I".to_owned(),
        format!("KEYLEN={}", KEY_BYTES),
        format!("KICKLEN={}", KICK_BYTES),
        format!("LINELEN={}", MAX_BODY_BYTES),
        format!("MAXLIST={lists}:{MAX_LIST_ENTRIES}"),
        format!("MODES={MAX_MODES}"),
        format!("NAMELEN={}", REAL_NAME_BYTES),
        format!("NETWORK={network}"),
        format!("NICKLEN={}", NICK_BYTES),
        format!("PREFIX=({statuses}){prefixes}"),
        "SAFELIST".to_owned(),
        format!("STATUSMSG={prefixes}"),
        format!("TARGMAX=JOIN:,PART:,{}", limited_targets.join(",")),
        format!("TOPICLEN={}", TOPIC_BYTES),
        format!("USERLEN={}", USER_BYTES),
        "UTF8ONLY".to_owned(),
        "WHOX".to_owned(),
    ]
}
