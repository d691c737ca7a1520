//! What the person wants each time: a file that may be missing.
//!
//! Shows: one table of keys, by which the file is read, printed and explained;
//! an error names the line, and for a key that is not known the nearest one.
//! Leaves out: writing the file. `config.example.toml` is to be copied.

mod keys;

use std::env;
use std::error::Error;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::DeTable;

use crate::address::Address;
use crate::app::SCROLLBACK_LINES;
use crate::session::{self, Account, MAX_HISTORY_LINES, Password, Surface};

use keys::{KEYS, Key};

/// The longest file; a person does not write that much.
const MAX_BYTES: u64 = 1024 * 1024;

/// All settings, with what holds where nothing is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Config {
    pub(crate) server: Option<Address>,
    pub(crate) nick: Option<String>,
    pub(crate) user: String,
    pub(crate) real_name: String,
    pub(crate) server_password: Option<Password>,
    pub(crate) join: Vec<String>,
    pub(crate) reconnect: bool,
    /// Lines of history asked for at a join.
    pub(crate) history: usize,
    /// Lines kept in each buffer of the screen.
    pub(crate) scrollback: usize,
    pub(crate) ascii: bool,
    /// Whether conversations are kept in files.
    pub(crate) log: bool,
    log_folder: Option<PathBuf>,
    account_name: Option<String>,
    account_password: Option<Password>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            server: None,
            nick: None,
            user: session::USER.to_owned(),
            real_name: session::REAL_NAME.to_owned(),
            server_password: None,
            join: vec!["#lobby".to_owned()],
            reconnect: false,
            history: MAX_HISTORY_LINES,
            scrollback: SCROLLBACK_LINES,
            ascii: false,
            log: false,
            log_folder: None,
            account_name: None,
            account_password: None,
        }
    }
}

/// Why a file is no configuration, and where.
#[derive(Debug)]
pub(crate) struct ConfigError {
    file: PathBuf,
    line: Option<usize>,
    why: Why,
}

#[derive(Debug)]
enum Why {
    Read(io::Error),
    TooLong,
    Syntax(String),
    /// The key, and one that is written nearly so.
    Unknown(String, Option<&'static str>),
    /// The key, and what it has to be.
    Value(&'static str, String),
    /// One of the two about the account is missing.
    HalfAnAccount(&'static str),
    /// A password that others may read.
    Exposed,
}

impl Config {
    /// Reads `file`, or where the person has put it: none there is no error.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or says something that is not understood.
    pub(crate) fn load(file: Option<&Path>) -> Result<Config, ConfigError> {
        let usual = usual_file();
        let Some(path) = file.or(usual.as_deref()) else {
            return Ok(Config::default());
        };
        let error = |why| ConfigError {
            file: path.to_owned(),
            line: None,
            why,
        };
        let opened = match File::open(path) {
            Err(err) if err.kind() == io::ErrorKind::NotFound && file.is_none() => {
                return Ok(Config::default());
            }
            opened => opened.map_err(|err| error(Why::Read(err)))?,
        };
        let mut text = String::new();
        let read = (&opened).take(MAX_BYTES + 1).read_to_string(&mut text);
        read.map_err(|err| error(Why::Read(err)))?;
        if text.len() as u64 > MAX_BYTES {
            return Err(error(Why::TooLong));
        }
        let config = Config::parse(&text).map_err(|(at, why)| ConfigError {
            line: at.map(|at| line_of(&text, &at)),
            ..error(why)
        })?;
        let mode = opened.metadata().map_err(|err| error(Why::Read(err)))?;
        let is_open = mode.permissions().mode() & 0o077 != 0;
        if config.has_password() && is_open {
            return Err(error(Why::Exposed));
        }
        Ok(config)
    }

    fn parse(text: &str) -> Result<Config, (Option<Range<usize>>, Why)> {
        let table = DeTable::parse(text)
            .map_err(|err| (err.span(), Why::Syntax(err.message().to_owned())))?;
        let mut config = Config::default();
        config.take(table.get_ref(), "")?;
        match (&config.account_name, &config.account_password) {
            (Some(_), None) => Err((None, Why::HalfAnAccount("account.password"))),
            (None, Some(_)) => Err((None, Why::HalfAnAccount("account.name"))),
            _ => Ok(config),
        }
    }

    /// Takes over what is in `table`, whose name with a dot is `within`.
    fn take(
        &mut self,
        table: &DeTable<'_>,
        within: &str,
    ) -> Result<(), (Option<Range<usize>>, Why)> {
        // In the order of the file, so that the first mistake is told.
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        for (key, value) in entries {
            let name = format!("{within}{}", key.get_ref());
            let is_table = KEYS.iter().any(|known| {
                let inside = known.name.strip_prefix(name.as_str());
                inside.is_some_and(|inside| inside.starts_with('.'))
            });
            if let (true, Some(table)) = (is_table, value.get_ref().as_table()) {
                self.take(table, &format!("{name}."))?;
                continue;
            }
            let known = KEYS.iter().find(|known| known.name == name);
            let Some(known) = known else {
                return Err((Some(key.span()), Why::Unknown(name.clone(), nearest(&name))));
            };
            self.take_value(known, value)?;
        }
        Ok(())
    }

    fn take_value(
        &mut self,
        key: &Key,
        value: &Spanned<toml::de::DeValue<'_>>,
    ) -> Result<(), (Option<Range<usize>>, Why)> {
        (key.read)(self, value.get_ref())
            .map_err(|wanted| (Some(value.span()), Why::Value(key.name, wanted)))
    }

    fn has_password(&self) -> bool {
        self.account_password.is_some() || self.server_password.is_some()
    }

    /// Where conversations are kept; none if nobody can say where the person's
    /// files are.
    pub(crate) fn log_folder(&self) -> Option<PathBuf> {
        let usual = || Some(base_folder("XDG_STATE_HOME", ".local/state")?.join("logs"));
        self.log_folder.clone().or_else(usual)
    }

    /// The session that this configures, of a person by the name of `nick`.
    pub(crate) fn session(&self, nick: &str, surface: Surface) -> session::Settings {
        let account = self
            .account_name
            .as_ref()
            .zip(self.account_password.as_ref());
        session::Settings {
            user: self.user.clone(),
            real_name: self.real_name.clone(),
            server_password: self.server_password.clone(),
            account: account.map(|(name, password)| Account {
                name: name.clone(),
                password: password.clone(),
            }),
            history_lines: match surface {
                Surface::Lines => 0,
                Surface::Screen => self.history,
            },
            ..session::Settings::new(nick, &self.join, surface)
        }
    }
}

/// As a file that says the same, less the passwords.
impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for key in KEYS {
            match (key.show)(self) {
                Some(value) => writeln!(f, "{} = {value}", key.name)?,
                None => writeln!(f, "# {} is not set", key.name)?,
            }
        }
        Ok(())
    }
}

/// `$XDG_CONFIG_HOME/chat-client/config.toml`.
fn usual_file() -> Option<PathBuf> {
    Some(base_folder("XDG_CONFIG_HOME", ".config")?.join("config.toml"))
}

/// This program's folder in the one that the variable names; without it in
/// `usual` below the home. (XDG Base Directory Specification)
fn base_folder(variable: &str, usual: &str) -> Option<PathBuf> {
    let folder = |name| {
        let folder = PathBuf::from(env::var_os(name)?);
        // A relative one is to be ignored.
        folder.is_absolute().then_some(folder)
    };
    let base = folder(variable).or_else(|| Some(folder("HOME")?.join(usual)))?;
    Some(base.join("chat-client"))
}

/// The number of the line in which `at` begins.
fn line_of(text: &str, at: &Range<usize>) -> usize {
    let before = text.get(..at.start).unwrap_or(text);
    before.matches('\n').count() + 1
}

/// The key that is written most like `name`, if one is near.
fn nearest(name: &str) -> Option<&'static str> {
    let names = KEYS.iter().map(|key| key.name);
    let distance = |known: &str| {
        // Of one in a table the last part alone may have been written.
        let last = known.rsplit('.').next().unwrap_or(known);
        let written = name.replace('_', "-");
        strsim::damerau_levenshtein(&written, known)
            .min(strsim::damerau_levenshtein(&written, last))
    };
    let (distance, nearest) = names.map(|known| (distance(known), known)).min()?;
    (distance <= 3.min(name.chars().count() / 2)).then_some(nearest)
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        match &self.why {
            Why::Read(err) => f.write_str(&chapter::why(err)),
            Why::TooLong => write!(f, "longer than {MAX_BYTES} bytes"),
            // Of several lines the first says it.
            Why::Syntax(why) => f.write_str(why.lines().next().unwrap_or_default()),
            Why::Unknown(key, Some(nearest)) => {
                write!(f, "there is no key {key:?}; the nearest is {nearest:?}")
            }
            Why::Unknown(key, None) => write!(f, "there is no key {key:?}"),
            Why::Value(key, wanted) => write!(f, "{key} is {wanted}"),
            Why::HalfAnAccount(missing) => write!(f, "{missing} is missing"),
            Why::Exposed => f.write_str("it holds a password and others may read it: chmod 600"),
        }
    }
}

impl Error for ConfigError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.why {
            Why::Read(err) => Some(err),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use chapter_tests::TemporaryDirectory;

    use super::*;
    use crate::address::address;

    const EXAMPLE: &str = include_str!("../../config.example.toml");

    /// What is said of a file with this text.
    fn complaint(text: &str) -> String {
        let directory = TemporaryDirectory::new();
        let file = directory.join("config.toml");
        fs::write(&file, text).unwrap();
        let err = Config::load(Some(&file)).unwrap_err().to_string();
        err.replace(&format!("{}: ", file.display()), "")
    }

    #[test]
    fn the_example_says_what_holds_without_it() {
        let config = Config::parse(EXAMPLE).map_err(|(_, why)| why);
        assert_eq!(config.unwrap(), Config::default());
    }

    #[test]
    fn the_example_names_every_key_and_what_it_leaves_out_can_be_taken_in() {
        // A line with a mark of a comment and no space behind it is a setting.
        let lines = EXAMPLE.lines().map(|line| match line.strip_prefix('#') {
            Some(setting) if !setting.starts_with(' ') => setting,
            _ => line,
        });
        let text = lines.collect::<Vec<_>>().join("\n");
        let config = Config::parse(&text).map_err(|(_, why)| why).unwrap();
        for key in KEYS {
            assert!((key.show)(&config).is_some(), "{}", key.name);
            let last = key.name.rsplit('.').next().unwrap();
            assert!(text.contains(&format!("\n{last} = ")), "{}", key.name);
        }
    }

    #[test]
    fn what_is_printed_is_read_again_but_for_the_passwords() {
        let config = Config {
            server: Some(address("[::1]:6668").unwrap()),
            nick: Some("ann".to_owned()),
            real_name: "Ann \"the\" \\ Tester\u{7f}\u{e9}".to_owned(),
            join: vec!["#a".to_owned(), "#b".to_owned()],
            ..Config::default()
        };
        let again = Config::parse(&config.to_string()).map_err(|(_, why)| why);
        assert_eq!(again.unwrap(), config);
        let with_passwords = Config {
            server_password: Some(Password("secret".to_owned())),
            account_name: Some("anna".to_owned()),
            account_password: Some(Password("secret".to_owned())),
            ..config
        };
        assert!(!with_passwords.to_string().contains("secret"));
    }

    #[test]
    fn a_mistake_is_told_with_its_line() {
        for (text, expected) in [
            (
                "\nnik = \"ann\"",
                "line 2: there is no key \"nik\"; the nearest is \"nick\"",
            ),
            (
                "real_name = \"x\"",
                "line 1: there is no key \"real_name\"; the nearest is \"real-name\"",
            ),
            (
                "[account]\nname = \"a\"\npasword = \"x\"",
                "line 3: there is no key \"account.pasword\"; the nearest is \"account.password\"",
            ),
            (
                "colour-of-the-sky = 1",
                "line 1: there is no key \"colour-of-the-sky\"",
            ),
            (
                "nick = \"a b\"",
                "line 1: nick is a nick of 1 to 30 letters, digits and any of -_[]\\`^{|}, not beginning with a digit or -",
            ),
            (
                "join = [\"#a\", 1]",
                "line 1: join is a list of channels: [\"#lobby\"]",
            ),
            ("history = 101", "line 1: history is a number from 0 to 100"),
            ("history = -1", "line 1: history is a number from 0 to 100"),
            ("reconnect = 1", "line 1: reconnect is true or false"),
            ("server = \"host:0\"", "line 1: server is host or host:port"),
            ("[account]\nname = \"ann\"", "account.password is missing"),
            ("account = 1", "line 1: there is no key \"account\""),
        ] {
            assert_eq!(complaint(text), expected);
        }
        let syntax = complaint("nick = \n");
        assert!(syntax.starts_with("line 1: "), "{syntax}");
    }

    #[test]
    fn a_password_that_others_may_read_is_refused() {
        let directory = TemporaryDirectory::new();
        let file = directory.join("config.toml");
        fs::write(&file, "server-password = \"x\"").unwrap();
        for (mode, is_refused) in [(0o600, false), (0o640, true), (0o604, true)] {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(Config::load(Some(&file)).is_err(), is_refused, "{mode:o}");
        }
    }

    #[test]
    fn a_file_that_is_named_must_be_there() {
        let err = Config::load(Some(Path::new("/nonexistent/config.toml"))).unwrap_err();
        let expected = "/nonexistent/config.toml: no such file or directory";
        assert_eq!(err.to_string(), expected);
    }
}
