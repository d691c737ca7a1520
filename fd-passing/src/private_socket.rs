//! Where two processes of one user meet: a UNIX socket in the file system.
//!
//! Shows: a name is taken by `rename(2)`, in one step, so that whoever connects
//! finds somebody, never nobody; the mode is set between `bind(2)` and
//! `listen(2)`, so that there is no moment at which others could connect.

use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, socket_with};

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 16;

/// A listening socket at a path, for this user alone (mode 0600), which does not
/// block.
///
/// Its name is removed when it is dropped, unless somebody else has it by then.
///
/// ```
/// use fd_passing::PrivateSocket;
///
/// let path = std::env::temp_dir().join(format!("private-{}", std::process::id()));
/// let socket = PrivateSocket::bind(&path)?;
/// let client = PrivateSocket::connect(&path)?;
/// let server = socket.accept()?;
/// drop(socket);
/// assert!(!path.exists());
/// # drop((client, server));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct PrivateSocket {
    listener: UnixListener,
    /// Where it will be.
    path: PathBuf,
    /// Where it is.
    name: PathBuf,
    /// Device and inode: how the file is known again. None if it is to stay.
    file: Option<(u64, u64)>,
}

impl PrivateSocket {
    /// Listens at `path`. A socket that nobody listens on any more is replaced.
    ///
    /// # Errors
    ///
    /// `AddrInUse` if somebody listens there, `AlreadyExists` if the path is no
    /// socket; else what `socket(2)`, `bind(2)` and `rename(2)` report.
    pub fn bind(path: &Path) -> io::Result<PrivateSocket> {
        let mut socket = PrivateSocket::prepare(path)?;
        socket.publish()?;
        Ok(socket)
    }

    /// Listens beside `path`, until [`PrivateSocket::publish`].
    ///
    /// # Errors
    ///
    /// As [`PrivateSocket::bind`], but for `rename(2)`.
    pub fn prepare(path: &Path) -> io::Result<PrivateSocket> {
        check_vacant(path)?;
        PrivateSocket::prepare_to_succeed(path)
    }

    /// The same at a path that somebody has, whose successor this process is to
    /// be.
    ///
    /// # Errors
    ///
    /// What `socket(2)` and `bind(2)` report.
    pub fn prepare_to_succeed(path: &Path) -> io::Result<PrivateSocket> {
        let mut name: OsString = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}", std::process::id()));
        let name = path.with_file_name(name);
        let listener = listen(&name)?;
        Ok(PrivateSocket {
            listener,
            file: Some(identify(&name)?),
            path: path.to_owned(),
            name,
        })
    }

    // ANCHOR: publish
    /// Takes the path, whoever had it.
    ///
    /// # Errors
    ///
    /// What `rename(2)` reports.
    pub fn publish(&mut self) -> io::Result<()> {
        fs::rename(&self.name, &self.path)?;
        self.name.clone_from(&self.path);
        Ok(())
    }
    // ANCHOR_END: publish

    /// Connects to whoever listens at `path`, without blocking, now or later.
    ///
    /// # Errors
    ///
    /// What `connect(2)` reports: `ENOENT` or `ECONNREFUSED` if nobody listens
    /// there, `EAGAIN` if as many wait to be accepted as may. A socket that may
    /// block would wait for that, for as long as a stopped process is stopped.
    pub fn connect(path: &Path) -> io::Result<UnixStream> {
        let socket = new_socket()?;
        match rustix::net::connect(&socket, &SocketAddrUnix::new(path)?) {
            Ok(()) => Ok(socket.into()),
            Err(Errno::AGAIN) => Err(io::Error::new(
                ErrorKind::WouldBlock,
                "nobody is accepted there, and as many wait as may",
            )),
            Err(err) => Err(err.into()),
        }
    }

    /// Ends without removing the name, which is a successor's now.
    pub fn leave(mut self) {
        self.file = None;
    }

    /// Takes one connection out of the backlog; it does not block either.
    ///
    /// # Errors
    ///
    /// What `accept(2)` reports, `EAGAIN` if there is none.
    pub fn accept(&self) -> io::Result<UnixStream> {
        let (stream, _) = self.listener.accept()?;
        stream.set_nonblocking(true)?;
        Ok(stream)
    }
}

impl AsFd for PrivateSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}

impl Drop for PrivateSocket {
    fn drop(&mut self) {
        // A successor may have put its own socket there.
        if identify(&self.name).is_ok_and(|file| Some(file) == self.file) {
            let _ = fs::remove_file(&self.name);
        }
    }
}

/// Looks whether nobody has `path`. A socket that nobody listens on any more is
/// nobody's.
fn check_vacant(path: &Path) -> io::Result<()> {
    match PrivateSocket::connect(path) {
        Ok(_) => Err(ErrorKind::AddrInUse.into()),
        Err(err) => match err.kind() {
            ErrorKind::WouldBlock => Err(ErrorKind::AddrInUse.into()),
            ErrorKind::NotFound => Ok(()),
            // Left behind. Files of other kinds refuse a connection too.
            ErrorKind::ConnectionRefused if is_socket(path)? => Ok(()),
            ErrorKind::ConnectionRefused => Err(ErrorKind::AlreadyExists.into()),
            _ => Err(err),
        },
    }
}

fn is_socket(path: &Path) -> io::Result<bool> {
    Ok(fs::symlink_metadata(path)?.file_type().is_socket())
}

fn new_socket() -> io::Result<OwnedFd> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    Ok(socket_with(
        AddressFamily::UNIX,
        SocketType::STREAM,
        flags,
        None,
    )?)
}

fn identify(path: &Path) -> io::Result<(u64, u64)> {
    let metadata = fs::symlink_metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}

// ANCHOR: listen
fn listen(path: &Path) -> io::Result<UnixListener> {
    let socket = new_socket()?;
    // Left behind by a process that had the same number and was killed.
    if is_socket(path).unwrap_or(false) {
        fs::remove_file(path)?;
    }
    rustix::net::bind(&socket, &SocketAddrUnix::new(path)?)?;
    // ANCHOR: mode
    let listening = fs::set_permissions(path, Permissions::from_mode(0o600))
        .and_then(|()| Ok(rustix::net::listen(&socket, BACKLOG)?));
    // ANCHOR_END: mode
    if let Err(err) = listening {
        let _ = fs::remove_file(path);
        return Err(err);
    }
    Ok(socket.into())
}
// ANCHOR_END: listen

#[cfg(test)]
mod tests {
    use chapter_tests::TemporaryDirectory;

    use super::*;

    #[test]
    fn the_socket_is_for_this_user_alone_and_its_name_goes_with_it() {
        let directory = TemporaryDirectory::new();
        let path = directory.join("meeting");
        let socket = PrivateSocket::bind(&path).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(&*directory).unwrap().count(), 1);
        drop(socket);
        assert_eq!(fs::read_dir(&*directory).unwrap().count(), 0);
    }

    #[test]
    fn a_living_socket_is_not_stolen_and_a_dead_one_is_replaced() {
        let directory = TemporaryDirectory::new();
        let path = directory.join("meeting");
        let first = PrivateSocket::bind(&path).unwrap();
        let refused = PrivateSocket::bind(&path).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::AddrInUse);
        drop(first);
        // As after a crash: the file stays, nobody listens.
        drop(UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        PrivateSocket::bind(&path).unwrap();
    }

    #[test]
    fn a_file_that_is_no_socket_is_left_alone() {
        let directory = TemporaryDirectory::new();
        let path = directory.join("meeting");
        fs::write(&path, "precious").unwrap();
        for refused in [PrivateSocket::bind(&path), PrivateSocket::prepare(&path)] {
            assert_eq!(refused.unwrap_err().kind(), ErrorKind::AlreadyExists);
        }
        assert_eq!(fs::read(&path).unwrap(), b"precious");
        // Nor the one that has the name under which a socket is prepared.
        let name = directory.join(format!("other.{}", std::process::id()));
        fs::write(&name, "precious").unwrap();
        let refused = PrivateSocket::prepare(&directory.join("other")).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::AddrInUse);
        assert_eq!(fs::read(&name).unwrap(), b"precious");
    }

    #[test]
    fn somebody_who_accepts_nobody_has_his_path_and_keeps_nobody_waiting() {
        let directory = TemporaryDirectory::new();
        let path = directory.join("meeting");
        let _socket = PrivateSocket::bind(&path).unwrap();
        let mut waiting = Vec::new();
        let refused = loop {
            match PrivateSocket::connect(&path) {
                Ok(stream) => waiting.push(stream),
                Err(err) => break err,
            }
        };
        assert_eq!(refused.kind(), ErrorKind::WouldBlock);
        let refused = PrivateSocket::bind(&path).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::AddrInUse);
    }

    #[test]
    fn who_was_replaced_does_not_remove_the_name_of_its_successor() {
        let directory = TemporaryDirectory::new();
        let path = directory.join("meeting");
        let old = PrivateSocket::bind(&path).unwrap();
        let mut new = PrivateSocket::prepare_to_succeed(&path).unwrap();
        new.publish().unwrap();
        drop(old);
        assert!(UnixStream::connect(&path).is_ok());
    }
}
