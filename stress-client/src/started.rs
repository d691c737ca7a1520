//! Servers that this program starts itself, to compare them.
//!
//! Shows: a child takes its core from its parent, so a thread that pins itself, starts a child and
//! goes back has pinned the child before its first instruction.
//! Leaves out: servers on other machines, and those that somebody else has started.

use std::env;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::{Pid, mkdtemp};
use stress_client::{Limits, OtherServer, free_address};

use crate::failure::Failure;
use crate::process;

/// How long a server may take until it serves.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often is tried whether it does.
const TRY_AGAIN: Duration = Duration::from_millis(5);

/// A server that can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServerKind {
    Ours,
    Other(OtherServer),
}

/// All of them, ours first.
pub(crate) const ALL: [ServerKind; 3] = [
    ServerKind::Ours,
    ServerKind::Other(OtherServer::Ngircd),
    ServerKind::Other(OtherServer::Inspircd),
];

impl ServerKind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            ServerKind::Ours => "ours",
            ServerKind::Other(other) => other.program(),
        }
    }

    /// Newcomers at the same time that suit it best; `None` if it does not mind.
    pub(crate) fn under_way(self) -> Option<usize> {
        match self {
            ServerKind::Ours => None,
            // Its backlog has room for ten, and a SYN that finds none waits for a second.
            ServerKind::Other(OtherServer::Ngircd) => Some(8),
            // It lets in, once a second, those who have come since.
            ServerKind::Other(OtherServer::Inspircd) => Some(1_000),
        }
    }

    /// The file of the program, if it is installed.
    pub(crate) fn find(self) -> Option<PathBuf> {
        let ServerKind::Other(other) = self else {
            return env::current_exe().ok();
        };
        // Servers are where only root looks for them.
        let path = env::var_os("PATH").unwrap_or_default();
        let folders = env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
        folders
            .map(|folder| folder.join(other.program()))
            .find(|file| {
                fs::metadata(file)
                    .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
            })
    }
}

/// A server of our own; ended when it is dropped.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) address: SocketAddr,
    child: Child,
    _directory: Directory,
}

impl Started {
    /// Starts the server whose program `file` is, on a core if one is given, and waits until it
    /// serves.
    pub(crate) fn start(
        kind: ServerKind,
        file: &Path,
        limits: Limits,
        core: Option<usize>,
    ) -> io::Result<Started> {
        let directory = Directory::new()?;
        let mut command = Command::new(file);
        command.stdin(Stdio::null()).stderr(Stdio::null());
        let own = Core::pin(core)?;
        let started = match kind {
            ServerKind::Ours => {
                let limits = match limits {
                    Limits::Lifted => "lifted",
                    Limits::AsUsual => "as-usual",
                };
                command.args(["--serve", limits]).stdout(Stdio::piped());
                epoll_loop::spawn(&mut command).map(|child| (child, None))
            }
            ServerKind::Other(other) => {
                let address = free_address()?;
                command.args(other.configure(&directory.0, address, limits, &[])?);
                // ngIRCd writes a line for each connection, which is not to be read meanwhile.
                command.stdout(Stdio::null());
                epoll_loop::spawn(&mut command).map(|child| (child, Some(address)))
            }
        };
        own.restore()?;
        let (child, address) = started?;
        let mut started = Started {
            address: SocketAddr::from(([0, 0, 0, 0], 0)),
            child,
            _directory: directory,
        };
        started.address = match address {
            None => started.listening_on()?,
            Some(address) => started.wait_for(kind, address)?,
        };
        Ok(started)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The address that ours says.
    fn listening_on(&mut self) -> io::Result<SocketAddr> {
        let mut line = String::new();
        if let Some(stdout) = self.child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let address = line.trim().strip_prefix("listening on ");
        address
            .and_then(|address| address.parse().ok())
            .ok_or_else(|| Failure::NotStarted("ours", "it has said no address".into()).into())
    }

    /// Tries until somebody listens. There is no loop yet, and nothing that could be waited for.
    fn wait_for(&mut self, kind: ServerKind, address: SocketAddr) -> io::Result<SocketAddr> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let connected = TcpStream::connect(address);
            if let Some(status) = self.child.try_wait()? {
                return Err(Failure::NotStarted(kind.name(), status.to_string()).into());
            }
            match connected {
                Ok(_) => return Ok(address),
                Err(err) if Instant::now() > deadline => {
                    return Err(Failure::NotStarted(kind.name(), chapter::why(&err)).into());
                }
                Err(_) => thread::sleep(TRY_AGAIN),
            }
        }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // It may have ended by itself, and then there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A place for the files of a server, removed when it is dropped.
#[derive(Debug)]
struct Directory(PathBuf);

impl Directory {
    fn new() -> io::Result<Directory> {
        Ok(Directory(mkdtemp(
            &env::temp_dir().join("stress-client-XXXXXX"),
        )?))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // What cannot be removed stays in /tmp; no reason to fail.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The cores that this thread may use.
#[derive(Debug)]
pub(crate) struct Core(CpuSet);

impl Core {
    /// Pins this thread, and with it the processes it starts, to one core; `None` leaves it as it
    /// is. The result knows what was before.
    pub(crate) fn pin(core: Option<usize>) -> io::Result<Core> {
        let before = sched_getaffinity(Pid::from_raw(0))?;
        if let Some(core) = core {
            let mut one = CpuSet::new();
            one.set(core)?;
            sched_setaffinity(Pid::from_raw(0), &one)?;
        }
        Ok(Core(before))
    }

    pub(crate) fn restore(&self) -> io::Result<()> {
        Ok(sched_setaffinity(Pid::from_raw(0), &self.0)?)
    }

    /// Two cores that this process may use, the first for the generator and the last for the
    /// server; nothing if it has only one.
    pub(crate) fn pair() -> io::Result<Option<(usize, usize)>> {
        let cores = process::cores(Pid::from_raw(0))?;
        Ok(match cores[..] {
            [first, .., last] => Some((first, last)),
            _ => None,
        })
    }
}
