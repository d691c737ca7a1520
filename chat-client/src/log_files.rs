//! Conversations kept in files, for those who ask for it.
//!
//! Shows: names from the network as names of files: what could lead elsewhere is
//! written in another way, and two names never share a file. The files are the
//! person's alone (mode 0600).
//! Leaves out: what was said before the person came; that is in nobody's file
//! twice.

use std::fmt::{self, Write as _};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use nix::fcntl::OFlag;

use crate::session::{News, Place, Report, Session};

/// Files that are open at the same time; the one that was written to the longest
/// ago is closed for the next.
const MAX_OPEN: usize = 32;

/// The longest name of a file, in bytes, with what is behind it. (`NAME_MAX`)
const MAX_NAME_BYTES: usize = 255;

/// What stands behind the name of the channel or person.
const SUFFIX: &str = ".log";

/// One file for each channel and person, in a folder for each network.
#[derive(Debug)]
pub(crate) struct LogFiles {
    folder: PathBuf,
    time_zone: TimeZone,
    /// The one written to last is the last.
    open: Vec<(PathBuf, File)>,
}

/// Which file could not be written, and why.
#[derive(Debug)]
pub(crate) struct LogError {
    file: PathBuf,
    why: io::Error,
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file.display(), chapter::why(&self.why))
    }
}

impl LogFiles {
    /// Files below `folder`, which is made when there is something to write.
    pub(crate) fn new(folder: PathBuf, time_zone: TimeZone) -> LogFiles {
        LogFiles {
            folder,
            time_zone,
            open: Vec::new(),
        }
    }

    /// Writes what has been said or done in a conversation; other news are
    /// passed over.
    ///
    /// # Errors
    ///
    /// What making the folder, opening or writing reports.
    pub(crate) fn note(
        &mut self,
        report: &Report,
        session: &Session,
        now: Timestamp,
    ) -> Result<(), LogError> {
        if report.is_history {
            return Ok(());
        }
        let at = report.at.unwrap_or(now).to_zoned(self.time_zone.clone());
        let line = format!("{} {}\n", at.strftime("%Y-%m-%d %H:%M:%S"), report.news);
        let network = session.network().unwrap_or("unnamed");
        for name in conversations(&report.news, session) {
            let file = self
                .folder
                .join(as_file_name(network))
                .join(as_file_name(&session.fold(name)) + SUFFIX);
            self.append(&file, &line)
                .map_err(|why| LogError { file, why })?;
        }
        Ok(())
    }

    fn append(&mut self, path: &Path, line: &str) -> io::Result<()> {
        let known = self.open.iter().position(|(open, _)| open == path);
        let entry = match known {
            Some(at) => self.open.remove(at),
            None => (path.to_owned(), open(path)?),
        };
        // A line is one write: with O_APPEND two clients do not mix theirs.
        let written = (&entry.1).write_all(line.as_bytes());
        if self.open.len() == MAX_OPEN {
            self.open.remove(0);
        }
        self.open.push(entry);
        written
    }
}

/// The channels or the person whom it is about.
fn conversations<'a>(news: &'a News, session: &Session) -> Vec<&'a str> {
    match news {
        News::Said { place, .. } => match place {
            Place::Channel(name) | Place::Private(name) => vec![name],
            Place::Server => Vec::new(),
        },
        News::Joined { channel, .. }
        | News::Parted { channel, .. }
        | News::Kicked { channel, .. }
        | News::Topic { channel, .. } => vec![channel],
        News::Mode { target, .. } if session.is_channel(target) => vec![target],
        News::Quit { channels, .. } | News::Renamed { channels, .. } => {
            channels.iter().map(String::as_str).collect()
        }
        News::Mode { .. }
        | News::Names { .. }
        | News::Server(_)
        | News::Answer(_)
        | News::Refused(_)
        | News::Help(_)
        | News::Hint(_) => Vec::new(),
    }
}

/// A name that is nothing but the name of a file: what is not a letter, a digit
/// or one of a few signs becomes a `%` and two digits, as in a URL.
fn as_file_name(name: &str) -> String {
    let mut file_name = String::new();
    for (at, c) in name.chars().enumerate() {
        let is_plain = c.is_alphanumeric() || "#&+!-_[]{}^`|".contains(c) || (c == '.' && at > 0);
        if is_plain {
            file_name.push(c);
        } else {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                let _ = write!(file_name, "%{byte:02X}");
            }
        }
    }
    file_name
}

fn open(path: &Path) -> io::Result<File> {
    let name = path.file_name().unwrap_or_default();
    if name.len() > MAX_NAME_BYTES {
        return Err(ErrorKind::InvalidFilename.into());
    }
    if let Some(folder) = path.parent() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
    }
    // A pipe at that place would block the screen, and a link lead elsewhere.
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags(flags.bits())
        .open(path)?;
    if !file.metadata()?.is_file() {
        return Err(ErrorKind::AlreadyExists.into());
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::time::Instant;

    use chapter_tests::TemporaryDirectory;

    use super::*;
    use crate::session::{self, Surface};

    /// What a session of ann's in #a, where bob is too, has to tell after these
    /// lines of the server.
    fn told(lines: &[&str]) -> (Session, Vec<Report>) {
        let channels = ["#a".to_owned()];
        let mut session = Session::new(session::Settings::new("ann", &channels, Surface::Screen));
        session.connect();
        let before = [
            ":irc.test 001 ann :Welcome",
            ":irc.test 005 ann NETWORK=Home :are supported",
            ":ann!a@h JOIN #a",
            ":irc.test 353 ann = #a :ann bob",
            ":irc.test 366 ann #a :End",
        ];
        for line in before {
            session.receive(line.as_bytes(), Instant::now());
        }
        session.take_news();
        for line in lines {
            session.receive(line.as_bytes(), Instant::now());
        }
        let reports = session.take_news();
        (session, reports)
    }

    fn note(folder: &Path, lines: &[&str]) -> Result<(), LogError> {
        let (session, reports) = told(lines);
        let mut files = LogFiles::new(folder.to_owned(), TimeZone::UTC);
        let now = Timestamp::from_second(1_795_000_000).unwrap();
        reports
            .iter()
            .try_for_each(|report| files.note(report, &session, now))
    }

    #[test]
    fn each_conversation_is_in_its_own_file_for_this_user_alone() {
        let directory = TemporaryDirectory::new();
        let folder = directory.join("logs");
        note(
            &folder,
            &[
                ":bob!b@h PRIVMSG #A :hello \x02there\x02",
                ":bob!b@h PRIVMSG ann :psst",
                ":bob!b@h NICK robert",
                ":irc.test NOTICE ann :of the server",
            ],
        )
        .unwrap();
        note(&folder, &[":bob!b@h QUIT :bye"]).unwrap();
        let read = |name: &str| fs::read_to_string(folder.join("Home").join(name)).unwrap();
        let at = "2026-11-18 11:06:40";
        assert_eq!(
            read("#a.log"),
            format!(
                "{at} #A <bob> hello there\n{at} -- bob is now robert\n{at} <-- bob quit (bye)\n"
            )
        );
        assert_eq!(read("bob.log"), format!("{at} private <bob> psst\n"));
        assert_eq!(fs::read_dir(folder.join("Home")).unwrap().count(), 2);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder.join("Home/#a.log")), 0o600);
        assert_eq!(mode(&folder), 0o700);
    }

    #[test]
    fn no_name_leads_out_of_its_folder_and_no_two_share_a_file() {
        let names = [
            "..",
            ".",
            "../x",
            "/etc/passwd",
            "a/b",
            "a%2Fb",
            "a b",
            "a\u{0}b",
            "#a.b",
            ".#a",
            "é",
            "",
        ];
        let written: HashSet<String> = names.iter().map(|name| as_file_name(name)).collect();
        assert_eq!(written.len(), names.len());
        for name in &written {
            assert!(
                !name.contains(['/', '\0']) && !name.starts_with('.'),
                "{name}"
            );
        }
    }

    #[test]
    fn what_was_said_before_is_not_written_again() {
        let directory = TemporaryDirectory::new();
        let (session, mut reports) = told(&[":bob!b@h PRIVMSG #a :old"]);
        reports[0].is_history = true;
        let mut files = LogFiles::new(directory.to_path_buf(), TimeZone::UTC);
        files.note(&reports[0], &session, Timestamp::now()).unwrap();
        assert_eq!(fs::read_dir(&*directory).unwrap().count(), 0);
    }

    #[test]
    fn a_pipe_or_a_link_in_place_of_a_file_is_an_error_and_blocks_nothing() {
        let directory = TemporaryDirectory::new();
        fs::create_dir(directory.join("Home")).unwrap();
        let path = directory.join("Home/#a.log");
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let said = [":bob!b@h PRIVMSG #a :hello"];
        let err = note(&directory, &said).unwrap_err();
        assert!(err.to_string().contains("#a.log: "), "{err}");
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("/dev/null", &path).unwrap();
        note(&directory, &said).unwrap_err();
    }

    #[test]
    fn many_conversations_keep_few_files_open() {
        let directory = TemporaryDirectory::new();
        let (session, _) = told(&[]);
        let mut files = LogFiles::new(directory.to_path_buf(), TimeZone::UTC);
        for round in 0..2 {
            for number in 0..2 * MAX_OPEN {
                let line = format!(":bob{number}!b@h PRIVMSG ann :{round}");
                let (_, reports) = told(&[&line]);
                files.note(&reports[0], &session, Timestamp::now()).unwrap();
                assert!(files.open.len() <= MAX_OPEN);
            }
        }
        let text = fs::read_to_string(directory.join("Home/bob7.log")).unwrap();
        assert_eq!(text.lines().count(), 2);
    }
}
