//! Settings of the loop side, with the room's rules beside them.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::flood::FloodLimit;
use crate::handover::DEFAULT_TIMEOUT;
use crate::room::Rules;

/// Everything a server can be told, with the defaults of the command line.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Names, passwords and the limits of the room.
    pub rules: Rules,
    /// The file that the message of the day is read from, at the start and
    /// again at [`Server::reread_motd`](crate::Server::reread_motd).
    pub motd_file: Option<PathBuf>,
    /// How fast one client may talk; `None` is without a limit.
    pub flood: Option<FloodLimit>,
    /// How long a new client may take to register.
    pub registration_timeout: Duration,
    /// How long a client may be silent before it is asked whether it is there.
    pub ping_interval: Duration,
    /// How long it may take to answer that, and how long a client whose
    /// connection has failed is still heard if it had sent more than it may.
    pub ping_timeout: Duration,
    /// How long the last bytes to a client that leaves may take.
    pub drain: Duration,
    /// How long a hand-over to a successor may take.
    pub takeover_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            rules: Rules::default(),
            motd_file: None,
            flood: Some(FloodLimit::new(5, 20)),
            registration_timeout: Duration::from_secs(30),
            ping_interval: Duration::from_secs(90),
            ping_timeout: Duration::from_mins(1),
            drain: Duration::from_secs(2),
            takeover_timeout: DEFAULT_TIMEOUT,
        }
    }
}

impl Settings {
    /// Descriptors that are needed beside the listeners' and the clients': the
    /// loop's own, standard ones, a file now and then.
    pub const OTHER_DESCRIPTORS: u64 = 32;

    /// Number of clients for whom there is a descriptor each, of the
    /// `descriptors` that the process may have (`RLIMIT_NOFILE`).
    #[must_use]
    // ANCHOR: clients-within
    pub fn clients_within(descriptors: u64, listeners: usize) -> usize {
        let others = Settings::OTHER_DESCRIPTORS.saturating_add(listeners as u64);
        usize::try_from(descriptors.saturating_sub(others)).unwrap_or(usize::MAX)
    }
    // ANCHOR_END: clients-within

    /// Lowers the number of clients to those for whom there is a descriptor.
    pub(crate) fn fit(&mut self, descriptors: u64, listeners: usize) {
        let limits = &mut self.rules.limits;
        let room = Settings::clients_within(descriptors, listeners);
        limits.max_clients = limits.max_clients.min(room);
    }

    /// The rules, with the message of the day as its file has it now.
    ///
    /// # Errors
    ///
    /// As [`Settings::read_motd`].
    pub(crate) fn rules_with_motd(&self) -> io::Result<Rules> {
        let mut rules = self.rules.clone();
        if self.motd_file.is_some() {
            rules.motd = self.read_motd()?;
        }
        Ok(rules)
    }

    /// The lines of the file that has the message of the day; none without one.
    ///
    /// # Errors
    ///
    /// What opening or reading the file reports, with its name; `InvalidData` if
    /// it is not UTF-8.
    pub fn read_motd(&self) -> io::Result<Vec<String>> {
        let Some(path) = &self.motd_file else {
            return Ok(Vec::new());
        };
        let text = fs::read_to_string(path).map_err(|err| {
            io::Error::new(
                err.kind(),
                format!("{}: {}", path.display(), chapter::why(&err)),
            )
        })?;
        Ok(text.lines().map(str::to_owned).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_clients_are_let_in_than_there_are_descriptors_for() {
        let mut settings = Settings::default();
        settings.fit(20_000, 2);
        assert_eq!(settings.rules.limits.max_clients, 10_000);
        settings.fit(1_024, 2);
        assert_eq!(settings.rules.limits.max_clients, 1_024 - 32 - 2);
        settings.fit(10, 2);
        assert_eq!(settings.rules.limits.max_clients, 0);
    }
}
