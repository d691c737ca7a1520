//! The keys of the configuration.
//!
//! Shows: what a key is read by stands beside what it is printed by.

use std::fmt::Write;
use std::path::Path;

use chat_protocol::{NICK_BYTES, is_nick};
use toml::de::DeValue;

use crate::address::address;
use crate::session::{MAX_HISTORY_LINES, Password, channel_name, is_channel_name};

use super::Config;

/// The fewest and the most lines that a buffer may keep.
const SCROLLBACK: std::ops::RangeInclusive<usize> = 100..=1_000_000;

/// The longest password, in bytes: it has to fit into a line.
const MAX_PASSWORD_BYTES: usize = 300;

/// The longest real name and user name, in bytes.
const MAX_REAL_NAME_BYTES: usize = 100;
const MAX_USER_BYTES: usize = 20;

/// One key.
pub(super) struct Key {
    /// With the table that it is in: `account.name`.
    pub(super) name: &'static str,
    /// Takes a value over; otherwise says what it has to be.
    pub(super) read: fn(&mut Config, &DeValue<'_>) -> Result<(), String>,
    /// The value as it would be written; none if it is not set.
    pub(super) show: fn(&Config) -> Option<String>,
}

/// All of them, those without a table first.
pub(super) const KEYS: &[Key] = &[
    Key {
        name: "server",
        read: |config, value| {
            let parsed = value.as_str().and_then(|text| address(text).ok());
            config.server = Some(parsed.ok_or("host or host:port")?);
            Ok(())
        },
        show: |config| Some(quoted(&config.server.as_ref()?.to_string())),
    },
    Key {
        name: "nick",
        read: |config, value| {
            let wanted = || {
                format!(
                    "a nick of 1 to {NICK_BYTES} letters, digits and any of -_[]\\`^{{|}}, not \
                     beginning with a digit or -"
                )
            };
            let nick = value.as_str().filter(|nick| is_nick(nick.as_bytes()));
            config.nick = Some(nick.ok_or_else(wanted)?.to_owned());
            Ok(())
        },
        show: |config| config.nick.as_deref().map(quoted),
    },
    Key {
        name: "user",
        read: |config, value| {
            let is_user = |text: &&str| {
                let is_forbidden = |c: char| c.is_whitespace() || "!@:".contains(c);
                is_short_text(text, MAX_USER_BYTES) && !text.contains(is_forbidden)
            };
            let user = value.as_str().filter(is_user);
            let wanted = || format!("a word of at most {MAX_USER_BYTES} bytes without !, @ and :");
            user.ok_or_else(wanted)?.clone_into(&mut config.user);
            Ok(())
        },
        show: |config| Some(quoted(&config.user)),
    },
    Key {
        name: "real-name",
        read: |config, value| {
            config.real_name = text(value, MAX_REAL_NAME_BYTES)?;
            Ok(())
        },
        show: |config| Some(quoted(&config.real_name)),
    },
    Key {
        name: "join",
        read: |config, value| {
            let names = value.as_array().into_iter().flatten();
            let names =
                names.map(|name| name.get_ref().as_str().filter(|name| is_channel_name(name)));
            let names: Option<Vec<&str>> = names.collect();
            let names = names.filter(|_| value.is_array());
            let names = names.ok_or("a list of channels: [\"#lobby\"]")?;
            config.join = names.into_iter().map(channel_name).collect();
            Ok(())
        },
        show: |config| {
            let names: Vec<String> = config.join.iter().map(|name| quoted(name)).collect();
            Some(format!("[{}]", names.join(", ")))
        },
    },
    Key {
        name: "reconnect",
        read: |config, value| {
            config.reconnect = value.as_bool().ok_or("true or false")?;
            Ok(())
        },
        show: |config| Some(config.reconnect.to_string()),
    },
    Key {
        name: "history",
        read: |config, value| {
            config.history = number(value, 0..=MAX_HISTORY_LINES)?;
            Ok(())
        },
        show: |config| Some(config.history.to_string()),
    },
    Key {
        name: "scrollback",
        read: |config, value| {
            config.scrollback = number(value, SCROLLBACK)?;
            Ok(())
        },
        show: |config| Some(config.scrollback.to_string()),
    },
    Key {
        name: "ascii",
        read: |config, value| {
            config.ascii = value.as_bool().ok_or("true or false")?;
            Ok(())
        },
        show: |config| Some(config.ascii.to_string()),
    },
    Key {
        name: "log",
        read: |config, value| {
            config.log = value.as_bool().ok_or("true or false")?;
            Ok(())
        },
        show: |config| Some(config.log.to_string()),
    },
    Key {
        name: "log-folder",
        read: |config, value| {
            let folder = value.as_str().map(Path::new);
            let folder = folder.filter(|folder| folder.is_absolute());
            config.log_folder = Some(folder.ok_or("a path that begins with /")?.to_owned());
            Ok(())
        },
        show: |config| Some(quoted(config.log_folder.as_ref()?.to_str()?)),
    },
    Key {
        name: "server-password",
        read: |config, value| {
            config.server_password = Some(Password(text(value, MAX_PASSWORD_BYTES)?));
            Ok(())
        },
        show: |config| config.server_password.as_ref().map(|_| hidden()),
    },
    Key {
        name: "account.name",
        read: |config, value| {
            config.account_name = Some(text(value, MAX_REAL_NAME_BYTES)?);
            Ok(())
        },
        show: |config| config.account_name.as_deref().map(quoted),
    },
    Key {
        name: "account.password",
        read: |config, value| {
            config.account_password = Some(Password(text(value, MAX_PASSWORD_BYTES)?));
            Ok(())
        },
        show: |config| config.account_password.as_ref().map(|_| hidden()),
    },
];

fn text(value: &DeValue<'_>, max_bytes: usize) -> Result<String, String> {
    let text = value.as_str().filter(|text| is_short_text(text, max_bytes));
    let text = text.ok_or_else(|| format!("a text of 1 to {max_bytes} bytes on one line"))?;
    Ok(text.to_owned())
}

fn is_short_text(text: &str, max_bytes: usize) -> bool {
    (1..=max_bytes).contains(&text.len()) && !text.contains(['\0', '\r', '\n'])
}

fn number(value: &DeValue<'_>, range: std::ops::RangeInclusive<usize>) -> Result<usize, String> {
    let number = value.as_integer().and_then(|number| {
        let number = usize::from_str_radix(number.as_str(), number.radix()).ok()?;
        range.contains(&number).then_some(number)
    });
    number.ok_or_else(|| format!("a number from {} to {}", range.start(), range.end()))
}

fn hidden() -> String {
    quoted("(not shown)")
}

/// As TOML writes it. (TOML 1.0, "String")
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
